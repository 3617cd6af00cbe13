/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ops that attach a link to its master or let it go, and what a port and its master owe each other. */
#include <linux/rtnetlink.h>

#include "../model/kind-bond.h"
#include "planner-internal.h"

static const struct model *wanted(const struct planner *p)
{
	return &p->in->effective->links;
}

/* Was the port let go and then set up? */
static bool is_set_up(struct planner *p, const struct link *have)
{
	const struct link *master = model_index(p->in->actual, have->master);
	const struct op *gone = master ? op_about(p, master, NULL) : NULL;
	bool attached = true, up = false;

	while (gone && gone->type != OP_DELETE)
		gone = op_about(p, master, gone);
	for (const struct op *op = op_about(p, have, NULL); op; op = op_about(p, have, op)) {
		if (attached && (op->master != MASTER_KEEP || (gone && gone < op)))
			attached = up = false;
		if (op->flags != FLAGS_KEEP)
			up = op->flags == FLAGS_UP;
	}
	return up && !(attached && gone);
}

void plan_up_after_release(struct planner *p, const struct link *want, const struct link *have,
			   const struct link *old_master)
{
	const struct link *master = wanted_master(p, want);

	if (!(old_master->kind->flags & KIND_PORTS_DOWN) ||
	    !values_num(want->common, LINK_UP, !!(have->flags & IFF_UP)) ||
	    (master && (master->kind->flags & KIND_PORTS_DOWN)) || is_set_up(p, have))
		return;
	plan_glued(op_add(p, OP_SET, want, have), IMPACT_FLAP)->flags = FLAGS_UP;
	plan_keep_down(p, want);
	plan_lost(p, have, true);
}

/* Did the ops so far take the port from the master it has? */
static bool has_moved(struct planner *p, const struct link *have, const struct link *master)
{
	bool moved = false;

	for (const struct op *op = op_about(p, have, NULL); op; op = op_about(p, have, op))
		if (op->master != MASTER_KEEP)
			moved = op->master == MASTER_LEAVE || !streq(op->master_name, master->name);
	return moved;
}

/* Was the port let go already, while its bond was changed? */
static bool is_released(struct planner *p, const struct link *have)
{
	for (const struct op *op = op_about(p, have, NULL); op; op = op_about(p, have, op))
		if (op->master == MASTER_LEAVE)
			return true;
	return false;
}

static uint64_t mac_of(const struct link *l)
{
	return values_num(l->common, LINK_MAC, 0);
}

/* A copy of the link that exists only on the way, with that MAC. */
static struct link *with_mac(struct planner *p, const struct link *like, uint64_t mac)
{
	struct link *scratch = plan_scratch(p, like);

	values_put(scratch->common, LINK_MAC, (union value){.num = mac}, LOC_NONE);
	return scratch;
}

static uint64_t wanted_mtu_and_mac(const struct link *want)
{
	uint64_t rows = 0;

	rows |= values_has(want->common, LINK_MTU) ? 1ull << LINK_MTU : 0;
	rows |= values_has(want->common, LINK_MAC) ? 1ull << LINK_MAC : 0;
	return rows;
}

/*
 * bond_enslave() opens a port and gives it the bond's MTU and, in most modes, its MAC: what is declared of the port
 * comes after.
 */
static void plan_opened_port(struct planner *p, const struct link_diff *d, const struct link *bond)
{
	const struct link *have = model_find(p->in->actual, bond->name);
	const struct values *was = d->have && !d->recreate ? d->have->common : NULL;
	uint64_t rows = wanted_mtu_and_mac(d->want);

	for (unsigned row = 0; row < link_options.n; row++) {
		uint64_t num = values_num(d->want->common, row, 0);

		if (num == values_num(bond->common, row, values_num(have ? have->common : NULL, row, 1500)) &&
		    (row != LINK_MAC || num == values_num(was, row, num)))
			rows &= ~(1ull << row);
	}
	if (rows)
		op_add(p, OP_SET, d->want, d->recreate ? NULL : d->have)->common = rows;
	plan_keep_down(p, d->want);
}

