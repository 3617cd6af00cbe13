/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: asks something on the network, again and again, whether it is there, from the event loop and without waiting
 * for anything. Whether it matters that there is no answer is for who asks to say (reconcile/guard.h).
 */
#pragma once

#include "../kernel/kernel.h"
#include "../model/probe.h"

struct probe;

typedef void probe_answered_fn(struct probe *p, void *userdata);

/* Opens nothing before the first question. The kernel object must outlive it; `answered` must not free it. */
struct probe *probe_new(const struct probe_target *target, struct kernel *k, probe_answered_fn *answered,
			void *userdata);
struct probe *probe_free(struct probe *p);

const struct probe_target *probe_target(const struct probe *p);
/*
 * Sends one question. What cannot be asked now (no route, no socket) has no answer. `answered` may be called from in
 * here where the kernel alone knows the answer.
 */
void probe_ask(struct probe *p);
/* Answers to questions so far are not told any more. */
void probe_forget(struct probe *p);

/* PROBE_GATEWAY: has this host a default route by that gateway? With NULL: any of the family? */
bool probe_is_gateway(const struct model *actual, uint8_t family, const uint8_t *gateway);
/* Calls fn for each default gateway of the main table, once. */
void probe_gateways(const struct model *actual, void (*fn)(const struct probe_target *t, void *userdata),
		    void *userdata);
