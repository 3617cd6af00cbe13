/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what resolve() makes of a configuration on a given host: MAC addresses, devices found otherwise than by
 * name, what waits, VLAN sets.
 */
#include "scene.h"

#include <linux/if_addr.h>
#include <linux/if_bridge.h>

#include "../../netd/model/kind-bond.h"
#include "../../netd/model/kind-bridge.h"

static void a_bridge_has_its_first_ports_permanent_mac(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS "[foreign ethernet eth0]\nmac = 02:00:00:00:00:77\n",
							"[bridge br0]\nports = eth0 eth1\n");

	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH0);
}

static void without_a_permanent_mac_the_current_one(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new("[foreign]\ndevices = tap0\n", "[bridge br0]\nports = tap0\n");

	assert_int_equal(wanted_mac(scene, "br0"), values_num(model_find(scene->w.dump, "tap0")->common, LINK_MAC, 0));
}

static void a_stack_inherits_from_its_bottom(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(
		NICS, "[bond bond0]\nports = eth1 eth0\n[bridge br0]\nports = bond0\n[vlan v5]\nparent = br0\n"
		      "id = 5\n[bridge br5]\nports = v5\n");

	assert_int_equal(wanted_mac(scene, "bond0"), MAC_ETH1);
	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH1);
	assert_int_equal(wanted_mac(scene, "br5"), MAC_ETH1);
	assert_int_equal(wanted_mac(scene, "v5"), 0);
}

static void an_inherited_mac_stays_when_ports_are_reordered_or_leave(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS "[bridge br0]\nports = eth0 eth1\n", "[bridge br0]\nports = eth1 eth0\n");

	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH0);
	scene_apply(scene, "[bridge br0]\nports = eth1\n");
	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH0);
	scene_apply(scene, "[bridge br0]\n");
	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH0);
}

static void an_inherited_mac_stays_when_the_port_is_gone(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(
		NICS "[bridge br0]\nports = eth0 eth1\n[drift]\ndelete = eth0\n", "[bridge br0]\nports = eth0 eth1\n");

	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH0);
	assert_string_equal(wanted(scene, "eth0")->waits_for, "eth0");
}

static void without_ports_the_mac_is_stable_until_one_joins(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS "[bridge br0]\n", "[bridge br0]\n");
	uint64_t stable = wanted_mac(scene, "br0");

	assert_int_equal(stable >> 40 & 3, 2); /* locally administered, unicast */
	scene_apply(scene, "[bridge br0]\nmac = stable\nports = eth0\n");
	assert_int_equal(wanted_mac(scene, "br0"), stable);
	scene_apply(scene, "[bridge br0]\nports = eth0\n");
	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH0);
}

static void the_mac_of_what_was_taken_over_is_left_alone(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS "[foreign bridge br0]\nmac = 02:00:00:00:00:05\n", "[bridge br0]\nports = eth0\n");

	assert_false(values_has(wanted(scene, "br0")->common, LINK_MAC));
	scene_apply(scene, "[bridge br0]\nports = eth0\nmac = inherit\n");
	assert_int_equal(wanted_mac(scene, "br0"), MAC_ETH0);
	scene_apply(scene, "[bridge br0]\nports = eth0\n");
	assert_int_equal(values_num(model_find(scene->w.dump, "br0")->common, LINK_MAC, 0), 0x020000000005);
}

static void devices_are_found_by_altname_and_by_match(void **state _unused_)
{
	struct world w;
	struct config *c = world_config("[bond bond0]\nports = enp1s0 uplink\nmode = active-backup\nprimary = uplink\n"
					"[ethernet uplink]\nmatch_mac = 52:54:00:00:00:02\n[vlan v5]\nparent = enp1s0\n"
					"id = 5\n[port uplink]\nprio = 7\n");
	struct scene scene = {.c = c};
	const struct link *bond;
	struct link *eth0;

	world_make(&w, NICS);
	eth0 = model_take(&w.kernel.links, model_find(&w.kernel.links, "eth0"));
	eth0->altnames = xmemdup("long-name-of-it\0enp1s0\0", 24);
	model_add(&w.kernel.links, eth0);
	world_look(&w);
	step_make(&w, c, &scene.s);
	bond = wanted(&scene, "bond0");
	assert_string_equal(bond->ports[0].name, "eth0");
	assert_string_equal(bond->ports[1].name, "eth1");
	assert_string_equal(wanted(&scene, "v5")->parent_name, "eth0");
	assert_string_equal((const char *)values_at(bond->own, BOND_PRIMARY).blob->data, "eth1");
	assert_int_equal(values_num(wanted(&scene, "eth1")->port, BOND_PORT_PRIO, 0), 7);
	step_done(&scene.s);
	config_free(c);
	world_done(&w);
}

