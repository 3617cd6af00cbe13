/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: Hold and Release. */
#include "../clock.h"
#include "service-internal.h"

#define HOLD_MAX (30 * 86400)

void method_hold(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *s = userdata;
	struct json_object *links = json_object_object_get(parameters, "links");
	int64_t seconds = varlink_get_int(parameters, "seconds", 3600);
	size_t n = links ? json_object_array_length(links) : 0;
	char by[64];

	if (seconds < 1 || seconds > HOLD_MAX) {
		varlink_error_invalid_parameter(call, "seconds");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(links, i));

		if (!model_find(&manager_wanted(s->manager)->links, name)) {
			reply_with(call, INTERFACE ".NoSuchLink", "name", name);
			return;
		}
	}
	describe_peer(s, call, by, sizeof(by));
	for (size_t i = 0; i < n; i++)
		manager_hold(s->manager, json_object_get_string(json_object_array_get_idx(links, i)), by,
			     (uint64_t)seconds);
	if (!n)
		manager_hold(s->manager, "", by, (uint64_t)seconds);
	varlink_reply(call, NULL);
}

static bool all_held(const struct manager *m)
{
	for (size_t i = 0; i < m->n_holds; i++)
		if (!m->holds[i].link[0] && m->holds[i].until > boottime())
			return true;
	return false;
}

void method_release(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *s = userdata;
	struct json_object *links = json_object_object_get(parameters, "links"), *json = json_object_new_object();
	size_t n = links ? json_object_array_length(links) : 0, released = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(links, i));

		released += *name ? manager_release(s->manager, name) : 0; /* "" are all */
	}
	if (!n)
		released = manager_release(s->manager, "");
	json_object_object_add(json, "released", json_object_new_int64((int64_t)released));
	json_object_object_add(json, "all_held", json_object_new_boolean(all_held(s->manager)));
	varlink_reply(call, json);
}
