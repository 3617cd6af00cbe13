/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: fake-kernel.h: links, masters and flags. Options are fake-options.c, MACs of balancing bonds fake-balance.c,
 * addresses and routes fake-address.c. */
#include "fake-kernel.h"

#include <linux/if_bridge.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

#include "fake-internal.h"

void fake_done(struct fake_kernel *k)
{
	model_done(&k->links);
	free(k->memory);
	*k = (struct fake_kernel){0};
}

struct fake_memory *fake_memory(struct fake_kernel *k, const struct link *l)
{
	for (size_t i = 0; i < k->n_memory; i++)
		if (k->memory[i].ifindex == l->ifindex)
			return &k->memory[i];
	*ARRAY_APPEND(k->memory, k->n_memory) = (struct fake_memory){.ifindex = l->ifindex};
	return &k->memory[k->n_memory - 1];
}

uint64_t fake_get(const struct link *l, enum link_row row)
{
	return values_num(l->common, row, 0);
}

void fake_put(struct link *l, enum link_row row, uint64_t num)
{
	values_put(l->common, row, (union value){.num = num}, LOC_NONE);
}

static uint64_t new_mac(struct fake_kernel *k)
{
	return 0x020000000000 + ++k->next_mac;
}

static struct link *add_link(struct fake_kernel *k, const char *name, const struct kind *kind, uint32_t ifindex,
			     uint64_t mac)
{
	struct link *l = link_new(name, kind);

	l->ifindex = ifindex ? ifindex : k->next_index++;
	for (unsigned row = 0; row < link_options.n; row++)
		if (link_options.rows[row].place != PLACE_CONFIG)
			fake_put(l, (enum link_row)row, (uint64_t)link_options.rows[row].initial);
	fake_put(l, LINK_MAC, mac);
	fake_initial(l->own);
	model_add(&k->links, l);
	return l;
}

struct link *fake_device(struct fake_kernel *k, const char *name, const char *info_kind)
{
	struct link *l = add_link(k, name, &kind_ethernet, 0, 0x525400000000 + ++k->next_mac);

	snprintf(l->info_kind, sizeof(l->info_kind), "%s", info_kind);
	l->has_perm_mac = !info_kind[0];
	l->perm_mac = l->has_perm_mac ? fake_get(l, LINK_MAC) : 0;
	return l;
}

struct model fake_dump(const struct fake_kernel *k)
{
	struct model copy = MODEL_NULL;

	for (size_t i = 0; i < k->links.n_links; i++)
		model_add(&copy, link_copy(k->links.links[i]));
	return copy;
}

struct link *fake_child(const struct fake_kernel *k, const struct link *parent, size_t *i)
{
	while (*i < k->links.n_links) {
		struct link *l = k->links.links[(*i)++];

		if (l->parent == parent->ifindex)
			return l;
	}
	return NULL;
}

struct link *fake_port(const struct fake_kernel *k, const struct link *master, size_t *i)
{
	while (*i < k->links.n_links) {
		struct link *l = k->links.links[(*i)++];

		if (l->master == master->ifindex)
			return l;
	}
	return NULL;
}

/* net/8021q/vlan.c, vlan_device_event(): VLANs go down and, even those set down by hand, up with their parent. */
int fake_flags(struct fake_kernel *k, struct link *l, bool up)
{
	const struct link *parent = model_parent(&k->links, l);
	struct link *child;

	if (up == !!(l->flags & IFF_UP))
		return 0;
	if (up && parent && !(parent->flags & IFF_UP) && link_follows_parent(l))
		return -ENETDOWN;
	l->flags = up ? l->flags | IFF_UP : l->flags & ~(unsigned)IFF_UP;
	fake_put(l, LINK_UP, up);
	if (!up)
		fake_lose(l);
	for_each_child(k, l, child) if (link_follows_parent(child)) fake_flags(k, child, up);
	return 0;
}

static void follow_ports_mtu(struct fake_kernel *k, struct link *bridge)
{
	uint64_t mtu = 0;
	struct link *port;

	if (bridge->kind != &kind_bridge || fake_memory(k, bridge)->mtu_pinned)
		return;
	for_each_port(k, bridge, port) mtu = mtu ? MIN(mtu, fake_get(port, LINK_MTU)) : fake_get(port, LINK_MTU);
	fake_mtu(k, bridge, mtu ? mtu : 1500);
}

