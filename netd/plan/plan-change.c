/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: ops that change a link that exists: live where the kernel allows it, else in the order with the least outage
 * (drivers/net/bonding/bond_options.c says which option wants the bond down, or without ports).
 */
#include <linux/if_bridge.h>

#include "planner-internal.h"

static const struct model *wanted(const struct planner *p)
{
	return &p->in->effective->links;
}

/* The wanted link, or the link as it is when nobody declares it. */
static const struct link *wanted_or(const struct planner *p, const struct link *have)
{
	const struct link *want = model_find(wanted(p), have->name);

	return want ? want : have;
}

/*
 * A QoS map is changed entry by entry (net/8021q/vlan_netlink.c): entries that are to go are mapped to 0, on a copy of
 * the link that exists only on the way.
 */
static const struct link *with_cleared_maps(struct planner *p, const struct link_diff *d)
{
	struct link *scratch = NULL;

	for (unsigned row = 0; d->want->own && row < d->want->own->table->n; row++) {
		const struct blob *want = d->want->own->v[row].blob, *have;
		struct qos_entry map[64];
		size_t n = 0;

		if (!(d->own >> row & 1) || d->want->own->table->rows[row].type != &type_qos_map)
			continue;
		have = values_has(d->have->own, row) ? d->have->own->v[row].blob : NULL;
		for (size_t i = 0; have && i < have->len / sizeof(*map) && n < ARRAY_SIZE(map); i++) {
			const struct qos_entry *old = (const struct qos_entry *)have->data + i;
			bool stays = false;

			for (size_t j = 0; want && j < want->len / sizeof(*map); j++)
				stays = stays || ((const struct qos_entry *)want->data)[j].from == old->from;
			if (!stays)
				map[n++] = (struct qos_entry){.from = old->from};
		}
		for (size_t j = 0; want && j < want->len / sizeof(*map) && n < ARRAY_SIZE(map); j++)
			map[n++] = ((const struct qos_entry *)want->data)[j];
		if (!scratch)
			scratch = plan_scratch(p, d->want);
		values_put(scratch->own, row, (union value){.blob = blob_new(map, n * sizeof(*map))}, LOC_NONE);
	}
	return scratch ? scratch : d->want;
}

static struct loc first_loc(const struct values *v, uint64_t rows, struct loc otherwise)
{
	for (unsigned row = 0; v && row < v->table->n; row++)
		if ((rows >> row & 1) && values_loc(v, row).file)
			return values_loc(v, row);
	return otherwise;
}

/* Settings of a port that were not the kernel's initial ones and that leaving its master would lose. */
static uint64_t port_rows_to_keep(const struct link *port)
{
	uint64_t rows = 0;

	for (unsigned row = 0; port->port && row < port->port->table->n; row++) {
		const struct option *o = &port->port->table->rows[row];

		if (values_has(port->port, row) && !(o->flags & OPTION_STATUS) && o->place == PLACE_SLAVE &&
		    !o->type->is_blob && o->type != &type_ifname && (int64_t)port->port->v[row].num != o->initial)
			rows |= 1ull << row;
	}
	return rows;
}

static struct op *glued(struct op *op, enum impact impact)
{
	op->glued = true;
	op->impact = impact;
	return op;
}

static void release_ports(struct planner *p, const struct link *master)
{
	size_t n;
	const struct link *const *ports = children_ports(&p->children, master->ifindex, &n);

	for (size_t i = 0; i < n; i++)
		glued(op_add(p, OP_SET, wanted_or(p, ports[i]), ports[i]), IMPACT_FLAP)->master = MASTER_LEAVE;
}

static void attach_ports_again(struct planner *p, const struct link_diff *d)
{
	size_t n;
	const struct link *const *ports = children_ports(&p->children, d->have->ifindex, &n);

	for (size_t i = 0; i < n; i++) {
		const struct link *port = ports[i];
		const struct link *want = wanted_or(p, port);
		uint64_t rows = port_rows_to_keep(want == port || want->port == NULL ? port : want);
		struct op *op;

		if (want != port && want->master_managed && !streq(want->master_name, d->want->name))
			continue;
		op = glued(op_add(p, OP_SET, want, port), IMPACT_FLAP);
		op->master = MASTER_JOIN;
		memcpy(op->master_name, d->want->name, IFNAMSIZ);
		if (!rows)
			continue;
		op = glued(op_add(p, OP_SET, want->port ? want : port, port), IMPACT_FLAP);
		op->port = rows;
		op->master_kind = d->want->kind;
	}
}

/* The address again: a bond whose last port leaves takes a random one (bond_main.c, __bond_release_one()). */
static void set_up_with_mac(struct planner *p, const struct link_diff *d, bool restore_mac)
{
	const struct link *link = d->want;
	struct op *op;

	if (restore_mac && !values_has(link->common, LINK_MAC)) {
		struct link *scratch = plan_scratch(p, link);

		values_put(scratch->common, LINK_MAC, (union value){.num = values_num(d->have->common, LINK_MAC, 0)},
			   LOC_NONE);
		link = scratch;
	}
	op = glued(op_add(p, OP_SET, link, d->have), IMPACT_FLAP);
	op->common = restore_mac ? 1ull << LINK_MAC : 0;
	op->flags = FLAGS_UP;
}

