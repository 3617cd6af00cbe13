/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the configuration parser makes of text: lines as they are in the wild, objects and their places, port
 * sections merged. The messages themselves are test-config-golden.c's.
 */
#include "parsed.h"

#include <linux/rtnetlink.h>

/* Lines. */

static void test_a_line_of_any_length_up_to_the_limit_is_one_line(void **state _unused_)
{
	/* Around inih's 200 bytes and its multiples, with the cut at every place of a word. */
	for (size_t total = 40; total < 900; total++) {
		_cleanup_free_ char *text = NULL;
		size_t len, i = 0;
		FILE *f = xmemstream(&text, &len);
		struct parsed p;

		fputs("[bond bond0]\nports =", f);
		while (fflush(f), len < total)
			fprintf(f, " p%zu%.*s", i, (int)(i % 11), "abcdefghijk"), i++;
		fputs("\nmode = 1\n", f);
		fclose(f);
		p = parse(text);
		assert_string_equal(p.messages, "");
		assert_int_equal(link_of(&p, "bond0")->n_ports, i);
		for (size_t j = 0; j < i; j++) {
			_cleanup_free_ char *name = xasprintf("p%zu%.*s", j, (int)(j % 11), "abcdefghijk");

			assert_string_equal(link_of(&p, "bond0")->ports[j].name, name);
		}
		parsed_done(&p);
	}
}

static void test_the_tail_of_a_long_line_is_no_line_of_its_own(void **state _unused_)
{
	_cleanup_free_ char *text =
		xasprintf("[bond bond0]\n# %0250d mode = 9\n; %0250d\nmode = 1 ; %0250d miimon = x\n"
			  "%*smiimon%*s = %*s100%*s\n",
			  0, 0, 0, 0, "", 300, "", 300, "", 300, "");
	_cleanup_parsed_ struct parsed p = parse(text);

	assert_string_equal(p.messages, "");
	assert_int_equal(values_num(link_of(&p, "bond0")->own, option_row(&kind_bond.own, "miimon"), 0), 100);
}

static void test_a_word_longer_than_any_name_is_an_error(void **state _unused_)
{
	_cleanup_free_ char *text = xasprintf("[bond bond0]\nports = eth0 %0300d eth1\n%0300d = 1\nmode = 1\n", 0, 0);
	_cleanup_parsed_ struct parsed p = parse(text);

	assert_string_equal(p.messages, "x:2: error: [bond bond0] a word of 300 bytes, '0000000000000000...': no value "
					"is longer than 128\n"
					"x:3: error: [bond bond0] the key before '=' has 301 bytes, which is no key\n");
	assert_true(link_of(&p, "bond0")->own->set != 0);
}

static void test_a_line_over_the_limit_is_an_error_and_the_next_is_read(void **state _unused_)
{
	_cleanup_free_ char *text = xasprintf("[bond bond0]\nmiimon = %*s100\nmode = 9\n", CONFIG_LINE_MAX, "");
	_cleanup_parsed_ struct parsed p = parse(text);

	assert_int_equal(p.diags.n, 2);
	assert_string_equal(p.diags.list[0].text, "the line is longer than 65536 bytes");
	assert_int_equal(p.diags.list[1].line, 3);
}

static void test_crlf_bom_and_a_missing_last_newline_are_fine(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p = parse("\xef\xbb\xbf[bond bond0]\r\nports = eth0 eth1\r\n\r\nmode = 1");

	assert_string_equal(p.messages, "");
	assert_int_equal(link_of(&p, "bond0")->n_ports, 2);
	assert_string_equal(link_of(&p, "bond0")->ports[1].name, "eth1");
	assert_int_equal(values_loc(link_of(&p, "bond0")->own, option_row(&kind_bond.own, "mode")).line, 4);
}

static void test_a_nul_byte_is_an_error_of_its_line(void **state _unused_)
{
	static const char text[] = "[bond bond0]\nmode = 1\0;x\n# comment \0\nmiimon = 100\n";
	_cleanup_parsed_ struct parsed p = parse_bytes(text, sizeof(text) - 1);

	assert_string_equal(p.messages, "x:2: error: [bond bond0] the line has a NUL byte\n"
					"x:3: error: [bond bond0] the line has a NUL byte\n");
	assert_int_equal(values_num(link_of(&p, "bond0")->own, option_row(&kind_bond.own, "miimon"), 0), 100);
}

static void test_keys_under_an_unreadable_header_are_nobodys(void **state _unused_)
{
	static const char *const headers[] = {"[bridge", "[bridge \xfc]", "[bridge x y]", "[bridge x] y", "[]",
					      " [",	 "[bridge \x1b]"};
	static const char nul[] = "[bond b]\n[bridge \0x]\nmode = 1\nports = eth0\n";
	_cleanup_parsed_ struct parsed with_nul = parse_bytes(nul, sizeof(nul) - 1);

	assert_int_equal(link_of(&with_nul, "b")->own->set, 0);
	assert_int_equal(with_nul.diags.n, 1);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		_cleanup_free_ char *text = xasprintf("[bond b]\n%s\nmode = 1\nports = eth0\n", headers[i]);
		_cleanup_parsed_ struct parsed p = parse(text);

		assert_int_equal(p.config->links.n_links, 1);
		assert_int_equal(link_of(&p, "b")->own->set, 0);
		assert_int_equal(link_of(&p, "b")->n_ports, 0);
		assert_int_equal(p.diags.n, 1 + startswith(headers[i], " "));
		assert_int_equal(p.diags.list[0].line, 2);
		assert_null(p.diags.list[0].section);
	}
}

