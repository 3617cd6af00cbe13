/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: where in the configuration something was written, in four bytes, so that every value can
 * carry it to the kernel and back. Leaf.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOC_FILES_MAX 1023
#define LOC_LINE_MAX ((1u << 22) - 1)

/* file: index into struct sources, from 1 (0: written nowhere, a default). line: from 1; larger lines saturate. */
struct loc {
	uint32_t file : 10;
	uint32_t line : 22;
};

#define LOC_NONE ((struct loc){0})

static inline bool loc_equal(struct loc a, struct loc b)
{
	return a.file == b.file && a.line == b.line;
}

/* Names of the files of one configuration; names[0] belongs to loc.file 1. Owns the strings. */
struct sources {
	char **names;
	size_t n;
};

void sources_done(struct sources *s);
/* Adds a file name (copied); returns its number for struct loc, or -E2BIG past LOC_FILES_MAX. */
int sources_add(struct sources *s, const char *name);
/* The file's name, or NULL for LOC_NONE. */
const char *sources_name(const struct sources *s, struct loc loc);
