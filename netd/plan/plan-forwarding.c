/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: forwarding of all links together. A write for all is one for each of them, and for those to come
 * (net/ipv4/devinet.c, inet_forward_change(); net/ipv6/addrconf.c, addrconf_fixup_forwarding()).
 */
#include "planner-internal.h"

static const struct link_diff *find_all(struct planner *p)
{
	const struct link *all = model_find(&p->in->effective->links, LINK_ALL);

	return all ? find_diff(p, all) : NULL;
}

/* Links that are to have it though it is taken from all. */
static void want_again(struct planner *p, unsigned row)
{
	const struct model *wanted = &p->in->effective->links;

	for (size_t i = 0; i < wanted->n_links; i++) {
		const struct link *l = wanted->links[i];
		struct link_diff *d;

		if (!values_num(l->common, row, 0) || !model_find(p->in->actual, l->name))
			continue;
		d = find_diff(p, l);
		d = d ? d : add_diff(p, l);
		d->common |= 1ull << row;
	}
}

void plan_forwarding_again(struct planner *p)
{
	const struct link_diff *all = find_all(p);
	uint64_t rows = all ? all->common & LINK_FORWARDING_ROWS : 0;
	const struct link *want = all ? all->want : NULL;

	for (unsigned row = 0; row < link_options.n; row++)
		if (rows >> row & 1 && !values_num(want->common, row, 0))
			want_again(p, row);
}

void plan_forwarding_of_all(struct planner *p, bool on)
{
	const struct link_diff *all = find_all(p);

	for (unsigned row = 0; all && row < link_options.n; row++)
		if ((all->common & LINK_FORWARDING_ROWS) >> row & 1 && on == !!values_num(all->want->common, row, 0))
			op_add(p, OP_SYSCTL, all->want, all->have)->common = 1ull << row;
}
