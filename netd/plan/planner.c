/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: planner.h: the phases of a plan and the order within them. */
#include "planner-internal.h"

void op_done(struct op *op)
{
	free(op->vlans);
	free(op->text);
	free(op->commands);
	free(op->why);
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		op_done(&p->ops[i]);
	free(p->ops);
	for (size_t i = 0; i < p->n_scratch; i++)
		link_free(p->scratch[i]);
	free(p->scratch);
	*p = PLAN_NULL;
}

void plan_number(struct plan *p, uint32_t *next)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].type == OP_CREATE)
			p->ops[i].ifindex = (*next)++;
}

struct op *op_add(struct planner *p, enum op_type type, const struct link *link, const struct link *have)
{
	struct op *op = ARRAY_APPEND(p->plan->ops, p->plan->n);

	op->type = type;
	op->link = link;
	op->have = have;
	op->loc = link->loc;
	op->impact = have ? IMPACT_LIVE : IMPACT_NONE;
	return op;
}

struct link *plan_scratch(struct planner *p, const struct link *like)
{
	struct link *l = link_copy(like);

	*ARRAY_APPEND(p->plan->scratch, p->plan->n_scratch) = l;
	return l;
}

uint64_t rows_at(const struct values *v, uint64_t rows, enum place place)
{
	uint64_t result = 0;

	for (unsigned row = 0; v && row < v->table->n; row++)
		if ((rows >> row & 1) && v->table->rows[row].place == place)
			result |= 1ull << row;
	return result;
}

uint64_t rows_naming(const struct values *v, uint64_t rows)
{
	uint64_t result = 0;

	for (unsigned row = 0; v && row < v->table->n; row++)
		if ((rows >> row & 1) && v->table->rows[row].type == &type_ifname)
			result |= 1ull << row;
	return result;
}

static uint64_t rows_of_change(const struct values *v, uint64_t rows, enum change a, enum change b)
{
	uint64_t result = 0;

	for (unsigned row = 0; v && row < v->table->n; row++)
		if ((rows >> row & 1) && (v->table->rows[row].change == a || v->table->rows[row].change == b))
			result |= 1ull << row;
	return result;
}

uint64_t rows_needing_down(const struct values *v, uint64_t rows)
{
	return rows_of_change(v, rows, CHANGE_DOWN, CHANGE_DOWN_NO_PORTS);
}

uint64_t rows_needing_no_ports(const struct values *v, uint64_t rows)
{
	return rows_of_change(v, rows, CHANGE_NO_PORTS, CHANGE_DOWN_NO_PORTS);
}

/* The bounds keep a hand-made loop in the kernel's or a caller's model from hanging us. */
#define DEPTH_MAX 64

unsigned parent_depth(const struct model *m, const struct link *l)
{
	unsigned depth = 0;

	for (l = model_parent(m, l); l && depth < DEPTH_MAX; l = model_parent(m, l))
		depth++;
	return depth;
}

unsigned master_depth(const struct model *m, const struct link *l)
{
	unsigned depth = 0;

	for (l = model_master(m, l); l && depth < DEPTH_MAX; l = model_master(m, l))
		depth++;
	return depth;
}

static const struct model *wanted(const struct planner *p)
{
	return &p->in->effective->links;
}

bool is_new(const struct link_diff *d)
{
	return d->want && (!d->have || d->recreate);
}

const struct link *wanted_master(const struct planner *p, const struct link *want)
{
	const struct link *master = model_find(wanted(p), want->master_name);

	return master || !want->master_name[0] ? master : model_find(p->in->actual, want->master_name);
}

/*
 * A new link joins a bridge in its create message. A bond's port must be down and is opened by the bond
 * (bond_enslave()), which a VLAN survives only once its parent is up; so those join after the ups.
 */
bool joins_late(const struct planner *p, const struct link_diff *d)
{
	const struct link *master = wanted_master(p, d->want);

	return master && (master->kind->flags & KIND_PORTS_DOWN);
}

