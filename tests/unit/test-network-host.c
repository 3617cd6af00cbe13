/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what guest networks want of the host around them: which links are to forward, and that a subnet is nobody
 * else's.
 */
#include "../../netd/plan/planner.h"

#include <setjmp.h>

#include <cmocka.h>

#define TWO_NETWORKS                                                                                                   \
	"[network a]\nbridge = bra\nforward = isolated\n"                                                              \
	"[network b]\nbridge = brb\naddress = 10.0.0.1/24\nforward = nat\n"

struct host {
	struct config_files files;
	struct config *config;
	struct model actual;
	struct ledger ledger;
	struct effective effective;
};

static struct link *add_found(struct host *h, const char *name, uint32_t ifindex)
{
	struct link *l = link_new(name, &kind_ethernet);

	l->ifindex = ifindex;
	model_add(&h->actual, l);
	return l;
}

static uint64_t forwarding(const struct host *h, const char *link, enum link_row row)
{
	const struct link *l = model_find(&h->effective.links, link);

	return values_num(l ? l->common : NULL, row, 0);
}

/* What is to be forwarded on a host whose uplink, if it has one, also lives on router advertisements. */
static void resolve_text(struct host *h, const char *text, bool has_uplink)
{
	struct diags d = DIAGS_NULL;
	struct resolve_input in = {.actual = &h->actual, .ledger = &h->ledger};
	struct link *eth0;

	*h = (struct host){0};
	config_files_add(&h->files, "test.ini", text, strlen(text));
	h->config = config_parse(&h->files, &d);
	assert_int_equal(d.n, 0);
	add_found(h, LINK_ALL, 0);
	add_found(h, "eth1", 2);
	eth0 = add_found(h, "eth0", 3);
	values_put(eth0->common, LINK_ACCEPT_RA, (union value){.num = 1}, LOC_NONE);
	if (has_uplink) {
		*ARRAY_APPEND(eth0->routes, eth0->n_routes) =
			(struct route){.family = AF_INET, .has_gateway = true, .type = 1, .table = 254};
		*ARRAY_APPEND(eth0->routes, eth0->n_routes) = (struct route){.family = AF_INET6, .protocol = 9};
	}
	in.config = h->config;
	resolve(&in, &h->effective);
}

static void host_done(struct host *h)
{
	effective_done(&h->effective);
	config_free(h->config);
	config_files_done(&h->files);
	model_done(&h->actual);
}

static void test_forwarding_of_bridges_and_uplinks(void **state _unused_)
{
	struct host h;

	resolve_text(&h, TWO_NETWORKS, true);
	assert_int_equal(forwarding(&h, "bra", LINK_FORWARDING4), 0);
	assert_int_equal(forwarding(&h, "brb", LINK_FORWARDING4), 1);
	assert_int_equal(forwarding(&h, "eth0", LINK_FORWARDING4), 1);
	assert_int_equal(forwarding(&h, "eth0", LINK_ACCEPT_RA), 0);
	assert_int_equal(forwarding(&h, "eth1", LINK_FORWARDING4), 0);
	assert_null(model_find(&h.effective.links, LINK_ALL));
	host_done(&h);
}

static void test_forwarding_of_the_named_uplink(void **state _unused_)
{
	struct host h;

	resolve_text(&h, "[network b]\nbridge = brb\naddress = 10.0.0.1/24\nuplink = eth1\n", true);
	assert_int_equal(forwarding(&h, "eth1", LINK_FORWARDING4), 1);
	assert_int_equal(forwarding(&h, "eth0", LINK_FORWARDING4), 0);
	host_done(&h);
}

static void test_forwarding_of_all_links(void **state _unused_)
{
	struct host h;

	resolve_text(&h, TWO_NETWORKS, false);
	assert_int_equal(forwarding(&h, LINK_ALL, LINK_FORWARDING4), 1);
	assert_int_equal(forwarding(&h, LINK_ALL, LINK_FORWARDING6), 0);
	host_done(&h);
	resolve_text(&h, TWO_NETWORKS "[daemon]\nforwarding = global\n", true);
	assert_int_equal(forwarding(&h, LINK_ALL, LINK_FORWARDING4), 1);
	host_done(&h);
}

