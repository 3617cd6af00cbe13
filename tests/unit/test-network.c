/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what guest networks become in other programs' languages, word for word: tests/golden/network/NAME.ini is
 * resolved and planned on a host that has nothing yet; what nftables is told must be NAME.nft, and what dnsmasq is told
 * NAME.dnsmasq. Then changes: of a
 * firewall that is as wanted nothing is sent, and of one that is not only what differs. After a change that is meant:
 * UPDATE=1 writes the files; read the diff.
 */
#include "../../netd/plan/planner.h"
#include "golden.h"

#include <setjmp.h>

#include <cmocka.h>

#define GOLDEN "tests/golden/network/"

struct host {
	struct config_files files;
	struct config *config;
	struct model actual;
	struct ledger ledger;
	struct effective effective;
	struct plan plan;
};

/* Plans what the file says, on a host with this firewall. */
static void plan_of(struct host *h, const char *path, const char *text, const struct firewall *have)
{
	struct diags d = DIAGS_NULL;
	struct resolve_input in = {.actual = &h->actual, .ledger = &h->ledger};
	struct diff_input diff = {
		.effective = &h->effective, .actual = &h->actual, .ledger = &h->ledger, .firewall = have};

	*h = (struct host){0};
	if (path)
		assert_int_equal(config_files_read(&h->files, path, &d), 0);
	else
		config_files_add(&h->files, "test.ini", text, strlen(text));
	h->config = config_parse(&h->files, &d);
	assert_int_equal(d.n, 0);
	diags_done(&d);
	in.config = h->config;
	resolve(&in, &h->effective);
	plan_make(&diff, &h->plan);
}

static void host_done(struct host *h)
{
	plan_done(&h->plan);
	effective_done(&h->effective);
	config_free(h->config);
	config_files_done(&h->files);
}

/* What nftables is told by the plan. The caller frees it. */
static char *commands_of(const struct host *h)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < h->plan.n; i++)
		if (h->plan.ops[i].type == OP_FIREWALL)
			fputs(h->plan.ops[i].commands, f);
	fclose(f);
	return text;
}

/* The wanted firewall as a kernel would show it once it has it. */
static void found_of(const struct firewall *want, struct firewall *ret)
{
	*ret = FIREWALL_NULL;
	ret->present = want->present;
	for (size_t i = 0; i < want->n_maps; i++)
		firewall_add_map(ret, want->maps[i].name, NULL);
	for (size_t i = 0; i < want->n_chains; i++) {
		const struct firewall_chain *c = &want->chains[i];

		firewall_add_chain(ret, c->name, c->base);
		for (size_t j = 0; j < c->n_rules; j++)
			firewall_add_found_rule(&ret->chains[i], c->rules[j].digest);
	}
	for (size_t i = 0; i < want->n_elements; i++)
		firewall_add_element(ret, want->elements[i].map, want->elements[i].key, want->elements[i].value);
}

/* What the dnsmasq of each network is told, a line for each word. The caller frees it. */
static char *dnsmasq_of(const struct host *h)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < h->config->n_networks; i++) {
		const struct link *l = model_find(&h->effective.links, h->config->networks[i]->bridge);
		const struct blob *b =
			values_has(l->common, LINK_DNSMASQ) ? values_at(l->common, LINK_DNSMASQ).blob : NULL;

		for (size_t at = 0; b && at < b->len; at += strlen((const char *)b->data + at) + 1)
			fprintf(f, "%s\n", (const char *)b->data + at);
	}
	fclose(f);
	return text;
}

static void test_firewall_text(void **state _unused_)
{
	static const char *const names[] = {"nat",	"nat6",	   "dhcp",	  "snat-uplink", "route",
					    "isolated", "open",	   "several",	  "pxe",	 "ports6",
					    "subnets",	"libvirt", "libvirt-dns", "route-uplink"};
	const struct firewall none = FIREWALL_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *ini = xasprintf(GOLDEN "%s.ini", names[i]);
		_cleanup_free_ char *nft = xasprintf(GOLDEN "%s.nft", names[i]);
		_cleanup_free_ char *dnsmasq = xasprintf(GOLDEN "%s.dnsmasq", names[i]);
		_cleanup_free_ char *text = NULL, *told = NULL;
		struct firewall found;
		struct host h;

		plan_of(&h, ini, NULL, &none);
		text = commands_of(&h);
		golden_compare(nft, text);
		told = dnsmasq_of(&h);
		golden_compare(dnsmasq, told);
		found_of(&h.effective.firewall, &found);
		host_done(&h);
		plan_of(&h, ini, NULL, &found);
		for (size_t op = 0; op < h.plan.n; op++)
			assert_int_not_equal(h.plan.ops[op].type, OP_FIREWALL);
		host_done(&h);
		firewall_done(&found);
	}
}

