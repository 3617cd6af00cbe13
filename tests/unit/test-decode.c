/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: messages become model data, whatever bytes they are made of. What encode.c makes reads back in
 * test-encode.c. */
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <net/if_arp.h>
#include <time.h>

#include "../../netd/kernel/decode.h"
#include "messages.h"
#include "seed.h"

#define MUTATIONS 20000

static struct nlmsghdr *route_of(const struct link *l)
{
	struct route r = route("10.0.0.0", 8, NULL);

	return encode(&(const struct op){.type = OP_ROUTE_ADD, .link = l, .route = &r});
}

static void routes_the_model_cannot_hold_are_not_kept(void **state _unused_)
{
	struct link *l = link_new("br0", &kind_bridge);
	struct nlmsghdr *m = route_of(l);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(m);
	struct route_state have;

	rtm->rtm_type = RTN_LOCAL;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.kept);
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_flags |= RTM_F_CLONED;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.kept);
	rtm->rtm_flags = 0;
	rtm->rtm_protocol = RTPROT_BGP;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.kept);
	rtm->rtm_protocol = RTPROT_STATIC;
	mnl_attr_put_u32(m, RTA_NH_ID, 5);
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.kept);
	link_free(l);
}

static void add_hop(struct nlmsghdr *m, int ifindex, bool gateway)
{
	struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(m);
	static const uint8_t via[4] = {192, 0, 2, 7};

	*hop = (struct rtnexthop){.rtnh_ifindex = ifindex};
	m->nlmsg_len += sizeof(*hop);
	if (gateway)
		mnl_attr_put(m, RTA_GATEWAY, sizeof(via), via);
	hop->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(m) - (char *)hop);
}

static void routes_outside_the_model_are_known_as_somebodys(void **state _unused_)
{
	struct link *l = link_new("br0", &kind_bridge);
	struct nlmsghdr *m = route_of(l);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(m);
	struct route_state have;
	struct nlattr *nest;

	rtm->rtm_protocol = RTPROT_STATIC;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.other);
	rtm->rtm_tos = 16;
	assert_int_equal(decode_route(m, &have), 0);
	assert_true(have.other);
	assert_int_equal(have.tos, 16);
	assert_int_equal(have.ifindex, index_of("br0", NULL));
	assert_false(have.leads_on);
	nest = mnl_attr_nest_start(m, RTA_MULTIPATH);
	add_hop(m, 4, false);
	add_hop(m, 4, true);
	mnl_attr_nest_end(m, nest);
	assert_int_equal(decode_route(m, &have), 0);
	assert_true(have.other && have.leads_on);
	assert_int_equal(have.n_hops, 2);
	assert_int_equal(have.ifindex, 4);
	nest = mnl_attr_nest_start(m, RTA_MULTIPATH);
	add_hop(m, 5, true);
	mnl_attr_nest_end(m, nest);
	assert_int_equal(decode_route(m, &have), 0);
	assert_int_equal(have.ifindex, 0);
	rtm->rtm_protocol = RTPROT_KERNEL;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.other);
	rtm->rtm_protocol = RTPROT_BIRD;
	rtm->rtm_type = RTN_BLACKHOLE;
	assert_int_equal(decode_route(m, &have), 0);
	assert_true(have.other && have.leads_on);
	link_free(l);
}

static void routes_that_go_nowhere_are_told_apart(void **state _unused_)
{
	static const uint8_t types[] = {RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW};
	struct link *l = link_new("br0", &kind_bridge);
	struct nlmsghdr *m = route_of(l);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(m);
	struct route_state have;

	rtm->rtm_protocol = RTPROT_BOOT;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.nowhere);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		rtm->rtm_type = types[i];
		assert_int_equal(decode_route(m, &have), 0);
		assert_true(have.nowhere);
		assert_false(have.kept);
		assert_int_equal(have.route.dst_len, 8);
	}
	/* The kernel's last resort of IPv6, and what a daemon may have thousands of. */
	rtm->rtm_protocol = RTPROT_KERNEL;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.nowhere);
	rtm->rtm_protocol = RTPROT_BGP;
	assert_int_equal(decode_route(m, &have), 0);
	assert_false(have.nowhere);
	link_free(l);
}

/* RTM_NEWVLAN or RTM_DELVLAN of one entry. */
static struct nlmsghdr *vlan_event(uint16_t type, uint16_t vid, uint16_t to, uint16_t flags)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct br_vlan_msg *bvm;
	struct bridge_vlan_info info = {.vid = vid, .flags = flags};
	struct nlattr *entry;

	m->nlmsg_type = type;
	bvm = mnl_nlmsg_put_extra_header(m, sizeof(*bvm));
	bvm->family = AF_BRIDGE;
	bvm->ifindex = 7;
	entry = mnl_attr_nest_start(m, BRIDGE_VLANDB_ENTRY);
	mnl_attr_put(m, BRIDGE_VLANDB_ENTRY_INFO, sizeof(info), &info);
	if (to)
		mnl_attr_put_u16(m, BRIDGE_VLANDB_ENTRY_RANGE, to);
	mnl_attr_nest_end(m, entry);
	return m;
}

