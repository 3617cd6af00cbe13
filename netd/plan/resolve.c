/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: which links are wanted and under what kernel names (resolve.h). What each of them is to look like is
 * resolve-link.c.
 */
#include "resolve.h"

#include <linux/if_addr.h>

#include "dnsmasq.h"
#include "resolve-link.h"

void effective_done(struct effective *e)
{
	model_done(&e->links);
	model_done(&e->removed);
	firewall_done(&e->firewall);
	scope_done(&e->scope);
	diags_done(&e->problems);
	*e = EFFECTIVE_NULL;
}

/* Adds the declared links under their kernel names. */
static void add_declared(const struct resolve_input *in, struct effective *e)
{
	_cleanup_free_ struct link **list = NULL;
	size_t n;

	list = scope_links(in->scope, &in->config->links, &n);
	for (size_t i = 0; i < n; i++) {
		const struct link *declared = list[i];
		const char *name = resolve_name(in, declared->name, &e->problems);
		struct link *want;

		if (model_find(&e->links, name)) {
			diag_add(&e->problems, SEVERITY_ERROR, declared->loc, declared->name, NULL,
				 "is the device %s, which another section configures", name);
			continue;
		}
		want = link_copy(declared);
		name_copy(want->name, name);
		want->has_section = true;
		resolve_names(in, want->own);
		if (want->parent_name[0])
			name_copy(want->parent_name, resolve_name(in, declared->parent_name, NULL));
		for (size_t p = 0; p < want->n_ports; p++) {
			const char *port = resolve_name(in, want->ports[p].name, NULL);

			if (!streq(port, want->ports[p].name)) {
				free(want->ports[p].name);
				want->ports[p].name = xstrdup(port);
			}
		}
		model_add(&e->links, want);
	}
}

/* The device of that name, unless it is one that we made and that nobody declares any more: it is about to go. */
const struct link *resolve_present(const struct resolve_input *in, const char *name)
{
	const struct link *have = model_find(in->actual, name);

	if (have && !model_find(&in->config->links, name) && ledger_made(in->ledger, have))
		return NULL;
	return have;
}

/* The wanted link of that name, made for devices that have no section of their own. */
struct link *resolve_device(const struct resolve_input *in, struct effective *e, const char *name, struct loc loc)
{
	struct link *want = model_find(&e->links, name);
	const struct link *have = resolve_present(in, name);

	if (want)
		return want;
	want = link_new(name, have ? have->kind : &kind_ethernet);
	want->loc = loc;
	model_add(&e->links, want);
	return want;
}

/* A label's own values for its port section are looked up by what the operator wrote and by the kernel's name. */
static struct values *port_values(const struct resolve_input *in, const char *label, const char *name,
				  const struct kind *master_kind)
{
	struct values *v = config_port_values(in->config, label, master_kind);

	return v || streq(label, name) ? v : config_port_values(in->config, name, master_kind);
}

/* A port's name that no device can have is the altname of an absent one, which is no device of its first letters. */
static const char *port_name(const char *name, char buf[IFNAMSIZ])
{
	if (strlen(name) < IFNAMSIZ)
		return name;
	snprintf(buf, IFNAMSIZ, "%.12s...", name);
	return buf;
}

static void add_ports(const struct resolve_input *in, struct effective *e)
{
	_cleanup_free_ struct link **list = NULL;
	size_t n = e->links.n_links, n_declared;

	list = scope_links(in->scope, &in->config->links, &n_declared);
	for (size_t i = 0; i < n; i++) {
		struct link *master = e->links.links[i];
		const struct link *declared = list[i];

		for (size_t p = 0; p < master->n_ports; p++) {
			char buf[IFNAMSIZ];
			const char *name = port_name(master->ports[p].name, buf);
			struct link *port = resolve_device(in, e, name, master->ports[p].loc);

			name_copy(port->master_name, master->name);
			port->master_managed = true;
			values_free(port->port);
			port->port = port_values(in, p < declared->n_ports ? declared->ports[p].name : port->name,
						 port->name, master->kind);
			resolve_names(in, port->port);
		}
	}
}

