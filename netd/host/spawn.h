/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: starting another program. */
#pragma once

#include <sys/types.h>

/*
 * argv[0] is looked for in PATH. The program reads from `input`, or nothing when that is -1, and complains to
 * `complaints`, or with -1 where we do. Its signals are its own, it is in a session of its own, and of our environment
 * it gets PATH and no more. Returns 0 with its *pid, to be waited for, or negative errno: -ENOENT, it is not installed.
 */
int spawn_program(pid_t *pid, char *const argv[], int input, int complaints);
/*
 * The last line that a program wrote into this file, without its own name before it ("dnsmasq[7]: "); NULL: it said
 * nothing. The caller frees it.
 */
char *spawn_last_words(int complaints);

/* Waits for its end, and kills it after `msec`. Returns 0, -ETIMEDOUT, or -EIO when it failed. */
int spawn_wait(pid_t pid, int msec);
