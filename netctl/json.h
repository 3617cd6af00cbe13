/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: members of replies, where absent, null and of another type than expected are all "not there": a client
 * shows what a daemon of another version sends. Texts live as long as the object they are in.
 */
#pragma once

#include <json-c/json.h>

#include "../netd/util.h"

static inline struct json_object *json_get(struct json_object *o, const char *name, enum json_type type)
{
	struct json_object *value = json_object_is_type(o, json_type_object) ? json_object_object_get(o, name) : NULL;

	return json_object_is_type(value, type) ? value : NULL;
}

/* NULL when it is not there. */
static inline const char *json_text(struct json_object *o, const char *name)
{
	struct json_object *value = json_get(o, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

static inline const char *json_text_or(struct json_object *o, const char *name, const char *otherwise)
{
	const char *text = json_text(o, name);

	return text ? text : otherwise;
}

static inline bool json_flag(struct json_object *o, const char *name)
{
	return json_object_get_boolean(json_get(o, name, json_type_boolean));
}

static inline int64_t json_int(struct json_object *o, const char *name, int64_t otherwise)
{
	struct json_object *value = json_get(o, name, json_type_int);

	return value ? json_object_get_int64(value) : otherwise;
}

static inline size_t json_count(struct json_object *o, const char *name)
{
	struct json_object *array = json_get(o, name, json_type_array);

	return array ? json_object_array_length(array) : 0;
}

/* i must be below json_count(). */
static inline struct json_object *json_item(struct json_object *o, const char *name, size_t i)
{
	return json_object_array_get_idx(json_object_object_get(o, name), i);
}

/* An item of an array of strings; "" when it is none. */
static inline const char *json_item_text(struct json_object *o, const char *name, size_t i)
{
	struct json_object *item = json_item(o, name, i);

	return json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
}

static inline void json_put_ptr(struct json_object **o)
{
	json_object_put(*o);
}
