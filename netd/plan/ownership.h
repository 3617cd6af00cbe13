/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: keeps the ledger true: before a plan runs, what it will make and what it will overwrite is noted; after it
 * ran, what needs no memory any more is dropped. Pure; the caller writes the ledger to disk in between.
 */
#pragma once

#include "plan.h"
#include "resolve.h"

/* Notes everything the plan, which has its numbers, is about to make or change. `actual` is what it was made from. */
void ledger_note_plan(struct ledger *l, const struct plan *p, const struct model *actual);
/* After the plan: what it was to make and did not is not there. What was lost on the way is seen in `actual`. */
void ledger_note_made(struct ledger *l, const struct plan *p, const struct model *actual);
/* Notes what a plan of the way back is about to make again, of what `past` says that we had made it. Was there any? */
bool ledger_note_return(struct ledger *l, const struct ledger_past *past, const struct plan *p);
/* Makes ours what `adopt = yes` says it of. Returns whether there was any. */
bool ledger_adopt(struct ledger *l, const struct effective *e, const struct model *actual);
/* Drops what is back to how it was found, links that are gone and not wanted; notes the ifindex of what was made. */
void ledger_settle(struct ledger *l, const struct effective *e, const struct model *actual);
/* After a rollback, before `past` is put back: what the way back had to make again is known by its new ifindex. */
void ledger_follow(struct ledger_past *past, const struct ledger *now, const struct model *actual);
/* Do all links forward by somebody else's will? Then one that did not when it was found is not told to stop. */
bool forwarding_is_others(const struct ledger *l, const struct model *actual, enum link_row row);
