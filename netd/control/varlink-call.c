/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: one call: its header, its replies, and the check of its parameters against the method's fields.
 */
#include "varlink-internal.h"

static bool header_flag(struct json_object *value, bool *ret)
{
	if (value && !json_object_is_type(value, json_type_boolean))
		return false;
	*ret = json_object_get_boolean(value);
	return true;
}

/* Takes one member of the call's header; false: it should not be there, or not with this value. */
static bool header_member(struct varlink_call *call, const char *name, struct json_object *value)
{
	if (streq(name, "method")) {
		if (!json_object_is_type(value, json_type_string))
			return false;
		call->method = json_object_get_string(value);
		return true;
	}
	if (streq(name, "parameters")) {
		if (value && !json_object_is_type(value, json_type_object))
			return false;
		json_object_put(call->parameters);
		call->parameters = json_object_get(value);
		return true;
	}
	if (streq(name, "more"))
		return header_flag(value, &call->more);
	if (streq(name, "oneway"))
		return header_flag(value, &call->oneway);
	if (streq(name, "upgrade"))
		return header_flag(value, &call->upgrade);
	/* Extensions carry a vendor's domain in their names; all others are reserved for the protocol. */
	return strchr(name, '.');
}

/* The first 60 characters of a client's text for the log, in which it must not look like lines of ours. */
static char *printable(const char *text)
{
	char *copy = xasprintf("%.60s", text);

	for (char *c = copy; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return copy;
}

struct varlink_call *call_new(struct connection *c, struct json_object *message, char **why)
{
	struct varlink_call *call = xcalloc(1, sizeof(*call));
	const char *bad = NULL;

	call->refs = 1;
	call->connection = c;
	call->message = message;
	json_object_object_foreach (message, name, value) {
		if (!header_member(call, name, value))
			bad = name;
	}
	if (!bad && !call->method)
		bad = "method";
	if (!bad && call->more + call->oneway + call->upgrade > 1)
		bad = "only one of more, oneway, upgrade";
	if (bad) {
		*why = printable(bad);
		varlink_call_unref(call);
		return NULL;
	}
	if (!call->parameters)
		call->parameters = json_object_new_object();
	return call;
}

struct varlink_call *varlink_call_ref(struct varlink_call *call)
{
	call->refs++;
	return call;
}

struct varlink_call *varlink_call_unref(struct varlink_call *call)
{
	if (!call || --call->refs > 0)
		return NULL;
	json_object_put(call->parameters);
	json_object_put(call->message);
	free(call);
	return NULL;
}

void call_finish(struct varlink_call *call, bool gone)
{
	struct connection *c = call->connection;
	struct stream stream = call->stream;

	call->connection = NULL;
	call->stream = (struct stream){0};
	c->call = NULL;
	c->server->input_total -= c->charged;
	c->charged = 0;
	if (gone && call->gone)
		call->gone(call, call->gone_userdata);
	if (stream.free_fn)
		stream.free_fn(stream.userdata);
	varlink_call_unref(call);
}

const struct varlink_peer *varlink_call_peer(const struct varlink_call *call)
{
	return &call->connection->peer;
}

const char *varlink_call_method(const struct varlink_call *call)
{
	return call->method;
}

bool varlink_call_more(const struct varlink_call *call)
{
	return call->more;
}

bool varlink_call_oneway(const struct varlink_call *call)
{
	return call->oneway;
}

void varlink_call_on_gone(struct varlink_call *call, void (*gone)(struct varlink_call *call, void *userdata),
			  void *userdata)
{
	call->gone = gone;
	call->gone_userdata = userdata;
}

/* The last word on a call. */
static int answer(struct varlink_call *call, const char *error, struct json_object *parameters)
{
	struct connection *c = call->connection;

	if (!c) {
		json_object_put(parameters);
		return -ENOTCONN;
	}
	if (call->oneway) {
		json_object_put(parameters);
		connection_wake(c); /* it has to go on to its next call */
	} else {
		connection_send(c, parameters, error, false);
	}
	call_finish(call, false);
	return 0;
}

int varlink_reply(struct varlink_call *call, struct json_object *parameters)
{
	return answer(call, NULL, parameters);
}

int varlink_error(struct varlink_call *call, const char *error, struct json_object *parameters)
{
	return answer(call, error, parameters);
}

static struct json_object *one_string(const char *name, const char *value)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, name, json_object_new_string(value));
	return o;
}

