/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: bridge VLAN ops to messages (encode.h). */
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "encode-internal.h"

static void put_vlan(struct nlmsghdr *m, unsigned vid, unsigned flags)
{
	struct bridge_vlan_info info = {.vid = (uint16_t)vid, .flags = (uint16_t)flags};

	mnl_attr_put(m, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
}

/*
 * VLANs in a row with the same flags become a range. The kernel refuses a PVID in a range, and a range that ends where
 * it begins (net/bridge/br_netlink.c, br_process_vlan_info).
 */
static size_t range_len(const struct bridge_vlan *v, size_t n, bool ignore_flags)
{
	size_t len = 1;

	if (!ignore_flags && v[0].flags & BRIDGE_VLAN_INFO_PVID)
		return 1;
	while (len < n && v[len].vid == v[len - 1].vid + 1 && (ignore_flags || v[len].flags == v[0].flags))
		len++;
	return len;
}

int encode_vlans(struct encoder *e)
{
	const struct op *op = e->op;
	bool remove = op->type == OP_VLAN_DELETE;
	struct ifinfomsg *ifi;
	struct nlmsghdr *m = encode_begin(e, remove ? RTM_DELLINK : RTM_SETLINK, 0, sizeof(*ifi), (void **)&ifi);
	struct nlattr *spec;

	if (256 + op->n_vlans * (MNL_ATTR_HDRLEN + sizeof(struct bridge_vlan_info)) > MIN(e->size, UINT16_MAX))
		return -EMSGSIZE;
	ifi->ifi_family = AF_BRIDGE;
	ifi->ifi_index = (int)encode_index(e, op->link->name);
	if (!ifi->ifi_index)
		return -ENODEV;
	spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	/* A bridge that is itself a port nowhere: its own membership needs SELF, else EOPNOTSUPP. */
	if (op->link->kind == &kind_bridge)
		mnl_attr_put_u16(m, IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_SELF);
	for (size_t i = 0, len; i < op->n_vlans; i += len) {
		const struct bridge_vlan *v = &op->vlans[i];
		unsigned flags = remove ? 0 : v->flags;

		len = range_len(v, op->n_vlans - i, remove);
		if (len == 1) {
			put_vlan(m, v->vid, flags);
			continue;
		}
		put_vlan(m, v->vid, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN);
		put_vlan(m, v[len - 1].vid, flags | BRIDGE_VLAN_INFO_RANGE_END);
	}
	mnl_attr_nest_end(m, spec);
	return 0;
}
