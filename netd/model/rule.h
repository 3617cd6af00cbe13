/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how the kinds' rules (kind-*.c) say what is wrong with a value. Theirs alone. */
#pragma once

#include "../config/diag.h"
#include "model.h"

/*
 * Adds a message about a row of v, at the line where the row was written, or at `link` when it was not. The section is
 * "WORD NAME".
 */
void rule_add(struct diags *d, enum severity severity, const char *word, const struct link *link,
	      const struct values *v, unsigned row, const char *format, ...) _printf_(7, 8);

/* For an option of the link itself / of a port of it. */
#define rule_own(d, severity, l, row, ...) rule_add(d, severity, (l)->kind->name, l, (l)->own, row, __VA_ARGS__)
#define rule_port(d, severity, l, row, ...) rule_add(d, severity, "port", l, (l)->port, row, __VA_ARGS__)

/* " (FILE:LINE)" of another place that takes part in the mistake, or "". The caller frees it. */
char *rule_place(const struct diags *d, struct loc loc);
/* The same, of the line that lists the link's ports. */
char *rule_ports_place(const struct diags *d, const struct link *l);
/* Does the link declare a port of that name? */
bool rule_has_port(const struct link *l, const char *name);