static void test_a_section_without_keys_is_there(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p = parse("[bridge one]\n[bridge two]\n[bond three]");

	assert_string_equal(p.messages, "");
	assert_int_equal(p.config->links.n_links, 3);
	assert_ptr_equal(link_of(&p, "two")->kind, &kind_bridge);
	assert_int_equal(link_of(&p, "two")->loc.line, 2);
}

static void test_nothing_is_a_configuration(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p = parse("");
	struct config_files none = {0};
	_cleanup_parsed_ struct parsed q = parse_files(&none);

	assert_string_equal(p.messages, "");
	assert_string_equal(q.messages, "");
	assert_int_equal(q.config->links.n_links, 0);
}

/* Objects. */

static void test_options_lists_and_places_are_kept(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p = parse("[bond bond0]\n"
						 "ports = eth1 eth0\n"
						 "mode = 6\n"
						 "num_unsol_na = 3\n"
						 "ports = eth2\n"
						 "mtu = 9000\n");
	const struct link *l = link_of(&p, "bond0");
	unsigned mode = option_row(&kind_bond.own, "mode"), grat = option_row(&kind_bond.own, "num_grat_arp");

	assert_string_equal(p.messages, "");
	assert_int_equal(l->n_ports, 3);
	assert_string_equal(l->ports[2].name, "eth2");
	assert_int_equal(l->ports[2].loc.line, 5);
	assert_int_equal(values_num(l->own, mode, 0), 6);
	assert_int_equal(values_loc(l->own, mode).line, 3);
	assert_int_equal(values_num(l->own, grat, 0), 3);
	assert_int_equal(l->own->set, 1ull << mode | 1ull << grat);
	assert_int_equal(l->common->set, 1ull << LINK_MTU);
	assert_string_equal(sources_name(&p.config->sources, l->loc), "x");
}

static void test_a_list_option_appends_and_keeps_good_words(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p =
		parse("[bond bond0]\nmode = 1\narp_interval = 100\narp_ip_target = 192.0.2.1\n"
		      "arp_ip_target = 192.0.2.300 192.0.2.2 192.0.2.1\n");
	const struct link *l = link_of(&p, "bond0");
	unsigned row = option_row(&kind_bond.own, "arp_ip_target");

	assert_int_equal(p.diags.n_errors, 2);
	assert_int_equal(p.diags.list[0].line, 5);
	assert_int_equal(p.diags.list[1].line, 5);
	assert_int_equal(values_at(l->own, row).blob->len, 8);
	assert_int_equal(values_loc(l->own, row).line, 4);
}

static void test_addresses_and_routes_have_what_the_kernel_shows(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p =
		parse("[bridge br0]\naddress = 192.0.2.5/24 2001:db8::5/64\n"
		      "gateway = 192.0.2.1 2001:db8::1\n"
		      "route = 10.0.0.0/8 via 192.0.2.2 metric 7 table 9 src 192.0.2.5 mtu 1400\n"
		      "route = 203.0.113.0/24\n"
		      "route = ::/0 via fe80::1 metric 0 table main\n");
	const struct link *l = link_of(&p, "br0");
	const struct route *r = l->routes;

	assert_string_equal(p.messages, "x:6: error: [bridge br0] route: is a second IPv6 default route with metric "
					"1024 in table main: the first is on 'br0' (x:3)\n");
	assert_int_equal(l->n_addresses, 2);
	assert_int_equal(l->addresses[1].family, AF_INET6);
	assert_int_equal(l->addresses[1].prefix_len, 64);
	assert_int_equal(l->addresses[0].valid_lft, UINT32_MAX);
	assert_int_equal(l->addresses[0].proto, KVMNETD_PROTO);
	assert_int_equal(l->n_routes, 5);
	assert_true(r[0].by_gateway && r[0].has_gateway && r[0].dst_len == 0 && r[0].metric == 0);
	assert_true(r[0].table == RT_TABLE_MAIN && r[0].scope == RT_SCOPE_UNIVERSE && r[0].type == RTN_UNICAST);
	assert_true(r[1].family == AF_INET6 && r[1].metric == 1024);
	assert_true(r[2].metric == 7 && r[2].table == 9 && r[2].mtu == 1400 && r[2].has_prefsrc && !r[2].by_gateway);
	assert_true(!r[3].has_gateway && r[3].scope == RT_SCOPE_LINK && r[3].dst_len == 24);
	assert_true(r[4].metric == 1024 && r[4].loc.line == 6 && r[4].protocol == KVMNETD_PROTO);
}

