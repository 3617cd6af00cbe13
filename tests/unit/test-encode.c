/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: ops become messages that say what was meant, read back as it, and have nothing that the kernel refuses or
 * ignores.
 */
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <time.h>

#include "../../netd/kernel/decode.h"
#include "messages.h"
#include "seed.h"

static const struct nlattr *find_attribute(const struct nlmsghdr *m, size_t header, uint16_t type)
{
	const struct nlattr *a, *found = NULL;

	mnl_attr_for_each (a, m, header) {
		if (mnl_attr_get_type(a) != type)
			continue;
		assert_null(found);
		found = a;
	}
	return found;
}

static void refuse(const struct op *op, int error)
{
	assert_int_equal(encode_op(op, index_of, NULL, buffer, sizeof(buffer)), error);
}

static unsigned count_nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;
	unsigned n = 0;

	mnl_attr_for_each_nested (a, nest)
		n += mnl_attr_get_type(a) == type;
	return n;
}

static const struct nlattr *only_nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	assert_non_null(nest);
	assert_int_equal(count_nested(nest, type), 1);
	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

static void assert_same_values(const struct values *want, const struct values *have, uint64_t rows)
{
	for (unsigned row = 0; want && row < want->table->n; row++) {
		const struct option *o = &want->table->rows[row];
		_cleanup_free_ char *w = NULL, *h = NULL;

		if (!(rows >> row & 1))
			continue;
		if (!values_has(have, row))
			fail_msg("%s was lost", o->key);
		if (o->type == &type_ifname) {
			assert_int_equal(ifname_index(values_at(have, row)), index_of("eth0", NULL));
			continue;
		}
		w = value_text(o, values_at(want, row));
		h = value_text(o, values_at(have, row));
		assert_string_equal(w, h);
	}
}

/* What was sent to create a link reads like the link. */
static void every_row_of_every_kind_survives_a_create(void **state _unused_)
{
	for (unsigned i = 0; kinds[i]; i++) {
		struct link *want = link_new("link0", kinds[i]), *have;
		struct op op = {.type = OP_CREATE, .link = want, .master = MASTER_JOIN, .master_name = "br0"};
		struct nlmsghdr *m;

		if (!(kinds[i]->flags & KIND_VIRTUAL)) {
			link_free(want);
			continue;
		}
		memcpy(want->parent_name, "eth0", 5);
		op.common = fill(want->common);
		op.own = fill(want->own);
		m = encode(&op);
		assert_int_equal(m->nlmsg_type, RTM_NEWLINK);
		assert_int_equal(m->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_REPLACE),
				 NLM_F_CREATE | NLM_F_EXCL);
		assert_int_equal(decode_link(m, &have), 0);
		assert_ptr_equal(have->kind, kinds[i]);
		assert_string_equal(have->name, "link0");
		assert_int_equal(have->ifindex, index_of("link0", NULL));
		assert_int_equal(have->master, index_of("br0", NULL));
		assert_int_equal(have->parent, kinds[i]->flags & KIND_HAS_PARENT ? index_of("eth0", NULL) : 0);
		assert_false(have->flags & IFF_UP);
		assert_same_values(want->common, have->common, op.common);
		assert_same_values(want->own, have->own, op.own);
		link_free(want);
		link_free(have);
	}
}

static void every_row_of_every_port_survives_a_set(void **state _unused_)
{
	for (unsigned i = 0; kinds[i]; i++) {
		struct link *want = link_new("eth0", &kind_ethernet), *have;
		struct op op = {.type = OP_SET, .link = want, .master_kind = kinds[i]};
		struct nlmsghdr *m;

		if (kinds[i]->port.n) {
			want->port = values_new(&kinds[i]->port);
			op.port = fill(want->port);
			m = encode(&op);
			assert_int_equal(m->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL), 0);
			/* What a dump has beside it. */
			mnl_attr_put_strz(m, IFLA_IFNAME, "eth0");
			mnl_attr_put_u32(m, IFLA_MASTER, 2);
			assert_int_equal(decode_link(m, &have), 0);
			assert_ptr_equal(have->port->table, &kinds[i]->port);
			assert_same_values(want->port, have->port, op.port);
			link_free(have);
		}
		link_free(want);
	}
}

