/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what resolve() makes of a configuration on a given host: MAC addresses, devices found otherwise than by
 * name, what waits, VLAN sets; and the ledger: whose a link is, what is remembered, what goes back, and all that
 * through JSON.
 */
#include "../../netd/reconcile/ledger-json.h"
#include "world.h"

#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <setjmp.h>

#include <cmocka.h>

#include "../../netd/model/kind-bond.h"
#include "../../netd/model/kind-bridge.h"

#define NICS "[foreign]\ndevices = eth0 eth1 eth2\n"
#define MAC_ETH0 0x525400000001
#define MAC_ETH1 0x525400000002

/* What is wanted of one link, in a world of its own. */
struct scene {
	struct world w;
	struct config *c;
	struct step s;
};

static struct scene *scene_new(const char *before, const char *desired)
{
	struct scene *scene = xcalloc(1, sizeof(*scene));

	world_make(&scene->w, before);
	scene->c = world_config(desired);
	world_look(&scene->w);
	step_make(&scene->w, scene->c, &scene->s);
	return scene;
}

static void scene_free(struct scene **scene)
{
	step_done(&(*scene)->s);
	config_free((*scene)->c);
	world_done(&(*scene)->w);
	free(*scene);
}

#define _cleanup_scene_ _cleanup_(scene_free)

static const struct link *wanted(const struct scene *scene, const char *name)
{
	const struct link *l = model_find(&scene->s.effective.links, name);

	if (!l)
		fail_msg("%s is not wanted", name);
	return l;
}

static uint64_t wanted_mac(const struct scene *scene, const char *name)
{
	return values_num(wanted(scene, name)->common, LINK_MAC, 0);
}

/* Brings the world to a configuration, and looks again. */
static void scene_apply(struct scene *scene, const char *desired)
{
	step_done(&scene->s);
	config_free(scene->c);
	scene->c = world_config(desired);
	world_apply(&scene->w, scene->c, 1);
	world_look(&scene->w);
	step_make(&scene->w, scene->c, &scene->s);
}

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

	world_make(&w, NICS);
	model_find(&w.kernel.links, "eth0")->altnames = xmemdup("long-name-of-it\0enp1s0\0", 24);
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
			fail_msg("case %zu (%s): %zu VLANs", i, v->says, want->n_vlans);
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

/* The ledger. */

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

static void what_we_made_is_ours_by_name_kind_and_ifindex(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS "[foreign bridge br1]\n[bridge br0]\nports = eth0\n[bridge br1]\n", "[bridge br0]\n");
	struct ledger *l = &scene->w.ledger;
	struct link *br0 = model_find(scene->w.dump, "br0");

	assert_true(ledger_made(l, br0));
	assert_false(ledger_made(l, model_find(scene->w.dump, "br1")));
	assert_false(ledger_made(l, model_find(scene->w.dump, "eth0")));
	br0->kind = &kind_bond;
	assert_false(ledger_made(l, br0));
	br0->kind = &kind_bridge;
	br0->ifindex += 100;
	assert_false(ledger_made(l, br0));
}

static void an_intended_create_counts_as_made(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS, "[bridge br0]\nports = eth0\n");
	struct link *made = link_new("br0", &kind_bridge);

	ledger_note_plan(&scene->w.ledger, &scene->s.plan, scene->w.dump);
	for (size_t i = 0; i < scene->s.plan.n; i++)
		made->ifindex = MAX(made->ifindex, scene->s.plan.ops[i].ifindex);
	assert_true(ledger_made(&scene->w.ledger, made));
	made->ifindex = 77;
	assert_false(ledger_made(&scene->w.ledger, made));
	link_free(made);
	/* It did not come to it, and nobody wants it any more. */
	scene_apply(scene, "");
	assert_null(ledger_find(&scene->w.ledger, "br0"));
}

