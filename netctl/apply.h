/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the way of every call that changes the kernel: progress while it runs, and how it ended. */
#pragma once

#include "client.h"
#include "netctl.h"

/*
 * Calls Apply or Rollback and sees it through: its plan (unless the operator named it), progress, result. Takes over
 * parameters. Returns the exit status.
 */
int apply_run(struct client *c, const char *method, struct json_object *parameters, const struct options *o);
