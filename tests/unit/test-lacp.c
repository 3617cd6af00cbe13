/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what is read of /proc/net/bonding, as bond_procfs.c of Linux 6.1 writes it. */
#include "../../netd/kernel/lacp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char head[] = "Ethernet Channel Bonding Driver: v6.1.0\n"
			   "\n"
			   "Bonding Mode: IEEE 802.3ad Dynamic link aggregation\n"
			   "MII Status: up\n"
			   "\n"
			   "802.3ad info\n"
			   "System MAC address: 0c:42:a1:00:00:01\n"
			   "Active Aggregator Info:\n"
			   "\tAggregator ID: 1\n";

#define PORT(name)                                                                                                     \
	"\nSlave Interface: " name "\n"                                                                                \
	"MII Status: up\n"                                                                                             \
	"Permanent HW addr: 0c:42:a1:00:00:01\n"

#define SPEAKS                                                                                                         \
	"Aggregator ID: 1\n"                                                                                           \
	"Actor Churn State: none\n"                                                                                    \
	"Partner Churn State: churned\n"                                                                               \
	"Actor Churned Count: 0\n"                                                                                     \
	"Partner Churned Count: 3\n"                                                                                   \
	"details actor lacp pdu:\n"                                                                                    \
	"    system priority: 65535\n"                                                                                 \
	"    system mac address: 0c:42:a1:00:00:01\n"                                                                  \
	"    port key: 15\n"                                                                                           \
	"    port priority: 255\n"                                                                                     \
	"    port number: 1\n"                                                                                         \
	"    port state: 61\n"                                                                                         \
	"details partner lacp pdu:\n"                                                                                  \
	"    system priority: 32768\n"                                                                                 \
	"    system mac address: 00:1c:73:00:00:99\n"                                                                  \
	"    oper key: 32773\n"                                                                                        \
	"    port priority: 128\n"                                                                                     \
	"    port number: 17\n"                                                                                        \
	"    port state: 63\n"

static int parse(const char *text, struct lacp_port **ret)
{
	_cleanup_free_ char *all = xasprintf("%s%s", head, text);
	FILE *f = fmemopen(all, strlen(all), "r");
	int n = lacp_parse(f, ret);

	fclose(f);
	return n;
}

static void both_sides_of_each_port_are_read(void **state _unused_)
{
	_cleanup_free_ struct lacp_port *p = NULL;

	assert_int_equal(parse(PORT("eth0") SPEAKS PORT("eth1") SPEAKS, &p), 2);
	assert_string_equal(p[0].name, "eth0");
	assert_string_equal(p[1].name, "eth1");
	assert_string_equal(p[1].actor.churn, "none");
	assert_string_equal(p[1].actor.system, "0c:42:a1:00:00:01");
	assert_int_equal(p[1].actor.key, 15);
	assert_int_equal(p[1].actor.port, 1);
	assert_string_equal(p[1].partner.churn, "churned");
	assert_int_equal(p[1].partner.churned, 3);
	assert_int_equal(p[1].partner.system_priority, 32768);
	assert_int_equal(p[1].partner.key, 32773);
	assert_int_equal(p[1].partner.port_priority, 128);
	assert_int_equal(p[1].partner.port, 17);
}

static void a_port_without_an_aggregator_says_nothing(void **state _unused_)
{
	struct lacp_port *p = NULL;

	assert_int_equal(parse(PORT("eth0") "Aggregator ID: N/A\n" PORT("eth1") SPEAKS PORT("eth2"), &p), 1);
	assert_string_equal(p[0].name, "eth1");
	assert_string_equal(p[0].partner.system, "00:1c:73:00:00:99");
	free(p);
	p = NULL;
	assert_int_equal(parse("", &p), 0);
	free(p);
	assert_int_equal(lacp_read("no-such-bond", &p), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_of_each_port_are_read),
		cmocka_unit_test(a_port_without_an_aggregator_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
