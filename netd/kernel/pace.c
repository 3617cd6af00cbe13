/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: pace.h. */
#include "pace.h"

#include <time.h>

#include "rtnl.h"

/*
 * What a send is meant to take: it is told how far it is after each, and when a change is refused, those that follow it
 * in the send are still made. Before one was measured, 16 changes are thought to fill a send.
 */
#define SEND_NSEC 100000000ull
#define FIRST_NSEC (SEND_NSEC / 16)
/*
 * Deletions that go together hold the rtnl lock until the last is done. Nobody else may wait for it longer than a
 * quarter of a second: who asks for it may have the rest of one send before them and the whole of another, and either
 * may take a little more than was thought.
 */
#define DELETE_NSEC 75000000ull

static enum cost op_cost(const struct op *op)
{
	if (op->type == OP_CREATE)
		return COST_CREATE;
	if (op->type == OP_DELETE)
		return op->link->master || op->link->kind->flags & KIND_HAS_PORTS ? COST_DELETE : COST_DELETE_LONE;
	if (op->type != OP_SET)
		return COST_OTHER;
	if (op->master != MASTER_KEEP)
		return op->master == MASTER_LEAVE ? COST_LEAVE : COST_JOIN;
	return op->flags == FLAGS_KEEP ? COST_VALUES : COST_UP_DOWN;
}

/* What a message of this sort takes at least. */
static uint64_t least_nsec(enum cost cost)
{
	if (cost == COST_LEAVE)
		return SEND_NSEC / 2;
	return cost == COST_DELETE ? DELETE_NSEC / 12 : SEND_NSEC / RTNL_BATCH_MAX / 8;
}

static uint64_t first_nsec(enum cost cost)
{
	if (cost == COST_LEAVE)
		return SEND_NSEC / 2;
	return cost == COST_DELETE ? DELETE_NSEC / 3 : FIRST_NSEC;
}

uint64_t pace_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void pace_init(struct pace *p)
{
	for (unsigned cost = 0; cost < _COSTS; cost++)
		p->nsec[cost] = first_nsec((enum cost)cost);
}

uint64_t pace_of(const struct pace *p, const struct op *op)
{
	return p->nsec[op_cost(op)];
}

uint64_t pace_limit(bool deletes)
{
	return deletes ? DELETE_NSEC : SEND_NSEC;
}

/*
 * All sorts of messages in a send took that much longer or shorter than thought. Good news is believed slowly, and not
 * at all of those that wait for RCU: two of them in a send are done as fast as many. Of deletions both are believed by
 * half: an odd one does not undo what is known of grace periods.
 */
void pace_learn(struct pace *p, const struct plan *plan, const size_t *ops, size_t n, uint64_t expected, uint64_t took)
{
	bool seen[_COSTS] = {false};

	expected = MAX(expected, 1u);
	if (plan->ops[ops[0]].type == OP_DELETE)
		took = MIN(MAX(took, expected / 2), expected * 2);
	else
		took = MIN(MAX(took, expected * 3 / 4), expected * 8);
	for (size_t i = 0; i < n; i++) {
		enum cost cost = op_cost(&plan->ops[ops[i]]);

		if (!seen[cost])
			p->nsec[cost] = MAX(p->nsec[cost] * took / expected, least_nsec(cost));
		seen[cost] = true;
	}
}
