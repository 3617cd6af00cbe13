/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the options of one link demand of each other: what the kernel would refuse is refused, what it would
 * silently change is warned of and settled, and what is right draws no message at all.
 */
#include "../../netd/config/diag.h"
#include "../../netd/model/kind-bond.h"
#include "rows.h"

struct fixture {
	struct model model;
	struct diags diags;
};

static void done(struct fixture *f)
{
	model_done(&f->model);
	diags_done(&f->diags);
}

#define FIXTURE(f) _cleanup_(done) struct fixture f = {0}

static void set_in(struct values *v, const char *key, const char *text)
{
	unsigned row = option_row(v->table, key);

	values_put(v, row, must_parse(&v->table->rows[row], text), (struct loc){1, 10 + row});
}

/* "mode=4 miimon=100": options of the link; spaces inside a value are written "+". */
static struct link *declare(struct fixture *f, const char *name, const struct kind *kind, const char *options)
{
	_cleanup_free_ char *words = xstrdup(options);
	struct link *l = link_new(name, kind);
	char *rest = NULL;

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		for (char *p = strchr(value, '+'); p; p = strchr(p, '+'))
			*p = ' ';
		set_in(option_find(l->common->table, word) >= 0 ? l->common : l->own, word, value);
	}
	model_add(&f->model, l);
	return l;
}

static struct link *add_port(struct fixture *f, struct link *master, const char *name, const char *key,
			     const char *value)
{
	struct name_ref *ref = ARRAY_APPEND(master->ports, master->n_ports);
	struct link *port = link_new(name, &kind_ethernet);

	ref->name = xstrdup(name);
	port->port = values_new(&master->kind->port);
	if (key)
		set_in(port->port, key, value);
	model_add(&f->model, port);
	return port;
}

/* Every message has its key and the words; no other message is there. what: for the failure. */
static void assert_messages(const struct fixture *f, const char *what, const char *const (*expected)[3], size_t n)
{
	for (size_t i = 0; i < f->diags.n && i < n; i++) {
		const struct diag *d = &f->diags.list[i];

		if (!streq(severity_name(d->severity), expected[i][0]) || !streq(d->key, expected[i][1]) ||
		    !strstr(d->text, expected[i][2]))
			fail_msg("%s: %s %s: %s\nexpected %s %s: %s", what, severity_name(d->severity), d->key, d->text,
				 expected[i][0], expected[i][1], expected[i][2]);
	}
	if (f->diags.n > n)
		fail_msg("%s: unexpected: %s: %s", what, f->diags.list[n].key, f->diags.list[n].text);
	if (f->diags.n < n)
		fail_msg("%s: missing: %s: %s", what, expected[f->diags.n][1], expected[f->diags.n][2]);
}

struct rule {
	const char *options;
	const char *messages[3][3]; /* severity, key, words */
};

static void check_rules(const struct kind *kind, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		FIXTURE(f);
		struct link *l = declare(&f, "link0", kind, rules[i].options);
		size_t n_messages = 0;

		add_port(&f, l, "eth0", NULL, NULL);
		kind->check(&f.model, l, &f.diags);
		while (n_messages < 3 && rules[i].messages[n_messages][0])
			n_messages++;
		assert_messages(&f, rules[i].options, rules[i].messages, n_messages);
		for (size_t m = 0; m < f.diags.n; m++)
			assert_string_equal(f.diags.list[m].section,
					    streq(kind->name, "bond") ? "bond link0" : "bridge link0");
	}
}

#define CHECK_RULES(kind, rules) check_rules(kind, rules, ARRAY_SIZE(rules))