static void test_forwarding_of_a_link_that_waits_for_its_lease(void **state _unused_)
{
	struct host h;

	/* Until a server tells of its gateway, which may be never, the other links are not opened to each other. */
	resolve_text(&h, TWO_NETWORKS "[ethernet eth1]\ndhcp = ipv4\n", false);
	assert_int_equal(forwarding(&h, "eth1", LINK_FORWARDING4), 1);
	assert_null(model_find(&h.effective.links, LINK_ALL));
	host_done(&h);
	resolve_text(&h, TWO_NETWORKS "[ethernet eth1]\ndhcp = ipv6\n", false);
	assert_int_equal(forwarding(&h, LINK_ALL, LINK_FORWARDING4), 1);
	host_done(&h);
}

static void test_forwarding_of_ipv6_keeps_advertised_routes(void **state _unused_)
{
	struct host h;

	resolve_text(&h, "[network b]\nbridge = brb\nforward = route\naddress = 2001:db8::1/64\n", true);
	assert_int_equal(forwarding(&h, LINK_ALL, LINK_FORWARDING6), 1);
	assert_int_equal(forwarding(&h, LINK_ALL, LINK_FORWARDING4), 0);
	assert_int_equal(forwarding(&h, "eth0", LINK_ACCEPT_RA), 2);
	assert_int_equal(forwarding(&h, "brb", LINK_ACCEPT_RA), 0);
	host_done(&h);
}

/*
 * A host whose eth0 has 10.0.0.9/24, 10.6.0.0/16 on its wire, and a route to 10.5.0.0/16 behind it; what goes to
 * 172.16.0.0/16 or 2001:db8:7::/48 goes nowhere.
 */
static void check_subnet(const char *address, const char *problem)
{
	_cleanup_free_ char *text = xasprintf("[network b]\nbridge = brb\nforward = route\naddress = %s\n", address);
	struct resolve_input in = {0};
	struct host h;
	struct link *eth0;

	resolve_text(&h, text, false);
	eth0 = model_find(&h.actual, "eth0");
	*ARRAY_APPEND(eth0->addresses, eth0->n_addresses) =
		(struct address){.family = AF_INET, .prefix_len = 24, .addr = {10, 0, 0, 9}};
	*ARRAY_APPEND(eth0->routes, eth0->n_routes) = (struct route){.family = AF_INET,
								     .dst_len = 16,
								     .dst = {10, 5},
								     .has_gateway = true,
								     .gateway = {10, 0, 0, 1},
								     .protocol = 4,
								     .type = 1,
								     .table = 9};
	*ARRAY_APPEND(eth0->routes, eth0->n_routes) =
		(struct route){.family = AF_INET, .dst_len = 16, .dst = {10, 6}, .type = 1, .table = 254};
	*ARRAY_APPEND(eth0->routes, eth0->n_routes) = (struct route){
		.family = AF_INET, .dst_len = 24, .dst = {10, 6, 3}, .has_gateway = true, .type = 1, .table = 254};
	*ARRAY_APPEND(eth0->routes, eth0->n_routes) =
		(struct route){.family = AF_INET, .has_gateway = true, .type = 1, .table = 254};
	*ARRAY_APPEND(eth0->routes, eth0->n_routes) = (struct route){.family = AF_INET, .type = 1, .table = 254};
	/* The kernel's own, of that address and of what a router told of. */
	*ARRAY_APPEND(eth0->routes, eth0->n_routes) =
		(struct route){.family = AF_INET, .dst_len = 24, .dst = {10}, .protocol = 2, .type = 1, .table = 254};
	*ARRAY_APPEND(eth0->routes, eth0->n_routes) = (struct route){.family = AF_INET6,
								     .dst_len = 64,
								     .dst = {0x20, 1, 0xd, 0xb9},
								     .metric = 256,
								     .protocol = 2,
								     .type = 1,
								     .table = 254};
	*ARRAY_APPEND(h.actual.nowhere, h.actual.n_nowhere) =
		(struct route){.family = AF_INET, .dst_len = 16, .dst = {172, 16}, .type = 6, .table = 77};
	*ARRAY_APPEND(h.actual.nowhere, h.actual.n_nowhere) = (struct route){.family = AF_INET6,
									     .dst_len = 48,
									     .dst = {0x20, 1, 0xd, 0xb8, 0, 7},
									     .metric = 1024,
									     .type = 7,
									     .table = 254};
	in.config = h.config;
	in.actual = &h.actual;
	in.ledger = &h.ledger;
	effective_done(&h.effective);
	resolve(&in, &h.effective);
	assert_int_equal(h.effective.problems.n, problem ? 1 : 0);
	if (problem)
		assert_string_equal(h.effective.problems.list[0].text, problem);
	host_done(&h);
}