/* Ports that others attached to our masters get the keys of [port] sections that match them, and nothing else. */
static void add_foreign_ports(const struct resolve_input *in, struct effective *e)
{
	_cleanup_free_ struct link **list = NULL;
	size_t n;

	list = scope_links(in->scope, in->actual, &n);
	for (size_t i = 0; in->config->n_ports && i < n; i++) {
		const struct link *have = list[i];
		const struct link *master = have->master ? model_index(in->actual, have->master) : NULL;
		const struct link *wanted_master = master ? model_find(&e->links, master->name) : NULL;
		struct link *want;
		struct values *values;

		if (!wanted_master || wanted_master->kind != master->kind || !master->kind->port.n ||
		    model_find(&e->links, have->name))
			continue;
		values = config_port_values(in->config, have->name, master->kind);
		if (!values)
			continue;
		want = resolve_device(in, e, have->name, wanted_master->loc);
		want->foreign = true;
		want->port = values;
		name_copy(want->master_name, master->name);
	}
}

/* A VLAN can be up only when its parent is (net/8021q/vlan_dev.c, vlan_dev_open): that is wanted of one nobody
 * declares. */
static void add_parents(const struct resolve_input *in, struct effective *e)
{
	size_t n = e->links.n_links;

	for (size_t i = 0; i < n; i++) {
		const struct link *vlan = e->links.links[i];
		struct link *parent = model_find(&e->links, vlan->parent_name);

		if (!vlan->parent_name[0] || values_num(vlan->common, LINK_UP, 1) == 0 ||
		    (parent && !parent->foreign) || !resolve_present(in, vlan->parent_name))
			continue;
		parent = resolve_device(in, e, vlan->parent_name, vlan->parent_loc);
		parent->foreign = true;
		values_put(parent->common, LINK_UP, (union value){.num = 1}, vlan->parent_loc);
	}
}

/* Settings of a port that are not the kernel's initial ones, as wanted values. */
static struct values *port_settings(const struct link *was)
{
	struct values *v = was->port ? values_new(was->port->table) : NULL;

	for (unsigned row = 0; v && row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];

		if (values_has(was->port, row) && o->place == PLACE_SLAVE && !o->type->is_blob &&
		    !(o->flags & (OPTION_STATUS | OPTION_REFUSED)) &&
		    (int64_t)values_at(was->port, row).num != o->initial)
			values_put(v, row, values_at(was->port, row), LOC_NONE);
	}
	return v;
}

/* Guests whose bridge was deleted under them are attached to the new one, as they were to the old. */
static void add_lost_ports(const struct resolve_input *in, struct effective *e)
{
	for (size_t i = 0; in->attachments && i < in->attachments->n; i++) {
		const struct attachment *a = &in->attachments->list[i];
		const struct link *master = model_find(&e->links, a->master);
		struct link *want;

		if (!master || !attachment_is_lost(a, in->actual) || model_find(&e->links, a->port->name))
			continue;
		want = resolve_device(in, e, a->port->name, master->loc);
		want->foreign = true;
		name_copy(want->master_name, a->master);
		want->master_managed = true;
		values_free(want->port);
		want->port = port_settings(a->port);
		free(want->vlans);
		want->vlans = array_copy(a->port->vlans, a->port->n_vlans, sizeof(*want->vlans));
		want->n_vlans = a->port->n_vlans;
		want->vlans_managed = a->has_vlans;
	}
}

/* Devices that are not there, and what stands on them. Declared links have no cycles, so this ends. */
static const char *waits_for(const struct resolve_input *in, struct effective *e, struct link *want)
{
	const struct link *parent;
	const char *absent = NULL;

	if (want->waits_for)
		return want->waits_for;
	if (in->left_out && in->left_out(want->name, in->userdata))
		absent = want->name;
	else if (want->parent_name[0]) {
		struct link *wanted_parent = model_find(&e->links, want->parent_name);

		parent = resolve_present(in, want->parent_name);
		if (wanted_parent)
			absent = waits_for(in, e, wanted_parent);
		else if (!parent)
			absent = want->parent_name;
	} else if (!(want->kind->flags & KIND_VIRTUAL) && !resolve_present(in, want->name)) {
		absent = want->name;
	}
	if (absent)
		want->waits_for = xstrdup(absent);
	return want->waits_for;
}

