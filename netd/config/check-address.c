/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the rules of addresses and routes beside each other: an address is on one link, a gateway can be reached, a
 * route is there once, nothing is on a port, and IPv6 is where IPv6 can be.
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "check.h"
#include "parser.h"

static const char *route_key(const struct route *r)
{
	return r->by_gateway ? "gateway" : "route";
}

static bool in_subnet(const uint8_t addr[16], const uint8_t net[16], unsigned prefix_len)
{
	unsigned bytes = prefix_len / 8, bits = prefix_len % 8;

	if (memcmp(addr, net, bytes) != 0)
		return false;
	return bits == 0 || ((addr[bytes] ^ net[bytes]) & (0xff00 >> bits) & 0xff) == 0;
}

static const char *ip_text(int family, const uint8_t addr[16], char buf[INET6_ADDRSTRLEN])
{
	return inet_ntop(family, addr, buf, INET6_ADDRSTRLEN);
}

/* One address on one link, for finding doubles by sorting. */
struct placed {
	const struct link *link;
	const struct address *address;
};

static int placed_same(const struct placed *a, const struct placed *b)
{
	if (a->address->family != b->address->family)
		return a->address->family < b->address->family ? -1 : 1;
	return memcmp(a->address->addr, b->address->addr, sizeof(a->address->addr));
}

static int placed_compare(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int r = placed_same(x, y);

	/* Link-local addresses are per link: the same one on two links is no double. */
	if (!r && x->link != y->link && is_link_local(x->address->family, x->address->addr))
		r = strcmp(x->link->name, y->link->name);
	return r ? r : loc_compare(x->address->loc, y->address->loc);
}

static bool is_host(const struct address *a)
{
	return a->prefix_len == (a->family == AF_INET ? 32 : 128);
}

/*
 * A host that routes for its guests has its one address on the NIC and on their bridge; without a subnet on one of them
 * nothing is ambiguous.
 */
static bool may_be_on_both(const struct placed *a, const struct placed *b)
{
	return a->link != b->link &&
	       (is_host(a->address) || is_host(b->address) || is_link_local(a->address->family, a->address->addr));
}

static void check_double_addresses(const struct placed *list, size_t n, struct diags *d)
{
	for (size_t i = 1; i < n; i++) {
		const struct placed *p = &list[i], *other = &list[i - 1];
		_cleanup_free_ char *place = NULL;
		char text[INET6_ADDRSTRLEN];

		if (placed_same(p, other) != 0 || may_be_on_both(p, other))
			continue;
		ip_text(p->address->family, p->address->addr, text);
		place = diag_place(d, other->address->loc);
		if (p->link == other->link)
			check_error(d, p->link, p->address->loc, "address", "%s is given a second time (first at %s)",
				    text, place);
		else
			check_error(d, p->link, p->address->loc, "address", "%s is the address of %s '%s' (%s)", text,
				    other->link->kind->name, other->link->name, place);
	}
}

static struct placed *sorted_addresses(const struct config *c, size_t *ret_n)
{
	struct placed *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *l = c->links.links[i];

		for (size_t j = 0; j < l->n_addresses; j++)
			*ARRAY_APPEND(list, n) = (struct placed){.link = l, .address = &l->addresses[j]};
	}
	if (n)
		qsort(list, n, sizeof(*list), placed_compare);
	*ret_n = n;
	return list;
}

/* One route on one link, for finding doubles by sorting. */
struct routed {
	const struct link *link;
	const struct route *route;
};

static int number_compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By what a table holds one route of; fib_table_insert(), net/ipv4/fib_trie.c: EEXIST for a second. */
static int routed_same(const struct routed *a, const struct routed *b)
{
	const struct route *x = a->route, *y = b->route;
	int r = number_compare(x->family, y->family);

	r = r ? r : number_compare(x->table, y->table);
	r = r ? r : number_compare(x->metric, y->metric);
	r = r ? r : number_compare(x->dst_len, y->dst_len);
	r = r ? r : memcmp(x->dst, y->dst, sizeof(x->dst));
	if (!r && a->link != b->link && is_link_local(x->family, x->dst))
		r = strcmp(a->link->name, b->link->name);
	return r;
}

static int routed_compare(const void *a, const void *b)
{
	const struct routed *x = a, *y = b;
	int r = routed_same(x, y);

	return r ? r : loc_compare(x->route->loc, y->route->loc);
}

