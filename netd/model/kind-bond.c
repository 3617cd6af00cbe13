/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the rows of a bond and of its ports. Names, ranges and legal modes are those of bond_opts[] in
 * drivers/net/bonding/bond_options.c; what rows demand of each other is in bond-rules.c.
 */
#include "kind-bond.h"

#include <linux/if_link.h>

/* Attributes younger than the uapi headers that kvmnetd builds with (include/uapi/linux/if_link.h of Linux 6.19). */
enum {
	ATTR_COUPLED_CONTROL = 32, /* IFLA_BOND_COUPLED_CONTROL, 6.9 */
	ATTR_BROADCAST_NEIGH = 33, /* IFLA_BOND_BROADCAST_NEIGH, 6.17 */
	ATTR_LACP_STRICT = 34,	   /* IFLA_BOND_LACP_STRICT */
	ATTR_PORT_ACTOR_PRIO = 10, /* IFLA_BOND_SLAVE_ACTOR_PORT_PRIO, 6.18 */
};

#define TARGETS_MAX 16 /* BOND_MAX_ARP_TARGETS, BOND_MAX_NS_TARGETS */

const char *const bond_modes[] = {
	"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb", NULL,
};

static const char *const arp_validate[] = {
	"none", "active", "backup", "all", "filter", "filter_active", "filter_backup", NULL,
};
static const char *const any_all[] = {"any", "all", NULL};
static const char *const reselect[] = {"always", "better", "failure", NULL};
static const char *const fail_over_mac[] = {"none", "active", "follow", NULL};
static const char *const xmit_hash[] = {
	"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac", NULL,
};
static const char *const lacp_rate[] = {"slow", "fast", NULL};
static const char *const ad_select[] = {"stable", "bandwidth", "count", NULL};
static const char *const port_state[] = {"active", "backup", NULL};
static const char *const mii_status[] = {"up", "going_down", "down", "going_back", NULL};

