/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: ops that change a link that exists: live where the kernel allows it, else in the order with the least outage
 * (drivers/net/bonding/bond_options.c says which option wants the bond down, or without ports).
 */
#include "planner-internal.h"

#include <linux/if_link.h>

#include "../model/kind-bridge.h"
#include "resolve-link.h"

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
		const struct blob *want = values_at(d->want->own, row).blob, *have;
		struct qos_entry map[64];
		size_t n = 0;

		if (!(d->own >> row & 1) || d->want->own->table->rows[row].type != &type_qos_map)
			continue;
		have = values_has(d->have->own, row) ? values_at(d->have->own, row).blob : NULL;
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

struct loc plan_loc(const struct values *v, uint64_t rows, struct loc otherwise)
{
	for (unsigned row = 0; v && row < v->table->n; row++)
		if ((rows >> row & 1) && values_loc(v, row).file)
			return values_loc(v, row);
	return otherwise;
}

/* Settings of a port that were not the kernel's initial ones and that leaving its master, as it was, would lose. */
static uint64_t port_rows_to_keep(const struct link *port, const struct link *master)
{
	uint64_t rows = 0;

	for (unsigned row = 0; port->port && row < port->port->table->n; row++) {
		const struct option *o = &port->port->table->rows[row];

		if (values_has(port->port, row) && !(o->flags & OPTION_STATUS) && o->place == PLACE_SLAVE &&
		    !o->type->is_blob && o->type != &type_ifname &&
		    (int64_t)values_at(port->port, row).num != o->initial && resolve_row_is_legal(master, o))
			rows |= 1ull << row;
	}
	return rows;
}

struct op *plan_glued(struct op *op, enum impact impact)
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
		if (!is_deleted(p, ports[i]))
			plan_glued(op_add(p, OP_SET, wanted_or(p, ports[i]), ports[i]), IMPACT_FLAP)->master =
				MASTER_LEAVE;
}

static void attach_ports_again(struct planner *p, const struct link_diff *d)
{
	size_t n;
	const struct link *const *ports = children_ports(&p->children, d->have->ifindex, &n);

	for (size_t i = 0; i < n; i++) {
		const struct link *port = ports[i];
		const struct link *want = wanted_or(p, port);
		uint64_t rows = port_rows_to_keep(want == port || want->port == NULL ? port : want, d->want);
		struct op *op;

		if (is_deleted(p, port))
			continue;
		if (want != port && want->master_managed && !streq(want->master_name, d->want->name)) {
			plan_up_after_release(p, want, port, d->have);
			continue;
		}
		op = plan_glued(op_add(p, OP_SET, want, port), IMPACT_FLAP);
		op->master = MASTER_JOIN;
		memcpy(op->master_name, d->want->name, IFNAMSIZ);
		if (rows) {
			op = plan_glued(op_add(p, OP_SET, want->port ? want : port, port), IMPACT_FLAP);
			op->port = rows;
			op->master_kind = d->want->kind;
			op->loc = plan_loc(want->port, rows, want->loc);
		}
		if (d->want->kind == &kind_bridge)
			plan_vlans_again(p, want, port, d->want);
		if (d->want->kind->flags & KIND_PORTS_DOWN)
			plan_lost(p, port, false);
	}
}

void plan_up_with_mac(struct planner *p, const struct link_diff *d, bool up, bool restore_mac)
{
	const struct link *link = d->want;
	struct op *op;

	if (restore_mac && !values_has(link->common, LINK_MAC)) {
		struct link *scratch = plan_scratch(p, link);

		values_put(scratch->common, LINK_MAC, (union value){.num = values_num(d->have->common, LINK_MAC, 0)},
			   LOC_NONE);
		link = scratch;
	}
	op = plan_glued(op_add(p, OP_SET, link, d->have), IMPACT_FLAP);
	op->common = restore_mac ? 1ull << LINK_MAC : 0;
	op->flags = up ? FLAGS_UP : FLAGS_KEEP;
	if (up)
		plan_keep_down(p, link);
}