void effective_remove(struct effective *e, const char *name, const struct kind *kind, uint32_t ifindex)
{
	struct link *l = model_find(&e->removed, name);

	if (l)
		link_free(model_take(&e->removed, l));
	l = link_new(name, kind);
	l->ifindex = ifindex;
	model_add(&e->removed, l);
}

/* A VLAN of ours that waits for another parent stays as it is, unless another is to have its id (EEXIST). */
static void make_room(const struct resolve_input *in, struct effective *e, const struct link *waiting)
{
	const struct link *have = model_find(in->actual, waiting->name);
	const struct link *parent = have ? model_parent(in->actual, have) : NULL;

	if (!waiting->waits_for || !parent || !have->kind->slot || !ledger_made(in->ledger, have))
		return;
	for (size_t i = 0; i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i];

		if (want != waiting && !want->waits_for && streq(want->parent_name, parent->name) &&
		    slot_compare(want, have) == 0)
			effective_remove(e, have->name, have->kind, have->ifindex);
	}
}

/* A link of the declared name and another kind: replaced when we made it, else refused. */
static void check_kinds(const struct resolve_input *in, struct effective *e)
{
	for (size_t i = 0; i < e->links.n_links; i++) {
		struct link *want = e->links.links[i];
		const struct link *have = model_find(in->actual, want->name);

		if (!have || have->kind == want->kind || want->foreign)
			continue;
		if (ledger_made(in->ledger, have)) {
			effective_remove(e, have->name, have->kind, have->ifindex);
			continue;
		}
		diag_add(&e->problems, SEVERITY_ERROR, want->loc, want->name, NULL,
			 "there already is a %s of that name, which kvmnetd did not make (use another name, or remove "
			 "it)",
			 have->info_kind[0] ? have->info_kind : "device");
		free(want->waits_for);
		want->waits_for = xstrdup(want->name);
	}
}

/* What was taken over goes back to how it was; a guest's port, which a [port] section reached, stays where it is. */
static void add_former(const struct resolve_input *in, struct effective *e, const struct record *r,
		       const struct link *have)
{
	const struct link *master = model_master(in->actual, have);
	struct link *want = resolve_device(in, e, r->name, LOC_NONE);

	if (!master || !r->port || r->joined || !model_find(&e->links, master->name))
		return;
	want->foreign = true;
	name_copy(want->master_name, master->name);
}

/* What the ledger knows and nobody wants any more: ours is removed, what was taken over goes back to how it was. */
static void add_departed(const struct resolve_input *in, struct effective *e)
{
	_cleanup_free_ struct record **list = NULL;
	size_t n;

	list = scope_records(in->scope, in->ledger, &n);
	for (size_t i = 0; i < n; i++) {
		const struct record *r = list[i];
		const struct link *have = model_find(in->actual, r->name);

		if (!have || model_find(&e->links, r->name) || !record_fits(r, have))
			continue;
		if (ledger_made(in->ledger, have))
			effective_remove(e, r->name, have->kind, have->ifindex);
		else if (r->kind == have->kind)
			add_former(in, e, r, have);
	}
}

static bool has_our_route(const struct link *have)
{
	for (size_t i = 0; i < have->n_routes; i++)
		if (have->routes[i].protocol == KVMNETD_PROTO)
			return true;
	return false;
}

/*
 * Of routes there is no record: their protocol tells whose they are, also on a link that nobody wants anything of now.
 * Without any file, though, nothing was said: files that do not check and a lost state must not take the network away.
 */
