/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: keepsake-json.h. Messages are hexadecimal. */
#include "keepsake-json.h"

#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

static char *hex(const struct blob *b)
{
	char *text = xcalloc(b->len + 1, 2);

	for (uint32_t i = 0; i < b->len; i++)
		snprintf(text + 2 * i, 3, "%02x", b->data[i]);
	return text;
}

static struct blob *unhex(const char *text)
{
	size_t len = strlen(text) / 2;
	_cleanup_free_ uint8_t *bytes = xcalloc(len + 1, 1);

	for (size_t i = 0; i < len; i++)
		if (sscanf(text + 2 * i, "%2hhx", &bytes[i]) != 1)
			return NULL;
	return blob_new(bytes, len);
}

struct json_object *keepsakes_to_json(const struct keepsakes *s)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < s->n; i++) {
		struct json_object *json = json_object_new_object(), *links = json_object_new_array();
		_cleanup_free_ char *payload = hex(s->list[i].payload);

		for (size_t n = 0; n < s->list[i].n_links; n++)
			json_object_array_add(links, json_object_new_string(s->list[i].links[n]));
		json_object_object_add(json, "type", json_object_new_int(s->list[i].type));
		json_object_object_add(json, "what", json_object_new_string(s->list[i].what));
		json_object_object_add(json, "links", links);
		json_object_object_add(json, "payload", json_object_new_string(payload));
		json_object_array_add(array, json);
	}
	return array;
}

static size_t length_of(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

/* What follows the payload's fixed header is attributes; a shorter one is none of ours. */
static bool is_sound(uint16_t type, const struct blob *payload)
{
	switch (type) {
	case RTM_NEWROUTE:
		return payload && payload->len >= sizeof(struct rtmsg);
	case RTM_NEWNEXTHOP:
		return payload && payload->len >= sizeof(struct nhmsg);
	case RTM_NEWQDISC:
		return payload && payload->len >= sizeof(struct tcmsg);
	case RTM_NEWNEIGH:
		return payload && payload->len >= sizeof(struct ndmsg);
	case RTM_SETLINK:
	case RTM_NEWLINKPROP:
		return payload && payload->len >= sizeof(struct ifinfomsg);
	default:
		return false;
	}
}

struct keepsakes keepsakes_from_json(struct json_object *json)
{
	struct keepsakes s = {0};

	for (size_t i = 0; i < length_of(json); i++) {
		struct json_object *entry = json_object_array_get_idx(json, i);
		struct json_object *links = json_object_object_get(entry, "links");
		const char *what = json_object_get_string(json_object_object_get(entry, "what"));
		const char *payload = json_object_get_string(json_object_object_get(entry, "payload"));
		uint16_t type = (uint16_t)json_object_get_int(json_object_object_get(entry, "type"));
		struct blob *blob = payload ? unhex(payload) : NULL;
		struct keepsake *keepsake;

		if (!what || !is_sound(type, blob)) {
			free(blob);
			continue;
		}
		keepsake = ARRAY_APPEND(s.list, s.n);
		*keepsake = (struct keepsake){.type = type, .what = xstrdup(what), .payload = blob};
		for (size_t n = 0; n < length_of(links); n++) {
			const char *name = json_object_get_string(json_object_array_get_idx(links, n));

			keepsake->links = array_grow(keepsake->links, keepsake->n_links, sizeof(*keepsake->links));
			snprintf(keepsake->links[keepsake->n_links++], IFNAMSIZ, "%s", name ? name : "");
		}
	}
	return s;
}
