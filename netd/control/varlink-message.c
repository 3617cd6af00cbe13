/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: see varlink-message.h.
 */
#include "varlink-message.h"

#include "utf8.h"

#define DEPTH_MAX 32

void message_reader_done(struct message_reader *r)
{
	if (r->tokener)
		json_tokener_free(r->tokener);
	json_object_put(r->object);
	*r = (struct message_reader){0};
}

/*
 * Counts values before they are allocated: an array of 34 MiB of "0," would become more than a gigabyte. Returns false
 * at a quote that JSON does not have but json-c takes around names, as it would hide the values from the count.
 */
static bool count_elements(struct message_reader *r, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = data[i];

		if (r->in_string) {
			if (r->escaped)
				r->escaped = false;
			else if (c == '\\')
				r->escaped = true;
			else if (c == '"')
				r->in_string = false;
			continue;
		}
		if (c == '\'')
			return false;
		if (c == '"')
			r->in_string = true;
		else if (c == ',' || c == '[' || c == '{')
			r->elements++;
	}
	return true;
}

static bool all_whitespace(const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\r\n", data[i]))
			return false;
	return true;
}

/* Feeds text without NUL. Returns 0 or -EBADMSG with *why. */
static int feed(struct message_reader *r, const char *data, size_t n, char **why)
{
	enum json_tokener_error error;

	if (r->object) {
		if (all_whitespace(data, n))
			return 0;
		*why = xstrdup("text after the end of the object");
		return -EBADMSG;
	}
	if (!r->tokener) {
		r->tokener = json_tokener_new_ex(DEPTH_MAX);
		if (!r->tokener)
			abort();
		json_tokener_set_flags(r->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	}
	r->object = json_tokener_parse_ex(r->tokener, data, (int)n);
	error = json_tokener_get_error(r->tokener);
	if (error == json_tokener_success || error == json_tokener_continue)
		return 0;
	*why = error == json_tokener_error_depth ? xasprintf("nested deeper than %d", DEPTH_MAX)
						 : xasprintf("not JSON: %s", json_tokener_error_desc(error));
	return -EBADMSG;
}

int message_read(struct message_reader *r, const struct varlink_limits *limits, const char *data, size_t n,
		 size_t *used, struct json_object **ret, char **why)
{
	const char *nul = memchr(data, 0, n);
	size_t len = nul ? (size_t)(nul - data) : utf8_whole(data, n);
	int result;

	*used = nul ? len + 1 : len;
	r->size += len;
	if (r->size > limits->message_max) {
		*why = xasprintf("over %zu bytes", limits->message_max);
		return -EBADMSG;
	}
	if (!count_elements(r, data, len)) {
		*why = xstrdup("not JSON: strings take double quotes");
		return -EBADMSG;
	}
	if (r->elements > limits->message_elements_max) {
		*why = xasprintf("over %zu values", limits->message_elements_max);
		return -EBADMSG;
	}
	result = feed(r, data, len, why);
	if (result < 0 || !nul)
		return result;
	if (!json_object_is_type(r->object, json_type_object)) {
		*why = xstrdup("not a JSON object");
		return -EBADMSG;
	}
	*ret = TAKE_PTR(r->object);
	message_reader_done(r);
	return 1;
}

char *message_reply(struct json_object *parameters, const char *error, bool continues, size_t *len)
{
	struct json_object *reply = json_object_new_object();
	const char *text;
	char *copy;

	if (!reply)
		abort();
	if (error)
		json_object_object_add(reply, "error", json_object_new_string(error));
	json_object_object_add(reply, "parameters", parameters ? parameters : json_object_new_object());
	if (continues)
		json_object_object_add(reply, "continues", json_object_new_boolean(true));
	text = json_object_to_json_string_length(reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
	if (!text)
		abort();
	/* json-c passes bytes of strings through; names from the kernel and from files may be anything. */
	copy = utf8_clean(text, len);
	json_object_put(reply);
	*len += 1;
	return copy;
}