static void an_absent_altname_is_no_device_of_its_first_letters(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new("[foreign]\ndevices = uplink-with-a-l\n", "[bridge br0]\nports = uplink-with-a-long-name\n");

	assert_string_equal(wanted(scene, "uplink-with-...")->waits_for, "uplink-with-...");
	assert_null(model_find(&scene->s.effective.links, "uplink-with-a-l"));
}

static void two_devices_that_match_are_an_error(void **state _unused_)
{
	struct world w;
	struct config *c = world_config("[ethernet uplink]\nmatch_driver = virtio_*\n");
	struct step s;

	world_make(&w, NICS);
	model_find(&w.kernel.links, "eth0")->driver = xstrdup("virtio_net");
	model_find(&w.kernel.links, "eth2")->driver = xstrdup("virtio_net");
	world_look(&w);
	step_make(&w, c, &s);
	assert_int_equal(s.effective.problems.n_errors, 1);
	assert_non_null(strstr(s.effective.problems.list[0].text, "fit both eth0 and eth2"));
	assert_int_equal(s.plan.n, 0);
	step_done(&s);
	config_free(c);
	world_done(&w);
}

static void add_missing(const char *name, void *userdata)
{
	strcat(strcat(userdata, name), " ");
}

static void what_stands_on_an_absent_device_waits(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS, "[bridge br0]\nports = eth0 eth8\n[vlan v5]\nparent = eth9\nid = 5\n"
				"[vlan v6]\nparent = v5\nid = 6\n");
	char missing[128] = "";

	assert_null(wanted(scene, "br0")->waits_for);
	assert_string_equal(wanted(scene, "eth8")->waits_for, "eth8");
	assert_string_equal(wanted(scene, "v6")->waits_for, "eth9");
	effective_missing(&scene->s.effective, add_missing, missing);
	assert_non_null(strstr(missing, "eth8 "));
	assert_non_null(strstr(missing, "eth9 "));
	assert_null(strstr(missing, "v5"));
}

static void a_port_that_we_made_and_nobody_declares_any_more_goes(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(
		NICS "[vlan v5]\nparent = eth0\nid = 5\n[bridge br0]\nports = v5\n", "[bridge br0]\nports = v5\n");

	assert_string_equal(wanted(scene, "v5")->waits_for, "v5");
	assert_non_null(model_find(&scene->s.effective.removed, "v5"));
}

/* VLAN sets. */

#define P BRIDGE_VLAN_INFO_PVID
#define U BRIDGE_VLAN_INFO_UNTAGGED

/* clang-format off */
static const struct vlans_case {
	const char *says;
	struct bridge_vlan found[4], expected[8]; /* until vid 0 */
	bool leaves_alone;
} vlans_cases[] = {
	{"", {{1, P | U}}, {{0}}, true},
	{"pvid = 10", {{1, P | U}}, {{10, P | U}}},
	{"pvid = 10", {{1, P | U}, {5, 0}, {6, U}}, {{5, 0}, {6, U}, {10, P | U}}},
	{"pvid = none", {{1, P | U}, {5, 0}}, {{5, 0}}},
	{"vlans = 10-12", {{1, P | U}}, {{1, P | U}, {10, 0}, {11, 0}, {12, 0}}},
	{"vlans = 10-12", {{1, P | U}, {5, 0}}, {{1, P | U}, {10, 0}, {11, 0}, {12, 0}}},
	{"vlans = 1 10", {{1, P | U}}, {{1, P | U}, {10, 0}}},
	{"pvid = 10\nvlans = 10 20", {{1, P | U}}, {{10, P | U}, {20, 0}}},
	{"pvid = none\nvlans = 20", {{1, P | U}}, {{20, 0}}},
	{"pvid = 10\nvlans = 20 30\nuntagged = 30", {{1, P | U}}, {{10, P}, {20, 0}, {30, U}}},
	{"pvid = 10\nuntagged = 10", {{1, P | U}}, {{10, P | U}}},
	{"vlans = 20 30\nuntagged = 20", {{1, P | U}}, {{1, P | U}, {20, U}, {30, 0}}},
	{"vlans = 4094", {{0}}, {{4094, 0}}},
};
/* clang-format on */

static size_t count_vlans(const struct bridge_vlan *list, size_t max)
{
	size_t n = 0;

	while (n < max && list[n].vid)
		n++;
	return n;
}

static void vlan_sets_follow_what_is_said_and_what_is_found(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(vlans_cases); i++) {
		const struct vlans_case *v = &vlans_cases[i];
		_cleanup_free_ char *text =
			xasprintf("[bridge br0]\nports = eth0\nvlan_filtering = yes\n[port eth0]\n%s\n", v->says);
		struct config *c = world_config(text);
		struct values *says = config_port_values(c, "eth0", &kind_bridge);
		struct link *want = link_new("eth0", &kind_ethernet);
		size_t n = count_vlans(v->expected, ARRAY_SIZE(v->expected));

		assert_int_equal(resolve_vlans(want, says, v->found, count_vlans(v->found, ARRAY_SIZE(v->found))),
				 !v->leaves_alone);
		if (want->n_vlans != n || (n && memcmp(want->vlans, v->expected, n * sizeof(*want->vlans)) != 0))
			fail_msg("case %zu (%s): %u VLANs", i, v->says, want->n_vlans);
		values_free(says);
		link_free(want);
		config_free(c);
	}
}

