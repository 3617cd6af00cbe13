/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: children.h. */
#include "children.h"

static int order(uint32_t x, uint32_t y, const struct link *a, const struct link *b)
{
	return x != y ? (x < y ? -1 : 1) : strcmp(a->name, b->name);
}

static int by_master(const void *a, const void *b)
{
	const struct link *x = *(const struct link *const *)a, *y = *(const struct link *const *)b;

	return order(x->master, y->master, x, y);
}

static int by_parent(const void *a, const void *b)
{
	const struct link *x = *(const struct link *const *)a, *y = *(const struct link *const *)b;

	return order(x->parent, y->parent, x, y);
}

void children_index(struct link *const *links, size_t n, struct children *ret)
{
	struct children c = CHILDREN_NULL;

	for (size_t i = 0; i < n; i++) {
		const struct link *l = links[i];

		if (l->master)
			*ARRAY_APPEND(c.by_master, c.n_ports) = l;
		if (l->parent)
			*ARRAY_APPEND(c.by_parent, c.n_vlans) = l;
	}
	if (c.n_ports)
		qsort(c.by_master, c.n_ports, sizeof(*c.by_master), by_master);
	if (c.n_vlans)
		qsort(c.by_parent, c.n_vlans, sizeof(*c.by_parent), by_parent);
	*ret = c;
}

void children_done(struct children *c)
{
	free(c->by_master);
	free(c->by_parent);
	*c = CHILDREN_NULL;
}

/* The run of links with that key in a sorted array. */
static const struct link *const *run(const struct link *const *list, size_t total,
				     uint32_t (*key)(const struct link *l), uint32_t ifindex, size_t *n)
{
	size_t low = 0, high = total, end;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (key(list[middle]) < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < total && key(list[end]) == ifindex; end++)
		;
	*n = ifindex ? end - low : 0;
	return total ? list + low : list;
}

static uint32_t master_of(const struct link *l)
{
	return l->master;
}

static uint32_t parent_of(const struct link *l)
{
	return l->parent;
}

const struct link *const *children_ports(const struct children *c, uint32_t ifindex, size_t *n)
{
	return run((const struct link *const *)c->by_master, c->n_ports, master_of, ifindex, n);
}

const struct link *const *children_vlans(const struct children *c, uint32_t ifindex, size_t *n)
{
	return run((const struct link *const *)c->by_parent, c->n_vlans, parent_of, ifindex, n);
}
