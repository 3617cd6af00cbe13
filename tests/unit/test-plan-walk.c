/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the planner's properties on random pairs of states, on the fake kernel: from any state, the plan to any
 * configuration is refused nowhere and leaves nothing to do; guests stay attached unless the plan says otherwise; from
 * any point in a plan the way back ends in the state before. SEED=N repeats a walk (the seed is printed), STEPS=N is
 * how many configurations it goes through.
 */
#include "world.h"

#include <setjmp.h>
#include <time.h>

#include <cmocka.h>

#define STEPS 400
#define STEPS_SOAK 20000
#define NICS 5
#define TAPS 3

struct walk {
	uint64_t random;
	FILE *f;	/* the configuration being written */
	unsigned taken; /* NICs that are ports: a bit each */
	unsigned n_parents;
	char parents[16][IFNAMSIZ]; /* links that VLANs may stand on */
	unsigned parents_above[16];
	char free[8][IFNAMSIZ]; /* virtual links that may become ports */
	unsigned above[8];	/* the lowest bridge they may be put in: two bridges must not stand on each other */
	size_t n_free;
};

/* xorshift64* */
static unsigned roll(struct walk *k, unsigned n)
{
	k->random ^= k->random >> 12;
	k->random ^= k->random << 25;
	k->random ^= k->random >> 27;
	return (unsigned)(k->random * 0x2545f4914f6cdd1dull >> 33) % n;
}

static bool maybe(struct walk *k, unsigned percent)
{
	return roll(k, 100) < percent;
}

static const char *one_of(struct walk *k, const char *const *list)
{
	unsigned n = 0;

	while (list[n])
		n++;
	return list[roll(k, n)];
}

