/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: attachments-json.h. Of a port only what attaching it again needs: its device, settings and VLANs. */
#include "attachments-json.h"

#include "values-json.h"

static struct json_object *vlans_to_json(const struct link *port)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < port->n_vlans; i++) {
		json_object_array_add(array, json_object_new_int(port->vlans[i].vid));
		json_object_array_add(array, json_object_new_int(port->vlans[i].flags));
	}
	return array;
}

/* Lists and names of links are not put back (resolve.c, port_settings()). */
static struct json_object *settings_to_json(const struct link *port)
{
	struct values *v = port->port ? values_copy(port->port) : NULL;
	struct json_object *json;

	for (unsigned row = 0; v && row < v->table->n; row++)
		if (v->table->rows[row].type->is_blob || (v->table->rows[row].flags & OPTION_STATUS))
			values_unset(v, row);
	json = values_to_json(v);
	values_free(v);
	return json;
}

static struct json_object *attachment_to_json(const struct attachment *a)
{
	const struct kind *kind = a->port->port ? kind_of_ports(a->port->port->table) : NULL;
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "port", json_object_new_string(a->port->name));
	json_object_object_add(json, "ifindex", json_object_new_int64(a->port->ifindex));
	json_object_object_add(json, "master", json_object_new_string(a->master));
	json_object_object_add(json, "master_ifindex", json_object_new_int64(a->master_ifindex));
	json_object_object_add(json, "master_kind", kind ? json_object_new_string(kind->name) : NULL);
	json_object_object_add(json, "settings", settings_to_json(a->port));
	if (a->has_vlans)
		json_object_object_add(json, "vlans", vlans_to_json(a->port));
	return json;
}

struct json_object *attachments_to_json(const struct attachments *a)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < a->n; i++)
		json_object_array_add(array, attachment_to_json(&a->list[i]));
	return array;
}

static const char *get_name(struct json_object *from, const char *key)
{
	struct json_object *value = json_object_object_get(from, key);
	const char *name = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

	return strlen(name) < IFNAMSIZ ? name : "";
}

static uint32_t get_index(struct json_object *from, const char *key)
{
	return (uint32_t)json_object_get_int64(json_object_object_get(from, key));
}

static void take_vlans(struct link *port, struct json_object *array)
{
	size_t n = json_object_is_type(array, json_type_array) ? json_object_array_length(array) / 2 : 0;

	for (size_t i = 0; i < n; i++)
		*ARRAY_APPEND(port->vlans, port->n_vlans) = (struct bridge_vlan){
			.vid = (uint16_t)json_object_get_int(json_object_array_get_idx(array, 2 * i)),
			.flags = (uint16_t)json_object_get_int(json_object_array_get_idx(array, 2 * i + 1)),
		};
}

/* The file is in their order. */
struct attachments attachments_from_json(struct json_object *json)
{
	struct attachments a = ATTACHMENTS_NULL;
	size_t n = json_object_is_type(json, json_type_array) ? json_object_array_length(json) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(json, i);
		const char *name = get_name(entry, "port"), *last = a.n ? a.list[a.n - 1].port->name : "";
		const struct kind *kind = kind_find(get_name(entry, "master_kind"));
		struct attachment *to;

		if (!kind || !name[0] || !get_name(entry, "master")[0] || strcmp(last, name) >= 0)
			continue;
		to = ARRAY_APPEND(a.list, a.n);
		name_copy(to->master, get_name(entry, "master"));
		to->master_ifindex = get_index(entry, "master_ifindex");
		to->port = link_new(name, &kind_ethernet);
		to->port->ifindex = get_index(entry, "ifindex");
		to->port->port = values_from_json(&kind->port, json_object_object_get(entry, "settings"));
		to->has_vlans = json_object_object_get(entry, "vlans");
		take_vlans(to->port, json_object_object_get(entry, "vlans"));
	}
	return a;
}
