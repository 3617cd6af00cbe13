/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: sends changes without holding up the event loop. The kernel works on all messages of a send before the call
 * comes back, and how long that takes is not ours to say: it waits for the rtnl lock, for RCU grace periods, for a
 * driver to be loaded. So a thread does it, which lives as long as the sender and touches nothing but the messages,
 * their results and a socket that nobody else uses.
 */
#pragma once

#include <systemd/sd-event.h>

#include "rtnl.h"

struct sender;

/*
 * What rtnl_batch() gave, and from when to when it took (pace_now()). The results, where there is no error, are the
 * callee's to release.
 */
typedef void sender_done_fn(int error, struct rtnl_result *results, uint64_t begin, uint64_t end, void *userdata);
/* Asked by the thread before it sends. Negative errno: nothing is sent, and that is the error. */
typedef int sender_before_fn(struct rtnl *r, void *userdata);

/* 0 or negative errno. The caller closes it. */
int sender_open(struct sender **ret, sd_event *event, sender_done_fn *done, void *userdata);
/* Waits for the send that is under way; its `done` is not called. */
struct sender *sender_close(struct sender *s);
/*
 * One at a time. The messages must live unchanged until `done` is called, from a later turn of the loop. before: may be
 * NULL.
 */
void sender_send(struct sender *s, void *messages, size_t len, size_t n, sender_before_fn *before);
size_t sender_bytes(const struct sender *s);