static void bond_rules_are_the_kernels(void **state _unused_)
{
	/* clang-format off */
	static const struct rule rules[] = {
		{"", {{0}}},
		{"mode=6 miimon=100", {{0}}},
		{"mode=1 miimon=100 updelay=200 downdelay=300 peer_notif_delay=400 primary=eth0", {{0}}},
		{"mode=1 arp_interval=500 arp_ip_target=192.0.2.1 arp_validate=all", {{0}}},
		{"mode=1 arp_interval=500 ns_ip6_target=2001:db8::1 miimon=0", {{0}}},
		{"mode=4 lacp_rate=fast ad_actor_system=00:00:00:00:00:00", {{0}}},
		{"lacp_rate=fast", {{"error", "lacp_rate",
			"option not supported in mode balance-rr(0) (the kernel's default); it is in 802.3ad"}}},
		{"mode=balance-rr primary=eth0", {{"error", "primary",
			"option not supported in mode balance-rr(0); it is in active-backup, balance-tlb, balance-alb"}}},
		{"mode=4 arp_interval=0", {{"error", "arp_interval", "not supported in mode 802.3ad(4)"}}},
		{"mode=6 packets_per_slave=1", {{"error", "packets_per_slave", "not supported in mode balance-alb(6)"}}},
		{"mode=1 miimon=100 arp_interval=500 arp_ip_target=192.0.2.1", {{"error", "arp_interval",
			"ARP monitoring cannot be used with MII monitoring, miimon = 100"}}},
		{"mode=1 arp_interval=500", {{"error", "arp_interval", "needs arp_ip_target or ns_ip6_target"}}},
		{"mode=1 miimon=50 arp_validate=active", {{"error", "arp_validate",
			"ARP validating cannot be used with MII monitoring, miimon = 50"}}},
		{"mode=1 arp_validate=active", {{"error", "arp_validate", "miimon = 100 (the default)"}}},
		{"mode=1 miimon=0 arp_validate=active", {
			{"warning", "arp_validate", "does nothing without arp_interval"},
			{"warning", "miimon", "never notices"}}},
		{"mode=1 updelay=200", {{0}}},
		{"mode=1 miimon=0 updelay=200", {
			{"error", "updelay", "needs miimon: MII monitoring is disabled by miimon = 0"},
			{"warning", "miimon", "never notices"}}},
		{"mode=1 arp_interval=500 arp_ip_target=192.0.2.1 downdelay=0", {{"error", "downdelay",
			"MII monitoring is disabled by arp_interval"}}},
		{"mode=1 arp_interval=500 arp_ip_target=192.0.2.1 peer_notif_delay=500", {{"error", "peer_notif_delay",
			"needs miimon"}}},
		{"miimon=100 updelay=250 downdelay=300", {{"warning", "updelay",
			"not a multiple of miimon, 100ms: the kernel rounds it to 200ms"}}},
		{"downdelay=90", {{"warning", "downdelay", "rounds it to 0ms"}}},
		{"miimon=0", {{"warning", "miimon", "never notices a dead port"}}},
		{"mode=1 primary=eth7", {{"error", "primary", "'eth7' is not one of the ports declared for link0"}}},
	};
	/* clang-format on */

	CHECK_RULES(&kind_bond, rules);
}

/* Each option in each mode: an error exactly where the driver has none, and of no other kind. */
static void bond_options_are_refused_in_modes_that_lack_them(void **state _unused_)
{
	for (unsigned row = BOND_MIIMON; row < _BOND_ROWS; row++) {
		const struct option *o = &kind_bond.own.rows[row];
		const char *text = o->type == &type_ip4_list   ? "192.0.2.1"
				   : o->type == &type_ip6_list ? "2001:db8::1"
				   : o->type == &type_ifname   ? "eth0"
				   : o->type == &type_mac      ? "52:54:00:00:00:01"
				   : o->names		       ? o->names[0]
							       : "1";

		for (unsigned mode = 0; mode < _MODES && !(o->flags & (OPTION_STATUS | OPTION_REFUSED)); mode++) {
			FIXTURE(f);
			_cleanup_free_ char *mode_text = xasprintf("%s(%u)", bond_modes[mode], mode);
			_cleanup_free_ char *options = xasprintf("mode=%u %s=%s", mode, o->key, text);
			struct link *l = declare(&f, "bond0", &kind_bond, options);
			bool refused = false;

			add_port(&f, l, "eth0", NULL, NULL);
			kind_bond.check(&f.model, l, &f.diags);
			for (size_t i = 0; i < f.diags.n; i++)
				refused |= !!strstr(f.diags.list[i].text, mode_text);
			if (refused == (!o->modes || o->modes >> mode & 1))
				fail_msg("%s", options);
		}
	}
}

static void messages_carry_the_line_of_the_option(void **state _unused_)
{
	FIXTURE(f);
	struct link *l = declare(&f, "bond0", &kind_bond, "mode=4 primary=eth0");

	l->loc = (struct loc){1, 3};
	f.diags.sources = &(struct sources){.names = (char *[]){"a.ini"}, .n = 1};
	add_port(&f, l, "eth0", NULL, NULL);
	kind_bond.check(&f.model, l, &f.diags);
	assert_int_equal(f.diags.n, 1);
	assert_int_equal(f.diags.list[0].line, 10 + BOND_PRIMARY);
	assert_string_equal(f.diags.list[0].file, "a.ini");
}