static void test_relations_are_names_and_ports_know_their_master(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p = parse("[bridge br1]\nports = bond0\n[bond bond0]\nports = nic\n"
						 "[vlan v]\nid = 5\nparent = br1\n[ethernet nic]\n"
						 "match_mac = 52:54:00:AA:bb:cc\nmatch_path = pci-0000:0?:00.*\n");

	assert_string_equal(p.messages, "");
	assert_string_equal(link_of(&p, "bond0")->master_name, "br1");
	assert_string_equal(link_of(&p, "nic")->master_name, "bond0");
	assert_string_equal(link_of(&p, "br1")->master_name, "");
	assert_string_equal(link_of(&p, "v")->parent_name, "br1");
	assert_int_equal(link_of(&p, "v")->parent_loc.line, 7);
	assert_int_equal(p.config->n_matches, 1);
	assert_string_equal(p.config->matches[0].label, "nic");
	assert_true(p.config->matches[0].mac == 0x525400aabbcc && !p.config->matches[0].driver);
	assert_string_equal(p.config->matches[0].path, "pci-0000:0?:00.*");
}

static void test_a_refused_section_leaves_no_object(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p =
		parse("[bridge br0]\nmtu = 1500\n[bridge br0]\nmtu = 1600\n[port x]\nguard = 1\n"
		      "[bridge a/b]\n[daemon]\nboot_wait = 1s\n[daemon]\nboot_wait = 2s\n");

	assert_int_equal(p.diags.n_errors, 3);
	assert_int_equal(p.config->links.n_links, 1);
	assert_int_equal(values_num(link_of(&p, "br0")->common, LINK_MTU, 0), 1500);
	assert_int_equal(values_num(p.config->daemon, DAEMON_BOOT_WAIT, 0), 1000);
}

static void test_daemon_settings(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p = parse("[daemon]\nboot_wait = 0\ndrift = report\nadmin_group = kvm\n");

	assert_string_equal(p.messages, "");
	assert_int_equal(values_num(p.config->daemon, DAEMON_BOOT_WAIT, 5000), 0);
	assert_int_equal(values_num(p.config->daemon, DAEMON_DRIFT, DRIFT_REPAIR), DRIFT_REPORT);
	assert_string_equal((const char *)values_at(p.config->daemon, DAEMON_ADMIN_GROUP).blob->data, "kvm");
	assert_false(values_has(p.config->daemon, DAEMON_READ_GROUP));
}

static uint64_t port_number(const struct parsed *p, const char *port, const struct kind *kind, const char *key)
{
	struct values *v = config_port_values(p->config, port, kind);
	uint64_t n = values_num(v, option_row(&kind->port, key), 77);

	values_free(v);
	return n;
}

static void test_port_sections_merge_key_by_key(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p = parse("[port vnet7]\npath_cost = 1\n"
						 "[port vnet*]\npath_cost = 2\npriority = 2\nisolated = yes\n"
						 "[port vnet?]\npriority = 3\nqueue_id = 5\n");

	assert_string_equal(p.messages, "");
	/* The exact name beats globs wherever it stands; the later glob beats the earlier. */
	assert_int_equal(port_number(&p, "vnet7", &kind_bridge, "path_cost"), 1);
	assert_int_equal(port_number(&p, "vnet7", &kind_bridge, "priority"), 3);
	assert_int_equal(port_number(&p, "vnet7", &kind_bridge, "isolated"), 1);
	assert_int_equal(port_number(&p, "vnet12", &kind_bridge, "path_cost"), 2);
	assert_int_equal(port_number(&p, "vnet12", &kind_bridge, "priority"), 2);
	/* Each kind of master sees its own keys. */
	assert_int_equal(port_number(&p, "vnet7", &kind_bond, "queue_id"), 5);
	assert_null(config_port_values(p.config, "vnet12", &kind_bond));
	assert_null(config_port_values(p.config, "eth0", &kind_bridge));
	assert_null(config_port_values(p.config, "vnet7", &kind_vlan));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_of_any_length_up_to_the_limit_is_one_line),
		cmocka_unit_test(test_the_tail_of_a_long_line_is_no_line_of_its_own),
		cmocka_unit_test(test_a_word_longer_than_any_name_is_an_error),
		cmocka_unit_test(test_a_line_over_the_limit_is_an_error_and_the_next_is_read),
		cmocka_unit_test(test_crlf_bom_and_a_missing_last_newline_are_fine),
		cmocka_unit_test(test_a_nul_byte_is_an_error_of_its_line),
		cmocka_unit_test(test_keys_under_an_unreadable_header_are_nobodys),
		cmocka_unit_test(test_a_section_without_keys_is_there),
		cmocka_unit_test(test_nothing_is_a_configuration),
		cmocka_unit_test(test_options_lists_and_places_are_kept),
		cmocka_unit_test(test_a_list_option_appends_and_keeps_good_words),
		cmocka_unit_test(test_addresses_and_routes_have_what_the_kernel_shows),
		cmocka_unit_test(test_relations_are_names_and_ports_know_their_master),
		cmocka_unit_test(test_a_refused_section_leaves_no_object),
		cmocka_unit_test(test_daemon_settings),
		cmocka_unit_test(test_port_sections_merge_key_by_key),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
