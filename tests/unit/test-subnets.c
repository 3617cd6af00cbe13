/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: `address = auto` and `dhcp_range = auto`: what is free, what is taken, and that what was chosen stays. */
#include "../../netd/plan/choose-subnets.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define AUTO "[network a]\nbridge = bra\naddress = auto\ndhcp_range = auto\n"

static struct link *add_link(struct model *m)
{
	struct link *l = link_new("eth0", &kind_ethernet);

	l->ifindex = 2;
	model_add(m, l);
	return l;
}

static void add_route(struct link *l, uint8_t a, uint8_t b, uint8_t c, uint8_t len)
{
	*ARRAY_APPEND(l->routes, l->n_routes) =
		(struct route){.family = AF_INET, .dst = {a, b, c}, .dst_len = len, .table = 77};
}

static void assert_chosen(const struct config *c, size_t i, const char *expected)
{
	const struct network *n = c->networks[i];
	const struct address *a = network_chosen(n, model_find(&c->links, n->bridge));
	struct ip ip;
	char text[INET6_ADDRSTRLEN];

	assert_non_null(a);
	assert_int_equal(a->prefix_len, 24);
	ip = ip_of_address(a);
	assert_string_equal(ip_format(&ip, text), expected);
}

static void test_the_lowest_free_one_and_its_range(void **state _unused_)
{
	struct config *c = world_config(
		AUTO "[network b]\nbridge = brb\naddress = auto\n[bridge c]\naddress = 192.168.129.5/30\n");
	struct model actual = MODEL_NULL;
	struct dhcp_range *r;
	char text[INET6_ADDRSTRLEN];

	choose_subnets(c, &actual, NULL, NULL);
	assert_chosen(c, 0, "192.168.128.1");
	assert_chosen(c, 1, "192.168.130.1");
	assert_int_equal(c->networks[0]->n_ranges, 1);
	r = &c->networks[0]->ranges[0];
	assert_string_equal(ip_format(&r->from, text), "192.168.128.2");
	assert_string_equal(ip_format(&r->to, text), "192.168.128.254");
	/* Again: what was chosen stays. */
	choose_subnets(c, &actual, NULL, NULL);
	assert_chosen(c, 0, "192.168.128.1");
	assert_int_equal(c->networks[0]->n_ranges, 1);
	config_free(c);
}

static void test_no_address_and_no_route_of_the_host_is_touched(void **state _unused_)
{
	struct config *c = world_config(AUTO);
	struct model actual = MODEL_NULL;
	struct link *eth0 = add_link(&actual);
	struct taken_subnets others = {0};

	*ARRAY_APPEND(eth0->addresses, eth0->n_addresses) =
		(struct address){.family = AF_INET, .prefix_len = 32, .addr = {192, 168, 128, 200}};
	add_route(eth0, 192, 168, 129, 25);
	add_route(eth0, 192, 168, 130, 23);
	/* The default route, whole and in halves. */
	add_route(eth0, 0, 0, 0, 0);
	add_route(eth0, 128, 0, 0, 1);
	/* What goes nowhere is taken, too. */
	*ARRAY_APPEND(actual.nowhere, actual.n_nowhere) =
		(struct route){.family = AF_INET, .dst = {192, 168, 132}, .dst_len = 24, .table = 77};
	/* So is what only a routing daemon knows of; outside the pool it is not remembered. */
	taken_subnets_add(&others, &(struct route){.family = AF_INET, .dst = {192, 168, 133}, .dst_len = 26});
	taken_subnets_add(&others, &(struct route){.family = AF_INET, .dst = {192, 168, 127}, .dst_len = 24});
	taken_subnets_add(&others, &(struct route){.family = AF_INET, .dst = {11}, .dst_len = 8});
	assert_int_equal(others.n, 1);
	choose_subnets(c, &actual, &others, NULL);
	free(others.list);
	assert_chosen(c, 0, "192.168.134.1");
	config_free(c);
	model_done(&actual);
}

static void test_the_pool_goes_on_and_ends(void **state _unused_)
{
	struct config *c = world_config(AUTO);
	struct model actual = MODEL_NULL;
	struct link *eth0 = add_link(&actual);

	add_route(eth0, 192, 168, 0, 16);
	add_route(eth0, 10, 128, 0, 10);
	choose_subnets(c, &actual, NULL, NULL);
	assert_chosen(c, 0, "10.192.0.1");
	config_free(c);
	c = world_config(AUTO);
	add_route(eth0, 10, 0, 0, 8);
	choose_subnets(c, &actual, NULL, NULL);
	assert_null(network_chosen(c->networks[0], model_find(&c->links, "bra")));
	config_free(c);
	model_done(&actual);
}

static void check_range(const char *address, const char *from, const char *to)
{
	_cleanup_free_ char *text = xasprintf("[network a]\nbridge = bra\naddress = %s\ndhcp_range = auto\n", address);
	struct config *c = world_config(text);
	const struct dhcp_range *r = c->networks[0]->ranges;
	char found[INET6_ADDRSTRLEN];

	assert_int_equal(c->networks[0]->n_ranges, 1);
	assert_string_equal(ip_format(&r->from, found), from);
	assert_string_equal(ip_format(&r->to, found), to);
	config_free(c);
}

static void test_the_range_is_the_wider_side(void **state _unused_)
{
	check_range("10.0.0.1/24", "10.0.0.2", "10.0.0.254");
	check_range("10.0.0.254/24", "10.0.0.1", "10.0.0.253");
	check_range("10.0.0.200/16", "10.0.0.201", "10.0.255.254");
	check_range("fd00::1/64 10.0.0.2/30", "10.0.0.1", "10.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_lowest_free_one_and_its_range),
		cmocka_unit_test(test_no_address_and_no_route_of_the_host_is_touched),
		cmocka_unit_test(test_the_pool_goes_on_and_ends),
		cmocka_unit_test(test_the_range_is_the_wider_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