int fake_mtu(struct fake_kernel *k, struct link *l, uint64_t mtu)
{
	struct link *parent = model_parent(&k->links, l), *master = model_master(&k->links, l), *other;

	if (parent && mtu > fake_get(parent, LINK_MTU))
		return -ERANGE;
	if (fake_get(l, LINK_MTU) == mtu)
		return 0;
	fake_put(l, LINK_MTU, mtu);
	for_each_child(k, l, other) if (fake_get(other, LINK_MTU) > mtu) fake_mtu(k, other, mtu);
	if (l->kind == &kind_bond)
		for_each_port(k, l, other) fake_mtu(k, other, mtu);
	if (master)
		follow_ports_mtu(k, master);
	return 0;
}

static void follow_ports_mac(struct fake_kernel *k, struct link *bridge)
{
	uint64_t mac = 0;
	struct link *port;

	if (bridge->kind != &kind_bridge || bridge->addr_assign_type == NET_ADDR_SET)
		return;
	for_each_port(k, bridge, port) mac = mac ? MIN(mac, fake_get(port, LINK_MAC)) : fake_get(port, LINK_MAC);
	fake_put(bridge, LINK_MAC, mac);
}

void fake_mac(struct fake_kernel *k, struct link *l, uint64_t mac, uint8_t assign_type)
{
	struct link *master = model_master(&k->links, l), *other;
	uint64_t old = fake_get(l, LINK_MAC);

	fake_put(l, LINK_MAC, mac);
	l->addr_assign_type = assign_type;
	for_each_child(k, l, other) if (other->addr_assign_type == NET_ADDR_STOLEN && (other->flags & IFF_UP))
		fake_mac(k, other, mac, NET_ADDR_STOLEN);
	if (fake_hands_macs_round(l))
		fake_balance_mac(k, l, old);
	else if (l->kind == &kind_bond && !fake_ports_keep_macs(l))
		for_each_port(k, l, other) fake_mac(k, other, mac, other->addr_assign_type);
	if (master)
		follow_ports_mac(k, master);
}

/* Is `lower` the link itself, or below it? */
static bool stands_on(const struct fake_kernel *k, const struct link *l, const struct link *lower)
{
	const struct link *parent = model_parent(&k->links, l);
	struct link *port;

	if (l == lower || (parent && stands_on(k, parent, lower)))
		return true;
	for_each_port(k, l, port) if (stands_on(k, port, lower)) return true;
	return false;
}

static void forget_port(struct fake_kernel *k, struct link *port)
{
	struct link *other;
	struct link *master = model_master(&k->links, port);

	model_relate(&k->links, port, 0, port->parent);
	port->port = values_free(port->port);
	free(port->vlans);
	port->vlans = NULL;
	port->n_vlans = 0;
	for_each_port(k, master, other) fake_forget_named(other->port, port);
	fake_forget_named(master->own, port);
}

/* __bond_release_one(): the port gets its own MAC and MTU back and is left down, a bond without ports takes any MAC. */
static void release_port(struct fake_kernel *k, struct link *bond, struct link *port)
{
	const struct fake_memory own = *fake_memory(k, port);
	size_t i = 0;

	if (fake_hands_macs_round(bond))
		fake_hand_macs_on(k, bond, port);
	fake_mtu(k, port, own.own_mtu);
	fake_mac(k, port, own.own_mac, port->addr_assign_type);
	fake_flags(k, port, false);
	if (!fake_port(k, bond, &i))
		fake_mac(k, bond, new_mac(k), NET_ADDR_RANDOM);
}

void fake_leave(struct fake_kernel *k, struct link *port)
{
	struct link *master = model_master(&k->links, port);

	if (!master)
		return;
	forget_port(k, port);
	if (master->kind == &kind_bond)
		release_port(k, master, port);
	follow_ports_mtu(k, master);
	follow_ports_mac(k, master);
}

static void become_port(struct fake_kernel *k, struct link *port, const struct link *master)
{
	model_relate(&k->links, port, master->ifindex, port->parent);
	port->port = values_new(&master->kind->port);
	fake_initial(port->port);
}