static void bond_ports_are_checked(void **state _unused_)
{
	static const char *const expected[][3] = {
		{"error", "queue_id", "2 is already the queue of port eth0 of bond0"},
		{"error", "prio", "option not supported in mode 802.3ad(4); it is in active-backup"},
		{"warning", "queue_id", "16, unless"},
		{"warning", "mtu", "differs from the mtu of bond0, 9000"},
	};
	FIXTURE(f);
	struct link *l = declare(&f, "bond0", &kind_bond, "mode=4 mtu=9000");
	struct link *ports[] = {
		add_port(&f, l, "eth0", "queue_id", "2"), add_port(&f, l, "eth1", "queue_id", "2"),
		add_port(&f, l, "eth2", "prio", "5"),	  add_port(&f, l, "eth3", "queue_id", "17"),
		add_port(&f, l, "eth4", NULL, NULL),	  add_port(&f, l, "eth5", "actor_port_prio", "9"),
		add_port(&f, l, "eth6", "queue_id", "0"), add_port(&f, l, "eth7", "queue_id", "0"),
	};

	set_in(ports[4]->common, "mtu", "1500");
	set_in(ports[5]->common, "mtu", "9000");
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		kind_bond.check_port(&f.model, l, ports[i], &f.diags);
	assert_messages(&f, "ports", expected, ARRAY_SIZE(expected));
	assert_string_equal(f.diags.list[0].section, "port eth1");
}

static void prio_with_a_primary_is_warned_of(void **state _unused_)
{
	static const char *const expected[][3] = {{"warning", "prio", "no effect while bond0 has a primary"}};
	FIXTURE(f);
	struct link *l = declare(&f, "bond0", &kind_bond, "mode=1 primary=eth0");

	kind_bond.check_port(&f.model, l, add_port(&f, l, "eth0", "prio", "5"), &f.diags);
	assert_messages(&f, "ports", expected, 1);
}

static void assert_settled(const char *want, const char *have, const char *key, int64_t expected)
{
	FIXTURE(f);
	struct link *w = declare(&f, "want", &kind_bond, want);
	struct link *h = have ? declare(&f, "have", &kind_bond, have) : NULL;
	unsigned row = option_row(&kind_bond.own, key);

	for (unsigned times = 0; times < 2; times++) {
		kind_bond.settle(w, h);
		if ((int64_t)values_num(w->own, row, (uint64_t)-1) != expected)
			fail_msg("%s over %s: %s", want, have ? have : "nothing", key);
	}
}

static void a_bond_without_monitor_gets_miimon(void **state _unused_)
{
	assert_settled("mode=1", NULL, "miimon", 100);
	assert_settled("mode=4", NULL, "miimon", 100);
	assert_settled("arp_interval=0", NULL, "miimon", 100);
	assert_settled("mode=1", "miimon=0 arp_interval=0", "miimon", 100);
	assert_settled("arp_interval=0", "miimon=0 arp_interval=500", "miimon", 100);
	assert_settled("mode=4", "mode=1 miimon=0 arp_interval=500", "miimon", 100);
	assert_settled("updelay=300", "miimon=0 arp_interval=500", "miimon", 100);
}

static void a_monitor_that_is_there_is_left_alone(void **state _unused_)
{
	assert_settled("miimon=0", NULL, "miimon", 0);
	assert_settled("miimon=50", NULL, "miimon", 50);
	assert_settled("arp_interval=500 arp_ip_target=192.0.2.1", NULL, "miimon", -1);
	assert_settled("mode=1", "miimon=70", "miimon", -1);
	assert_settled("mode=1", "mode=1 miimon=0 arp_interval=500", "miimon", -1);
	assert_settled("xmit_hash_policy=layer2", "mode=2 miimon=0 arp_interval=500", "miimon", -1);
}

static void delays_are_settled_as_the_kernel_rounds_them(void **state _unused_)
{
	assert_settled("miimon=100 updelay=250", NULL, "updelay", 200);
	assert_settled("updelay=250", NULL, "updelay", 200);
	assert_settled("downdelay=99", NULL, "downdelay", 0);
	assert_settled("peer_notif_delay=1000", NULL, "peer_notif_delay", 1000);
	assert_settled("updelay=250", "miimon=60", "updelay", 240);
	assert_settled("miimon=50 updelay=260", "miimon=100", "updelay", 250);
	assert_settled("miimon=0 updelay=250", NULL, "updelay", 250);
}

static uint64_t bond_rows(const char *const *keys)
{
	uint64_t rows = 0;

	for (; *keys; keys++)
		rows |= 1ull << option_row(&kind_bond.own, *keys);
	return rows;
}

#define ROWS(...) bond_rows((const char *const[]){__VA_ARGS__, NULL})

