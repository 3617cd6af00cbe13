/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the way back over several changes, as while a confirmation is waited for. */
#include "world.h"

#include "../../netd/model/kind-bridge.h"
#include "../../netd/reconcile/effective-json.h"

#include <setjmp.h>

#include <cmocka.h>

/* Makes the change, and adds what it takes to go back from it. */
static void change(struct world *w, struct effective *back, const char *text)
{
	struct config *c = world_config(text);
	struct step s;
	int error = 0;

	step_make(w, c, &s);
	assert_true(s.plan.n > 0);
	ledger_note_plan(&w->ledger, &s.plan, w->dump);
	restore_extend(back, w->dump, &s.plan);
	assert_int_equal(world_execute(w, &s.plan, s.plan.n, &error), s.plan.n);
	step_done(&s);
	config_free(c);
	world_look(w);
}

static void a_bridge_goes_also_when_its_port_was_changed_after_it_came(void **state _unused_)
{
	struct effective back = EFFECTIVE_NULL;
	struct model before;
	struct world w;

	world_make(&w, "[foreign]\ndevices = eth0\n[foreign ethernet eth0]\naddress = 10.0.0.1/24\n");
	world_look(&w);
	before = fake_dump(&w.kernel);
	change(&w, &back, "[bridge br0]\nports = eth0\naddress = 10.0.0.1/24\n");
	change(&w, &back, "[bridge br0]\nports = eth0\naddress = 10.0.0.1/24\n[port eth0]\npath_cost = 7\n");
	assert_null(model_find(&back.links, "br0"));
	assert_non_null(model_find(&back.removed, "br0"));
	world_go_back(&w, &back, &before, "the second change", NULL);
	assert_null(model_find(w.dump, "br0"));
	effective_done(&back);
	model_done(&before);
	world_done(&w);
}

static uint64_t own_mac(const struct world *w, const char *port)
{
	return values_num(model_find(&w->kernel.links, port)->port, option_row(&kind_bond.port, "perm_hwaddr"), 0);
}

/* The refusal of an earlier way back left the port with the address that it is to have in the bond. */
static void a_port_comes_to_its_bond_with_the_address_of_its_own(void **state _unused_)
{
	struct config *c = world_config("[bond bond0]\nmode = active-backup\nports = eth0 eth1\n");
	struct effective back = EFFECTIVE_NULL;
	struct model before;
	struct link *eth1;
	struct world w;
	uint64_t mac;

	world_make(&w, "[foreign]\ndevices = eth0 eth1\n");
	world_apply(&w, c, 2);
	world_look(&w);
	before = fake_dump(&w.kernel);
	mac = own_mac(&w, "eth1");
	change(&w, &back, "");
	eth1 = model_find(&w.kernel.links, "eth1");
	assert_int_equal(values_num(eth1->common, LINK_MAC, 0), mac);
	values_set_num(eth1->common, LINK_MAC, values_num(model_find(&before, "bond0")->common, LINK_MAC, 0));
	world_look(&w);
	world_go_back(&w, &back, &before, "where the port has the bond's address", NULL);
	assert_int_equal(own_mac(&w, "eth1"), mac);
	effective_done(&back);
	model_done(&before);
	config_free(c);
	world_done(&w);
}

/* Somebody else's of the same name, in its place or before it came. */
static void what_others_made_stays(void **state _unused_)
{
	struct effective back = EFFECTIVE_NULL, read = EFFECTIVE_NULL;
	struct json_object *json;
	struct link *br0;
	struct world w;
	struct step s;

	world_make(&w, "[foreign]\ndevices = eth0\n");
	world_look(&w);
	change(&w, &back, "[bridge br0]\n");
	json = effective_to_json(&back);
	assert_int_equal(effective_from_json(json, &read), 0);
	json_object_put(json);
	effective_done(&back);
	step_make_back(&w, &read, &s);
	assert_int_equal(s.plan.n, 1);
	plan_done(&s.plan);
	read = s.effective;
	fake_delete(&w.kernel, model_find(&w.kernel.links, "br0"));
	br0 = link_new("br0", &kind_bridge);
	br0->ifindex = w.kernel.next_index++;
	model_add(&w.kernel.links, br0);
	world_look(&w);
	step_make_back(&w, &read, &s);
	assert_int_equal(s.plan.n, 0);
	step_done(&s);
	world_done(&w);
}

static void a_kernel_without_vlans_in_bridges_is_not_asked_for_them(void **state _unused_)
{
	struct config *c = world_config("[bridge br0]\nports = eth0\n"), *none = world_config("");
	struct effective back = EFFECTIVE_NULL;
	struct model before;
	const struct link *br0, *eth0;
	struct step s;
	struct world w;

	world_make(&w, "[foreign]\ndevices = eth0\n");
	world_apply(&w, c, 2);
	world_look(&w);
	before = fake_dump(&w.kernel);
	values_unset(model_find(&before, "br0")->own, BRIDGE_VLAN_DEFAULT_PVID);
	values_set_num(model_find(&before, "br0")->own, BRIDGE_MST_ENABLED, 0);
	model_find(&before, "br0")->n_vlans = 0;
	model_find(&before, "eth0")->n_vlans = 0;
	step_make(&w, none, &s);
	restore_extend(&back, &before, &s.plan);
	br0 = model_find(&back.links, "br0");
	eth0 = model_find(&back.links, "eth0");
	assert_true(br0 && eth0);
	assert_false(br0->vlans_managed || eth0->vlans_managed);
	assert_false(values_has(br0->own, BRIDGE_MST_ENABLED));
	step_done(&s);
	effective_done(&back);
	model_done(&before);
	config_free(c);
	config_free(none);
	world_done(&w);
}

/* The way back from `change` of a bridge with this group address: is the address in it? */
static bool tells_group_address(const char *change, uint64_t address)
{
	struct config *c = world_config("[bridge br0]\nvlan_filtering = yes\nvlan_protocol = 802.1ad\n");
	struct config *next = world_config(change);
	struct effective back = EFFECTIVE_NULL;
	struct model before;
	struct step s;
	struct world w;
	bool told;

	world_make(&w, "");
	world_apply(&w, c, 2);
	world_look(&w);
	before = fake_dump(&w.kernel);
	values_set_num(model_find(&before, "br0")->own, BRIDGE_GROUP_ADDRESS, address);
	step_make(&w, next, &s);
	restore_extend(&back, &before, &s.plan);
	told = values_has(model_find(&back.links, "br0")->own, BRIDGE_GROUP_ADDRESS);
	step_done(&s);
	effective_done(&back);
	model_done(&before);
	config_free(c);
	config_free(next);
	world_done(&w);
	return told;
}

static void a_group_address_that_the_kernel_chose_stays_its_choice(void **state _unused_)
{
	assert_false(tells_group_address("[bridge br0]\n", 0x0180c2000008));
	assert_true(tells_group_address("[bridge br0]\n", 0x0180c200000b));
	assert_true(tells_group_address("[bridge br0]\nvlan_filtering = yes\nvlan_protocol = 802.1ad\n"
					"group_address = 01:80:c2:00:00:0b\n",
					0x0180c2000008));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bridge_goes_also_when_its_port_was_changed_after_it_came),
		cmocka_unit_test(a_port_comes_to_its_bond_with_the_address_of_its_own),
		cmocka_unit_test(what_others_made_stays),
		cmocka_unit_test(a_kernel_without_vlans_in_bridges_is_not_asked_for_them),
		cmocka_unit_test(a_group_address_that_the_kernel_chose_stays_its_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
