/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: who is mentioned by which section, and which sections differ between two configurations (config.h). */
#include "config.h"

static int mention_order(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return x->by->position < y->by->position ? -1 : x->by->position > y->by->position;
}

void config_index_mentions(struct config *c)
{
	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *l = c->links.links[i];

		for (size_t j = 0; j < l->n_ports; j++)
			*ARRAY_APPEND(c->mentions, c->n_mentions) = (struct mention){l->ports[j].name, l};
		if (l->parent_name[0])
			*ARRAY_APPEND(c->mentions, c->n_mentions) = (struct mention){l->parent_name, l};
	}
	if (c->n_mentions)
		qsort(c->mentions, c->n_mentions, sizeof(*c->mentions), mention_order);
}

static const char *mentioned(const void *element)
{
	return ((const struct mention *)element)->name;
}

const struct mention *config_mentions(const struct config *c, const char *name, size_t *n)
{
	size_t low = name_place(c->mentions, c->n_mentions, sizeof(*c->mentions), mentioned, name), end;

	for (end = low; end < c->n_mentions && streq(c->mentions[end].name, name); end++)
		;
	*n = end - low;
	return *n ? &c->mentions[low] : NULL;
}

static bool ports_same(const struct link *a, const struct link *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (!streq(a->ports[i].name, b->ports[i].name))
			return false;
	return true;
}

/* Where things were written does not count, and is the last member of both. */
static bool addresses_same(const struct link *a, const struct link *b)
{
	if (a->n_addresses != b->n_addresses || a->n_routes != b->n_routes)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (memcmp(&a->addresses[i], &b->addresses[i], offsetof(struct address, loc)) != 0)
			return false;
	for (size_t i = 0; i < a->n_routes; i++)
		if (memcmp(&a->routes[i], &b->routes[i], offsetof(struct route, loc)) != 0)
			return false;
	return true;
}

/* Do two sections of one name say the same? */
static bool section_same(const struct link *a, const struct link *b)
{
	return a->kind == b->kind && values_same(a->common, b->common) && values_same(a->own, b->own) &&
	       ports_same(a, b) && addresses_same(a, b) && streq(a->parent_name, b->parent_name) &&
	       streq(a->master_name, b->master_name) && streq(a->network, b->network);
}

static bool port_sections_same(const struct config *a, const struct config *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++) {
		if (!streq(a->ports[i].pattern, b->ports[i].pattern) || a->ports[i].is_glob != b->ports[i].is_glob)
			return false;
		for (size_t k = 0; kinds[k]; k++)
			if (!values_same(a->ports[i].values[k], b->ports[i].values[k]))
				return false;
	}
	return true;
}

/* Mostly it stands where it stood. */
static const struct link *find_from(const struct model *m, size_t place, const char *name)
{
	if (place < m->n_links && streq(m->links[place]->name, name))
		return m->links[place];
	return model_find(m, name);
}

bool config_changes(const struct config *before, const struct config *now, struct names *ret)
{
	if (before == now)
		return true;
	if (before->n_networks || now->n_networks || before->n_matches || now->n_matches ||
	    !before->sources.n != !now->sources.n || !values_same(before->daemon, now->daemon) ||
	    !port_sections_same(before, now))
		return false;
	for (size_t i = 0; i < now->links.n_links; i++) {
		const struct link *l = now->links.links[i], *was = find_from(&before->links, i, l->name);

		if (!was || !section_same(was, l))
			names_add(ret, l->name);
	}
	for (size_t i = 0; i < before->links.n_links; i++) {
		const struct link *was = before->links.links[i];

		if (!find_from(&now->links, i, was->name))
			names_add(ret, was->name);
	}
	return true;
}