static void what_a_bond_change_disturbs_is_sent_again(void **state _unused_)
{
	FIXTURE(f);
	struct link *l =
		declare(&f, "bond0", &kind_bond, "mode=1 miimon=100 updelay=200 xmit_hash_policy=1 primary=eth0");
	struct link *arp =
		declare(&f, "bond1", &kind_bond, "mode=1 arp_interval=500 arp_ip_target=192.0.2.1 arp_validate=all");

	assert_int_equal(kind_bond.disturbed(l, ROWS("miimon")), ROWS("updelay"));
	assert_int_equal(kind_bond.disturbed(l, ROWS("mode")), ROWS("miimon", "updelay"));
	assert_int_equal(kind_bond.disturbed(l, ROWS("mode", "miimon", "updelay")), 0);
	assert_int_equal(kind_bond.disturbed(l, ROWS("xmit_hash_policy")), 0);
	assert_int_equal(kind_bond.disturbed(arp, ROWS("mode")), ROWS("arp_interval", "arp_validate"));
}

static void bridge_rules_are_the_kernels(void **state _unused_)
{
	/* clang-format off */
	static const struct rule rules[] = {
		{"", {{0}}},
		{"stp_state=yes forward_delay=2s hello_time=1s max_age=6s", {
			{"warning", "forward_delay", "2 * (forward_delay - 1s) should be at least max_age"}}},
		{"stp_state=yes forward_delay=4s hello_time=1s max_age=6s", {{0}}},
		{"stp_state=no forward_delay=0s", {{0}}},
		{"forward_delay=31s", {{0}}},
		{"stp=yes forward_delay=1s", {{"error", "forward_delay", "from 2s to 30s while stp_state is on"}}},
		{"stp=yes forward_delay=31s", {{"error", "forward_delay", "from 2s to 30s"}}},
		{"stp=yes hello_time=10s", {{"warning", "hello_time", "max_age should be at least 2 * (hello_time + 1s)"}}},
		{"group_fwd_mask=0x4000", {{0}}},
		{"group_fwd_mask=0x4004", {{"error", "group_fwd_mask", "0x7"}}},
		{"group_address=01:80:c2:00:00:00", {{0}}},
		{"group_address=01:80:c2:00:00:02", {{"error", "group_address", "pause, LACP and 802.1X"}}},
		{"mcast_vlan_snooping=yes", {{"error", "mcast_vlan_snooping",
			"cannot enable multicast vlan snooping with vlan filtering disabled"}}},
		{"mcast_vlan_snooping=yes vlan_filtering=yes", {{0}}},
		{"vlan_filtering=yes pvid=5 vlans=10+20-29 untagged=5+25", {{0}}},
		{"vlan_filtering=yes pvid=none vlans=10", {{0}}},
		{"vlans=10", {{"warning", "vlans", "no effect while link0 does not have vlan_filtering = yes"}}},
		{"vlan_filtering=yes vlans=10 untagged=10-11", {{"error", "untagged",
			"VLAN 11 is neither in vlans nor the pvid"}}},
	};
	/* clang-format on */

	CHECK_RULES(&kind_bridge, rules);
}

