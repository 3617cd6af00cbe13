/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what a DHCP server gave: what is taken of an event of dhcpcd, and what is not; and what it makes of what is
 * wanted of links.
 */
#include "world.h"

#include <setjmp.h>

#include <cmocka.h>

#define EVENT4 "uptime=1000.25\nreason=BOUND\nprotocol=dhcp\ninterface=br0\n"
#define ADDRESS4 "new_ip_address=192.0.2.100\nnew_subnet_cidr=24\n"
#define EVENT6 "uptime=1000\nreason=REBIND6\nprotocol=dhcp6\ninterface=br0\n"

/* The lease in words: addresses, routes, servers, domains. */
static char *text_of(const char *event)
{
	struct lease l;
	char *text = NULL;
	size_t len;
	FILE *f;
	int r = lease_parse(event, &l);

	if (r < 0)
		return xstrdup(r == -ENOENT ? "no lease" : "not understood");
	f = xmemstream(&text, &len);
	for (size_t i = 0; i < l.n_addresses; i++) {
		address_print(&l.addresses[i], f);
		fputs("; ", f);
	}
	for (size_t i = 0; i < l.n_routes; i++) {
		route_print(&l.routes[i], f);
		fputs("; ", f);
	}
	if (l.dns.blob)
		type_server_list.print(&link_options.rows[LINK_DNS], l.dns, f);
	fputs("; ", f);
	if (l.search.blob)
		type_domain_list.print(&link_options.rows[LINK_SEARCH], l.search, f);
	fclose(f);
	lease_done(&l);
	return text;
}

static void check(const char *event, const char *expected)
{
	_cleanup_free_ char *text = text_of(event);

	assert_string_equal(text, expected);
}

static void an_address_its_route_and_servers_are_taken(void **state _unused_)
{
	check(EVENT4 ADDRESS4 "new_routers=192.0.2.1 192.0.2.2\nnew_domain_name_servers=192.0.2.53 192.0.2.54\n"
			      "new_domain_search=example.org lan\nnew_domain_name=other.example\n",
	      "192.0.2.100/24; default via 192.0.2.1; 192.0.2.53 192.0.2.54; example.org lan");
	check(EVENT4 ADDRESS4 "new_domain_name=Other.Example\n", "192.0.2.100/24; ; other.example");
	check(EVENT6 "new_dhcp6_ia_na1_ia_addr1=2001:db8::5\nnew_dhcp6_ia_na1_ia_addr1_vltime=60\n"
		     "new_dhcp6_name_servers=2001:db8::53\n",
	      "2001:db8::5/128; 2001:db8::53; ");
}

static void classless_routes_stand_in_place_of_routers(void **state _unused_)
{
	check(EVENT4 ADDRESS4 "new_routers=192.0.2.1\nnew_classless_static_routes=0.0.0.0/0 192.0.2.9 "
			      "10.1.2.3/8 192.0.2.2 198.51.100.0/24 0.0.0.0\n",
	      "192.0.2.100/24; default via 192.0.2.9; 10.0.0.0/8 via 192.0.2.2; 198.51.100.0/24; ; ");
	check(EVENT4 ADDRESS4 "new_routers=192.0.2.1\nnew_classless_static_routes=10.0.0.0/33 192.0.2.2\n",
	      "192.0.2.100/24; default via 192.0.2.1; ; ");
}

/* The kernel takes no route by a gateway that it has no way to (fib_check_nh()): clouds give addresses of length 32. */
static void a_gateway_outside_the_subnet_gets_a_route_of_its_own(void **state _unused_)
{
	const char *const address32 = EVENT4 "new_ip_address=192.0.2.100\nnew_subnet_cidr=32\n";
	_cleanup_free_ char *router = xasprintf("%snew_routers=192.0.2.1\n", address32);
	_cleanup_free_ char *told =
		xasprintf("%snew_classless_static_routes=192.0.2.0/24 0.0.0.0 0.0.0.0/0 192.0.2.1\n", address32);

	check(router, "192.0.2.100/32; 192.0.2.1/32; default via 192.0.2.1; ; ");
	check(told, "192.0.2.100/32; 192.0.2.0/24; default via 192.0.2.1; ; ");
	check(EVENT4 ADDRESS4 "new_classless_static_routes=10.0.0.0/8 198.51.100.1 172.16.0.0/12 198.51.100.1\n",
	      "192.0.2.100/24; 198.51.100.1/32; 10.0.0.0/8 via 198.51.100.1; 172.16.0.0/12 via 198.51.100.1; ; ");
}

