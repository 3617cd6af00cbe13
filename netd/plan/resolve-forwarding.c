/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: where guest networks need forwarding. IPv4 has it by the link that a packet comes in by
 * (net/ipv4/route.c, ip_route_input_slow()): the networks' bridges, and the uplinks, by which the answers come. IPv6
 * has it for all links or none (net/ipv6/ip6_output.c, ip6_forward()). What was found before is put back when the last
 * network goes: these are rows like all others.
 */
#include <linux/rtnetlink.h>

#include "resolve-link.h"

static void want(struct link *l, enum link_row row, uint64_t value, struct loc loc)
{
	if (!values_has(l->common, row))
		values_put(l->common, row, (union value){.num = value}, loc);
}

struct link *resolve_wanted_device(const struct resolve_input *in, struct effective *e, const char *name,
				   struct loc loc)
{
	struct link *l = model_find(&e->links, name);

	if (l || !model_find(in->actual, name))
		return l;
	l = resolve_device(in, e, name, loc);
	l->foreign = true;
	return l;
}

bool resolve_leads_out(const struct route *r)
{
	return r->family == AF_INET && r->has_gateway && r->type == RTN_UNICAST && r->table == RT_TABLE_MAIN;
}

static bool has_way_out(const struct link *l)
{
	for (size_t i = 0; i < l->n_routes; i++)
		if (resolve_leads_out(&l->routes[i]))
			return true;
	return false;
}

/* Most servers tell of a gateway. Whether this one does is known when it has answered. */
static bool waits_for_lease(const struct resolve_input *in, const struct link *l)
{
	return values_num(l->common, LINK_DHCP, DHCP_NO) & DHCP_IPV4 && !leases_find(in->leases, l->name, AF_INET);
}

/* Links that routes with a gateway leave by, as they are or as they will be. Returns how many. */
static size_t find_uplinks(const struct resolve_input *in, struct effective *e, struct loc loc)
{
	size_t n_declared = e->links.n_links, n = 0;

	for (size_t i = 0; i < n_declared; i++) {
		struct link *l = e->links.links[i];

		if (l->network[0] || l->master_name[0] || (!has_way_out(l) && !waits_for_lease(in, l)))
			continue;
		want(l, LINK_FORWARDING4, 1, loc);
		n++;
	}
	for (size_t i = 0; i < in->actual->n_links; i++) {
		const struct link *have = in->actual->links[i];
		struct link *l = has_way_out(have) ? resolve_wanted_device(in, e, have->name, loc) : NULL;

		if (!l || l->network[0] || l->master_name[0])
			continue;
		want(l, LINK_FORWARDING4, 1, loc);
		n++;
	}
	return n;
}

static bool has_family(const struct link *l, int family)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == family)
			return true;
	return false;
}

static void want_of_all(const struct resolve_input *in, struct effective *e, enum link_row row, struct loc loc)
{
	struct link *all = resolve_wanted_device(in, e, LINK_ALL, loc);

	if (all)
		want(all, row, 1, loc);
}

/* All links have it, whatever was found to be their own: that is put back when it is taken from all. */
static void keep_own(const struct resolve_input *in, struct effective *e, enum link_row row, struct loc loc)
{
	for (size_t i = 0; i < in->ledger->n; i++) {
		const struct record *r = in->ledger->list[i];
		struct link *l;

		if (!r->common || !values_has(r->common, row) || streq(r->name, LINK_ALL))
			continue;
		/* What we made and nobody declares any more goes. */
		if (r->created && !model_find(&e->links, r->name))
			continue;
		l = resolve_wanted_device(in, e, r->name, loc);
		if (l)
			want(l, row, 1, loc);
	}
}

/* One network's part. Tells whether it is left to the routes which link is its uplink. */
static bool want_network(const struct resolve_input *in, struct effective *e, const struct network *n)
{
	struct link *bridge = model_find(&e->links, n->bridge);
	const char *label = network_word(n, NETWORK_UPLINK);
	struct link *uplink = NULL;

	if (bridge)
		want(bridge, LINK_FORWARDING4, 1, n->loc);
	if (label)
		uplink = resolve_wanted_device(in, e, resolve_name(in, label, NULL), n->loc);
	if (uplink)
		want(uplink, LINK_FORWARDING4, 1, n->loc);
	return !label;
}

void resolve_forwarding(const struct resolve_input *in, struct effective *e)
{
	const struct config *c = in->config;
	bool global = values_num(c->daemon, DAEMON_FORWARDING, FORWARDING_LINKS) == FORWARDING_GLOBAL;
	struct loc by_routes = LOC_NONE, ip4 = LOC_NONE, ip6 = LOC_NONE;

	for (size_t i = 0; i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		const struct link *declared = model_find(&c->links, n->bridge);

		if (network_forward(n) == FORWARD_ISOLATED)
			continue;
		if (has_family(declared, AF_INET6))
			ip6 = n->loc;
		if (!has_family(declared, AF_INET))
			continue;
		ip4 = n->loc;
		/* Also where all links have it: the write that takes it from all of them takes it from these, too. */
		if (want_network(in, e, n))
			by_routes = n->loc;
	}
	if (by_routes.line && !find_uplinks(in, e, by_routes))
		global = true;
	if (ip6.line)
		resolve_advertised(in, e, ip6);
	/* Last, so that it is the last of them in the plan. */
	if (global && ip4.line) {
		keep_own(in, e, LINK_FORWARDING4, ip4);
		want_of_all(in, e, LINK_FORWARDING4, ip4);
	}
	if (ip6.line) {
		keep_own(in, e, LINK_FORWARDING6, ip6);
		want_of_all(in, e, LINK_FORWARDING6, ip6);
	}
}
