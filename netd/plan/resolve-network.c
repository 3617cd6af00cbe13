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

static void report(struct effective *e, const struct link *network, const struct address *a, const char *what,
		   const char *of)
{
	_cleanup_free_ char *section = link_section(network), *text = text_of_address(a);

	diag_add(&e->problems, SEVERITY_ERROR, a->loc, section, "address",
		 "%s overlaps with %s of %s (a network needs a subnet of its own)", text, what, of);
}

/* Link-local addresses are per link. */
static bool is_link_local(const struct address *a)
{
	return a->family == AF_INET6 && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80;
}

/* Does the route lead to addresses of the subnet alone? Ours are judged where they are declared, and the kernel's own
 * follow addresses. */
static bool is_inside(const struct route *r, const struct address *subnet)
{
	struct ip dst = {.family = r->family};

	memcpy(dst.addr, r->dst, sizeof(dst.addr));
	return r->dst_len >= subnet->prefix_len && ip_in_subnet(&dst, subnet) && r->protocol != KVMNETD_PROTO &&
	       r->protocol != RTPROT_KERNEL && r->type == RTN_UNICAST && r->table != RT_TABLE_LOCAL;
}

static bool overlaps_with_address(const struct resolve_input *in, struct effective *e, const struct link *network,
				  const struct address *a, const struct link *other)
{
	for (size_t i = 0; i < other->n_addresses; i++) {
		const struct address *found = &other->addresses[i];
		_cleanup_free_ char *text = NULL;

		if (is_link_local(found) || !subnets_overlap(a, found) || ledger_added(in->ledger, other, found))
			continue;
		text = text_of_address(found);
		report(e, network, a, text, other->name);
		return true;
	}
	return false;
}

static void check_subnet(const struct resolve_input *in, struct effective *e, const struct link *network,
			 const struct address *a)
{
	for (size_t i = 0; i < in->actual->n_links; i++) {
		const struct link *other = in->actual->links[i];

		if (streq(other->name, network->name) || model_find(&e->removed, other->name) ||
		    overlaps_with_address(in, e, network, a, other))
			continue;
		for (size_t r = 0; r < other->n_routes; r++) {
			_cleanup_free_ char *text = NULL;
			struct address dst = {.family = other->routes[r].family,
					      .prefix_len = other->routes[r].dst_len};

			if (!is_inside(&other->routes[r], a))
				continue;
			memcpy(dst.addr, other->routes[r].dst, sizeof(dst.addr));
			text = text_of_address(&dst);
			report(e, network, a, text, other->name);
			break;
		}
	}
}

void resolve_subnets(const struct resolve_input *in, struct effective *e)
{
	for (size_t i = 0; i < in->config->n_networks; i++) {
		const struct link *l = model_find(&in->config->links, in->config->networks[i]->bridge);

		for (size_t j = 0; j < l->n_addresses; j++)
			check_subnet(in, e, l, &l->addresses[j]);
	}
}
