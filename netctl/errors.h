/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what went wrong, in the operator's words, on stderr; each function returns the exit status that it means.
 */
#pragma once

#include "netctl.h"

/* Could not connect: a negative errno. */
int error_connect(const char *path, int error);
/* Connected, but no reply came: a negative errno. */
int error_receive(int error);
/* An error reply of the daemon. parameters may be NULL. */
int error_reply(const char *error, struct json_object *parameters);

/* Prints an array of the interface's Diagnostic. NULL: none. */
void diagnostics_print(struct json_object *list, FILE *f);
/* " (FILE:LINE)" of an object with members file and line, or "". The caller frees it. */
char *place_text(struct json_object *o);
/* The same with the file's name only: for tables, where all files are of one directory. */
char *place_short(struct json_object *o);
