/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: status-json.h, but for the daemon itself, which is status-daemon.c. */
#include "status-json.h"

#include <linux/if.h>
#include <linux/if_bridge.h>

#include "../clock.h"
#include "../kernel/ethtool.h"
#include "../kernel/lacp.h"
#include "../kernel/statistics.h"

struct json_object *json_text(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

void json_add_place(struct json_object *to, const struct sources *sources, struct loc loc)
{
	const char *file = sources ? sources_name(sources, loc) : NULL;

	json_add_new(to, "file", json_text(file));
	json_add_new(to, "line", file ? json_object_new_int64(loc.line) : NULL);
}

/* A kernel value in words; a row that names a link holds its ifindex. */
static void print_shown(const struct model *actual, const struct option *o, union value v, FILE *f)
{
	const struct link *named;

	if (o->type == &type_ifname) {
		named = model_index(actual, ifname_index(v));
		fputs(named ? named->name : "none", f);
	} else if (o->type->is_blob && (!v.blob || !v.blob->len)) {
		fputs("none", f);
	} else {
		o->type->print(o, v, f);
	}
}

static bool is_shown(const struct values *v, unsigned row)
{
	return values_has(v, row) && !(v->table == &link_options && (row == LINK_MTU || row == LINK_MAC));
}

void status_view_open(struct status_view *v)
{
	v->f = xmemstream(&v->text, &v->len);
	v->no_list = json_object_new_array();
	v->no_options = json_object_new_object();
}

void status_view_close(struct status_view *v)
{
	fclose(v->f);
	free(v->text);
	json_object_put(v->no_list);
	json_object_put(v->no_options);
}

/* Ends what was printed to v->f, and begins anew. */
static struct json_object *take_text(struct status_view *v)
{
	fputc('\0', v->f);
	fflush(v->f);
	rewind(v->f);
	return json_object_new_string(v->text);
}

static void add_rows(struct status_view *v, struct json_object *to, const struct values *values)
{
	const struct model *actual = kernel_actual(v->manager->kernel);

	for (unsigned row = 0; values && row < values->table->n; row++) {
		if (!is_shown(values, row))
			continue;
		print_shown(actual, &values->table->rows[row], values_at(values, row), v->f);
		json_object_object_add_ex(to, values->table->rows[row].key, take_text(v),
					  JSON_C_OBJECT_KEY_IS_CONSTANT);
	}
}

/* The row that tells most, in words; NULL: there is none, or it is not known. */
static struct json_object *detail(struct status_view *v, const struct values *values)
{
	unsigned row = 0;

	while (values && row < values->table->n && !(values->table->rows[row].flags & OPTION_DETAIL))
		row++;
	if (!values || row == values->table->n || !values_has(values, row))
		return NULL;
	print_shown(kernel_actual(v->manager->kernel), &values->table->rows[row], values_at(values, row), v->f);
	return take_text(v);
}

static void append(struct json_object **list, struct json_object *item)
{
	if (!*list)
		*list = json_object_new_array();
	json_object_array_add(*list, item);
}

/* Takes over the list. */
static void add_list(struct status_view *v, struct json_object *to, const char *key, struct json_object *list)
{
	json_add_new(to, key, list ? list : json_object_get(v->no_list));
}

static void add_declared_rows(struct json_object *to, const struct values *v)
{
	for (unsigned row = 0; v && row < v->table->n; row++)
		if (values_has(v, row) && values_loc(v, row).file)
			json_object_array_add(to, json_object_new_string(v->table->rows[row].key));
}

static void add_options(struct status_view *v, struct json_object *json, const struct link *want,
			const struct link *have)
{
	struct json_object *options = NULL, *port = NULL, *keys = NULL;
	const struct link *shown = have ? have : want;

	if (!v->brief) {
		options = json_object_new_object();
		port = json_object_new_object();
		keys = json_object_new_array();
		add_rows(v, options, have ? have->common : NULL);
		add_rows(v, options, have ? have->own : NULL);
		add_rows(v, port, have ? have->port : NULL);
		add_declared_rows(keys, want ? want->common : NULL);
		add_declared_rows(keys, want ? want->own : NULL);
		add_declared_rows(keys, want ? want->port : NULL);
	}
	json_add_new(json, "options", options ? options : json_object_get(v->no_options));
	json_add_new(json, "port_options", port ? port : json_object_get(v->no_options));
	json_add_new(json, "declared_keys", keys);
	json_add_new(json, "detail", detail(v, shown->own));
	json_add_new(json, "port_state", have ? detail(v, have->port) : NULL);
}

static void add_vlans(struct json_object **to, const struct link *have)
{
	for (size_t i = 0; have && i < have->n_vlans; i++) {
		const struct bridge_vlan *v = &have->vlans[i];
		size_t last = i;
		char text[64], range[16] = "";

		while (last + 1 < have->n_vlans && have->vlans[last + 1].vid == have->vlans[last].vid + 1 &&
		       have->vlans[last + 1].flags == v->flags && !(v->flags & BRIDGE_VLAN_INFO_PVID))
			last++;
		if (last > i)
			snprintf(range, sizeof(range), "-%u", have->vlans[last].vid);
		snprintf(text, sizeof(text), "%u%s%s%s", v->vid, range, v->flags & BRIDGE_VLAN_INFO_PVID ? " pvid" : "",
			 v->flags & BRIDGE_VLAN_INFO_UNTAGGED ? " untagged" : "");
		append(to, json_object_new_string(text));
		i = last;
	}
}

static int name_order(const void *a, const void *b)
{
	return strcmp((*(const struct link *const *)a)->name, (*(const struct link *const *)b)->name);
}

static void add_ports(struct json_object **to, const struct model *actual, const struct link *want,
		      const struct link *have)
{
	_cleanup_free_ const struct link **list = NULL;
	const struct link *port;
	size_t n = 0;

	for (size_t i = 0; have && (port = model_next_port(actual, have->ifindex, &i));)
		*ARRAY_APPEND(list, n) = port;
	if (n)
		qsort(list, n, sizeof(*list), name_order);
	for (size_t i = 0; i < n; i++)
		append(to, json_object_new_string(list[i]->name));
	for (size_t i = 0; !have && want && i < want->n_ports; i++)
		append(to, json_object_new_string(want->ports[i].name));
}

static void add_lists(struct status_view *v, struct json_object *json, const struct link *want, const struct link *have)
{
	struct json_object *altnames = NULL, *ports = NULL, *addresses = NULL, *routes = NULL, *vlans = NULL;

	for (const char *name = have ? have->altnames : NULL; name && *name; name += strlen(name) + 1)
		append(&altnames, json_object_new_string(name));
	add_ports(&ports, kernel_actual(v->manager->kernel), want, have);
	for (size_t i = 0; have && i < have->n_addresses; i++) {
		address_print(&have->addresses[i], v->f);
		append(&addresses, take_text(v));
	}
	for (size_t i = 0; have && i < have->n_routes; i++) {
		route_print(&have->routes[i], v->f);
		append(&routes, take_text(v));
	}
	add_vlans(&vlans, have);
	add_list(v, json, "altnames", altnames);
	add_list(v, json, "ports", ports);
	add_list(v, json, "addresses", addresses);
	add_list(v, json, "routes", routes);
	add_list(v, json, "vlans", vlans);
}

static const char *operstate_name(uint8_t operstate)
{
	static const char *const names[] = {"unknown", "not-present", "down", "lower-layer-down",
					    "testing", "dormant",     "up"};

	return operstate < ARRAY_SIZE(names) ? names[operstate] : "unknown";
}

static void add_speed(struct json_object *json, const struct link *have)
{
	struct ethtool_speed speed;
	bool known = have && (have->parent_dev || (have->kind->flags & KIND_PORTS_DOWN)) &&
		     ethtool_speed(have->name, &speed) == 0;

	json_add_new(json, "speed", known ? json_object_new_int64(speed.mbit) : NULL);
	json_add_new(json, "duplex", known ? json_object_new_string(speed.full_duplex ? "full" : "half") : NULL);
}

static struct json_object *mac_json(uint64_t mac)
{
	char text[18];

	return mac ? json_object_new_string(mac_text(mac, text)) : NULL;
}

static void add_state(struct json_object *json, const struct model *actual, const struct link *want,
		      const struct link *have)
{
	const struct link *master = have ? model_master(actual, have) : NULL;
	const struct link *parent = have ? model_parent(actual, have) : NULL;
	const char *state = !have ? "absent" : have->flags & IFF_UP ? "up" : "down";
	uint64_t mtu = have ? values_num(have->common, LINK_MTU, 0) : 0;

	json_add_new(json, "ifindex", have ? json_object_new_int64(have->ifindex) : NULL);
	json_add_new(json, "state", json_object_new_string(state));
	json_add_new(json, "operstate", have ? json_object_new_string(operstate_name(have->operstate)) : NULL);
	json_add_new(json, "carrier", have ? json_object_new_boolean(have->carrier) : NULL);
	add_speed(json, have);
	json_add_new(json, "mac", mac_json(have ? values_num(have->common, LINK_MAC, 0) : 0));
	json_add_new(json, "permanent_mac", mac_json(have && have->has_perm_mac ? have->perm_mac : 0));
	json_add_new(json, "mtu", mtu ? json_object_new_int64((int64_t)mtu) : NULL);
	json_add_new(json, "master",
		     json_text(master				       ? master->name
			       : !have && want && want->master_name[0] ? want->master_name
								       : NULL));
	json_add_new(json, "parent",
		     json_text(parent				       ? parent->name
			       : !have && want && want->parent_name[0] ? want->parent_name
								       : NULL));
}

struct difference_context {
	struct manager *manager;
	struct json_object *array;
};

static void add_difference(const struct difference *d, void *userdata)
{
	struct difference_context *c = userdata;
	struct json_object *json = json_object_new_object();

	json_add_new(json, "link", json_object_new_string(d->link));
	json_add_new(json, "key", json_object_new_string(d->key));
	json_add_new(json, "declared", json_object_new_string(d->declared));
	json_add_new(json, "found", json_object_new_string(d->found));
	json_add_place(json, &c->manager->config->sources, d->loc);
	json_add_new(json, "note", NULL);
	append(&c->array, json);
}

/* NULL: there are none. */
static struct json_object *differences(struct manager *m, const struct link *want)
{
	struct difference_context context = {.manager = m};
	struct diff_input in = {
		.effective = manager_wanted_lately(m), .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	struct link_diff diff;

	if (want && diff_link(&in, want, &diff))
		diff_describe(&in, &diff, add_difference, &context);
	return context.array;
}

struct json_object *status_statistics(struct manager *m, const char *name)
{
	const struct link *have = model_find(kernel_actual(m->kernel), name);
	struct json_object *json;
	struct statistics s;

	if (!have || statistics_read(have->ifindex, &s) < 0)
		return NULL;
	json = json_object_new_object();
	json_add_new(json, "rx_packets", json_object_new_uint64(s.rx_packets));
	json_add_new(json, "rx_bytes", json_object_new_uint64(s.rx_bytes));
	json_add_new(json, "rx_errors", json_object_new_uint64(s.rx_errors));
	json_add_new(json, "rx_dropped", json_object_new_uint64(s.rx_dropped));
	json_add_new(json, "tx_packets", json_object_new_uint64(s.tx_packets));
	json_add_new(json, "tx_bytes", json_object_new_uint64(s.tx_bytes));
	json_add_new(json, "tx_errors", json_object_new_uint64(s.tx_errors));
	json_add_new(json, "tx_dropped", json_object_new_uint64(s.tx_dropped));
	return json;
}

static struct json_object *lacp_side(const struct lacp_side *side)
{
	struct json_object *json = json_object_new_object();

	json_add_new(json, "system", json_object_new_string(side->system));
	json_add_new(json, "system_priority", json_object_new_int64(side->system_priority));
	json_add_new(json, "key", json_object_new_int64(side->key));
	json_add_new(json, "port", json_object_new_int64(side->port));
	json_add_new(json, "port_priority", json_object_new_int64(side->port_priority));
	json_add_new(json, "churn", json_object_new_string(side->churn));
	json_add_new(json, "churned", json_object_new_int64(side->churned));
	return json;
}

struct json_object *status_lacp(const char *name)
{
	_cleanup_free_ struct lacp_port *ports = NULL;
	struct json_object *array;
	int n = lacp_read(name, &ports);

	if (n <= 0)
		return NULL;
	array = json_object_new_array();
	for (int i = 0; i < n; i++) {
		struct json_object *json = json_object_new_object();

		json_add_new(json, "name", json_object_new_string(ports[i].name));
		json_add_new(json, "actor", lacp_side(&ports[i].actor));
		json_add_new(json, "partner", lacp_side(&ports[i].partner));
		json_object_array_add(array, json);
	}
	return array;
}

static void add_leases(struct json_object **array, const struct lease *lease)
{
	uint64_t now = boottime() / 1000000, end = lease_end(lease);

	for (size_t i = 0; i < lease->n_addresses; i++) {
		struct json_object *json = json_object_new_object();
		_cleanup_free_ char *text = PRINT_TEXT(address_print, &lease->addresses[i]);

		json_add_new(json, "address", json_object_new_string(text));
		json_add_new(json, "seconds_left",
			     end == UINT64_MAX ? NULL : json_object_new_int64(end > now ? (int64_t)(end - now) : 0));
		*array = *array ? *array : json_object_new_array();
		json_object_array_add(*array, json);
	}
}

struct json_object *status_leases(const struct manager *m, const char *name)
{
	const struct leases *leases = host_leases(m->host);
	struct json_object *array = NULL;

	for (size_t i = 0; leases && i < leases->n; i++)
		if (streq(leases->list[i].link, name))
			add_leases(&array, &leases->list[i]);
	return array;
}

/* The [network] whose bridge it is; NULL: none. */
static struct json_object *network_json(const struct config *c, const struct link *want)
{
	const struct option *forward = &network_options.rows[NETWORK_FORWARD];

	for (size_t i = 0; want && want->network[0] && i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		struct json_object *json;
		_cleanup_free_ char *text = NULL;

		if (!streq(n->bridge, want->name))
			continue;
		json = json_object_new_object();
		text = value_text(forward, (union value){.num = network_forward(n)});
		json_add_new(json, "name", json_object_new_string(n->name));
		json_add_new(json, "forward", json_object_new_string(text));
		return json;
	}
	return NULL;
}

struct json_object *status_link(struct status_view *v, const char *name)
{
	struct manager *m = v->manager;
	const struct model *actual = kernel_actual(m->kernel);
	const struct link *have = model_find(actual, name), *want = model_find(&manager_wanted_lately(m)->links, name);
	bool declared = want && want->loc.file && !want->foreign;
	struct json_object *json;

	if (!have && !want)
		return NULL;
	json = json_object_new_object();
	json_add_new(json, "name", json_object_new_string(name));
	if (have && have->kind == &kind_ethernet && have->info_kind[0])
		json_add_new(json, "kind", json_object_new_string(have->info_kind));
	else
		json_add_new(json, "kind", json_object_new_string((have ? have : want)->kind->name));
	json_add_new(json, "network", network_json(m->config, want));
	add_state(json, actual, want, have);
	add_lists(v, json, want, have);
	add_options(v, json, want, have);
	json_add_new(json, "declared", json_object_new_boolean(declared));
	json_add_new(json, "created", json_object_new_boolean(have && ledger_made(&m->ledger, have)));
	json_add_place(json, &m->config->sources, declared ? want->loc : LOC_NONE);
	add_list(v, json, "differences", differences(m, want));
	return json;
}