static uint64_t all_rows(const struct values *v)
{
	uint64_t rows = 0;

	for (unsigned row = 0; v && row < v->table->n; row++)
		if (values_has(v, row) && v->table->rows[row].place != PLACE_CONFIG &&
		    v->table->rows[row].place != PLACE_VLANS && !(v->table->rows[row].flags & OPTION_STATUS))
			rows |= 1ull << row;
	return rows;
}

/* What hangs on a link that is made anew: its VLANs go with it, its ports are let go. Returns whether anything was
 * added. */
static bool spread_recreate(struct planner *p, const struct link *recreated)
{
	bool added = false;
	size_t n;
	const struct relative *relatives = wanted_relatives(p, recreated->name, &n);

	for (size_t i = 0; i < n; i++) {
		const struct link *want = relatives[i].link;
		bool child = streq(want->parent_name, recreated->name);
		bool port = streq(want->master_name, recreated->name) && !want->foreign;
		struct link_diff *d;

		if ((!child && !port) || want->waits_for)
			continue;
		d = find_diff(p, want);
		if (!d)
			d = add_diff(p, want);
		if (port && !d->master) {
			d->master = true;
			d->port = all_rows(want->port);
			d->vlans = want->vlans_managed;
		}
		if (child && !is_new(d)) {
			d->recreate = true;
			diff_as_new(p->in, d);
			added = true;
		}
	}
	return added;
}

static void expand_recreate(struct planner *p)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < p->diff.n; i++)
			if (p->diff.list[i].recreate && spread_recreate(p, p->diff.list[i].want))
				again = true;
	}
}

/* New links: masters from the top, then everything else, then VLANs from the bottom. */
static unsigned create_rank(const struct planner *p, const struct link_diff *d)
{
	const struct link *l = d->want ? d->want : d->have;
	const struct model *m = d->want ? wanted(p) : p->in->actual;

	if (l->kind->flags & KIND_HAS_PARENT)
		return 1000 + parent_depth(m, l);
	return master_depth(m, l);
}

static int ranked_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* As things are, for deleting. */
static unsigned delete_rank(const struct planner *p, const struct link_diff *d)
{
	if (!d->have)
		return 0;
	return d->have->kind->flags & KIND_HAS_PARENT ? 1000 + parent_depth(p->in->actual, d->have)
						      : master_depth(p->in->actual, d->have);
}

static struct ranked *rank_all(const struct planner *p,
			       unsigned (*rank)(const struct planner *, const struct link_diff *))
{
	struct ranked *list = xcalloc(p->diff.n, sizeof(*list));

	for (size_t i = 0; i < p->diff.n; i++) {
		const struct link_diff *d = &p->diff.list[i];
		size_t place = d->want ? d->want->position : wanted(p)->n_links + i;

		list[i] = (struct ranked){rank(p, d), place, d};
	}
	qsort(list, p->diff.n, sizeof(*list), ranked_order);
	return list;
}

/* Does it come up with its parent, unasked and unwanted? */
static bool is_down_vlan(const struct link *l)
{
	return link_follows_parent(l) && values_num(l->common, LINK_UP, 1) == 0;
}

static bool has_down_vlan(struct link *const *links, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_down_vlan(links[i]))
			return true;
	return false;
}

/* What is there. */
static void index_actual(struct planner *p)
{
	const struct model *links = wanted(p);
	size_t n;
	_cleanup_free_ struct link **list = scope_links(&p->in->effective->scope, p->in->actual, &n);

	children_index(list, n, &p->children);
	p->has_down_vlan = has_down_vlan(links->links, links->n_links) || has_down_vlan(list, n);
}

/* Is the link there by now, in the middle of the plan? */
static bool is_made(struct planner *p, const struct link *want)
{
	const struct link_diff *d = find_diff(p, want);

	if (!d || !is_new(d))
		return true;
	return p->made;
}