static void what_others_made_before_us_is_not_ours(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS, "[bridge br0]\n[bridge br1]\n");
	struct link *theirs = link_new("br0", &kind_bridge);
	struct ledger *l = &scene->w.ledger;

	theirs->ifindex = 77;
	ledger_note_plan(l, &scene->s.plan, scene->w.dump);
	ledger_get(l, "br0", &kind_bridge)->mac = 0x525400000001;
	model_add(scene->w.dump, theirs);
	ledger_note_made(l, &scene->s.plan, scene->w.dump);
	assert_false(ledger_made(l, theirs));
	assert_int_equal(ledger_find(l, "br0")->ifindex, 0);
	assert_int_equal(ledger_find(l, "br0")->mac, 0x525400000001);
	/* It is taken over, and stays when nobody wants it any more. */
	model_add(&scene->w.kernel.links, link_copy(theirs));
	ledger_settle(l, &scene->s.effective, scene->w.dump);
	assert_false(ledger_made(l, theirs));
	scene_apply(scene, "");
	assert_non_null(model_find(scene->w.dump, "br0"));
	assert_null(model_find(scene->w.dump, "br1"));
}

static void what_is_to_be_made_anew_is_ours_before_and_after(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS "[vlan v5]\nparent = eth0\nid = 5\n", "[vlan v5]\nparent = eth0\nid = 6\n");
	struct ledger *l = &scene->w.ledger;
	struct link *v5 = model_find(scene->w.dump, "v5");
	uint32_t before = v5->ifindex;

	ledger_note_plan(l, &scene->s.plan, scene->w.dump);
	assert_true(ledger_made(l, v5));
	v5->ifindex = ledger_find(l, "v5")->ifindex;
	assert_int_not_equal(v5->ifindex, before);
	assert_true(ledger_made(l, v5));
}

static void a_removed_key_goes_back_to_the_value_found(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(
		NICS "[foreign bridge br0]\nageing_time = 100s\n[bridge br0]\nageing_time = 60s\n", "[bridge br0]\n");

	assert_int_equal(values_num(wanted(scene, "br0")->own, BRIDGE_AGEING_TIME, 0), 10000);
	scene_apply(scene, "[bridge br0]\n");
	assert_false(values_has(wanted(scene, "br0")->own, BRIDGE_AGEING_TIME));
	assert_null(ledger_find(&scene->w.ledger, "br0"));
}

static void the_first_value_found_is_the_one_remembered(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS "[foreign bridge br0]\nageing_time = 100s\n[bridge br0]\nageing_time = 60s\n",
			  "[bridge br0]\nageing_time = 50s\n");

	scene_apply(scene, "[bridge br0]\nageing_time = 50s\n");
	scene_apply(scene, "[bridge br0]\nageing_time = 40s\n");
	scene_apply(scene, "");
	assert_int_equal(values_num(model_find(scene->w.dump, "br0")->own, BRIDGE_AGEING_TIME, 0), 10000);
}

/* A VLAN's MTU and its parent's go back in one plan: the kernel takes no more for the VLAN than the parent will have.
 */
static void mtu_that_goes_back_is_none_that_the_parent_loses(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS, "[ethernet eth0]\nmtu = 2000\n");

	scene_apply(scene, "[ethernet eth0]\nmtu = 2000\n");
	scene_apply(scene, "[ethernet eth0]\nmtu = 2000\n[vlan v5]\nparent = eth0\nid = 5\nmtu = 1400\n");
	scene_apply(scene, "[vlan v5]\nparent = eth0\nid = 5\n");
	assert_int_equal(values_num(model_find(scene->w.dump, "eth0")->common, LINK_MTU, 0), 1500);
	assert_int_equal(values_num(model_find(scene->w.dump, "v5")->common, LINK_MTU, 0), 1500);
}

/* A bridge that is deleted lets its ports go before it goes; who was let go long before that was let go by someone. */
static void guests_are_remembered_while_their_bridge_goes(void **state _unused_)
{
	static const uint64_t later[] = {10, 10 + ATTACHMENT_USEC};

	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		_cleanup_scene_ struct scene *scene =
			scene_new("[foreign]\ndevices = tap0\n[foreign bridge br0]\nports = tap0\n", "[bridge br0]\n");
		struct attachments a = ATTACHMENTS_NULL;
		struct model *m = scene->w.dump;

		attachments_update(&a, scene->c, m, 1);
		assert_int_equal(a.n, 1);
		model_find(m, "tap0")->master = 0;
		attachments_update(&a, scene->c, m, 2);
		assert_int_equal(a.n, 1);
		assert_false(attachment_is_lost(&a.list[0], m));
		link_free(model_take(m, model_find(m, "br0")));
		attachments_update(&a, scene->c, m, later[i]);
		assert_int_equal(a.n, i == 0);
		assert_true(i || attachment_is_lost(&a.list[0], m));
		attachments_done(&a);
	}
}

