/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: overlap.h. */
#include "overlap.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

void overlaps_done(struct overlaps *o)
{
	free(o->list);
	*o = (struct overlaps){0};
}

void overlaps_add(struct overlaps *o, const struct address *subnet, const char *bridge)
{
	struct overlap *new = ARRAY_APPEND(o->list, o->n);

	*new = (struct overlap){.in.subnet = *subnet};
	name_copy(new->bridge, bridge);
}

static int overlap_order(const void *a, const void *b)
{
	const struct overlap *x = a, *y = b;
	int r = subnet_compare(&x->in.subnet, &y->in.subnet);

	return r ? r : strcmp(x->bridge, y->bridge);
}

static struct nest nest_of(const struct overlaps *o)
{
	return (struct nest){.list = o->list, .n = o->n, .size = sizeof(*o->list)};
}

void overlaps_sort(struct overlaps *o)
{
	struct nest nest;
	size_t n = 0;

	if (o->n)
		qsort(o->list, o->n, sizeof(*o->list), overlap_order);
	for (size_t i = 0; i < o->n; i++)
		if (!n || overlap_order(&o->list[n - 1], &o->list[i]) != 0)
			o->list[n++] = o->list[i];
	o->n = n;
	nest = nest_of(o);
	nest_make(&nest);
}

struct overlap *overlaps_find(const struct overlaps *o, const struct address *subnet, const char *bridge)
{
	struct overlap key = {.in.subnet = *subnet};

	name_copy(key.bridge, bridge);
	return o->n ? bsearch(&key, o->list, o->n, sizeof(key), overlap_order) : NULL;
}

struct address subnet_of_route(const struct route *r)
{
	struct address subnet = {.family = r->family, .prefix_len = r->dst_len};

	memcpy(subnet.addr, r->dst, sizeof(subnet.addr));
	return subnet;
}

bool route_leads_on(const struct route *r, const struct link *l)
{
	return r->has_gateway || r->dst_len == 0 || (l && l->flags & (IFF_POINTOPOINT | IFF_NOARP | IFF_LOOPBACK));
}

bool subnet_is_beyond(const struct address *subnet, unsigned prefix_len, bool leads_on)
{
	return leads_on && prefix_len < subnet->prefix_len;
}

struct noting {
	const struct other_route *route;
	const struct link *dev;
	bool leads_on, other;
};

/* What the kernel tells them from each other by. */
static bool same_key(const struct other_route *a, const struct other_route *b)
{
	return route_same(&a->route, &b->route) && a->tos == b->tos;
}

/* Would both be told of in the same words? */
static bool say_the_same(const struct overlap *a, const struct overlap *b)
{
	if (!a->found || !b->found)
		return a->found == b->found;
	return same_key(&a->route, &b->route) && route_equal(&a->route.route, &b->route.route) &&
	       a->route.nhid == b->route.nhid && a->route.n_hops == b->route.n_hops &&
	       streq(a->route.dev, b->route.dev);
}

static void note(void *element, void *userdata)
{
	struct noting *n = userdata;
	struct overlap *o = element;
	struct overlap new = *o;

	if (subnet_is_beyond(&o->in.subnet, n->route->route.dst_len, n->leads_on) ||
	    (n->dev && streq(n->dev->name, o->bridge)) || (o->found && !same_key(&o->route, n->route)))
		return;
	new.found = true;
	new.route = *n->route;
	name_copy(new.route.dev, n->dev ? n->dev->name : "");
	n->other |= !say_the_same(o, &new);
	*o = new;
}

bool overlaps_note(struct overlaps *o, const struct other_route *r, const struct link *dev)
{
	struct noting n = {.route = r, .dev = dev, .leads_on = r->leads_on || route_leads_on(&r->route, dev)};
	const struct address subnet = subnet_of_route(&r->route);
	const struct nest nest = nest_of(o);

	nest_overlapping(&nest, &subnet, note, &n);
	return n.other;
}

bool overlaps_have(const struct overlaps *o, const struct route *r)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct route *found = &o->list[i].route.route;

		if (o->list[i].found && found->family == r->family && found->table == r->table &&
		    found->dst_len == r->dst_len && memcmp(found->dst, r->dst, sizeof(r->dst)) == 0)
			return true;
	}
	return false;
}

bool overlaps_any(const struct overlaps *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].found)
			return true;
	return false;
}

bool overlaps_equal(const struct overlaps *a, const struct overlaps *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!say_the_same(&a->list[i], &b->list[i]))
			return false;
	return true;
}

/* Of rtnetlink(7) and those that routing daemons took; iproute2 has the same in rt_protos. */
static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{RTPROT_REDIRECT, "redirect"}, {RTPROT_KERNEL, "kernel"}, {RTPROT_STATIC, "static"},
	{RTPROT_GATED, "gated"},       {RTPROT_RA, "ra"},	  {RTPROT_MRT, "mrt"},
	{RTPROT_ZEBRA, "zebra"},       {RTPROT_BIRD, "bird"},	  {RTPROT_DNROUTED, "dnrouted"},
	{RTPROT_XORP, "xorp"},	       {RTPROT_NTK, "ntk"},	  {RTPROT_DHCP, "dhcp"},
	{RTPROT_MROUTED, "mrouted"},   {RTPROT_BABEL, "babel"},	  {RTPROT_OPENR, "openr"},
	{RTPROT_BGP, "bgp"},	       {RTPROT_ISIS, "isis"},	  {RTPROT_OSPF, "ospf"},
	{RTPROT_RIP, "rip"},	       {RTPROT_EIGRP, "eigrp"},	  {RTPROT_KEEPALIVED, "keepalived"},
	{KVMNETD_PROTO, "kvmnetd"},
};

static void protocol_print(uint8_t number, FILE *f)
{
	/* What `ip route add` writes on its own, which it does not show either. */
	if (number == RTPROT_UNSPEC || number == RTPROT_BOOT)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == number) {
			fprintf(f, " proto %s", protocols[i].name);
			return;
		}
	fprintf(f, " proto %u", number);
}

void other_route_print(const struct other_route *r, FILE *f)
{
	struct ip via = {.family = r->route.family};
	char buf[INET6_ADDRSTRLEN];

	memcpy(via.addr, r->route.gateway, sizeof(via.addr));
	route_print_destination(&r->route, f);
	if (r->tos)
		fprintf(f, " tos 0x%02x", r->tos);
	if (r->nhid)
		fprintf(f, " nhid %u", r->nhid);
	if (r->route.has_gateway)
		fprintf(f, " via %s", ip_format(&via, buf));
	if (r->dev[0])
		fprintf(f, " dev %s", r->dev);
	if (r->route.table == RT_TABLE_LOCAL)
		fputs(" table local", f);
	else if (r->route.table != RT_TABLE_MAIN)
		fprintf(f, " table %u", r->route.table);
	protocol_print(r->route.protocol, f);
	if (r->route.metric != (r->route.family == AF_INET6 ? 1024 : 0))
		fprintf(f, " metric %u", r->route.metric);
	if (r->n_hops)
		fprintf(f, " with %u next hops", r->n_hops);
}
