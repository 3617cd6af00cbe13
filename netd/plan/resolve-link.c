/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what one wanted link is to look like: the stated defaults (up, MAC, IPv6 on ports and bridges), what goes
 * back to the value found, and the exact VLAN set of a bridge port. See DESIGN: "A key left out means ...".
 */
#include "resolve-link.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>

#include "../model/kind-bond.h"
#include "ownership.h"

#define MAC_MASK ((1ull << 48) - 1)

static void want_num(struct values **v, const struct option_table *table, unsigned row, uint64_t num)
{
	if (!*v)
		*v = values_new(table);
	values_put(*v, row, (union value){.num = num}, LOC_NONE);
}

static void default_num(struct link *want, enum link_row row, uint64_t num)
{
	if (!values_has(want->common, row))
		want_num(&want->common, &link_options, row, num);
}

/*
 * A MAC that depends on nothing but the machine and the name, so that it is the same at every boot: FNV-1a of both, as
 * a locally administered unicast address.
 */
static uint64_t stable_mac(const struct resolve_input *in, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof(in->machine_id); i++)
		hash = (hash ^ in->machine_id[i]) * 0x100000001b3u;
	for (const char *c = name; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
	hash = (hash ^ hash >> 32) & MAC_MASK;
	return (hash & ~(1ull << 40)) | 1ull << 41;
}

bool resolve_is_made_anew(const struct resolve_input *in, const struct link *want, const struct link *have)
{
	if (want->kind != have->kind)
		return true;
	for (unsigned row = 0; want->own && row < want->own->table->n; row++) {
		const struct option *o = &want->own->table->rows[row];

		if (o->change == CHANGE_RECREATE && values_has(want->own, row) && values_has(have->own, row) &&
		    !o->type->equal(o, values_at(want->own, row), values_at(have->own, row)))
			return true;
	}
	return want->parent_name[0] && model_parent(in->actual, have) != model_find(in->actual, want->parent_name);
}

static uint64_t link_mac(const struct resolve_input *in, struct effective *e, struct link *want);

/* The address a master takes from a port: permanent if the device has one, what it is or will be otherwise; 0: unknown.
 */
static uint64_t port_mac(const struct resolve_input *in, struct effective *e, const char *name)
{
	struct link *want = model_find(&e->links, name);
	const struct link *have = model_find(in->actual, name);

	if (want && (want->kind->flags & KIND_HAS_PORTS))
		return link_mac(in, e, want);
	if (want && have && resolve_is_made_anew(in, want, have))
		have = NULL;
	if (have && have->has_perm_mac && have->perm_mac)
		return have->perm_mac;
	if (have && have->port && have->port->table == &kind_bond.port)
		/* What it had before the bond gave it its own. */
		return bond_port_mac(have);
	if (have)
		return values_num(have->common, LINK_MAC, 0);
	if (want && want->kind->flags & KIND_MAC_OF_PARENT)
		return port_mac(in, e, want->parent_name);
	return 0;
}

/* Decides a master's MAC and stores it; 0: kvmnetd does not set it. */
static uint64_t link_mac(const struct resolve_input *in, struct effective *e, struct link *want)
{
	uint64_t said = values_num(want->common, LINK_MAC, 0);
	const struct link *have = model_find(in->actual, want->name);
	const struct record *r = ledger_find(in->ledger, want->name);
	bool ours = !have || ledger_made(in->ledger, have);
	uint64_t mac = 0;

	if (said && said <= MAC_MASK)
		return said;
	if (!said && !(ours && (want->kind->flags & KIND_HAS_PORTS)))
		return have ? values_num(have->common, LINK_MAC, 0) : 0;
	if (said != MAC_STABLE) {
		mac = ours && r && r->kind == want->kind ? r->mac : 0;
		for (size_t i = 0; !mac && i < want->n_ports; i++)
			mac = port_mac(in, e, want->ports[i].name);
		want->mac_from_port = mac != 0;
	}
	if (!mac)
		mac = stable_mac(in, want->name);
	values_put(want->common, LINK_MAC, (union value){.num = mac}, values_loc(want->common, LINK_MAC));
	return mac;
}

/* Has it an address, or asks it for one? */
bool resolve_is_used_by_host(const struct link *want)
{
	return want->n_addresses > 0 || values_num(want->common, LINK_DHCP, DHCP_NO) != DHCP_NO;
}

