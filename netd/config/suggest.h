/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: "did you mean": of many candidate words, the nearest to one that was mistyped. Leaf. */
#pragma once

struct suggest {
	const char *word; /* borrowed: as given */
	const char *best; /* borrowed: the nearest candidate so far; NULL: none is near enough */
	unsigned distance;
};

#define SUGGEST(text) ((struct suggest){.word = (text)})

/* Offers a candidate (NULL is passed over), which must live as long as the suggestion. */
void suggest_try(struct suggest *s, const char *candidate);
