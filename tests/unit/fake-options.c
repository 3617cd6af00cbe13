/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how the fake kernel takes the options of kinds and of ports, and bridge VLANs. */
#include <linux/if_bridge.h>

#include "../../netd/model/kind-bond.h"
#include "../../netd/model/kind-bridge.h"
#include "fake-internal.h"

void fake_initial(struct values *v)
{
	for (unsigned row = 0; v && row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];

		if ((o->flags & OPTION_STATUS) || o->place == PLACE_VLANS || o->type == &type_ifname)
			continue;
		values_put(v, row, (union value){.num = o->type->is_blob ? 0 : (uint64_t)o->initial}, LOC_NONE);
	}
}

void fake_forget_named(struct values *v, const struct link *named)
{
	for (unsigned row = 0; v && row < v->table->n; row++)
		if (values_has(v, row) && v->table->rows[row].type == &type_ifname &&
		    ifname_index(values_at(v, row)) == named->ifindex)
			values_unset(v, row);
}

static uint64_t own(const struct link *l, unsigned row)
{
	return values_num(l->own, row, 0);
}

static void put_own(struct link *l, unsigned row, uint64_t num)
{
	values_put(l->own, row, (union value){.num = num}, LOC_NONE);
}

bool fake_hands_macs_round(const struct link *bond)
{
	return bond->kind == &kind_bond && MODES_LB >> own(bond, BOND_MODE) & 1;
}

bool fake_ports_keep_macs(const struct link *bond)
{
	return fake_hands_macs_round(bond) ||
	       (own(bond, BOND_MODE) == MODE_BACKUP && own(bond, BOND_FAIL_OVER_MAC) == 1);
}

static const struct blob *name_sent(const struct values *sent, unsigned row)
{
	return values_at(sent, row).blob && values_at(sent, row).blob->data[0] ? values_at(sent, row).blob : NULL;
}

/* bond_opt_check_deps(): before the old and the new value are looked at. */
static int check_row(const struct fake_kernel *k, const struct link *l, const struct option *o, uint64_t mode)
{
	size_t i = 0;
	bool has_ports = fake_port(k, l, &i) != NULL;

	if (o->modes && !(o->modes >> mode & 1))
		return -EACCES;
	if (has_ports && (o->change == CHANGE_NO_PORTS || o->change == CHANGE_DOWN_NO_PORTS))
		return -ENOTEMPTY;
	if ((l->flags & IFF_UP) && (o->change == CHANGE_DOWN || o->change == CHANGE_DOWN_NO_PORTS))
		return -EBUSY;
	return 0;
}

static const unsigned delays[] = {BOND_UPDELAY, BOND_DOWNDELAY, BOND_PEER_NOTIF_DELAY};

static void show_miimon(struct fake_kernel *k, struct link *l, uint64_t miimon)
{
	const struct fake_memory *memory = fake_memory(k, l);

	put_own(l, BOND_MIIMON, miimon);
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
		put_own(l, delays[i], memory->delays[i] * miimon);
}

static int set_delay(struct fake_kernel *k, struct link *l, unsigned row, uint64_t num)
{
	uint64_t miimon = own(l, BOND_MIIMON);

	if (!miimon)
		return -EPERM;
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
		if (delays[i] == row)
			fake_memory(k, l)->delays[i] = num / miimon;
	put_own(l, row, num - num % miimon);
	return 0;
}

static void set_miimon(struct fake_kernel *k, struct link *l, uint64_t miimon)
{
	show_miimon(k, l, miimon);
	if (!miimon)
		return;
	put_own(l, BOND_ARP_INTERVAL, 0);
	put_own(l, BOND_ARP_VALIDATE, 0);
}

static void set_mode(struct fake_kernel *k, struct link *l, uint64_t mode)
{
	put_own(l, BOND_MODE, mode);
	put_own(l, BOND_ARP_VALIDATE, 0);
	put_own(l, BOND_BROADCAST_NEIGHBOR, 0);
	if (mode == MODE_ALB)
		put_own(l, BOND_TLB_DYNAMIC_LB, 1);
	if (MODES_ARP >> mode & 1)
		return;
	put_own(l, BOND_ARP_INTERVAL, 0);
	if (!own(l, BOND_MIIMON))
		show_miimon(k, l, 100);
}

static void set_primary(struct fake_kernel *k, struct link *l, const struct blob *name)
{
	struct fake_memory *memory = fake_memory(k, l);
	const struct link *port = name ? model_find(&k->links, (const char *)name->data) : NULL;

	snprintf(memory->primary, sizeof(memory->primary), "%s", name ? (const char *)name->data : "");
	values_unset(l->own, BOND_PRIMARY);
	if (port && port->master == l->ifindex)
		values_put(l->own, BOND_PRIMARY, ifname_from_index(port->ifindex), LOC_NONE);
}