/* clang-format off */
static const struct option own_rows[] = {
	[BOND_MODE] = {
		.key = "mode", .type = &type_u8, .place = PLACE_INFO, .attr = IFLA_BOND_MODE,
		.names = bond_modes, .change = CHANGE_DOWN_NO_PORTS, .flags = OPTION_DETAIL,
		.help = "How traffic is spread over the ports.",
	},
	[BOND_ACTIVE_SLAVE] = {
		.key = "active_slave", .type = &type_ifname, .place = PLACE_INFO, .attr = IFLA_BOND_ACTIVE_SLAVE,
		.modes = MODES_PRIMARY, .flags = OPTION_STATUS | OPTION_REFUSED | OPTION_HIDDEN_READ,
		.help = "is what the bond decides as ports come and go, not configuration; declare primary instead",
	},
	[BOND_MIIMON] = {
		.key = "miimon", .type = &type_ms, .place = PLACE_INFO, .attr = IFLA_BOND_MIIMON, .max = INT32_MAX,
		.needs = "excludes arp_interval and arp_validate",
		.help = "How often a port's carrier is looked at. 100 where neither monitor is declared; 0 is off, and a "
			"dead port is then never noticed.",
	},
	[BOND_UPDELAY] = {
		.key = "updelay", .type = &type_ms, .place = PLACE_INFO, .attr = IFLA_BOND_UPDELAY, .max = INT32_MAX,
		.needs = "needs miimon, and is a multiple of it",
		.help = "How long a port's carrier must have been back before the port is used.",
	},
	[BOND_DOWNDELAY] = {
		.key = "downdelay", .type = &type_ms, .place = PLACE_INFO, .attr = IFLA_BOND_DOWNDELAY, .max = INT32_MAX,
		.needs = "needs miimon, and is a multiple of it",
		.help = "How long a port's carrier must have been gone before the port is given up.",
	},
	[BOND_PEER_NOTIF_DELAY] = {
		.key = "peer_notif_delay", .alias = "peer_notify_delay", .type = &type_ms, .place = PLACE_INFO, .attr = IFLA_BOND_PEER_NOTIF_DELAY,
		.max = 300000, .needs = "needs miimon, and is a multiple of it",
		.help = "Time between the announcements after a failover.",
	},
	[BOND_USE_CARRIER] = {
		.key = "use_carrier", .type = &type_bool, .place = PLACE_INFO, .attr = IFLA_BOND_USE_CARRIER, .max = 1,
		.initial = 1, .flags = OPTION_REFUSED,
		.help = "is obsolete: the kernel always asks the driver for its carrier, which is the default here too",
	},
	[BOND_ARP_INTERVAL] = {
		.key = "arp_interval", .type = &type_ms, .place = PLACE_INFO, .attr = IFLA_BOND_ARP_INTERVAL,
		.max = INT32_MAX, .modes = MODES_ARP,
		.needs = "needs arp_ip_target or ns_ip6_target, excludes miimon",
		.help = "How often the targets are asked for by ARP; a port that hears no answer is down. 0 is off.",
	},
	[BOND_ARP_IP_TARGET] = {
		.key = "arp_ip_target", .type = &type_ip4_list, .place = PLACE_INFO, .attr = IFLA_BOND_ARP_IP_TARGET,
		.max = TARGETS_MAX, .flags = OPTION_ZERO_ABSENT,
		.help = "IPv4 addresses that arp_interval asks for, at most 16.",
	},
	[BOND_NS_IP6_TARGET] = {
		.key = "ns_ip6_target", .type = &type_ip6_list, .place = PLACE_INFO, .attr = IFLA_BOND_NS_IP6_TARGET,
		.max = TARGETS_MAX, .flags = OPTION_ZERO_ABSENT,
		.help = "IPv6 addresses that arp_interval asks for by neighbour solicitation, at most 16.",
	},
	[BOND_ARP_VALIDATE] = {
		.key = "arp_validate", .type = &type_u32, .place = PLACE_INFO, .attr = IFLA_BOND_ARP_VALIDATE,
		.names = arp_validate, .modes = MODES_ARP, .needs = "needs arp_interval",
		.help = "On which ports ARP replies are checked, and whether other traffic counts as life.",
	},
	[BOND_ARP_ALL_TARGETS] = {
		.key = "arp_all_targets", .type = &type_u32, .place = PLACE_INFO, .attr = IFLA_BOND_ARP_ALL_TARGETS,
		.names = any_all,
		.help = "Whether one answering target keeps a port up, or all must answer.",
	},
	[BOND_PRIMARY] = {
		.key = "primary", .type = &type_ifname, .place = PLACE_INFO, .attr = IFLA_BOND_PRIMARY,
		.modes = MODES_PRIMARY, .flags = OPTION_HIDDEN_READ, .needs = "one of ports",
		.help = "The port that is active whenever it can be.",
	},
	[BOND_PRIMARY_RESELECT] = {
		.key = "primary_reselect", .type = &type_u8, .place = PLACE_INFO, .attr = IFLA_BOND_PRIMARY_RESELECT,
		.names = reselect,
		.help = "When a primary that is back takes over again.",
	},
	[BOND_FAIL_OVER_MAC] = {
		.key = "fail_over_mac", .type = &type_u8, .place = PLACE_INFO, .attr = IFLA_BOND_FAIL_OVER_MAC,
		.names = fail_over_mac, .change = CHANGE_NO_PORTS,
		.help = "Whether ports keep their own MAC and the bond takes the active one's; acts in active-backup.",
	},
	[BOND_XMIT_HASH_POLICY] = {
		.key = "xmit_hash_policy", .type = &type_u8, .place = PLACE_INFO, .attr = IFLA_BOND_XMIT_HASH_POLICY,
		.names = xmit_hash,
		.help = "What of a packet chooses its port; acts in balance-xor, 802.3ad and balance-tlb.",
	},
	[BOND_RESEND_IGMP] = {
		.key = "resend_igmp", .type = &type_u32, .place = PLACE_INFO, .attr = IFLA_BOND_RESEND_IGMP,
		.max = 255, .initial = 1,
		.help = "Number of IGMP reports sent after a failover.",
	},
	[BOND_NUM_GRAT_ARP] = {
		.key = "num_grat_arp", .alias = "num_unsol_na", .type = &type_u8, .place = PLACE_INFO,
		.attr = IFLA_BOND_NUM_PEER_NOTIF, .max = 255, .initial = 1,
		.help = "Number of announcements (gratuitous ARP, unsolicited NA) sent after a failover.",
	},
	[BOND_ALL_SLAVES_ACTIVE] = {
		.key = "all_slaves_active", .type = &type_bool, .place = PLACE_INFO, .attr = IFLA_BOND_ALL_SLAVES_ACTIVE,
		.max = 1,
		.help = "Whether frames that arrive on inactive ports are delivered.",
	},
	[BOND_MIN_LINKS] = {
		.key = "min_links", .type = &type_u32, .place = PLACE_INFO, .attr = IFLA_BOND_MIN_LINKS, .max = INT32_MAX,
		.help = "Ports that must be up for the bond to have carrier; acts in 802.3ad.",
	},
	[BOND_LP_INTERVAL] = {
		.key = "lp_interval", .type = &type_s, .place = PLACE_INFO, .attr = IFLA_BOND_LP_INTERVAL,
		.min = 1, .max = INT32_MAX, .initial = 1,
		.help = "Time between learning packets to the switches; acts in balance-tlb and balance-alb.",
	},
	[BOND_PACKETS_PER_SLAVE] = {
		.key = "packets_per_slave", .type = &type_u32, .place = PLACE_INFO, .attr = IFLA_BOND_PACKETS_PER_SLAVE,
		.max = 65535, .modes = MODES_RR, .initial = 1,
		.help = "Packets sent on a port before the next one's turn; 0 chooses at random.",
	},
	[BOND_LACP_ACTIVE] = {
		.key = "lacp_active", .type = &type_bool, .place = PLACE_INFO, .attr = IFLA_BOND_AD_LACP_ACTIVE, .max = 1,
		.modes = MODES_LACP, .change = CHANGE_DOWN, .initial = 1,
		.help = "Whether LACPDUs are sent without having heard one.",
	},
	[BOND_LACP_RATE] = {
		.key = "lacp_rate", .type = &type_u8, .place = PLACE_INFO, .attr = IFLA_BOND_AD_LACP_RATE,
		.names = lacp_rate, .modes = MODES_LACP, .change = CHANGE_DOWN,
		.help = "How often the partner is asked to send LACPDUs: every 30 s or every second.",
	},
	[BOND_AD_SELECT] = {
		.key = "ad_select", .type = &type_u8, .place = PLACE_INFO, .attr = IFLA_BOND_AD_SELECT,
		.names = ad_select, .change = CHANGE_DOWN,
		.help = "Which aggregate is active when there are several; acts in 802.3ad.",
	},
	[BOND_AD_ACTOR_SYS_PRIO] = {
		.key = "ad_actor_sys_prio", .type = &type_u16, .place = PLACE_INFO, .attr = IFLA_BOND_AD_ACTOR_SYS_PRIO,
		.min = 1, .max = 65535, .modes = MODES_LACP, .initial = 65535, .flags = OPTION_HIDDEN_READ,
		.help = "LACP system priority.",
	},
	[BOND_AD_USER_PORT_KEY] = {
		.key = "ad_user_port_key", .type = &type_u16, .place = PLACE_INFO, .attr = IFLA_BOND_AD_USER_PORT_KEY,
		.max = 1023, .modes = MODES_LACP, .change = CHANGE_DOWN, .flags = OPTION_HIDDEN_READ,
		.help = "The upper ten bits of the LACP port key.",
	},
	[BOND_AD_ACTOR_SYSTEM] = {
		.key = "ad_actor_system", .type = &type_mac, .place = PLACE_INFO, .attr = IFLA_BOND_AD_ACTOR_SYSTEM,
		.modes = MODES_LACP, .flags = OPTION_HIDDEN_READ,
		.help = "MAC address in LACPDUs; 00:00:00:00:00:00 is the bond's own.",
	},
	[BOND_TLB_DYNAMIC_LB] = {
		.key = "tlb_dynamic_lb", .type = &type_bool, .place = PLACE_INFO, .attr = IFLA_BOND_TLB_DYNAMIC_LB, .max = 1,
		.modes = MODES_LB, .change = CHANGE_DOWN, .initial = 1,
		.help = "Whether flows move between ports by load, or stay where the hash puts them.",
	},
	[BOND_ARP_MISSED_MAX] = {
		.key = "arp_missed_max", .alias = "missed_max", .type = &type_u8, .place = PLACE_INFO,
		.attr = IFLA_BOND_MISSED_MAX, .min = 1, .max = 255, .modes = MODES_ARP, .initial = 2,
		.help = "ARP intervals without an answer before a port is down.",
	},
	[BOND_COUPLED_CONTROL] = {
		.key = "coupled_control", .type = &type_bool, .place = PLACE_INFO, .attr = ATTR_COUPLED_CONTROL, .max = 1,
		.modes = MODES_LACP, .change = CHANGE_DOWN, .initial = 1,
		.help = "Whether LACP turns collecting and distributing on together (Linux 6.9).",
	},
	[BOND_BROADCAST_NEIGHBOR] = {
		.key = "broadcast_neighbor", .alias = "broadcast_neigh", .type = &type_bool, .place = PLACE_INFO,
		.attr = ATTR_BROADCAST_NEIGH, .max = 1, .modes = MODES_LACP,
		.help = "Whether ARP and neighbour discovery go out on all active ports (Linux 6.17).",
	},
	[BOND_LACP_STRICT] = {
		.key = "lacp_strict", .type = &type_bool, .place = PLACE_INFO, .attr = ATTR_LACP_STRICT, .max = 1,
		/* Whether the kernel takes it live is not known to us: down is always right. */
		.modes = MODES_LACP, .change = CHANGE_DOWN,
		.help = "Whether a bond without an LACP partner has no carrier (newest kernels only).",
	},
	[BOND_AD_INFO] = {
		.key = "ad_info", .type = &type_ad_info, .place = PLACE_INFO, .attr = IFLA_BOND_AD_INFO,
		.modes = MODES_LACP, .flags = OPTION_STATUS | OPTION_HIDDEN_READ,
		.help = "The active LACP aggregate and its partner.",
	},
};