static int join_bond(struct fake_kernel *k, struct link *bond, struct link *port)
{
	struct fake_memory *memory = fake_memory(k, port);
	int r;

	if (port->flags & IFF_UP)
		return -EPERM;
	memory->own_mac = fake_get(port, LINK_MAC);
	memory->own_mtu = fake_get(port, LINK_MTU);
	r = fake_mtu(k, port, fake_get(bond, LINK_MTU));
	if (r < 0)
		return r;
	if (bond->addr_assign_type == NET_ADDR_RANDOM)
		fake_mac(k, bond, fake_get(port, LINK_MAC), NET_ADDR_STOLEN);
	if (!fake_ports_keep_macs(bond))
		fake_mac(k, port, fake_get(bond, LINK_MAC), port->addr_assign_type);
	r = fake_hands_macs_round(bond) ? fake_borrow_mac(k, bond, port) : 0;
	if (r < 0)
		return r;
	r = fake_flags(k, port, true);
	if (r < 0)
		return r;
	become_port(k, port, bond);
	values_put(port->port, option_row(&kind_bond.port, "perm_hwaddr"), (union value){.num = memory->own_mac},
		   LOC_NONE);
	if (streq(fake_memory(k, bond)->primary, port->name))
		values_put(bond->own, option_row(&kind_bond.own, "primary"), ifname_from_index(port->ifindex),
			   LOC_NONE);
	return 0;
}

