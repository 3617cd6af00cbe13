/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what is noted of a few links among thousands, by a link's position in its model: it costs what was noted,
 * not what could have been.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct note {
	uint32_t key; /* one more than the position; 0: free */
	uint32_t value;
};

/* Open addressing, power of two. */
struct notes {
	struct note *list;
	size_t size, n;
};

#define NOTES_NULL ((struct notes){0})
void notes_done(struct notes *m);
/* 0: nothing was noted. */
uint32_t notes_get(const struct notes *m, size_t position);
/* In the place of what was noted before. */
void notes_put(struct notes *m, size_t position, uint32_t value);
/* The positions that have one, in their order; m->n of them. The caller frees the array. */
size_t *notes_positions(const struct notes *m);
