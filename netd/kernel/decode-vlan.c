/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what bridges say of their ports and VLANs, to model data (decode.h). */
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "decode-internal.h"

#define VID_MAX 4094
#define KEPT_FLAGS (BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED)

/* All VLANs of one link while they are being read. */
struct vlan_map {
	unsigned last; /* no member is above it, and nothing is written there */
	bool member[VID_MAX + 1];
	uint16_t flags[VID_MAX + 1];
};

static int map_add(struct vlan_map *map, unsigned from, unsigned to, uint16_t flags)
{
	if (from == 0 || from > to || to > VID_MAX)
		return -EINVAL;
	for (; map->last < to; map->last++) {
		map->member[map->last + 1] = false;
		map->flags[map->last + 1] = 0;
	}
	for (unsigned vid = from; vid <= to; vid++) {
		map->member[vid] = true;
		map->flags[vid] = flags & KEPT_FLAGS;
	}
	return 0;
}

static void map_read(struct vlan_map *map, const struct bridge_vlan *vlans, size_t n)
{
	map->last = 0;
	for (size_t i = 0; i < n; i++)
		map_add(map, vlans[i].vid, vlans[i].vid, vlans[i].flags);
}

static void map_write(const struct vlan_map *map, struct bridge_vlan **vlans, uint32_t *n)
{
	free(*vlans);
	*vlans = NULL;
	*n = 0;
	for (unsigned vid = 1; vid <= map->last; vid++)
		if (map->member[vid])
			*ARRAY_APPEND(*vlans, *n) =
				(struct bridge_vlan){.vid = (uint16_t)vid, .flags = map->flags[vid]};
}

bool link_has_vlans(const struct link *l)
{
	const struct option_table *table = l->port ? l->port->table : &l->kind->port;

	for (unsigned row = 0; row < table->n; row++)
		if (table->rows[row].place == PLACE_VLANS)
			return true;
	return false;
}

/* The compressed list: single VLANs, and pairs that begin and end a range. */
static int read_af_spec(const struct nlattr *nest, struct vlan_map *map, bool *found)
{
	unsigned from = 0;
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		struct bridge_vlan_info info;
		int error = 0;

		if (mnl_attr_get_type(a) != IFLA_BRIDGE_VLAN_INFO)
			continue;
		if (mnl_attr_get_payload_len(a) < sizeof(info))
			return -EINVAL;
		memcpy(&info, mnl_attr_get_payload(a), sizeof(info));
		*found = true;
		if (info.flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) {
			from = info.vid;
			continue;
		}
		if (!(info.flags & BRIDGE_VLAN_INFO_RANGE_END))
			from = info.vid;
		error = map_add(map, from, info.vid, info.flags);
		if (error)
			return error;
	}
	return 0;
}

static void read_port(const struct nlattr *nest, struct bridge_state *s)
{
	const struct kind *bridge = kind_find("bridge");

	if (!s->port && bridge)
		s->port = decode_values(&bridge->port, PLACE_SLAVE, nest);
}

int decode_bridge(const struct nlmsghdr *m, struct bridge_state *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(m);
	_cleanup_(bridge_state_done) struct bridge_state s = {0};
	const struct nlattr *a, *af_spec = NULL;
	struct vlan_map map;
	int error = 0;

	if (!message_has(m, sizeof(*ifi)) || ifi->ifi_family != AF_BRIDGE || ifi->ifi_index <= 0)
		return -EINVAL;
	map_read(&map, NULL, 0);
	s.ifindex = (uint32_t)ifi->ifi_index;
	mnl_attr_for_each (a, m, sizeof(*ifi)) {
		if (mnl_attr_get_type(a) == IFLA_MASTER && mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
			s.master = mnl_attr_get_u32(a);
		else if (mnl_attr_get_type(a) == IFLA_PROTINFO)
			read_port(a, &s);
		else if (mnl_attr_get_type(a) == IFLA_AF_SPEC)
			af_spec = a;
	}
	/* A bridge names itself as the master of its ports and of itself (net/bridge/br_netlink.c, br_fill_ifinfo). */
	if (!s.master)
		return -ENODATA;
	if (af_spec)
		error = read_af_spec(af_spec, &map, &s.has_vlans);
	if (error)
		return error;
	map_write(&map, &s.vlans, &s.n_vlans);
	*ret = s;
	s = (struct bridge_state){0};
	return 0;
}

void bridge_state_done(struct bridge_state *s)
{
	values_free(s->port);
	free(s->vlans);
	*s = (struct bridge_state){0};
}

int decode_vlan_event_link(const struct nlmsghdr *m, uint32_t *ifindex)
{
	const struct br_vlan_msg *bvm = mnl_nlmsg_get_payload(m);

	if (!message_has(m, sizeof(*bvm)) || bvm->family != AF_BRIDGE)
		return -EINVAL;
	*ifindex = bvm->ifindex;
	return 0;
}

static int take_entry(const struct nlattr *entry, bool remove, struct vlan_map *map)
{
	struct bridge_vlan_info info = {0};
	unsigned to = 0;
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, entry) {
		size_t len = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) == BRIDGE_VLANDB_ENTRY_INFO && len >= sizeof(info))
			memcpy(&info, mnl_attr_get_payload(a), sizeof(info));
		else if (mnl_attr_get_type(a) == BRIDGE_VLANDB_ENTRY_RANGE && len >= sizeof(uint16_t))
			to = mnl_attr_get_u16(a);
	}
	if (!to)
		to = info.vid;
	if (info.vid == 0 || to > VID_MAX)
		return -EINVAL;
	if (remove) {
		for (unsigned vid = info.vid; vid <= MIN(to, map->last); vid++)
			map->member[vid] = false;
		return 0;
	}
	/* There is one PVID; the kernel does not tell of the one that stops being it. */
	for (unsigned vid = 1; info.flags & BRIDGE_VLAN_INFO_PVID && vid <= map->last; vid++)
		map->flags[vid] &= (uint16_t)~BRIDGE_VLAN_INFO_PVID;
	return map_add(map, info.vid, to, info.flags);
}

int decode_vlan_event(const struct nlmsghdr *m, struct link *l)
{
	struct vlan_map map;
	const struct nlattr *a;

	if (!message_has(m, sizeof(struct br_vlan_msg)))
		return -EINVAL;
	map_read(&map, l->vlans, l->n_vlans);
	mnl_attr_for_each (a, m, sizeof(struct br_vlan_msg)) {
		int error;

		if (mnl_attr_get_type(a) != BRIDGE_VLANDB_ENTRY)
			continue;
		error = take_entry(a, m->nlmsg_type == RTM_DELVLAN, &map);
		if (error)
			return error;
	}
	map_write(&map, &l->vlans, &l->n_vlans);
	return 0;
}
