/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: one change of the kernel from beginning to end: resolve, plan, note in the ledger, execute, read back,
 * compare; again while the kernel's own doings leave a difference; and, when it fails and that is wanted, all the way
 * back. The one path for apply, boot, repair and resume.
 */
#pragma once

#include "../kernel/kernel.h"
#include "../plan/ownership.h"
#include "../plan/planner.h"
#include "../plan/restore.h"
#include "state.h"

/* How it ended. Texts are owned by the transaction and live during the callback. */
struct outcome {
	int error;	  /* 0: the kernel shows what was wanted; else negative errno */
	bool changed;	  /* messages were sent */
	bool unread;	  /* the error is that the state of the kernel could not be read, before the change or after */
	bool no_driver;	  /* the kernel has none for links of the kind that `link` is */
	const char *step; /* the op that failed, in words; NULL: it was the read-back */
	const char *link; /* which link it was about, or NULL */
	const char *text; /* the kernel's words, or what the read-back showed */
	struct loc loc;
	bool rolled_back;   /* a way back was tried ... */
	bool restored;	    /* ... and the kernel shows the state before again */
	char **differences; /* what still differs from it, in words */
	size_t n_differences;
	const char *cut_off; /* whom the way back left without a bridge that was not there before; NULL: nobody */
};

struct transaction_hooks {
	/* Called first, with ACTUAL still as it was at the start; NULL: nothing. */
	void (*begin)(void *userdata);
	/* Brings in what is not told of: called before each plan, also of a way back. */
	void (*look)(void *userdata);
	/* The effective model for the state as it is now; the transaction owns and frees it. */
	void (*resolve)(struct effective *ret, void *userdata);
	/* With roll_back: fills in what of the state to go back to is not read from the kernel. */
	void (*before)(struct effective *before, void *userdata);
	/* Drops what is not to be changed (drift = report, held links) before planning; NULL: nothing. */
	void (*filter)(struct effective *e, void *userdata);
	/* Writes the ledger down, before messages are sent and after a way back; after other ends it is for `done` to
	 * do. */
	int (*save)(void *userdata);
	/* With roll_back: writes down the state to go back to, before the first message. Negative errno: nothing is
	 * sent. */
	int (*journal)(const struct effective *before, const struct ledger_past *ledger_before,
		       const struct keepsakes *keepsakes, void *userdata);
	/* Is what others attached to be spared? A plan that would cut it off fails; not asked on the way back. */
	bool (*spare)(void *userdata);
	void (*progress)(size_t done, size_t total, void *userdata);
	void (*step)(const struct op *op, void *userdata); /* each op of a plan about to run, for the log */
	void (*done)(const struct outcome *outcome, void *userdata);
};

struct transaction;

/*
 * Starts, in the next turn of the event loop; `done` is called from it, also when there was nothing to do. roll_back:
 * go back to the state before when it fails. The ledger is changed in place. One at a time.
 */
struct transaction *transaction_start(struct kernel *k, struct ledger *ledger, bool roll_back,
				      const struct transaction_hooks *hooks, void *userdata);
/*
 * Starts the way back that a journal holds. Takes over what the last three hold, which become empty.
 * `done` tells in `restored` and `differences` what was reached.
 */
struct transaction *transaction_start_back(struct kernel *k, struct ledger *ledger, struct effective *before,
					   struct ledger_past *ledger_before, struct keepsakes *keepsakes,
					   const struct transaction_hooks *hooks, void *userdata);
struct transaction *transaction_free(struct transaction *t);
