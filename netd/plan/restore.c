/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: restore.h. */
#include "restore.h"

#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "../model/kind-bridge.h"
#include "diff.h"
#include "notes.h"

static bool is_settable(const struct model *before, const struct link *was, const struct values *v, unsigned row)
{
	const struct option *o = &v->table->rows[row];

	if ((o->flags & (OPTION_STATUS | OPTION_REFUSED)) || o->place == PLACE_CONFIG || o->place == PLACE_VLANS)
		return false;
	/* What the bond's own mode does not allow may have to be put back while it still has another. */
	return v != was->port || diff_mode_allows(model_master(before, was), o);
}

/* Kernel values as wanted values: what names a link by index gets the name. */
static struct values *as_wanted(const struct model *before, const struct link *was, const struct values *v)
{
	struct values *want;

	if (!v)
		return NULL;
	want = values_new(v->table);
	for (unsigned row = 0; row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];
		union value value = {0};
		const struct link *named;

		if (!is_settable(before, was, v, row))
			continue;
		/* A primary that is not shown is none, or one that is no port: none is what can be put back of that. */
		if (!values_has(v, row) && !(o->type == &type_ifname && (o->flags & OPTION_HIDDEN_READ)))
			continue;
		if (o->type == &type_ifname) {
			named = values_has(v, row) ? model_index(before, ifname_index(values_at(v, row))) : NULL;
			if (named)
				value.blob = blob_new(named->name, strlen(named->name) + 1);
		} else {
			value = value_copy(o, values_at(v, row));
		}
		values_put(want, row, value, LOC_NONE);
	}
	return want;
}

/* What the port of a bond has when it comes it gets back when it goes: with that it is to come again. */
static void keep_own_mac(struct link *want, const struct link *was)
{
	unsigned perm = option_row(&kind_bond.port, "perm_hwaddr");

	if (want->port && want->port->table == &kind_bond.port && values_has(was->port, perm))
		values_put(want->port, perm, values_at(was->port, perm), LOC_NONE);
}

static void keep_permanent(struct link *want, const struct link *was)
{
	for (size_t i = 0; i < was->n_addresses; i++)
		if (was->addresses[i].family == AF_INET)
			*ARRAY_APPEND(want->addresses, want->n_addresses) = was->addresses[i];
	/*
	 * The newest comes first (net/ipv6/addrconf.c, ipv6_link_dev_addr). Link-local ones, too: the kernel makes them
	 * once, when the link comes up.
	 */
	for (size_t i = was->n_addresses; i-- > 0;)
		if (was->addresses[i].family == AF_INET6 && was->addresses[i].valid_lft == UINT32_MAX)
			*ARRAY_APPEND(want->addresses, want->n_addresses) = was->addresses[i];
	for (size_t i = 0; i < was->n_routes; i++)
		if (was->routes[i].protocol != RTPROT_KERNEL && was->routes[i].protocol != RTPROT_RA)
			*ARRAY_APPEND(want->routes, want->n_routes) = was->routes[i];
}

/*
 * A kernel without VLANs in bridges (CONFIG_BRIDGE_VLAN_FILTERING) shows no default PVID, gives its ports no VLAN, and
 * refuses to be told even "no" about the rest (net/bridge/br_private.h: the stubs answer EOPNOTSUPP).
 */
static bool knows_vlans(const struct link *bridge)
{
	return bridge && bridge->kind == &kind_bridge && values_has(bridge->own, BRIDGE_VLAN_DEFAULT_PVID);
}

static void drop_vlan_options(struct values *own)
{
	values_unset(own, BRIDGE_VLAN_FILTERING);
	values_unset(own, BRIDGE_MCAST_VLAN_SNOOPING);
	values_unset(own, BRIDGE_MST_ENABLED);
	values_unset(own, BRIDGE_FDB_LOCAL_VLAN_0);
}

/* What the kernel chose by itself it is not told, so that it goes on choosing. */
static bool is_chosen_by_kernel(const struct values *own)
{
	return values_num(own, BRIDGE_GROUP_ADDRESS, 0) == bridge_chosen_group_address(own, NULL);
}

/* Unless the change tells it one. */
static void keep_told_group_addresses(struct effective *e, const struct model *before, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		struct link *want = model_find(&e->links, op->link->name);
		const struct link *was = model_find(before, op->link->name);

		if (op->type == OP_SET && op->link->kind == &kind_bridge && (op->own >> BRIDGE_GROUP_ADDRESS & 1) &&
		    want && was && values_has(was->own, BRIDGE_GROUP_ADDRESS))
			values_set_num(want->own, BRIDGE_GROUP_ADDRESS, values_num(was->own, BRIDGE_GROUP_ADDRESS, 0));
	}
}

