/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: whose ports a plan cuts off: the libvirt domain by its status file, else the process that holds the tap.
 * Looks at files of others, and only when a plan cuts something off.
 */
#pragma once

#include "../plan/planner.h"

struct guest {
	size_t op; /* of the plan: the step that cuts it off */
	char *bridge, *port;
	char *owner; /* "domain vm1", "guest vm1, process 123 (qemu-system-x86)"; NULL: not found */
};

struct guests {
	struct guest *list; /* everything in it is owned */
	size_t n;
};

void guests_find(const struct diff_input *in, const struct plan *p, struct guests *ret);
void guests_done(struct guests *g);
/* Who would be cut off, in words; NULL: nobody. The caller frees it. */
char *guests_cut(const struct diff_input *in, const struct plan *p);
/* "vnet0 (on br0, domain vm1)"; the caller frees it. */
char *guest_text(const struct guest *g);