static void add_routed(const struct resolve_input *in, struct effective *e)
{
	_cleanup_free_ struct link **list = NULL;
	size_t n;

	if (!in->config->sources.n)
		return;
	list = scope_links(in->scope, in->actual, &n);
	for (size_t i = 0; i < n; i++) {
		const struct link *have = list[i];

		if (has_our_route(have) && !model_find(&e->removed, have->name))
			resolve_device(in, e, have->name, LOC_NONE);
	}
}

static void add_problem_of_names(struct effective *e)
{
	for (size_t i = 0; i < e->problems.n; i++) {
		struct diag *d = &e->problems.list[i];
		const struct link *l = d->section ? model_find(&e->links, d->section) : NULL;
		char *section;

		if (!l)
			continue;
		section = xasprintf("%s %s", l->kind->name, d->section);
		free(d->section);
		d->section = section;
	}
}

static void add_dnsmasqs(const struct config *c, struct effective *e)
{
	for (size_t i = 0; i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		struct link *bridge = model_find(&e->links, n->bridge);
		struct blob *words = dnsmasq_make(n, model_find(&c->links, n->bridge));

		if (bridge && words)
			values_put(bridge->common, LINK_DNSMASQ, (union value){.blob = words}, n->loc);
		else
			free(words);
	}
}

static bool add_source(struct link *l, const struct route *r)
{
	for (size_t i = 0; i < l->n_addresses; i++) {
		struct address *a = &l->addresses[i];

		if (a->family != AF_INET6 || memcmp(a->addr, r->prefsrc, sizeof(a->addr)) != 0)
			continue;
		a->flags |= IFA_F_NODAD;
		return true;
	}
	return false;
}

/*
 * While its duplicates are looked for, an IPv6 address can be no route's source (net/ipv6/route.c,
 * ip6_route_info_create(): EINVAL): not done for those that a declared route names.
 */
static void add_sources(struct effective *e, struct link *l)
{
	for (size_t i = 0; i < l->n_routes; i++) {
		const struct route *r = &l->routes[i];

		if (r->family != AF_INET6 || !r->has_prefsrc || add_source(l, r))
			continue;
		for (size_t j = 0; j < e->links.n_links; j++)
			if (add_source(e->links.links[j], r))
				break;
	}
}

static const char *uplink_name(const char *label, void *userdata)
{
	return resolve_name(userdata, label, NULL);
}

void resolve(const struct resolve_input *in, struct effective *ret)
{
	struct effective e = EFFECTIVE_NULL;

	if (in->scope)
		e.scope = scope_copy(in->scope);
	e.problems.sources = &in->config->sources;
	add_declared(in, &e);
	add_ports(in, &e);
	resolve_leases(in, &e);
	add_lost_ports(in, &e);
	add_foreign_ports(in, &e);
	add_parents(in, &e);
	resolve_forwarding(in, &e);
	resolve_foreign(in, &e);
	add_dnsmasqs(in->config, &e);
	check_kinds(in, &e);
	resolve_check_ports(in, &e);
	resolve_check_mtus(in, &e);
	for (size_t i = 0; i < e.links.n_links; i++)
		waits_for(in, &e, e.links.links[i]);
	for (size_t i = 0; i < e.links.n_links; i++)
		make_room(in, &e, e.links.links[i]);
	add_departed(in, &e);
	add_routed(in, &e);
	add_problem_of_names(&e);
	for (size_t i = 0; i < e.links.n_links; i++)
		resolve_link(in, &e, e.links.links[i]);
	for (size_t i = 0; i < e.links.n_links; i++)
		resolve_mtu(in, &e, e.links.links[i]);
	for (size_t i = 0; i < e.links.n_links; i++)
		add_sources(&e, e.links.links[i]);
	check_subnets(in, &e);
	resolve_libvirt(in, &e);
	firewall_make(in->config, uplink_name, (void *)(uintptr_t)in, &e.firewall);
	*ret = e;
}

void effective_missing(const struct effective *e, void (*add)(const char *name, void *userdata), void *userdata)
{
	for (size_t i = 0; i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i];

		if (want->waits_for && (streq(want->waits_for, want->name) || !model_find(&e->links, want->waits_for)))
			add(want->waits_for, userdata);
	}
}