/* What has to happen around a change, for `why`. */
static char *cycle_reason(const struct link_diff *d, bool down, bool ports_out)
{
	uint64_t rows = rows_needing_down(d->want->own, d->own) | rows_needing_no_ports(d->want->own, d->own);
	unsigned row = 0;

	while (!(rows >> row & 1))
		row++;
	return xasprintf("%s changes only while the link %s%s%s", d->want->own->table->rows[row].key,
			 down ? "is down" : "", down && ports_out ? " and " : "", ports_out ? "has no ports" : "");
}

/* down, ports out, options, ports in, up, and what was lost by it: one burst. */
static void plan_cycle(struct planner *p, const struct link_diff *d, struct op set, bool down, bool ports_out)
{
	uint64_t old_mode = set.own & ~diff_rows_of_mode(d->want), early = old_mode & diff_rows_of_mode(d->have);
	bool up = down && values_num(d->want->common, LINK_UP, 1);
	bool restore_mac = ports_out && (d->want->kind->flags & KIND_PORTS_DOWN);
	size_t first = p->plan->n;
	struct op *op;

	if (down) {
		op = op_add(p, OP_SET, d->want, d->have);
		op->flags = FLAGS_DOWN;
		op->impact = IMPACT_FLAP;
		op->loc = set.loc;
	}
	if (ports_out)
		release_ports(p, d->have);
	if (early)
		op_add(p, OP_SET, set.link, d->have)->own = early;
	op = op_add(p, OP_SET, set.link, d->have);
	set.own &= ~old_mode;
	set.impact = ports_out && cuts_off(p, d->have) ? IMPACT_GUESTS : IMPACT_FLAP;
	set.type = OP_SET;
	set.have = d->have;
	/* Once the mode is left it is too late for those. */
	set.apart = early != 0;
	*op = set;
	if (ports_out)
		attach_ports_again(p, d);
	if (up || restore_mac)
		plan_up_with_mac(p, d, up, restore_mac);
	if (up)
		plan_lost(p, d->have, true);
	p->plan->ops[first].why = cycle_reason(d, down, ports_out);
	for (size_t i = first; i < p->plan->n; i++)
		p->plan->ops[i].glued = i > first && !p->plan->ops[i].apart;
}

static void plan_sysctl_rows(struct planner *p, const struct link_diff *d)
{
	if (streq(d->want->name, LINK_ALL))
		return;
	for (unsigned row = 0; row < link_options.n; row++)
		if ((d->common >> row & 1) && place_is_sysctl(link_options.rows[row].place))
			op_add(p, OP_SYSCTL, d->want, d->have)->common = 1ull << row;
}

/*
 * A bond sets down the port that leaves it. To do so before would let it choose another active port first, and where it
 * is promiscuous the port would keep that.
 */
static bool leaves_down(const struct planner *p, const struct link_diff *d)
{
	return d->master && d->have->port && d->have->port->table == &kind_bond.port && !joins_late(p, d);
}

/*
 * By netlink the kernel only keeps the mode (net/ipv6/addrconf.c, inet6_set_link_af) and looks at it when the link
 * comes up; by the sysctl it makes the address of a link that is up already.
 */
static bool gets_link_local(const struct link_diff *d)
{
	return d->common >> LINK_ADDR_GEN_MODE & 1 && d->have->flags & IFF_UP &&
	       values_num(d->want->common, LINK_UP, 1) &&
	       values_num(d->have->common, LINK_ADDR_GEN_MODE, 0) == IN6_ADDR_GEN_MODE_NONE;
}

void plan_link_local(struct planner *p, const struct link_diff *d)
{
	if (gets_link_local(d))
		op_add(p, OP_SYSCTL, d->want, d->have)->common = 1ull << LINK_ADDR_GEN_MODE;
}

/*
 * A bridge takes forward_delay before stp_state (net/bridge/br_netlink.c, br_changelink()), and only 2 to 30 s as
 * long as STP is on (net/bridge/br_stp.c, br_set_forward_delay()): then off is said in a message before.
 */
