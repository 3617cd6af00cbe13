/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: who is attached to, and who stands on, a link of a model of the kernel, without going through all links each
 * time. Made once for a model that does not change meanwhile.
 */
#pragma once

#include "model.h"

struct children {
	const struct link **by_master; /* sorted by master's ifindex, then by name */
	const struct link **by_parent; /* sorted by parent's ifindex, then by name */
	size_t n_ports, n_vlans;
};

#define CHILDREN_NULL ((struct children){0})

/* Of these links of a model, which it borrows. The caller calls children_done(). */
void children_index(struct link *const *links, size_t n, struct children *ret);
void children_done(struct children *c);
/* The links whose master / parent has that ifindex; *n of them. Not all of the latter are VLANs (macvtap). */
const struct link *const *children_ports(const struct children *c, uint32_t ifindex, size_t *n);
const struct link *const *children_vlans(const struct children *c, uint32_t ifindex, size_t *n);