/* Of a bond's port the kernel shows the bond's MTU and MAC. */
static void what_a_port_had_before_the_bond_is_remembered(void **state _unused_)
{
	static const char bond[] = "[bond bond0]\nports = eth0 eth1\nmode = balance-xor\nmtu = 9000\n";
	static const char nic[] = "[ethernet eth1]\nmac = 02:00:00:00:00:77\nmtu = 1400\n[bond bond0]\nports = eth0\n"
				  "mode = balance-xor\nmtu = 9000\n";
	_cleanup_scene_ struct scene *scene = scene_new(NICS, "");
	const struct link *eth1 = model_find(scene->w.dump, "eth1");
	uint64_t mac = values_num(eth1->common, LINK_MAC, 0), mtu = values_num(eth1->common, LINK_MTU, 0);

	scene_apply(scene, bond);
	eth1 = model_find(scene->w.dump, "eth1");
	assert_int_not_equal(values_num(eth1->common, LINK_MAC, 0), mac);
	assert_int_equal(values_num(eth1->common, LINK_MTU, 0), 9000);
	scene_apply(scene, nic);
	eth1 = model_find(scene->w.dump, "eth1");
	assert_int_equal(values_num(eth1->common, LINK_MAC, 0), 0x020000000077);
	assert_int_equal(values_num(eth1->common, LINK_MTU, 0), 1400);
	scene_apply(scene, "");
	eth1 = model_find(scene->w.dump, "eth1");
	assert_int_equal(values_num(eth1->common, LINK_MAC, 0), mac);
	assert_int_equal(values_num(eth1->common, LINK_MTU, 0), mtu);
	assert_null(ledger_find(&scene->w.ledger, "eth1"));
}

static void a_port_goes_back_to_the_master_it_was_found_in(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS "[foreign bridge theirs]\nports = eth0\n"
							     "[bridge br0]\nports = eth0\n",
							"");

	scene_apply(scene, "");
	assert_ptr_equal(model_master(scene->w.dump, model_find(scene->w.dump, "eth0")),
			 model_find(scene->w.dump, "theirs"));
	assert_null(model_find(scene->w.dump, "br0"));
}

static void only_addresses_that_we_added_go(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS "[foreign ethernet eth0]\naddress = 10.0.0.1/24\n"
							     "[ethernet eth0]\naddress = 10.0.0.1/24 10.0.1.1/24\n",
							"[ethernet eth0]\n");
	const struct link *eth0;

	scene_apply(scene, "[ethernet eth0]\n");
	eth0 = model_find(scene->w.dump, "eth0");
	assert_int_equal(eth0->n_addresses, 1);
	assert_int_equal(eth0->addresses[0].addr[2], 0);
}

static void after_a_rollback_what_was_made_again_is_ours(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS "[bridge br0]\nports = eth0\n", "[bridge br0]\n");
	struct ledger *l = &scene->w.ledger;
	struct link *br0 = model_find(&scene->w.kernel.links, "br0");
	struct op again = {.type = OP_CREATE, .ifindex = 99};
	const struct plan plan = {.ops = &again, .n = 1};
	struct ledger_past past = LEDGER_PAST_NULL;

	ledger_keep(&past, l, NULL);
	fake_delete(&scene->w.kernel, br0);
	again.link = br0 = link_new("br0", &kind_bridge);
	br0->ifindex = 99;
	model_add(&scene->w.kernel.links, br0);
	assert_false(ledger_made(l, br0));
	/* Only when it was us. */
	ledger_follow(&past, l, &scene->w.kernel.links);
	assert_false(ledger_made(&past.records, br0));
	assert_true(ledger_note_return(l, &past, &plan));
	ledger_follow(&past, l, &scene->w.kernel.links);
	ledger_put_back(&past, l);
	assert_true(ledger_made(l, br0));
}

