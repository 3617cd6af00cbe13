/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the ledger: whose a link is, what is remembered of how it was found, what goes back, and all that through
 * JSON. */
#include "scene.h"

#include "../../netd/model/kind-bond.h"
#include "../../netd/model/kind-bridge.h"
#include "../../netd/reconcile/ledger-json.h"

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

/* The declaration took over what it says; then somebody else changed it, and that was put back. */
static void what_others_changed_is_not_what_was_found(void **state _unused_)
{
	static const char declared[] = "[ethernet eth0]\nmtu = 1500\n[bridge br0]\nageing_time = 300s\nvlans = 1\n";
	_cleanup_free_ char *before =
		xasprintf("%s%s%s%s", NICS, "[foreign bridge br0]\n[foreign ethernet eth0]\n", declared,
			  "[drift ethernet eth0]\nmtu = 1290\n"
			  "[drift bridge br0]\nageing_time = 7s\nvlans = 9\n"
			  "[drift]\ndown = eth0\n");
	_cleanup_scene_ struct scene *scene = scene_new(before, declared);
	const struct link *br0, *eth0;
	struct step *s = &scene->s;
	int error;

	for (size_t i = 0; i < s->effective.links.n_links; i++)
		s->effective.links.links[i]->drifted = true;
	ledger_note_plan(&scene->w.ledger, &s->plan, scene->w.dump);
	world_execute(&scene->w, &s->plan, SIZE_MAX, &error);
	scene_apply(scene, "");
	eth0 = model_find(scene->w.dump, "eth0");
	br0 = model_find(scene->w.dump, "br0");
	assert_int_equal(values_num(eth0->common, LINK_MTU, 0), 1500);
	assert_true(eth0->flags & IFF_UP);
	assert_int_equal(values_num(br0->own, BRIDGE_AGEING_TIME, 0), 30000);
	assert_int_equal(br0->n_vlans, 1);
	assert_int_equal(br0->vlans[0].vid, 1);
}

/* Bonding keeps delays in units of miimon: with ARP monitoring they show 0, and are back with the next miimon. */
static void a_delay_that_does_not_show_is_not_back(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS, "");
	const struct link *bond0;

	scene_apply(scene, "[bond bond0]\nmode = 1\nmiimon = 100ms\npeer_notif_delay = 200ms\n");
	scene_apply(scene, "[bond bond0]\nmode = 1\narp_interval = 1s\narp_ip_target = 192.0.2.1\n");
	scene_apply(scene, "[bond bond0]\nmode = 1\nmiimon = 50ms\n");
	bond0 = model_find(scene->w.dump, "bond0");
	assert_int_equal(values_num(bond0->own, BOND_PEER_NOTIF_DELAY, 7), 0);
}

/* A bridge that was told a group address no longer lets it follow its protocol. */
static void a_group_address_that_goes_back_follows_the_protocol_as_before(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS, "");

	scene_apply(scene, "[bridge br0]\ngroup_address = 01:80:c2:00:00:0b\n");
	scene_apply(scene, "[bridge br0]\n");
	assert_int_equal(values_num(model_find(scene->w.dump, "br0")->own, BRIDGE_GROUP_ADDRESS, 0), 0x0180c2000000);
	scene_apply(scene, "[bridge br0]\nvlan_filtering = yes\nvlan_protocol = 802.1ad\n");
	assert_int_equal(values_num(model_find(scene->w.dump, "br0")->own, BRIDGE_GROUP_ADDRESS, 0), 0x0180c2000008);
}

#define BR0(keys) "[bridge br0]\nports = eth0\nvlan_filtering = yes\n" keys

#define BR0_ETH0(keys) "[ethernet eth0]\nmtu = 1600\n" BR0(keys)

/* What a section said and says no more has no part in what a later one changes. */
static void a_pvid_of_an_earlier_section_is_forgotten(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS "[foreign bridge br0]\nports = eth0\nvlan_default_pvid = none\n"
			       "[foreign port eth0]\nvlans = 30\n",
			  "");
	const struct link *eth0;

	scene_apply(scene, BR0_ETH0("vlan_default_pvid = none\n[port eth0]\npvid = 10\n"));
	scene_apply(scene, BR0_ETH0("vlan_default_pvid = none\n"));
	scene_apply(scene, BR0_ETH0("vlan_default_pvid = none\n[port eth0]\nvlans = 20\n"));
	scene_apply(scene, BR0_ETH0("vlan_default_pvid = 1\n[port eth0]\nvlans = 20\n"));
	eth0 = model_find(scene->w.dump, "eth0");
	assert_int_equal(eth0->n_vlans, 2);
	assert_int_equal(eth0->vlans[0].vid, 1);
}

