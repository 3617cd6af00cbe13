/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what observe.c and observe-event.c share. Internal to kernel/. */
#pragma once

#include "kernel-internal.h"

/* Takes one datagram of events into ACTUAL, and marks what is to be read again. */
void observe_messages(struct kernel *k, const void *data, size_t len);
/* Takes the link as it is now, and owns it from here. */
void observe_link(struct kernel *k, struct link *fresh);
/* Marks the links whose routes the addresses that went, and the routes that came, took away silently. */
void observe_mark_routes(struct kernel *k);
void observe_forget_routes(struct kernel *k);
/* Notes the link for `changed`. */
void observe_changed(struct kernel *k, const char *name);
