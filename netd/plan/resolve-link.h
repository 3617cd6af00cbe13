/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: resolve.c's second half: the values of one wanted link. Internal to plan/. */
#pragma once

#include "resolve.h"

/* Fills in what is wanted of one link beyond what was written. All links must be in e->links, with masters set. */
void resolve_link(const struct resolve_input *in, struct effective *e, struct link *want);
/*
 * Does the mode that is wanted of a bond allow this row, of its own or of its ports? Of other kinds, always. To put
 * back a value of another mode would be refused.
 */
bool resolve_row_is_legal(const struct link *want, const struct option *o);
/* Is the link there not what is wanted in a way that it has to be made anew for? */
bool resolve_is_made_anew(const struct resolve_input *in, const struct link *want, const struct link *have);

/* resolve-port.c: where `ports` of the master names this one; where its section is when it does not. */
struct loc resolve_port_loc(const struct link *master, const char *port);
/* resolve-port.c: adds an error for each port whose master cannot have a device of its type; it waits for itself then.
 */
void resolve_check_ports(const struct resolve_input *in, struct effective *e);

/*
 * resolve-mtu.c. Before the values of links are filled in: adds an error for each VLAN that is declared, or would get
 * from a bond that it is a port of, more than its parent has; it waits for itself then.
 */
void resolve_check_mtus(const struct resolve_input *in, struct effective *e);
/*
 * When they are, for all: an MTU that goes back to the one found may be more than the parent will have, which the
 * kernel refuses.
 */
void resolve_mtu(const struct resolve_input *in, struct effective *e, struct link *want);

/* resolve-name.c: the kernel name for a name of the configuration; the same again when there is no such device. */
const char *resolve_name(const struct resolve_input *in, const char *label, struct diags *problems);
/* Labels and altnames in values (primary, backup_port) become kernel names. */
void resolve_names(const struct resolve_input *in, struct values *v);

/* resolve-lease.c: adds what servers gave to the links that have `dhcp`. */
void resolve_leases(const struct resolve_input *in, struct effective *e);

/* resolve.c: the link of that name, unless it is one of ours that nothing declares any more; NULL: none. */
const struct link *resolve_present(const struct resolve_input *in, const char *name);
/* resolve.c: the wanted link of that name, made for devices that have no section of their own. */
struct link *resolve_device(const struct resolve_input *in, struct effective *e, const char *name, struct loc loc);

/* resolve-forwarding.c: adds what the networks need of their bridges, of their uplinks and of all links together. */
void resolve_forwarding(const struct resolve_input *in, struct effective *e);
/* The link under that kernel name, whether or not it has a section; NULL: it is not there. */
struct link *resolve_wanted_device(const struct resolve_input *in, struct effective *e, const char *name,
				   struct loc loc);
/* Is it an IPv4 route with a gateway, by which guests reach the world? */
bool resolve_leads_out(const struct route *r);

/* resolve-advertised.c: for the network at `loc`, by which the host forwards IPv6. */
void resolve_advertised(const struct resolve_input *in, struct effective *e, struct loc loc);

/* resolve-link.c: has the host an address on the link, or asks for one? */
bool resolve_is_used_by_host(const struct link *want);

/* resolve-network.c: adds a problem for each subnet of a network that something else on the host has, too. */
void check_subnets(const struct resolve_input *in, struct effective *e);

/* resolve-libvirt.c: adds a problem for each network that has the bridge or a subnet of one of libvirt's. */
void resolve_libvirt(const struct resolve_input *in, struct effective *e);

/* resolve-foreign.c: adds what other firewalls are to be told, for guests' sake. */
void resolve_foreign(const struct resolve_input *in, struct effective *e);