/* "IPv4 route to 192.0.2.0/24 with metric 0 in table main": all that tells routes apart. The caller frees it. */
static char *route_what(const struct route *r)
{
	const char *family = r->family == AF_INET ? "IPv4" : "IPv6";
	_cleanup_free_ char *table = r->table == RT_TABLE_MAIN ? xstrdup("main") : xasprintf("%u", r->table);
	char dst[INET6_ADDRSTRLEN];

	if (r->dst_len == 0)
		return xasprintf("%s default route with metric %u in table %s", family, r->metric, table);
	return xasprintf("%s route to %s/%u with metric %u in table %s", family, ip_text(r->family, r->dst, dst),
			 r->dst_len, r->metric, table);
}

static void check_double_routes(const struct config *c, struct diags *d)
{
	_cleanup_free_ struct routed *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *l = c->links.links[i];

		for (size_t j = 0; j < l->n_routes; j++)
			*ARRAY_APPEND(list, n) = (struct routed){.link = l, .route = &l->routes[j]};
	}
	if (n)
		qsort(list, n, sizeof(*list), routed_compare);
	for (size_t i = 1; i < n; i++) {
		const struct route *r = list[i].route, *other = list[i - 1].route;
		_cleanup_free_ char *place = NULL;
		_cleanup_free_ char *what = NULL;

		if (routed_same(&list[i], &list[i - 1]) != 0)
			continue;
		place = diag_place(d, other->loc);
		what = route_what(r);
		check_error(d, list[i].link, r->loc, route_key(r), "is a second %s: the first is on '%s' (%s)", what,
			    list[i - 1].link->name, place);
	}
}

/* "192.0.2.1/24 (FILE:LINE), ...": the link's addresses of one family. The caller frees it. */
static char *addresses_text(const struct link *l, int family, const struct diags *d)
{
	char *text = NULL;
	size_t size, n = 0;
	FILE *f = xmemstream(&text, &size);

	for (size_t i = 0; i < l->n_addresses; i++) {
		const struct address *a = &l->addresses[i];
		_cleanup_free_ char *place = diag_place(d, a->loc);

		if (a->family != family || n++ >= 8)
			continue;
		fputs(n > 1 ? ", " : "", f);
		address_print(a, f);
		fprintf(f, " (%s)", place);
	}
	fclose(f);
	return text;
}

/* Does the kernel find the gateway on this link itself? fib_check_nh() and ip6_route_check_nh() want it so. */
static bool on_link(const struct link *l, const struct route *r)
{
	if (is_link_local(r->family, r->gateway))
		return true;
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == r->family &&
		    in_subnet(r->gateway, l->addresses[i].addr, l->addresses[i].prefix_len))
			return true;
	for (size_t i = 0; i < l->n_routes; i++)
		if (l->routes[i].family == r->family && !l->routes[i].has_gateway &&
		    in_subnet(r->gateway, l->routes[i].dst, l->routes[i].dst_len))
			return true;
	/* The server's subnet is not known here. */
	if (r->family == AF_INET && values_num(l->common, LINK_DHCP, DHCP_NO) & DHCP_IPV4)
		return true;
	/* Routers announce subnets that nobody declares. */
	return r->family == AF_INET6 && values_num(l->common, LINK_ACCEPT_RA, 0) != 0;
}

static void check_gateway(const struct link *l, const struct route *r, struct diags *d)
{
	_cleanup_free_ char *subnets = NULL;
	char text[INET6_ADDRSTRLEN];

	ip_text(r->family, r->gateway, text);
	for (size_t i = 0; i < l->n_addresses; i++) {
		_cleanup_free_ char *place = NULL;

		if (l->addresses[i].family != r->family || memcmp(l->addresses[i].addr, r->gateway, 16) != 0)
			continue;
		place = diag_place(d, l->addresses[i].loc);
		check_error(d, l, r->loc, route_key(r), "%s is the link's own address (%s), not a gateway's", text,
			    place);
		return;
	}
	if (on_link(l, r))
		return;
	subnets = addresses_text(l, r->family, d);
	if (*subnets)
		check_error(d, l, r->loc, route_key(r),
			    "%s is in no subnet of the link's address: %s (if the link leads to it all the same: "
			    "'route = %s/%d')",
			    text, subnets, text, r->family == AF_INET ? 32 : 128);
	else
		check_error(d, l, r->loc, route_key(r), "%s is in no subnet: the link has no %s address", text,
			    r->family == AF_INET ? "IPv4" : "IPv6");
}

/* fib_valid_prefsrc(): the kernel refuses a source that no link has. Others may have added it, so it is no error. */
static void check_source(const struct placed *list, size_t n, const struct link *l, const struct route *r,
			 struct diags *d)
{
	struct address a = {.family = r->family};
	struct placed key = {.link = l, .address = &a};
	size_t low = 0, high = n;
	char text[INET6_ADDRSTRLEN];

