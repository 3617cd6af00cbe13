/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: links that go on hearing router advertisements when the host forwards IPv6. The kernel then only listens
 * where accept_ra is 2 (include/net/ipv6.h, ipv6_accept_ra()), and drops the routes that it had from routers elsewhere
 * (net/ipv6/addrconf.c, addrconf_fixup_forwarding()). After a boot forwarding is there before the first router is
 * heard, so that routes alone do not tell who lives on them.
 */
#include <linux/rtnetlink.h>

#include "ownership.h"
#include "resolve-link.h"

/* Before a network changed it; on a link that is not there yet, what the kernel gives to a new one. */
static uint64_t found(const struct resolve_input *in, const char *name)
{
	const struct record *r = ledger_find(in->ledger, name);
	const struct link *have = model_find(in->actual, name);

	if (r && r->common && values_has(r->common, LINK_ACCEPT_RA))
		return values_num(r->common, LINK_ACCEPT_RA, 0);
	return have ? values_num(have->common, LINK_ACCEPT_RA, 0) : 1;
}

static void hear(struct link *l, struct loc loc)
{
	if (!l->network[0] && !l->master_name[0] && !values_has(l->common, LINK_ACCEPT_RA))
		values_put(l->common, LINK_ACCEPT_RA, (union value){.num = 2}, loc);
}

static bool is_for_itself(const struct link *l)
{
	return !l->foreign && values_num(l->common, LINK_IPV6, IPV6_YES) == IPV6_YES &&
	       (l->kind != &kind_bridge || resolve_is_used_by_host(l));
}

static bool has_router(const struct link *have, bool advertised)
{
	for (size_t i = 0; i < have->n_routes; i++)
		if (advertised ? have->routes[i].protocol == RTPROT_RA : resolve_leads_out(&have->routes[i]))
			return true;
	return false;
}

void resolve_advertised(const struct resolve_input *in, struct effective *e, struct loc loc)
{
	/* Who forwards already heard no routers, but where they were to be heard all the same. */
	bool others = forwarding_is_others(in->ledger, in->actual, LINK_FORWARDING6);
	size_t n_declared = e->links.n_links;

	for (size_t i = 0; i < n_declared && !others; i++) {
		struct link *l = e->links.links[i];

		if (is_for_itself(l) && found(in, l->name) == 1)
			hear(l, loc);
	}
	for (size_t i = 0; i < in->actual->n_links; i++) {
		const struct link *have = in->actual->links[i];
		struct link *l;

		if ((has_router(have, true) || (!others && has_router(have, false))) && found(in, have->name) != 0 &&
		    (l = resolve_wanted_device(in, e, have->name, loc)))
			hear(l, loc);
	}
}
