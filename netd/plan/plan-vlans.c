/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ops that change which VLANs a bridge and its ports are members of. */
#include <linux/if_bridge.h>
#include <stdlib.h>

#include "planner-internal.h"

#include "../model/kind-bridge.h"

#define VLAN_DEFAULT (BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED)

/* In a list sorted by vid. */
static const struct bridge_vlan *vlan_of(const struct bridge_vlan *list, size_t n, uint16_t vid)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle].vid < vid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && list[low].vid == vid ? &list[low] : NULL;
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
static void plan_vlan_delta(struct planner *p, const struct link_diff *d, const struct bridge_vlan *vlans,
			    size_t n_vlans, const struct bridge_vlan *found, size_t n_found)
{
	struct bridge_vlan *add = NULL, *remove = NULL;
	size_t n_add = 0, n_remove = 0;

	for (size_t i = 0; i < n_vlans; i++) {
		const struct bridge_vlan *there = vlan_of(found, n_found, vlans[i].vid);

		if (!there || there->flags != vlans[i].flags)
			*ARRAY_APPEND(add, n_add) = vlans[i];
	}
	for (size_t i = 0; i < n_found; i++)
		if (!vlan_of(vlans, n_vlans, found[i].vid))
			*ARRAY_APPEND(remove, n_remove) = found[i];
	plan_vlan_op(p, d, OP_VLAN_ADD, add, n_add);
	plan_vlan_op(p, d, OP_VLAN_DELETE, remove, n_remove);
}

void plan_vlans_again(struct planner *p, const struct link *want, const struct link *port, const struct link *bridge)
{
	struct link_diff d = {.want = want, .have = port};
	const struct link *like = want->vlans_managed ? want : port;
	struct bridge_vlan initial;
	size_t n = resolve_initial_vlans(bridge, model_find(p->in->actual, bridge->name), &initial);

	plan_vlan_delta(p, &d, like->vlans, like->n_vlans, &initial, n);
}

/* The change of vlan_default_pvid that the plan makes on a bridge that is there. */
struct default_change {
	uint16_t from, to; /* 0: none */
};

static struct default_change change_of_default(struct planner *p, const struct link *bridge)
{
	const struct link_diff *d = find_diff(p, bridge);
	struct default_change change = {0};

	if (!d || is_new(d) || !(d->own >> BRIDGE_VLAN_DEFAULT_PVID & 1))
		return change;
	change.from = (uint16_t)values_num(d->have->own, BRIDGE_VLAN_DEFAULT_PVID, 0);
	change.to = (uint16_t)values_num(d->want->own, BRIDGE_VLAN_DEFAULT_PVID, 0);
	return change;
}

static int vid_order(const void *a, const void *b)
{
	return ((const struct bridge_vlan *)a)->vid - ((const struct bridge_vlan *)b)->vid;
}

/*
 * What a member becomes by the change (net/bridge/br_vlan.c, __br_vlan_set_default_pvid()): the new default takes the
 * place of the old one where that is the untagged PVID, declared or not. The caller frees the list.
 */
static struct bridge_vlan *moved_default(struct default_change change, const struct bridge_vlan *list, size_t n,
					 size_t *ret_n)
{
	const struct bridge_vlan *old = vlan_of(list, n, change.from);
	bool moves = change.from != change.to &&
		     !(change.from && (!old || (old->flags & VLAN_DEFAULT) != VLAN_DEFAULT)) &&
		     !vlan_of(list, n, change.to);
	struct bridge_vlan *result = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct bridge_vlan v = list[i];

		if (moves && v.vid == change.from)
			continue;
		if (moves && change.to)
			v.flags &= (uint16_t)~BRIDGE_VLAN_INFO_PVID;
		*ARRAY_APPEND(result, *ret_n) = v;
	}
	if (moves && change.to)
		*ARRAY_APPEND(result, *ret_n) = (struct bridge_vlan){.vid = change.to, .flags = VLAN_DEFAULT};
	if (*ret_n)
		qsort(result, *ret_n, sizeof(*result), vid_order);
	return result;
}

static bool declares_pvid(const struct link *want)
{
	if (want->kind == &kind_bridge)
		return values_has(want->own, BRIDGE_PVID);
	return want->port && want->port->table == &kind_bridge.port && values_has(want->port, BRPORT_PVID);
}

/* Of one that is attached, from what it has when the bridge's own options are changed: a PVID that nobody declares goes
 * along. */
static void plan_vlans_attached(struct planner *p, const struct link_diff *d, const struct link *bridge)
{
	struct default_change change = change_of_default(p, bridge), none = {0};
	size_t n_found, n_want;
	_cleanup_free_ struct bridge_vlan *found = moved_default(change, d->have->vlans, d->have->n_vlans, &n_found);
	_cleanup_free_ struct bridge_vlan *want =
		moved_default(declares_pvid(d->want) ? none : change, d->want->vlans, d->want->n_vlans, &n_want);

	plan_vlan_delta(p, d, want, n_want, found, n_found);
}

void plan_vlans(struct planner *p, const struct link_diff *d)
{
	const struct link *want = d->want;
	bool is_bridge = want->kind == &kind_bridge;
	const struct link *bridge = is_bridge ? want : wanted_master(p, want);
	struct bridge_vlan initial;
	size_t n;

	if (!bridge)
		return;
	if (d->have && !d->recreate && !(d->master && !is_bridge)) {
		plan_vlans_attached(p, d, bridge);
		return;
	}
	n = resolve_initial_vlans(bridge, model_find(p->in->actual, bridge->name), &initial);
	plan_vlan_delta(p, d, want->vlans, want->n_vlans, &initial, n);
}

static void plan_vlans_unmoved(struct planner *p, const struct link *have)
{
	const struct link *want = model_find(&p->in->effective->links, have->name);
	const struct link_diff *other = want ? find_diff(p, want) : NULL;
	struct link_diff d = {.want = want, .have = have};

	if (want && want->vlans_managed && declares_pvid(want) && !(other && (other->vlans || other->master)))
		plan_vlans(p, &d);
}

void plan_vlans_kept(struct planner *p, const struct link *bridge)
{
	size_t n;
	const struct link *const *ports = children_ports(&p->children, bridge->ifindex, &n);

	plan_vlans_unmoved(p, bridge);
	for (size_t i = 0; i < n; i++)
		plan_vlans_unmoved(p, ports[i]);
}
