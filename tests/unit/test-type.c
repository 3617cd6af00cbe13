/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the value types one by one: what each takes, refuses, prints and sends that is special to it. */
#include <inttypes.h>
#include <libmnl/libmnl.h>

#include "../../netd/model/probe.h"
#include "rows.h"

static void booleans_take_every_common_spelling(void **state _unused_)
{
	const struct option *o = find(&link_options, "up");

	assert_int_equal(must_parse(o, "yes").num + must_parse(o, "true").num + must_parse(o, "on").num +
				 must_parse(o, "1").num + must_parse(o, "Yes").num,
			 5);
	assert_int_equal(must_parse(o, "no").num + must_parse(o, "false").num + must_parse(o, "off").num +
				 must_parse(o, "0").num,
			 0);
	must_refuse(o, "2", "yes, no");
	must_refuse(o, "y", "yes, no");
}

static void times_take_units(void **state _unused_)
{
	const struct option *ms = find(&kind_bond.own, "miimon"), *s = find(&kind_bond.own, "lp_interval");
	const struct option *cs = find(&kind_bridge.own, "ageing_time");

	assert_int_equal(must_parse(ms, "100").num, 100);
	assert_int_equal(must_parse(ms, "100ms").num, 100);
	assert_int_equal(must_parse(ms, "1.5s").num, 1500);
	assert_int_equal(must_parse(ms, "2min").num, 120000);
	assert_int_equal(must_parse(s, "3").num, 3);
	assert_int_equal(must_parse(s, "3000ms").num, 3);
	assert_int_equal(must_parse(cs, "15s").num, 1500);
	assert_int_equal(must_parse(cs, "123.45s").num, 12345);
	assert_int_equal(must_parse(cs, "1h").num, 360000);
	must_refuse(s, "1500ms", "multiple of 1s");
	must_refuse(ms, "0.5ms", "multiple of 1ms");
	must_refuse(cs, "5ms", "multiple of 10ms");
	must_refuse(cs, "1.234s", "multiple of 10ms");
	must_refuse(cs, "15", "15s");
	must_refuse(ms, "-1", "time from 0ms");
	must_refuse(ms, "1.s", "time from 0ms");
	must_refuse(ms, "1parsec", "time from 0ms");
	must_refuse(find(&kind_bridge.own, "hello_time"), "0.5s", "from 1s to 10s");
}

/* The expected values are those of kernel/time/time.c for HZ = 100, 250, 300 and 1000, worked out apart from our code.
 */
