/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: edit distance between words: letters added, left out, changed, or two neighbours swapped, each counts one.
 * Case, and '-' for '_', count nothing: they are how the same option is spelled elsewhere.
 */
#include <ctype.h>

#include "../util.h"
#include "suggest.h"

/* Longer words are no typo of an option. */
#define LEN_MAX 40

static char folded(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	return MIN(MIN(a, b), c);
}

static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][LEN_MAX + 1]; /* by i modulo 3: a swap looks two rows back */
	unsigned la = (unsigned)strlen(a), lb = (unsigned)strlen(b);

	for (unsigned j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			bool same = folded(a[i - 1]) == folded(b[j - 1]);

			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
			    folded(a[i - 2]) == folded(b[j - 1]))
				row[j] = MIN(row[j], above2[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

void suggest_try(struct suggest *s, const char *candidate)
{
	unsigned near, limit;

	if (!candidate || strlen(candidate) > LEN_MAX || strlen(s->word) > LEN_MAX)
		return;
	/* One mistake in three letters is still a typo; more is another word. */
	limit = MAX((unsigned)strlen(candidate) / 3, 1u);
	near = distance(s->word, candidate);
	if (near > limit || (s->best && near >= s->distance))
		return;
	s->best = candidate;
	s->distance = near;
}