/* A bond that lets a port go gives it back the MTU and MAC that it had when it came, of which it shows the MAC. */
static uint64_t rows_after_release(const struct link_diff *d)
{
	uint64_t rows = wanted_mtu_and_mac(d->want);

	if (!values_loc(d->want->common, LINK_MTU).file)
		rows &= ~(1ull << LINK_MTU);
	if (d->have->port && d->have->port->table == &kind_bond.port && bond_port_mac(d->have) == mac_of(d->want))
		rows &= ~(1ull << LINK_MAC);
	return rows;
}

static void plan_after_release(struct planner *p, const struct link_diff *d, const struct link *old_master)
{
	const struct link *master = wanted_master(p, d->want);
	uint64_t rows = rows_after_release(d);

	if (rows && (old_master->kind->flags & KIND_PORTS_DOWN) && !(master && joins_late(p, d)))
		op_add(p, OP_SET, d->want, d->have)->common = rows;
	plan_up_after_release(p, d->want, d->have, old_master);
}

/* By position in the actual model: does the plan add a port to the link, or take one from it? */
static struct notes find_changed_masters(const struct planner *p)
{
	const struct model *actual = p->in->actual;
	struct notes changed = NOTES_NULL;

	for (size_t i = 0; i < p->plan->n; i++) {
		const struct op *op = &p->plan->ops[i];
		const struct link *from = op->have ? model_index(actual, op->have->master) : NULL;
		const struct link *to = op->master == MASTER_JOIN ? model_find(actual, op->master_name) : NULL;

		if (from && (op->master != MASTER_KEEP || op->type == OP_DELETE))
			notes_put(&changed, from->position, true);
		if (to)
			notes_put(&changed, to->position, true);
	}
	return changed;
}

/*
 * A bridge follows the MTU of its ports, whatever was set when it was made, until it was changed once
 * (net/bridge/br_if.c, br_mtu_auto_adjust()): where ports came or went, it is set again.
 */
void plan_pin_mtus(struct planner *p)
{
	_cleanup_(notes_done) struct notes changed = find_changed_masters(p);

	for (size_t i = 0; i < wanted(p)->n_links; i++) {
		const struct link *want = wanted(p)->links[i], *have = model_find(p->in->actual, want->name);
		const struct link_diff *d = find_diff(p, want);

		if ((want->kind->flags & KIND_MTU_FOLLOWS) && values_has(want->common, LINK_MTU) && have &&
		    !(d && is_new(d)) && !want->waits_for && notes_get(&changed, have->position))
			op_add(p, OP_SET, want, have)->common = 1ull << LINK_MTU;
	}
}

void plan_left_alone(struct planner *p, const struct link *bond)
{
	const struct link *want = model_find(wanted(p), bond->name);
	const struct link *const *ports;
	struct link_diff d = {.want = want, .have = bond};
	size_t n, left = 0;

	if (!want || !(bond->kind->flags & KIND_PORTS_DOWN) || want->kind != bond->kind)
		return;
	ports = children_ports(&p->children, bond->ifindex, &n);
	for (size_t i = 0; i < n; i++)
		left += has_moved(p, ports[i], bond);
	if (left == n)
		plan_up_with_mac(p, &d, false, true);
}

/*
 * On the way back a port comes to its bond with the address that it had before it came the first time, which by now it
 * may have lost. In the same message: the kernel takes the address first, and no master after a refusal (do_setlink()).
 */
static void plan_own_mac(struct planner *p, const struct link_diff *d, struct op *op)
{
	const struct link *have = d->recreate ? NULL : d->have;
	uint64_t own = bond_port_mac(d->want);
	bool has_bond = have && have->port && have->port->table == &kind_bond.port;

	if (!own || (have && own == mac_of(have)) || (has_bond && !is_released(p, have)))
		return;
	if (has_bond && own == bond_port_mac(have))
		return;
	op->link = with_mac(p, d->want, own);
	op->common = 1ull << LINK_MAC;
}

/*
 * A bond that balances by MAC refuses a port whose own is that of the bond while each of the others has its own
 * (drivers/net/bonding/bond_alb.c, alb_handle_addr_collision_on_attach()): it has none to lend to it. One of them takes
 * that of the bond then, which an active port has anyway.
 */
