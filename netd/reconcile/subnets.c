/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: subnets.h. */
#include "subnets.h"

#include <arpa/inet.h>

#include "../log.h"
#include "state-file.h"

static char *subnets_path(const struct state_dirs *dirs)
{
	return xasprintf("%s/subnets.json", dirs->state);
}

static struct json_object *read_kept(const struct state_dirs *dirs)
{
	_cleanup_free_ char *path = subnets_path(dirs);
	struct json_object *json = json_object_from_file(path);

	if (json_object_is_type(json, json_type_object))
		return json;
	json_object_put(json);
	return json_object_new_object();
}

/* "192.168.128.1": the length is always the same. */
static bool kept_address(struct json_object *kept, const char *network, struct address *ret)
{
	struct json_object *text = json_object_object_get(kept, network);

	*ret = (struct address){
		.family = AF_INET, .prefix_len = CHOSEN_PREFIX_LEN, .proto = KVMNETD_PROTO, .valid_lft = UINT32_MAX};
	return json_object_is_type(text, json_type_string) &&
	       inet_pton(AF_INET, json_object_get_string(text), ret->addr) == 1;
}

static void report_unsettled(const struct config *c, struct diags *d)
{
	for (size_t i = 0; i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		_cleanup_free_ char *section = NULL;

		if (!n->auto_loc.line || network_chosen(n, model_find(&c->links, n->bridge)))
			continue;
		section = xasprintf("network %s", n->name);
		diag_add(d, SEVERITY_ERROR, n->auto_loc, section, "address",
			 "no subnet is free in 192.168.128.0/17 and 10.128.0.0/9: write one");
	}
	if (!d->n_errors)
		config_check_subnets(c, d);
}

static void take_other_route(const struct route *r, void *userdata)
{
	taken_subnets_add(userdata, r);
}

/* Routes of routing daemons are read only for a network that has no subnet yet. */
static void choose(struct config *c, struct kernel *kernel, const struct libvirt_networks *libvirt)
{
	struct taken_subnets others = {0};

	kernel_each_other_route(kernel, take_other_route, &others);
	choose_subnets(c, kernel_actual(kernel), &others, libvirt);
	free(others.list);
}

void subnets_settle(const struct state_dirs *dirs, struct config *c, struct kernel *kernel,
		    const struct libvirt_networks *libvirt, struct diags *d)
{
	_cleanup_json_ struct json_object *kept = NULL;
	bool any = false, all = true;

	for (size_t i = 0; i < c->n_networks; i++) {
		struct network *n = c->networks[i];
		struct link *bridge = model_find(&c->links, n->bridge);
		struct address a;

		if (!n->auto_loc.line || network_chosen(n, bridge))
			continue;
		any = true;
		kept = kept ? kept : read_kept(dirs);
		if (kept_address(kept, n->name, &a))
			network_choose(n, bridge, &a);
		else
			all = false;
	}
	if (!any)
		return;
	if (!all)
		choose(c, kernel, libvirt);
	report_unsettled(c, d);
}

static void add_chosen(struct json_object *json, const struct config *c)
{
	for (size_t i = 0; c && i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		const struct address *a = network_chosen(n, model_find(&c->links, n->bridge));
		struct ip ip;
		char text[INET6_ADDRSTRLEN];

		if (!a)
			continue;
		ip = ip_of_address(a);
		json_object_object_add(json, n->name, json_object_new_string(ip_format(&ip, text)));
	}
}

void subnets_keep(const struct state_dirs *dirs, const struct config *c, const struct config *also)
{
	_cleanup_free_ char *path = subnets_path(dirs);
	_cleanup_json_ struct json_object *json = json_object_new_object(), *kept = read_kept(dirs);
	int r;

	add_chosen(json, also);
	add_chosen(json, c);
	if (json_object_equal(json, kept))
		return;
	r = write_json(path, json, true);
	if (r < 0)
		log_warning("%s: %s", path, strerror(-r));
}
