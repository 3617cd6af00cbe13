/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the file names that a struct loc points into. Leaf. */
#include "loc.h"

#include "../util.h"

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	*s = (struct sources){0};
}

int sources_add(struct sources *s, const char *name)
{
	if (s->n >= LOC_FILES_MAX)
		return -E2BIG;
	*ARRAY_APPEND(s->names, s->n) = xstrdup(name);
	return (int)s->n;
}

const char *sources_name(const struct sources *s, struct loc loc)
{
	if (loc.file == 0 || loc.file > s->n)
		return NULL;
	return s->names[loc.file - 1];
}