static void plan_mac_to_lend(struct planner *p, const struct link_diff *d, const struct link *bond)
{
	const struct link *have = model_find(p->in->actual, bond->name), *other = NULL, *want;
	uint64_t mac, own;
	const struct link *const *ports;
	size_t n;

	if (!have || !d->have || !bond_lends_macs(bond))
		return;
	mac = values_num(bond->common, LINK_MAC, mac_of(have));
	own = bond_port_mac(d->want);
	if (mac != (own ? own : mac_of(d->have)))
		return;
	ports = children_ports(&p->children, have->ifindex, &n);
	for (size_t i = 0; i < n; i++) {
		if (has_moved(p, ports[i], have))
			continue;
		if (mac_of(ports[i]) != bond_port_mac(ports[i]))
			return;
		other = ports[i];
	}
	if (!other)
		return;
	want = model_find(wanted(p), other->name);
	op_add(p, OP_SET, with_mac(p, want ? want : other, mac), other)->common = 1ull << LINK_MAC;
}

/* Is there nothing that the link is to do itself, and nothing that is to stand on it? */
static bool is_idle(struct planner *p, const struct link *want)
{
	size_t n;

	wanted_relatives(p, want->name, &n);
	return !n && !want->n_addresses && !want->n_routes && values_num(want->common, LINK_DHCP, DHCP_NO) == DHCP_NO;
}

/*
 * Is the port let go by its bond's removal, when nothing stands on the bond any more? As long as VLANs do, the kernel
 * tells each of each port that leaves (net/8021q/vlan.c, vlan_device_event()), and has the lock meanwhile. Not so where
 * one of the ports is to do something: it may have the bond's MAC, which nobody else is to use then.
 */
static bool leaves_with_bond(struct planner *p, const struct link_diff *d)
{
	const struct link *bond = d->have && !d->recreate ? model_master(p->in->actual, d->have) : NULL;
	const struct link_diff *removal = bond ? find_removal(p, bond) : NULL;
	const struct link *const *ports;
	size_t n;

	if (!d->master || !removal || removal->want || !(bond->kind->flags & KIND_PORTS_DOWN) || goes_early(p, bond))
		return false;
	ports = children_ports(&p->children, bond->ifindex, &n);
	for (size_t i = 0; i < n; i++) {
		const struct link *want = model_find(wanted(p), ports[i]->name);

		if (want && (want->master_name[0] || !is_idle(p, want)))
			return false;
	}
	return true;
}

void plan_left_behind(struct planner *p, const struct link_diff *d)
{
	if (leaves_with_bond(p, d))
		plan_after_release(p, d, model_master(p->in->actual, d->have));
}

/* Does nobody use the link as it is? */
static bool is_unused(const struct planner *p, const struct link *have)
{
	size_t n;

	children_vlans(&p->children, have->ifindex, &n);
	for (size_t i = 0; i < have->n_addresses; i++)
		if (have->addresses[i].scope != RT_SCOPE_LINK)
			return false;
	for (size_t i = 0; i < have->n_routes; i++)
		if (have->routes[i].protocol != RTPROT_KERNEL)
			return false;
	return !n && !have->master;
}

/*
 * Do the ports of a new bond join before anything stands on it? Else the kernel tells each VLAN on it of each port that
 * comes, twice, as above. What is in use joins late, so that it is away for as short as can be, and so do the others
 * then: in the order of the configuration, as always.
 */
static bool has_ports_first(struct planner *p, const struct link *bond)
{
	const struct link_diff *d = find_diff(p, bond);
	size_t n;
	const struct relative *relatives;

	if (!d || !is_new(d) || !(bond->kind->flags & KIND_PORTS_DOWN))
		return false;
	relatives = wanted_relatives(p, bond->name, &n);
	for (size_t i = 0; i < n; i++) {
		const struct link *want = relatives[i].link;
		const struct link_diff *port = find_diff(p, want);

		if (!streq(want->master_name, bond->name) || want->waits_for)
			continue;
		if (!port || !port->have || port->recreate || !is_unused(p, port->have) || !is_idle(p, want))
			return false;
	}
	return true;
}

static bool joins_first(struct planner *p, const struct link_diff *d)
{
	const struct link *bond = d->have && d->master ? model_find(wanted(p), d->want->master_name) : NULL;

	return bond && has_ports_first(p, bond);
}