/* `ipv6 =` in terms of what the kernel has: the disable_ipv6 and accept_ra sysctls, and the address generation mode. */
static void lower_ipv6(struct link *want)
{
	bool is_port = want->master_name[0] != '\0';
	bool said = values_has(want->common, LINK_IPV6);
	uint64_t ipv6 = values_num(want->common, LINK_IPV6, IPV6_YES);

	if (said) {
		want_num(&want->common, &link_options, LINK_DISABLE_IPV6, ipv6 == IPV6_NO);
		if (ipv6 == IPV6_LINK_LOCAL)
			default_num(want, LINK_ACCEPT_RA, 0);
		if (ipv6 != IPV6_NO)
			want_num(&want->common, &link_options, LINK_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_EUI64);
	} else if (is_port) {
		want_num(&want->common, &link_options, LINK_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	}
	/* Its client asks from the link-local address, and at its start tells the kernel to make none (dhcpcd). */
	if (!is_port && !said && values_num(want->common, LINK_DHCP, DHCP_NO) & DHCP_IPV6)
		want_num(&want->common, &link_options, LINK_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_EUI64);
	/* Guests on a bridge that the host itself does not use must not be able to configure the host; in a network
	 * never. */
	if (want->kind == &kind_bridge && (!resolve_is_used_by_host(want) || want->network[0]) && !is_port)
		default_num(want, LINK_ACCEPT_RA, 0);
}

bool resolve_row_is_legal(const struct link *want, const struct option *o)
{
	int mode = option_find(&want->kind->own, "mode");

	if (!o->modes || mode < 0)
		return true;
	return o->modes >> values_num(want->own, (unsigned)mode, 0) & 1;
}

/*
 * owner: the link whose mode decides, which for a port's values is the master; before: the same as it is. A value that
 * only the mode before allows is put back on the way out of it.
 */
static void put_back(const struct link *owner, const struct link *before, struct values **to,
		     const struct values *found)
{
	for (unsigned row = 0; found && row < found->table->n; row++) {
		const struct option *o = &found->table->rows[row];

		if (!values_has(found, row) || values_has(*to, row) ||
		    (!resolve_row_is_legal(owner, o) && !resolve_row_is_legal(before, o)))
			continue;
		if (!*to)
			*to = values_new(found->table);
		values_put(*to, row, value_copy(o, values_at(found, row)), LOC_NONE);
	}
}

static void drop_put_back(struct link *want, enum link_row row)
{
	if (!values_loc(want->common, row).file)
		values_unset(want->common, row);
}

/* What was changed once and is not declared any more goes back to the value found. */
static void restore_found(const struct resolve_input *in, struct effective *e, struct link *want)
{
	const struct record *r = ledger_find(in->ledger, want->name);
	const struct link *have = model_find(in->actual, want->name);
	const struct link *master = have ? model_master(in->actual, have) : NULL;
	const struct link *wanted_master = model_find(&e->links, want->master_name);

	if (!r || !have || resolve_is_made_anew(in, want, have) || !record_fits(r, have))
		return;
	put_back(want, have, &want->common, r->common);
	put_back(want, have, &want->own, r->own);
	if (values_has(want->common, LINK_FORWARDING4) &&
	    forwarding_is_others(in->ledger, in->actual, LINK_FORWARDING4))
		drop_put_back(want, LINK_FORWARDING4);
	/* A bond gives its ports its own (bond_enslave()). */
	if (wanted_master && (wanted_master->kind->flags & KIND_PORTS_DOWN)) {
		drop_put_back(want, LINK_MTU);
		drop_put_back(want, LINK_MAC);
	}
	/* Who joins another master starts there with the kernel's values. */
	if (wanted_master && r->port && wanted_master->kind == r->port_kind && master &&
	    streq(master->name, wanted_master->name))
		put_back(wanted_master, wanted_master, &want->port, r->port);
	if (want->master_managed || !r->joined || !master || !streq(master->name, r->master))
		return;
	want->master_managed = true;
	if (r->found_master[0] && model_find(in->actual, r->found_master))
		memcpy(want->master_name, r->found_master, IFNAMSIZ);
}

#define VID_MAX 4094

/* The set while it is put together. */
struct vlan_map {
	bool member[VID_MAX + 1];
	uint16_t flags[VID_MAX + 1];
};

static void vlan_add(struct vlan_map *map, unsigned vid, uint16_t flags)
{
	if (vid > VID_MAX)
		return;
	map->member[vid] = true;
	map->flags[vid] = flags;
}

static void take_map(struct link *want, const struct vlan_map *map)
{
	want->n_vlans = 0;
	for (uint16_t vid = 1; vid <= VID_MAX; vid++)
		if (map->member[vid])
			*ARRAY_APPEND(want->vlans, want->n_vlans) =
				(struct bridge_vlan){.vid = vid, .flags = map->flags[vid]};
}

static void add_ranges(struct vlan_map *map, const struct blob *b)
{
	const struct vlan_range *ranges = b ? (const void *)b->data : NULL;

	for (size_t i = 0; b && i < b->len / sizeof(*ranges); i++)
		for (unsigned vid = ranges[i].from; vid <= ranges[i].to; vid++)
			if (!map->member[vid])
				vlan_add(map, vid, 0);
}

/* What `untagged` says of all; a PVID that only is found keeps its own. */
static void untag(struct vlan_map *map, const struct blob *untagged, bool has_pvid)
{
	struct vlan_map named = {0};

	add_ranges(&named, untagged);
	for (unsigned vid = 1; vid <= VID_MAX; vid++) {
		if (named.member[vid])
			map->flags[vid] |= BRIDGE_VLAN_INFO_UNTAGGED;
		else if (has_pvid || !(map->flags[vid] & BRIDGE_VLAN_INFO_PVID))
			map->flags[vid] &= (uint16_t)~BRIDGE_VLAN_INFO_UNTAGGED;
	}
}

/*
 * With `vlans`, membership is exactly that list and the PVID; without it, what is there stays. With `pvid`, the old
 * PVID's membership goes; without it, it stays as it is. A PVID is untagged unless `untagged` leaves it out.
 */
bool resolve_vlans(struct link *want, const struct values *says, const struct bridge_vlan *found, size_t n_found)
{
	bool anything = says && says->set;
	int pvid = anything ? option_find(says->table, "pvid") : -1;
	int vlans = anything ? option_find(says->table, "vlans") : -1;
	int untagged = anything ? option_find(says->table, "untagged") : -1;
	bool has_pvid = pvid >= 0 && values_has(says, (unsigned)pvid);
	bool has_vlans = vlans >= 0 && values_has(says, (unsigned)vlans);
	bool has_untagged = untagged >= 0 && values_has(says, (unsigned)untagged);
	struct vlan_map map;

	want->n_vlans = 0;
	if (!has_pvid && !has_vlans && !has_untagged)
		return false;
	memset(&map, 0, sizeof(map));
	for (size_t i = 0; i < n_found; i++) {
		bool is_pvid = found[i].flags & BRIDGE_VLAN_INFO_PVID;

		if (is_pvid ? !has_pvid : !has_vlans)
			vlan_add(&map, found[i].vid, found[i].flags);
	}
	if (has_vlans)
		add_ranges(&map, values_at(says, vlans).blob);
	if (has_pvid && values_at(says, pvid).num)
		vlan_add(&map, (unsigned)values_at(says, pvid).num,
			 has_untagged ? BRIDGE_VLAN_INFO_PVID : BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	if (has_untagged)
		untag(&map, values_at(says, untagged).blob, has_pvid);
	take_map(want, &map);
	return true;
}

size_t resolve_initial_vlans(const struct link *bridge_want, const struct link *bridge_have, struct bridge_vlan *ret)
{
	int row = option_find(&kind_bridge.own, "vlan_default_pvid");
	uint64_t vid = values_num(bridge_want ? bridge_want->own : NULL, (unsigned)row,
				  values_num(bridge_have ? bridge_have->own : NULL, (unsigned)row, 1));

	*ret = (struct bridge_vlan){.vid = (uint16_t)vid, .flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED};
	return vid ? 1 : 0;
}

struct vlan_list {
	const struct bridge_vlan *list;
	size_t n;
};

static bool has_vid(const struct bridge_vlan *list, size_t n, uint16_t vid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].vid == vid)
			return true;
	return false;
}

