/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: text made into a configuration, for tests of what becomes of it and of what is said. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../netd/config/config.h"

/* A configuration and what was said about it. */
struct parsed {
	struct config *config;
	struct diags diags;
	char *messages; /* printed, a line each */
};

void parsed_done(struct parsed *p);
#define _cleanup_parsed_ _cleanup_(parsed_done)

struct parsed parse_files(const struct config_files *files);
/* One file, "x". */
struct parsed parse_bytes(const char *text, size_t len);
struct parsed parse(const char *text);
/* The declared link of that name; the test fails when there is none. */
const struct link *link_of(const struct parsed *p, const char *name);
