/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: notes.h. */
#include "notes.h"

#include "../util.h"

#define NOTES_MIN 16

void notes_done(struct notes *m)
{
	free(m->list);
	*m = NOTES_NULL;
}

/* The one of that key, or the free one where it would be. */
static struct note *find(const struct notes *m, uint32_t key)
{
	size_t i = (key * 2654435769u >> 7) & (m->size - 1);

	while (m->list[i].key && m->list[i].key != key)
		i = (i + 1) & (m->size - 1);
	return &m->list[i];
}

static void resize(struct notes *m, size_t size)
{
	struct notes larger = {.list = xcalloc(size, sizeof(*m->list)), .size = size, .n = m->n};

	for (size_t i = 0; i < m->size; i++)
		if (m->list[i].key)
			*find(&larger, m->list[i].key) = m->list[i];
	free(m->list);
	*m = larger;
}

uint32_t notes_get(const struct notes *m, size_t position)
{
	return m->size ? find(m, (uint32_t)position + 1)->value : 0;
}

void notes_put(struct notes *m, size_t position, uint32_t value)
{
	struct note *note;

	if (m->size < (m->n + 1) * 2)
		resize(m, m->size ? m->size * 2 : NOTES_MIN);
	note = find(m, (uint32_t)position + 1);
	m->n += !note->key;
	*note = (struct note){.key = (uint32_t)position + 1, .value = value};
}

static int position_order(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

size_t *notes_positions(const struct notes *m)
{
	size_t *list = xcalloc(m->n + 1, sizeof(*list)), n = 0;

	for (size_t i = 0; i < m->size; i++)
		if (m->list[i].key)
			list[n++] = m->list[i].key - 1;
	qsort(list, n, sizeof(*list), position_order);
	return list;
}