static void option(struct walk *k, unsigned percent, const char *key, const char *const *values)
{
	if (maybe(k, percent))
		fprintf(k->f, "%s = %s\n", key, one_of(k, values));
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void write_nic_ports(struct walk *k, unsigned percent)
{
	for (unsigned i = 0; i < NICS; i++) {
		if ((k->taken >> i & 1) || !maybe(k, percent))
			continue;
		k->taken |= 1u << i;
		fprintf(k->f, "ports = eth%u\n", i);
	}
}

static void write_common(struct walk *k)
{
	option(k, 10, "mac", VALUES("stable", "inherit", "02:aa:00:00:00:01", "02:aa:00:00:00:02"));
	option(k, 8, "up", VALUES("no", "yes"));
	option(k, 10, "ipv6", VALUES("no", "yes", "link-local"));
	option(k, 5, "accept_ra", VALUES("no", "always"));
}

/* One subnet for a link, so that gateways of several links do not clash. */
static void write_addresses(struct walk *k, unsigned subnet)
{
	bool inet = maybe(k, 40), inet6 = maybe(k, 30);

	if (inet)
		fprintf(k->f, "address = 10.%u.0.%u/24\n", subnet, 1 + roll(k, 3));
	if (inet && maybe(k, 30))
		fprintf(k->f, "address = 10.%u.0.%u/24\n", subnet, 11 + roll(k, 3));
	if (inet6)
		fprintf(k->f, "address = 2001:db8:%u::%u/%u\n", subnet, 1 + roll(k, 2), maybe(k, 80) ? 64 : 48);
	if (inet && maybe(k, 50))
		fprintf(k->f, "route = 10.%u.0.0/16 via 10.%u.0.%u\n", 100 + roll(k, 4), subnet, 250 + roll(k, 3));
	if (inet6 && maybe(k, 50))
		fprintf(k->f, "route = 2001:db8:f%u::/48 via 2001:db8:%u::%u\n", roll(k, 3), subnet, 250 + roll(k, 3));
}

static void write_bond(struct walk *k, unsigned number)
{
	static const char *const modes[] = {"balance-rr", "active-backup", "balance-xor", "broadcast",
					    "802.3ad",	  "balance-tlb",   "balance-alb", NULL};
	const char *mode = one_of(k, modes);

	fprintf(k->f, "[bond bond%u]\n", number);
	if (maybe(k, 90))
		fprintf(k->f, "mode = %s\n", mode);
	write_nic_ports(k, 40);
	option(k, 30, "xmit_hash_policy", VALUES("layer3+4", "layer2+3"));
	option(k, 20, "fail_over_mac", VALUES("none", "active", "follow"));
	option(k, 20, "min_links", VALUES("0", "1", "2"));
	option(k, 30, "lacp_rate", VALUES("slow", "fast"));
	option(k, 20, "ad_select", VALUES("stable", "count"));
	if (maybe(k, 70)) {
		option(k, 60, "miimon", VALUES("50", "100", "200"));
		option(k, 40, "updelay", VALUES("0", "200", "400"));
	} else {
		fputs("arp_interval = 200\narp_ip_target = 10.0.0.9\n", k->f);
		option(k, 50, "arp_validate", VALUES("all", "none"));
	}
	option(k, 20, "primary", VALUES("eth0", "eth1", "eth2", "eth3"));
	write_common(k);
	k->above[k->n_free] = 0;
	snprintf(k->free[k->n_free++], IFNAMSIZ, "bond%u", number);
	snprintf(k->parents[k->n_parents++], IFNAMSIZ, "bond%u", number);
}

static void write_vlan(struct walk *k, unsigned number)
{
	unsigned nic = roll(k, NICS), above = 0;

	fprintf(k->f, "[vlan v%u]\nid = %u\n", number, 5 + roll(k, 4));
	if (maybe(k, 30) || !k->n_parents) {
		fprintf(k->f, "parent = eth%u\n", nic);
	} else {
		unsigned i = roll(k, k->n_parents);

		fprintf(k->f, "parent = %s\n", k->parents[i]);
		above = startswith(k->parents[i], "br") ? (unsigned)(k->parents[i][2] - '0') + 1 : k->parents_above[i];
	}
	k->parents_above[k->n_parents] = above;
	snprintf(k->parents[k->n_parents++], IFNAMSIZ, "v%u", number);
	option(k, 20, "egress_qos_map", VALUES("0:1 1:2", "1:3", "2:2 3:3 4:4"));
	option(k, 20, "gvrp", VALUES("yes", "no"));
	option(k, 10, "up", VALUES("no"));
	if (maybe(k, 50)) {
		k->above[k->n_free] = above;
		snprintf(k->free[k->n_free++], IFNAMSIZ, "v%u", number);
	} else {
		write_addresses(k, 20 + number);
	}
}

static void write_bridge(struct walk *k, unsigned number)
{
	fprintf(k->f, "[bridge br%u]\n", number);
	write_nic_ports(k, 30);
	for (size_t i = k->n_free; i-- > 0;) {
		if (k->above[i] > number || !maybe(k, 40))
			continue;
		fprintf(k->f, "ports = %s\n", k->free[i]);
		memcpy(k->free[i], k->free[--k->n_free], IFNAMSIZ);
		k->above[i] = k->above[k->n_free];
	}
	option(k, 15, "mtu", VALUES("1500", "9000"));
	option(k, 30, "ageing_time", VALUES("10s", "60s"));
	option(k, 20, "stp_state", VALUES("yes", "no"));
	option(k, 50, "vlan_filtering", VALUES("yes", "yes", "no"));
	option(k, 10, "vlan_stats_per_port", VALUES("yes", "no"));
	write_common(k);
	write_addresses(k, number);
}

static void write_ports(struct walk *k)
{
	for (unsigned i = 0; i < NICS; i++) {
		if (!maybe(k, 25))
			continue;
		fprintf(k->f, "[port eth%u]\n", i);
		option(k, 40, "pvid", VALUES("5", "6", "none"));
		option(k, 40, "vlans", VALUES("5 6", "7-9"));
		option(k, 40, "path_cost", VALUES("5", "9"));
		option(k, 20, "isolated", VALUES("yes", "no"));
	}
	if (!maybe(k, 40))
		return;
	fputs("[port tap*]\n", k->f);
	option(k, 50, "isolated", VALUES("yes", "no"));
	option(k, 50, "path_cost", VALUES("5", "9"));
}

static char *write_config(struct walk *k)
{
	unsigned n_bridges;
	char *text = NULL;
	size_t len;

	k->f = xmemstream(&text, &len);
	k->taken = 0;
	k->n_free = 0;
	k->n_parents = 0;
	memset(k->parents_above, 0, sizeof(k->parents_above));
	for (unsigned i = 0; i < 3; i++)
		if (maybe(k, 50))
			snprintf(k->parents[k->n_parents++], IFNAMSIZ, "br%u", i);
	n_bridges = k->n_parents;
	for (unsigned i = 0; i < 2; i++)
		if (maybe(k, 50))
			write_bond(k, i);
	for (unsigned i = 0; i < 4; i++)
		if (maybe(k, 40))
			write_vlan(k, i);
	for (unsigned i = 0; i < n_bridges; i++)
		write_bridge(k, (unsigned)(k->parents[i][2] - '0'));
	for (unsigned i = 0; i < NICS; i++) {
		if ((k->taken >> i & 1) || !maybe(k, 30))
			continue;
		fprintf(k->f, "[ethernet eth%u]\n", i);
		write_common(k);
		write_addresses(k, 10 + i);
	}
	write_ports(k);
	fclose(k->f);
	return text;
}

/* A configuration that checks: what the rules refuse is thrown away. */
static struct config *next_config(struct walk *k, char **text)
{
	for (;;) {
		struct config_files files = {0};
		struct diags d = DIAGS_NULL;
		struct config *c;
		size_t errors;

		*text = write_config(k);
		config_files_add(&files, "walk.ini", *text, strlen(*text));
		c = config_parse(&files, &d);
		errors = d.n_errors;
		diags_done(&d);
		config_files_done(&files);
		if (!errors)
			return c;
		config_free(c);
		free(*text);
	}
}

/* What others do between two of our plans. */
static void drift(struct walk *k, struct world *w)
{
	struct link *l = w->kernel.links.links[roll(k, (unsigned)w->kernel.links.n_links)];
	struct link *tap = model_find(&w->kernel.links, VALUES("tap0", "tap1", "tap2")[roll(k, TAPS)]);
	struct link *bridge = model_find(&w->kernel.links, VALUES("br0", "br1", "br2")[roll(k, 3)]);
	struct op join = {.type = OP_SET, .link = tap, .master = MASTER_JOIN};

	if (bridge && maybe(k, 50)) {
		snprintf(join.master_name, sizeof(join.master_name), "%s", bridge->name);
		fake_apply(&w->kernel, &join);
	}
	fake_disturb(&w->kernel, l, roll(k, 12));
}

/* Guests that were attached are, unless the plan says that they are cut off or their bridge is gone. */
static void check_guests(const struct world *w, const struct model *before, const struct plan *p)
{
	if (plan_impact(p) == IMPACT_GUESTS)
		return;
	for (size_t i = 0; i < before->n_links; i++) {
		const struct link *was = before->links[i], *master = model_master(before, was);
		const struct link *is = model_find(&w->kernel.links, was->name);

		if (!startswith(was->name, "tap") || !master)
			continue;
		master = model_find(&w->kernel.links, master->name);
		assert_non_null(is);
		if (!master || is->master != master->ifindex)
			fail_msg("%s was let go", was->name);
	}
}

static bool try_back(struct walk *k, struct world *w, const struct step *s)
{
	struct effective back = EFFECTIVE_NULL;
	struct model before = fake_dump(&w->kernel);
	size_t n = roll(k, (unsigned)s->plan.n + 1);
	int error;

	restore_extend(&back, w->dump, &s->plan);
	world_execute(w, &s->plan, n, &error);
	world_go_back(w, &back, &before, "on a walk", NULL);
	effective_done(&back);
	model_done(&before);
	return true;
}

static void walk_step(struct walk *k, struct world *w, const struct config *c)
{
	struct model before;
	struct step s;

	drift(k, w);
	world_look(w);
	step_make(w, c, &s);
	if (maybe(k, 40))
		try_back(k, w, &s);
	step_done(&s);
	world_look(w);
	before = fake_dump(&w->kernel);
	step_make(w, c, &s);
	world_apply(w, c, 1);
	check_guests(w, &before, &s.plan);
	step_done(&s);
	model_done(&before);
}

static void test_walk(void **state _unused_)
{
	const char *seed = getenv("SEED"), *steps = getenv("STEPS");
	bool soak = getenv("SOAK") && *getenv("SOAK");
	/* The same walk at every check, another one at every soak. */
	struct walk k = {.random = seed ? strtoull(seed, NULL, 0) : soak ? (uint64_t)time(NULL) : 1};
	unsigned n = steps ? (unsigned)atoi(steps) : soak ? STEPS_SOAK : STEPS;
	struct world w;

	print_message("SEED=%llu\n", (unsigned long long)k.random);
	k.random = k.random * 0x9e3779b97f4a7c15ull | 1;
	world_make(&w, "[foreign]\ndevices = eth0 eth1 eth2 eth3 eth4 tap0 tap1 tap2\n");
	for (unsigned i = 0; i < n; i++) {
		_cleanup_free_ char *text = NULL;
		struct config *c = next_config(&k, &text);

		if (getenv("SHOW"))
			print_message("---- step %u\n%s", i, text);
		walk_step(&k, &w, c);
		config_free(c);
	}
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_walk)};

	return cmocka_run_group_tests_name("plan walk", tests, NULL, NULL);
}