int varlink_error_invalid_parameter(struct varlink_call *call, const char *parameter)
{
	return answer(call, "org.varlink.service.InvalidParameter", one_string("parameter", parameter));
}

int varlink_error_permission_denied(struct varlink_call *call)
{
	return answer(call, "org.varlink.service.PermissionDenied", NULL);
}

int varlink_reply_more(struct varlink_call *call, struct json_object *parameters)
{
	struct connection *c = call->connection;
	int r = 0;

	if (!c)
		r = -ENOTCONN;
	else if (!call->more)
		r = -EINVAL;
	else if (connection_unsent(c) >= c->server->limits.output_max)
		r = -ENOBUFS;
	if (r < 0) {
		json_object_put(parameters);
		return r;
	}
	connection_send(c, parameters, NULL, true);
	return 0;
}

int varlink_stream(struct varlink_call *call, varlink_next_fn *next, void *userdata, void (*free_fn)(void *userdata))
{
	int r = 0;

	if (!call->connection)
		r = -ENOTCONN;
	else if (!call->more)
		r = -EINVAL;
	if (r < 0) {
		if (free_fn)
			free_fn(userdata);
		return r;
	}
	call->stream = (struct stream){.next = next, .userdata = userdata, .free_fn = free_fn};
	connection_wake(call->connection);
	return 0;
}

static bool type_fits(const struct varlink_field *f, struct json_object *value)
{
	switch (f->type) {
	case VARLINK_BOOL:
		return json_object_is_type(value, json_type_boolean);
	case VARLINK_INT:
		return json_object_is_type(value, json_type_int);
	case VARLINK_STRING:
		return json_object_is_type(value, json_type_string) &&
		       strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value);
	case VARLINK_TEXT:
		return json_object_is_type(value, json_type_string);
	case VARLINK_STRUCT:
	case VARLINK_OBJECT:
		return json_object_is_type(value, json_type_object);
	}
	return false;
}

/* One value, or one item of an array. Returns NULL or the path of what is wrong. */
static char *check_value(const struct varlink_field *f, struct json_object *value, const char *path)
{
	_cleanup_free_ char *inner = NULL;

	if (!type_fits(f, value))
		return xstrdup(path);
	if (f->type != VARLINK_STRUCT)
		return NULL;
	inner = varlink_check(value, f->members);
	return inner ? xasprintf("%s.%s", path, inner) : NULL;
}

static char *check_array(const struct varlink_field *f, struct json_object *array)
{
	if (!json_object_is_type(array, json_type_array))
		return xstrdup(f->name);
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		_cleanup_free_ char *path = xasprintf("%s[%zu]", f->name, i);
		char *bad = check_value(f, json_object_array_get_idx(array, i), path);

		if (bad)
			return bad;
	}
	return NULL;
}

static const struct varlink_field *field_find(const struct varlink_field *fields, const char *name)
{
	for (; fields && fields->name; fields++)
		if (streq(fields->name, name))
			return fields;
	return NULL;
}

char *varlink_check(struct json_object *object, const struct varlink_field *fields)
{
	json_object_object_foreach (object, name, value) {
		const struct varlink_field *f = field_find(fields, name);
		char *bad;

		if (!f)
			return xstrdup(name);
		if (!value) /* null is as good as absent */
			continue;
		bad = f->array ? check_array(f, value) : check_value(f, value, name);
		if (bad)
			return bad;
	}
	for (const struct varlink_field *f = fields; f && f->name; f++)
		if (f->required && !json_object_object_get(object, f->name))
			return xstrdup(f->name);
	return NULL;
}

const char *varlink_get_string(struct json_object *object, const char *name, const char *otherwise)
{
	struct json_object *value = json_object_object_get(object, name);

	return value ? json_object_get_string(value) : otherwise;
}

bool varlink_get_bool(struct json_object *object, const char *name, bool otherwise)
{
	struct json_object *value = json_object_object_get(object, name);

	return value ? json_object_get_boolean(value) : otherwise;
}

int64_t varlink_get_int(struct json_object *object, const char *name, int64_t otherwise)
{
	struct json_object *value = json_object_object_get(object, name);

	return value ? json_object_get_int64(value) : otherwise;
}
