/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the fake kernel's files share. */
#pragma once

#include "fake-kernel.h"

struct fake_memory *fake_memory(struct fake_kernel *k, const struct link *l);
uint64_t fake_get(const struct link *l, enum link_row row);
void fake_put(struct link *l, enum link_row row, uint64_t num);
/* The next VLAN on / port of a link, from *i on; NULL: no more. */
struct link *fake_child(const struct fake_kernel *k, const struct link *parent, size_t *i);
struct link *fake_port(const struct fake_kernel *k, const struct link *master, size_t *i);
#define for_each_child(k, l, child) for (size_t _c = 0; ((child) = fake_child((k), (l), &_c));)
#define for_each_port(k, l, port) for (size_t _p = 0; ((port) = fake_port((k), (l), &_p));)
int fake_mtu(struct fake_kernel *k, struct link *l, uint64_t mtu);
void fake_mac(struct fake_kernel *k, struct link *l, uint64_t mac, uint8_t assign_type);

/*
 * fake-balance.c, of bonds whose ports' MACs are handed round: when the bond has another one than `old`; when a port
 * has left; and before one joins, which may be refused.
 */
void fake_balance_mac(struct fake_kernel *k, struct link *bond, uint64_t old);
void fake_hand_macs_on(struct fake_kernel *k, struct link *bond, struct link *left);
int fake_borrow_mac(struct fake_kernel *k, struct link *bond, struct link *port);

/* fake-options.c */
void fake_initial(struct values *v);
/* Does it balance by the MACs of its ports (drivers/net/bonding/bond_alb.c)? */
bool fake_hands_macs_round(const struct link *bond);
bool fake_ports_keep_macs(const struct link *bond);
/* Rows that name this link are shown no more. */
void fake_forget_named(struct values *v, const struct link *named);
int fake_set_own(struct fake_kernel *k, struct link *l, const struct op *op, bool create);
int fake_set_port(struct fake_kernel *k, struct link *l, const struct op *op);
void fake_vlan(struct link *l, uint16_t vid, uint16_t flags);
int fake_vlans(const struct fake_kernel *k, struct link *l, const struct op *op);

/* fake-address.c */
/* What goes with a link that is set down. */
void fake_lose(struct link *l);
int fake_address(struct fake_kernel *k, struct link *l, const struct op *op);
int fake_route(struct fake_kernel *k, struct link *l, const struct op *op);
int fake_sysctl(struct link *l, const struct op *op);
