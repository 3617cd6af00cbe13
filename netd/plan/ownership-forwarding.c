/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what was found of forwarding. A write for all links is one for each of them (net/ipv4/devinet.c,
 * inet_forward_change()), so that afterwards a link does not show any more what it had of its own.
 */
#include "ownership-internal.h"

static bool notes(const struct ledger *l, const char *name, unsigned row)
{
	const struct record *r = ledger_find(l, name);

	return r && r->common && values_has(r->common, row);
}

/* Before all links get it: those that have it by themselves are to have it when it is taken from all. */
static void note_those_with(struct ledger *l, const struct model *actual, unsigned row)
{
	for (size_t i = 0; i < actual->n_links; i++) {
		const struct link *have = actual->links[i];
		struct record *r;

		if (streq(have->name, LINK_ALL) || !values_num(have->common, row, 0) || notes(l, have->name, row) ||
		    ledger_made(l, have))
			continue;
		r = ledger_get(l, have->name, have->kind);
		r->ifindex = have->ifindex;
		if (!r->common)
			r->common = values_new(&link_options);
		values_set_num(r->common, row, 1);
	}
}

void forwarding_note_all(struct ledger *l, const struct op *op, const struct model *actual)
{
	for (unsigned row = 0; row < link_options.n; row++)
		if (LINK_FORWARDING_ROWS >> row & 1 && op->common >> row & 1 && values_num(op->link->common, row, 0))
			note_those_with(l, actual, row);
}

void forwarding_note_lent(const struct ledger *l, struct values *found)
{
	for (unsigned row = 0; row < link_options.n; row++)
		if (LINK_FORWARDING_ROWS >> row & 1 && values_has(found, row) && notes(l, LINK_ALL, row))
			values_set_num(found, row, 0);
}

bool forwarding_is_others(const struct ledger *l, const struct model *actual, enum link_row row)
{
	const struct link *all = model_find(actual, LINK_ALL);

	return all && values_num(all->common, row, 0) && !notes(l, LINK_ALL, row);
}

void forwarding_settle(const struct ledger *l, struct record *r, const struct link *want, const struct model *actual)
{
	if (notes(l, r->name, LINK_FORWARDING4) && !(want && values_has(want->common, LINK_FORWARDING4)) &&
	    forwarding_is_others(l, actual, LINK_FORWARDING4))
		values_unset(r->common, LINK_FORWARDING4);
}
