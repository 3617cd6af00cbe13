/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ownership.c's part about the VLANs of a bridge and its ports. */
#include "ownership-internal.h"

void vlans_forget(struct record *r)
{
	free(r->vlans);
	r->vlans = NULL;
	r->n_vlans = 0;
	r->wrote_pvid = r->wrote_vlans = false;
	r->vlans_found = VLANS_UNTOUCHED;
}

static const struct values *vlan_keys(const struct link *want)
{
	return want->kind == &kind_bridge ? want->own : want->port;
}

bool vlans_are_said(const struct link *want)
{
	const struct values *v = vlan_keys(want);

	for (unsigned row = 0; v && row < v->table->n; row++)
		if (values_has(v, row) && v->table->rows[row].place == PLACE_VLANS)
			return true;
	return false;
}

static void note_said(struct record *r, const struct link *want)
{
	const struct values *v = vlan_keys(want);

	for (unsigned row = 0; v && row < v->table->n; row++) {
		if (!values_has(v, row) || v->table->rows[row].place != PLACE_VLANS)
			continue;
		if (streq(v->table->rows[row].key, "pvid"))
			r->wrote_pvid = true;
		else
			r->wrote_vlans = true;
	}
}

/* Has it what the kernel gives a port, and changes together with the bridge's vlan_default_pvid? */
static bool has_initial_vlans(const struct link *l, const struct link *bridge)
{
	struct bridge_vlan initial;
	size_t n = resolve_initial_vlans(NULL, bridge, &initial);

	return l->n_vlans == n && (!n || (l->vlans[0].vid == initial.vid && l->vlans[0].flags == initial.flags));
}

void vlans_note(struct record *r, const struct op *op, const struct model *actual)
{
	const struct link *master = op->have ? model_master(actual, op->have) : NULL;
	const struct link *found = op->link->drifted ? op->link : op->have;
	const struct link *bridge = op->link->kind == &kind_bridge ? op->have : master;
	bool attached = op->link->kind == &kind_bridge ||
			(master && (!op->link->master_name[0] || streq(op->link->master_name, master->name)));

	note_said(r, op->link);
	if (r->vlans_found != VLANS_UNTOUCHED)
		return;
	r->vlans_found = VLANS_INITIAL;
	if (!attached || !op->have || r->created || has_initial_vlans(found, bridge))
		return;
	r->vlans_found = VLANS_LISTED;
	r->vlans = array_copy(found->vlans, found->n_vlans, sizeof(*r->vlans));
	r->n_vlans = found->n_vlans;
}

void vlans_settle(struct record *r, const struct link *want, const struct link *have)
{
	bool is_port = have->master || have->kind == &kind_bridge;

	if (r->vlans_found == VLANS_UNTOUCHED || (is_port && (!want || vlans_are_said(want) || !want->vlans_managed)))
		return;
	/* Not said any more, so what is wanted is what was found. */
	if (is_port && (want->n_vlans != have->n_vlans ||
			(want->n_vlans && memcmp(want->vlans, have->vlans, want->n_vlans * sizeof(*want->vlans)) != 0)))
		return;
	vlans_forget(r);
}
