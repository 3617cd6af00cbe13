/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: reach.h. */
#include "reach.h"

#include <linux/rtnetlink.h>

#include "notes.h"

/* What becomes of a link. */
enum fate {
	FATE_DELETED = 1 << 0, /* the link, or what it stands on, is */
	FATE_DOWN = 1 << 1,
	FATE_JOINS = 1 << 2,
	FATE_LOSES = 1 << 3, /* addresses or routes, one by one */
};

bool plan_takes_away(const struct plan *p, const struct model *actual, const struct link *l)
{
	for (; l; l = model_parent(actual, l))
		for (size_t i = 0; i < p->n; i++)
			if (p->ops[i].type == OP_DELETE && streq(p->ops[i].link->name, l->name))
				return true;
	return false;
}

static void add_fate(struct notes *fates, const struct link *l, enum fate fate)
{
	notes_put(fates, l->position, notes_get(fates, l->position) | fate);
}

static void note_deleted(struct notes *fates, const struct model *actual, const struct link *l)
{
	const struct link *upper;

	if (notes_get(fates, l->position) & FATE_DELETED)
		return;
	add_fate(fates, l, FATE_DELETED);
	for (size_t i = 0; (upper = model_next_upper(actual, l->ifindex, &i));)
		note_deleted(fates, actual, upper);
}

static void note_set(struct notes *fates, const struct op *op, const struct link *have)
{
	uint32_t fate = notes_get(fates, have->position);

	if (op->master == MASTER_JOIN && !have->master)
		fate |= FATE_JOINS;
	if (op->flags != FLAGS_KEEP)
		fate = op->flags == FLAGS_DOWN ? fate | FATE_DOWN : fate & ~(uint32_t)FATE_DOWN;
	notes_put(fates, have->position, fate);
}

/* By position in ACTUAL; the caller calls notes_done(). */
static struct notes fates_of(const struct model *actual, const struct plan *p)
{
	struct notes fates = NOTES_NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		const struct link *have = model_find(actual, op->link->name);

		if (have && op->type == OP_DELETE)
			note_deleted(&fates, actual, have);
		else if (have && (op->type == OP_ADDRESS_DELETE || op->type == OP_ROUTE_DELETE))
			add_fate(&fates, have, FATE_LOSES);
		else if (have && op->type == OP_SET)
			note_set(&fates, op, have);
	}
	return fates;
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

/* Of what the host is reached by: is there any? */
struct reach {
	bool address, route;
};

/* Adds what the link has, of what it loses or of what it keeps. */
static void add_reach(const struct plan *p, uint32_t fate, const struct link *have, uint8_t family, bool lost,
		      struct reach *to)
{
	bool whole = fate & (FATE_DELETED | FATE_DOWN | FATE_JOINS);

	for (size_t i = 0; i < have->n_addresses && !to->address; i++) {
		const struct address *a = &have->addresses[i];

		to->address = is_host_address(a, family) &&
			      lost == (whole || (fate & FATE_LOSES && is_deleted(p, have, a, NULL)));
	}
	for (size_t i = 0; i < have->n_routes && !to->route; i++) {
		const struct route *r = &have->routes[i];

		/* Whoever advertises it does so again. */
		to->route = is_default(r, family) &&
			    lost == (r->protocol != RTPROT_RA &&
				     (whole || (fate & FATE_LOSES && is_deleted(p, have, NULL, r))));
	}
}

static void add_wanted(const struct link *want, uint8_t family, struct reach *to)
{
	int64_t client = family == AF_INET ? DHCP_IPV4 : DHCP_IPV6;
	bool leased = values_num(want->common, LINK_DHCP, DHCP_NO) & (uint64_t)client;

	to->address |= leased;
	to->route |= leased;
	for (size_t i = 0; i < want->n_addresses; i++)
		to->address |= is_host_address(&want->addresses[i], family);
	for (size_t i = 0; i < want->n_routes; i++)
		to->route |= is_default(&want->routes[i], family);
}

/* A network whose bridge has no declared port and no gateway leads to its guests alone: nobody comes that way. */
static bool leads_to_guests(const struct model *declared, const char *name)
{
	const struct link *l = declared ? model_find(declared, name) : NULL;

	if (!l || !l->network[0] || l->n_ports)
		return false;
	for (size_t i = 0; i < l->n_routes; i++)
		if (l->routes[i].dst_len == 0)
			return false;
	return true;
}

const char *plan_cuts_off_host(const struct diff_input *in, const struct plan *p, const struct model *before,
			       uint8_t family)
{
	_cleanup_(notes_done) struct notes fates = fates_of(in->actual, p);
	_cleanup_free_ size_t *noted = notes_positions(&fates);
	struct link *const *links = in->actual->links;
	const struct model *wanted = &in->effective->links;
	struct reach lost = {0}, left = {0};

	for (size_t i = 0; i < fates.n; i++)
		if (!leads_to_guests(before, links[noted[i]]->name))
			add_reach(p, notes_get(&fates, noted[i]), links[noted[i]], family, true, &lost);
	for (size_t i = 0; i < wanted->n_links; i++)
		if (!wanted->links[i]->waits_for && !leads_to_guests(wanted, wanted->links[i]->name))
			add_wanted(wanted->links[i], family, &left);
	/* Mostly nothing is lost, or what was made last has another: few of thousands of links are looked at. */
	for (size_t i = in->actual->n_links;
	     i-- > 0 && ((lost.address && !left.address) || (lost.route && !left.route));)
		if (!leads_to_guests(before, links[i]->name) && !leads_to_guests(wanted, links[i]->name))
			add_reach(p, notes_get(&fates, i), links[i], family, false, &left);
	if (lost.address && !left.address)
		return "address";
	return lost.route && !left.route ? "default route" : NULL;
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

static void tell_gone(const struct diff_input *in, const struct link *have, gone_fn *fn, void *userdata)
{
	for (size_t i = 0; i < have->n_addresses; i++)
		if (is_others_address(in, have, &have->addresses[i]))
			fn(have, &have->addresses[i], NULL, userdata);
	for (size_t i = 0; i < have->n_routes; i++)
		if (is_others_route(in, &have->routes[i]))
			fn(have, NULL, &have->routes[i], userdata);
}

void plan_gone(const struct diff_input *in, const struct plan *p, gone_fn *fn, void *userdata)
{
	_cleanup_(notes_done) struct notes fates = fates_of(in->actual, p);
	_cleanup_free_ size_t *noted = notes_positions(&fates);

	for (size_t i = 0; i < fates.n; i++)
		if (notes_get(&fates, noted[i]) & FATE_DELETED)
			tell_gone(in, in->actual->links[noted[i]], fn, userdata);
}
