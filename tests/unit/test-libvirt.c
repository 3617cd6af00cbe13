/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: libvirt's own networks: what is read of its XML, and what is said to a network of ours that is in their way.
 */
#include "../../netd/plan/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* As virsh net-define writes it. */
#define DEFAULT                                                                                                        \
	"<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE. <name>no</name>\n  virsh net-edit default\n-->\n\n"            \
	"<network>\n  <name>default</name>\n  <uuid>0f7e</uuid>\n  <forward mode='nat'/>\n"                            \
	"  <bridge name='virbr0' stp='on' delay='0'/>\n  <mac address='52:54:00:3e:5f:e8'/>\n"                         \
	"  <domain name='guests' localOnly='yes'/>\n"                                                                  \
	"  <ip address='192.168.122.1' netmask='255.255.255.0'>\n    <dhcp>\n"                                         \
	"      <range start='192.168.122.2' end='192.168.122.254'/>\n"                                                 \
	"      <host mac='52:54:00:00:00:01' name='vm1' ip='192.168.122.10'/>\n    </dhcp>\n  </ip>\n"                 \
	"  <ip family=\"ipv6\" address=\"fd00:122::1\" prefix=\"64\"/>\n"                                              \
	"  <portgroup name='x'><bridge name='not-this'/></portgroup>\n</network>\n"

static struct libvirt_networks parse(const char *text, int expected)
{
	struct libvirt_networks n = {0};

	assert_int_equal(libvirt_parse(text, &n), expected);
	assert_int_equal(n.n, expected ? 0 : 1);
	return n;
}

static void test_what_a_network_occupies(void **state _unused_)
{
	static const char *const texts[] = {DEFAULT, "<?xml version='1.0'?><networkstatus><floor sum='0'/>" DEFAULT
						     "</networkstatus>"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct libvirt_networks n = parse(texts[i], 0);
		const struct libvirt_network *one = n.list;

		assert_string_equal(one->name, "default");
		assert_string_equal(one->bridge, "virbr0");
		assert_int_equal(one->n_addresses, 2);
		assert_int_equal(one->addresses[0].prefix_len, 24);
		assert_int_equal(one->addresses[0].addr[2], 122);
		assert_int_equal(one->addresses[1].family, AF_INET6);
		assert_int_equal(one->addresses[1].prefix_len, 64);
		libvirt_networks_done(&n);
	}
}

static void test_what_is_no_bridge_of_libvirts(void **state _unused_)
{
	/* A bridge of the host that its guests use; no bridge at all; another file. */
	parse("<network><name>a</name><forward mode='bridge'/><bridge name='br0'/></network>", -ENOENT);
	parse("<network><name>a</name><forward mode='hostdev' managed='yes'/></network>", -ENOENT);
	parse("<domain><name>a</name><bridge name='br0'/></domain>", -ENOENT);
	parse("", -ENOENT);
	/* Broken off at every place, it is nothing that is read past its end. */
	for (size_t len = 0; len + 2 < strlen(DEFAULT); len++) {
		_cleanup_free_ char *text = xasprintf("%.*s", (int)len, DEFAULT);
		struct libvirt_networks n = {0};

		assert_int_not_equal(libvirt_parse(text, &n), 0);
		libvirt_networks_done(&n);
	}
}

static void assert_problem(const char *ini, const char *expected)
{
	struct libvirt_networks twice = parse(DEFAULT, 0);
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	struct model actual = MODEL_NULL;
	struct ledger ledger = LEDGER_NULL;
	struct effective e;
	struct resolve_input in = {.actual = &actual, .ledger = &ledger, .libvirt = &twice};
	struct config *c;

	assert_int_equal(libvirt_parse(DEFAULT, &twice), 0);
	config_files_add(&files, "test.ini", ini, strlen(ini));
	in.config = c = config_parse(&files, &d);
	assert_int_equal(d.n, 0);
	resolve(&in, &e);
	assert_int_equal(e.problems.n, expected ? 1 : 0);
	if (expected)
		assert_string_equal(e.problems.list[0].text, expected);
	effective_done(&e);
	config_free(c);
	config_files_done(&files);
	diags_done(&d);
	libvirt_networks_done(&twice);
}

static void test_what_a_network_of_ours_is_told(void **state _unused_)
{
	assert_problem(
		"[network a]\nbridge = virbr0\nforward = isolated\n",
		"virbr0 is that of libvirt's network 'default' (to take it over: virsh net-destroy default; virsh "
		"net-undefine default)");
	assert_problem(
		"[network a]\nbridge = bra\naddress = 192.168.122.129/25\n",
		"192.168.122.129/25 overlaps with the subnet of libvirt's network 'default' (to take it over: virsh "
		"net-destroy default; virsh net-undefine default)");
	assert_problem("[network a]\nbridge = bra\naddress = 192.168.123.1/24\n", NULL);
	/* A bridge of the host is nobody's network. */
	assert_problem("[bridge br0]\naddress = 192.168.122.9/24\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_network_occupies),
		cmocka_unit_test(test_what_is_no_bridge_of_libvirts),
		cmocka_unit_test(test_what_a_network_of_ours_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
