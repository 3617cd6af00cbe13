/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: addresses and routes: what makes two of them the same, and their text. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "model.h"

static size_t family_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static bool bytes_equal(uint8_t family, const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, family_len(family)) == 0;
}

/*
 * IPv4 allows one address with several prefix lengths; IPv6 allows it once, but deletes by address and length, and
 * cannot change the length: so one with another length is another address for both.
 */
bool address_same(const struct address *a, const struct address *b)
{
	return a->family == b->family && a->prefix_len == b->prefix_len && bytes_equal(a->family, a->addr, b->addr);
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->prefix_len != b->prefix_len)
		return a->prefix_len < b->prefix_len ? -1 : 1;
	return memcmp(a->addr, b->addr, family_len(a->family));
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (!address_same(a, b) || a->scope != b->scope || a->proto != b->proto || a->metric != b->metric ||
	    (a->flags & IFA_SETTABLE) != (b->flags & IFA_SETTABLE) || !streq(a->label, b->label))
		return false;
	if (a->has_peer != b->has_peer || a->has_broadcast != b->has_broadcast)
		return false;
	return (!a->has_peer || bytes_equal(a->family, a->peer, b->peer)) &&
	       (!a->has_broadcast || memcmp(a->broadcast, b->broadcast, sizeof(a->broadcast)) == 0);
}

void link_add_route(struct link *l, const struct route *r)
{
	*ARRAY_APPEND(l->routes, l->n_routes) = *r;
	l->names_source |= r->has_prefsrc && r->protocol != RTPROT_KERNEL;
}

/* net/ipv4/fib_trie.c and net/ipv6/ip6_fib.c find the route to replace by table, destination and metric. */
bool route_same(const struct route *a, const struct route *b)
{
	return a->family == b->family && a->table == b->table && a->dst_len == b->dst_len && a->metric == b->metric &&
	       bytes_equal(a->family, a->dst, b->dst);
}

int route_compare(const struct route *a, const struct route *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->dst_len != b->dst_len)
		return a->dst_len < b->dst_len ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return memcmp(a->dst, b->dst, family_len(a->family));
}

bool route_equal(const struct route *a, const struct route *b)
{
	if (!route_same(a, b) || a->type != b->type || a->protocol != b->protocol || a->mtu != b->mtu)
		return false;
	if (a->has_gateway != b->has_gateway || a->has_prefsrc != b->has_prefsrc)
		return false;
	if (a->has_gateway && !bytes_equal(a->family, a->gateway, b->gateway))
		return false;
	return !a->has_prefsrc || bytes_equal(a->family, a->prefsrc, b->prefsrc);
}

static const char *ip_text(uint8_t family, const uint8_t *addr, char *buf)
{
	return inet_ntop(family, addr, buf, INET6_ADDRSTRLEN);
}

bool link_has_address(const struct link *l, uint8_t family, const uint8_t *addr)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == family &&
		    memcmp(l->addresses[i].addr, addr, sizeof(l->addresses[i].addr)) == 0)
			return true;
	return false;
}

void address_print(const struct address *a, FILE *f)
{
	char buf[INET6_ADDRSTRLEN];

	fprintf(f, "%s/%u", ip_text(a->family, a->addr, buf), a->prefix_len);
}

static const char *route_type_name(uint8_t type)
{
	switch (type) {
	case RTN_LOCAL:
		return "local ";
	case RTN_BROADCAST:
		return "broadcast ";
	case RTN_ANYCAST:
		return "anycast ";
	case RTN_MULTICAST:
		return "multicast ";
	case RTN_BLACKHOLE:
		return "blackhole ";
	case RTN_UNREACHABLE:
		return "unreachable ";
	case RTN_PROHIBIT:
		return "prohibit ";
	case RTN_THROW:
		return "throw ";
	}
	return "";
}

void route_print_destination(const struct route *r, FILE *f)
{
	static const uint8_t zero[16];
	char buf[INET6_ADDRSTRLEN];

	fputs(route_type_name(r->type), f);
	if (r->dst_len == 0 && bytes_equal(r->family, r->dst, zero))
		fputs("default", f);
	else
		fprintf(f, "%s/%u", ip_text(r->family, r->dst, buf), r->dst_len);
}

void route_print(const struct route *r, FILE *f)
{
	char buf[INET6_ADDRSTRLEN];

	route_print_destination(r, f);
	if (r->has_gateway)
		fprintf(f, " via %s", ip_text(r->family, r->gateway, buf));
	if (r->metric != (r->family == AF_INET6 ? 1024 : 0))
		fprintf(f, " metric %u", r->metric);
	if (r->table != RT_TABLE_MAIN)
		fprintf(f, " table %u", r->table);
	if (r->has_prefsrc)
		fprintf(f, " src %s", ip_text(r->family, r->prefsrc, buf));
	if (r->mtu)
		fprintf(f, " mtu %u", r->mtu);
}

char *mac_text(uint64_t mac, char *buf)
{
	snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(mac >> 40 & 0xff), (unsigned)(mac >> 32 & 0xff),
		 (unsigned)(mac >> 24 & 0xff), (unsigned)(mac >> 16 & 0xff), (unsigned)(mac >> 8 & 0xff),
		 (unsigned)(mac & 0xff));
	return buf;
}