/*
 * What a section adds to and takes from: the VLANs that are there, but for those that a section said before, in whose
 * place are those found before that. The caller frees the list.
 */
static struct bridge_vlan *vlan_base(const struct record *r, struct vlan_list have, struct vlan_list found, size_t *n)
{
	struct bridge_vlan *base = NULL;

	*n = 0;
	for (size_t i = 0; i < have.n; i++)
		if (have.list[i].flags & BRIDGE_VLAN_INFO_PVID ? !r->wrote_pvid : !r->wrote_vlans)
			*ARRAY_APPEND(base, *n) = have.list[i];
	for (size_t i = 0; i < found.n; i++)
		if ((found.list[i].flags & BRIDGE_VLAN_INFO_PVID ? r->wrote_pvid : r->wrote_vlans) &&
		    !has_vid(base, *n, found.list[i].vid))
			*ARRAY_APPEND(base, *n) = found.list[i];
	return base;
}

static int vlan_order(const void *a, const void *b)
{
	return ((const struct bridge_vlan *)a)->vid - ((const struct bridge_vlan *)b)->vid;
}

static void want_vlans_after_others(const struct record *r, struct link *want, const struct values *says,
				    struct vlan_list have, struct vlan_list initial)
{
	struct vlan_list listed = {r->vlans, r->n_vlans};
	struct bridge_vlan *base;
	size_t n;

