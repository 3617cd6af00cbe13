/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the system bus as a daemon sees it that runs before it: connected when there is one, again when it was
 * restarted, and with a short patience.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

struct bus;

/*
 * names: NULL-terminated, of static lifetime. changed: one of them came or went, or said that it forgot what it
 * was told (a signal Reloaded, firewalld's).
 */
struct bus *bus_new(sd_event *event, const char *const *names, void (*changed)(const char *name, void *userdata),
		    void *userdata);
struct bus *bus_free(struct bus *b);
/* Is somebody there under that name (one of those of bus_new()) who answers? */
bool bus_has(const struct bus *b, const char *name);
/* For calls to a name that is there. */
sd_bus *bus_connection(struct bus *b);
/*
 * A call that changes something, with more patience: one that is given up may be done nevertheless. Negative errno with
 * *e; see bus_is_silence().
 */
int bus_change(struct bus *b, sd_bus_message *m, sd_bus_error *e);
/* Did a call fail for want of an answer? Then what it was to change has to be read. */
bool bus_is_silence(int error, const sd_bus_error *e);
/* After a failed call: 0 or negative errno with *why (the caller frees it). Who did not answer is gone for a while. */
int bus_failed(struct bus *b, const char *name, int error, sd_bus_error *e, char **why);
