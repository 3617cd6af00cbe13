/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: how many changes go into one send, from what changes of their sort took so far. The kernel works on all of
 * them before anybody sees progress, and deletions that go together keep everybody else from the rtnl lock.
 */
#pragma once

#include "../plan/plan.h"

/*
 * Sorts of messages by what they cost. Leaving a bridge, and deleting a bridge or a port of one, wait for RCU grace
 * periods (net/bridge/br_vlan.c, nbp_vlan_flush, br_vlan_flush), ten times as long as all else.
 */
enum cost {
	COST_VALUES,
	COST_UP_DOWN,
	COST_JOIN,
	COST_LEAVE,
	COST_CREATE,
	COST_DELETE,
	COST_DELETE_LONE, /* neither a master nor a port */
	COST_OTHER,
	_COSTS,
};

struct pace {
	uint64_t nsec[_COSTS]; /* of one message */
};

/* What is measured with: CLOCK_MONOTONIC, ns. */
uint64_t pace_now(void);
/* Nothing was measured yet. */
void pace_init(struct pace *p);
/* What this change is thought to take, ns. */
uint64_t pace_of(const struct pace *p, const struct op *op);
/* What a send is meant to take at most, ns. */
uint64_t pace_limit(bool deletes);
/* A send of these n ops of the plan was thought to take `expected`, and took that long. */
void pace_learn(struct pace *p, const struct plan *plan, const size_t *ops, size_t n, uint64_t expected, uint64_t took);