static void the_ledger_survives_json(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new("[foreign]\ndevices = eth0 eth1 tap0\n"
			  "[foreign bond bond0]\nports = eth0\nmode = active-backup\nprimary = eth0\n"
			  "[foreign bridge br1]\nports = tap0\nvlan_filtering = yes\n"
			  "[foreign port tap0]\npvid = 5\nvlans = 7-9\n"
			  "[bond bond0]\nports = eth0 eth1\nmode = active-backup\nprimary = eth1\nmiimon = 50\n"
			  "arp_ip_target = 10.0.0.1\n"
			  "[bridge br0]\nports = bond0\nageing_time = 60s\naddress = 10.0.0.1/24 2001:db8::1/64\n"
			  "[port bond0]\npath_cost = 7\n[bridge br1]\n[port tap0]\npvid = 6\nisolated = yes\n"
			  "[vlan v5]\nparent = br0\nid = 5\negress_qos_map = 1:2\n",
			  "");
	struct json_object *first = ledger_to_json(&scene->w.ledger), *second;
	struct ledger l = ledger_from_json(first);

	second = ledger_to_json(&l);
	assert_true(scene->w.ledger.n >= 5);
	assert_int_equal(l.n, scene->w.ledger.n);
	assert_string_equal(json_object_to_json_string(second), json_object_to_json_string(first));
	for (size_t i = 0; i < l.n; i++) {
		const struct record *a = scene->w.ledger.list[i], *b = l.list[i];

		assert_string_equal(a->name, b->name);
		assert_ptr_equal(a->kind, b->kind);
		assert_int_equal(a->created, b->created);
		assert_int_equal(a->ifindex, b->ifindex);
		assert_int_equal(a->mac, b->mac);
		assert_int_equal(a->n_addresses, b->n_addresses);
		assert_int_equal(a->own ? a->own->set : 0, b->own ? b->own->set : 0);
		assert_int_equal(a->common ? a->common->set : 0, b->common ? b->common->set : 0);
		assert_int_equal(a->port ? a->port->set : 0, b->port ? b->port->set : 0);
		assert_int_equal(a->n_vlans, b->n_vlans);
	}
	json_object_put(first);
	json_object_put(second);
	ledger_done(&l);
}

static void a_damaged_ledger_is_read_as_far_as_it_goes(void **state _unused_)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"7",
		"[7, null, {}, \"x\"]",
		"[{\"name\": \"a-name-that-is-too-long\", \"kind\": \"bridge\"}]",
		"[{\"name\": \"br0\", \"kind\": \"nothing\"}]",
		"[{\"name\": \"br0\", \"kind\": \"bridge\", \"own\": [], \"common\": 5, \"addresses\": {}, \"port\": "
		"{}}]",
		"[{\"name\": \"br0\", \"kind\": \"bridge\", \"own\": {\"ageing_time\": \"x\", \"no_such\": \"1\"}, "
		"\"addresses\": [\"10.0.0.1\", \"10.0.0.1/x\", 7, null, \"::/999\"]}]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct json_object *json = json_tokener_parse(texts[i]);
		struct ledger l = ledger_from_json(json);

		for (size_t r = 0; r < l.n; r++)
			assert_true(!l.list[r]->own || !l.list[r]->own->set);
		ledger_done(&l);
		json_object_put(json);
	}
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
		cmocka_unit_test(two_devices_that_match_are_an_error),
		cmocka_unit_test(what_stands_on_an_absent_device_waits),
		cmocka_unit_test(a_port_that_we_made_and_nobody_declares_any_more_goes),
		cmocka_unit_test(vlan_sets_follow_what_is_said_and_what_is_found),
		cmocka_unit_test(a_new_port_starts_with_the_default_pvid),
		cmocka_unit_test(an_address_that_is_a_routes_source_can_be_used_at_once),
		cmocka_unit_test(what_we_made_is_ours_by_name_kind_and_ifindex),
		cmocka_unit_test(an_intended_create_counts_as_made),
		cmocka_unit_test(what_others_made_before_us_is_not_ours),
		cmocka_unit_test(what_is_to_be_made_anew_is_ours_before_and_after),
		cmocka_unit_test(a_removed_key_goes_back_to_the_value_found),
		cmocka_unit_test(the_first_value_found_is_the_one_remembered),
		cmocka_unit_test(mtu_that_goes_back_is_none_that_the_parent_loses),
		cmocka_unit_test(guests_are_remembered_while_their_bridge_goes),
		cmocka_unit_test(what_a_port_had_before_the_bond_is_remembered),
		cmocka_unit_test(a_port_goes_back_to_the_master_it_was_found_in),
		cmocka_unit_test(only_addresses_that_we_added_go),
		cmocka_unit_test(after_a_rollback_what_was_made_again_is_ours),
		cmocka_unit_test(the_ledger_survives_json),
		cmocka_unit_test(a_damaged_ledger_is_read_as_far_as_it_goes),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
