/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a send of an execution: the messages of some ops of its plan, put together here and sent by a thread
 * (send.h). Internal to kernel/.
 *
 * Links that go are put into a group, and one message deletes that: all of them wait for their last RCU grace period
 * together (net/core/dev.c, netdev_run_todo).
 */
#pragma once

#include "../plan/plan.h"
#include "latecomer.h"
#include "pace.h"
#include "release.h"
#include "send.h"

struct batch {
	struct sender *sender;
	uint8_t *buffer; /* owned */
	size_t len, size;
	size_t n, messages;
	bool deletes;	/* nothing but members of the group to be deleted */
	bool under_way; /* given to the sender, which has not come back */
	uint32_t group; /* that nobody else has a link in */
	size_t ops[RTNL_BATCH_MAX];
	size_t offsets[RTNL_BATCH_MAX];
	uint64_t expected; /* ns */
	struct latecomers late;
	struct leaving leaving;
	void *owner; /* for `done` of the sender */
};

/* 0 or negative errno; the caller calls batch_close() in any case. userdata of `done` is the batch. */
int batch_open(struct batch *b, sd_event *event, sender_done_fn *done, void *owner);
/* Waits for the send that is under way; its `done` is not called. */
void batch_close(struct batch *b);

static inline uint8_t *batch_end(struct batch *b)
{
	return b->buffer + b->len;
}

/* Is there room for this op, thought to take so many ns, and does it go with what is there? */
bool batch_takes(const struct batch *b, const struct op *op, uint64_t expected);
/* Takes the message of that op, which was put to batch_end(). */
void batch_add(struct batch *b, size_t op, size_t len, uint64_t expected);
/* Of one link alone, `alone` is the message that deletes it, which takes the place of the group's. */
void batch_send(struct batch *b);
/* What became of the group became of each that was put into it. Then there is a result for each op. */
void batch_share_result(const struct batch *b, struct rtnl_result *results);
/* The next one may be put together. */
void batch_clear(struct batch *b);
