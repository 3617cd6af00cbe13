/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how long a plan says it may take until traffic flows, which a confirmation must at least be given. */
#include "world.h"

#include <setjmp.h>

#include <cmocka.h>

#include "../../netd/plan/settling.h"

static void add_what(uint32_t msec, const char *what, void *userdata)
{
	fprintf(userdata, "%u %s\n", msec, what);
}

/* What is there, what is declared, and what is said about the way from one to the other. */
static void expect(const char *before, const char *declared, uint32_t msec, const char *said)
{
	struct config *c = world_config(declared);
	struct world w;
	struct step s;
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	world_make(&w, before);
	world_look(&w);
	if (model_find(w.dump, "eth0"))
		model_find(w.dump, "eth0")->parent_dev = xstrdup("pci-0000:02:00.0");
	step_make(&w, c, &s);
	assert_int_equal(plan_settling(&s.in, &s.plan, add_what, f), msec);
	assert_int_equal(plan_settling(&s.in, &s.plan, NULL, NULL), msec);
	fclose(f);
	assert_string_equal(text, said);
	step_done(&s);
	world_done(&w);
	config_free(c);
	free(text);
}

#define TAPS "[foreign]\ndevices = tap0 tap1\n"

static void test_nothing_that_waits(void **state _unused_)
{
	expect(TAPS, "[bridge br0]\nports = tap0\n", 0, "");
}

static void test_port_of_a_bridge_with_spanning_tree(void **state _unused_)
{
	expect(TAPS, "[bridge br0]\nports = tap0\nstp_state = yes\nforward_delay = 4s\n", 8000,
	       "8000 spanning tree on br0, twice forward_delay\n");
	expect(TAPS "[bridge br0]\nports = tap0\nstp_state = yes\n",
	       "[bridge br0]\nports = tap0 tap1\nstp_state = yes\n", 30000,
	       "30000 spanning tree on br0, twice forward_delay\n");
}

static void test_change_that_leaves_the_ports_alone(void **state _unused_)
{
	expect(TAPS "[bridge br0]\nports = tap0\nstp_state = yes\n",
	       "[bridge br0]\nports = tap0\nstp_state = yes\nageing_time = 60s\naddress = 192.0.2.1/24\n", 0, "");
}

static void test_bond_negotiates(void **state _unused_)
{
	expect(TAPS, "[bond bond0]\nports = tap0\nmode = 802.3ad\nmiimon = 100\n", 32100,
	       "32100 LACP on bond0, lacp_rate slow\n");
	expect(TAPS, "[bond bond0]\nports = tap0\nmode = 802.3ad\nmiimon = 100\nlacp_rate = fast\n", 3100,
	       "3100 LACP on bond0, lacp_rate fast\n");
	expect(TAPS, "[bond bond0]\nports = tap0\nmode = active-backup\nmiimon = 100\nupdelay = 5000\n", 5100,
	       "5100 link monitoring on bond0\n");
}

static void test_waits_of_a_stack_add_up_and_those_side_by_side_do_not(void **state _unused_)
{
	expect(TAPS,
	       "[bond bond0]\nports = tap0\nmode = active-backup\nmiimon = 100\n"
	       "[bond bond1]\nports = tap1\nmode = active-backup\nmiimon = 200\n"
	       "[bridge br0]\nports = bond0 bond1\nstp_state = yes\nforward_delay = 2s\n",
	       4200, "200 link monitoring on bond1\n4000 spanning tree on br0, twice forward_delay\n");
}

static void test_cable_that_goes_down_negotiates(void **state _unused_)
{
	expect("[foreign]\ndevices = eth0\n[ethernet eth0]\nup = yes\n",
	       "[bond bond0]\nports = eth0\nmode = active-backup\nmiimon = 100\n", 4100,
	       "4000 negotiation of eth0 with its other end\n100 link monitoring on bond0\n");
}

static void test_lease_takes_its_time(void **state _unused_)
{
	expect(TAPS, "[bridge br0]\nports = tap0\ndhcp = ipv4\n", 10000, "10000 DHCP on br0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_that_waits),
		cmocka_unit_test(test_port_of_a_bridge_with_spanning_tree),
		cmocka_unit_test(test_change_that_leaves_the_ports_alone),
		cmocka_unit_test(test_bond_negotiates),
		cmocka_unit_test(test_waits_of_a_stack_add_up_and_those_side_by_side_do_not),
		cmocka_unit_test(test_lease_takes_its_time),
		cmocka_unit_test(test_cable_that_goes_down_negotiates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