static void test_a_subnet_that_others_have(void **state _unused_)
{
	check_subnet("10.1.0.1/24", NULL);
	check_subnet("10.0.0.1/24",
		     "10.0.0.1/24 overlaps with 10.0.0.9/24 of eth0 (a network needs a subnet of its own)");
	check_subnet("10.0.0.129/28",
		     "10.0.0.129/28 overlaps with 10.0.0.9/24 of eth0 (a network needs a subnet of its own)");
	check_subnet("10.5.0.1/16", "10.5.0.1/16 overlaps with 10.5.0.0/16 via 10.0.0.1 dev eth0 table 9 proto static "
				    "(a network needs a subnet of its own)");
	/* Inside a route with a gateway. */
	check_subnet("10.5.1.1/24", NULL);
	/* Around several, which is told once; and inside one that another one is around. */
	check_subnet("10.200.0.1/8",
		     "10.200.0.1/8 overlaps with 10.0.0.9/24 of eth0 (a network needs a subnet of its own)");
	check_subnet("10.6.64.1/18",
		     "10.6.64.1/18 overlaps with 10.6.0.0/16 dev eth0 (a network needs a subnet of its own)");
	/* Inside what is on the wire itself. */
	check_subnet("10.6.1.1/24",
		     "10.6.1.1/24 overlaps with 10.6.0.0/16 dev eth0 (a network needs a subnet of its own)");
	/* Also without an address there. */
	check_subnet("2001:db9::1/80", "2001:db9::1/80 overlaps with 2001:db9::/64 dev eth0 proto kernel metric "
				       "256 (a network needs a subnet of its own)");
	/* What goes nowhere is in the way like a route with a gateway. */
	check_subnet(
		"172.16.0.1/16",
		"172.16.0.1/16 overlaps with blackhole 172.16.0.0/16 table 77 (a network needs a subnet of its own)");
	check_subnet("172.16.1.1/24", NULL);
	check_subnet("2001:db8::1/40", "2001:db8::1/40 overlaps with unreachable 2001:db8:7::/48 (a network needs a "
				       "subnet of its own)");
}

static void test_a_subnet_that_a_declared_route_has(void **state _unused_)
{
	static const char *const declared[] = {
		"10.1.0.0/16 via 192.0.2.7", /* it is in there, as in the world */
		"10.1.1.0/25 via 192.0.2.7 table 9",
		"10.1.1.0/24 via 192.0.2.7",
		"10.1.0.0/16",
	};
	struct host h;

	for (size_t i = 0; i < ARRAY_SIZE(declared); i++) {
		_cleanup_free_ char *text = xasprintf("[ethernet eth0]\naddress = 192.0.2.1/24\nroute = %s\n"
						      "[network b]\nbridge = brb\nforward = route\n"
						      "address = 10.1.1.1/24\nroute = 10.1.1.128/25 via 10.1.1.9\n",
						      declared[i]);

		resolve_text(&h, text, false);
		assert_int_equal(h.effective.problems.n, i > 0);
		if (i == 1)
			assert_string_equal(h.effective.problems.list[0].text,
					    "10.1.1.1/24 overlaps with 10.1.1.0/25 via 192.0.2.7 dev eth0 table 9 "
					    "proto kvmnetd (test.ini:3) (a network needs a subnet of its own)");
		host_done(&h);
	}
	/* Of a point-to-point link the other end leads on. */
	resolve_text(&h, TWO_NETWORKS "[ethernet eth0]\nroute = 10.0.0.0/8\n", false);
	assert_int_equal(h.effective.problems.n, 1);
	model_find(&h.actual, "eth0")->flags |= IFF_POINTOPOINT;
	effective_done(&h.effective);
	resolve(&(struct resolve_input){.config = h.config, .actual = &h.actual, .ledger = &h.ledger}, &h.effective);
	assert_int_equal(h.effective.problems.n, 0);
	host_done(&h);
}