static void only_the_rows_asked_for_are_sent(void **state _unused_)
{
	struct link *l = link_new("bond0", &kind_bond);
	struct op op = {.type = OP_SET, .link = l, .own = 1ull << option_row(&kind_bond.own, "lp_interval")};
	const struct nlattr *info, *data, *a;
	unsigned n = 0;

	fill(l->own);
	fill(l->common);
	info = find_attribute(encode(&op), sizeof(struct ifinfomsg), IFLA_LINKINFO);
	data = only_nested(info, IFLA_INFO_DATA);
	only_nested(info, IFLA_INFO_KIND);
	mnl_attr_for_each_nested (a, data) {
		assert_int_equal(mnl_attr_get_type(a), IFLA_BOND_LP_INTERVAL);
		n++;
	}
	assert_int_equal(n, 1);
	assert_null(find_attribute((struct nlmsghdr *)buffer, sizeof(struct ifinfomsg), IFLA_MTU));
	assert_null(find_attribute((struct nlmsghdr *)buffer, sizeof(struct ifinfomsg), IFLA_IFNAME));
	link_free(l);
}

static void flags_of_one_attribute_go_out_together(void **state _unused_)
{
	struct link *l = link_new("vlan0", &kind_vlan);
	struct op op = {.type = OP_SET, .link = l};
	const struct nlattr *a;
	struct ifla_vlan_flags pair;

	values_put(l->own, option_row(&kind_vlan.own, "gvrp"), (union value){.num = 1}, LOC_NONE);
	values_put(l->own, option_row(&kind_vlan.own, "reorder_hdr"), (union value){.num = 0}, LOC_NONE);
	op.own = l->own->set;
	a = find_attribute(encode(&op), sizeof(struct ifinfomsg), IFLA_LINKINFO);
	a = only_nested(only_nested(a, IFLA_INFO_DATA), IFLA_VLAN_FLAGS);
	assert_int_equal(mnl_attr_get_payload_len(a), sizeof(pair));
	memcpy(&pair, mnl_attr_get_payload(a), sizeof(pair));
	assert_int_equal(pair.flags, 2);
	assert_int_equal(pair.mask, 3);
	link_free(l);
}

static void an_address_mode_goes_into_its_family_s_part(void **state _unused_)
{
	struct link *l = link_new("eth0", &kind_ethernet);
	struct op op = {.type = OP_SET, .link = l, .common = 1ull << LINK_ADDR_GEN_MODE};
	const struct nlattr *a;

	values_put(l->common, LINK_ADDR_GEN_MODE, (union value){.num = IN6_ADDR_GEN_MODE_NONE}, LOC_NONE);
	a = only_nested(find_attribute(encode(&op), sizeof(struct ifinfomsg), IFLA_AF_SPEC), AF_INET6);
	a = only_nested(a, IFLA_INET6_ADDR_GEN_MODE);
	assert_int_equal(mnl_attr_get_u8(a), IN6_ADDR_GEN_MODE_NONE);
	assert_null(find_attribute((struct nlmsghdr *)buffer, sizeof(struct ifinfomsg), IFLA_LINKINFO));
	op.type = OP_CREATE;
	refuse(&op, -EINVAL);
	link_free(l);
}

static void what_the_kernel_does_not_do_in_one_message_is_refused(void **state _unused_)
{
	struct link *l = link_new("bond0", &kind_bond), *nic = link_new("eth0", &kind_ethernet);
	struct op op = {.type = OP_CREATE, .link = l, .flags = FLAGS_UP};

	encode(&op);
	op.master = MASTER_JOIN;
	memcpy(op.master_name, "br0", 4);
	refuse(&op, -EINVAL);
	op.flags = FLAGS_KEEP;
	encode(&op);
	op.type = OP_SET;
	op.flags = FLAGS_DOWN;
	refuse(&op, -EINVAL);
	op = (struct op){.type = OP_SET, .link = nic, .master = MASTER_JOIN, .master_name = "br0"};
	nic->port = values_new(&kind_bridge.port);
	op.port = fill(nic->port);
	op.master_kind = &kind_bridge;
	refuse(&op, -EINVAL);
	op.master = MASTER_KEEP;
	encode(&op);
	op.master_kind = NULL;
	refuse(&op, -EINVAL);
	op = (struct op){.type = OP_CREATE, .link = nic};
	refuse(&op, -EINVAL);
	op = (struct op){.type = OP_SYSCTL, .link = nic};
	refuse(&op, -EINVAL);
	link_free(l);
	link_free(nic);
}

