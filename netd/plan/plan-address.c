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

/* Link-local and learned ones come back by themselves. */
static bool address_is_lost(const struct address *a)
{
	return a->family == AF_INET6 && a->scope != RT_SCOPE_LINK && a->valid_lft == UINT32_MAX;
}

static bool route_is_lost(const struct route *r)
{
	return r->protocol != RTPROT_KERNEL && r->protocol != RTPROT_RA;
}

static bool sets_down(const struct planner *p, const struct op *op)
{
	const struct link *master =
		op->master != MASTER_KEEP && op->have ? model_master(p->in->actual, op->have) : NULL;

	return op->flags == FLAGS_DOWN || (master && (master->kind->flags & KIND_PORTS_DOWN));
}

/* Did an op so far set the link down, or what it stands on? Its routes and IPv6 addresses are gone then. */
static bool went_down(struct planner *p, const struct link *have)
{
	for (; have; have = model_parent(p->in->actual, have))
		for (const struct op *op = op_about(p, have, NULL); op; op = op_about(p, have, op))
			if (sets_down(p, op))
				return true;
	return false;
}

/*
 * Does the burst set the link down on its way to another master, or what it stands on? IPv6 addresses would not survive
 * that, and come after it.
 */
static bool goes_down(struct planner *p, const struct link *want)
{
	for (; want; want = model_parent(&p->in->effective->links, want)) {
		const struct link_diff *d = find_diff(p, want);
		const struct link *old = d && d->have ? model_master(p->in->actual, d->have) : NULL;

		if (d && d->master && (joins_late(p, d) || (old && (old->kind->flags & KIND_PORTS_DOWN))))
			return true;
	}
	return false;
}

