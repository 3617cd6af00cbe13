/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how the fake kernel takes addresses, routes and IPv6 settings, and what of them goes when a link does. */
#include <linux/rtnetlink.h>

#include "fake-internal.h"

static void drop_address(struct link *l, size_t i)
{
	memmove(&l->addresses[i], &l->addresses[i + 1], (l->n_addresses - i - 1) * sizeof(*l->addresses));
	l->n_addresses--;
}

static void drop_route(struct link *l, size_t i)
{
	memmove(&l->routes[i], &l->routes[i + 1], (l->n_routes - i - 1) * sizeof(*l->routes));
	l->n_routes--;
}

static void drop_routes(struct link *l, uint8_t family)
{
	for (size_t i = l->n_routes; i-- > 0;)
		if (l->routes[i].family == family)
			drop_route(l, i);
}

static void drop_inet6(struct link *l)
{
	for (size_t i = l->n_addresses; i-- > 0;)
		if (l->addresses[i].family == AF_INET6)
			drop_address(l, i);
	drop_routes(l, AF_INET6);
}

/* fib_disable_ip() and addrconf_ifdown(): all routes, and IPv6 addresses; IPv4 ones stay. */
void fake_lose(struct link *l)
{
	drop_routes(l, AF_INET);
	drop_inet6(l);
}

static bool in_prefix(uint8_t family, const uint8_t *a, const uint8_t *b, unsigned len)
{
	for (unsigned bit = 0; bit < len && bit < (family == AF_INET ? 32u : 128u); bit++)
		if ((a[bit / 8] ^ b[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static size_t find_address(const struct link *l, const struct address *a, bool any_len)
{
	for (size_t i = 0; i < l->n_addresses; i++) {
		const struct address *other = &l->addresses[i];

		if (other->family == a->family && (any_len || other->prefix_len == a->prefix_len) &&
		    in_prefix(a->family, other->addr, a->addr, 128))
			return i;
	}
	return SIZE_MAX;
}

static bool same_subnet(const struct address *a, const struct address *b)
{
	return a->family == AF_INET && b->family == AF_INET && a->prefix_len == b->prefix_len &&
	       in_prefix(AF_INET, a->addr, b->addr, a->prefix_len);
}

/* __inet_del_ifa() with promote_secondaries off: later addresses of the subnet go with the first. */
static void delete_inet(struct link *l, size_t i)
{
	const struct address gone = l->addresses[i];
	bool was_primary = true, left = false;

	for (size_t j = 0; j < i; j++)
		was_primary = was_primary && !same_subnet(&l->addresses[j], &gone);
	drop_address(l, i);
	for (size_t j = l->n_addresses; was_primary && j-- > i;)
		if (same_subnet(&l->addresses[j], &gone))
			drop_address(l, j);
	for (size_t j = 0; j < l->n_addresses; j++)
		left = left || l->addresses[j].family == AF_INET;
	if (!left)
		drop_routes(l, AF_INET);
}

int fake_address(struct fake_kernel *k _unused_, struct link *l, const struct op *op)
{
	struct address a = *op->address;
	/* inet6_rtm_newaddr() finds an address whatever its length, and REPLACE does not change that. */
	size_t i = find_address(l, &a, a.family == AF_INET6 && op->type == OP_ADDRESS_ADD);

	if (op->type == OP_ADDRESS_DELETE) {
		if (i == SIZE_MAX)
			return -EADDRNOTAVAIL;
		if (a.family == AF_INET)
			delete_inet(l, i);
		else
			drop_address(l, i);
		return 0;
	}
	if (a.family == AF_INET6 && fake_get(l, LINK_DISABLE_IPV6))
		return -EACCES;
	if (i != SIZE_MAX)
		return 0;
	a.proto = a.loc.file ? KVMNETD_PROTO : a.proto;
	a.loc = LOC_NONE;
	*ARRAY_APPEND(l->addresses, l->n_addresses) = a;
	return 0;
}

static bool is_on_link(const struct link *l, const struct route *r, const uint8_t *addr)
{
	static const uint8_t link_local[2] = {0xfe, 0x80};

	if (r->family == AF_INET6 && in_prefix(AF_INET6, addr, link_local, 10))
		return true;
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == r->family &&
		    in_prefix(r->family, l->addresses[i].addr, addr, l->addresses[i].prefix_len))
			return true;
	for (size_t i = 0; i < l->n_routes; i++)
		if (l->routes[i].family == r->family && !l->routes[i].has_gateway &&
		    in_prefix(r->family, l->routes[i].dst, addr, l->routes[i].dst_len))
			return true;
	return false;
}

static bool is_local(const struct fake_kernel *k, const struct route *r)
{
	struct address a = {.family = r->family};

	memcpy(a.addr, r->prefsrc, sizeof(a.addr));
	for (size_t i = 0; i < k->links.n_links; i++)
		if (find_address(k->links.links[i], &a, true) != SIZE_MAX)
			return true;
	return false;
}

/* The route that REPLACE takes the place of, whatever its device. */
static void replace_route(struct fake_kernel *k, const struct route *r)
{
	for (size_t i = 0; i < k->links.n_links; i++) {
		struct link *l = k->links.links[i];

		for (size_t j = 0; j < l->n_routes; j++)
			if (route_same(&l->routes[j], r)) {
				drop_route(l, j);
				return;
			}
	}
}

/* An IPv6 route without a gateway is added beside others (encode-address.c), once (net/ipv6/ip6_fib.c). */
static bool is_twice(const struct link *l, const struct route *r)
{
	for (size_t i = 0; i < l->n_routes; i++)
		if (route_same(&l->routes[i], r) && !l->routes[i].has_gateway)
			return true;
	return false;
}

int fake_route(struct fake_kernel *k, struct link *l, const struct op *op)
{
	struct route r = *op->route;

	if (op->type == OP_ROUTE_DELETE) {
		for (size_t i = 0; i < l->n_routes; i++)
			if (route_equal(&l->routes[i], &r)) {
				drop_route(l, i);
				return 0;
			}
		return -ESRCH;
	}
	if (!(l->flags & IFF_UP))
		return -ENETDOWN;
	if (r.has_gateway && !(r.flags & RTNH_F_ONLINK) && !is_on_link(l, &r, r.gateway))
		return -ENETUNREACH;
	if (r.has_prefsrc && !is_local(k, &r))
		return -EINVAL;
	if (r.family == AF_INET6 && fake_get(l, LINK_DISABLE_IPV6))
		return -EACCES;
	if (r.family == AF_INET || r.has_gateway)
		replace_route(k, &r);
	else if (is_twice(l, &r))
		return -EEXIST;
	r.loc = LOC_NONE;
	*ARRAY_APPEND(l->routes, l->n_routes) = r;
	return 0;
}

int fake_sysctl(struct link *l, const struct op *op)
{
	for (unsigned row = 0; row < link_options.n; row++)
		if ((op->common & op->link->common->set) >> row & 1)
			fake_put(l, (enum link_row)row, values_at(op->link->common, row).num);
	if (fake_get(l, LINK_DISABLE_IPV6))
		drop_inet6(l);
	return 0;
}
