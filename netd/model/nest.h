/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: of many subnets, of which some lie in others, those that overlap with one, without a look at all of them.
 */
#pragma once

#include "network.h"

/* What each element of the list begins with. */
struct nested {
	struct address subnet;
	size_t inside; /* of the next wider one that has it in it, or the one before it that is equal; SIZE_MAX: none */
};

/* n elements of `size` bytes, which the caller owns. */
struct nest {
	void *list;
	size_t n, size;
};

typedef void nest_fn(void *element, void *userdata);

/* Makes a nest of a list in the order of subnet_compare(). */
void nest_make(const struct nest *nest);
/* Calls it for each that has an address in common with `a`: first what has it in it, the narrowest first. */
void nest_overlapping(const struct nest *nest, const struct address *a, nest_fn *fn, void *userdata);