static void vlan_events_add_remove_and_move_the_pvid(void **state _unused_)
{
	struct link *l = link_new("eth0", &kind_ethernet);
	uint32_t ifindex;

	assert_int_equal(decode_vlan_event_link(vlan_event(RTM_NEWVLAN, 1, 0, 6), &ifindex), 0);
	assert_int_equal(ifindex, 7);
	assert_int_equal(decode_vlan_event(vlan_event(RTM_NEWVLAN, 1, 0, 6), l), 0);
	assert_int_equal(decode_vlan_event(vlan_event(RTM_NEWVLAN, 20, 29, 0), l), 0);
	assert_int_equal(decode_vlan_event(vlan_event(RTM_NEWVLAN, 25, 0, 2), l), 0);
	assert_int_equal(l->n_vlans, 11);
	assert_int_equal(l->vlans[0].flags, BRIDGE_VLAN_INFO_UNTAGGED);
	assert_int_equal(l->vlans[6].vid, 25);
	assert_int_equal(l->vlans[6].flags, BRIDGE_VLAN_INFO_PVID);
	assert_int_equal(decode_vlan_event(vlan_event(RTM_DELVLAN, 1, 24, 0), l), 0);
	assert_int_equal(l->n_vlans, 5);
	assert_int_equal(decode_vlan_event(vlan_event(RTM_NEWVLAN, 10, 4095, 0), l), -EINVAL);
	assert_int_equal(decode_vlan_event(vlan_event(RTM_NEWVLAN, 30, 20, 0), l), -EINVAL);
	assert_int_equal(decode_vlan_event(vlan_event(RTM_NEWVLAN, 0, 0, 0), l), -EINVAL);
	link_free(l);
}

static struct nlmsghdr *link_message(const char *name, const char *kind)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *ifi;
	struct nlattr *info;

	m->nlmsg_type = RTM_NEWLINK;
	ifi = mnl_nlmsg_put_extra_header(m, sizeof(*ifi));
	ifi->ifi_index = 5;
	ifi->ifi_type = ARPHRD_ETHER;
	if (name)
		mnl_attr_put_strz(m, IFLA_IFNAME, name);
	if (kind) {
		info = mnl_attr_nest_start(m, IFLA_LINKINFO);
		mnl_attr_put_strz(m, IFLA_INFO_KIND, kind);
		mnl_attr_nest_end(m, info);
	}
	return m;
}

static void a_link_event_without_a_name_tells_of_part_of_a_link(void **state _unused_)
{
	struct link *l;

	assert_int_equal(decode_link(link_message(NULL, NULL), &l), -ENODATA);
}

static void the_other_end_of_a_veth_is_not_below_it(void **state _unused_)
{
	struct nlmsghdr *m = link_message("veth0", "veth");
	struct link *l;

	mnl_attr_put_u32(m, IFLA_LINK, 6);
	assert_int_equal(decode_link(m, &l), 0);
	assert_int_equal(l->parent, 0);
	link_free(l);
	m = link_message("macvlan0", "macvlan");
	mnl_attr_put_u32(m, IFLA_LINK, 6);
	assert_int_equal(decode_link(m, &l), 0);
	assert_int_equal(l->parent, 6);
	link_free(l);
	mnl_attr_put_u32(m, IFLA_LINK_NETNSID, 0);
	assert_int_equal(decode_link(m, &l), 0);
	assert_int_equal(l->parent, 0);
	link_free(l);
}

static void a_device_of_other_frames_is_told_by_its_type(void **state _unused_)
{
	struct nlmsghdr *m = link_message("tun0", "tun");
	struct link *l;

	assert_int_equal(decode_link(m, &l), 0);
	assert_false(l->not_ethernet);
	link_free(l);
	((struct ifinfomsg *)mnl_nlmsg_get_payload(m))->ifi_type = ARPHRD_NONE;
	assert_int_equal(decode_link(m, &l), 0);
	assert_true(l->not_ethernet);
	link_free(l);
}

static void hardware_is_told_by_bus_altnames_and_permanent_address(void **state _unused_)
{
	static const uint8_t mac[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
	struct nlmsghdr *m = link_message("eth0", NULL);
	struct nlattr *list;
	int32_t conf[DEVCONF_DISABLE_IPV6 + 1] = {[DEVCONF_ACCEPT_RA] = 2, [DEVCONF_DISABLE_IPV6] = 1};
	struct nlattr *spec, *inet6;
	struct link *l;

	mnl_attr_put_strz(m, IFLA_PARENT_DEV_NAME, "0000:02:00.0");
	mnl_attr_put_strz(m, IFLA_PARENT_DEV_BUS_NAME, "pci");
	mnl_attr_put(m, IFLA_PERM_ADDRESS, sizeof(mac), mac);
	list = mnl_attr_nest_start(m, IFLA_PROP_LIST);
	mnl_attr_put_strz(m, IFLA_ALT_IFNAME, "enp2s0");
	mnl_attr_put_strz(m, IFLA_ALT_IFNAME, "a-name-longer-than-a-kernel-name-can-be");
	mnl_attr_nest_end(m, list);
	spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(m, AF_INET6);
	mnl_attr_put(m, IFLA_INET6_CONF, sizeof(conf), conf);
	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, 1);
	mnl_attr_nest_end(m, inet6);
	mnl_attr_nest_end(m, spec);
	assert_int_equal(decode_link(m, &l), 0);
	assert_string_equal(l->parent_dev, "pci-0000:02:00.0");
	assert_true(l->has_perm_mac);
	assert_true(l->perm_mac == 0x525400123456);
	assert_memory_equal(l->altnames, "enp2s0\0a-name-longer-than-a-kernel-name-can-be\0", 48);
	assert_int_equal(values_num(l->common, LINK_ACCEPT_RA, 0), 2);
	assert_int_equal(values_num(l->common, LINK_DISABLE_IPV6, 0), 1);
	assert_int_equal(values_num(l->common, LINK_ADDR_GEN_MODE, 0), 1);
	link_free(l);
}