static void a_new_port_starts_with_the_default_pvid(void **state _unused_)
{
	struct link *bridge = link_new("br0", &kind_bridge);
	struct bridge_vlan v;

	assert_int_equal(resolve_initial_vlans(bridge, NULL, &v), 1);
	assert_int_equal(v.vid, 1);
	values_put(bridge->own, BRIDGE_VLAN_DEFAULT_PVID, (union value){.num = 7}, LOC_NONE);
	assert_int_equal(resolve_initial_vlans(bridge, NULL, &v), 1);
	assert_int_equal(v.vid, 7);
	assert_int_equal(resolve_initial_vlans(NULL, bridge, &v), 1);
	assert_int_equal(v.vid, 7);
	values_put(bridge->own, BRIDGE_VLAN_DEFAULT_PVID, (union value){.num = 0}, LOC_NONE);
	assert_int_equal(resolve_initial_vlans(bridge, NULL, &v), 0);
	link_free(bridge);
}

static uint32_t address_flags(const struct scene *scene, const char *name, size_t i)
{
	assert_in_range(i + 1, 1, wanted(scene, name)->n_addresses);
	return wanted(scene, name)->addresses[i].flags;
}

static void an_address_that_is_a_routes_source_can_be_used_at_once(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS, "[ethernet eth0]\naddress = 2001:db8::1/64 2001:db8::2/64 192.0.2.1/24\n"
				"route = 2001:db8:1::/64 via 2001:db8::9 src 2001:db8::2\n"
				"[ethernet eth1]\naddress = 2001:db8:2::1/64\n"
				"[ethernet eth2]\nroute = 2001:db8:3::/64 src 2001:db8:2::1\n");

	assert_int_equal(address_flags(scene, "eth0", 0), 0);
	assert_int_equal(address_flags(scene, "eth0", 1), IFA_F_NODAD);
	assert_int_equal(address_flags(scene, "eth0", 2), 0);
	assert_int_equal(address_flags(scene, "eth1", 0), IFA_F_NODAD);
}

static void a_kernel_without_ipv6_is_told_nothing_of_it(void **state _unused_)
{
	static const char desired[] = "[bridge br0]\nports = eth0\n[bridge br1]\nipv6 = no\n";
	struct scene scene = {.c = world_config(desired)};
	struct world w;
	struct link *lo = link_new("lo", &kind_ethernet);

	world_make(&w, NICS);
	lo->ifindex = 900;
	lo->no_inet6 = true;
	model_add(&w.kernel.links, lo);
	world_look(&w);
	step_make(&w, scene.c, &scene.s);
	assert_true(scene.s.plan.n > 0);
	for (size_t i = 0; i < scene.s.plan.n; i++) {
		const struct op *op = &scene.s.plan.ops[i];
		uint64_t ours = 1ull << LINK_ACCEPT_RA | 1ull << LINK_DISABLE_IPV6 | 1ull << LINK_ADDR_GEN_MODE;

		assert_int_equal(op->common & ours, 0);
	}
	step_done(&scene.s);
	config_free(scene.c);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bridge_has_its_first_ports_permanent_mac),
		cmocka_unit_test(without_a_permanent_mac_the_current_one),
		cmocka_unit_test(a_stack_inherits_from_its_bottom),
		cmocka_unit_test(an_inherited_mac_stays_when_ports_are_reordered_or_leave),
		cmocka_unit_test(an_inherited_mac_stays_when_the_port_is_gone),
		cmocka_unit_test(without_ports_the_mac_is_stable_until_one_joins),
		cmocka_unit_test(the_mac_of_what_was_taken_over_is_left_alone),
		cmocka_unit_test(devices_are_found_by_altname_and_by_match),
		cmocka_unit_test(an_absent_altname_is_no_device_of_its_first_letters),
		cmocka_unit_test(two_devices_that_match_are_an_error),
		cmocka_unit_test(what_stands_on_an_absent_device_waits),
		cmocka_unit_test(a_port_that_we_made_and_nobody_declares_any_more_goes),
		cmocka_unit_test(vlan_sets_follow_what_is_said_and_what_is_found),
		cmocka_unit_test(a_new_port_starts_with_the_default_pvid),
		cmocka_unit_test(a_kernel_without_ipv6_is_told_nothing_of_it),
		cmocka_unit_test(an_address_that_is_a_routes_source_can_be_used_at_once),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