static uint64_t rows_before(const struct link *want, uint64_t own)
{
	uint64_t stp = 1ull << BRIDGE_STP_STATE, delay = values_num(want->own, BRIDGE_FORWARD_DELAY, 0);

	if (want->kind != &kind_bridge || !(own & stp) || !(own >> BRIDGE_FORWARD_DELAY & 1) ||
	    values_num(want->own, BRIDGE_STP_STATE, 0) || (delay >= 200 && delay <= 3000))
		return 0;
	return stp;
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
	/* The address is the bond's business while it has the port; and what the port has when it comes it gets back.
	 */
	if (d->master && joins_late(p, d))
		set.common &= ~(1ull << LINK_MAC);
	if (d->master && d->have->port && d->have->port->table == &kind_bond.port)
		set.common &= ~(1ull << LINK_MAC | 1ull << LINK_MTU);
	if (gets_link_local(d))
		set.common &= ~(1ull << LINK_ADDR_GEN_MODE);
	set.own = own;
	if (!d->master && want->master_name[0]) {
		const struct link *master = wanted_master(p, want);

		set.port = d->port & ~rows_naming(want->port, d->port);
		set.master_kind = master ? master->kind : NULL;
	}
	set.loc =
		plan_loc(want->own, own, plan_loc(want->common, set.common, plan_loc(want->port, set.port, want->loc)));
	if (set.common || set.own || set.port) {
		if (own)
			set.link = with_cleared_maps(p, d);
		if (down || ports_out) {
			plan_cycle(p, d, set, down, ports_out);
		} else {
			uint64_t before = rows_before(want, own);
			struct op *op;

			if (before)
				op_add(p, OP_SET, want, d->have)->own = before;
			op = op_add(p, OP_SET, set.link, d->have);
			set.own &= ~before;
			set.type = OP_SET;
			set.have = d->have;
			set.impact = IMPACT_LIVE;
			*op = set;
		}
	}
	plan_sysctl_rows(p, d);
	if (want->kind == &kind_bridge && (own >> BRIDGE_VLAN_DEFAULT_PVID & 1) && !ports_out)
		plan_vlans_kept(p, d->have);
	if (d->vlans && !d->master)
		plan_vlans(p, d);
}

void plan_down(struct planner *p, const struct link_diff *d)
{
	struct op *op;

	if (!(d->common >> LINK_UP & 1) || values_num(d->want->common, LINK_UP, 1) || leaves_down(p, d))
		return;
	op = op_add(p, OP_SET, d->want, d->have);
	op->flags = FLAGS_DOWN;
	op->impact = IMPACT_FLAP;
}

static bool is_for_another(const struct planner *p, const struct link_diff *d, unsigned row)
{
	uint64_t has = values_num(d->have->port, row, 0);

	for (size_t i = 0; has && i < p->diff.n; i++) {
		const struct link_diff *other = &p->diff.list[i];

		if (other != d && other->want && (other->port >> row & 1) &&
		    streq(other->want->master_name, d->want->master_name) &&
		    values_num(other->want->port, row, 0) == has)
			return true;
	}
	return false;
}

void plan_yield(struct planner *p, const struct link_diff *d)
{
	const struct link *master = model_find(wanted(p), d->want->master_name);

	if (d->master || !d->port || !master || !d->have->port || d->have->port->table != d->want->port->table)
		return;
	for (unsigned row = 0; row < d->want->port->table->n; row++) {
		struct link *scratch;
		struct op *op;

		if (!(d->port >> row & 1) || !(d->want->port->table->rows[row].flags & OPTION_UNIQUE) ||
		    !is_for_another(p, d, row))
			continue;
		scratch = plan_scratch(p, d->want);
		values_put(scratch->port, row, (union value){.num = 0}, LOC_NONE);
		op = op_add(p, OP_SET, scratch, d->have);
		op->port = 1ull << row;
		op->master_kind = master->kind;
		op->why = xasprintf("another port is to have this %s", d->want->port->table->rows[row].key);
	}
}