/* One row, in the order of bond_changelink(). */
static int set_bond_row(struct fake_kernel *k, struct link *l, unsigned row, const struct values *sent, uint64_t rows)
{
	uint64_t num = values_at(sent, row).num,
		 miimon = rows >> BOND_MIIMON & 1 ? values_at(sent, BOND_MIIMON).num : 0;

	switch (row) {
	case BOND_MODE:
		set_mode(k, l, num);
		return 0;
	case BOND_MIIMON:
		set_miimon(k, l, num);
		return 0;
	case BOND_UPDELAY:
	case BOND_DOWNDELAY:
	case BOND_PEER_NOTIF_DELAY:
		return set_delay(k, l, row, num);
	case BOND_ARP_INTERVAL:
		if (num && miimon)
			return -EINVAL;
		if (num)
			show_miimon(k, l, 0);
		break;
	case BOND_ARP_VALIDATE:
		if (num && miimon)
			return -EINVAL;
		break;
	case BOND_PRIMARY:
		set_primary(k, l, name_sent(sent, row));
		return 0;
	}
	values_put(l->own, row, value_copy(&sent->table->rows[row], values_at(sent, row)), LOC_NONE);
	return 0;
}

static int set_bond(struct fake_kernel *k, struct link *l, const struct values *sent, uint64_t rows)
{
	uint64_t mode = rows >> BOND_MODE & 1 ? values_at(sent, BOND_MODE).num : own(l, BOND_MODE);
	int r = 0;

	for (unsigned row = 0; r == 0 && row < sent->table->n; row++)
		if (rows >> row & 1)
			r = check_row(k, l, &sent->table->rows[row], mode);
	for (unsigned row = 0; r == 0 && row < sent->table->n; row++)
		if (rows >> row & 1)
			r = set_bond_row(k, l, row, sent, rows);
	return r;
}

static const struct bridge_vlan *find_vlan(const struct link *l, uint16_t vid)
{
	for (size_t i = 0; i < l->n_vlans; i++)
		if (l->vlans[i].vid == vid)
			return &l->vlans[i];
	return NULL;
}

static void drop_vlan(struct link *l, uint16_t vid)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n_vlans; i++)
		if (l->vlans[i].vid != vid)
			l->vlans[kept++] = l->vlans[i];
	l->n_vlans = kept;
}

static int vlan_order(const void *a, const void *b)
{
	return ((const struct bridge_vlan *)a)->vid - ((const struct bridge_vlan *)b)->vid;
}

/* A new PVID leaves the old one's VLAN a member (net/bridge/br_vlan.c, __vlan_add_pvid). */
void fake_vlan(struct link *l, uint16_t vid, uint16_t flags)
{
	drop_vlan(l, vid);
	for (size_t i = 0; i < l->n_vlans && (flags & BRIDGE_VLAN_INFO_PVID); i++)
		l->vlans[i].flags &= (uint16_t)~BRIDGE_VLAN_INFO_PVID;
	*ARRAY_APPEND(l->vlans, l->n_vlans) = (struct bridge_vlan){.vid = vid, .flags = flags};
	qsort(l->vlans, l->n_vlans, sizeof(*l->vlans), vlan_order);
}

int fake_vlans(const struct fake_kernel *k, struct link *l, const struct op *op)
{
	const struct link *master = model_master(&k->links, l);

	if (l->kind != &kind_bridge && (!master || master->kind != &kind_bridge))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < op->n_vlans; i++) {
		if (op->type == OP_VLAN_ADD)
			fake_vlan(l, op->vlans[i].vid, op->vlans[i].flags);
		else
			drop_vlan(l, op->vlans[i].vid);
	}
	return 0;
}

/* __br_vlan_set_default_pvid(): moves those who have the old one as their untagged PVID. */
static void move_default_pvid(struct link *l, uint16_t old, uint16_t pvid)
{
	const struct bridge_vlan *v = find_vlan(l, old);
	const uint16_t both = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;

	if ((old && (!v || v->flags != both)) || find_vlan(l, pvid))
		return;
	if (pvid)
		fake_vlan(l, pvid, both);
	drop_vlan(l, old);
}