static void bridge_times_equal_what_a_kernel_shows(void **state _unused_)
{
	const struct option *o = find(&kind_bridge.own, "ageing_time");
	const struct {
		uint64_t want, have;
		bool equal;
	} cases[] = {
		/* clang-format off */
		{12345, 12345, true}, /* HZ = 100, 1000 */
		{12345, 12344, true}, /* HZ = 250, 300 */
		{12345, 12343, false},
		{12345, 12346, false},
		{1500, 1500, true},
		{1500, 1499, true},   /* HZ = 300: 4500 ticks of 3333333 ns */
		{1500, 1498, false},
		{0, 0, true},
		{1, 1, true},
		{1, 0, true},	      /* HZ = 250: 2 ticks of 4 ms */
		{30000, 29999, true}, /* HZ = 300 */
		{30000, 29990, false},
		{4294967295, 4294967295, true},
		{4294967295, 4294967294, true}, /* HZ = 250 */
		{4294967295, 4294966865, true}, /* HZ = 300 */
		{4294967295, 4294967000, false},
		/* clang-format on */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (o->type->equal(o, (union value){.num = cases[i].want}, (union value){.num = cases[i].have}) !=
		    cases[i].equal)
			fail_msg("%" PRIu64 " shown as %" PRIu64, cases[i].want, cases[i].have);
}

static void masks_are_hexadecimal(void **state _unused_)
{
	const struct option *o = find(&kind_bridge.own, "group_fwd_mask");
	_cleanup_free_ char *text = value_text(o, (union value){.num = 0x4000});

	assert_string_equal(text, "0x4000");
	assert_int_equal(must_parse(o, "0x4000").num, 0x4000);
	assert_int_equal(must_parse(o, "16384").num, 0x4000);
	must_refuse(o, "0x10000", "0x0..0xffff");
	must_refuse(o, "0x", "0x0..0xffff");
}

static void macs_are_checked(void **state _unused_)
{
	const struct option *mac = &link_options.rows[LINK_MAC];
	const struct option *system = find(&kind_bond.own, "ad_actor_system");
	const struct option *group = find(&kind_bridge.own, "group_address");

	assert_int_equal(must_parse(mac, "52:54:00:AB:cd:ef").num, 0x525400abcdef);
	assert_int_equal(must_parse(mac, "inherit").num, MAC_INHERIT);
	assert_int_equal(must_parse(mac, "stable").num, MAC_STABLE);
	must_refuse(mac, "00:00:00:00:00:00", "inherit or stable or a unicast MAC address");
	must_refuse(mac, "01:00:5e:00:00:01", "unicast");
	must_refuse(mac, "52:54:00:ab:cd", "unicast");
	must_refuse(mac, "52:54:00:ab:cd:ef:00", "unicast");
	must_refuse(mac, "52-54-00-ab-cd-ef", "unicast");
	must_refuse(mac, "52:54:00:ab:cd:e", "unicast");
	assert_int_equal(must_parse(system, "00:00:00:00:00:00").num, 0);
	must_refuse(system, "33:33:00:00:00:01", "unicast");
	assert_int_equal(must_parse(group, "01:80:c2:00:00:0e").num, 0x0180c200000e);
	must_refuse(group, "01:80:c2:00:00:10", "01:80:c2:00:00:00..01:80:c2:00:00:0f");
	must_refuse(group, "52:54:00:ab:cd:ef", "01:80:c2:00:00:00");
}

static void targets_are_what_bonding_takes(void **state _unused_)
{
	const struct option *ip4 = find(&kind_bond.own, "arp_ip_target");
	const struct option *ip6 = find(&kind_bond.own, "ns_ip6_target");

	must_refuse(ip4, "0.0.0.0", "IPv4 address of a host");
	must_refuse(ip4, "0.1.2.3", "IPv4 address of a host");
	must_refuse(ip4, "255.255.255.255", "IPv4 address of a host");
	must_refuse(ip4, "192.0.2.1/24", "IPv4 address of a host");
	must_refuse(ip4, "192.0.2.1 192.0.2.2 192.0.2.1", "listed twice");
	must_refuse(ip4,
		    "1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5 1.0.0.6 1.0.0.7 1.0.0.8 1.0.0.9 1.0.0.10 1.0.0.11 "
		    "1.0.0.12 1.0.0.13 1.0.0.14 1.0.0.15 1.0.0.16 1.0.0.17",
		    "at most 16");
	must_refuse(ip6, "ff02::1", "no multicast");
	must_refuse(ip6, "::", "host");
	must_refuse(ip6, "::1", "host");
	must_refuse(ip6, "192.0.2.1", "host");
	must_refuse(ip6, "2001:db8::1 2001:db8:0::1", "listed twice");
}

static void assert_text(const struct option *o, const char *text, const char *canonical)
{
	union value v = must_parse(o, text);
	_cleanup_free_ char *printed = value_text(o, v);

	assert_string_equal(printed, canonical);
	value_free(o, v);
}

static void vlan_sets_are_sorted_and_merged(void **state _unused_)
{
	const struct option *o = find(&kind_bridge.port, "vlans");

	assert_text(o, "20-29 10", "10 20-29");
	assert_text(o, "10 12 11", "10-12");
	assert_text(o, "30 20-29 19", "19-30");
	assert_text(o, "4094 1", "1 4094");
	must_refuse(o, "10 5-20", "listed twice");
	must_refuse(o, "5-20 20", "listed twice");
	must_refuse(o, "0", "1..4094");
	must_refuse(o, "4095", "1..4094");
	must_refuse(o, "10-4095", "1..4094");
	must_refuse(o, "29-20", "1..4094");
	must_refuse(o, "10-", "1..4094");
	must_refuse(o, "-10", "1..4094");
	must_refuse(o, "10,11", "1..4094");
}

static void qos_maps_are_sorted_and_zero_means_absent(void **state _unused_)
{
	const struct option *in = find(&kind_vlan.own, "ingress_qos_map");
	const struct option *out = find(&kind_vlan.own, "egress_qos_map");
	union value a = must_parse(in, "0:0 1:1 7:7"), b = must_parse(in, "7:7 1:1"), c = must_parse(in, "1:1 7:6");

	assert_text(in, "7:4294967295 1:2", "1:2 7:4294967295");
	assert_text(out, "4294967295:7 0:1", "0:1 4294967295:7");
	must_refuse(in, "8:0", "FROM 0..7");
	must_refuse(out, "0:8", "TO 0..7");
	must_refuse(in, "1:2 1:3", "mapped already, to 2");
	must_refuse(in, "1", "FROM:TO");
	assert_true(in->type->equal(in, a, b));
	assert_true(in->type->equal(in, b, a));
	assert_false(in->type->equal(in, a, c));
	assert_true(in->type->equal(in, must_parse(in, ""), (union value){0}));
	value_free(in, a);
	value_free(in, b);
	value_free(in, c);
}

static void names_and_indexes_of_links_are_told_apart(void **state _unused_)
{
	const struct option *o = find(&kind_bond.own, "primary");
	union value name = must_parse(o, "eth0"), index = ifname_from_index(7), copy = value_copy(o, index);
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);

	assert_int_equal(ifname_index(name), 0);
	assert_int_equal(ifname_index(index), 7);
	assert_int_equal(ifname_index(copy), 7);
	assert_int_equal(ifname_index((union value){0}), 0);
	o->type->put(o, name, m);
	assert_int_equal(mnl_nlmsg_get_payload_len(m), 0);
	o->type->put(o, (union value){0}, m);
	assert_int_equal(mnl_attr_get_u32(only_attribute(m)), 0);
	/* Four letters and NUL are as long as an index. */
	assert_false(o->type->equal(o, name, index));
	value_free(o, name);
	value_free(o, index);
	value_free(o, copy);
}

