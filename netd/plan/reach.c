/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: reach.h. */
#include "reach.h"

#include <linux/rtnetlink.h>

struct fate {
	bool deleted; /* the link, or what it stands on */
	bool down, joins;
};

bool plan_takes_away(const struct plan *p, const struct model *actual, const struct link *l)
{
	for (; l; l = model_parent(actual, l))
		for (size_t i = 0; i < p->n; i++)
			if (p->ops[i].type == OP_DELETE && streq(p->ops[i].link->name, l->name))
				return true;
	return false;
}

static struct fate fate_of(const struct diff_input *in, const struct plan *p, const struct link *have)
{
	struct fate fate = {.deleted = plan_takes_away(p, in->actual, have)};

	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];

		if (op->type != OP_SET || !streq(op->link->name, have->name))
			continue;
		fate.joins = fate.joins || (op->master == MASTER_JOIN && !have->master);
		if (op->flags != FLAGS_KEEP)
			fate.down = op->flags == FLAGS_DOWN;
	}
	return fate;
}

static bool is_deleted(const struct plan *p, const struct link *l, const struct address *a, const struct route *r)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];

		if (!streq(op->link->name, l->name))
			continue;
		if ((a && op->type == OP_ADDRESS_DELETE && address_same(op->address, a)) ||
		    (r && op->type == OP_ROUTE_DELETE && route_same(op->route, r)))
			return true;
	}
	return false;
}

static bool is_host_address(const struct address *a, uint8_t family)
{
	return a->family == family && a->scope != RT_SCOPE_LINK && a->scope != RT_SCOPE_HOST;
}

static bool is_default(const struct route *r, uint8_t family)
{
	return r->family == family && r->dst_len == 0 && r->table == RT_TABLE_MAIN && r->type == RTN_UNICAST;
}

/* Asked first: few of thousands of links have any. */
static bool reaches(const struct link *have, uint8_t family)
{
	for (size_t i = 0; i < have->n_addresses; i++)
		if (is_host_address(&have->addresses[i], family))
			return true;
	for (size_t i = 0; i < have->n_routes; i++)
		if (is_default(&have->routes[i], family))
			return true;
	return false;
}

/* Of what a link has: how many the host is reached by, and how many of these it has still after the plan. */
struct count {
	size_t before, after;
};

static void count_link(const struct diff_input *in, const struct plan *p, const struct link *have, uint8_t family,
		       struct count *addresses, struct count *routes)
{
	struct fate fate;
	bool lost;

	if (!reaches(have, family))
		return;
	fate = fate_of(in, p, have);
	lost = fate.deleted || fate.down || fate.joins;

	for (size_t i = 0; i < have->n_addresses; i++) {
		if (!is_host_address(&have->addresses[i], family))
			continue;
		addresses->before++;
		addresses->after += !lost && !is_deleted(p, have, &have->addresses[i], NULL);
	}
	for (size_t i = 0; i < have->n_routes; i++) {
		if (!is_default(&have->routes[i], family))
			continue;
		routes->before++;
		/* Whoever advertises it does so again. */
		routes->after += have->routes[i].protocol == RTPROT_RA ||
				 (!lost && !is_deleted(p, have, NULL, &have->routes[i]));
	}
}

static void count_wanted(const struct link *want, uint8_t family, struct count *addresses, struct count *routes)
{
	int64_t client = family == AF_INET ? DHCP_IPV4 : DHCP_IPV6;
	bool leased = values_num(want->common, LINK_DHCP, DHCP_NO) & (uint64_t)client;

	addresses->after += leased;
	routes->after += leased;
	for (size_t i = 0; i < want->n_addresses; i++)
		addresses->after += is_host_address(&want->addresses[i], family);
	for (size_t i = 0; i < want->n_routes; i++)
		routes->after += is_default(&want->routes[i], family);
}

const char *plan_cuts_off_host(const struct diff_input *in, const struct plan *p, uint8_t family)
{
	struct count addresses = {0}, routes = {0};

	for (size_t i = 0; p->n && i < in->actual->n_links; i++)
		count_link(in, p, in->actual->links[i], family, &addresses, &routes);
	for (size_t i = 0; p->n && i < in->effective->links.n_links; i++)
		if (!in->effective->links.links[i]->waits_for)
			count_wanted(in->effective->links.links[i], family, &addresses, &routes);
	if (addresses.before && !addresses.after)
		return "address";
	return routes.before && !routes.after ? "default route" : NULL;
}

static bool is_wanted(const struct diff_input *in, const struct address *a, const struct route *r)
{
	for (size_t i = 0; i < in->effective->links.n_links; i++) {
		const struct link *want = in->effective->links.links[i];

		if (a && diff_address_wanted(want, a))
			return true;
		for (size_t n = 0; r && n < want->n_routes; n++)
			if (route_same(&want->routes[n], r))
				return true;
	}
	return false;
}

static bool is_others_address(const struct diff_input *in, const struct link *have, const struct address *a)
{
	return a->scope != RT_SCOPE_LINK && !ledger_added(in->ledger, have, a) && !is_wanted(in, a, NULL);
}

static bool is_others_route(const struct diff_input *in, const struct route *r)
{
	return r->protocol != RTPROT_KERNEL && r->protocol != RTPROT_RA && r->protocol != KVMNETD_PROTO &&
	       !is_wanted(in, NULL, r);
}

/* fn: NULL tells nobody. Returns whether there is anything to be told. */
static bool tell_gone(const struct diff_input *in, const struct link *have, gone_fn *fn, void *userdata)
{
	bool any = false;

	for (size_t i = 0; i < have->n_addresses; i++) {
		if (!is_others_address(in, have, &have->addresses[i]))
			continue;
		any = true;
		if (fn)
			fn(have, &have->addresses[i], NULL, userdata);
	}
	for (size_t i = 0; i < have->n_routes; i++) {
		if (!is_others_route(in, &have->routes[i]))
			continue;
		any = true;
		if (fn)
			fn(have, NULL, &have->routes[i], userdata);
	}
	return any;
}

void plan_gone(const struct diff_input *in, const struct plan *p, gone_fn *fn, void *userdata)
{
	bool deletes = false;

	for (size_t i = 0; i < p->n; i++)
		deletes = deletes || p->ops[i].type == OP_DELETE;
	for (size_t i = 0; deletes && i < in->actual->n_links; i++) {
		const struct link *have = in->actual->links[i];

		/* Of thousands of links few have any, and what becomes of a link takes a walk through the plan. */
		if (tell_gone(in, have, NULL, NULL) && plan_takes_away(p, in->actual, have))
			tell_gone(in, have, fn, userdata);
	}
}
