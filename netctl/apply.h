/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the way of every call that changes the kernel: progress while it runs, and how it ended. */
#pragma once

#include "client.h"
#include "netctl.h"

/*
 * Calls Apply or Rollback and sees it through. Takes over parameters. steps: how many changes were shown before, for
 * the last line. Returns the exit status.
 */
int apply_run(struct client *c, const char *method, struct json_object *parameters, size_t steps,
	      const struct options *o);