/* All decoders over a message in memory of exactly its size, so that the sanitizer sees every byte read beyond. */
static void decode_anything(const void *data, size_t len)
{
	_cleanup_free_ void *copy = xmemdup(data, len);
	const struct nlmsghdr *m = copy;
	_cleanup_(bridge_state_done) struct bridge_state bridge = {0};
	struct route_state route_state;
	struct address a;
	struct link *l = NULL;
	uint32_t ifindex;

	if (!mnl_nlmsg_ok(m, (int)len))
		return;
	if (decode_link(m, &l) == 0)
		link_free(l);
	decode_bridge(m, &bridge);
	decode_address(m, &ifindex, &a);
	decode_route(m, &route_state);
	if (decode_vlan_event_link(m, &ifindex) == 0) {
		l = link_new("eth0", &kind_ethernet);
		decode_vlan_event(m, l);
		link_free(l);
	}
}

/* Every length a message can be cut to, with the header claiming that length, and with attributes claiming more. */
static void mistreat(const struct nlmsghdr *m)
{
	_cleanup_free_ uint8_t *bytes = xmemdup(m, m->nlmsg_len);
	size_t len = m->nlmsg_len;

	for (size_t cut = sizeof(*m); cut <= len; cut++) {
		((struct nlmsghdr *)bytes)->nlmsg_len = (uint32_t)cut;
		decode_anything(bytes, cut);
	}
	for (unsigned i = 0; i < MUTATIONS; i++) {
		_cleanup_free_ uint8_t *other = xmemdup(m, len);

		for (unsigned n = 1 + (unsigned)random() % 4; n; n--)
			other[sizeof(*m) + (size_t)random() % (len - sizeof(*m))] = (uint8_t)random();
		decode_anything(other, len);
	}
}

static void no_bytes_do_harm(void **state _unused_)
{
	struct link *bond = link_new("bond0", &kind_bond), *port = link_new("eth0", &kind_ethernet);
	struct bridge_vlan vlans[] = {{1, 6}, {10, 0}, {11, 0}, {12, 0}, {40, 4}};
	struct address a = address("2001:db8::5", 64);
	struct route r = route("2001:db8::", 32, "fe80::1");
	struct op op = {.type = OP_CREATE, .link = bond};
	struct nlmsghdr *m;

	op.own = fill(bond->own);
	op.common = fill(bond->common);
	mistreat(encode(&op));
	port->port = values_new(&kind_bridge.port);
	op = (struct op){.type = OP_SET, .link = port, .master_kind = &kind_bridge, .port = fill(port->port)};
	m = encode(&op);
	mnl_attr_put_strz(m, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(m, IFLA_MASTER, 3);
	mistreat(m);
	op = (struct op){.type = OP_VLAN_ADD, .link = port, .vlans = vlans, .n_vlans = ARRAY_SIZE(vlans)};
	m = encode(&op);
	mnl_attr_put_u32(m, IFLA_MASTER, 3);
	mistreat(m);
	op = (struct op){.type = OP_ADDRESS_ADD, .link = port, .address = &a};
	mistreat(encode(&op));
	op = (struct op){.type = OP_ROUTE_ADD, .link = port, .route = &r};
	mistreat(encode(&op));
	mistreat(vlan_event(RTM_NEWVLAN, 20, 29, 0));
	link_free(bond);
	link_free(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_outside_the_model_are_known_as_somebodys),
		cmocka_unit_test(routes_the_model_cannot_hold_are_not_kept),
		cmocka_unit_test(routes_that_go_nowhere_are_told_apart),
		cmocka_unit_test(vlan_events_add_remove_and_move_the_pvid),
		cmocka_unit_test(a_link_event_without_a_name_tells_of_part_of_a_link),
		cmocka_unit_test(the_other_end_of_a_veth_is_not_below_it),
		cmocka_unit_test(a_device_of_other_frames_is_told_by_its_type),
		cmocka_unit_test(hardware_is_told_by_bus_altnames_and_permanent_address),
		cmocka_unit_test(no_bytes_do_harm),
	};

	return cmocka_run_group_tests(tests, seed_setup, NULL);
}
