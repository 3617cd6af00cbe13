/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the set of links under many additions, removals and renames; copies; addresses and routes. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <time.h>

#include "rows.h"

#define LINKS 3000
#define STEPS 20000
#define MASTERS 5u

static unsigned seed;

static int print_seed(void **state _unused_)
{
	seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);
	print_message("seed %u (SEED=%u repeats)\n", seed, seed);
	srandom(seed);
	return 0;
}

static void name_of(unsigned i, unsigned generation, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, generation ? "g%u-%u" : "vlan%u", generation ? generation % 1000 : i, i);
}

static void relatives_agree_with_the_links(const struct model *m)
{
	for (uint32_t of = 1; of <= MASTERS; of++) {
		size_t port = 0, upper = 0;

		for (size_t i = 0; i < m->n_links; i++) {
			if (m->links[i]->master == of)
				assert_ptr_equal(model_next_port(m, of, &port), m->links[i]);
			if (m->links[i]->parent == of)
				assert_ptr_equal(model_next_upper(m, of, &upper), m->links[i]);
		}
		assert_null(model_next_port(m, of, &port));
		assert_null(model_next_upper(m, of, &upper));
	}
}

/* Every link is found by its name, its index and what it is attached to, and nothing else is. */
static void lookups_agree_with_a_plain_list(void **state _unused_)
{
	static struct link *mirror[LINKS];
	static unsigned generation[LINKS];
	struct model m = MODEL_NULL;
	char name[IFNAMSIZ];
	size_t n = 0;

	assert_null(model_find(&m, "eth0"));
	assert_null(model_index(&m, 1));
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)random() % LINKS;

		if (!mirror[i]) {
			name_of(i, generation[i], name);
			mirror[i] = link_new(name, &kind_ethernet);
			mirror[i]->ifindex = i % 7 ? i + 1 : 0;
			mirror[i]->master = i % 7 ? 1 + i % MASTERS : 0;
			model_add(&m, mirror[i]);
			n++;
		} else if (random() % 8 == 0 && i % 7) {
			model_relate(&m, mirror[i], 1 + (uint32_t)random() % MASTERS, 1 + i % MASTERS);
		} else if (random() % 2) {
			assert_ptr_equal(model_take(&m, mirror[i]), mirror[i]);
			mirror[i] = link_free(mirror[i]);
			n--;
		} else {
			name_of(i, ++generation[i], name);
			model_rename(&m, mirror[i], name);
		}
	}
	assert_int_equal(m.n_links, n);
	for (unsigned i = 0; i < LINKS; i++) {
		name_of(i, generation[i], name);
		assert_ptr_equal(model_find(&m, name), mirror[i]);
		assert_ptr_equal(model_index(&m, i + 1), i % 7 ? mirror[i] : NULL);
		if (mirror[i])
			assert_ptr_equal(m.links[mirror[i]->position], mirror[i]);
		name_of(i, generation[i] + 1, name);
		assert_null(model_find(&m, name));
	}
	assert_null(model_index(&m, 0));
	relatives_agree_with_the_links(&m);
	model_done(&m);
	assert_int_equal(m.n_links, 0);
}

static struct link *full_link(void)
{
	struct link *l = link_new("br0", &kind_bridge);
	unsigned row = option_row(l->own->table, "vlans");
	struct name_ref *port = ARRAY_APPEND(l->ports, l->n_ports);

	values_put(l->own, row, must_parse(&l->own->table->rows[row], "10 20-29"), (struct loc){1, 5});
	port->name = xstrdup("eth0");
	ARRAY_APPEND(l->addresses, l->n_addresses)->prefix_len = 24;
	ARRAY_APPEND(l->routes, l->n_routes)->metric = 7;
	ARRAY_APPEND(l->vlans, l->n_vlans)->vid = 10;
	ARRAY_APPEND(l->vlans, l->n_vlans)->vid = 20;
	l->altnames = xmemdup("lan\0uplink0\0", 13);
	l->parent_dev = xstrdup("pci-0000:02:00.0");
	l->driver = xstrdup("e1000e");
	l->waits_for = xstrdup("eth0");
	strcpy(l->master_name, "bond0");
	return l;
}

