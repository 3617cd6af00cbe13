/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what a plan takes from the host as a whole, and from others. */
#include "../../netd/plan/reach.h"
#include "world.h"

#include <setjmp.h>

#include <cmocka.h>

#define HOST "address = 10.0.0.2/24\ngateway = 10.0.0.1\n"
#define BEFORE "[foreign]\ndevices = eth0 eth1\n[bridge br0]\nports = eth0\n" HOST

static void print_gone(const struct link *link, const struct address *a, const struct route *r, void *userdata)
{
	FILE *f = userdata;

	if (a)
		address_print(a, f);
	else
		route_print(r, f);
	fprintf(f, " of %s; ", link->name);
}

/* From `before` to `after`: what of IPv4 goes for good, and what of others. */
static void assert_goes(const char *before, const char *after, const char *host, const char *others)
{
	const char *network = strstr(before, "[network");
	struct config *c = world_config(after), *was = network ? world_config(network) : NULL;
	_cleanup_free_ char *gone = NULL;
	const char *found;
	struct world w;
	struct step s;
	size_t len;
	FILE *f = xmemstream(&gone, &len);

	world_make(&w, before);
	world_look(&w);
	step_make(&w, c, &s);
	plan_gone(&s.in, &s.plan, print_gone, f);
	fclose(f);
	found = plan_cuts_off_host(&s.in, &s.plan, was ? &was->links : NULL, AF_INET);
	assert_string_equal(found ? found : "", host);
	assert_string_equal(gone, others);
	step_done(&s);
	config_free(c);
	config_free(was);
	world_done(&w);
}

static void the_last_address_and_the_last_default_route_are_missed(void **state _unused_)
{
	assert_goes(BEFORE, "", "address", "");
	assert_goes(BEFORE, "[bridge br0]\nports = eth0\n", "address", "");
	assert_goes(BEFORE, "[bridge br0]\nports = eth0\naddress = 10.0.0.2/24\n", "default route", "");
	assert_goes(BEFORE, "[bridge br0]\nports = eth0\nup = no\n" HOST, "default route", "");
}

static void what_goes_elsewhere_is_not_missed(void **state _unused_)
{
	assert_goes(BEFORE, "[ethernet eth0]\n" HOST, "", "");
	assert_goes(BEFORE, "[bridge br0]\nports = eth0\ndhcp = ipv4\n", "", "");
	assert_goes(BEFORE, "[bridge br0]\nports = eth0\naddress = 10.1.0.2/24\ngateway = 10.1.0.1\n", "", "");
	assert_goes(BEFORE "[ethernet eth1]\naddress = 10.9.0.2/24\n", "[ethernet eth1]\naddress = 10.9.0.2/24\n",
		    "default route", "");
	assert_goes("[foreign]\ndevices = eth0\n", "[bridge br0]\nports = eth0\n", "", "");
}

static void nobody_reaches_the_host_by_a_network_of_guests(void **state _unused_)
{
	static const char network[] = "[network n]\nbridge = brn\nforward = isolated\naddress = 10.9.0.1/24\n";
	_cleanup_free_ char *both = xasprintf(BEFORE "%s", network);
	_cleanup_free_ char *bare = xasprintf("[bridge br0]\nports = eth0\n%s", network);
	_cleanup_free_ char *alone = xasprintf("[foreign]\ndevices = eth0\n%s", network);
	_cleanup_free_ char *joined = xasprintf("[foreign]\ndevices = eth0\n%sports = eth0\n", network);

	assert_goes(both, bare, "address", "");
	assert_goes(alone, "", "", "");
	assert_goes(joined, "", "address", "");
}

static void what_others_have_on_a_link_that_is_deleted_is_named(void **state _unused_)
{
	static const char drift[] = BEFORE "[drift bridge br0]\nports = eth0\n"
					   "address = 10.7.0.7/24\nroute = 10.8.0.0/16 via 10.7.0.1\n";

	assert_goes(drift, "", "address", "10.7.0.7/24 of br0; 10.8.0.0/16 via 10.7.0.1 of br0; ");
	assert_goes(drift, "[bridge br0]\nports = eth1\n" HOST, "", "");
	assert_goes(drift, "[ethernet eth0]\n" HOST "address = 10.7.0.7/24\n", "", "10.8.0.0/16 via 10.7.0.1 of br0; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_address_and_the_last_default_route_are_missed),
		cmocka_unit_test(what_goes_elsewhere_is_not_missed),
		cmocka_unit_test(nobody_reaches_the_host_by_a_network_of_guests),
		cmocka_unit_test(what_others_have_on_a_link_that_is_deleted_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