static void what_is_no_host_is_passed_over(void **state _unused_)
{
	check(EVENT4 ADDRESS4 "new_routers=0.0.0.0\nnew_domain_name_servers=0.0.0.0 224.0.0.1 x 192.0.2.53\n"
			      "new_domain_search=a;b ok $(reboot)\n",
	      "192.0.2.100/24; 192.0.2.53; ok");
	check(EVENT4 ADDRESS4 "new_routers=192.0.2.100\n", "192.0.2.100/24; ; ");
	check(EVENT4 "new_ip_address=127.0.0.1\nnew_subnet_cidr=8\n", "not understood");
	check(EVENT4 "new_ip_address=224.0.0.1\nnew_subnet_cidr=24\n", "not understood");
	check(EVENT4 "new_ip_address=192.0.2.100\nnew_subnet_cidr=33\n", "not understood");
	check(EVENT4 "new_ip_address=192.0.2.100\n", "not understood");
	check(EVENT6 "new_dhcp6_ia_na1_ia_addr1=fe80::1\nnew_dhcp6_ia_na1_ia_addr1_vltime=60\n", "not understood");
	check("reason=BOUND\nprotocol=dhcp\ninterface=br0\n" ADDRESS4, "not understood");
	check("uptime=1\nreason=BOUND\nprotocol=dhcp\ninterface=a-name-that-is-too-long\n" ADDRESS4, "not understood");
}

static void other_events_give_no_lease(void **state _unused_)
{
	check("", "no lease");
	check("uptime=1\nreason=EXPIRE\nprotocol=dhcp\ninterface=br0\n" ADDRESS4, "no lease");
	check("uptime=1\nreason=BOUNDARY\nprotocol=dhcp\ninterface=br0\n" ADDRESS4, "no lease");
}

static void a_lease_ends_when_its_time_is_over_and_the_shortest_counts(void **state _unused_)
{
	struct lease l;

	assert_int_equal(lease_parse(EVENT4 ADDRESS4 "new_dhcp_lease_time=120\n", &l), 0);
	assert_int_equal(lease_end(&l), 1120);
	lease_done(&l);
	assert_int_equal(lease_parse(EVENT4 ADDRESS4 "new_dhcp_lease_time=4294967295\n", &l), 0);
	assert_true(lease_end(&l) == UINT64_MAX);
	lease_done(&l);
	assert_int_equal(lease_parse(EVENT6
				     "new_dhcp6_ia_na1_ia_addr1=2001:db8::5\nnew_dhcp6_ia_na1_ia_addr1_vltime=60\n"
				     "new_dhcp6_ia_na1_ia_addr2=2001:db8::6\nnew_dhcp6_ia_na1_ia_addr2_vltime=30\n",
				     &l),
			 0);
	assert_int_equal(lease_end(&l), 1030);
	assert_int_equal(l.n_addresses, 2);
	lease_done(&l);
}

static void check_due(const char *event, uint64_t expected)
{
	struct lease l;

	assert_int_equal(lease_parse(event, &l), 0);
	assert_true(lease_due(&l) == expected);
	lease_done(&l);
}

static void a_lease_is_due_when_the_server_says_or_at_half_its_time(void **state _unused_)
{
	check_due(EVENT4 ADDRESS4 "new_dhcp_lease_time=120\n", 1060);
	check_due(EVENT4 ADDRESS4 "new_dhcp_lease_time=120\nnew_dhcp_renewal_time=90\n", 1090);
	check_due(EVENT4 ADDRESS4 "new_dhcp_lease_time=120\nnew_dhcp_renewal_time=150\n", 1060);
	check_due(EVENT4 ADDRESS4 "new_dhcp_lease_time=4294967295\nnew_dhcp_renewal_time=90\n", UINT64_MAX);
	check_due(EVENT6 "new_dhcp6_ia_na1_t1=20\nnew_dhcp6_ia_na1_ia_addr1=2001:db8::5\n"
			 "new_dhcp6_ia_na1_ia_addr1_vltime=60\n",
		  1020);
	/* The server leaves it to the client (RFC 8415, 21.4). */
	check_due(EVENT6 "new_dhcp6_ia_na1_t1=0\nnew_dhcp6_ia_na1_ia_addr1=2001:db8::5\n"
			 "new_dhcp6_ia_na1_ia_addr1_vltime=60\n",
		  1030);
}

/* Addresses, routes, servers and accept_ra that are wanted of a link, when these events were the last. */
static void check_wanted(const char *config, const char *const *events, const char *link, const char *expected)
{
	struct world w;
	struct config *c = world_config(config);
	struct leases leases = {0};
	struct effective e;
	struct resolve_input in = {.config = c, .leases = &leases};
	const struct link *want;
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	world_make(&w, "[foreign]\ndevices = eth0 eth1\n");
	world_look(&w);
	in.actual = w.dump;
	in.ledger = &w.ledger;
	for (size_t i = 0; events[i]; i++)
		assert_int_equal(lease_parse(events[i], ARRAY_APPEND(leases.list, leases.n)), 0);
	resolve(&in, &e);
	want = model_find(&e.links, link);
	assert_non_null(want);
	for (size_t i = 0; i < want->n_addresses; i++) {
		address_print(&want->addresses[i], f);
		fputs("; ", f);
	}
	for (size_t i = 0; i < want->n_routes; i++) {
		route_print(&want->routes[i], f);
		fputs("; ", f);
	}
	if (values_has(want->common, LINK_DNS))
		type_server_list.print(&link_options.rows[LINK_DNS], values_at(want->common, LINK_DNS), f);
	if (values_has(want->common, LINK_ACCEPT_RA))
		fprintf(f, "; accept_ra %d", (int)values_num(want->common, LINK_ACCEPT_RA, 0));
	for (size_t i = 0; i < e.problems.n; i++)
		fprintf(f, "; %s", e.problems.list[i].text);
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
	effective_done(&e);
	leases_done(&leases);
	config_free(c);
	world_done(&w);
}

