/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: a set of names of links. */
#pragma once

#include <net/if.h>

#include "../util.h"

struct names {
	char (*list)[IFNAMSIZ]; /* sorted */
	size_t n;
};

#define NAMES_NULL ((struct names){0})
void names_done(struct names *s);
bool names_has(const struct names *s, const char *name);
/* Returns whether it is new. A name that no link can have is cut off. */
bool names_add(struct names *s, const char *name);
void names_remove(struct names *s, const char *name);
struct names names_copy(const struct names *s);
