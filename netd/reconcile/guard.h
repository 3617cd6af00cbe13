/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: judges by probes whether a change has cut something off. Before the change it finds out who answers; of
 * those, after the change, none may be without an answer for longer than the timeout.
 */
#pragma once

#include "../probe/probe.h"

struct probe_list {
	struct probe_target *list; /* owned */
	size_t n;
};

struct guard;

struct guard_events {
	void (*known)(void *userdata);		       /* once: who answers before the change is known */
	void (*answered)(void *userdata);	       /* once: all that count have answered after the change */
	void (*lost)(const char *why, void *userdata); /* once; each of them may free the guard */
};

/* Begins to ask. timeout: microseconds. Copies the list. */
struct guard *guard_new(struct kernel *k, const struct probe_list *list, uint64_t timeout,
			const struct guard_events *events, void *userdata);
/* The same for probes that are known to have answered: `known` is not called, guard_watch() is next. */
struct guard *guard_resume(struct kernel *k, const struct probe_list *list, uint64_t timeout,
			   const struct guard_events *events, void *userdata);
struct guard *guard_free(struct guard *g);

/* The last message of the change was sent; traffic may take so many microseconds to flow again. */
void guard_watch(struct guard *g, uint64_t wait);

/* Those that count: they answered before, and what they ask has not been replaced by the change. The caller frees it.
 */
struct probe_list guard_counting(const struct guard *g);

struct guard_state {
	const struct probe_target *target;
	bool counts, answers; /* since the change */
	unsigned silent;      /* seconds since it was asked first or has answered last */
};
/* For status; only while it watches. */
size_t guard_states(const struct guard *g, struct guard_state **ret);
