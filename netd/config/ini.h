/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: INI text to a sequence of sections and keys, each with its place. What is malformed becomes a diag and
 * never reaches the receiver; see ini.c for the rules.
 */
#pragma once

#include "diag.h"

/*
 * Who receives. Strings live until the call returns and are printable ASCII.
 *
 * section: a header was met, also one with no keys under it. name is "" when there is none.
 * key: a key of the section met last; value is words with one space between them, never empty. Keys under a broken
 *   header, or before the first, are not given to anyone.
 */
struct ini_receiver {
	void (*section)(void *userdata, struct loc loc, const char *kind, const char *name);
	void (*key)(void *userdata, struct loc loc, const char *key, const char *value);
	void *userdata;
};

/* Reads one file; `file` is its number in d->sources. */
void ini_read(const char *text, size_t len, int file, const struct ini_receiver *to, struct diags *d);
