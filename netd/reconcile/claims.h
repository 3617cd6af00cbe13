/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: one manager per link. Tells others which links are ours (a file RUNTIME_DIR/links/NAME each, which
 * systemd/85-kvmnetd.rules turns into marks that NetworkManager and systemd-networkd heed), and finds others who are
 * active on links of ours.
 */
#pragma once

#include "../plan/resolve.h"
#include "state.h"

/*
 * Makes the files say what the model wants, before its links are created: udev looks when a link appears. Without udev
 * nobody reads them and nothing is written. `claimed` keeps what was written last.
 */
void claims_update(const struct state_dirs *dirs, struct names *claimed, const struct effective *e);

/*
 * DHCP clients that run in this network namespace. To find them all processes are looked at, which on a host of many
 * takes a while; so who wants to know may take what was found a little earlier.
 */
struct dhcp_client {
	char *name; /* "dhclient (process 123)" */
	char *arguments;
	size_t len; /* of the arguments, NUL-separated */
};

struct dhcp_clients {
	struct dhcp_client *list;
	size_t n;
	uint64_t looked; /* CLOCK_BOOTTIME, microseconds; 0: not yet */
};

/* Looks, unless that was done within the last so many microseconds. */
void dhcp_clients_look(struct dhcp_clients *c, uint64_t usec);
void dhcp_clients_done(struct dhcp_clients *c);

/*
 * Another network manager or DHCP client that is active on a link of ours: tells who, and the cure. Judged by their
 * own state files and by the running processes of this network namespace.
 */
typedef void claims_rival_fn(const struct link *want, const char *rival, const char *cure, void *userdata);
void claims_find_rivals(const struct dhcp_clients *clients, const struct effective *e, const struct model *actual,
			claims_rival_fn *fn, void *userdata);