static void copies_share_nothing(void **state _unused_)
{
	struct link *l = full_link(), *copy = link_copy(l);

	l = link_free(l);
	assert_null(l);
	assert_string_equal(copy->name, "br0");
	assert_string_equal(copy->master_name, "bond0");
	assert_string_equal(copy->ports[0].name, "eth0");
	assert_string_equal(copy->parent_dev, "pci-0000:02:00.0");
	assert_string_equal(copy->driver, "e1000e");
	assert_string_equal(copy->waits_for, "eth0");
	assert_memory_equal(copy->altnames, "lan\0uplink0\0", 13);
	assert_int_equal(copy->addresses[0].prefix_len, 24);
	assert_int_equal(copy->routes[0].metric, 7);
	assert_int_equal(copy->vlans[1].vid, 20);
	assert_int_equal(values_loc(copy->own, option_row(copy->own->table, "vlans")).line, 5);
	/* What was copied can grow. */
	ARRAY_APPEND(copy->vlans, copy->n_vlans)->vid = 30;
	ARRAY_APPEND(copy->vlans, copy->n_vlans)->vid = 40;
	assert_int_equal(copy->vlans[3].vid, 40);
	link_free(copy);
	assert_null(link_free(NULL));
}

static void altnames_are_found_after_names(void **state _unused_)
{
	struct model m = MODEL_NULL;
	struct link *a = full_link(), *b = link_new("lan", &kind_ethernet);

	model_add(&m, a);
	assert_ptr_equal(model_find_any(&m, "uplink0"), a);
	assert_ptr_equal(model_find_any(&m, "lan"), a);
	assert_null(model_find(&m, "lan"));
	model_add(&m, b);
	assert_ptr_equal(model_find_any(&m, "lan"), b);
	assert_null(model_find_any(&m, "la"));
	assert_null(model_find_any(&m, ""));
	link_free(model_take(&m, a));
	assert_null(model_find_any(&m, "uplink0"));
	model_done(&m);
}

static void relations_go_by_name_or_by_index(void **state _unused_)
{
	struct model m = MODEL_NULL;
	struct link *br = link_new("br0", &kind_bridge), *nic = link_new("eth0", &kind_ethernet);
	struct link *vlan = link_new("eth0.5", &kind_vlan);

	br->ifindex = 3;
	nic->ifindex = 4;
	nic->master = 3;
	strcpy(vlan->parent_name, "eth0");
	strcpy(vlan->master_name, "br0");
	model_add(&m, br);
	model_add(&m, nic);
	model_add(&m, vlan);
	assert_ptr_equal(model_master(&m, nic), br);
	assert_ptr_equal(model_master(&m, vlan), br);
	assert_ptr_equal(model_parent(&m, vlan), nic);
	assert_null(model_master(&m, br));
	assert_null(model_parent(&m, nic));
	model_relate(&m, nic, 99, 0);
	assert_null(model_master(&m, nic));
	model_done(&m);
}

static void declared_names_equal_the_kernels_indexes(void **state _unused_)
{
	struct model m = MODEL_NULL;
	struct link *nic = link_new("eth0", &kind_ethernet);
	const struct option *o = find(&kind_bond.own, "primary"), *number = find(&kind_bond.own, "miimon");
	union value want = must_parse(o, "eth0"), have = ifname_from_index(4), other = ifname_from_index(5);
	_cleanup_free_ char *name = NULL, *unknown = NULL;

	nic->ifindex = 4;
	model_add(&m, nic);
	assert_true(value_equal(&m, o, want, have));
	assert_false(value_equal(&m, o, want, other));
	assert_false(value_equal(&m, o, want, (union value){0}));
	assert_false(value_equal(&m, o, (union value){0}, have));
	assert_true(value_equal(&m, o, (union value){0}, (union value){0}));
	assert_true(value_equal(&m, number, (union value){.num = 5}, (union value){.num = 5}));
	name = value_text_in(&m, o, have);
	unknown = value_text_in(&m, o, other);
	assert_string_equal(name, "eth0");
	assert_string_equal(unknown, "ifindex 5");
	value_free(o, want);
	value_free(o, have);
	value_free(o, other);
	model_done(&m);
}

static struct address address(const char *text, uint8_t prefix_len)
{
	struct address a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET, .prefix_len = prefix_len};

	assert_int_equal(inet_pton(a.family, text, a.addr), 1);
	return a;
}

typedef void print_fn(const void *what, FILE *f);