void plan_keep_down(struct planner *p, const struct link *parent)
{
	const struct link *have = model_find(p->in->actual, parent->name);
	const struct link *const *vlans;
	const struct relative *relatives;
	size_t n;

	if (!p->has_down_vlan)
		return;
	relatives = wanted_relatives(p, parent->name, &n);
	for (size_t i = 0; i < n; i++) {
		const struct link *vlan = relatives[i].link;

		if (vlan->waits_for || !streq(vlan->parent_name, parent->name) || !is_made(p, vlan))
			continue;
		if (is_down_vlan(vlan))
			op_add(p, OP_SET, vlan, model_find(p->in->actual, vlan->name))->flags = FLAGS_DOWN;
		else
			plan_keep_down(p, vlan);
	}
	vlans = children_vlans(&p->children, have ? have->ifindex : 0, &n);
	for (size_t i = 0; i < n; i++)
		if (is_down_vlan(vlans[i]) && is_cut_off(p->in, vlans[i]))
			op_add(p, OP_SET, vlans[i], vlans[i])->flags = FLAGS_DOWN;
}

/*
 * Does it come up in the burst? A bond opens its ports itself. And as long as what is to be a network's port is not in
 * its bridge, what comes in by it is the host's: it would be routed, past the rules of the network.
 */
static bool opens_late(const struct planner *p, const struct link_diff *d)
{
	const struct link *master = d->master ? wanted_master(p, d->want) : NULL;

	return master && ((master->kind->flags & KIND_PORTS_DOWN) || (master->network[0] && !is_new(d)));
}

/* Does the link stand on one that comes up in the burst? */
static bool stands_on_port(struct planner *p, const struct link *want)
{
	for (want = model_parent(wanted(p), want); want; want = model_parent(wanted(p), want)) {
		const struct link_diff *d = find_diff(p, want);

		if (d && opens_late(p, d))
			return true;
	}
	return false;
}

static void plan_up(struct planner *p, const struct link_diff *d, bool late)
{
	struct op *op;

	if (!(d->common >> LINK_UP & 1) || !values_num(d->want->common, LINK_UP, 0))
		return;
	if ((d->master && joins_late(p, d)) || late != (opens_late(p, d) || stands_on_port(p, d->want)))
		return;
	op = op_add(p, OP_SET, d->want, is_new(d) ? NULL : d->have);
	op->flags = FLAGS_UP;
	op->loc = values_loc(d->want->common, LINK_UP).file ? values_loc(d->want->common, LINK_UP) : d->want->loc;
	plan_keep_down(p, d->want);
}

static void plan_early_up(struct planner *p, const struct link_diff *d)
{
	plan_up(p, d, false);
}

static void plan_late_up(struct planner *p, const struct link_diff *d)
{
	plan_up(p, d, true);
}

/* A burst this small goes out in one send, so that a NIC's addresses and routes are away for as short as can be. */
#define BURST_MAX 120

static void glue(struct planner *p, size_t from)
{
	bool moves = false;

	for (size_t i = from; i < p->plan->n; i++)
		moves = moves || p->plan->ops[i].master != MASTER_KEEP;
	if (!moves || p->plan->n - from > BURST_MAX)
		return;
	for (size_t i = from + 1; i < p->plan->n; i++)
		p->plan->ops[i].glued = p->plan->ops[i].type != OP_SYSCTL && p->plan->ops[i - 1].type != OP_SYSCTL;
}

typedef void phase_fn(struct planner *p, const struct link_diff *d);

static void each(struct planner *p, const struct ranked *order, bool new_links, bool existing, phase_fn *fn)
{
	for (size_t i = 0; i < p->diff.n; i++) {
		const struct link_diff *d = order[i].d;

		if (d->want && (is_new(d) ? new_links : existing))
			fn(p, d);
	}
}

