/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: which links a change is about, so that one link more among thousands costs what one link costs. What is left
 * out is as it is wanted, and stays so: the plan is the same as that for everything. Pure.
 */
#pragma once

#include "../config/config.h"
#include "../model/ledger.h"

/*
 * Whose wanted or actual state may be another, with what hangs on those; and what these are resolved from.
 */
struct scope {
	bool partial;	      /* else it is about everything, and the rest is empty */
	struct names links;   /* those and those */
	struct names context; /* of them, what is only resolved from: it is as wanted, and not compared */
};

#define SCOPE_NULL ((struct scope){0})
void scope_done(struct scope *s);
struct scope scope_copy(const struct scope *s);

/* A scope larger than this is everything: many names cost more than a look at all. */
#define SCOPE_MAX 256

struct scope_input {
	const struct config *before,
		*now;		     /* the kernel is as `before` wants it, but for what was touched; may be one */
	const struct names *changed; /* by config_changes() of those */
	const struct model *actual;
	const struct names *touched; /* links that changed since the kernel was as wanted */
	const struct names *missing; /* devices that `before` waits for: who waits may be in the way of others */
};

void scope_make(const struct scope_input *in, struct scope *ret);

/* The links of a model, the records of a ledger, that it is about, in their order there. NULL: all. The caller frees
 * the array. */
struct link **scope_links(const struct scope *s, const struct model *m, size_t *n);
struct record **scope_records(const struct scope *s, const struct ledger *l, size_t *n);
