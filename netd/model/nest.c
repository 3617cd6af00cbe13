/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: nest.h. */
#include "nest.h"

static struct nested *element(const struct nest *nest, size_t i)
{
	return (struct nested *)((char *)nest->list + i * nest->size);
}

void nest_make(const struct nest *nest)
{
	for (size_t i = 0; i < nest->n; i++) {
		size_t at = i ? i - 1 : SIZE_MAX;

		while (at != SIZE_MAX && !subnets_overlap(&element(nest, at)->subnet, &element(nest, i)->subnet))
			at = element(nest, at)->inside;
		element(nest, i)->inside = at;
	}
}

/* The first one that does not go before it. */
static size_t find_place(const struct nest *nest, const struct address *a)
{
	size_t low = 0, high = nest->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (subnet_compare(&element(nest, middle)->subnet, a) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void nest_overlapping(const struct nest *nest, const struct address *a, nest_fn *fn, void *userdata)
{
	size_t place = find_place(nest, a);

	/* What has it in it: the one before, or what that is in. */
	for (size_t i = place ? place - 1 : SIZE_MAX; i != SIZE_MAX; i = element(nest, i)->inside)
		if (subnets_overlap(a, &element(nest, i)->subnet))
			fn(element(nest, i), userdata);
	/* What is in it. */
	for (size_t i = place; i < nest->n && subnets_overlap(a, &element(nest, i)->subnet); i++)
		fn(element(nest, i), userdata);
}
