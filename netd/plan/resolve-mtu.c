/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: MTUs of VLANs, and of other kinds with KIND_MTU_OF_PARENT, which are never above their parents':
 * vlan_dev_change_mtu() and vlan_newlink() refuse it with ERANGE (net/8021q/vlan_dev.c, vlan_netlink.c). What the files
 * alone tell of it, config/check-stack.c says.
 */
#include "resolve-link.h"

#define MTU_OF_NEW 1500 /* ETH_DATA_LEN */

static bool has_mtu_of_parent(const struct link *want)
{
	return want->parent_name[0] && want->kind->flags & KIND_MTU_OF_PARENT;
}

/* What it has now, or what is put back when nothing declares one any more. */
static uint64_t mtu_without_key(const struct resolve_input *in, const struct link *have)
{
	const struct record *r = ledger_find(in->ledger, have->name);

	return values_num(r && record_fits(r, have) ? r->common : NULL, LINK_MTU,
			  values_num(have->common, LINK_MTU, 0));
}

/* The MTU that a link will have; 0: not known, as that of a bridge, which follows its ports. */
static uint64_t mtu_to_be(const struct resolve_input *in, const struct effective *e, const char *name)
{
	const struct link *want = model_find(&e->links, name), *have = resolve_present(in, name);
	const struct link *either = want ? want : have;
	uint64_t most;

	if (want && values_has(want->common, LINK_MTU))
		return values_num(want->common, LINK_MTU, 0);
	if (!either || either->kind == &kind_bridge)
		return 0;
	if (want && have && resolve_is_made_anew(in, want, have))
		have = NULL;
	if (!want || !has_mtu_of_parent(want))
		return have ? mtu_without_key(in, have) : either->kind->flags & KIND_VIRTUAL ? MTU_OF_NEW : 0;
	most = mtu_to_be(in, e, want->parent_name);
	return have && mtu_without_key(in, have) < most ? mtu_without_key(in, have) : most;
}

/* bond_enslave() gives a port the bond's MTU, and so does each change of it (drivers/net/bonding/bond_main.c). */
static bool fits_bond(const struct resolve_input *in, struct effective *e, const struct link *want,
		      const struct link *parent, uint64_t most)
{
	const struct link *bond = model_find(&e->links, want->master_name);
	uint64_t mtu = bond && bond->kind == &kind_bond ? mtu_to_be(in, e, bond->name) : 0;

	if (mtu <= most)
		return true;
	if (values_has(bond->common, LINK_MTU))
		diag_add(
			&e->problems, SEVERITY_ERROR, values_loc(bond->common, LINK_MTU), bond->name, "mtu",
			"%llu is more than its port %s can have, whose parent %s has %llu (mtu of [%s %s] raises that)",
			(unsigned long long)mtu, want->name, parent->name, (unsigned long long)most, parent->kind->name,
			parent->name);
	else
		diag_add(&e->problems, SEVERITY_ERROR, resolve_port_loc(bond, want->name), bond->name, "ports",
			 "%s cannot have the bond's MTU of %llu: its parent %s has %llu (mtu of [bond %s] lowers it)",
			 want->name, (unsigned long long)mtu, parent->name, (unsigned long long)most, bond->name);
	return false;
}

static bool fits_parent(const struct resolve_input *in, struct effective *e, const struct link *want)
{
	const struct link *wanted_parent = model_find(&e->links, want->parent_name);
	const struct link *parent = wanted_parent ? wanted_parent : resolve_present(in, want->parent_name);
	uint64_t most = parent ? mtu_to_be(in, e, want->parent_name) : 0, mtu = values_num(want->common, LINK_MTU, 0);

	if (!most)
		return true;
	if (mtu <= most)
		return fits_bond(in, e, want, parent, most);
	diag_add(&e->problems, SEVERITY_ERROR, values_loc(want->common, LINK_MTU), want->name, "mtu",
		 "%llu is above the MTU of its parent %s, which is %llu (mtu of [%s %s] raises it)",
		 (unsigned long long)mtu, parent->name, (unsigned long long)most, parent->kind->name, parent->name);
	return false;
}

void resolve_check_mtus(const struct resolve_input *in, struct effective *e)
{
	for (size_t i = 0; i < e->links.n_links; i++) {
		struct link *want = e->links.links[i];

		if (!has_mtu_of_parent(want) || fits_parent(in, e, want))
			continue;
		free(want->waits_for);
		want->waits_for = xstrdup(want->name);
	}
}

void resolve_mtu(const struct resolve_input *in, struct effective *e, struct link *want)
{
	struct link *parent = model_find(&e->links, want->parent_name);
	const struct link *have = model_find(in->actual, want->parent_name);
	uint64_t mtu = values_num(have ? have->common : NULL, LINK_MTU, MTU_OF_NEW);

	if (parent)
		resolve_mtu(in, e, parent);
	mtu = values_num(parent ? parent->common : NULL, LINK_MTU, mtu);
	if (has_mtu_of_parent(want) && !values_loc(want->common, LINK_MTU).file &&
	    values_num(want->common, LINK_MTU, 0) > mtu)
		values_put(want->common, LINK_MTU, (union value){.num = mtu}, LOC_NONE);
}
