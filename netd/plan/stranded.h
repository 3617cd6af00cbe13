/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what a NIC that becomes a port has on it and nobody declares: addresses and routes that stop working there
 * (the host answers on the master) and that no boot brings back. Each with the line to add. Pure.
 */
#pragma once

#include "planner.h"

struct stranded {
	const struct link *port;       /* as wanted */
	const struct link *master;     /* the topmost one, where it should be declared */
	char *found;		       /* "192.168.1.5/24", "default via 192.168.1.1"; valid during the call */
	char *line;		       /* "address = 192.168.1.5/24"; valid during the call */
	const struct address *address; /* one of the two */
	const struct route *route;
	bool default_route;
	bool leased; /* with a lifetime: some DHCP client's */
};

typedef void stranded_fn(const struct stranded *s, void *userdata);
/*
 * Does the plan take this address (16 bytes, network order) away from the host, so that nothing has it afterwards?
 * Returns the link that has it now, or NULL.
 */
const struct link *plan_loses_address(const struct diff_input *in, const struct plan *p, uint8_t family,
				      const uint8_t *addr);
/* Has the host another address of the family then: by the plan, or on that link, or where it becomes a port? */
bool plan_renumbers(const struct diff_input *in, const struct plan *p, const struct link *holder, uint8_t family);
/*
 * What becomes of a link that ends connections over a link-local address of its: they are bound to it. NULL: nothing.
 * "becomes a port"
 */
const char *plan_unbinds(const struct diff_input *in, const struct plan *p, const char *link, const uint8_t *addr);
void plan_stranded(const struct diff_input *in, const struct plan *p, stranded_fn *fn, void *userdata);