static void print_address(const void *what, FILE *f)
{
	address_print(what, f);
}

static void print_route(const void *what, FILE *f)
{
	route_print(what, f);
}

static void assert_printed(print_fn *fn, const void *what, const char *expected)
{
	char buf[256] = "";
	FILE *f = fmemopen(buf, sizeof(buf), "w");

	fn(what, f);
	fclose(f);
	assert_string_equal(buf, expected);
}

static void addresses_are_told_apart_as_the_kernel_does(void **state _unused_)
{
	struct address a = address("192.0.2.1", 24), b = a, c = address("192.0.2.1", 25);
	struct address d = address("192.0.2.2", 24), v6 = address("2001:db8::1", 64);

	b.flags = IFA_F_PERMANENT;
	b.addr[15] = 1; /* past an IPv4 address */
	assert_true(address_same(&a, &b));
	assert_false(address_same(&a, &c));
	assert_false(address_same(&a, &d));
	assert_false(address_same(&a, &v6));
	assert_printed(print_address, &a, "192.0.2.1/24");
	assert_printed(print_address, &v6, "2001:db8::1/64");
}

static void routes_are_told_apart_as_the_kernel_does(void **state _unused_)
{
	struct route a = {.family = AF_INET, .dst_len = 24, .table = RT_TABLE_MAIN, .type = RTN_UNICAST};
	struct route b, v6 = {.family = AF_INET6, .table = 100, .metric = 1024, .type = RTN_UNICAST, .mtu = 1400};

	inet_pton(AF_INET, "198.51.100.0", a.dst);
	inet_pton(AF_INET, "192.0.2.1", a.gateway);
	a.has_gateway = true;
	b = a;
	assert_true(route_same(&a, &b) && route_equal(&a, &b));
	b.gateway[3] = 9;
	assert_true(route_same(&a, &b));
	assert_false(route_equal(&a, &b));
	b = a;
	b.mtu = 1400;
	assert_false(route_equal(&a, &b));
	b = a;
	b.has_prefsrc = true;
	assert_false(route_equal(&a, &b));
	b = a;
	b.protocol = RTPROT_DHCP;
	assert_true(route_same(&a, &b));
	assert_false(route_equal(&a, &b));
	b = a;
	b.metric = 5;
	assert_false(route_same(&a, &b));
	b = a;
	b.table = 5;
	assert_false(route_same(&a, &b));
	b = a;
	b.dst_len = 25;
	assert_false(route_same(&a, &b));
	assert_printed(print_route, &a, "198.51.100.0/24 via 192.0.2.1");
	a.metric = 100;
	a.has_prefsrc = true;
	inet_pton(AF_INET, "192.0.2.7", a.prefsrc);
	assert_printed(print_route, &a, "198.51.100.0/24 via 192.0.2.1 metric 100 src 192.0.2.7");
	assert_printed(print_route, &v6, "default table 100 mtu 1400");
	v6.type = RTN_UNREACHABLE;
	v6.metric = 5;
	assert_printed(print_route, &v6, "unreachable default metric 5 table 100 mtu 1400");
}

static void places_name_their_file(void **state _unused_)
{
	struct sources s = {0};

	assert_int_equal(sources_add(&s, "a.ini"), 1);
	assert_int_equal(sources_add(&s, "b.ini"), 2);
	assert_string_equal(sources_name(&s, (struct loc){2, 9}), "b.ini");
	assert_null(sources_name(&s, LOC_NONE));
	assert_null(sources_name(&s, (struct loc){3, 9}));
	for (unsigned i = 3; i <= LOC_FILES_MAX; i++)
		assert_int_equal(sources_add(&s, "c.ini"), i);
	assert_int_equal(sources_add(&s, "d.ini"), -E2BIG);
	sources_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups_agree_with_a_plain_list),
		cmocka_unit_test(copies_share_nothing),
		cmocka_unit_test(altnames_are_found_after_names),
		cmocka_unit_test(relations_go_by_name_or_by_index),
		cmocka_unit_test(declared_names_equal_the_kernels_indexes),
		cmocka_unit_test(addresses_are_told_apart_as_the_kernel_does),
		cmocka_unit_test(routes_are_told_apart_as_the_kernel_does),
		cmocka_unit_test(places_name_their_file),
	};

	return cmocka_run_group_tests(tests, print_seed, NULL);
}
