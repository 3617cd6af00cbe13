/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the rows of an 802.1Q or 802.1ad subinterface; see net/8021q/vlan_netlink.c. The kernel takes a new id,
 * protocol or parent for an existing link without an error and ignores it, hence CHANGE_RECREATE.
 */
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>

#include "rule.h"

enum vlan_row {
	VLAN_ID,
	VLAN_PROTOCOL,
	VLAN_REORDER_HDR,
	VLAN_GVRP,
	VLAN_LOOSE_BINDING,
	VLAN_MVRP,
	VLAN_BRIDGE_BINDING,
	VLAN_INGRESS,
	VLAN_EGRESS,
};

#define VLAN_PRIO_MAX 7

static const char *const protocols[] = {"802.1q", "802.1ad", NULL};
static const uint32_t ethertypes[] = {ETH_P_8021Q, ETH_P_8021AD};

/* clang-format off */
#define INFO(k, t, a) .key = (k), .type = &(t), .place = PLACE_INFO, .attr = (a)
/* vlan_fill_info() leaves the attribute out when no flag is set. */
#define FLAG(k, b) INFO(k, type_flag, IFLA_VLAN_FLAGS), .bit = (b), .max = 1, .flags = OPTION_ZERO_ABSENT

static const struct option own_rows[] = {
	[VLAN_ID] = {
		INFO("id", type_u16, IFLA_VLAN_ID), .min = 1, .max = 4094, .change = CHANGE_RECREATE,
		.flags = OPTION_REQUIRED | OPTION_DETAIL,
		.help = "The VLAN id in the tag.",
	},
	[VLAN_PROTOCOL] = {
		INFO("protocol", type_be16, IFLA_VLAN_PROTOCOL), .names = protocols, .name_values = ethertypes,
		.change = CHANGE_RECREATE, .initial = ETH_P_8021Q,
		.help = "Tag protocol: 802.1q, or 802.1ad for the outer tag of QinQ.",
	},
	[VLAN_REORDER_HDR] = {
		FLAG("reorder_hdr", VLAN_FLAG_REORDER_HDR), .initial = 1,
		.help = "Whether packet sockets see frames without the tag.",
	},
	[VLAN_GVRP] = {
		FLAG("gvrp", VLAN_FLAG_GVRP),
		.help = "Whether the VLAN is announced to the switch by GVRP.",
	},
	[VLAN_LOOSE_BINDING] = {
		FLAG("loose_binding", VLAN_FLAG_LOOSE_BINDING),
		.help = "Whether the link stays up when its parent goes down.",
	},
	[VLAN_MVRP] = {
		FLAG("mvrp", VLAN_FLAG_MVRP),
		.help = "Whether the VLAN is announced to the switch by MVRP.",
	},
	[VLAN_BRIDGE_BINDING] = {
		FLAG("bridge_binding", VLAN_FLAG_BRIDGE_BINDING), .needs = "acts when the parent is a bridge",
		.help = "Whether carrier follows the bridge ports that are members of the VLAN, instead of the bridge.",
	},
	/* Entries are set one by one and removed by mapping to 0: see type_qos_map. */
	[VLAN_INGRESS] = {
		INFO("ingress_qos_map", type_qos_map, IFLA_VLAN_INGRESS_QOS), .min = VLAN_PRIO_MAX, .max = UINT32_MAX,
		.flags = OPTION_ZERO_ABSENT,
		.help = "VLAN priority to packet priority, FROM:TO each.",
	},
	[VLAN_EGRESS] = {
		INFO("egress_qos_map", type_qos_map, IFLA_VLAN_EGRESS_QOS), .min = UINT32_MAX, .max = VLAN_PRIO_MAX,
		.flags = OPTION_ZERO_ABSENT,
		.help = "Packet priority to VLAN priority, FROM:TO each.",
	},
};
/* clang-format on */

/* vlan_vid_carrier_changed() of net/bridge/br_vlan.c acts on the bridge's VLAN devices only. */
static void vlan_check(const struct model *m, const struct link *l, struct diags *d)
{
	const struct link *parent = model_parent(m, l);

	if (parent && parent->kind != &kind_bridge && values_num(l->own, VLAN_BRIDGE_BINDING, 0))
		rule_own(d, SEVERITY_WARNING, l, VLAN_BRIDGE_BINDING, "has no effect: %s is not a bridge",
			 parent->name);
}

/* vlan_device_event(), net/8021q/vlan.c, and vlan_dev_open(), net/8021q/vlan_dev.c: ENETDOWN. */
static bool vlan_follows_parent(const struct link *l)
{
	return !values_num(l->own, VLAN_LOOSE_BINDING, 0);
}

const struct kind kind_vlan = {
	.name = "vlan",
	.driver = "8021q",
	/* vlan_dev_change_mtu(), net/8021q/vlan_dev.c: ERANGE. */
	.flags = KIND_VIRTUAL | KIND_HAS_PARENT | KIND_MTU_OF_PARENT | KIND_MAC_OF_PARENT,
	.own = OPTION_TABLE("vlan option", own_rows),
	.slot = 1ull << VLAN_ID | 1ull << VLAN_PROTOCOL,
	.port = {.what = "vlan port option"},
	.check = vlan_check,
	.follows_parent = vlan_follows_parent,
};
