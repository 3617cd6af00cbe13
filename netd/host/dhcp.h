/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a DHCP client (dhcpcd(8)) for each link that asks for one. It puts no address or route on the link: what a
 * server gives is written into a file of the runtime directory by the client's script, and is a lease from there on.
 * The files and the clients outlive the daemon.
 *
 * Router advertisements stay the kernel's: the client asks no router, and so leaves accept_ra alone.
 */
#pragma once

#include "../model/lease.h"
#include "../model/names.h"

#include <systemd/sd-event.h>

struct dhcp;

/* changed: a lease came, went or ran out. */
struct dhcp *dhcp_new(sd_event *event, const char *runtime_dir, const char *lib_dir, void (*changed)(void *userdata),
		      void *userdata);
/* Leaves the clients running. */
struct dhcp *dhcp_free(struct dhcp *d);
/* Puts into ACTUAL which clients run; ends those of links that are gone. */
void dhcp_show(struct dhcp *d, struct model *actual);
/* Starts, changes or (DHCP_NO) ends the client of a link. */
void dhcp_ask(struct dhcp *d, const char *link, uint32_t ifindex, enum dhcp_setting families);
/* Those that have not run out. They live until the next call. */
const struct leases *dhcp_leases(struct dhcp *d);
/*
 * Links whose server gave something else, or whose lease ended, since the caller cleared the list. What runs out or
 * came while kvmnetd did not run is not in it.
 */
struct names *dhcp_changed(struct dhcp *d);
/* What is wrong with the link's client, or that nobody answers it; NULL: nothing. The caller frees it. */
char *dhcp_trouble(const struct dhcp *d, const char *link);