/* Two addresses of one IPv4 subnet, or one IPv6 address with two prefix lengths. */
static bool addresses_clash(const struct address *a, const struct address *b)
{
	unsigned bits = a->family == AF_INET6 ? 128 : a->prefix_len;

	if (a->family != b->family || (a->family == AF_INET && a->prefix_len != b->prefix_len))
		return false;
	for (unsigned bit = 0; bit < bits; bit++)
		if ((a->addr[bit / 8] ^ b->addr[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

/*
 * Must this address go before others come? An IPv4 address may take the others of its subnet along (net/ipv4/devinet.c,
 * __inet_del_ifa, unless promote_secondaries is set), and an IPv6 address cannot change its prefix length.
 */
static bool goes_first(const struct planner *p, const struct link_diff *d, const struct address *old)
{
	const struct link *have = kept(d);

	if (!diff_address_extra(p->in, d->want, have, old))
		return false;
	/* It comes again after others, or as something else. */
	if (diff_address_wanted(d->want, old))
		return true;
	for (size_t i = 0; i < d->want->n_addresses; i++)
		if (addresses_clash(old, &d->want->addresses[i]))
			return true;
	for (size_t i = 0; old->family == AF_INET && i < have->n_addresses; i++)
		if (addresses_clash(old, &have->addresses[i]) &&
		    !diff_address_extra(p->in, d->want, have, &have->addresses[i]))
			return true;
	return false;
}

/* What an address that went took along: others of its subnet, and with the last address the routes. */
static void put_back(struct planner *p, const struct link_diff *d, const struct address *gone)
{
	const struct link *have = kept(d);

	for (size_t i = 0; gone->family == AF_INET && i < have->n_addresses; i++)
		if (addresses_clash(gone, &have->addresses[i]) &&
		    !diff_address_extra(p->in, d->want, have, &have->addresses[i]))
			add_address(p, d->want, have, &have->addresses[i]);
	for (size_t i = 0; i < have->n_routes; i++)
		if (have->routes[i].family == gone->family && route_is_lost(&have->routes[i]) &&
		    diff_route_stays(p->in, d->want, have, &have->routes[i]))
			add_route(p, d->want, have, &have->routes[i]);
}

/* When an address comes: before its link goes up, when it is up, when the burst has set up again what it set down. */
enum turn { TURN_DOWN, TURN_UP, TURN_LATE };

static enum turn turn_of(struct planner *p, const struct link_diff *d, const struct address *a)
{
	if (a->family == AF_INET)
		return is_new(d) ? TURN_DOWN : TURN_UP;
	return goes_down(p, d->want) ? TURN_LATE : TURN_UP;
}

static void add_missing(struct planner *p, const struct link_diff *d, enum turn turn)
{
	for (size_t i = 0; i < d->want->n_addresses; i++) {
		const struct address *a = &d->want->addresses[i];

		if (turn_of(p, d, a) == turn && diff_address_missing(d->want, kept(d), a))
			add_address(p, d->want, kept(d), a);
	}
}

/*
 * A bridge tells the world of its groups as it goes up. The kernel looks for an address to do so with, and without one
 * on the bridge it asks every other link (net/ipv4/devinet.c, inet_select_addr()): 10^6 looks at 1,000 bridges.
 */
void plan_first_addresses(struct planner *p, const struct link_diff *d)
{
	add_missing(p, d, TURN_DOWN);
}

static void delete_routes(struct planner *p, const struct link_diff *d, uint8_t family)
{
	const struct link *have = kept(d);

	for (size_t i = 0; have && i < have->n_routes; i++)
		if (have->routes[i].family == family && diff_route_extra(p->in, d->want, have, &have->routes[i]))
			op_add(p, OP_ROUTE_DELETE, d->want, have)->route = &have->routes[i];
}

static bool any_goes_first(const struct planner *p, const struct link_diff *d, uint8_t family)
{
	const struct link *have = kept(d);

	for (size_t i = 0; have && i < have->n_addresses; i++)
		if (have->addresses[i].family == family && goes_first(p, d, &have->addresses[i]))
			return true;
	return false;
}

/* The last found first: it is not the one that takes others along. Routes that are to go must not be gone by then. */
void plan_addresses(struct planner *p, const struct link_diff *d)
{
	const struct link *have = kept(d);
	const struct address *gone = NULL;
	size_t from = p->plan->n;

	if (any_goes_first(p, d, AF_INET) && !went_down(p, have))
		delete_routes(p, d, AF_INET);
	for (size_t i = have ? have->n_addresses : 0; i-- > 0;) {
		if (!goes_first(p, d, &have->addresses[i]))
			continue;
		gone = &have->addresses[i];
		op_add(p, OP_ADDRESS_DELETE, d->want, have)->address = gone;
	}
	add_missing(p, d, TURN_UP);
	for (size_t i = from; gone && i < p->plan->n; i++)
		if (p->plan->ops[i].type == OP_ADDRESS_DELETE)
			put_back(p, d, p->plan->ops[i].address);
	for (size_t i = from + 1; gone && i < p->plan->n; i++)
		p->plan->ops[i].glued = true;
}

void plan_late_addresses(struct planner *p, const struct link_diff *d)
{
	add_missing(p, d, TURN_LATE);
}

/*
 * An IPv6 route without a gateway is added, and replaces nothing (see encode-address.c): the same one with another mtu
 * or source would be in its way (net/ipv6/ip6_fib.c, fib6_add_rt2node: EEXIST).
 */
static void make_room(struct planner *p, const struct link_diff *d, const struct route *r)
{
	const struct link *have = kept(d);

	if (r->family != AF_INET6 || r->has_gateway || went_down(p, have))
		return;
	for (size_t i = 0; have && i < have->n_routes; i++)
		if (route_same(&have->routes[i], r) && !have->routes[i].has_gateway)
			op_add(p, OP_ROUTE_DELETE, d->want, have)->route = &have->routes[i];
}

void plan_routes(struct planner *p, const struct link_diff *d)
{
	for (size_t i = 0; i < d->want->n_routes; i++) {
		if (!diff_route_missing(kept(d), &d->want->routes[i]))
			continue;
		make_room(p, d, &d->want->routes[i]);
		add_route(p, d->want, kept(d), &d->want->routes[i]);
	}
}

/* Routes first: they would vanish with the last address, and deleting them again would be an error. */
void plan_extra(struct planner *p, const struct link_diff *d)
{
	const struct link *have = kept(d);
	bool lost = have && (d->routes || d->addresses) && went_down(p, have);
	bool lost6 = lost || (d->common >> LINK_DISABLE_IPV6 & 1 && values_num(d->want->common, LINK_DISABLE_IPV6, 0));

	if (!lost && !any_goes_first(p, d, AF_INET))
		delete_routes(p, d, AF_INET);
	if (!lost6)
		delete_routes(p, d, AF_INET6);
	for (size_t i = have ? have->n_addresses : 0; i-- > 0;) {
		const struct address *a = &have->addresses[i];

		if (!(a->family == AF_INET6 && lost6) && diff_address_extra(p->in, d->want, have, a) &&
		    !goes_first(p, d, a))
			op_add(p, OP_ADDRESS_DELETE, d->want, have)->address = a;
	}
}

/* On a link that is deleted after the burst, an address that moved would draw its subnet's traffic until then. */
void plan_moved_off(struct planner *p, const struct link_diff *d)
{
	for (size_t i = 0; i < d->have->n_addresses; i++)
		if (is_wanted_somewhere(p, &d->have->addresses[i]))
			op_add(p, OP_ADDRESS_DELETE, d->have, d->have)->address = &d->have->addresses[i];
}

static void add_lost(struct planner *p, const struct link *have)
{
	const struct link *want = model_find(&p->in->effective->links, have->name);
	const struct link *link = want ? want : have;

	for (size_t i = 0; i < have->n_addresses; i++)
		if (address_is_lost(&have->addresses[i]) && !diff_address_extra(p->in, want, have, &have->addresses[i]))
			add_address(p, link, have, &have->addresses[i]);
	for (size_t i = 0; i < have->n_routes; i++)
		if (route_is_lost(&have->routes[i]) && diff_route_stays(p->in, want, have, &have->routes[i]))
			add_route(p, link, have, &have->routes[i]);
}

void plan_lost(struct planner *p, const struct link *have, bool and_itself)
{
	size_t n;
	const struct link *const *vlans = children_vlans(&p->children, have->ifindex, &n);

	if (and_itself)
		add_lost(p, have);
	for (size_t i = 0; i < n; i++)
		if (link_follows_parent(vlans[i]) && !is_going(p, vlans[i]))
			plan_lost(p, vlans[i], true);
}