/* The kernel changes the PVID of ports together with the bridge's, unless they have another one. */
static void a_pvid_that_goes_back_is_the_bridges_of_now(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS, "");
	const struct link *eth0;

	scene_apply(scene, BR0(""));
	scene_apply(scene, BR0("[port eth0]\npvid = 10\n"));
	scene_apply(scene, BR0("vlan_default_pvid = 9\n[port eth0]\npvid = 10\n"));
	scene_apply(scene, BR0("vlan_default_pvid = 9\n"));
	eth0 = model_find(scene->w.dump, "eth0");
	assert_int_equal(eth0->n_vlans, 1);
	assert_int_equal(eth0->vlans[0].vid, 9);
}

#define V5_IN_BOND0(id) "[bond bond0]\nports = eth1 v5\n[vlan v5]\nparent = eth0\nid = " id "\n"
#define QUEUE_OF_V5 "[port v5]\nqueue_id = 2\n"

/* A port that is made anew starts with the kernel's values, not with those of the one before it. */
static void what_a_port_had_goes_with_it(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene = scene_new(NICS V5_IN_BOND0("6") QUEUE_OF_V5, "");

	scene_apply(scene, V5_IN_BOND0("7") QUEUE_OF_V5);
	scene_apply(scene, V5_IN_BOND0("7"));
	assert_int_equal(values_num(model_find(scene->w.dump, "v5")->port, BOND_PORT_QUEUE_ID, 7), 0);
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
		model_relate(m, model_find(m, "tap0"), 0, 0);
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

/* Whoever starts after a kill numbers links anew, from where the highest one left that off. */
static void what_was_made_again_is_ours_also_where_another_got_its_number(void **state _unused_)
{
	_cleanup_scene_ struct scene *scene =
		scene_new(NICS "[bridge br0]\n[bridge br1]\n", "[bridge br0]\n[bridge br1]\n");
	struct fake_kernel *k = &scene->w.kernel;
	struct ledger *l = &scene->w.ledger;
	uint32_t first = model_find(&k->links, "br0")->ifindex;
	struct link *br0 = link_new("br0", &kind_bridge), *br1 = link_new("br1", &kind_bridge);
	struct op again[] = {
		{.type = OP_CREATE, .link = br1, .ifindex = first},
		{.type = OP_CREATE, .link = br0, .ifindex = first + 1},
	};
	struct ledger_past past = LEDGER_PAST_NULL;

	ledger_keep(&past, l, NULL);
	fake_delete(k, model_find(&k->links, "br0"));
	fake_delete(k, model_find(&k->links, "br1"));
	br1->ifindex = first;
	br0->ifindex = first + 1;
	model_add(&k->links, br1);
	model_add(&k->links, br0);
	assert_true(ledger_note_return(l, &past, &(const struct plan){.ops = again, .n = 2}));
	ledger_follow(&past, l, &k->links);
	ledger_put_back(&past, l);
	assert_true(ledger_made(l, br0));
	assert_true(ledger_made(l, br1));
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
		cmocka_unit_test(what_we_made_is_ours_by_name_kind_and_ifindex),
		cmocka_unit_test(an_intended_create_counts_as_made),
		cmocka_unit_test(what_others_made_before_us_is_not_ours),
		cmocka_unit_test(what_is_to_be_made_anew_is_ours_before_and_after),
		cmocka_unit_test(a_removed_key_goes_back_to_the_value_found),
		cmocka_unit_test(the_first_value_found_is_the_one_remembered),
		cmocka_unit_test(what_others_changed_is_not_what_was_found),
		cmocka_unit_test(a_delay_that_does_not_show_is_not_back),
		cmocka_unit_test(a_group_address_that_goes_back_follows_the_protocol_as_before),
		cmocka_unit_test(a_pvid_of_an_earlier_section_is_forgotten),
		cmocka_unit_test(a_pvid_that_goes_back_is_the_bridges_of_now),
		cmocka_unit_test(what_a_port_had_goes_with_it),
		cmocka_unit_test(mtu_that_goes_back_is_none_that_the_parent_loses),
		cmocka_unit_test(guests_are_remembered_while_their_bridge_goes),
		cmocka_unit_test(what_a_port_had_before_the_bond_is_remembered),
		cmocka_unit_test(a_port_goes_back_to_the_master_it_was_found_in),
		cmocka_unit_test(only_addresses_that_we_added_go),
		cmocka_unit_test(after_a_rollback_what_was_made_again_is_ours),
		cmocka_unit_test(what_was_made_again_is_ours_also_where_another_got_its_number),
		cmocka_unit_test(the_ledger_survives_json),
		cmocka_unit_test(a_damaged_ledger_is_read_as_far_as_it_goes),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
