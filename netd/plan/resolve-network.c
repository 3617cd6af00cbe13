/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: is the subnet of a network free on this host? The files know what they declare; what others brought up only
 * the host itself can tell. A subnet that lies inside a route with a gateway is normal: the world is larger than the
 * network.
 */
#include <linux/rtnetlink.h>

#include "resolve-link.h"

static char *text_of_address(const struct address *a)
{
	struct ip ip = ip_of_address(a);
	char buf[INET6_ADDRSTRLEN];

	return xasprintf("%s/%u", ip_format(&ip, buf), a->prefix_len);
}

struct report {
	struct diags *diags;
	enum severity severity;
};

static void report(const struct report *to, const struct link *network, const struct address *a, const char *what,
		   const char *of)
{
	_cleanup_free_ char *section = link_section(network), *text = text_of_address(a);

	diag_add(to->diags, to->severity, a->loc, section, "address",
		 "%s overlaps with %s of %s (a network needs a subnet of its own)", text, what, of);
}

/* Link-local addresses are per link. */
static bool is_link_local(const struct address *a)
{
	return a->family == AF_INET6 && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80;
}

/* What others have that a network may clash with. */
struct taken {
	const struct link *link;
	struct address subnet;
	bool is_route; /* clashes only if it leads to addresses of the network's subnet alone */
};

struct all_taken {
	struct taken *list; /* link by link, addresses first */
	size_t n;
};

/* Ours are judged where they are declared, and the kernel's own follow addresses. */
static bool is_foreign_route(const struct route *r)
{
	return r->protocol != KVMNETD_PROTO && r->protocol != RTPROT_KERNEL && r->type == RTN_UNICAST &&
	       r->table != RT_TABLE_LOCAL;
}

static void add_taken(const struct resolve_input *in, const struct link *l, struct all_taken *all)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (!is_link_local(&l->addresses[i]) && !ledger_added(in->ledger, l, &l->addresses[i]))
			*ARRAY_APPEND(all->list, all->n) = (struct taken){.link = l, .subnet = l->addresses[i]};
	for (size_t i = 0; i < l->n_routes; i++) {
		const struct route *r = &l->routes[i];
		struct taken *t;

		if (!is_foreign_route(r))
			continue;
		t = ARRAY_APPEND(all->list, all->n);
		*t = (struct taken){
			.link = l, .is_route = true, .subnet = {.family = r->family, .prefix_len = r->dst_len}};
		memcpy(t->subnet.addr, r->dst, sizeof(t->subnet.addr));
	}
}

/* Each other link is told of once. */
static void check_subnet(const struct report *to, const struct link *network, const struct address *a,
			 const struct all_taken *all)
{
	const struct link *told = NULL;

	for (size_t i = 0; i < all->n; i++) {
		const struct taken *t = &all->list[i];
		_cleanup_free_ char *text = NULL;

		if (t->link == told || (t->is_route && t->subnet.prefix_len < a->prefix_len) ||
		    !subnets_overlap(a, &t->subnet) || streq(t->link->name, network->name))
			continue;
		text = text_of_address(&t->subnet);
		report(to, network, a, text, t->link->name);
		told = t->link;
	}
}

void check_subnets(const struct resolve_input *in, const struct model *removed, enum severity severity, struct diags *d)
{
	const struct report to = {.diags = d, .severity = severity};
	struct all_taken all = {0};

	if (!in->config->n_networks)
		return;
	for (size_t i = 0; i < in->actual->n_links; i++)
		if (!model_find(removed, in->actual->links[i]->name))
			add_taken(in, in->actual->links[i], &all);
	for (size_t i = 0; i < in->config->n_networks; i++) {
		const struct link *l = model_find(&in->config->links, in->config->networks[i]->bridge);

		for (size_t j = 0; j < l->n_addresses; j++)
			check_subnet(&to, l, &l->addresses[j], &all);
	}
	free(all.list);
}
