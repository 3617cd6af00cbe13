/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: routes of others that a network's subnet is in the way of, among those that no model keeps: a routing
 * daemon's, of which there may be a million, and those that the model has no words for. Of these, one for each subnet
 * is remembered, which is enough to tell of it. Pure.
 */
#pragma once

#include "nest.h"

/* As much of a route as it is known by. */
struct other_route {
	struct route route;
	uint32_t ifindex; /* 0: none, or several */
	uint32_t nhid;	  /* of a next-hop object, 0: none */
	uint16_t n_hops;  /* 0: it has not several */
	uint8_t tos;
	bool leads_on;	    /* to elsewhere, as far as the route itself tells */
	char dev[IFNAMSIZ]; /* "": none, or several */
};

struct overlap {
	struct nested in; /* the subnet of a network */
	char bridge[IFNAMSIZ];
	bool found;
	struct other_route route; /* with `found` */
};

/* The subnets that are compared with, in order. */
struct overlaps {
	struct overlap *list;
	size_t n;
};

void overlaps_done(struct overlaps *o);
void overlaps_add(struct overlaps *o, const struct address *subnet, const char *bridge);
/* When all are added; of those that are the same one stays. */
void overlaps_sort(struct overlaps *o);
/* The one of this subnet and bridge; NULL: it is not compared with. */
struct overlap *overlaps_find(const struct overlaps *o, const struct address *subnet, const char *bridge);
/*
 * Compares a route, of the device `dev` (NULL: of none that is known), with all. Of a subnet that has one already, only
 * a route of the same key takes its place. Returns whether any has another one now.
 */
bool overlaps_note(struct overlaps *o, const struct other_route *r, const struct link *dev);
/* Is a route of this destination and table among those that were found? */
bool overlaps_have(const struct overlaps *o, const struct route *r);
bool overlaps_any(const struct overlaps *o);
/* Do the two, of the same subnets, say the same? */
bool overlaps_equal(const struct overlaps *a, const struct overlaps *b);

/* Where it leads. */
struct address subnet_of_route(const struct route *r);
/* Does a route through this link (NULL: not known) lead beyond the link's wire? The default route does always. */
bool route_leads_on(const struct route *r, const struct link *l);
/* That of a network inside a wider route to elsewhere is no clash: the world is larger than the network. */
bool subnet_is_beyond(const struct address *subnet, unsigned prefix_len, bool leads_on);

/* As ip-route(8) shows it: "192.0.2.0/24 via 198.51.100.1 dev eth0 table 77 proto bird". */
void other_route_print(const struct other_route *r, FILE *f);