static const struct option port_rows[] = {
	[BOND_PORT_QUEUE_ID] = {
		.key = "queue_id", .type = &type_u16, .place = PLACE_SLAVE, .attr = IFLA_BOND_SLAVE_QUEUE_ID, .max = 65535,
		.flags = OPTION_UNIQUE,
		.needs = "different for every port, at most the bond's number of transmit queues (16)",
		.help = "Transmit queue whose packets go out on this port (tc skbedit); 0 is none.",
	},
	[BOND_PORT_PRIO] = {
		.key = "prio", .type = &type_s32, .place = PLACE_SLAVE, .attr = IFLA_BOND_SLAVE_PRIO,
		.min = INT32_MIN, .max = INT32_MAX, .modes = MODES_PRIMARY,
		.needs = "without effect while the bond has a primary",
		.help = "Which port becomes active: the one with the highest number.",
	},
	[BOND_PORT_ACTOR_PORT_PRIO] = {
		.key = "actor_port_prio", .type = &type_u16, .place = PLACE_SLAVE, .attr = ATTR_PORT_ACTOR_PRIO,
		.max = 65535, .modes = MODES_LACP, .initial = 255, .flags = OPTION_HIDDEN_READ,
		.help = "LACP port priority (Linux 6.18).",
	},
	[BOND_PORT_STATE] = {
		.key = "state", .type = &type_u8, .place = PLACE_SLAVE, .attr = IFLA_BOND_SLAVE_STATE,
		.names = port_state, .flags = OPTION_STATUS | OPTION_DETAIL,
		.help = "Whether the port carries traffic.",
	},
	[BOND_PORT_MII_STATUS] = {
		.key = "mii_status", .type = &type_u8, .place = PLACE_SLAVE, .attr = IFLA_BOND_SLAVE_MII_STATUS,
		.names = mii_status, .flags = OPTION_STATUS,
		.help = "What the monitor thinks of the port.",
	},
	[BOND_PORT_LINK_FAILURE_COUNT] = {
		.key = "link_failure_count", .type = &type_u32, .place = PLACE_SLAVE,
		.attr = IFLA_BOND_SLAVE_LINK_FAILURE_COUNT, .max = UINT32_MAX, .flags = OPTION_STATUS,
		.help = "How often the port has failed.",
	},
	[BOND_PORT_PERM_HWADDR] = {
		.key = "perm_hwaddr", .type = &type_mac, .place = PLACE_SLAVE, .attr = IFLA_BOND_SLAVE_PERM_HWADDR,
		.flags = OPTION_STATUS,
		.help = "The port's own MAC address, which it gets back when it leaves.",
	},
	[BOND_PORT_AD_AGGREGATOR_ID] = {
		.key = "ad_aggregator_id", .type = &type_u16, .place = PLACE_SLAVE,
		.attr = IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, .max = 65535, .flags = OPTION_STATUS | OPTION_HIDDEN_READ,
		.help = "The LACP aggregate that the port is in.",
	},
	[BOND_PORT_ACTOR_STATE] = {
		.key = "ad_actor_oper_port_state", .type = &type_lacp_state, .place = PLACE_SLAVE,
		.attr = IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, .flags = OPTION_STATUS | OPTION_HIDDEN_READ,
		.help = "Our LACP state of the port; 63 is healthy.",
	},
	[BOND_PORT_PARTNER_STATE] = {
		.key = "ad_partner_oper_port_state", .type = &type_lacp_state, .place = PLACE_SLAVE,
		.attr = IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, .flags = OPTION_STATUS | OPTION_HIDDEN_READ,
		.help = "The partner's LACP state of the port; 63 is healthy.",
	},
};
/* clang-format on */

const struct kind kind_bond = {
	.name = "bond",
	.driver = "bonding",
	.flags = KIND_VIRTUAL | KIND_HAS_PORTS | KIND_PORTS_DOWN,
	.own = OPTION_TABLE("bond option", own_rows),
	.port = OPTION_TABLE("bond port option", port_rows),
	.check = bond_check,
	.check_port = bond_check_port,
	.settle = bond_settle,
	.drop_refused = bond_drop_refused,
	.disturbed = bond_disturbed,
	.hidden = bond_hidden,
	.settling = bond_settling,
};