/* down, ports out, options, ports in, up, and what was lost by it: one burst. */
static void plan_cycle(struct planner *p, const struct link_diff *d, struct op set, bool ports_out)
{
	bool was_up = d->have->flags & IFF_UP;
	const char *key = NULL;
	struct op *op;

	for (unsigned row = 0; row < d->want->own->table->n && !key; row++)
		if ((rows_needing_down(d->want->own, d->own) | rows_needing_no_ports(d->want->own, d->own)) >> row & 1)
			key = d->want->own->table->rows[row].key;
	if (was_up) {
		op = op_add(p, OP_SET, d->want, d->have);
		op->flags = FLAGS_DOWN;
		op->impact = IMPACT_FLAP;
		op->loc = set.loc;
		op->why = xasprintf("%s changes only while the link is down%s", key,
				    ports_out ? " and has no ports" : "");
	}
	if (ports_out)
		release_ports(p, d->have);
	op = op_add(p, OP_SET, set.link, d->have);
	set.glued = op != p->plan->ops && (was_up || ports_out);
	set.impact = IMPACT_FLAP;
	set.type = OP_SET;
	set.have = d->have;
	*op = set;
	if (ports_out)
		attach_ports_again(p, d);
	if (was_up && values_num(d->want->common, LINK_UP, 1))
		set_up_with_mac(p, d, ports_out);
	if (was_up) {
		size_t from = p->plan->n;

		plan_lost(p, d->have, true);
		for (size_t i = from; i < p->plan->n; i++)
			p->plan->ops[i].glued = true;
	}
}

static void plan_sysctl_rows(struct planner *p, const struct link_diff *d)
{
	for (unsigned row = 0; row < link_options.n; row++)
		if ((d->common >> row & 1) && link_options.rows[row].place == PLACE_SYSCTL6)
			op_add(p, OP_SYSCTL, d->want, d->have)->common = 1ull << row;
}

void plan_change(struct planner *p, const struct link_diff *d)
{
	const struct link *want = d->want;
	uint64_t own = d->own & ~rows_naming(want->own, d->own);
	struct op set = {.link = want};
	bool ports_out = rows_needing_no_ports(want->own, own) != 0;
	bool down = rows_needing_down(want->own, own) != 0 && (d->have->flags & IFF_UP);

	if (own && want->kind->disturbed)
		own |= want->kind->disturbed(want, own) & ~rows_naming(want->own, ~0ull);
	set.common = rows_at(want->common, d->common, PLACE_LINK) | rows_at(want->common, d->common, PLACE_INET6);
	set.own = own;
	if (!d->master && want->master_name[0]) {
		const struct link *master = model_find(wanted(p), want->master_name);

		set.port = d->port & ~rows_naming(want->port, d->port);
		set.master_kind = master ? master->kind : NULL;
	}
	set.loc = first_loc(want->own, own,
			    first_loc(want->common, set.common, first_loc(want->port, set.port, want->loc)));
	if (set.common || set.own || set.port) {
		if (own)
			set.link = with_cleared_maps(p, d);
		if (down || ports_out) {
			plan_cycle(p, d, set, ports_out);
		} else {
			struct op *op = op_add(p, OP_SET, set.link, d->have);

			set.type = OP_SET;
			set.have = d->have;
			set.impact = IMPACT_LIVE;
			*op = set;
		}
	}
	plan_sysctl_rows(p, d);
	if (d->vlans && !d->master)
		plan_vlans(p, d);
	if ((d->common >> LINK_UP & 1) && !values_num(want->common, LINK_UP, 1)) {
		struct op *op = op_add(p, OP_SET, want, d->have);

		op->flags = FLAGS_DOWN;
		op->impact = IMPACT_FLAP;
	}
}

static void set_up_after_release(struct planner *p, const struct link_diff *d, const struct link *old_master)
{
	if (old_master && (old_master->kind->flags & KIND_PORTS_DOWN) && values_num(d->want->common, LINK_UP, 1))
		glued(op_add(p, OP_SET, d->want, d->have), IMPACT_FLAP)->flags = FLAGS_UP;
}

/* Was the port let go already, while its bond was changed? */
static bool is_released(const struct planner *p, const struct link *have)
{
	for (size_t i = 0; i < p->plan->n; i++)
		if (p->plan->ops[i].have == have && p->plan->ops[i].master == MASTER_LEAVE)
			return true;
	return false;
}