#define TWO_NETWORKS                                                                                                   \
	"[network a]\nbridge = bra\nforward = isolated\n"                                                              \
	"[network b]\nbridge = brb\naddress = 10.0.0.1/24\nforward = nat\n"

/* The commands that lead from one configuration to another. */
static void check_change(const char *from, const char *to, const char *expected)
{
	const struct firewall none = FIREWALL_NULL;
	_cleanup_free_ char *text = NULL;
	struct firewall found;
	struct host h;

	plan_of(&h, NULL, from, &none);
	found_of(&h.effective.firewall, &found);
	host_done(&h);
	plan_of(&h, NULL, to, &found);
	text = commands_of(&h);
	assert_string_equal(text, expected);
	host_done(&h);
	firewall_done(&found);
}

static void test_change_touches_its_network_only(void **state _unused_)
{
	check_change(TWO_NETWORKS,
		     "[network a]\nbridge = bra\nforward = isolated\n"
		     "[network b]\nbridge = brb\naddress = 10.0.1.1/24\nforward = nat\n",
		     "flush chain inet kvmnetd from_brb\n"
		     "add rule inet kvmnetd from_brb oifname \"brb\" accept comment \"424750d4\"\n"
		     "add rule inet kvmnetd from_brb ip saddr 10.0.1.0/24 return comment \"978873c1\"\n"
		     "add rule inet kvmnetd from_brb counter reject with icmpx admin-prohibited comment \"8d05e48b\"\n"
		     "flush chain inet kvmnetd nat_brb\n"
		     "add rule inet kvmnetd nat_brb oifname \"brb\" return comment \"0f4863c2\"\n"
		     "add rule inet kvmnetd nat_brb ip saddr 10.0.1.0/24 goto masq comment \"add90fbe\"\n");
}

static void test_network_goes(void **state _unused_)
{
	check_change(TWO_NETWORKS, "[network b]\nbridge = brb\naddress = 10.0.0.1/24\nforward = nat\n",
		     "delete element inet kvmnetd fwd_from { \"bra\" }\n"
		     "delete element inet kvmnetd fwd_to { \"bra\" }\n"
		     "flush chain inet kvmnetd refuse\n"
		     "flush chain inet kvmnetd from_bra\n"
		     "flush chain inet kvmnetd to_bra\n"
		     "delete chain inet kvmnetd refuse\n"
		     "delete chain inet kvmnetd from_bra\n"
		     "delete chain inet kvmnetd to_bra\n");
}

static void test_last_network_goes(void **state _unused_)
{
	check_change(TWO_NETWORKS, "[bridge bra]\n", "delete table inet kvmnetd\n");
}

static void test_a_table_that_somebody_switched_off(void **state _unused_)
{
	const struct firewall none = FIREWALL_NULL;
	_cleanup_free_ char *text = NULL;
	struct firewall found;
	struct host h;

	plan_of(&h, NULL, TWO_NETWORKS, &none);
	found_of(&h.effective.firewall, &found);
	found.dormant = true;
	host_done(&h);
	plan_of(&h, NULL, TWO_NETWORKS, &found);
	text = commands_of(&h);
	assert_string_equal(text, "add table inet kvmnetd\n");
	host_done(&h);
	firewall_done(&found);
}

/* A rule that somebody put between ours: the chain, and no other, is filled again. */
static void test_foreign_rule(void **state _unused_)
{
	const struct firewall none = FIREWALL_NULL;
	struct firewall found;
	struct host h;

	plan_of(&h, NULL, TWO_NETWORKS, &none);
	found_of(&h.effective.firewall, &found);
	host_done(&h);
	for (size_t i = 0; i < found.n_chains; i++)
		if (streq(found.chains[i].name, "to_bra"))
			firewall_add_found_rule(&found.chains[i], NULL);
	plan_of(&h, NULL, TWO_NETWORKS, &found);
	assert_true(h.plan.n > 0);
	assert_string_equal(h.plan.ops[0].text, "change chain to_bra { goto refuse }");
	assert_string_equal(h.plan.ops[0].link->name, "bra");
	for (size_t i = 1; i < h.plan.n; i++)
		assert_int_not_equal(h.plan.ops[i].type, OP_FIREWALL);
	host_done(&h);
	firewall_done(&found);
}

