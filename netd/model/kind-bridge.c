/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the rows of a bridge and of its ports, by the names of ip-link(8); ranges are those of
 * net/bridge/br_netlink.c and the setters it calls. What rows demand of each other is in bridge-rules.c.
 */
#include "kind-bridge.h"

#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>

/* Younger than the uapi headers that kvmnetd builds with (if_link.h and if_bridge.h of Linux 6.18). */
enum {
	ATTR_FDB_N_LEARNED = 48,       /* IFLA_BR_FDB_N_LEARNED, 6.7 */
	ATTR_FDB_MAX_LEARNED = 49,     /* IFLA_BR_FDB_MAX_LEARNED, 6.7 */
	ATTR_MAB = 40,		       /* IFLA_BRPORT_MAB, 6.2 */
	ATTR_MCAST_N_GROUPS = 41,      /* IFLA_BRPORT_MCAST_N_GROUPS, 6.3 */
	ATTR_MCAST_MAX_GROUPS = 42,    /* IFLA_BRPORT_MCAST_MAX_GROUPS, 6.3 */
	ATTR_NEIGH_VLAN_SUPPRESS = 43, /* IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, 6.4 */
	ATTR_BACKUP_NHID = 44,	       /* IFLA_BRPORT_BACKUP_NHID, 6.6 */
	BIT_MDB_OFFLOAD_FAIL = 1 << 3, /* BR_BOOLOPT_MDB_OFFLOAD_FAIL_NOTIFICATION, 6.16 */
	BIT_FDB_LOCAL_VLAN_0 = 1 << 4, /* BR_BOOLOPT_FDB_LOCAL_VLAN_0, 6.18 */
};

/* br_multicast_set_query_intvl() and its sibling silently clamp: BR_MULTICAST_QUERY_INTVL_MIN and _MAX, in 1/100 s. */
#define QUERY_INTERVAL_MIN 100
#define QUERY_INTERVAL_MAX 8640000

static const char *const vlan_protocols[] = {"802.1q", "802.1ad", NULL};
static const uint32_t vlan_ethertypes[] = {ETH_P_8021Q, ETH_P_8021AD};
static const char *const none[] = {"none", NULL};
static const char *const port_states[] = {"disabled", "listening", "learning", "forwarding", "blocking", NULL};

/* clang-format off */

/* The rows that come in dozens. */
#define INFO(k, t, a) .key = (k), .type = &(t), .place = PLACE_INFO, .attr = (a)
#define PORT(k, t, a) .key = (k), .type = &(t), .place = PLACE_SLAVE, .attr = (a)
#define INTERVAL .min = 0, .max = UINT32_MAX

