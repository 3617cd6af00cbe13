/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the manager's state and its links as the interface's types Daemon, Link, Difference. The caller owns the
 * JSON. */
#pragma once

#include <json-c/json.h>

#include "../reconcile/manager.h"

struct json_object *status_daemon(struct manager *m);
/* The traffic counters of a link, for its member statistics; NULL when they cannot be read. */
struct json_object *status_statistics(struct manager *m, const char *name);
/* What the ports of a bond and their partners say by LACP, for its member lacp; NULL when there is no such bond. */
struct json_object *status_lacp(const char *name);
/* What the link has from DHCP servers, for its member leases; NULL: nothing. */
struct json_object *status_leases(const struct manager *m, const char *name);

/* What status of many links is made with. */
struct status_view {
	struct manager *manager;
	bool brief; /* without options */
	/* Empty ones, the same for all links: mostly a link has none of most, and making one costs as much as ten
	 * texts. */
	struct json_object *no_list, *no_options;
	/* For texts, one after another: opening a stream costs more than what is printed into it. */
	FILE *f;
	char *text;
	size_t len;
};
void status_view_open(struct status_view *v);
void status_view_close(struct status_view *v);
/* One link by kernel name, as declared and as it is; NULL when it is neither. */
struct json_object *status_link(struct status_view *v, const char *name);
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
/* Keys that are literals and are added once: neither copied nor looked for. */
static inline void json_add_new(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add_ex(to, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}