static int join_bridge(struct fake_kernel *k, struct link *bridge, struct link *port)
{
	uint64_t pvid = values_num(bridge->own, option_row(&kind_bridge.own, "vlan_default_pvid"), 0);

	if (port->kind == &kind_bridge)
		return -ELOOP;
	become_port(k, port, bridge);
	if (pvid)
		fake_vlan(port, (uint16_t)pvid, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	follow_ports_mtu(k, bridge);
	follow_ports_mac(k, bridge);
	return 0;
}

static int join(struct fake_kernel *k, struct link *port, const char *name)
{
	struct link *master = model_find(&k->links, name);

	if (!master || !(master->kind->flags & KIND_HAS_PORTS))
		return -ENODEV;
	if (port->master == master->ifindex)
		return 0;
	fake_leave(k, port);
	if (stands_on(k, port, master))
		return -EBUSY;
	return master->kind == &kind_bond ? join_bond(k, master, port) : join_bridge(k, master, port);
}

void fake_delete(struct fake_kernel *k, struct link *l)
{
	struct link *other;
	size_t i;

	while (i = 0, (other = fake_child(k, l, &i)))
		fake_delete(k, other);
	while (i = 0, (other = fake_port(k, l, &i)))
		fake_leave(k, other);
	fake_leave(k, l);
	link_free(model_take(&k->links, l));
}

/* do_setlink(): the kind's data, the port's data, MAC, MTU, master, then AF_SPEC. */
static int set_link(struct fake_kernel *k, struct link *l, const struct op *op)
{
	const struct values *common = op->link->common;
	int r = fake_set_own(k, l, op, false);

	if (r == 0)
		r = fake_set_port(k, l, op);
	if (r < 0)
		return r;
	if (op->common & common->set & 1ull << LINK_MTU) {
		if (fake_get(l, LINK_MTU) != fake_get(op->link, LINK_MTU))
			fake_memory(k, l)->mtu_pinned = true;
		r = fake_mtu(k, l, fake_get(op->link, LINK_MTU));
	}
	if (op->common & common->set & 1ull << LINK_MAC)
		fake_mac(k, l, fake_get(op->link, LINK_MAC), NET_ADDR_SET);
	if (r == 0 && op->flags != FLAGS_KEEP)
		r = fake_flags(k, l, op->flags == FLAGS_UP);
	if (r == 0 && op->master == MASTER_LEAVE)
		fake_leave(k, l);
	if (r == 0 && op->master == MASTER_JOIN)
		r = join(k, l, op->master_name);
	for (unsigned row = 0; r == 0 && row < link_options.n; row++)
		if (((op->common & common->set) >> row & 1) &&
		    (link_options.rows[row].place == PLACE_INET6 || row == LINK_TXQLEN))
			fake_put(l, (enum link_row)row, values_at(common, row).num);
	return r;
}

static bool is_slot_taken(const struct fake_kernel *k, const struct link *parent, const struct link *l)
{
	struct link *other;

	for_each_child(k, parent, other) if (other != l && l->kind->slot && slot_compare(other, l) == 0) return true;
	return false;
}

static int put_on_parent(struct fake_kernel *k, struct link *l, const struct op *op)
{
	const struct link *parent = model_find(&k->links, op->link->parent_name);

	if (!parent)
		return -ENODEV;
	if (op->link->common && (op->common >> LINK_MTU & 1) &&
	    fake_get(op->link, LINK_MTU) > fake_get(parent, LINK_MTU))
		return -EINVAL;
	if (is_slot_taken(k, parent, l))
		return -EEXIST;
	model_relate(&k->links, l, l->master, parent->ifindex);
	fake_put(l, LINK_MTU, fake_get(parent, LINK_MTU));
	if (!(l->kind->flags & KIND_MAC_OF_PARENT))
		return 0;
	fake_put(l, LINK_MAC, fake_get(parent, LINK_MAC));
	l->addr_assign_type = NET_ADDR_STOLEN;
	return 0;
}

/* Like the kernel, a create sets the MTU without pinning it, and forgets AF_SPEC and what is said of the port. */
static int create_link(struct fake_kernel *k, const struct op *op)
{
	struct op rest = *op;
	struct link *l;
	int r;

	if (model_find(&k->links, op->link->name))
		return -EEXIST;
	l = add_link(k, op->link->name, op->link->kind, op->ifindex, new_mac(k));
	snprintf(l->info_kind, sizeof(l->info_kind), "%s", op->link->kind->name);
	l->addr_assign_type = NET_ADDR_RANDOM;
	if (l->kind == &kind_bridge)
		fake_vlan(l, 1, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	r = fake_set_own(k, l, op, true);
	if (r == 0 && (l->kind->flags & KIND_HAS_PARENT))
		r = put_on_parent(k, l, op);
	if (r == 0 && (op->common >> LINK_MTU & 1))
		fake_put(l, LINK_MTU, fake_get(op->link, LINK_MTU));
	rest.own = rest.port = 0;
	rest.common &= 1ull << LINK_MAC | 1ull << LINK_TXQLEN;
	if (r == 0)
		r = set_link(k, l, &rest);
	if (r < 0)
		fake_delete(k, l);
	return r;
}

/* The other programs of the host take what they are told. */
static int fake_host(struct link *l, const struct op *op)
{
	for (unsigned row = 0; row < link_options.n; row++)
		if (op->common >> row & 1)
			values_put(l->common, row,
				   value_copy(&link_options.rows[row], values_at(op->link->common, row)), LOC_NONE);
	return 0;
}

int fake_apply(struct fake_kernel *k, const struct op *op)
{
	struct link *l = model_find(&k->links, op->link->name);

	if (op->type == OP_CREATE)
		return create_link(k, op);
	if (!l)
		return -ENODEV;
	switch (op->type) {
	case OP_SET:
		return set_link(k, l, op);
	case OP_DELETE:
		if (!(l->kind->flags & KIND_VIRTUAL))
			return -EOPNOTSUPP;
		fake_delete(k, l);
		return 0;
	case OP_VLAN_ADD:
	case OP_VLAN_DELETE:
		return fake_vlans(k, l, op);
	case OP_ADDRESS_ADD:
	case OP_ADDRESS_DELETE:
		return fake_address(k, l, op);
	case OP_ROUTE_ADD:
	case OP_ROUTE_DELETE:
		return fake_route(k, l, op);
	case OP_SYSCTL:
		return fake_sysctl(l, op);
	case OP_HOST:
		return fake_host(l, op);
	case OP_CREATE:
	case OP_FIREWALL:
	case OP_PUT_BACK:
		break;
	}
	return -EINVAL;
}

void fake_disturb(struct fake_kernel *k, struct link *l, unsigned number)
{
	switch (number) {
	case 0:
	case 1:
		fake_flags(k, l, number);
		break;
	case 2:
		fake_leave(k, l);
		break;
	case 3:
		if (l->kind->flags & KIND_VIRTUAL)
			fake_delete(k, l);
		break;
	}
}
