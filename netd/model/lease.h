/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what a DHCP server gave for a link, as a client tells it: lines NAME=VALUE in dhcpcd's names. It becomes
 * part of what is wanted of the link (plan/resolve.c). Pure.
 */
#pragma once

#include "model.h"

struct lease {
	char link[IFNAMSIZ];
	uint8_t family;	  /* AF_INET, AF_INET6 */
	uint64_t begun;	  /* seconds since the boot (CLOCK_BOOTTIME) */
	uint64_t length;  /* seconds; UINT32_MAX: for ever */
	uint64_t renewal; /* seconds after which the client asks for more; 0: the server leaves it to the client */
	struct address *addresses;
	size_t n_addresses;
	struct route *routes;
	size_t n_routes;
	union value dns, search; /* of LINK_DNS and LINK_SEARCH */
};

struct leases {
	struct lease *list;
	size_t n;
};

void lease_done(struct lease *l);
void leases_done(struct leases *l);
/*
 * Of the event that a client told last. -ENOENT: it gives no lease; -EINVAL: what it gives is not understood.
 * Everything in it came from the network: what is no address, subnet or domain is passed over, and without an address
 * there is nothing. The caller releases *ret.
 */
int lease_parse(const char *text, struct lease *ret);
/* In seconds since the boot; UINT64_MAX: never. */
uint64_t lease_end(const struct lease *l);
/* When its client asks the server for more time; likewise. */
uint64_t lease_due(const struct lease *l);
/* Is the same wanted of the link by both, whenever they were given? */
bool lease_same(const struct lease *a, const struct lease *b);
const struct lease *leases_find(const struct leases *l, const char *link, uint8_t family);
