/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a program that is kept running beside the daemon. Its end is noticed, and it is started again, later each
 * time when it does not last. It outlives the daemon; the next one takes it over by a file that says which process it
 * is.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../util.h"

struct child;

struct child_setup {
	const char *name;	 /* for the log: "the DHCP client of br0" */
	const char *const *argv; /* NULL-terminated; argv[0] is looked for in PATH. Copied */
	const char *path;	 /* of the file */
	const char *note;	 /* kept in the file with it, one word: see child_note() */
};

/* Takes over the process that the file names, if it still is that one, else starts it. Never NULL. */
struct child *child_new(sd_event *event, const struct child_setup *setup);
/* Leaves it running. */
struct child *child_free(struct child *c);
/* Ends it (SIGTERM, after two seconds SIGKILL) and forgets it. */
struct child *child_stop(struct child *c);
/* Does it run, as of now? Also before the event loop has seen its end. */
bool child_runs(const struct child *c);
/* Sends it a signal. Negative errno; -ESRCH: it does not run. */
int child_signal(struct child *c, int signal);
/*
 * Of one that ended as soon as it had started: its complaint when it is run once more, which nobody reads in a journal
 * that says nothing of what was asked for. NULL: it has none, or does not end within `msec`. The caller frees it.
 */
char *child_last_words(const struct child *c, int msec);
/* Why it does not run; NULL: it does. */
const char *child_trouble(const struct child *c);
/* The note of the file, or NULL when it names no running process. The caller frees it. */
char *child_note(const char *path);
