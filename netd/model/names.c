/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: names.h: a sorted array, found by bisection. */
#include "names.h"

void names_done(struct names *s)
{
	free(s->list);
	*s = NAMES_NULL;
}

static const char *name_of(const void *element)
{
	return element;
}

/* The place of a name, or where it would be. */
static size_t place_of(const struct names *s, const char *name, bool *found)
{
	size_t i = name_place(s->list, s->n, sizeof(*s->list), name_of, name);

	*found = i < s->n && streq(s->list[i], name);
	return i;
}

bool names_has(const struct names *s, const char *name)
{
	bool found;

	place_of(s, name, &found);
	return found;
}

bool names_add(struct names *s, const char *name)
{
	bool found;
	size_t i = place_of(s, name, &found);

	if (found)
		return false;
	s->list = array_grow(s->list, s->n, sizeof(*s->list));
	memmove(&s->list[i + 1], &s->list[i], (s->n++ - i) * sizeof(*s->list));
	memset(s->list[i], 0, sizeof(*s->list));
	memcpy(s->list[i], name, strnlen(name, IFNAMSIZ - 1));
	return true;
}

void names_remove(struct names *s, const char *name)
{
	bool found;
	size_t i = place_of(s, name, &found);

	if (found)
		memmove(&s->list[i], &s->list[i + 1], (--s->n - i) * sizeof(*s->list));
}

struct names names_copy(const struct names *s)
{
	return (struct names){.list = array_copy(s->list, s->n, sizeof(*s->list)), .n = s->n};
}
