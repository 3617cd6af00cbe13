/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: how long after its last message a plan may take until traffic flows: what bridges, bonds and NICs do when a
 * port is attached or comes up. Pure.
 */
#pragma once

#include "planner.h"

/* Called once for each sort of wait with the longest of it: "spanning tree on br0, twice forward_delay". */
typedef void settling_fn(uint32_t msec, const char *what, void *userdata);
/* All of them one after another, in milliseconds: a NIC in a bond in a bridge waits for each. fn may be NULL. */
uint32_t plan_settling(const struct diff_input *in, const struct plan *p, settling_fn *fn, void *userdata);