/* What the plan says of the dnsmasq of bra, which was told what `from` says; "": not told of. */
static void check_told(const char *from, const char *to, const char *expected)
{
	const struct firewall none = FIREWALL_NULL;
	_cleanup_free_ char *line = xstrdup("");
	union value told = {0};
	struct host h;
	struct link *bra;

	plan_of(&h, NULL, from, &none);
	bra = model_find(&h.effective.links, "bra");
	if (bra)
		told = value_copy(&link_options.rows[LINK_DNSMASQ], values_at(bra->common, LINK_DNSMASQ));
	host_done(&h);
	plan_of(&h, NULL, to, &none);
	for (size_t i = 0; i < h.plan.n; i++) {
		struct op *op = &h.plan.ops[i];
		struct link found = {.common = values_new(&link_options)};

		if (op->type == OP_HOST && op->common >> LINK_DNSMASQ & 1) {
			values_put(found.common, LINK_DNSMASQ, told, LOC_NONE);
			op->have = &found;
			free(line);
			line = PRINT_TEXT(op_print, op);
			op->have = NULL;
		}
		values_free(found.common);
	}
	assert_string_equal(line, expected);
	host_done(&h);
}

#define SERVED "[network a]\nbridge = bra\nforward = isolated\naddress = 10.0.0.1/24\ndhcp_range = auto\n"
#define HOSTS                                                                                                          \
	"host = 52:54:00:00:00:01 10.0.0.11\nhost = 52:54:00:00:00:02 10.0.0.12\n"                                     \
	"host = 52:54:00:00:00:03 10.0.0.13\nhost = 52:54:00:00:00:04 10.0.0.14\nhost = 52:54:00:00:00:05 10.0.0.15\n"

static void test_what_dnsmasq_is_told_is_short(void **state _unused_)
{
	check_told("[bridge brx]\n", SERVED,
		   "set bra: dnsmasq no-resolv, dhcp-range=10.0.0.2,10.0.0.254,255.255.255.0,3600s, dhcp-option=3");
	check_told("[bridge brx]\n", "[network a]\nbridge = bra\naddress = 10.0.0.1/24\n", "set bra: dnsmasq started");
	check_told(SERVED, SERVED "lease_time = 2h\n",
		   "set bra: dnsmasq +dhcp-range=10.0.0.2,10.0.0.254,255.255.255.0,7200s, "
		   "-dhcp-range=10.0.0.2,10.0.0.254,255.255.255.0,3600s");
	check_told(SERVED, SERVED HOSTS "host = 52:54:00:00:00:06 10.0.0.16\n",
		   "set bra: dnsmasq +dhcp-host=52:54:00:00:00:01,10.0.0.11, +dhcp-host=52:54:00:00:00:02,10.0.0.12, "
		   "+dhcp-host=52:54:00:00:00:03,10.0.0.13, +dhcp-host=52:54:00:00:00:04,10.0.0.14, +2 more dhcp-host "
		   "(6dc6c36f)");
	check_told(SERVED, SERVED HOSTS "host = 52:54:00:00:00:06 10.0.0.17\n",
		   "set bra: dnsmasq +dhcp-host=52:54:00:00:00:01,10.0.0.11, +dhcp-host=52:54:00:00:00:02,10.0.0.12, "
		   "+dhcp-host=52:54:00:00:00:03,10.0.0.13, +dhcp-host=52:54:00:00:00:04,10.0.0.14, +2 more dhcp-host "
		   "(6cc6c1dc)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_firewall_text),
		cmocka_unit_test(test_change_touches_its_network_only),
		cmocka_unit_test(test_network_goes),
		cmocka_unit_test(test_last_network_goes),
		cmocka_unit_test(test_a_table_that_somebody_switched_off),
		cmocka_unit_test(test_foreign_rule),
		cmocka_unit_test(test_what_dnsmasq_is_told_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