static void bridge_ports_are_checked(void **state _unused_)
{
	static const char *const expected[][3] = {
		{"warning", "vlans", "no effect while br0"},
		{"error", "backup_port", "cannot be its own backup"},
		{"error", "backup_port", "'eth9' is not one of the ports declared for br0"},
		{"error", "group_fwd_mask", "0x2"},
		{"error", "mab", "bridge port must be locked when MAB is enabled"},
	};
	FIXTURE(f);
	struct link *l = declare(&f, "br0", &kind_bridge, "");
	struct link *ports[] = {
		add_port(&f, l, "eth0", "vlans", "10"),
		add_port(&f, l, "eth1", "backup_port", "eth1"),
		add_port(&f, l, "eth2", "backup_port", "eth9"),
		add_port(&f, l, "eth3", "group_fwd_mask", "0x2"),
		add_port(&f, l, "eth4", "mab", "yes"),
		add_port(&f, l, "eth5", "backup_port", "eth0"),
		add_port(&f, l, "eth6", "group_fwd_mask", "0x4"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		kind_bridge.check_port(&f.model, l, ports[i], &f.diags);
	assert_messages(&f, "ports", expected, ARRAY_SIZE(expected));
}

/* The kernel's state of a bridge with STP; ids as attributes would give them. */
static struct link *running_bridge(struct fixture *f, uint64_t root, uint64_t id, bool changing)
{
	struct link *l = declare(f, "have", &kind_bridge, "stp_state=yes");

	values_put(l->own, option_row(l->own->table, "root_id"), (union value){.num = root}, LOC_NONE);
	values_put(l->own, option_row(l->own->table, "bridge_id"), (union value){.num = id}, LOC_NONE);
	values_put(l->own, option_row(l->own->table, "topology_change"), (union value){.num = changing}, LOC_NONE);
	return l;
}

static uint64_t settled_bridge(uint64_t root, uint64_t id, bool changing)
{
	FIXTURE(f);
	struct link *want =
		declare(&f, "want", &kind_bridge,
			"stp_state=yes forward_delay=4s hello_time=1s max_age=6s ageing_time=60s priority=1");

	kind_bridge.settle(want, running_bridge(&f, root, id, changing));
	return want->own->set;
}

static void timers_that_stp_overrides_are_not_compared(void **state _unused_)
{
	uint64_t all = settled_bridge(1, 1, false), ageing = 1ull << option_row(&kind_bridge.own, "ageing_time");
	uint64_t timers = 1ull << option_row(&kind_bridge.own, "forward_delay") |
			  1ull << option_row(&kind_bridge.own, "hello_time") |
			  1ull << option_row(&kind_bridge.own, "max_age");

	assert_int_equal(__builtin_popcountll(all), 6);
	assert_int_equal(settled_bridge(1, 2, false), all & ~timers);
	assert_int_equal(settled_bridge(1, 1, true), all & ~ageing);
}

static void bridge_binding_needs_a_bridge(void **state _unused_)
{
	static const char *const expected[][3] = {{"warning", "bridge_binding", "eth0 is not a bridge"}};
	FIXTURE(f);
	struct link *on_bridge = declare(&f, "br0.10", &kind_vlan, "id=10 bridge_binding=yes");
	struct link *on_nic = declare(&f, "eth0.10", &kind_vlan, "id=10 bridge_binding=yes");

	declare(&f, "br0", &kind_bridge, "");
	declare(&f, "eth0", &kind_ethernet, "");
	strcpy(on_bridge->parent_name, "br0");
	strcpy(on_nic->parent_name, "eth0");
	kind_vlan.check(&f.model, on_bridge, &f.diags);
	kind_vlan.check(&f.model, on_nic, &f.diags);
	assert_messages(&f, "ports", expected, 1);
}

static void kinds_are_found_by_name(void **state _unused_)
{
	assert_ptr_equal(kind_find("bond"), &kind_bond);
	assert_ptr_equal(kind_find("vlan"), &kind_vlan);
	assert_null(kind_find("dummy"));
	assert_ptr_equal(kind_of_link("bridge"), &kind_bridge);
	assert_ptr_equal(kind_of_link("dummy"), &kind_ethernet);
	assert_ptr_equal(kind_of_link(""), &kind_ethernet);
}

static void assert_one_detail(const struct option_table *t)
{
	unsigned n = 0;

	for (unsigned row = 0; row < t->n; row++)
		n += !!(t->rows[row].flags & OPTION_DETAIL);
	assert_true(n <= 1);
}

/* What the table of a kind cannot say by itself. */
static void kinds_are_well_formed(void **state _unused_)
{
	for (size_t i = 0; kinds[i]; i++) {
		const struct kind *kind = kinds[i];

		assert_ptr_equal(kind_find(kind->name), kind);
		assert_ptr_equal(kind_of_ports(&kind->port), kind);
		assert_one_detail(&kind->own);
		assert_one_detail(&kind->port);
		assert_true(kind->slot >> kind->own.n == 0);
		for (unsigned row = 0; row < kind->own.n; row++)
			if (kind->slot >> row & 1)
				assert_false(kind->own.rows[row].type->is_blob);
	}
	assert_null(kind_of_ports(&link_options));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_found_by_name),
		cmocka_unit_test(kinds_are_well_formed),
		cmocka_unit_test(bond_rules_are_the_kernels),
		cmocka_unit_test(bond_options_are_refused_in_modes_that_lack_them),
		cmocka_unit_test(messages_carry_the_line_of_the_option),
		cmocka_unit_test(bond_ports_are_checked),
		cmocka_unit_test(prio_with_a_primary_is_warned_of),
		cmocka_unit_test(a_bond_without_monitor_gets_miimon),
		cmocka_unit_test(a_monitor_that_is_there_is_left_alone),
		cmocka_unit_test(delays_are_settled_as_the_kernel_rounds_them),
		cmocka_unit_test(what_a_bond_change_disturbs_is_sent_again),
		cmocka_unit_test(bridge_rules_are_the_kernels),
		cmocka_unit_test(bridge_ports_are_checked),
		cmocka_unit_test(timers_that_stp_overrides_are_not_compared),
		cmocka_unit_test(bridge_binding_needs_a_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
