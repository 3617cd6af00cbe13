/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what a change that is not finished needs to be undone by another process: the state before it, the ledger
 * before it, and, while a confirmation is pending, until when and what was applied. In the runtime directory, written
 * and synced before the first message; it goes when the change is committed.
 *
 * Beside it, in the state directory: that the files were not confirmed, which a reboot must not forget.
 */
#pragma once

#include "../model/ledger.h"
#include "../plan/resolve.h"
#include "guard.h"
#include "state.h"

struct journal {
	struct effective before;
	struct ledger_past ledger_before;
	struct keepsakes keepsakes;
	uint32_t generation_before; /* committed when the state has another one */
	uint32_t newest;	    /* of all that were stored before; what is above it was never committed */
	uint32_t rollback_to;	    /* the generation that is applied; 0: the directory's files are */
	/* While a confirmation is pending (or was asked for): */
	uint64_t deadline; /* CLOCK_BOOTTIME, microseconds; 0: no confirmation was asked for */
	bool waiting;	   /* the change itself is done */
	char *armed_by;	   /* owned: "root (uid 0, pid 123)" */
	struct config_files files;
	char *plan;			    /* owned; its lines, or NULL */
	struct probe_list probes;	    /* those that answered before the change */
	uint64_t probe_timeout, probe_wait; /* microseconds */
};

void journal_done(struct journal *j);
#define JOURNAL_NULL ((struct journal){0})

int journal_write(const struct state_dirs *dirs, const struct journal *j);
/*
 * Notes in the journal that the change itself is done and the confirmation is waited for, until then (CLOCK_BOOTTIME,
 * microseconds). 0: not any more, from now on nothing but the state before will do.
 */
int journal_set_waiting(const struct state_dirs *dirs, uint64_t deadline);
/* -ENOENT: there is none for this boot and namespace. */
int journal_read(const struct state_dirs *dirs, struct journal *ret);
void journal_remove(const struct state_dirs *dirs);

/* The configuration directory holds what was never confirmed: a boot uses the last confirmed generation instead. */
int unconfirmed_mark(const struct state_dirs *dirs);
void unconfirmed_clear(const struct state_dirs *dirs);
bool unconfirmed_is_marked(const struct state_dirs *dirs);