static void a_name_that_is_not_there_is_an_error(void **state _unused_)
{
	struct link *l = link_new("nowhere", &kind_bridge), *bond = link_new("bond0", &kind_bond);
	struct op op = {.type = OP_SET, .link = l, .flags = FLAGS_UP};
	unsigned primary = option_row(&kind_bond.own, "primary");
	const struct nlattr *a;

	refuse(&op, -ENODEV);
	op.type = OP_DELETE;
	refuse(&op, -ENODEV);
	/* A link to be created may leave its index to the kernel. */
	op.type = OP_CREATE;
	encode(&op);
	op = (struct op){.type = OP_SET, .link = bond, .master = MASTER_JOIN, .master_name = "nobridge"};
	refuse(&op, -ENODEV);
	op = (struct op){.type = OP_SET, .link = bond, .own = 1ull << primary};
	values_put(bond->own, primary, must_parse(&kind_bond.own.rows[primary], "eth9"), LOC_NONE);
	refuse(&op, -ENODEV);
	values_put(bond->own, primary, must_parse(&kind_bond.own.rows[primary], "eth0"), LOC_NONE);
	a = find_attribute(encode(&op), sizeof(struct ifinfomsg), IFLA_LINKINFO);
	a = only_nested(only_nested(a, IFLA_INFO_DATA), IFLA_BOND_PRIMARY);
	assert_int_equal(mnl_attr_get_u32(a), index_of("eth0", NULL));
	link_free(l);
	link_free(bond);
}

static void leaving_a_master_and_the_state_are_plain(void **state _unused_)
{
	struct link *l = link_new("eth0", &kind_ethernet);
	struct op op = {.type = OP_SET, .link = l, .master = MASTER_LEAVE};
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload((struct nlmsghdr *)buffer);
	const struct nlattr *a = find_attribute(encode(&op), sizeof(*ifi), IFLA_MASTER);

	assert_non_null(a);
	assert_int_equal(mnl_attr_get_u32(a), 0);
	assert_int_equal(ifi->ifi_change, 0);
	op = (struct op){.type = OP_SET, .link = l, .flags = FLAGS_DOWN};
	encode(&op);
	assert_int_equal(ifi->ifi_change, IFF_UP);
	assert_int_equal(ifi->ifi_flags, 0);
	op.flags = FLAGS_UP;
	encode(&op);
	assert_int_equal(ifi->ifi_flags, IFF_UP);
	op = (struct op){.type = OP_DELETE, .link = l};
	assert_int_equal(encode(&op)->nlmsg_type, RTM_DELLINK);
	assert_int_equal(ifi->ifi_family, AF_UNSPEC);
	link_free(l);
}

