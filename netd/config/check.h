/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the files of the cross-object rules share: who claims which port. check.c runs them all, check-stack.c
 * has the rules of what lies on what, check-address.c those of addresses and routes. Private to config/.
 */
#pragma once

#include "config.h"

/* One name in one `ports =`. All borrowed from the config. */
struct claim {
	const char *name;
	const struct link *master;
	const struct link *port; /* the declared link of that name; NULL: a NIC that is not declared */
	struct loc loc;
};

/* Sorted by name, then by place. */
struct claims {
	struct claim *list;
	size_t n;
};

/* The first claim on the name; NULL: it is nobody's port. */
const struct claim *claims_find(const struct claims *c, const char *name);

void check_stack(const struct config *c, const struct claims *claims, struct diags *d);
void check_addresses(const struct config *c, const struct claims *claims, struct diags *d);
void check_networks(const struct config *c, struct diags *d);

/* An error about a link: the section is the link's. */
void check_error(struct diags *d, const struct link *l, struct loc loc, const char *key, const char *format, ...)
	_printf_(5, 6);
void check_warning(struct diags *d, const struct link *l, struct loc loc, const char *key, const char *format, ...)
	_printf_(5, 6);

/*
 * network-keys.c: why it is not the address of a host in its subnet: the first and the last one of an IPv4 subnet are
 * its own name and its broadcast. NULL: it is.
 */
const char *subnet_fault(const struct address *a);

/* Which was written first; for sorting. */
int loc_compare(struct loc a, struct loc b);