static void add_link(struct effective *e, const struct model *before, const struct link *was)
{
	const struct link *master = model_master(before, was), *parent = model_parent(before, was);
	struct link *want;

	/* What an earlier plan made goes, also when a later one changed a port of it. */
	if (model_find(&e->links, was->name) || model_find(&e->removed, was->name))
		return;
	want = link_new(was->name, was->kind);
	want->exact = true;
	want->master_managed = true;
	values_free(want->common);
	values_free(want->own);
	want->common = as_wanted(before, was, was->common);
	want->own = as_wanted(before, was, was->own);
	want->port = as_wanted(before, was, was->port);
	keep_own_mac(want, was);
	if (was->kind->drop_refused)
		was->kind->drop_refused(want);
	if (master)
		snprintf(want->master_name, sizeof(want->master_name), "%s", master->name);
	if (parent && (was->kind->flags & KIND_HAS_PARENT))
		snprintf(want->parent_name, sizeof(want->parent_name), "%s", parent->name);
	want->vlans = array_copy(was->vlans, was->n_vlans, sizeof(*was->vlans));
	want->n_vlans = was->n_vlans;
	want->vlans_managed = knows_vlans(was) || knows_vlans(master);
	if (was->kind == &kind_bridge && !knows_vlans(was))
		drop_vlan_options(want->own);
	if (was->kind == &kind_bridge && is_chosen_by_kernel(was->own))
		values_unset(want->own, BRIDGE_GROUP_ADDRESS);
	keep_permanent(want, was);
	model_add(&e->links, want);
}

/* What is changed of a link, by its position in the model of before. */
enum touch {
	TOUCH_REACHED = 1, /* it stands on one that is touched, or is attached to one */
	TOUCH_ITSELF,
};

static void touch(struct notes *touched, const struct link *l, enum touch how)
{
	if (notes_get(touched, l->position) < how)
		notes_put(touched, l->position, how);
}

static void reach_children(struct notes *touched, const struct model *before, const struct link *was)
{
	const struct link *child;

	for (size_t i = 0; (child = model_next_port(before, was->ifindex, &i));)
		touch(touched, child, TOUCH_REACHED);
	for (size_t i = 0; (child = model_next_upper(before, was->ifindex, &i));)
		touch(touched, child, TOUCH_REACHED);
}

/* A change of one link reaches what stands on it, what is attached to it, and what it is attached to. */
static void add_touched(struct effective *e, const struct model *before, struct notes *touched)
{
	_cleanup_free_ size_t *themselves = notes_positions(touched), *all = NULL;
	size_t n = touched->n;

	for (size_t i = 0; i < n; i++)
		reach_children(touched, before, before->links[themselves[i]]);
	all = notes_positions(touched);
	for (size_t i = 0; i < touched->n; i++) {
		const struct link *was = before->links[all[i]], *master = model_master(before, was);

		add_link(e, before, was);
		if (notes_get(touched, all[i]) == TOUCH_ITSELF && master)
			add_link(e, before, master);
	}
}

static int route_order(const void *a, const void *b)
{
	return route_compare(*(const struct route *const *)a, *(const struct route *const *)b);
}

/* A new route takes the place of the same on another link (RTM_NEWROUTE with NLM_F_REPLACE). */
static void touch_replaced(struct notes *touched, const struct model *before, const struct plan *p)
{
	_cleanup_free_ const struct route **added = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].type == OP_ROUTE_ADD)
			*ARRAY_APPEND(added, n) = p->ops[i].route;
	if (!n)
		return;
	qsort(added, n, sizeof(*added), route_order);
	for (size_t i = 0; i < before->n_links; i++)
		for (size_t r = 0; r < before->links[i]->n_routes; r++) {
			const struct route *route = &before->links[i]->routes[r];

			if (bsearch(&route, added, n, sizeof(*added), route_order))
				touch(touched, before->links[i], TOUCH_ITSELF);
		}
}

void restore_extend(struct effective *e, const struct model *before, const struct plan *p)
{
	_cleanup_(notes_done) struct notes touched = NOTES_NULL;

	touch_replaced(&touched, before, p);
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		const char *name = op->link->name;
		const struct link *was = model_find(before, name);
		bool is_known = model_find(&e->removed, name);

		if (op->type == OP_CREATE && (is_known || !was))
			effective_remove(e, name, op->link->kind, op->ifindex);
		else if (was && !is_known)
			touch(&touched, was, TOUCH_ITSELF);
	}
	add_touched(e, before, &touched);
	keep_told_group_addresses(e, before, p);
}
