/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: how a bond of the fake kernel that balances by the MACs of its ports hands those round
 * (drivers/net/bonding/bond_alb.c): the active port has the bond's, and so its own is free for another.
 */
#include "fake-internal.h"

static struct link *port_with_mac(struct fake_kernel *k, const struct link *bond, uint64_t mac)
{
	struct link *port;

	for_each_port(k, bond, port) if (fake_get(port, LINK_MAC) == mac) return port;
	return NULL;
}

static struct link *port_that_is_up(struct fake_kernel *k, const struct link *bond)
{
	struct link *port;

	for_each_port(k, bond, port) if (port->flags & IFF_UP) return port;
	return NULL;
}

/* bond_alb_set_mac_address(): who has the new one gives it to the active port, and gets what that had. */
void fake_balance_mac(struct fake_kernel *k, struct link *bond, uint64_t old)
{
	uint64_t mac = fake_get(bond, LINK_MAC);
	struct link *has = port_with_mac(k, bond, mac), *active = port_with_mac(k, bond, old);

	if (!active)
		active = port_that_is_up(k, bond);
	if (!active || has == active)
		return;
	if (has)
		fake_mac(k, has, fake_get(active, LINK_MAC), has->addr_assign_type);
	fake_mac(k, active, mac, active->addr_assign_type);
}

/* Who has the MAC of the port that left gives it back; and if that was the active one, another that is up becomes it.
 */
void fake_hand_macs_on(struct fake_kernel *k, struct link *bond, struct link *left)
{
	uint64_t own = fake_memory(k, left)->own_mac, mac = fake_get(left, LINK_MAC),
		 of_bond = fake_get(bond, LINK_MAC);
	struct link *port = port_with_mac(k, bond, own);

	if (mac != own && own != of_bond && port)
		fake_mac(k, port, mac, port->addr_assign_type);
	port = port_that_is_up(k, bond);
	if (port && !port_with_mac(k, bond, of_bond))
		fake_mac(k, port, of_bond, port->addr_assign_type);
}

/* alb_handle_addr_collision_on_attach(), but that the kernel refuses nothing while no port is active. */
int fake_borrow_mac(struct fake_kernel *k, struct link *bond, struct link *port)
{
	struct link *other;
	bool alone = true;

	if (fake_get(port, LINK_MAC) != fake_get(bond, LINK_MAC))
		return 0;
	for_each_port(k, bond, other)
	{
		uint64_t own = fake_memory(k, other)->own_mac;

		alone = false;
		if (!port_with_mac(k, bond, own)) {
			fake_mac(k, port, own, port->addr_assign_type);
			return 0;
		}
	}
	return alone ? 0 : -EFAULT;
}
