/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ops that delete links: in which order, what has to go before something new comes, and who is cut off by it.
 */
#include "planner-internal.h"

static const struct model *wanted(const struct planner *p)
{
	return &p->in->effective->links;
}

bool is_cut_off(const struct diff_input *in, const struct link *port)
{
	const struct link *want = model_find(&in->effective->links, port->name);

	if (model_find(&in->effective->removed, port->name))
		return false;
	/* Nobody declares it, and it was not us who attached it. */
	return !want || (!want->master_managed && (want->foreign || !want->loc.file));
}

bool cuts_off(const struct planner *p, const struct link *have)
{
	const struct link *const *list;
	size_t n;

	list = children_ports(&p->children, have->ifindex, &n);
	for (size_t i = 0; i < n; i++)
		if (is_cut_off(p->in, list[i]))
			return true;
	/* A guest's macvtap goes with the link it stands on. */
	list = children_vlans(&p->children, have->ifindex, &n);
	for (size_t i = 0; i < n; i++)
		if (is_cut_off(p->in, list[i]) || cuts_off(p, list[i]))
			return true;
	return false;
}

/* What runs for a link that goes: it would miss the link, and what holds its place may be wanted by another. */
static void plan_programs_end(struct planner *p, const struct link *have)
{
	bool dnsmasq = values_has(have->common, LINK_DNSMASQ) && values_at(have->common, LINK_DNSMASQ).blob;
	bool client = values_num(have->common, LINK_DHCP, DHCP_NO) != DHCP_NO;
	struct link *without;
	struct op *op;

	if (!dnsmasq && !client)
		return;
	without = plan_scratch(p, have);
	if (dnsmasq)
		values_put(without->common, LINK_DNSMASQ, (union value){0}, LOC_NONE);
	if (client)
		values_put(without->common, LINK_DHCP, (union value){.num = DHCP_NO}, LOC_NONE);
	op = op_add(p, OP_HOST, without, have);
	op->common = (dnsmasq ? 1ull << LINK_DNSMASQ : 0) | (client ? 1ull << LINK_DHCP : 0);
	op->loc = LOC_NONE;
}

void plan_ends_of_programs(struct planner *p, const struct ranked *order)
{
	for (size_t i = 0; i < p->diff.n; i++)
		if (!order[i].d->want)
			plan_programs_end(p, order[i].d->have);
}

static void plan_delete(struct planner *p, const struct link_diff *d)
{
	struct op *op;
	const struct link *parent = d->want ? model_find(wanted(p), d->want->parent_name) : NULL;
	const struct link_diff *below = parent ? find_diff(p, parent) : NULL;

	op = op_add(p, OP_DELETE, d->have, d->have);
	op->impact = cuts_off(p, d->have) ? IMPACT_GUESTS : d->want ? IMPACT_RECREATE : IMPACT_GONE;
	op->loc = LOC_NONE;
	if (d->want && d->want->kind != d->have->kind)
		op->why = xasprintf("it is to be a %s", d->want->kind->name);
	else if (below && below->recreate)
		op->why = xasprintf("its parent %s is made anew", parent->name);
	else if (d->want)
		op->why = xstrdup("the kernel takes what differs at creation only");
}

/* Does a link to be removed hold what a new one needs of their parent (net/8021q: EEXIST)? */
static bool holds_slot(const struct planner *p, const struct link *have)
{
	const struct link *parent = model_parent(p->in->actual, have);

	return have->kind->slot && parent && is_slot_wanted(p, have, parent->name);
}

/* Is the link in something's way? Then so are the VLANs that go with it. */
bool goes_early(struct planner *p, const struct link *have)
{
	for (; have; have = model_parent(p->in->actual, have)) {
		const struct link_diff *d = find_removal(p, have);

		if (d && (d->recreate || holds_slot(p, have) || is_crossed(p, have)))
			return true;
	}
	return false;
}

bool is_going(const struct planner *p, const struct link *have)
{
	for (; have; have = model_parent(p->in->actual, have))
		if (find_removal(p, have))
			return true;
	return false;
}

static const struct op *find_delete(struct planner *p, const struct link *have)
{
	const struct op *op = op_about(p, have, NULL);

	while (op && op->type != OP_DELETE)
		op = op_about(p, have, op);
	return op;
}

bool is_deleted(struct planner *p, const struct link *have)
{
	for (; have; have = model_parent(p->in->actual, have))
		if (find_delete(p, have))
			return true;
	return false;
}

/* Deletes from the top of the stack: VLANs before what they stand on, masters before their ports. */
void plan_deletes(struct planner *p, const struct ranked *order, bool early)
{
	for (size_t i = p->diff.n; i-- > 0;) {
		const struct link_diff *d = order[i].d;

		if (!d->have || (!d->recreate && d->want) || !(d->have->kind->flags & KIND_HAS_PARENT))
			continue;
		if (early == goes_early(p, d->have))
			plan_delete(p, d);
	}
	for (size_t i = 0; i < p->diff.n; i++) {
		const struct link_diff *d = order[i].d;

		if (!d->have || (!d->recreate && d->want) || (d->have->kind->flags & KIND_HAS_PARENT))
			continue;
		if (early == d->recreate)
			plan_delete(p, d);
	}
}

void plan_up_again(struct planner *p, size_t n)
{
	for (size_t end = p->plan->n; n < end; n++) {
		const struct op op = p->plan->ops[n];
		const struct link *const *ports;
		size_t n_ports;

		if (op.type != OP_DELETE || !(op.link->kind->flags & KIND_PORTS_DOWN))
			continue;
		ports = children_ports(&p->children, op.link->ifindex, &n_ports);
		for (size_t j = 0; j < n_ports; j++) {
			const struct link *want = model_find(wanted(p), ports[j]->name);
			const struct link_diff *d = want ? find_diff(p, want) : NULL;

			if ((ports[j]->flags & IFF_UP) && !model_find(&p->in->effective->removed, ports[j]->name) &&
			    !(d && d->recreate))
				plan_up_after_release(p, want ? want : ports[j], ports[j], op.link);
		}
	}
}

void plan_cut_ports(const struct diff_input *in, const struct plan *p, plan_cut_fn *add, void *userdata)
{
	_cleanup_free_ struct link **links = NULL;
	struct children children;
	size_t n_links;

	if (plan_impact(p) < IMPACT_GUESTS)
		return;
	links = scope_links(&in->effective->scope, in->actual, &n_links);
	children_index(links, n_links, &children);
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		const struct link *const *list;
		size_t n;

		if (op->impact != IMPACT_GUESTS || !op->have)
			continue;
		list = children_ports(&children, op->have->ifindex, &n);
		for (size_t j = 0; j < n; j++)
			if (is_cut_off(in, list[j]))
				add(i, op->have->name, list[j]->name, userdata);
		list = children_vlans(&children, op->have->ifindex, &n);
		for (size_t j = 0; j < n; j++)
			if (is_cut_off(in, list[j]))
				add(i, op->have->name, list[j]->name, userdata);
	}
	children_done(&children);
}