void plan_join(struct planner *p, const struct link_diff *d)
{
	const struct link *have = d->recreate ? NULL : d->have;
	const struct link *old_master = have ? model_master(p->in->actual, have) : NULL;
	const struct link *master = model_find(wanted(p), d->want->master_name);
	bool must_be_down = master && (master->kind->flags & KIND_PORTS_DOWN);
	struct op *op;

	if (!d->master || (!have && !joins_late(p, d)))
		return;
	if (must_be_down && have && (have->flags & IFF_UP)) {
		op = op_add(p, OP_SET, d->want, have);
		op->flags = FLAGS_DOWN;
		op->impact = IMPACT_FLAP;
		op->why = xasprintf("a port of a %s must be down to be attached", master->kind->name);
	}
	if (master || !is_released(p, have)) {
		op = op_add(p, OP_SET, d->want, have);
		op->impact = have ? IMPACT_FLAP : IMPACT_NONE;
		op->master = master ? MASTER_JOIN : MASTER_LEAVE;
		memcpy(op->master_name, d->want->master_name, IFNAMSIZ);
		op->glued = must_be_down && have && (have->flags & IFF_UP);
	}
	if (!must_be_down)
		set_up_after_release(p, d, old_master);
	plan_port_values(p, d);
	if (must_be_down && have)
		plan_lost(p, have, false);
}

void plan_port_values(struct planner *p, const struct link_diff *d)
{
	const struct link *master = model_find(wanted(p), d->want->master_name);
	uint64_t rows = d->port & ~rows_naming(d->want->port, d->port);

	if (rows && master) {
		struct op *op = op_add(p, OP_SET, d->want, d->have);

		op->port = rows;
		op->master_kind = master->kind;
		op->loc = first_loc(d->want->port, rows, d->want->loc);
	}
	if (d->want->vlans_managed && master)
		plan_vlans(p, d);
}

static const struct bridge_vlan *vlan_of(const struct bridge_vlan *list, size_t n, uint16_t vid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].vid == vid)
			return &list[i];
	return NULL;
}

static void plan_vlan_op(struct planner *p, const struct link_diff *d, enum op_type type, struct bridge_vlan *list,
			 size_t n)
{
	struct op *op;

	if (!n) {
		free(list);
		return;
	}
	op = op_add(p, type, d->want, d->recreate ? NULL : d->have);
	op->vlans = list;
	op->n_vlans = n;
}

/* Additions first: the new PVID takes over before the old one goes. */
void plan_vlans(struct planner *p, const struct link_diff *d)
{
	const struct link *want = d->want;
	bool is_bridge = want->kind == &kind_bridge;
	const struct link *bridge = is_bridge ? want : model_find(wanted(p), want->master_name);
	bool attached = d->have && !d->recreate && !(d->master && !is_bridge);
	struct bridge_vlan initial, *add = NULL, *remove = NULL;
	const struct bridge_vlan *found = attached ? d->have->vlans : &initial;
	size_t n_add = 0, n_remove = 0, n_found = attached ? d->have->n_vlans : 0;

	if (!bridge)
		return;
	if (!attached)
		n_found = resolve_initial_vlans(bridge, model_find(p->in->actual, bridge->name), &initial);
	for (size_t i = 0; i < want->n_vlans; i++) {
		const struct bridge_vlan *there = vlan_of(found, n_found, want->vlans[i].vid);

		if (!there || there->flags != want->vlans[i].flags)
			*ARRAY_APPEND(add, n_add) = want->vlans[i];
	}
	for (size_t i = 0; i < n_found; i++)
		if (!vlan_of(want->vlans, want->n_vlans, found[i].vid))
			*ARRAY_APPEND(remove, n_remove) = found[i];
	plan_vlan_op(p, d, OP_VLAN_ADD, add, n_add);
	plan_vlan_op(p, d, OP_VLAN_DELETE, remove, n_remove);
}

/* Can the kernel be told about the link that this row names? */
static bool named_is_there(const struct planner *p, union value v)
{
	const char *name = v.blob ? (const char *)v.blob->data : NULL;
	const struct link *want = name ? model_find(wanted(p), name) : NULL;

	return !name || model_find(p->in->actual, name) || (want && !want->waits_for);
}

static uint64_t nameable(const struct planner *p, const struct values *v, uint64_t rows)
{
	uint64_t result = 0;

	rows = rows_naming(v, rows);
	for (unsigned row = 0; v && row < v->table->n; row++)
		if ((rows >> row & 1) && named_is_there(p, v->v[row]))
			result |= 1ull << row;
	return result;
}

void plan_named_rows(struct planner *p, const struct link_diff *d)
{
	const struct link *master = model_find(wanted(p), d->want->master_name);
	uint64_t own = nameable(p, d->want->own, d->own), port = nameable(p, d->want->port, d->port);
	struct op *op;

	if (!own && !port)
		return;
	op = op_add(p, OP_SET, d->want, d->recreate ? NULL : d->have);
	op->own = own;
	op->port = port;
	op->master_kind = master ? master->kind : NULL;
	op->loc = first_loc(d->want->own, own, first_loc(d->want->port, port, d->want->loc));
}