static const struct option own_rows[] = {
	[BRIDGE_FORWARD_DELAY] = {
		INFO("forward_delay", type_cs, IFLA_BR_FORWARD_DELAY), .max = UINT32_MAX, .initial = 1500,
		.needs = "2s to 30s while stp_state is on",
		.help = "STP: how long a port listens, and then learns, before it forwards.",
	},
	[BRIDGE_HELLO_TIME] = {
		INFO("hello_time", type_cs, IFLA_BR_HELLO_TIME), .min = 100, .max = 1000, .initial = 200,
		.help = "STP: time between the root bridge's messages.",
	},
	[BRIDGE_MAX_AGE] = {
		INFO("max_age", type_cs, IFLA_BR_MAX_AGE), .min = 600, .max = 4000, .initial = 2000,
		.help = "STP: silence after which another bridge is taken for dead.",
	},
	[BRIDGE_AGEING_TIME] = {
		INFO("ageing_time", type_cs, IFLA_BR_AGEING_TIME), .max = UINT32_MAX, .initial = 30000,
		.help = "How long a learned MAC address is remembered; 0s forgets at once, so that everything floods.",
	},
	[BRIDGE_STP_STATE] = {
		INFO("stp_state", type_bool32, IFLA_BR_STP_STATE), .alias = "stp", .max = 1,
		.help = "Spanning tree protocol. Ports are then blocked for twice forward_delay when they come up.",
	},
	[BRIDGE_PRIORITY] = {
		INFO("priority", type_u16, IFLA_BR_PRIORITY), .max = 65535, .initial = 32768,
		.help = "STP: the bridge with the lowest number becomes root.",
	},
	[BRIDGE_VLAN_FILTERING] = {
		INFO("vlan_filtering", type_bool, IFLA_BR_VLAN_FILTERING), .max = 1,
		.help = "Whether ports carry only the VLANs they are members of.",
	},
	[BRIDGE_VLAN_PROTOCOL] = {
		INFO("vlan_protocol", type_be16, IFLA_BR_VLAN_PROTOCOL), .names = vlan_protocols,
		.name_values = vlan_ethertypes, .initial = ETH_P_8021Q,
		.help = "Tag protocol that vlan_filtering goes by.",
	},
	[BRIDGE_VLAN_DEFAULT_PVID] = {
		INFO("vlan_default_pvid", type_u16, IFLA_BR_VLAN_DEFAULT_PVID), .names = none, .min = 1, .max = 4094,
		.initial = 1,
		.help = "VLAN of untagged frames on ports that join; none: they are in no VLAN.",
	},
	[BRIDGE_VLAN_STATS_ENABLED] = {
		INFO("vlan_stats_enabled", type_bool, IFLA_BR_VLAN_STATS_ENABLED), .max = 1,
		.help = "Counters for every VLAN.",
	},
	[BRIDGE_VLAN_STATS_PER_PORT] = {
		/* EBUSY as soon as a port has a VLAN: br_vlan_set_stats_per_port(), net/bridge/br_vlan.c. */
		INFO("vlan_stats_per_port", type_bool, IFLA_BR_VLAN_STATS_PER_PORT), .max = 1, .change = CHANGE_NO_PORTS,
		.help = "Counters for every VLAN of every port.",
	},
	[BRIDGE_GROUP_FWD_MASK] = {
		INFO("group_fwd_mask", type_hex, IFLA_BR_GROUP_FWD_MASK), .max = 0xffff,
		.needs = "bits 0 to 2 (STP, pause, LACP) cannot be forwarded",
		.help = "Which of 01:80:c2:00:00:0X are forwarded, a bit each: 0x4000 is LLDP.",
	},
	[BRIDGE_GROUP_ADDRESS] = {
		INFO("group_address", type_mac, IFLA_BR_GROUP_ADDR), .min = 0x0180c2000000, .max = 0x0180c200000f,
		.initial = 0x0180c2000000, .needs = "not one that ends in 1, 2 or 3",
		.help = "Address of the bridge's own STP messages.",
	},
	[BRIDGE_MCAST_ROUTER] = {
		INFO("mcast_router", type_u8, IFLA_BR_MCAST_ROUTER), .max = 2, .initial = 1,
		.help = "Whether the host is taken for a multicast router: 0 no, 1 when it sounds like one, 2 always.",
	},
	[BRIDGE_MCAST_SNOOPING] = {
		INFO("mcast_snooping", type_bool, IFLA_BR_MCAST_SNOOPING), .max = 1, .initial = 1,
		.help = "IGMP and MLD snooping. Without a querier in the network it drops multicast after some minutes.",
	},
	[BRIDGE_MCAST_QUERY_USE_IFADDR] = {
		INFO("mcast_query_use_ifaddr", type_bool, IFLA_BR_MCAST_QUERY_USE_IFADDR), .max = 1,
		.help = "Whether the bridge's own IP address is the source of its queries, instead of 0.0.0.0.",
	},
	[BRIDGE_MCAST_QUERIER] = {
		INFO("mcast_querier", type_bool, IFLA_BR_MCAST_QUERIER), .max = 1,
		.help = "Whether the bridge asks for group memberships itself.",
	},
	[BRIDGE_MCAST_HASH_ELASTICITY] = {
		INFO("mcast_hash_elasticity", type_u32, IFLA_BR_MCAST_HASH_ELASTICITY), .max = UINT32_MAX, .initial = 16,
		.flags = OPTION_REFUSED,
		.help = "is obsolete: the kernel takes the number and goes on with 16",
	},
	[BRIDGE_MCAST_HASH_MAX] = {
		INFO("mcast_hash_max", type_u32, IFLA_BR_MCAST_HASH_MAX), .max = UINT32_MAX, .initial = 4096,
		.help = "Most multicast groups the bridge keeps.",
	},
	[BRIDGE_MCAST_LAST_MEMBER_COUNT] = {
		INFO("mcast_last_member_count", type_u32, IFLA_BR_MCAST_LAST_MEMBER_CNT), .max = UINT32_MAX, .initial = 2,
		.help = "Queries sent after a leave message.",
	},
	[BRIDGE_MCAST_STARTUP_QUERY_COUNT] = {
		INFO("mcast_startup_query_count", type_u32, IFLA_BR_MCAST_STARTUP_QUERY_CNT), .max = UINT32_MAX,
		.initial = 2,
		.help = "Queries sent when the bridge starts to ask.",
	},
	[BRIDGE_MCAST_LAST_MEMBER_INTERVAL] = {
		INFO("mcast_last_member_interval", type_cs64, IFLA_BR_MCAST_LAST_MEMBER_INTVL), INTERVAL, .initial = 100,
		.help = "Time between queries after a leave message.",
	},
	[BRIDGE_MCAST_MEMBERSHIP_INTERVAL] = {
		INFO("mcast_membership_interval", type_cs64, IFLA_BR_MCAST_MEMBERSHIP_INTVL), INTERVAL, .initial = 26000,
		.help = "Silence after which a member has left its group.",
	},
	[BRIDGE_MCAST_QUERIER_INTERVAL] = {
		INFO("mcast_querier_interval", type_cs64, IFLA_BR_MCAST_QUERIER_INTVL), INTERVAL, .initial = 25500,
		.help = "Silence after which another querier is gone.",
	},
	[BRIDGE_MCAST_QUERY_INTERVAL] = {
		INFO("mcast_query_interval", type_cs64, IFLA_BR_MCAST_QUERY_INTVL), .min = QUERY_INTERVAL_MIN,
		.max = QUERY_INTERVAL_MAX, .initial = 12500,
		.help = "Time between queries.",
	},
	[BRIDGE_MCAST_QUERY_RESPONSE_INTERVAL] = {
		INFO("mcast_query_response_interval", type_cs64, IFLA_BR_MCAST_QUERY_RESPONSE_INTVL), INTERVAL,
		.initial = 1000,
		.help = "Time that members have for an answer.",
	},
	[BRIDGE_MCAST_STARTUP_QUERY_INTERVAL] = {
		INFO("mcast_startup_query_interval", type_cs64, IFLA_BR_MCAST_STARTUP_QUERY_INTVL),
		.min = QUERY_INTERVAL_MIN, .max = QUERY_INTERVAL_MAX, .initial = 3125,
		.help = "Time between the first queries.",
	},
	[BRIDGE_MCAST_STATS_ENABLED] = {
		INFO("mcast_stats_enabled", type_bool, IFLA_BR_MCAST_STATS_ENABLED), .max = 1,
		.help = "Counters of IGMP and MLD messages.",
	},
	[BRIDGE_MCAST_IGMP_VERSION] = {
		INFO("mcast_igmp_version", type_u8, IFLA_BR_MCAST_IGMP_VERSION), .min = 2, .max = 3, .initial = 2,
		.help = "IGMP version of queries.",
	},
	[BRIDGE_MCAST_MLD_VERSION] = {
		INFO("mcast_mld_version", type_u8, IFLA_BR_MCAST_MLD_VERSION), .min = 1, .max = 2, .initial = 1,
		.help = "MLD version of queries.",
	},
	[BRIDGE_NF_CALL_IPTABLES] = {
		INFO("nf_call_iptables", type_bool, IFLA_BR_NF_CALL_IPTABLES), .max = 1,
		.help = "Whether bridged IPv4 passes through iptables (where br_netfilter is loaded).",
	},
	[BRIDGE_NF_CALL_IP6TABLES] = {
		INFO("nf_call_ip6tables", type_bool, IFLA_BR_NF_CALL_IP6TABLES), .max = 1,
		.help = "Whether bridged IPv6 passes through ip6tables (where br_netfilter is loaded).",
	},
	[BRIDGE_NF_CALL_ARPTABLES] = {
		INFO("nf_call_arptables", type_bool, IFLA_BR_NF_CALL_ARPTABLES), .max = 1,
		.help = "Whether bridged ARP passes through arptables (where br_netfilter is loaded).",
	},
	[BRIDGE_NO_LINKLOCAL_LEARN] = {
		INFO("no_linklocal_learn", type_flag, IFLA_BR_MULTI_BOOLOPT), .bit = 1 << BR_BOOLOPT_NO_LL_LEARN, .max = 1,
		.help = "Whether source addresses of link-local frames (LACP, LLDP) are not learned.",
	},
	[BRIDGE_MCAST_VLAN_SNOOPING] = {
		INFO("mcast_vlan_snooping", type_flag, IFLA_BR_MULTI_BOOLOPT), .max = 1,
		.bit = 1 << BR_BOOLOPT_MCAST_VLAN_SNOOPING, .needs = "needs vlan_filtering",
		.help = "Multicast snooping per VLAN.",
	},
	[BRIDGE_MST_ENABLED] = {
		/* EBUSY while any VLAN exists beside the default: br_mst_set_enabled(), net/bridge/br_mst.c. */
		INFO("mst_enabled", type_flag, IFLA_BR_MULTI_BOOLOPT), .bit = 1 << BR_BOOLOPT_MST_ENABLE, .max = 1,
		.change = CHANGE_NO_PORTS,
		.help = "Multiple spanning trees, kept by a user space daemon.",
	},
	[BRIDGE_MDB_OFFLOAD_FAIL_NOTIFICATION] = {
		INFO("mdb_offload_fail_notification", type_flag, IFLA_BR_MULTI_BOOLOPT), .bit = BIT_MDB_OFFLOAD_FAIL,
		.max = 1,
		.help = "Whether multicast entries that the hardware did not take are told (Linux 6.16).",
	},
	[BRIDGE_FDB_LOCAL_VLAN_0] = {
		INFO("fdb_local_vlan_0", type_flag, IFLA_BR_MULTI_BOOLOPT), .bit = BIT_FDB_LOCAL_VLAN_0, .max = 1,
		.help = "Whether the bridge's own addresses are kept once, not per VLAN (Linux 6.18).",
	},
	[BRIDGE_FDB_MAX_LEARNED] = {
		INFO("fdb_max_learned", type_u32, ATTR_FDB_MAX_LEARNED), .max = UINT32_MAX,
		.help = "Most learned MAC addresses; 0 is no limit (Linux 6.7).",
	},
	[BRIDGE_PVID] = {
		.key = "pvid", .type = &type_u16, .place = PLACE_VLANS, .names = none, .min = 1, .max = 4094,
		.needs = "needs vlan_filtering",
		.help = "The bridge's own VLAN for untagged frames; none: it has none.",
	},
	[BRIDGE_VLANS] = {
		.key = "vlans", .type = &type_vlan_set, .place = PLACE_VLANS, .needs = "needs vlan_filtering",
		.help = "VLANs that the bridge itself (the host) is a member of, as ids and ranges.",
	},
	[BRIDGE_UNTAGGED] = {
		.key = "untagged", .type = &type_vlan_set, .place = PLACE_VLANS, .needs = "part of vlans and pvid",
		.help = "VLANs whose frames reach the bridge itself without a tag.",
	},
	[BRIDGE_ROOT_ID] = {
		INFO("root_id", type_bridge_id, IFLA_BR_ROOT_ID), .flags = OPTION_STATUS,
		.help = "STP: the root bridge.",
	},
	[BRIDGE_BRIDGE_ID] = {
		INFO("bridge_id", type_bridge_id, IFLA_BR_BRIDGE_ID), .flags = OPTION_STATUS,
		.help = "STP: this bridge.",
	},
	[BRIDGE_ROOT_PORT] = {
		INFO("root_port", type_u16, IFLA_BR_ROOT_PORT), .max = 65535, .flags = OPTION_STATUS,
		.help = "STP: number of the port towards the root; 0: this is the root.",
	},
	[BRIDGE_ROOT_PATH_COST] = {
		INFO("root_path_cost", type_u32, IFLA_BR_ROOT_PATH_COST), .max = UINT32_MAX, .flags = OPTION_STATUS,
		.help = "STP: cost of the way to the root.",
	},
	[BRIDGE_TOPOLOGY_CHANGE] = {
		INFO("topology_change", type_bool, IFLA_BR_TOPOLOGY_CHANGE), .flags = OPTION_STATUS,
		.help = "STP: whether a change of topology is being spread.",
	},
	[BRIDGE_FDB_N_LEARNED] = {
		INFO("fdb_n_learned", type_u32, ATTR_FDB_N_LEARNED), .max = UINT32_MAX, .flags = OPTION_STATUS,
		.help = "Learned MAC addresses (Linux 6.7).",
	},
};

