/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the row numbers of the bond tables, which kind-bond.c lists and bond-rules.c reasons about. Theirs alone. */
#pragma once

#include "kind.h"

/* In the order in which the kernel applies them: bond_changelink(), drivers/net/bonding/bond_netlink.c. */
enum bond_row {
	BOND_MODE,
	BOND_ACTIVE_SLAVE,
	BOND_MIIMON,
	BOND_UPDELAY,
	BOND_DOWNDELAY,
	BOND_PEER_NOTIF_DELAY,
	BOND_USE_CARRIER,
	BOND_ARP_INTERVAL,
	BOND_ARP_IP_TARGET,
	BOND_NS_IP6_TARGET,
	BOND_ARP_VALIDATE,
	BOND_ARP_ALL_TARGETS,
	BOND_PRIMARY,
	BOND_PRIMARY_RESELECT,
	BOND_FAIL_OVER_MAC,
	BOND_XMIT_HASH_POLICY,
	BOND_RESEND_IGMP,
	BOND_NUM_GRAT_ARP,
	BOND_ALL_SLAVES_ACTIVE,
	BOND_MIN_LINKS,
	BOND_LP_INTERVAL,
	BOND_PACKETS_PER_SLAVE,
	BOND_LACP_ACTIVE,
	BOND_LACP_RATE,
	BOND_AD_SELECT,
	BOND_AD_ACTOR_SYS_PRIO,
	BOND_AD_USER_PORT_KEY,
	BOND_AD_ACTOR_SYSTEM,
	BOND_TLB_DYNAMIC_LB,
	BOND_ARP_MISSED_MAX,
	BOND_COUPLED_CONTROL,
	BOND_BROADCAST_NEIGHBOR,
	BOND_LACP_STRICT,
	BOND_AD_INFO,
	_BOND_ROWS,
};

enum bond_port_row {
	BOND_PORT_QUEUE_ID,
	BOND_PORT_PRIO,
	BOND_PORT_ACTOR_PORT_PRIO,
	BOND_PORT_STATE,
	BOND_PORT_MII_STATUS,
	BOND_PORT_LINK_FAILURE_COUNT,
	BOND_PORT_PERM_HWADDR,
	BOND_PORT_AD_AGGREGATOR_ID,
	BOND_PORT_ACTOR_STATE,
	BOND_PORT_PARTNER_STATE,
	_BOND_PORT_ROWS,
};

enum bond_mode { MODE_RR, MODE_BACKUP, MODE_XOR, MODE_BROADCAST, MODE_8023AD, MODE_TLB, MODE_ALB, _MODES };

/* Bit masks for option->modes. */
#define MODES_ARP (1u << MODE_RR | 1u << MODE_BACKUP | 1u << MODE_XOR | 1u << MODE_BROADCAST)
#define MODES_PRIMARY (1u << MODE_BACKUP | 1u << MODE_TLB | 1u << MODE_ALB)
#define MODES_LB (1u << MODE_TLB | 1u << MODE_ALB)
#define MODES_RR (1u << MODE_RR)
#define MODES_LACP (1u << MODE_8023AD)

extern const char *const bond_modes[]; /* names, NULL-terminated */

/* The MAC that the port of a bond had when it came, and gets back when it goes. 0: it is no bond's port, or has none.
 */
uint64_t bond_port_mac(const struct link *port);
void bond_check(const struct model *m, const struct link *l, struct diags *d);
void bond_check_port(const struct model *m, const struct link *master, const struct link *port, struct diags *d);
void bond_settle(struct link *want, const struct link *have);
void bond_drop_refused(struct link *want);
uint64_t bond_disturbed(const struct link *want, uint64_t changed);
uint64_t bond_hidden(const struct link *have);
/* Does the mode that the link has, or is to have, hand the MACs of ports round? Of other kinds, no. */
bool bond_lends_macs(const struct link *l);
uint32_t bond_settling(const struct link *want, const struct link *have, char **why);
