/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what is asked whether it answers, while a change waits for its confirmation: as value and as text. */
#pragma once

#include <net/if.h>

#include "../util.h"

enum probe_kind {
	PROBE_PING,
	PROBE_ARP, /* IPv6: neighbour discovery */
	PROBE_TCP,
	/* Not of the configuration: */
	PROBE_GATEWAY, /* a default gateway: the route is there, and its next hop answers */
	PROBE_PATH,    /* who asked for the change: there is a way to them, and its next hop answers */
};

/* Without holes: values are compared by their bytes. */
struct probe_target {
	uint8_t kind;	   /* enum probe_kind */
	uint8_t family;	   /* AF_INET, AF_INET6 */
	uint16_t port;	   /* PROBE_TCP */
	uint8_t addr[16];  /* network order; the first 4 bytes for IPv4 */
	uint8_t local[16]; /* PROBE_PATH: the address of this host that they talk to */
	char link[16]; /* PROBE_PATH over a link-local address: the link that the connection is bound to; "": none */
};
_Static_assert(sizeof(((struct probe_target *)0)->link) == IFNAMSIZ, "the name of a link");

/* "ping 192.0.2.1", "tcp [2001:db8::1]:22"; the caller frees it. */
char *probe_text(const struct probe_target *t);
/* The same back, for every kind. -EINVAL with what is wrong in *why, which the caller frees. */
int probe_parse(const char *text, struct probe_target *ret, char **why);

/*
 * PROBE_PATH from both ends of a connection: "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" (taken as IPv4), link-local
 * ones with their link, "fe80::1%eth0". -EINVAL, with family 0: they are not.
 */
int probe_parse_path(const char *peer, const char *local, struct probe_target *ret);