#define LEASE4(link)                                                                                                   \
	"uptime=1\nreason=BOUND\nprotocol=dhcp\ninterface=" link "\nnew_ip_address=192.0.2.100\nnew_subnet_cidr=24\n"  \
	"new_routers=192.0.2.1\nnew_domain_name_servers=192.0.2.53\n"
#define LEASE6(link)                                                                                                   \
	"uptime=1\nreason=BOUND6\nprotocol=dhcp6\ninterface=" link "\nnew_dhcp6_ia_na1_ia_addr1=2001:db8::5\n"         \
	"new_dhcp6_ia_na1_ia_addr1_vltime=60\nnew_dhcp6_name_servers=2001:db8::53\n"
#define BR0 "[bridge br0]\nports = eth0\n"

static void a_lease_is_wanted_of_the_link_that_asks_for_its_family(void **state _unused_)
{
	const char *const both[] = {LEASE4("br0"), LEASE6("br0"), NULL}, *const none[] = {NULL};

	check_wanted(BR0 "dhcp = yes\n", both, "br0",
		     "192.0.2.100/24; 2001:db8::5/128; default via 192.0.2.1; 192.0.2.53 2001:db8::53");
	check_wanted(BR0 "dhcp = ipv4\n", both, "br0", "192.0.2.100/24; default via 192.0.2.1; 192.0.2.53");
	check_wanted(BR0 "dhcp = ipv6\n", both, "br0", "2001:db8::5/128; 2001:db8::53");
	check_wanted(BR0, both, "br0", "; accept_ra 0");
	/* The NIC's, until the bridge has its own. */
	check_wanted(BR0 "dhcp = ipv4\n", (const char *const[]){LEASE4("eth0"), NULL}, "br0",
		     "192.0.2.100/24; default via 192.0.2.1; 192.0.2.53");
	/* Before the first answer the same as after it: a bridge that the host uses. */
	check_wanted(BR0 "dhcp = ipv4\n", none, "br0", "");
}

static void what_is_declared_goes_before_what_a_server_gives(void **state _unused_)
{
	const char *const lease[] = {LEASE4("br0"), NULL};
	const char *const two[] = {LEASE4("eth0"), LEASE4("eth1"), NULL};

	check_wanted(BR0 "dhcp = ipv4\naddress = 192.0.2.100/24 192.0.2.7/24\ngateway = 192.0.2.9\ndns = 192.0.2.8\n",
		     lease, "br0", "192.0.2.100/24; 192.0.2.7/24; default via 192.0.2.9; 192.0.2.8");
	check_wanted("[ethernet eth0]\ndhcp = ipv4\n[ethernet eth1]\ndhcp = ipv4\n", two, "eth1",
		     "192.0.2.100/24; 192.0.2.53");
}

static void a_network_keeps_clear_of_what_a_server_gives(void **state _unused_)
{
	const char *const lease[] = {LEASE4("br0"), NULL};
	const char *const network = "[network n]\nbridge = brn\nforward = isolated\naddress = 192.0.2.129/25\n";
	_cleanup_free_ char *both = xasprintf(BR0 "dhcp = ipv4\n%s", network), *alone = xasprintf(BR0 "%s", network);

	check_wanted(both, lease, "br0",
		     "192.0.2.100/24; default via 192.0.2.1; 192.0.2.53; "
		     "192.0.2.129/25 overlaps with 192.0.2.100/24 of br0 (a network needs a subnet of its own)");
	/* Nobody asks for it any more. */
	check_wanted(alone, lease, "brn", "192.0.2.129/25; ; accept_ra 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_its_route_and_servers_are_taken),
		cmocka_unit_test(classless_routes_stand_in_place_of_routers),
		cmocka_unit_test(a_gateway_outside_the_subnet_gets_a_route_of_its_own),
		cmocka_unit_test(what_is_no_host_is_passed_over),
		cmocka_unit_test(other_events_give_no_lease),
		cmocka_unit_test(a_lease_ends_when_its_time_is_over_and_the_shortest_counts),
		cmocka_unit_test(a_lease_is_due_when_the_server_says_or_at_half_its_time),
		cmocka_unit_test(a_lease_is_wanted_of_the_link_that_asks_for_its_family),
		cmocka_unit_test(what_is_declared_goes_before_what_a_server_gives),
		cmocka_unit_test(a_network_keeps_clear_of_what_a_server_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