static void plan_join_any(struct planner *p, const struct link_diff *d)
{
	const struct link *have = d->recreate ? NULL : d->have;
	const struct link *old_master = have ? model_master(p->in->actual, have) : NULL;
	const struct link *master = wanted_master(p, d->want);
	bool must_be_down = master && (master->kind->flags & KIND_PORTS_DOWN);
	/* It may have come up with its parent, unasked. */
	bool is_up = (have && have->flags & IFF_UP) || link_follows_parent(d->want);
	bool released = old_master && is_released(p, have);
	struct op *op;

	if (!d->master || (!have && !joins_late(p, d)))
		return;
	if (must_be_down)
		plan_mac_to_lend(p, d, master);
	if (must_be_down && is_up) {
		op = op_add(p, OP_SET, d->want, have);
		op->flags = FLAGS_DOWN;
		op->impact = have ? IMPACT_FLAP : IMPACT_NONE;
		op->why = xasprintf("a port of a %s must be down to be attached", master->kind->name);
	}
	if (master || !released) {
		op = op_add(p, OP_SET, d->want, have);
		op->impact = have ? IMPACT_FLAP : IMPACT_NONE;
		op->master = master ? MASTER_JOIN : MASTER_LEAVE;
		memcpy(op->master_name, d->want->master_name, IFNAMSIZ);
		op->glued = must_be_down && is_up;
		if (must_be_down)
			plan_own_mac(p, d, op);
	}
	if (must_be_down)
		plan_opened_port(p, d, master);
	if (old_master)
		plan_after_release(p, d, old_master);
	if (old_master && !released)
		plan_left_alone(p, old_master);
	plan_port_values(p, d);
	if (must_be_down && have)
		plan_lost(p, have, false);
}

void plan_first_join(struct planner *p, const struct link_diff *d)
{
	if (joins_first(p, d))
		plan_join_any(p, d);
}

void plan_join(struct planner *p, const struct link_diff *d)
{
	if (!joins_first(p, d) && !leaves_with_bond(p, d))
		plan_join_any(p, d);
}

void plan_port_values(struct planner *p, const struct link_diff *d)
{
	const struct link *master = wanted_master(p, d->want);
	uint64_t rows = d->port & ~rows_naming(d->want->port, d->port);

	if (rows && master) {
		struct op *op = op_add(p, OP_SET, d->want, d->have);

		op->port = rows;
		op->master_kind = master->kind;
		op->loc = plan_loc(d->want->port, rows, d->want->loc);
	}
	if (d->want->vlans_managed && master)
		plan_vlans(p, d);
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
		if ((rows >> row & 1) && named_is_there(p, values_at(v, row)))
			result |= 1ull << row;
	return result;
}

/* Does the value name the link, or nothing (which has to be said again as well)? */
static bool is_named(union value v, const struct link *l)
{
	return !v.blob || streq((const char *)v.blob->data, l->name);
}

/* The kernel keeps a primary by name, and may have forgotten the one whose port comes only now. */
static void plan_named_port(struct planner *p, const struct link_diff *d, const struct link *master)
{
	const struct link_diff *other = find_diff(p, master);
	uint64_t rows;
	struct op *op;

	if (!master->own)
		return;
	rows = rows_naming(master->own, master->own->set) & ~(other ? other->own : 0);
	for (unsigned row = 0; rows >> row; row++)
		if ((rows >> row & 1) && !(is_named(values_at(master->own, row), d->want) &&
					   diff_mode_allows(master, &master->own->table->rows[row])))
			rows &= ~(1ull << row);
	if (!rows)
		return;
	op = op_add(p, OP_SET, master, model_find(p->in->actual, master->name));
	op->own = rows;
	op->loc = plan_loc(master->own, rows, master->loc);
}

void plan_named_rows(struct planner *p, const struct link_diff *d)
{
	const struct link *master = wanted_master(p, d->want);
	uint64_t own = nameable(p, d->want->own, d->own) & diff_rows_of_mode(d->want),
		 port = nameable(p, d->want->port, d->port);
	struct op *op;

	if (d->master && master && model_find(wanted(p), master->name))
		plan_named_port(p, d, master);
	if (!own && !port)
		return;
	op = op_add(p, OP_SET, d->want, d->recreate ? NULL : d->have);
	op->own = own;
	op->port = port;
	op->master_kind = master ? master->kind : NULL;
	op->loc = plan_loc(d->want->own, own, plan_loc(d->want->port, port, d->want->loc));
}
