/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: other firewalls: what iptables is told, when it is told nothing, and what an operator is told instead. */
#include "../../netd/plan/assist.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/netfilter.h>

#define NETWORKS                                                                                                       \
	"[network a]\nbridge = bra\naddress = 10.0.0.1/24\ndhcp_range = auto\n"                                        \
	"[network b]\nbridge = brb\naddress = fd00::1/64\nforward = route\n"                                           \
	"[network c]\nbridge = brc\naddress = 10.0.1.1/24\nforward = open\ndns = no\n"

static struct foreign_chain *add_base(struct foreign *f, uint8_t family, const char *name, bool drops)
{
	struct foreign_chain *c = foreign_add_chain(f, family, "filter", name);

	c->hook = streq(name, "FORWARD") ? FOREIGN_FORWARD : FOREIGN_INPUT;
	c->policy_drops = drops;
	return c;
}

/* What Docker and ufw leave behind together. */
static struct foreign docker_and_ufw(void)
{
	struct foreign f = FOREIGN_NULL;

	add_base(&f, NFPROTO_IPV4, "FORWARD", true);
	add_base(&f, NFPROTO_IPV4, "INPUT", true);
	add_base(&f, NFPROTO_IPV6, "FORWARD", false)->end_drops = true;
	add_base(&f, NFPROTO_IPV6, "INPUT", false);
	return f;
}

static void assert_words(struct blob *b, const char *expected)
{
	const struct option *o = &link_options.rows[LINK_IPTABLES];
	_cleanup_free_ char *text = b ? value_text(o, (union value){.blob = b}) : xstrdup("");

	assert_string_equal(text, expected);
	free(b);
}

static void test_what_drops_is_to_accept(void **state _unused_)
{
	struct config *c = world_config(NETWORKS);
	struct foreign f = docker_and_ufw(), none = FOREIGN_NULL;

	assert_words(assist_wanted(c, &f), "dhcp:bra dns:bra forward6:brb forward:bra");
	assert_words(assist_wanted(c, &none), "");
	foreign_done(&f);
	add_base(&f, NFPROTO_IPV4, "FORWARD", false);
	assert_words(assist_wanted(c, &f), "");
	foreign_done(&f);
	config_free(c);
}

#define RULES                                                                                                          \
	"-A KVMNETD-FWD -i bra -m comment --comment \"kvmnetd forward:bra 1/2\" -j ACCEPT\n"                           \
	"-A KVMNETD-FWD -o bra -m comment --comment \"kvmnetd forward:bra 2/2\" -j ACCEPT\n"

static void assert_commands(const struct blob *words, const struct foreign *f, uint8_t family, const char *expected)
{
	_cleanup_free_ char *text = assist_commands(words, f, family);

	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(text);
}

static void test_what_iptables_is_told(void **state _unused_)
{
	static const char words[] = "dhcp6:brb\0forward:bra";
	struct blob *b = blob_new(words, sizeof(words));
	struct foreign f = docker_and_ufw();

	assert_commands(b, &f, NFPROTO_IPV4,
			"*filter\n:KVMNETD-FWD - [0:0]\n"
			"-I FORWARD -m comment --comment kvmnetd -j KVMNETD-FWD\n" RULES "COMMIT\n");
	assert_commands(
		b, &f, NFPROTO_IPV6,
		"*filter\n:KVMNETD-IN - [0:0]\n-I INPUT -m comment --comment kvmnetd -j KVMNETD-IN\n"
		"-A KVMNETD-IN -i brb -p udp --dport 547 -m comment --comment \"kvmnetd dhcp6:brb 1/2\" -j ACCEPT\n"
		"-A KVMNETD-IN -i brb -p ipv6-icmp -m comment --comment \"kvmnetd dhcp6:brb 2/2\" -j ACCEPT\n"
		"COMMIT\n");
	/* It leads there already; what there is of the other chain goes. */
	f.chains[0].has_jump = true;
	f.chains[1].has_jump = true;
	foreign_add_own_chain(&f, NFPROTO_IPV4, ASSIST_FORWARD);
	foreign_add_own_chain(&f, NFPROTO_IPV4, ASSIST_INPUT);
	assert_commands(b, &f, NFPROTO_IPV4,
			"*filter\n:KVMNETD-FWD - [0:0]\n" RULES
			"-D INPUT -m comment --comment kvmnetd -j KVMNETD-IN\n-F KVMNETD-IN\n-X KVMNETD-IN\nCOMMIT\n");
	assert_commands(NULL, &f, NFPROTO_IPV6, NULL);
	foreign_done(&f);
	/* Whose tables are gone gets none from us. */
	assert_commands(b, &f, NFPROTO_IPV4, NULL);
	free(b);
}

