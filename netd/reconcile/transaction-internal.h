/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the two files of a transaction share: transaction.c goes forward, put-back.c is the way back and what
 * of others is put back at any end.
 */
#pragma once

#include "guests.h"
#include "transaction.h"

/* On the way back, what the kernel refuses twice is left out, so that it does not keep the rest from coming back. */
#define LEFT_OUT_MAX 16

struct refusal {
	char *op, *why; /* owned, in words */
};

struct transaction {
	struct kernel *kernel;
	struct ledger *ledger;
	struct ledger_past ledger_before;
	bool roll_back, going_back, changed;
	unsigned round;
	size_t waiting; /* of the links that are wanted, those whose device is not there: the fewest so far */
	const struct transaction_hooks *hooks;
	void *userdata;
	sd_event_source *turn; /* the next phase waits for its turn of the loop */
	void (*next)(struct transaction *t);

	struct effective wanted;
	struct plan plan;
	char plan_id[17];		/* of the last round, to see that a round changed nothing */
	struct guests cut;		/* of others: what the way back took the master away from */
	struct names guests;		/* devices of others that a round was about */
	struct effective before;	/* the way back */
	char **lost;			/* owned: what of the keepsakes the kernel refused */
	size_t n_lost, n_lost_for_good; /* the rest is tried again */
	unsigned carrier_waits, reads;
	struct keepsakes keepsakes; /* what of others the plan takes away along with it */
	struct refusal refused;	    /* of the way back, the last one; again: for the second time */
	bool again;
	struct refusal left_out[LEFT_OUT_MAX];
	size_t n_left_out;

	struct outcome outcome;
	char *step, *link, *text, *cut_off; /* what the outcome points to */
};

/* transaction.c */
struct diff_input transaction_input(const struct transaction *t);
/* Calls `next` in the next turn of the loop / in so many microseconds; false: the loop cannot wait. */
void transaction_in_next_turn(struct transaction *t, void (*next)(struct transaction *t));
bool transaction_in_a_while(struct transaction *t, uint64_t usec, void (*next)(struct transaction *t));
/*
 * Tells whether what failed to be read with `error` (0: it did not) will be read by `next` once more: for some seconds;
 * on the way back, for as long as it takes.
 */
bool transaction_reads_again(struct transaction *t, int error, void (*next)(struct transaction *t));
/* Writes the ledger; an error is noted as the transaction's. */
int transaction_save(struct transaction *t);
/* Plans from what there is, forward or back. */
void transaction_start_round(struct transaction *t);
/* `done` is told the outcome, in the next turn. */
void transaction_finish(struct transaction *t);

/* put-back.c */
/* Frees what it has noted. */
void put_back_done(struct transaction *t);
/* Reads what there is, however long that takes, and plans the way back from it. */
void put_back_begin(struct transaction *t);
/* Keeps whom the plan of the way back cuts off. */
void put_back_note_guests(struct transaction *t, const struct diff_input *in);
/* A step of the way back was refused. */
void put_back_note_refusal(struct transaction *t, const struct execute_result *result);
/* Takes what was refused twice out of the plan of the way back. */
void put_back_leave_out(struct transaction *t);
/* Forward or back, no change is left to be made: puts back what others had, and ends the transaction. */
void put_back_others(struct transaction *t);
/* Ends the way back: says honestly what it reached. */
void put_back_finish(struct transaction *t);
