/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: how a plan is executed in which a bridge or bond with many ports is deleted: they leave it first. The kernel
 * lets them go one by one, each with an RCU grace period (net/bridge/br_if.c, br_dev_delete), and with one message
 * holds the rtnl lock from the first to the last, ten seconds for 500 guests. With a message for each, others have the
 * lock in between, and nothing takes longer. The way back has the ports, as of every deletion (plan/restore.h).
 *
 * Pure, but for release_look().
 */
#pragma once

#include "../plan/plan.h"
#include "rtnl.h"

/* An op for each message: those of the plan, and those of the ports that leave, right before the deletion. */
struct release {
	struct plan plan; /* owned: the array of ops; all else is the plan's that it was made of */
	size_t *part_of;  /* owned: for each op, the number of the one in that plan; NULL: the same */
};

/* Returns what is to be executed: p itself, or the plan in *ret, for which the caller calls release_done(). */
const struct plan *release_plan(const struct plan *p, const struct model *actual, struct release *ret);
void release_done(struct release *r);

/* The number of this op in the plan that it was made of. */
static inline size_t release_number(const struct release *r, size_t op)
{
	return r->part_of ? r->part_of[op] : op;
}

/* Is it a port that leaves because of a deletion? */
static inline bool release_is_leaving(const struct release *r, size_t op)
{
	return r->part_of && op + 1 < r->plan.n && r->part_of[op + 1] == r->part_of[op];
}

/* Is it a deletion whose ports have left? */
static inline bool release_is_rest(const struct release *r, size_t op)
{
	return op && release_is_leaving(r, op - 1) && !release_is_leaving(r, op);
}

/* Ports that a send lets go. */
struct leaving {
	struct {
		uint32_t port, master; /* ifindexes */
		size_t offset;	       /* of the message */
	} list[RTNL_BATCH_MAX];
	size_t n;
};

/* Adds one whose message begins at that offset. */
void release_add(struct leaving *l, const struct link *port, size_t offset);
/*
 * In the sender's thread, before it sends: who has been moved to another master since ACTUAL was read stays there, its
 * message becomes one that does nothing. 0 or negative errno.
 */
int release_look(const struct leaving *l, struct rtnl *r, uint8_t *messages);