static void test_found_is_only_what_is_whole_and_led_to(void **state _unused_)
{
	struct foreign f = docker_and_ufw();

	foreign_add_rule(&f, NFPROTO_IPV4, ASSIST_FORWARD, "kvmnetd forward:bra 1/2");
	foreign_add_rule(&f, NFPROTO_IPV4, ASSIST_INPUT, "kvmnetd dhcp:bra 1/1");
	assert_words(assist_found(&f), "");
	f.chains[0].has_jump = true;
	f.chains[1].has_jump = true;
	assert_words(assist_found(&f), "dhcp:bra");
	foreign_add_rule(&f, NFPROTO_IPV4, ASSIST_FORWARD, "kvmnetd forward:bra 2/2");
	assert_words(assist_found(&f), "dhcp:bra forward:bra");
	/* Twice, in another chain, of nobody. */
	foreign_add_rule(&f, NFPROTO_IPV4, ASSIST_INPUT, "kvmnetd dhcp:bra 1/1");
	foreign_add_rule(&f, NFPROTO_IPV4, ASSIST_INPUT, "kvmnetd forward:brc 1/2");
	foreign_add_rule(&f, NFPROTO_IPV4, ASSIST_INPUT, "somebody's");
	assert_words(assist_found(&f), "forward:bra");
	foreign_done(&f);
}

static void add_text(const char *text, void *userdata)
{
	char **all = userdata;
	char *old = *all;

	*all = xasprintf("%s%s\n", old, text);
	free(old);
}

static void assert_warned(const char *setting, const struct foreign *f, const char *expected)
{
	_cleanup_free_ char *ini = xasprintf(NETWORKS "[daemon]\nforeign_firewall = %s\n", setting);
	_cleanup_free_ char *text = xstrdup("");
	struct config *c = world_config(ini);

	assist_warn(c, f, add_text, &text);
	assert_string_equal(text, expected);
	config_free(c);
}

static void test_what_an_operator_is_told(void **state _unused_)
{
	struct foreign f = FOREIGN_NULL;
	struct foreign_chain *own;

	add_base(&f, NFPROTO_IPV4, "FORWARD", true);
	own = foreign_add_chain(&f, NFPROTO_INET, "mine", "fwd");
	own->end_drops = true;
	assert_warned("off", &f, "");
	assert_warned(
		"assist", &f,
		"another firewall drops what guests send and receive: chain fwd of nftables' table inet mine (nft "
		"insert rule inet mine fwd iifname bra accept; nft insert rule inet mine fwd oifname bra accept)\n");
	/* Its rules name that bridge: the next one is told of. */
	own->links = xcalloc(1, sizeof(*own->links));
	strcpy(own->links[0], "bra");
	own->n_links = 1;
	assert_warned(
		"assist", &f,
		"another firewall drops what guests send and receive: chain fwd of nftables' table inet mine (nft "
		"insert rule inet mine fwd iifname brb accept; nft insert rule inet mine fwd oifname brb accept)\n");
	own->end_drops = false;
	assert_warned("warn", &f,
		      "another firewall drops what guests send and receive: chain FORWARD of nftables' table ip filter "
		      "(iptables -I FORWARD -i bra -j ACCEPT; iptables -I FORWARD -o bra -j ACCEPT)\n");
	f.is_legacy = true;
	assert_warned(
		"warn", &f,
		"another firewall drops what guests send and receive: chain FORWARD of iptables-legacy's table ip "
		"filter (iptables-legacy -I FORWARD -i bra -j ACCEPT; iptables-legacy -I FORWARD -o bra -j ACCEPT)\n");
	foreign_done(&f);
}

static void test_what_changed_is_seen(void **state _unused_)
{
	struct foreign a = docker_and_ufw(), b = docker_and_ufw();

	assert_true(foreign_equal(&a, &b));
	b.chains[3].policy_drops = true;
	assert_false(foreign_equal(&a, &b));
	b.chains[3].policy_drops = false;
	foreign_add_own_chain(&a, NFPROTO_IPV4, ASSIST_INPUT);
	assert_false(foreign_equal(&a, &b));
	foreign_add_own_chain(&b, NFPROTO_IPV4, ASSIST_INPUT);
	foreign_add_rule(&a, NFPROTO_IPV4, ASSIST_INPUT, "kvmnetd dhcp:bra 1/1");
	foreign_add_rule(&b, NFPROTO_IPV4, ASSIST_INPUT, "kvmnetd dhcp:brb 1/1");
	assert_false(foreign_equal(&a, &b));
	foreign_done(&a);
	foreign_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_drops_is_to_accept),
		cmocka_unit_test(test_what_iptables_is_told),
		cmocka_unit_test(test_found_is_only_what_is_whole_and_led_to),
		cmocka_unit_test(test_what_an_operator_is_told),
		cmocka_unit_test(test_what_changed_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
