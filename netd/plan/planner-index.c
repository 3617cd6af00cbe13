/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what keeps a plan of thousands of links from looking through all links, all differences or all ops again for
 * each of them. Internal to plan/.
 */
#include "planner-internal.h"

/* Ops by the link they are about, as it was: those of one link in a chain, in their order. Numbers are one more. */
static void take_new_ops(struct planner *p)
{
	struct trail *t = &p->trail;

	for (; t->n < p->plan->n; t->n++) {
		const struct link *have = p->plan->ops[t->n].have;
		uint32_t number = (uint32_t)t->n + 1, last;

		t->next = array_grow(t->next, t->n, sizeof(*t->next));
		if (!have)
			continue;
		last = notes_get(&t->last, have->position);
		if (last)
			t->next[last - 1] = number;
		else
			notes_put(&t->first, have->position, number);
		notes_put(&t->last, have->position, number);
	}
}

const struct op *op_about(struct planner *p, const struct link *have, const struct op *after)
{
	uint32_t number;

	take_new_ops(p);
	number = after ? p->trail.next[after - p->plan->ops] : notes_get(&p->trail.first, have->position);
	return number ? &p->plan->ops[number - 1] : NULL;
}

const struct link_diff *find_removal(const struct planner *p, const struct link *have)
{
	uint32_t place = notes_get(&p->removals, have->position);

	return place ? &p->diff.list[place - 1] : NULL;
}

struct link_diff *find_diff(struct planner *p, const struct link *want)
{
	size_t place = want->position;

	if (place >= p->in->effective->links.n_links || p->in->effective->links.links[place] != want)
		return NULL;
	return p->places[place] ? &p->diff.list[p->places[place] - 1] : NULL;
}

struct link_diff *add_diff(struct planner *p, const struct link *want)
{
	struct link_diff *d = ARRAY_APPEND(p->diff.list, p->diff.n);

	d->want = want;
	d->have = model_find(p->in->actual, want->name);
	p->places[want->position] = p->diff.n;
	return d;
}

static int relative_order(const void *a, const void *b)
{
	const struct relative *x = a, *y = b;
	int order = strcmp(x->to, y->to);

	if (order)
		return order;
	return x->link->position < y->link->position ? -1 : x->link->position > y->link->position;
}

static void index_relatives(struct planner *p)
{
	for (size_t i = 0; i < p->in->effective->links.n_links; i++) {
		const struct link *want = p->in->effective->links.links[i];

		if (want->master_name[0])
			*ARRAY_APPEND(p->relatives, p->n_relatives) = (struct relative){want->master_name, want};
		if (want->parent_name[0])
			*ARRAY_APPEND(p->relatives, p->n_relatives) = (struct relative){want->parent_name, want};
	}
	if (p->relatives)
		qsort(p->relatives, p->n_relatives, sizeof(*p->relatives), relative_order);
}

static const char *relative_to(const void *element)
{
	return ((const struct relative *)element)->to;
}

const struct relative *wanted_relatives(struct planner *p, const char *name, size_t *n)
{
	size_t low, total, end;

	if (!p->relatives)
		index_relatives(p);
	total = p->relatives ? p->n_relatives : 0;
	low = name_place(p->relatives, total, sizeof(*p->relatives), relative_to, name);
	for (end = low; end < total && streq(p->relatives[end].to, name); end++)
		;
	*n = end - low;
	return *n ? p->relatives + low : NULL;
}

static int slot_order(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	int r = slot_compare(x->link, y->link);

	return r ? r : strcmp(x->parent, y->parent);
}

bool is_slot_wanted(const struct planner *p, const struct link *l, const char *parent)
{
	struct slot slot = {l, parent};

	return p->n_slots && bsearch(&slot, p->slots, p->n_slots, sizeof(*p->slots), slot_order) != NULL;
}

static int address_order(const void *a, const void *b)
{
	const struct address *x = *(const struct address *const *)a, *y = *(const struct address *const *)b;

	return address_compare(x, y);
}

/* The wanted addresses of all links that differ. */
static void index_addresses(struct planner *p)
{
	for (size_t i = 0; i < p->diff.n; i++)
		for (size_t j = 0; p->diff.list[i].want && j < p->diff.list[i].want->n_addresses; j++)
			*ARRAY_APPEND(p->addresses, p->n_addresses) = &p->diff.list[i].want->addresses[j];
	if (p->n_addresses)
		qsort(p->addresses, p->n_addresses, sizeof(*p->addresses), address_order);
}

bool is_wanted_somewhere(const struct planner *p, const struct address *a)
{
	return p->n_addresses &&
	       bsearch(&a, p->addresses, p->n_addresses, sizeof(*p->addresses), address_order) != NULL;
}

void planner_index(struct planner *p)
{
	p->places = xcalloc(p->in->effective->links.n_links + 1, sizeof(*p->places));
	for (size_t i = 0; i < p->diff.n; i++)
		if (p->diff.list[i].want)
			p->places[p->diff.list[i].want->position] = i + 1;
}

void planner_index_diffs(struct planner *p)
{
	for (size_t i = 0; i < p->diff.n; i++) {
		const struct link_diff *d = &p->diff.list[i];

		if (d->have && (d->recreate || !d->want))
			notes_put(&p->removals, d->have->position, (uint32_t)i + 1);
		if (d->want && is_new(d) && d->want->kind->slot)
			*ARRAY_APPEND(p->slots, p->n_slots) = (struct slot){d->want, d->want->parent_name};
	}
	if (p->n_slots)
		qsort(p->slots, p->n_slots, sizeof(*p->slots), slot_order);
	index_addresses(p);
}

void planner_done(struct planner *p)
{
	diff_done(&p->diff);
	children_done(&p->children);
	free(p->places);
	notes_done(&p->removals);
	free(p->relatives);
	free(p->slots);
	free(p->addresses);
	notes_done(&p->trail.first);
	notes_done(&p->trail.last);
	free(p->trail.next);
}