static void vlan_protocol_is_big_endian(void **state _unused_)
{
	const struct option *o = find(&kind_vlan.own, "protocol");
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);

	o->type->put(o, must_parse(o, "802.1AD"), m);
	assert_memory_equal(mnl_attr_get_payload(only_attribute(m)), "\x88\xa8", 2);
}

static void status_values_read_well(void **state _unused_)
{
	const struct option *ad = find(&kind_bond.own, "ad_info");
	const struct option *state_row = find(&kind_bond.port, "ad_actor_oper_port_state");
	const struct option *id = find(&kind_bridge.own, "bridge_id");
	_cleanup_free_ char *lacp = value_text(state_row, (union value){.num = 63});
	_cleanup_free_ char *bridge = NULL, *info = NULL;
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);
	struct nlattr *nest;
	union value v = {0};

	assert_string_equal(lacp, "63 (active, short timeout, aggregatable, in sync, collecting, distributing)");
	mnl_attr_put(m, id->attr, 8, "\x80\x00\x52\x54\x00\x12\x34\x56");
	assert_int_equal(id->type->get(id, only_attribute(m), &v), 0);
	bridge = value_text(id, v);
	assert_string_equal(bridge, "8000.52:54:00:12:34:56");
	m = message(buf);
	nest = mnl_attr_nest_start(m, ad->attr);
	mnl_attr_put_u16(m, 1, 1);
	mnl_attr_put_u16(m, 2, 2);
	mnl_attr_put_u16(m, 3, 15);
	mnl_attr_put_u16(m, 4, 9);
	mnl_attr_put(m, 5, 6, "\x52\x54\x00\x12\x34\x56");
	mnl_attr_nest_end(m, nest);
	v = (union value){0};
	assert_int_equal(ad->type->get(ad, only_attribute(m), &v), 0);
	info = value_text(ad, v);
	assert_string_equal(info, "aggregator 1, 2 ports, actor key 15, partner key 9, partner 52:54:00:12:34:56");
	value_free(ad, v);
}

static void assert_path(const char *peer, const char *local, const char *text)
{
	struct probe_target t, again;
	_cleanup_free_ char *found = NULL, *why = NULL;

	assert_int_equal(probe_parse_path(peer, local, &t), 0);
	found = probe_text(&t);
	assert_string_equal(found, text);
	assert_int_equal(probe_parse(found, &again, &why), 0);
	assert_memory_equal(&t, &again, sizeof(t));
}

static void ends_of_a_connection_name_their_link_where_they_need_one(void **state _unused_)
{
	static const char *const wrong[][2] = {
		{"fe80::2", "fe80::1"},
		{"fe80::2%", "fe80::1%"},
		{"fe80::2%a-name-too-long-for-links", "fe80::1"},
		{"192.0.2.7", "2001:db8::10"},
		{"192.0.2", "192.0.2.1"},
		{"", ""},
	};
	struct probe_target t;

	assert_path("192.0.2.7", "192.0.2.10", "path 192.0.2.7 from 192.0.2.10");
	assert_path("::ffff:192.0.2.7", "::ffff:192.0.2.10", "path 192.0.2.7 from 192.0.2.10");
	assert_path("2001:db8::7", "2001:db8::10", "path 2001:db8::7 from 2001:db8::10");
	assert_path("fe80::2%eth0", "fe80::1%eth0", "path fe80::2%eth0 from fe80::1");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(probe_parse_path(wrong[i][0], wrong[i][1], &t), -EINVAL);
		assert_int_equal(t.family, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(booleans_take_every_common_spelling),
		cmocka_unit_test(times_take_units),
		cmocka_unit_test(bridge_times_equal_what_a_kernel_shows),
		cmocka_unit_test(masks_are_hexadecimal),
		cmocka_unit_test(macs_are_checked),
		cmocka_unit_test(targets_are_what_bonding_takes),
		cmocka_unit_test(vlan_sets_are_sorted_and_merged),
		cmocka_unit_test(qos_maps_are_sorted_and_zero_means_absent),
		cmocka_unit_test(names_and_indexes_of_links_are_told_apart),
		cmocka_unit_test(vlan_protocol_is_big_endian),
		cmocka_unit_test(status_values_read_well),
		cmocka_unit_test(ends_of_a_connection_name_their_link_where_they_need_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
