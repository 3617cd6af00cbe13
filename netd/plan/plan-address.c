/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ops for addresses and routes: what is missing, what is too many, and what a link that goes down loses. */
#include <linux/rtnetlink.h>

#include "planner-internal.h"

static const struct link *kept(const struct link_diff *d)
{
	return d->recreate ? NULL : d->have;
}

static void add_address(struct planner *p, const struct link *link, const struct link *have, const struct address *a)
{
	struct op *op = op_add(p, OP_ADDRESS_ADD, link, have);

	op->address = a;
	op->loc = a->loc;
	op->impact = IMPACT_NONE;
}

static void add_route(struct planner *p, const struct link *link, const struct link *have, const struct route *r)
{
	struct op *op = op_add(p, OP_ROUTE_ADD, link, have);

	op->route = r;
	op->loc = r->loc;
}

void plan_addresses(struct planner *p, const struct link_diff *d)
{
	for (size_t i = 0; i < d->want->n_addresses; i++)
		if (diff_address_missing(kept(d), &d->want->addresses[i]))
			add_address(p, d->want, kept(d), &d->want->addresses[i]);
}

void plan_routes(struct planner *p, const struct link_diff *d)
{
	for (size_t i = 0; i < d->want->n_routes; i++)
		if (diff_route_missing(kept(d), &d->want->routes[i]))
			add_route(p, d->want, kept(d), &d->want->routes[i]);
}

static bool sets_down(const struct planner *p, const struct op *op)
{
	const struct link *master =
		op->master != MASTER_KEEP && op->have ? model_master(p->in->actual, op->have) : NULL;

	return op->flags == FLAGS_DOWN || (master && (master->kind->flags & KIND_PORTS_DOWN));
}

/* Did an op so far set the link down, or what it stands on? Its routes and IPv6 addresses are gone then. */
static bool went_down(const struct planner *p, const struct link *have)
{
	for (; have; have = model_parent(p->in->actual, have))
		for (size_t i = 0; i < p->plan->n; i++)
			if (p->plan->ops[i].have == have && sets_down(p, &p->plan->ops[i]))
				return true;
	return false;
}

/* Routes first: they would vanish with the last address, and deleting them again would be an error. */
void plan_extra(struct planner *p, const struct link_diff *d)
{
	const struct link *have = kept(d);
	bool lost = have && (d->routes || d->addresses) && went_down(p, have);

	for (size_t i = 0; have && !lost && i < have->n_routes; i++)
		if (diff_route_extra(p->in, d->want, have, &have->routes[i]))
			op_add(p, OP_ROUTE_DELETE, d->want, have)->route = &have->routes[i];
	for (size_t i = 0; have && i < have->n_addresses; i++)
		if (diff_address_extra(p->in, d->want, have, &have->addresses[i]) &&
		    !(lost && have->addresses[i].family == AF_INET6))
			op_add(p, OP_ADDRESS_DELETE, d->want, have)->address = &have->addresses[i];
}

/* On a link that is deleted after the burst, an address that moved would draw its subnet's traffic until then. */
void plan_moved_off(struct planner *p, const struct link_diff *d)
{
	for (size_t i = 0; i < d->have->n_addresses; i++) {
		bool moved = false;

		for (size_t j = 0; j < p->diff.n && !moved; j++)
			moved = p->diff.list[j].want &&
				diff_address_wanted(p->diff.list[j].want, &d->have->addresses[i]);
		if (moved)
			op_add(p, OP_ADDRESS_DELETE, d->have, d->have)->address = &d->have->addresses[i];
	}
}

/* Link-local and learned ones come back by themselves. */
static bool address_is_lost(const struct address *a)
{
	return a->family == AF_INET6 && a->scope != RT_SCOPE_LINK && a->valid_lft == UINT32_MAX;
}

static bool route_is_lost(const struct route *r)
{
	return r->protocol != RTPROT_KERNEL && r->protocol != RTPROT_RA;
}

static void add_lost(struct planner *p, const struct link *have)
{
	const struct link *want = model_find(&p->in->effective->links, have->name);
	const struct link *link = want ? want : have;

	for (size_t i = 0; i < have->n_addresses; i++)
		if (address_is_lost(&have->addresses[i]) && !diff_address_extra(p->in, want, have, &have->addresses[i]))
			add_address(p, link, have, &have->addresses[i]);
	for (size_t i = 0; i < have->n_routes; i++)
		if (route_is_lost(&have->routes[i]) && !diff_route_extra(p->in, want, have, &have->routes[i]))
			add_route(p, link, have, &have->routes[i]);
}

void plan_lost(struct planner *p, const struct link *have, bool and_itself)
{
	size_t n;
	const struct link *const *vlans = children_vlans(&p->children, have->ifindex, &n);

	if (and_itself)
		add_lost(p, have);
	for (size_t i = 0; i < n; i++)
		plan_lost(p, vlans[i], true);
}