static const struct option port_rows[] = {
	[BRPORT_PATH_COST] = {
		PORT("path_cost", type_u32, IFLA_BRPORT_COST), .alias = "cost", .min = 1, .max = 65535, .initial = 100,
		.help = "STP: cost of the port. Left out, the kernel goes by the link's speed.",
	},
	[BRPORT_PRIORITY] = {
		PORT("priority", type_u16, IFLA_BRPORT_PRIORITY), .max = 63, .initial = 32,
		.help = "STP: among equal ports the one with the lowest number.",
	},
	[BRPORT_ISOLATED] = {
		PORT("isolated", type_bool, IFLA_BRPORT_ISOLATED), .max = 1,
		.help = "Whether the port exchanges no frames with other isolated ports.",
	},
	[BRPORT_LEARNING] = {
		PORT("learning", type_bool, IFLA_BRPORT_LEARNING), .max = 1, .initial = 1,
		.help = "Whether MAC addresses are learned on the port.",
	},
	[BRPORT_HAIRPIN] = {
		PORT("hairpin", type_bool, IFLA_BRPORT_MODE), .alias = "hairpin_mode", .max = 1,
		.help = "Whether frames may go back out on the port they came in on.",
	},
	[BRPORT_GUARD] = {
		PORT("guard", type_bool, IFLA_BRPORT_GUARD), .alias = "bpdu_guard", .max = 1,
		.help = "Whether an STP message disables the port.",
	},
	[BRPORT_ROOT_BLOCK] = {
		PORT("root_block", type_bool, IFLA_BRPORT_PROTECT), .max = 1,
		.help = "Whether the port may never lead to the root bridge.",
	},
	[BRPORT_FASTLEAVE] = {
		PORT("fastleave", type_bool, IFLA_BRPORT_FAST_LEAVE), .alias = "fast_leave", .max = 1,
		.help = "Whether a leave message ends a group's traffic at once.",
	},
	[BRPORT_FLOOD] = {
		PORT("flood", type_bool, IFLA_BRPORT_UNICAST_FLOOD), .alias = "unicast_flood", .max = 1, .initial = 1,
		.help = "Whether frames to unknown addresses go out on the port.",
	},
	[BRPORT_MCAST_FLOOD] = {
		PORT("mcast_flood", type_bool, IFLA_BRPORT_MCAST_FLOOD), .alias = "multicast_flood", .max = 1, .initial = 1,
		.help = "Whether multicast that nobody asked for goes out on the port.",
	},
	[BRPORT_BCAST_FLOOD] = {
		PORT("bcast_flood", type_bool, IFLA_BRPORT_BCAST_FLOOD), .alias = "broadcast_flood", .max = 1, .initial = 1,
		.help = "Whether broadcast goes out on the port.",
	},
	[BRPORT_MCAST_TO_UNICAST] = {
		PORT("mcast_to_unicast", type_bool, IFLA_BRPORT_MCAST_TO_UCAST), .alias = "multicast_to_unicast", .max = 1,
		.help = "Whether multicast is sent to every member on its own.",
	},
	[BRPORT_PROXY_ARP] = {
		PORT("proxy_arp", type_bool, IFLA_BRPORT_PROXYARP), .alias = "proxyarp", .max = 1,
		.help = "Whether the bridge answers ARP requests from the port.",
	},
	[BRPORT_PROXY_ARP_WIFI] = {
		PORT("proxy_arp_wifi", type_bool, IFLA_BRPORT_PROXYARP_WIFI), .alias = "proxyarp_wifi", .max = 1,
		.help = "The same as access points need it (802.11, Hotspot 2.0).",
	},
	[BRPORT_NEIGH_SUPPRESS] = {
		PORT("neigh_suppress", type_bool, IFLA_BRPORT_NEIGH_SUPPRESS), .max = 1,
		.help = "Whether ARP and neighbour discovery are answered by the bridge instead of flooded to the port.",
	},
	[BRPORT_NEIGH_VLAN_SUPPRESS] = {
		PORT("neigh_vlan_suppress", type_bool, ATTR_NEIGH_VLAN_SUPPRESS), .max = 1,
		.help = "The same, chosen per VLAN (Linux 6.4).",
	},
	[BRPORT_LOCKED] = {
		PORT("locked", type_bool, IFLA_BRPORT_LOCKED), .max = 1,
		.help = "Whether only known source addresses may send on the port (802.1X).",
	},
	[BRPORT_MAB] = {
		PORT("mab", type_bool, ATTR_MAB), .max = 1, .needs = "needs locked",
		.help = "Whether unknown source addresses on a locked port are noted, for a daemon to admit (Linux 6.2).",
	},
	[BRPORT_VLAN_TUNNEL] = {
		PORT("vlan_tunnel", type_bool, IFLA_BRPORT_VLAN_TUNNEL), .max = 1,
		.help = "Whether VLANs of the port map to tunnel ids (VXLAN).",
	},
	[BRPORT_MCAST_ROUTER] = {
		PORT("mcast_router", type_u8, IFLA_BRPORT_MULTICAST_ROUTER), .alias = "multicast_router", .max = 3,
		.initial = 1,
		.help = "Whether a multicast router is behind the port: 0 no, 1 when one is heard, 2 always, 3 for now.",
	},
	[BRPORT_MCAST_MAX_GROUPS] = {
		PORT("mcast_max_groups", type_u32, ATTR_MCAST_MAX_GROUPS), .max = UINT32_MAX,
		.help = "Most multicast groups on the port; 0 is no limit (Linux 6.3).",
	},
	[BRPORT_MCAST_EHT_HOSTS_LIMIT] = {
		PORT("mcast_eht_hosts_limit", type_u32, IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT), .min = 1, .max = UINT32_MAX,
		.initial = 512,
		.help = "Most hosts behind the port whose memberships are tracked one by one.",
	},
	[BRPORT_GROUP_FWD_MASK] = {
		PORT("group_fwd_mask", type_hex, IFLA_BRPORT_GROUP_FWD_MASK), .max = 0xffff,
		.needs = "bit 1 (pause) cannot be forwarded",
		.help = "As the bridge's, for frames that come in on the port.",
	},
	[BRPORT_BACKUP_PORT] = {
		PORT("backup_port", type_ifname, IFLA_BRPORT_BACKUP_PORT), .flags = OPTION_ZERO_ABSENT,
		.needs = "another port of the bridge",
		.help = "The port that takes over while this one has no carrier.",
	},
	[BRPORT_BACKUP_NHID] = {
		PORT("backup_nhid", type_u32, ATTR_BACKUP_NHID), .max = UINT32_MAX, .flags = OPTION_ZERO_ABSENT,
		.help = "Nexthop id of frames that go to the backup port (VXLAN, Linux 6.6).",
	},
	[BRPORT_PVID] = {
		.key = "pvid", .type = &type_u16, .place = PLACE_VLANS, .names = none, .min = 1, .max = 4094,
		.needs = "needs vlan_filtering",
		.help = "VLAN of untagged frames that come in on the port; none: they are dropped.",
	},
	[BRPORT_VLANS] = {
		.key = "vlans", .type = &type_vlan_set, .place = PLACE_VLANS, .needs = "needs vlan_filtering",
		.help = "VLANs that the port is a member of, as ids and ranges.",
	},
	[BRPORT_UNTAGGED] = {
		.key = "untagged", .type = &type_vlan_set, .place = PLACE_VLANS, .needs = "part of vlans and pvid",
		.help = "VLANs whose frames leave the port without a tag.",
	},
	[BRPORT_STATE] = {
		PORT("state", type_u8, IFLA_BRPORT_STATE), .names = port_states, .flags = OPTION_STATUS | OPTION_DETAIL,
		.help = "STP: what the port does with frames.",
	},
	[BRPORT_DESIGNATED_ROOT] = {
		PORT("designated_root", type_bridge_id, IFLA_BRPORT_ROOT_ID), .flags = OPTION_STATUS,
		.help = "STP: the root bridge as told on the port.",
	},
	[BRPORT_DESIGNATED_BRIDGE] = {
		PORT("designated_bridge", type_bridge_id, IFLA_BRPORT_BRIDGE_ID), .flags = OPTION_STATUS,
		.help = "STP: the bridge through which the port's network reaches the root.",
	},
	[BRPORT_DESIGNATED_PORT] = {
		PORT("designated_port", type_hex, IFLA_BRPORT_DESIGNATED_PORT), .max = 65535, .flags = OPTION_STATUS,
		.help = "STP: the port of that bridge.",
	},
	[BRPORT_DESIGNATED_COST] = {
		PORT("designated_cost", type_u16, IFLA_BRPORT_DESIGNATED_COST), .max = 65535, .flags = OPTION_STATUS,
		.help = "STP: that bridge's cost to the root.",
	},
	[BRPORT_PORT_NO] = {
		PORT("port_no", type_hex, IFLA_BRPORT_NO), .max = 65535, .flags = OPTION_STATUS,
		.help = "The port's number in its bridge.",
	},
	[BRPORT_MCAST_N_GROUPS] = {
		PORT("mcast_n_groups", type_u32, ATTR_MCAST_N_GROUPS), .max = UINT32_MAX, .flags = OPTION_STATUS,
		.help = "Multicast groups on the port (Linux 6.3).",
	},
	[BRPORT_MCAST_EHT_HOSTS_CNT] = {
		PORT("mcast_eht_hosts_cnt", type_u32, IFLA_BRPORT_MCAST_EHT_HOSTS_CNT), .max = UINT32_MAX,
		.flags = OPTION_STATUS,
		.help = "Hosts behind the port whose memberships are tracked.",
	},
};
/* clang-format on */

const struct kind kind_bridge = {
	.name = "bridge",
	.driver = "bridge",
	.flags = KIND_VIRTUAL | KIND_HAS_PORTS | KIND_MTU_FOLLOWS,
	.own = OPTION_TABLE("bridge option", own_rows),
	.port = OPTION_TABLE("bridge port option", port_rows),
	.check = bridge_check,
	.check_port = bridge_check_port,
	.settle = bridge_settle,
	.hidden = bridge_hidden,
	.settling = bridge_settling,
};
