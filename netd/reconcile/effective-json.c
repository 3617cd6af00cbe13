/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: effective-json.h. Addresses and routes are numbers and hexadecimal bytes, as the kernel has them. */
#include "effective-json.h"

#include "values-json.h"

static struct json_object *bytes_to_json(const uint8_t bytes[16])
{
	static const char digits[] = "0123456789abcdef";
	char text[32];

	for (size_t i = 0; i < 16; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return json_object_new_string_len(text, sizeof(text));
}

static bool bytes_from_json(struct json_object *json, uint8_t ret[16])
{
	const char *text = json_object_is_type(json, json_type_string) ? json_object_get_string(json) : "";

	if (strlen(text) != 32)
		return false;
	for (size_t i = 0; i < 16; i++)
		if (sscanf(text + 2 * i, "%2hhx", &ret[i]) != 1)
			return false;
	return true;
}

static void put_number(struct json_object *to, const char *key, uint64_t number)
{
	json_object_object_add(to, key, json_object_new_int64((int64_t)number));
}

static uint64_t get_number(struct json_object *from, const char *key)
{
	return (uint64_t)json_object_get_int64(json_object_object_get(from, key));
}

static const char *get_string(struct json_object *from, const char *key)
{
	struct json_object *value = json_object_object_get(from, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static struct json_object *address_to_json(const struct address *a)
{
	struct json_object *json = json_object_new_object();
	uint32_t broadcast;

	memcpy(&broadcast, a->broadcast, sizeof(broadcast));
	put_number(json, "family", a->family);
	put_number(json, "prefix_len", a->prefix_len);
	put_number(json, "scope", a->scope);
	put_number(json, "proto", a->proto);
	put_number(json, "flags", a->flags);
	put_number(json, "valid_lft", a->valid_lft);
	put_number(json, "metric", a->metric);
	json_object_object_add(json, "addr", bytes_to_json(a->addr));
	json_object_object_add(json, "label", json_object_new_string(a->label));
	if (a->has_peer)
		json_object_object_add(json, "peer", bytes_to_json(a->peer));
	if (a->has_broadcast)
		put_number(json, "broadcast", broadcast);
	return json;
}

static bool address_from_json(struct json_object *json, struct address *ret)
{
	uint32_t broadcast = (uint32_t)get_number(json, "broadcast");

	*ret = (struct address){
		.family = (uint8_t)get_number(json, "family"),
		.prefix_len = (uint8_t)get_number(json, "prefix_len"),
		.scope = (uint8_t)get_number(json, "scope"),
		.proto = (uint8_t)get_number(json, "proto"),
		.flags = (uint32_t)get_number(json, "flags"),
		.valid_lft = (uint32_t)get_number(json, "valid_lft"),
		.metric = (uint32_t)get_number(json, "metric"),
		.has_broadcast = json_object_object_get(json, "broadcast"),
	};
	memcpy(ret->broadcast, &broadcast, sizeof(broadcast));
	snprintf(ret->label, sizeof(ret->label), "%s", get_string(json, "label"));
	ret->has_peer = bytes_from_json(json_object_object_get(json, "peer"), ret->peer);
	return bytes_from_json(json_object_object_get(json, "addr"), ret->addr);
}

static struct json_object *route_to_json(const struct route *r)
{
	struct json_object *json = json_object_new_object();

	put_number(json, "family", r->family);
	put_number(json, "dst_len", r->dst_len);
	put_number(json, "protocol", r->protocol);
	put_number(json, "scope", r->scope);
	put_number(json, "type", r->type);
	put_number(json, "table", r->table);
	put_number(json, "metric", r->metric);
	put_number(json, "mtu", r->mtu);
	put_number(json, "flags", r->flags);
	json_object_object_add(json, "dst", bytes_to_json(r->dst));
	if (r->has_gateway)
		json_object_object_add(json, "gateway", bytes_to_json(r->gateway));
	if (r->has_prefsrc)
		json_object_object_add(json, "prefsrc", bytes_to_json(r->prefsrc));
	return json;
}

static bool route_from_json(struct json_object *json, struct route *ret)
{
	*ret = (struct route){
		.family = (uint8_t)get_number(json, "family"),
		.dst_len = (uint8_t)get_number(json, "dst_len"),
		.protocol = (uint8_t)get_number(json, "protocol"),
		.scope = (uint8_t)get_number(json, "scope"),
		.type = (uint8_t)get_number(json, "type"),
		.table = (uint32_t)get_number(json, "table"),
		.metric = (uint32_t)get_number(json, "metric"),
		.mtu = (uint32_t)get_number(json, "mtu"),
		.flags = (uint32_t)get_number(json, "flags"),
	};
	ret->has_gateway = bytes_from_json(json_object_object_get(json, "gateway"), ret->gateway);
	ret->has_prefsrc = bytes_from_json(json_object_object_get(json, "prefsrc"), ret->prefsrc);
	return bytes_from_json(json_object_object_get(json, "dst"), ret->dst);
}

static struct json_object *link_to_json(const struct model *links, const struct link *l)
{
	struct json_object *json = json_object_new_object(), *array;
	const struct link *master = model_find(links, l->master_name);

	json_object_object_add(json, "name", json_object_new_string(l->name));
	json_object_object_add(json, "kind", json_object_new_string(l->kind->name));
	json_object_object_add(json, "master", json_object_new_string(l->master_name));
	json_object_object_add(json, "parent", json_object_new_string(l->parent_name));
	json_object_object_add(json, "common", values_to_json(l->common));
	if (l->own)
		json_object_object_add(json, "own", values_to_json(l->own));
	if (l->port && master) {
		json_object_object_add(json, "port_kind", json_object_new_string(master->kind->name));
		json_object_object_add(json, "port", values_to_json(l->port));
	}
	array = json_object_new_array();
	for (size_t i = 0; i < l->n_addresses; i++)
		json_object_array_add(array, address_to_json(&l->addresses[i]));
	json_object_object_add(json, "addresses", array);
	array = json_object_new_array();
	for (size_t i = 0; i < l->n_routes; i++)
		json_object_array_add(array, route_to_json(&l->routes[i]));
	json_object_object_add(json, "routes", array);
	if (!l->vlans_managed)
		return json;
	array = json_object_new_array();
	for (size_t i = 0; i < l->n_vlans; i++)
		json_object_array_add(array, json_object_new_int(l->vlans[i].vid | l->vlans[i].flags << 16));
	json_object_object_add(json, "vlans", array);
	return json;
}

/* The elements of an array member; 0 when there is none. */
static size_t members(struct json_object *json, const char *key, struct json_object **ret)
{
	*ret = json_object_object_get(json, key);
	return json_object_is_type(*ret, json_type_array) ? json_object_array_length(*ret) : 0;
}

static bool fill_link(struct link *l, struct json_object *json)
{
	const struct kind *port_kind = kind_find(get_string(json, "port_kind"));
	struct json_object *array;
	size_t n;

	values_free(l->common);
	l->common = values_from_json(&link_options, json_object_object_get(json, "common"));
	values_free(l->own);
	l->own = NULL;
	if (l->kind->own.n)
		l->own = values_from_json(&l->kind->own, json_object_object_get(json, "own"));
	if (port_kind && port_kind->port.n)
		l->port = values_from_json(&port_kind->port, json_object_object_get(json, "port"));
	n = members(json, "addresses", &array);
	for (size_t i = 0; i < n; i++)
		if (!address_from_json(json_object_array_get_idx(array, i), ARRAY_APPEND(l->addresses, l->n_addresses)))
			return false;
	n = members(json, "routes", &array);
	for (size_t i = 0; i < n; i++)
		if (!route_from_json(json_object_array_get_idx(array, i), ARRAY_APPEND(l->routes, l->n_routes)))
			return false;
	n = members(json, "vlans", &array);
	l->vlans_managed = array != NULL;
	for (size_t i = 0; i < n; i++) {
		int vlan = json_object_get_int(json_object_array_get_idx(array, i));

		*ARRAY_APPEND(l->vlans, l->n_vlans) =
			(struct bridge_vlan){.vid = (uint16_t)vlan, .flags = (uint16_t)(vlan >> 16)};
	}
	return true;
}

static bool link_from_json(struct model *links, struct json_object *json)
{
	const char *name = get_string(json, "name");
	const struct kind *kind = kind_find(get_string(json, "kind"));
	struct link *l;

	if (!name[0] || strlen(name) >= IFNAMSIZ || !kind || model_find(links, name))
		return false;
	l = link_new(name, kind);
	l->exact = true;
	l->master_managed = true;
	snprintf(l->master_name, sizeof(l->master_name), "%s", get_string(json, "master"));
	snprintf(l->parent_name, sizeof(l->parent_name), "%s", get_string(json, "parent"));
	model_add(links, l);
	return fill_link(l, json);
}

static struct json_object *removed_to_json(const struct link *l)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "kind", json_object_new_string(l->kind->name));
	put_number(json, "ifindex", l->ifindex);
	return json;
}

static void removed_from_json(struct effective *e, const char *name, struct json_object *json)
{
	const struct kind *kind =
		json_object_is_type(json, json_type_object) ? kind_find(get_string(json, "kind")) : NULL;

	if (kind && strlen(name) < IFNAMSIZ)
		effective_remove(e, name, kind, (uint32_t)get_number(json, "ifindex"));
}

struct json_object *effective_to_json(const struct effective *e)
{
	struct json_object *json = json_object_new_object(), *links = json_object_new_array(),
			   *removed = json_object_new_object();

	for (size_t i = 0; i < e->links.n_links; i++)
		json_object_array_add(links, link_to_json(&e->links, e->links.links[i]));
	for (size_t i = 0; i < e->removed.n_links; i++)
		json_object_object_add(removed, e->removed.links[i]->name, removed_to_json(e->removed.links[i]));
	json_object_object_add(json, "links", links);
	json_object_object_add(json, "removed", removed);
	return json;
}

int effective_from_json(struct json_object *json, struct effective *ret)
{
	struct json_object *links, *removed = json_object_object_get(json, "removed");
	struct effective e = EFFECTIVE_NULL;
	size_t n = members(json, "links", &links);
	bool good = links && json_object_is_type(removed, json_type_object);

	for (size_t i = 0; good && i < n; i++)
		good = link_from_json(&e.links, json_object_array_get_idx(links, i));
	if (good) {
		json_object_object_foreach (removed, name, one) {
			removed_from_json(&e, name, one);
		}
	}
	if (!good) {
		effective_done(&e);
		return -EINVAL;
	}
	*ret = e;
	return 0;
}
