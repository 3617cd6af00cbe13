/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: keeps the ledger true: before a plan runs, what it will make and what it will overwrite is noted; after it
 * ran, what needs no memory any more is dropped. Pure; the caller writes the ledger to disk in between.
 */
#pragma once

#include "plan.h"
#include "resolve.h"

/* Notes everything the plan is about to make or change. `actual` is the state the plan was made from. */
void ledger_note_plan(struct ledger *l, const struct plan *p, const struct model *actual);
/* Makes ours what `adopt = yes` says it of. Returns whether there was any. */
bool ledger_adopt(struct ledger *l, const struct effective *e, const struct model *actual);
/* Drops what is back to how it was found, links that are gone and not wanted; notes the ifindex of what was made. */
void ledger_settle(struct ledger *l, const struct effective *e, const struct model *actual);
/* After a rollback, with the ledger as before the change: what the way back had to make again is known by its new
 * ifindex. */
void ledger_follow(struct ledger *l, const struct model *actual);