static void the_kernel_s_finger_points_at_an_option(void **state _unused_)
{
	struct link *l = link_new("bond0", &kind_bond);
	struct op op = {.type = OP_SET, .link = l};
	const struct nlattr *info, *a;
	struct nlmsghdr *m;

	op.own = fill(l->own);
	op.common = fill(l->common);
	m = encode(&op);
	info = find_attribute(m, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	a = only_nested(only_nested(info, IFLA_INFO_DATA), IFLA_BOND_UPDELAY);
	assert_string_equal(encode_blame(&op, m, (uint32_t)((uint8_t *)a - (uint8_t *)m))->key, "updelay");
	a = find_attribute(m, sizeof(struct ifinfomsg), IFLA_MTU);
	assert_string_equal(encode_blame(&op, m, (uint32_t)((uint8_t *)a - (uint8_t *)m))->key, "mtu");
	assert_null(encode_blame(&op, m, 0));
	assert_null(encode_blame(&op, m, m->nlmsg_len + 4));
	op = (struct op){.type = OP_SET, .link = l, .own = 1ull << option_row(&kind_bond.own, "updelay")};
	assert_string_equal(encode_blame(&op, encode(&op), 0)->key, "updelay");
	link_free(l);
}

static void addresses_survive_and_say_whose_they_are(void **state _unused_)
{
	struct link *l = link_new("br0", &kind_bridge);
	struct address a = address("192.0.2.5", 24), b = address("2001:db8::5", 64), have;
	struct op op = {.type = OP_ADDRESS_ADD, .link = l, .address = &a};
	struct nlmsghdr *m = encode(&op);
	const struct nlattr *broadcast = find_attribute(m, sizeof(struct ifaddrmsg), IFA_BROADCAST);
	uint32_t ifindex;

	assert_int_equal(mnl_attr_get_u32(broadcast), inet_addr("192.0.2.255"));
	assert_int_equal(decode_address(m, &ifindex, &have), 0);
	assert_int_equal(ifindex, index_of("br0", NULL));
	assert_true(address_same(&a, &have));
	assert_int_equal(have.proto, KVMNETD_PROTO);
	assert_int_equal(have.flags, 0);
	a.prefix_len = 31;
	assert_null(find_attribute(encode(&op), sizeof(struct ifaddrmsg), IFA_BROADCAST));
	op.address = &b;
	assert_int_equal(decode_address(encode(&op), &ifindex, &have), 0);
	assert_true(address_same(&b, &have));
	assert_int_equal(have.flags, IFA_F_NODAD);
	/* Put back: as it was found. */
	b.loc = LOC_NONE;
	b.proto = 3;
	assert_int_equal(decode_address(encode(&op), &ifindex, &have), 0);
	assert_int_equal(have.proto, 3);
	b.proto = 0;
	assert_null(find_attribute(encode(&op), sizeof(struct ifaddrmsg), IFA_PROTO));
	b.valid_lft = 600;
	assert_int_equal(decode_address(encode(&op), &ifindex, &have), 0);
	assert_int_equal(have.valid_lft, 600);
	op.type = OP_ADDRESS_DELETE;
	m = encode(&op);
	assert_int_equal(m->nlmsg_type, RTM_DELADDR);
	assert_int_equal(decode_address(m, &ifindex, &have), 0);
	assert_true(address_same(&b, &have));
	link_free(l);
}

static void an_address_of_a_nic_is_checked_for_duplicates(void **state _unused_)
{
	struct link *l = link_new("eth0", &kind_ethernet);
	struct address a = address("2001:db8::5", 64), have;
	struct op op = {.type = OP_ADDRESS_ADD, .link = l, .address = &a};
	uint32_t ifindex;

	assert_int_equal(decode_address(encode(&op), &ifindex, &have), 0);
	assert_int_equal(have.flags, 0);
	link_free(l);
}

static void routes_survive(void **state _unused_)
{
	struct link *l = link_new("br0", &kind_bridge);
	struct route list[] = {
		route("0.0.0.0", 0, "192.0.2.1"), route("10.0.0.0", 8, NULL),	      route("::", 0, "2001:db8::1"),
		route("2001:db8:5::", 48, NULL),  route("10.1.0.0", 16, "192.0.2.1"),
	};

	list[4].table = 1000;
	list[4].metric = 77;
	list[4].mtu = 1400;
	list[4].has_prefsrc = inet_pton(AF_INET, "192.0.2.9", list[4].prefsrc) == 1;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct op op = {.type = OP_ROUTE_ADD, .link = l, .route = &list[i]};
		struct nlmsghdr *m = encode(&op);
		struct route_state have;

		/* A prefix of one device must not push out the same prefix of another (IPv6 REPLACE would). */
		assert_int_equal(!!(m->nlmsg_flags & NLM_F_REPLACE), i != 3);
		assert_true(m->nlmsg_flags & NLM_F_CREATE);
		assert_int_equal(decode_route(m, &have), 0);
		assert_true(have.kept);
		assert_int_equal(have.ifindex, index_of("br0", NULL));
		assert_true(route_equal(&list[i], &have.route));
		assert_int_equal(have.route.scope, i == 1 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
		op.type = OP_ROUTE_DELETE;
		m = encode(&op);
		assert_int_equal(m->nlmsg_type, RTM_DELROUTE);
		assert_int_equal(decode_route(m, &have), 0);
		assert_true(route_same(&list[i], &have.route));
	}
	link_free(l);
}

/* A message about a port's VLANs as the bridge would send it. */
static void decode_vlans(struct nlmsghdr *m, struct bridge_state *ret)
{
	mnl_attr_put_u32(m, IFLA_MASTER, 3);
	assert_int_equal(decode_bridge(m, ret), 0);
}

static void assert_ranges_are_legal(const struct nlmsghdr *m)
{
	const struct nlattr *spec = find_attribute(m, sizeof(struct ifinfomsg), IFLA_AF_SPEC), *a;
	struct bridge_vlan_info begin = {0}, info;

	mnl_attr_for_each_nested (a, spec) {
		if (mnl_attr_get_type(a) != IFLA_BRIDGE_VLAN_INFO)
			continue;
		memcpy(&info, mnl_attr_get_payload(a), sizeof(info));
		if (info.flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) {
			assert_int_equal(begin.vid, 0);
			begin = info;
		} else if (info.flags & BRIDGE_VLAN_INFO_RANGE_END) {
			assert_true(begin.vid && begin.vid < info.vid);
			assert_int_equal(begin.flags & ~BRIDGE_VLAN_INFO_RANGE_BEGIN,
					 info.flags & ~BRIDGE_VLAN_INFO_RANGE_END);
			assert_false(info.flags & BRIDGE_VLAN_INFO_PVID);
			begin.vid = 0;
		} else {
			assert_int_equal(begin.vid, 0);
		}
	}
	assert_int_equal(begin.vid, 0);
}

static void vlans_are_sent_as_ranges_that_the_kernel_takes(void **state _unused_)
{
	struct link *port = link_new("eth0", &kind_ethernet);
	static struct bridge_vlan vlans[4094];

	for (unsigned density = 1; density <= 100; density += 9) {
		struct op op = {.type = OP_VLAN_ADD, .link = port, .vlans = vlans};
		struct bridge_state have;
		unsigned pvid = 1 + (unsigned)random() % 4094;
		struct nlmsghdr *m;

		for (unsigned vid = 1; vid <= 4094; vid++) {
			uint16_t flags = random() % 10 ? 0 : BRIDGE_VLAN_INFO_UNTAGGED;

			if (vid == pvid)
				flags |= BRIDGE_VLAN_INFO_PVID;
			if (vid == pvid || (unsigned)random() % 100 < density)
				vlans[op.n_vlans++] = (struct bridge_vlan){.vid = (uint16_t)vid, .flags = flags};
		}
		m = encode(&op);
		assert_int_equal(m->nlmsg_type, RTM_SETLINK);
		assert_ranges_are_legal(m);
		decode_vlans(m, &have);
		assert_int_equal(have.n_vlans, op.n_vlans);
		assert_memory_equal(have.vlans, vlans, op.n_vlans * sizeof(*vlans));
		bridge_state_done(&have);
		op.type = OP_VLAN_DELETE;
		m = encode(&op);
		assert_int_equal(m->nlmsg_type, RTM_DELLINK);
		assert_int_equal(((struct ifinfomsg *)mnl_nlmsg_get_payload(m))->ifi_family, AF_BRIDGE);
		assert_ranges_are_legal(m);
		decode_vlans(m, &have);
		assert_int_equal(have.n_vlans, op.n_vlans);
		bridge_state_done(&have);
	}
	link_free(port);
}

static void a_bridge_s_own_vlans_are_marked_as_its_own(void **state _unused_)
{
	struct link *bridge = link_new("br0", &kind_bridge), *bond = link_new("bond0", &kind_bond);
	struct bridge_vlan vlan = {.vid = 10};
	struct op op = {.type = OP_VLAN_ADD, .link = bridge, .vlans = &vlan, .n_vlans = 1};
	const struct nlattr *spec = find_attribute(encode(&op), sizeof(struct ifinfomsg), IFLA_AF_SPEC);

	assert_int_equal(mnl_attr_get_u16(only_nested(spec, IFLA_BRIDGE_FLAGS)), BRIDGE_FLAGS_SELF);
	op.link = bond;
	spec = find_attribute(encode(&op), sizeof(struct ifinfomsg), IFLA_AF_SPEC);
	assert_int_equal(count_nested(spec, IFLA_BRIDGE_FLAGS), 0);
	link_free(bridge);
	link_free(bond);
}

/* Lists too long for an attribute, or for the buffer, are refused before a byte is written past its end. */
static void what_does_not_fit_is_refused(void **state _unused_)
{
	struct link *l = link_new("vlan0", &kind_vlan);
	unsigned row = option_row(&kind_vlan.own, "egress_qos_map");
	static struct qos_entry entries[8000];
	struct op op = {.type = OP_SET, .link = l, .own = 1ull << row};

	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = (struct qos_entry){.from = i, .to = 1};
	values_put(l->own, row, (union value){.blob = blob_new(entries, sizeof(entries))}, LOC_NONE);
	refuse(&op, -EMSGSIZE);
	assert_int_equal(encode_op(&op, index_of, NULL, buffer, 512), -EMSGSIZE);
	link_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_every_kind_survives_a_create),
		cmocka_unit_test(every_row_of_every_port_survives_a_set),
		cmocka_unit_test(only_the_rows_asked_for_are_sent),
		cmocka_unit_test(flags_of_one_attribute_go_out_together),
		cmocka_unit_test(an_address_mode_goes_into_its_family_s_part),
		cmocka_unit_test(what_the_kernel_does_not_do_in_one_message_is_refused),
		cmocka_unit_test(a_name_that_is_not_there_is_an_error),
		cmocka_unit_test(leaving_a_master_and_the_state_are_plain),
		cmocka_unit_test(the_kernel_s_finger_points_at_an_option),
		cmocka_unit_test(addresses_survive_and_say_whose_they_are),
		cmocka_unit_test(an_address_of_a_nic_is_checked_for_duplicates),
		cmocka_unit_test(routes_survive),
		cmocka_unit_test(vlans_are_sent_as_ranges_that_the_kernel_takes),
		cmocka_unit_test(a_bridge_s_own_vlans_are_marked_as_its_own),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, seed_setup, NULL);
}