	base = vlan_base(r, have, r->vlans_found == VLANS_LISTED ? listed : initial, &n);
	want->vlans_managed = resolve_vlans(want, says, base, n);
	if (!want->vlans_managed) {
		/* Nothing is said any more: all is as it was found. */
		free(want->vlans);
		want->vlans = TAKE_PTR(base);
		want->n_vlans = n;
		want->vlans_managed = true;
		if (n)
			qsort(want->vlans, n, sizeof(*want->vlans), vlan_order);
	}
	free(base);
}

static void want_vlans(const struct resolve_input *in, struct effective *e, struct link *want)
{
	const struct link *have = model_find(in->actual, want->name);
	const struct link *bridge = want->kind == &kind_bridge ? want : model_find(&e->links, want->master_name);
	const struct values *says = want->kind == &kind_bridge ? want->own : want->port;
	const struct link *bridge_have = bridge ? model_find(in->actual, bridge->name) : NULL;
	bool attached = have && (want == bridge || (bridge_have && have->master == bridge_have->ifindex));
	const struct record *r;
	struct bridge_vlan initial;
	size_t n;

	/* A guest's port that is attached again has its own of before. */
	if (!bridge || bridge->kind != &kind_bridge || (want->foreign && want->vlans_managed))
		return;
	n = resolve_initial_vlans(bridge, bridge_have, &initial);
	r = attached ? ledger_find(in->ledger, want->name) : NULL;
	if (r && r->vlans_found != VLANS_UNTOUCHED)
		want_vlans_after_others(r, want, says, (struct vlan_list){have->vlans, have->n_vlans},
					(struct vlan_list){&initial, n});
	else
		want->vlans_managed = attached ? resolve_vlans(want, says, have->vlans, have->n_vlans)
					       : resolve_vlans(want, says, &initial, n);
}

/* A VLAN over a parent that is declared down cannot be up. */
static bool parent_is_down(struct effective *e, const struct link *want)
{
	const struct link *parent = want->parent_name[0] ? model_find(&e->links, want->parent_name) : NULL;

	if (!parent || !link_follows_parent(want))
		return false;
	return values_num(parent->common, LINK_UP, 1) == 0 || parent_is_down(e, parent);
}

/* A link that is down has no routes (ENETDOWN), and loses its IPv6 addresses when it goes down. */
static void drop_what_needs_up(struct link *want)
{
	size_t kept = 0;

	want->n_routes = 0;
	for (size_t i = 0; i < want->n_addresses; i++)
		if (want->addresses[i].family != AF_INET6)
			want->addresses[kept++] = want->addresses[i];
	want->n_addresses = kept;
}

void resolve_link(const struct resolve_input *in, struct effective *e, struct link *want)
{
	const struct link *have = model_find(in->actual, want->name);
	bool departed = want->loc.file == 0 && !want->foreign;

	if (have && have->kind != want->kind)
		have = NULL;
	if (!want->foreign && !departed) {
		if (!parent_is_down(e, want))
			default_num(want, LINK_UP, 1);
		else
			want_num(&want->common, &link_options, LINK_UP, 0);
		lower_ipv6(want);
	}
	link_mac(in, e, want);
	if (values_num(want->common, LINK_MAC, 0) > MAC_MASK)
		values_unset(want->common, LINK_MAC);
	for (size_t i = 0; i < want->n_routes; i++)
		want->routes[i].protocol = KVMNETD_PROTO;
	if (values_num(want->common, LINK_UP, 1) == 0)
		drop_what_needs_up(want);
	restore_found(in, e, want);
	if (want->kind->settle && !want->foreign && !departed)
		want->kind->settle(want, have);
	else if (want->kind->drop_refused)
		want->kind->drop_refused(want);
	want_vlans(in, e, want);
}