static int set_bridge(struct fake_kernel *k, struct link *l, const struct values *sent, uint64_t rows)
{
	uint16_t old = (uint16_t)own(l, BRIDGE_VLAN_DEFAULT_PVID);
	struct link *port;
	int r = 0;

	for (unsigned row = 0; r == 0 && row < sent->table->n; row++)
		if (rows >> row & 1)
			r = check_row(k, l, &sent->table->rows[row], 0);
	for (unsigned row = 0; r == 0 && row < sent->table->n; row++)
		if (rows >> row & 1)
			values_put(l->own, row, value_copy(&sent->table->rows[row], values_at(sent, row)), LOC_NONE);
	if (rows >> BRIDGE_GROUP_ADDRESS & 1)
		fake_memory(k, l)->has_group_address = true;
	if (!fake_memory(k, l)->has_group_address)
		put_own(l, BRIDGE_GROUP_ADDRESS, bridge_chosen_group_address(l->own, NULL));
	if (r < 0 || own(l, BRIDGE_VLAN_DEFAULT_PVID) == old)
		return r;
	move_default_pvid(l, old, (uint16_t)own(l, BRIDGE_VLAN_DEFAULT_PVID));
	for (size_t i = 0; (port = fake_port(k, l, &i));)
		move_default_pvid(port, old, (uint16_t)own(l, BRIDGE_VLAN_DEFAULT_PVID));
	return 0;
}

/* An entry with to = 0 is one that the kernel has no more. */
static void merge_map(union value *map, const struct blob *sent)
{
	const struct qos_entry *items = sent ? (const void *)sent->data : NULL;

	for (size_t i = 0; sent && i < sent->len / sizeof(*items); i++) {
		struct qos_entry list[256];
		size_t n = 0, old_n = map->blob ? map->blob->len / sizeof(*list) : 0;
		const struct qos_entry *old = map->blob ? (const void *)map->blob->data : NULL;
		bool placed = items[i].to == 0;

		for (size_t j = 0; j < old_n; j++) {
			if (!placed && old[j].from >= items[i].from) {
				list[n++] = items[i];
				placed = true;
			}
			if (old[j].from != items[i].from)
				list[n++] = old[j];
		}
		if (!placed)
			list[n++] = items[i];
		free(map->blob);
		map->blob = n ? blob_new(list, n * sizeof(*list)) : NULL;
	}
}

/* A new id, protocol or parent is taken without an error, and passed over. */
static void set_vlan(struct link *l, const struct values *sent, uint64_t rows, bool create)
{
	for (unsigned row = 0; row < sent->table->n; row++) {
		const struct option *o = &sent->table->rows[row];

		if (!(rows >> row & 1) || (o->change == CHANGE_RECREATE && !create))
			continue;
		if (o->type == &type_qos_map) {
			union value map = values_take(l->own, row);

			merge_map(&map, values_at(sent, row).blob);
			values_put(l->own, row, map, LOC_NONE);
		} else {
			values_put(l->own, row, values_at(sent, row), LOC_NONE);
		}
	}
}

int fake_set_own(struct fake_kernel *k, struct link *l, const struct op *op, bool create)
{
	uint64_t rows = op->link->own ? op->own & op->link->own->set : 0;

	if (!rows)
		return 0;
	if (l->kind != op->link->kind)
		return -EOPNOTSUPP;
	if (l->kind == &kind_bond)
		return set_bond(k, l, op->link->own, rows);
	if (l->kind == &kind_bridge)
		return set_bridge(k, l, op->link->own, rows);
	set_vlan(l, op->link->own, rows, create);
	return 0;
}

static int set_named(struct fake_kernel *k, struct link *l, unsigned row, const struct blob *name)
{
	const struct link *other = name ? model_find(&k->links, (const char *)name->data) : NULL;

	values_unset(l->port, row);
	if (!name)
		return 0;
	if (!other || other->master != l->master)
		return -ENOENT;
	values_put(l->port, row, ifname_from_index(other->ifindex), LOC_NONE);
	return 0;
}

int fake_set_port(struct fake_kernel *k, struct link *l, const struct op *op)
{
	const struct link *master = model_master(&k->links, l);
	const struct values *sent = op->link->port;
	uint64_t rows = sent ? op->port & sent->set : 0, mode = master ? values_num(master->own, BOND_MODE, 0) : 0;
	int r = 0;

	if (!rows)
		return 0;
	if (!master || master->kind != op->master_kind || sent->table != l->port->table)
		return -EOPNOTSUPP;
	for (unsigned row = 0; r == 0 && row < sent->table->n; row++) {
		const struct option *o = &sent->table->rows[row];

		if (!(rows >> row & 1) || o->place != PLACE_SLAVE)
			continue;
		if (master->kind == &kind_bond && o->modes && !(o->modes >> mode & 1))
			return -EACCES;
		if (o->type == &type_ifname)
			r = set_named(k, l, row, name_sent(sent, row));
		else
			values_put(l->port, row, value_copy(o, values_at(sent, row)), LOC_NONE);
	}
	return r;
}