	memcpy(a.addr, r->prefsrc, sizeof(a.addr));
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (placed_same(&list[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < n && placed_same(&list[low], &key) == 0)
		return;
	check_warning(d, l, r->loc, "route", "no link declares the address %s: the kernel refuses the route without it",
		      ip_text(r->family, r->prefsrc, text));
}

static void check_routes(const struct link *l, const struct placed *list, size_t n, struct diags *d)
{
	for (size_t i = 0; i < l->n_routes; i++) {
		if (l->routes[i].has_gateway)
			check_gateway(l, &l->routes[i], d);
		if (l->routes[i].has_prefsrc)
			check_source(list, n, l, &l->routes[i], d);
	}
}

/* Keys about the host's own use of the link. */
static const enum link_row host_rows[] = {LINK_DHCP, LINK_DNS, LINK_SEARCH};

/* What is sent to a port's addresses goes to its master: on a port they work until neighbours forget them. */
static void check_port_addresses(const struct claims *claims, struct diags *d)
{
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];
		const struct link *l = claim->port;
		_cleanup_free_ char *place = diag_place(d, claim->loc);
		const char *where = claim->master->kind->name, *name = claim->master->name;

		if (!l)
			continue;
		if (l->n_addresses)
			check_error(d, l, l->addresses[0].loc, "address",
				    "'%s' is a port of '%s' (%s): its addresses belong in [%s %s]", l->name, name,
				    place, where, name);
		for (size_t row = 0; row < ARRAY_SIZE(host_rows); row++)
			if (values_has(l->common, host_rows[row]))
				check_error(d, l, values_loc(l->common, host_rows[row]),
					    link_options.rows[host_rows[row]].key,
					    "'%s' is a port of '%s' (%s): this belongs in [%s %s]", l->name, name,
					    place, where, name);
		if (l->n_routes)
			check_error(d, l, l->routes[0].loc, route_key(&l->routes[0]),
				    "'%s' is a port of '%s' (%s): its routes belong in [%s %s]", l->name, name, place,
				    where, name);
	}
}

/* The first place in the link where IPv6 is asked for. */
static bool wants_ipv6(const struct link *l, struct loc *loc, const char **key)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == AF_INET6) {
			*loc = l->addresses[i].loc;
			*key = "address";
			return true;
		}
	for (size_t i = 0; i < l->n_routes; i++)
		if (l->routes[i].family == AF_INET6) {
			*loc = l->routes[i].loc;
			*key = route_key(&l->routes[i]);
			return true;
		}
	if (values_num(l->common, LINK_DHCP, DHCP_NO) & DHCP_IPV6) {
		*loc = values_loc(l->common, LINK_DHCP);
		*key = "dhcp";
		return true;
	}
	if (values_num(l->common, LINK_IPV6, IPV6_NO) != IPV6_NO) {
		*loc = values_loc(l->common, LINK_IPV6);
		*key = "ipv6";
		return true;
	}
	*loc = values_loc(l->common, LINK_ACCEPT_RA);
	*key = "accept_ra";
	return values_num(l->common, LINK_ACCEPT_RA, 0) != 0;
}

static void check_ipv6(const struct link *l, struct diags *d)
{
	uint64_t mtu = values_num(l->common, LINK_MTU, IPV6_MTU_MIN);
	struct loc loc;
	const char *key;

	if (!wants_ipv6(l, &loc, &key))
		return;
	if (values_num(l->common, LINK_IPV6, IPV6_YES) == IPV6_NO) {
		_cleanup_free_ char *place = diag_place(d, values_loc(l->common, LINK_IPV6));

		check_error(d, l, loc, key, "wants IPv6 on the link, which has ipv6 = no (%s)", place);
	}
	if (mtu < IPV6_MTU_MIN) {
		_cleanup_free_ char *place = diag_place(d, values_loc(l->common, LINK_MTU));

		check_error(d, l, loc, key, "IPv6 needs an mtu of at least %d, and the link's is %llu (%s)",
			    IPV6_MTU_MIN, (unsigned long long)mtu, place);
	}
}

void check_addresses(const struct config *c, const struct claims *claims, struct diags *d)
{
	size_t n;
	_cleanup_free_ struct placed *list = sorted_addresses(c, &n);

	check_double_addresses(list, n, d);
	check_double_routes(c, d);
	check_port_addresses(claims, d);
	for (size_t i = 0; i < c->links.n_links; i++) {
		check_routes(c->links.links[i], list, n, d);
		check_ipv6(c->links.links[i], d);
	}
}