/*
 * The order:
 *  0. rules of the firewall that are to hold, before there is a packet that they are for; those that go are last;
 *  1. deletes that something new needs out of the way (a recreate, a VLAN id), since the kernel would answer EEXIST,
 *     and ports that would close a loop;
 *  2. changes to links that exist, lower links first, so that a VLAN's new MTU finds its parent's;
 *  3. new links, masters before ports and parents before VLANs, down, already attached: bringing a link up before it
 *     has its master costs twice (every port's IPv6 configuration is made and undone). NICs that nobody uses join
 *     their new bond before VLANs stand on it;
 *  4. what a create message cannot carry (port options, VLANs, IPv6 modes) and their IPv4 addresses, before any
 *     packet flows;
 *  5. up, in the same order;
 *  6. other addresses: a new bridge has all of its own before the NIC moves into it. What clashes goes before;
 *  7. the burst: existing links change masters, what stands on a NIC that a bond opened comes up, routes follow,
 *     addresses that moved leave the NIC. One send;
 *  8. what names another link (primary, backup_port), now that it is in place; a link-local address for what is no
 *     port any more;
 *  9. what other programs of the host are to know, now that what they are told of works;
 * 10. deletes, which are dear (RCU grace periods) and hurt nobody by being late, and what they leave behind.
 */
void plan_make(const struct diff_input *in, struct plan *ret)
{
	struct plan plan = PLAN_NULL;
	struct planner p = {.in = in, .plan = &plan};
	_cleanup_free_ struct ranked *order = NULL, *removal = NULL;
	size_t burst, late;

	diff_models(in, &p.diff);
	index_actual(&p);
	planner_index(&p);
	expand_recreate(&p);
	plan_forwarding_again(&p);
	planner_index_diffs(&p);
	order = rank_all(&p, create_rank);
	removal = rank_all(&p, delete_rank);
	plan_firewall(&p);
	plan_deletes(&p, removal, true);
	plan_up_again(&p, 0);
	each(&p, order, false, true, plan_uncross);
	each(&p, order, false, true, plan_yield);
	plan_forwarding_of_all(&p, false);
	each(&p, order, false, true, plan_change);
	plan_forwarding_of_all(&p, true);
	each(&p, order, false, true, plan_down);
	each(&p, order, true, false, plan_create_lower);
	each(&p, order, false, true, plan_first_join);
	each(&p, order, true, false, plan_create_upper);
	p.made = true;
	each(&p, order, true, false, plan_settle_new);
	each(&p, order, true, true, plan_zone);
	each(&p, order, true, false, plan_first_addresses);
	each(&p, order, true, true, plan_early_up);
	each(&p, order, true, true, plan_addresses);
	burst = plan.n;
	each(&p, order, true, true, plan_join);
	each(&p, order, true, true, plan_late_up);
	each(&p, order, true, true, plan_late_addresses);
	each(&p, order, true, true, plan_routes);
	each(&p, order, true, true, plan_extra);
	for (size_t i = 0; i < p.diff.n; i++)
		if (!order[i].d->want && !goes_early(&p, order[i].d->have))
			plan_moved_off(&p, order[i].d);
	glue(&p, burst);
	each(&p, order, true, true, plan_named_rows);
	each(&p, order, false, true, plan_link_local);
	plan_ends_of_programs(&p, removal);
	each(&p, order, true, true, plan_host);
	late = plan.n;
	plan_deletes(&p, removal, false);
	each(&p, order, false, true, plan_left_behind);
	plan_up_again(&p, late);
	plan_pin_mtus(&p);
	plan_firewall_removal(&p);
	planner_done(&p);
	*ret = plan;
}

enum impact plan_impact(const struct plan *p)
{
	enum impact worst = IMPACT_NONE;

	for (size_t i = 0; i < p->n; i++)
		worst = MAX(worst, p->ops[i].impact);
	return worst;
}
