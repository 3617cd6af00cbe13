/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ledger-json.h. */
#include "ledger-json.h"

#include <arpa/inet.h>

#include "values-json.h"

static struct json_object *address_to_json(const struct address *a)
{
	char text[INET6_ADDRSTRLEN], whole[INET6_ADDRSTRLEN + 8];

	inet_ntop(a->family, a->addr, text, sizeof(text));
	snprintf(whole, sizeof(whole), "%s/%u", text, a->prefix_len);
	return json_object_new_string(whole);
}

static bool address_from_json(struct json_object *json, struct address *ret)
{
	char text[INET6_ADDRSTRLEN + 8];
	char *slash;

	snprintf(text, sizeof(text), "%s", json_object_get_string(json) ?: "");
	slash = strchr(text, '/');
	if (!slash)
		return false;
	*slash = '\0';
	*ret = (struct address){.family = strchr(text, ':') ? AF_INET6 : AF_INET,
				.prefix_len = (uint8_t)atoi(slash + 1),
				.valid_lft = UINT32_MAX};
	return inet_pton(ret->family, text, ret->addr) == 1;
}

/* The key is a literal, and not there yet. */
static void add(struct json_object *json, const char *key, struct json_object *value)
{
	json_object_object_add_ex(json, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

static void add_string(struct json_object *json, const char *key, const char *text)
{
	if (text[0])
		add(json, key, json_object_new_string(text));
}

static void add_number(struct json_object *json, const char *key, uint64_t number)
{
	if (number)
		add(json, key, json_object_new_int64((int64_t)number));
}

/* What is zero, empty or no is left out: there are thousands of records, and every change writes them all. */
struct json_object *record_to_json(const struct record *r)
{
	struct json_object *json = json_object_new_object(), *addresses, *vlans;

	add_string(json, "name", r->name);
	add_string(json, "kind", r->kind->name);
	if (r->created)
		add(json, "created", json_object_new_boolean(true));
	add_number(json, "ifindex", r->ifindex);
	add_number(json, "replaces", r->replaces);
	add_number(json, "mac", r->mac);
	if (r->joined)
		add(json, "joined", json_object_new_boolean(true));
	add_string(json, "master", r->master);
	add_string(json, "found_master", r->found_master);
	if (r->common)
		add(json, "common", values_to_json(r->common));
	if (r->own)
		add(json, "own", values_to_json(r->own));
	if (r->port) {
		add(json, "port", values_to_json(r->port));
		add_string(json, "port_kind", r->port_kind->name);
	}
	addresses = r->n_addresses ? json_object_new_array() : NULL;
	for (size_t i = 0; i < r->n_addresses; i++)
		json_object_array_add(addresses, address_to_json(&r->addresses[i]));
	if (addresses)
		add(json, "addresses", addresses);
	if (r->vlans_found == VLANS_UNTOUCHED)
		return json;
	vlans = r->vlans_found == VLANS_INITIAL ? json_object_new_string("initial") : json_object_new_array();
	for (size_t i = 0; i < r->n_vlans; i++)
		json_object_array_add(vlans, json_object_new_int(r->vlans[i].vid | r->vlans[i].flags << 16));
	add(json, "vlans", vlans);
	add(json, "wrote_pvid", json_object_new_boolean(r->wrote_pvid));
	add(json, "wrote_vlans", json_object_new_boolean(r->wrote_vlans));
	return json;
}

static const char *get_string(struct json_object *json, const char *key)
{
	struct json_object *value = json_object_object_get(json, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static void vlans_from_json(struct record *r, struct json_object *json)
{
	if (json_object_is_type(json, json_type_string))
		r->vlans_found = VLANS_INITIAL;
	if (!json_object_is_type(json, json_type_array))
		return;
	r->vlans_found = VLANS_LISTED;
	for (size_t i = 0; i < json_object_array_length(json); i++) {
		int vlan = json_object_get_int(json_object_array_get_idx(json, i));

		*ARRAY_APPEND(r->vlans, r->n_vlans) =
			(struct bridge_vlan){.vid = (uint16_t)vlan, .flags = (uint16_t)(vlan >> 16)};
	}
}

void record_from_json(struct ledger *l, struct json_object *json)
{
	const char *name = get_string(json, "name");
	const struct kind *kind = kind_find(get_string(json, "kind"));
	struct json_object *addresses = json_object_object_get(json, "addresses");
	struct json_object *values;
	struct record *r;

	if (!name[0] || strlen(name) >= IFNAMSIZ || !kind)
		return;
	ledger_remove(l, name);
	r = ledger_get(l, name, kind);
	r->created = json_object_get_boolean(json_object_object_get(json, "created"));
	r->ifindex = (uint32_t)json_object_get_int64(json_object_object_get(json, "ifindex"));
	r->replaces = (uint32_t)json_object_get_int64(json_object_object_get(json, "replaces"));
	r->mac = (uint64_t)json_object_get_int64(json_object_object_get(json, "mac"));
	r->joined = json_object_get_boolean(json_object_object_get(json, "joined"));
	snprintf(r->master, sizeof(r->master), "%s", get_string(json, "master"));
	snprintf(r->found_master, sizeof(r->found_master), "%s", get_string(json, "found_master"));
	if ((values = json_object_object_get(json, "common")))
		r->common = values_from_json(&link_options, values);
	if ((values = json_object_object_get(json, "own")) && kind->own.n)
		r->own = values_from_json(&kind->own, values);
	r->port_kind = kind_find(get_string(json, "port_kind"));
	if ((values = json_object_object_get(json, "port")) && r->port_kind && r->port_kind->port.n)
		r->port = values_from_json(&r->port_kind->port, values);
	vlans_from_json(r, json_object_object_get(json, "vlans"));
	r->wrote_pvid = json_object_get_boolean(json_object_object_get(json, "wrote_pvid"));
	r->wrote_vlans = json_object_get_boolean(json_object_object_get(json, "wrote_vlans"));
	for (size_t i = 0; json_object_is_type(addresses, json_type_array) && i < json_object_array_length(addresses);
	     i++) {
		struct address a;

		if (address_from_json(json_object_array_get_idx(addresses, i), &a))
			*ARRAY_APPEND(r->addresses, r->n_addresses) = a;
	}
}

struct json_object *ledger_to_json(const struct ledger *l)
{
	struct json_object *json = json_object_new_array();

	for (size_t i = 0; i < l->n; i++)
		json_object_array_add(json, record_to_json(l->list[i]));
	return json;
}

struct ledger ledger_from_json(struct json_object *json)
{
	struct ledger l = LEDGER_NULL;

	for (size_t i = 0; json_object_is_type(json, json_type_array) && i < json_object_array_length(json); i++)
		record_from_json(&l, json_object_array_get_idx(json, i));
	return l;
}
