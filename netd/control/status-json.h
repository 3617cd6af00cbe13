/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the manager's state and its links as the interface's types Daemon, Link, Difference. The caller owns the
 * JSON. */
#pragma once

#include <json-c/json.h>

#include "../model/children.h"
#include "../reconcile/manager.h"

struct json_object *status_daemon(struct manager *m);
/* One link by kernel name, as declared and as it is; NULL when it is neither. brief leaves out options. children: of
 * ACTUAL. */
/* The traffic counters of a link, for its member statistics; NULL when they cannot be read. */
struct json_object *status_statistics(struct manager *m, const char *name);
struct json_object *status_link(struct manager *m, const struct children *children, const char *name, bool brief);
/* What differs on all declared links: does anything? */
bool status_in_sync(struct manager *m);

/* The confirmation that is waited for, as the interface has it; NULL: none. */
struct json_object *status_confirm(const struct manager *m);
/* Seconds since the epoch as "2026-11-22T01:02:03Z". */
struct json_object *status_time(int64_t when);

/* A string, or null for NULL. */
struct json_object *json_text(const char *text);
/* Adds "file" and "line" (null when nowhere). */
void json_add_place(struct json_object *to, const struct sources *sources, struct loc loc);
