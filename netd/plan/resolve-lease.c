/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what DHCP servers gave is wanted like what is declared: for good, until the lease ends. In the kernel it has
 * no lifetime: every renewal would have to be written there, and an address would go while kvmnetd is stopped, though
 * its client goes on renewing it.
 */
#include "resolve-link.h"

static bool has_route(const struct link *l, const struct route *r, bool ours)
{
	for (size_t i = 0; i < l->n_routes; i++)
		if (route_same(&l->routes[i], r) && (!ours || l->routes[i].protocol == KVMNETD_PROTO))
			return true;
	return false;
}

/*
 * What is declared goes first, and of two servers' the first link's: one route would only push the other out. Of links
 * that this is not about nothing is wanted here, but they are as they are wanted to be.
 */
static bool is_routed(const struct resolve_input *in, const struct effective *e, const struct route *r)
{
	for (size_t i = 0; i < e->links.n_links; i++)
		if (has_route(e->links.links[i], r, false))
			return true;
	for (size_t i = 0; in->scope && i < in->actual->n_links; i++) {
		const struct link *have = in->actual->links[i];

		if (has_route(have, r, true) && !model_find(&e->links, have->name) &&
		    !model_find(&e->removed, have->name))
			return true;
	}
	return false;
}

static void add_lease(const struct resolve_input *in, struct effective *e, struct link *want, const struct lease *lease)
{
	struct loc loc = values_loc(want->common, LINK_DHCP);

	for (size_t i = 0; i < lease->n_addresses; i++) {
		bool declared = false;

		for (size_t n = 0; n < want->n_addresses; n++)
			declared = declared || address_same(&want->addresses[n], &lease->addresses[i]);
		if (declared)
			continue;
		*ARRAY_APPEND(want->addresses, want->n_addresses) = lease->addresses[i];
		want->addresses[want->n_addresses - 1].loc = loc;
	}
	for (size_t i = 0; i < lease->n_routes; i++) {
		if (is_routed(in, e, &lease->routes[i]))
			continue;
		*ARRAY_APPEND(want->routes, want->n_routes) = lease->routes[i];
		want->routes[want->n_routes - 1].loc = loc;
	}
}

/* A server's lists, of both families one after the other; what the link declares stands in their place. */
static void add_lease_list(struct link *want, enum link_row row, const struct lease *const leases[2])
{
	const struct option *o = &link_options.rows[row];
	union value all = {0};

	for (size_t i = 0; i < 2 && !values_has(want->common, row); i++) {
		_cleanup_free_ char *words = NULL;
		char *save = NULL;

		if (!leases[i])
			continue;
		words = value_text(o, row == LINK_DNS ? leases[i]->dns : leases[i]->search);
		for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
			_cleanup_free_ char *why = NULL;

			o->type->parse(o, word, &all, &why);
		}
	}
	if (all.blob)
		values_put(want->common, row, all, values_loc(want->common, LINK_DHCP));
}

/*
 * The link's own, or until it has one that of a port, which became one just now: a bridge has the MAC of its first
 * port, and so from most servers its address. What was on the NIC moves with it.
 */
static const struct lease *lease_of(const struct resolve_input *in, const struct link *want, uint8_t family)
{
	const struct lease *lease = leases_find(in->leases, want->name, family);

	for (size_t i = 0; i < want->n_ports && !lease; i++)
		lease = leases_find(in->leases, want->ports[i].name, family);
	return lease;
}

void resolve_leases(const struct resolve_input *in, struct effective *e)
{
	for (size_t i = 0; in->leases && i < e->links.n_links; i++) {
		struct link *want = e->links.links[i];
		uint64_t dhcp = values_num(want->common, LINK_DHCP, DHCP_NO);
		const struct lease *leases[2] = {NULL, NULL};

		if (dhcp & DHCP_IPV4)
			leases[0] = lease_of(in, want, AF_INET);
		if (dhcp & DHCP_IPV6)
			leases[1] = lease_of(in, want, AF_INET6);
		for (size_t n = 0; n < 2; n++)
			if (leases[n])
				add_lease(in, e, want, leases[n]);
		add_lease_list(want, LINK_DNS, leases);
		add_lease_list(want, LINK_SEARCH, leases);
	}
}
