/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: differences become an ordered list of ops. Pure. The phases, and why they are in this order, stand at
 * plan_make() in planner.c; what one phase does with a link is in plan-create.c, plan-change.c and plan-address.c.
 */
#pragma once

#include "diff.h"
#include "plan.h"

/* Makes the plan. It borrows from in->effective and in->actual. The caller calls plan_done(). */
void plan_make(const struct diff_input *in, struct plan *ret);

/* What an op of the firewall is about that is about no network alone; no link can have that name. */
#define FIREWALL_LINK "inet " FIREWALL_TABLE
/* Is the firewall not as it is wanted? */
bool plan_firewall_differs(const struct diff_input *in);

/* Names of ports that are not declared and would be cut off by the plan, with the number of the op that does it. */
typedef void plan_cut_fn(size_t op, const char *bridge, const char *port, void *userdata);
void plan_cut_ports(const struct diff_input *in, const struct plan *p, plan_cut_fn *add, void *userdata);