/* eth0 is of index 3; 9 stands for the network's own bridge. */
static void check_other(const char *address, const struct other_route *r, const char *problem)
{
	_cleanup_free_ char *text = xasprintf("[network b]\nbridge = brb\nforward = route\naddress = %s\n", address);
	struct resolve_input in = {0};
	struct overlaps overlaps = {0};
	const struct link own = {.name = "brb"}, *b, *dev;
	struct host h;

	resolve_text(&h, text, false);
	dev = r->ifindex == 9 ? &own : model_index(&h.actual, r->ifindex);
	b = model_find(&h.config->links, "brb");
	overlaps_add(&overlaps, &b->addresses[0], "brb");
	overlaps_add(&overlaps, &(struct address){.family = AF_INET, .prefix_len = 8, .addr = {99}}, "brc");
	overlaps_sort(&overlaps);
	assert_int_equal(overlaps_note(&overlaps, r, dev), problem != NULL);
	assert_int_equal(overlaps_have(&overlaps, &r->route), problem != NULL);
	/* Another one does not take its place, and itself it is no news. */
	assert_false(overlaps_note(&overlaps, r, dev));
	in = (struct resolve_input){
		.config = h.config, .actual = &h.actual, .ledger = &h.ledger, .overlaps = &overlaps, .asked = true};
	effective_done(&h.effective);
	resolve(&in, &h.effective);
	assert_int_equal(h.effective.problems.n, problem ? 1 : 0);
	assert_int_equal(h.effective.problems.n_errors, h.effective.problems.n);
	if (problem)
		assert_string_equal(h.effective.problems.list[0].text, problem);
	/* Nobody asked for a change: it is only told. */
	in.asked = false;
	effective_done(&h.effective);
	resolve(&in, &h.effective);
	assert_int_equal(h.effective.problems.n, problem ? 1 : 0);
	assert_int_equal(h.effective.problems.n_errors, 0);
	overlaps_done(&overlaps);
	host_done(&h);
}

static void test_a_subnet_that_a_route_outside_the_model_has(void **state _unused_)
{
	struct other_route by_bird = {
		.route = {.family = AF_INET,
			  .dst = {10, 5},
			  .dst_len = 16,
			  .type = 1,
			  .protocol = 12,
			  .table = 77,
			  .has_gateway = true,
			  .gateway = {192, 0, 2, 7}},
		.ifindex = 3,
		.leads_on = true,
	};
	struct other_route on_wire = {
		.route = {.family = AF_INET, .dst = {10, 5}, .dst_len = 16, .type = 1, .table = 254, .metric = 20},
		.ifindex = 3,
		.tos = 16,
	};
	struct other_route hops = {
		.route = {.family = AF_INET6,
			  .dst = {0xfd, 0, 0, 5},
			  .dst_len = 64,
			  .type = 1,
			  .table = 254,
			  .metric = 1024},
		.n_hops = 2,
		.nhid = 7,
		.leads_on = true,
	};
	struct other_route everywhere = {.route = {.family = AF_INET, .type = 1, .table = 254}, .ifindex = 3};

	/* Around it, the same, and inside something wider that leads on. */
	check_other(
		"10.0.0.1/8", &by_bird,
		"10.0.0.1/8 overlaps with 10.5.0.0/16 via 192.0.2.7 dev eth0 table 77 proto bird (a network needs a "
		"subnet of its own)");
	check_other(
		"10.5.0.1/16", &by_bird,
		"10.5.0.1/16 overlaps with 10.5.0.0/16 via 192.0.2.7 dev eth0 table 77 proto bird (a network needs a "
		"subnet of its own)");
	check_other("10.5.1.1/24", &by_bird, NULL);
	check_other("10.6.0.1/16", &by_bird, NULL);
	check_other(
		"10.5.1.1/24", &on_wire,
		"10.5.1.1/24 overlaps with 10.5.0.0/16 tos 0x10 dev eth0 metric 20 (a network needs a subnet of its "
		"own)");
	check_other(
		"fd00:5::1/64", &hops,
		"fd00:5::1/64 overlaps with fd00:5::/64 nhid 7 with 2 next hops (a network needs a subnet of its own)");
	check_other("10.5.1.1/24", &everywhere, NULL);
	/* To guests of the network itself. */
	by_bird.ifindex = 9;
	check_other("10.0.0.1/8", &by_bird, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_subnet_that_others_have),
		cmocka_unit_test(test_a_subnet_that_a_declared_route_has),
		cmocka_unit_test(test_a_subnet_that_a_route_outside_the_model_has),
		cmocka_unit_test(test_forwarding_of_bridges_and_uplinks),
		cmocka_unit_test(test_forwarding_of_the_named_uplink),
		cmocka_unit_test(test_forwarding_of_all_links),
		cmocka_unit_test(test_forwarding_of_a_link_that_waits_for_its_lease),
		cmocka_unit_test(test_forwarding_of_ipv6_keeps_advertised_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
