/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a host for tests of the planner: a fake kernel, the ledger, and what kvmnetd does with them: parse, resolve,
 * plan, note, execute, settle. State is described in the configuration's own language; see world_make().
 */
#pragma once

#include "../../netd/config/config.h"
#include "../../netd/plan/ownership.h"
#include "../../netd/plan/planner.h"
#include "../../netd/plan/resolve.h"
#include "../../netd/plan/restore.h"
#include "fake-kernel.h"

struct world {
	struct fake_kernel kernel;
	struct ledger ledger;
	struct model *dump; /* of the kernel; what plans borrow from */
	size_t stop;	    /* `stop` of [foreign]: so many ops of the plan are done before it is taken back */
};

/*
 * What is there, in sections of three sorts:
 *   [KIND NAME]          what kvmnetd has applied;
 *   [foreign KIND NAME]  what others had made before that, in the same keys;
 *   [drift KIND NAME]    what others changed since.
 * and [foreign] with the key `devices` (that exist; "tap..." and "vnet..." are no NICs) and `stop`; [drift] with the
 * keys `delete`, `down`, `nomaster`, `flush` (links to which that happened; flush: all addresses and routes are gone).
 */
void world_make(struct world *w, const char *text);
void world_done(struct world *w);

/* One look at the world and what follows from it. The config and the dump are the caller's. */
struct step {
	struct effective effective;
	struct plan plan;
	struct diff_input in;
};

/* A configuration from text. The test fails when it has errors. The caller frees it. */
struct config *world_config(const char *text);
/* Takes a new dump; earlier steps must be done. */
void world_look(struct world *w);
void step_make(struct world *w, const struct config *c, struct step *ret);
/* The same, about these links only. */
void step_make_of(struct world *w, const struct config *c, const struct scope *scope, struct step *ret);
/* The plan from the world as it was looked at to that effective model; takes the model over. */
void step_make_back(struct world *w, struct effective *e, struct step *ret);
void step_done(struct step *s);
/*
 * Executes the first n ops (those there are). Returns how many were done: less when the kernel refused one, whose error
 * is then in *error.
 */
size_t world_execute(struct world *w, const struct plan *p, size_t n, int *error);
/*
 * Brings the world to a configuration, as an apply does; the test fails when that takes more than `rounds` plans, or
 * when an op is refused.
 */
void world_apply(struct world *w, const struct config *c, unsigned rounds);
/*
 * Goes back to `before`, which restore_extend() has put into *back; the first plan's text goes to f, unless it is NULL.
 * The test fails when an op is refused, when it takes more than three plans, or when it does not lead there.
 */
void world_go_back(struct world *w, struct effective *back, const struct model *before, const char *from, FILE *f);
/* One line per op. The caller frees it. */
char *plan_text(const struct plan *p);
