/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: choose-subnets.h. All that is taken is sorted once, and the pool walked along it. */
#include "choose-subnets.h"

#include <arpa/inet.h>

/* Inclusive, of IPv4 addresses as numbers. */
struct subnet_span {
	uint32_t first, last;
};

/* Above what routers at home have, and what libvirt's first networks have (192.168.122.0/24 and those after it). */
static const struct subnet_span pool[] = {
	{.first = 192u << 24 | 168 << 16 | 128 << 8, .last = 192u << 24 | 168 << 16 | 254 << 8},
	{.first = 10u << 24 | 128 << 16, .last = 10u << 24 | 255 << 16 | 255 << 8},
};

#define STEP (1u << (32 - CHOSEN_PREFIX_LEN))

/* What is not in the pool need not be known: of a full table of the Internet's, nothing is. */
static bool is_in_pool(uint32_t first, uint32_t last)
{
	for (size_t i = 0; i < ARRAY_SIZE(pool); i++)
		if (first <= (pool[i].last | (STEP - 1)) && last >= pool[i].first)
			return true;
	return false;
}

static void take(struct taken_subnets *t, const uint8_t addr[4], unsigned prefix_len)
{
	uint32_t number, bits = prefix_len < 32 ? UINT32_MAX >> prefix_len : 0;

	memcpy(&number, addr, sizeof(number));
	number = ntohl(number);
	if (is_in_pool(number & ~bits, number | bits))
		*ARRAY_APPEND(t->list, t->n) = (struct subnet_span){.first = number & ~bits, .last = number | bits};
}

void taken_subnets_add(struct taken_subnets *t, const struct route *r)
{
	if (r->family == AF_INET && r->dst_len > 1)
		take(t, r->dst, r->dst_len);
}

static void take_model(struct taken_subnets *t, const struct model *m)
{
	for (size_t i = 0; i < m->n_links; i++) {
		const struct link *l = m->links[i];

		for (size_t n = 0; n < l->n_addresses; n++)
			if (l->addresses[n].family == AF_INET)
				take(t, l->addresses[n].addr, l->addresses[n].prefix_len);
		for (size_t n = 0; n < l->n_routes; n++)
			taken_subnets_add(t, &l->routes[n]);
	}
	for (size_t i = 0; i < m->n_nowhere; i++)
		taken_subnets_add(t, &m->nowhere[i]);
}

static int span_compare(const void *a, const void *b)
{
	const struct subnet_span *x = a, *y = b;

	return x->first != y->first ? (x->first < y->first ? -1 : 1) : 0;
}

/* The next one free from *at on, of the whole pool; 0: there is none. at: where the search goes on, and in what. */
static uint32_t next_free(const struct taken_subnets *t, size_t *range, uint32_t *at)
{
	for (; *range < ARRAY_SIZE(pool); (*range)++, *at = 0) {
		uint32_t net = MAX(*at, pool[*range].first);

		/* Sorted by their first address: what ends before the candidate is passed for good. */
		for (size_t i = 0; i < t->n && t->list[i].first <= net + (STEP - 1); i++)
			if (t->list[i].last >= net)
				net = (t->list[i].last | (STEP - 1)) + 1;
		if (net >= pool[*range].first && net <= pool[*range].last) {
			*at = net + STEP;
			return net;
		}
	}
	return 0;
}

void choose_subnets(struct config *c, const struct model *actual, const struct taken_subnets *others,
		    const struct libvirt_networks *libvirt)
{
	struct taken_subnets t = {0};
	size_t range = 0;
	uint32_t at = 0;

	take_model(&t, &c->links);
	take_model(&t, actual);
	for (size_t i = 0; others && i < others->n; i++)
		*ARRAY_APPEND(t.list, t.n) = others->list[i];
	for (size_t i = 0; libvirt && i < libvirt->n; i++)
		for (size_t n = 0; n < libvirt->list[i].n_addresses; n++)
			if (libvirt->list[i].addresses[n].family == AF_INET)
				take(&t, libvirt->list[i].addresses[n].addr, libvirt->list[i].addresses[n].prefix_len);
	if (t.n)
		qsort(t.list, t.n, sizeof(*t.list), span_compare);
	for (size_t i = 0; i < c->n_networks; i++) {
		struct network *n = c->networks[i];
		struct link *bridge = model_find(&c->links, n->bridge);
		struct address a = {.family = AF_INET,
				    .prefix_len = CHOSEN_PREFIX_LEN,
				    .proto = KVMNETD_PROTO,
				    .valid_lft = UINT32_MAX};
		uint32_t net;

		if (!n->auto_loc.line || network_chosen(n, bridge))
			continue;
		net = next_free(&t, &range, &at);
		if (!net)
			break;
		net = htonl(net + 1);
		memcpy(a.addr, &net, sizeof(net));
		network_choose(n, bridge, &a);
	}
	free(t.list);
}
