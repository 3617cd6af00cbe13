/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a plan about a part is the plan about everything: random small edits of random configurations, with random
 * doings of others in between, on the fake kernel. SEED=N repeats a run (the seed is printed).
 */
#include "world.h"

#include <setjmp.h>
#include <time.h>

#include <cmocka.h>

#include "../../netd/kernel/kernel.h"

#define STEPS 3000
#define STEPS_SOAK 100000
#define SECTIONS 40
#define NICS 6
#define TAPS 4

struct edits {
	uint64_t random;
	char *sections[SECTIONS];  /* owned; NULL: not there */
	unsigned partial, planned; /* steps with a partial scope, and those of them with a plan */
};

/* xorshift64* */
static unsigned roll(struct edits *e, unsigned n)
{
	e->random ^= e->random >> 12;
	e->random ^= e->random << 25;
	e->random ^= e->random >> 27;
	return (unsigned)(e->random * 0x2545f4914f6cdd1dull >> 33) % n;
}

static void bond(struct edits *e, FILE *f, unsigned i)
{
	static const char *const modes[] = {"active-backup", "balance-rr", "802.3ad"};

	fprintf(f, "[bond bond%u]\nports = eth%u eth%u\nmode = %s\nmiimon = %u\n", i, 2 * i, 2 * i + 1,
		modes[roll(e, 3)], 50 + 50 * roll(e, 2));
	if (roll(e, 4) == 0)
		fprintf(f, "mtu = %u\n", 1500 + 100 * roll(e, 3));
	if (roll(e, 6) == 0)
		fprintf(f, "up = no\n");
}

/* On a bond, a NIC, or a VLAN. */
static void vlan(struct edits *e, FILE *f, unsigned i)
{
	static const char *const parents[] = {"bond0", "bond0", "bond1", "eth4", "v0", "absent"};

	fprintf(f, "[vlan v%u]\nparent = %s\nid = %u\n", i, i ? parents[roll(e, 6)] : "bond0", 10 + i - roll(e, 2));
	if (roll(e, 5) == 0)
		fprintf(f, "mtu = %u\n", 1300 + 100 * roll(e, 3));
	if (roll(e, 5) == 0)
		fprintf(f, "gvrp = yes\n");
}

static void bridge(struct edits *e, FILE *f, unsigned i)
{
	fprintf(f, "[bridge br%u]\nports = v%u\n", i, i);
	if (roll(e, 4) == 0)
		fprintf(f, "ports = eth5\n");
	if (roll(e, 3) == 0)
		fprintf(f, "ageing_time = %us\n", 10 + roll(e, 3));
	if (roll(e, 4) == 0)
		fprintf(f, "mac = 02:00:00:00:%02u:01\n", i);
	if (roll(e, 5) == 0)
		fprintf(f, "mtu = %u\n", 1300 + 100 * roll(e, 3));
	if (roll(e, 2) == 0)
		fprintf(f, "address = 10.0.%u.%u/24\n", roll(e, 8), i + 1);
	if (roll(e, 4) == 0)
		fprintf(f, "vlan_filtering = yes\n");
	if (roll(e, 12) == 0)
		fprintf(f, "route = 10.%u.0.0/16\n", 20 + roll(e, 3));
}

static void write_section(struct edits *e, FILE *f, unsigned i)
{
	if (i < 2)
		bond(e, f, i);
	else if (i < 14)
		vlan(e, f, i - 2);
	else if (i < 26)
		bridge(e, f, i - 14);
	else if (i < 29)
		fprintf(f, "[ethernet eth%u]\nmtu = %u\n", 3 + i - 26, 1500 + 500 * roll(e, 2));
	else if (i == 29 && roll(e, 4) == 0)
		fprintf(f, "[port tap*]\nisolated = yes\n");
}

static void edit(struct edits *e)
{
	unsigned i = roll(e, SECTIONS);
	size_t len;
	FILE *f;

	free(TAKE_PTR(e->sections[i]));
	if (roll(e, 4) == 0)
		return;
	f = xmemstream(&e->sections[i], &len);
	write_section(e, f, i);
	fclose(f);
}

/* NULL: it does not check. */
static struct config *parse(const struct edits *e)
{
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	_cleanup_free_ char *text = NULL;
	struct config *c;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < SECTIONS; i++)
		if (e->sections[i])
			fputs(e->sections[i], f);
	fclose(f);
	config_files_add(&files, "edited.ini", text, len);
	c = config_parse(&files, &d);
	if (d.n_errors)
		c = config_free(c);
	diags_done(&d);
	config_files_done(&files);
	return c;
}

/* An edit that does not check is taken back. */
static struct config *edited(struct edits *e)
{
	for (;;) {
		char *before[SECTIONS];
		struct config *c;

		for (size_t i = 0; i < SECTIONS; i++)
			before[i] = e->sections[i] ? xstrdup(e->sections[i]) : NULL;
		for (unsigned n = roll(e, 3); n-- > 0;)
			edit(e);
		c = parse(e);
		for (size_t i = 0; i < SECTIONS; i++) {
			free(c ? before[i] : e->sections[i]);
			if (!c)
				e->sections[i] = before[i];
		}
		if (c)
			return c;
	}
}

/* What others do. */
static void drift(struct edits *e, struct world *w)
{
	struct link *l = w->kernel.links.links[roll(e, (unsigned)w->kernel.links.n_links)];
	char name[IFNAMSIZ];
	struct link *bridge;
	unsigned what;
	struct op join = {.type = OP_SET, .master = MASTER_JOIN};

	snprintf(name, sizeof(name), "tap%u", roll(e, TAPS));
	join.link = model_find(&w->kernel.links, name);
	snprintf(join.master_name, sizeof(join.master_name), "br%u", roll(e, 12));
	bridge = model_find(&w->kernel.links, join.master_name);
	what = roll(e, 12);
	if (bridge && (what == 4 || what == 5))
		fake_apply(&w->kernel, &join);
	else
		fake_disturb(&w->kernel, l, what);
}

static void touch(const char *line, void *userdata)
{
	_cleanup_free_ char *name = xstrdup(line);

	name[strcspn(name, ":")] = '\0';
	names_add(userdata, name);
}

/* Made anew is another link, of the same looks perhaps. */
static void touch_new(const struct model *before, const struct model *now, struct names *touched)
{
	for (size_t i = 0; i < now->n_links; i++) {
		const struct link *was = model_find(before, now->links[i]->name);

		if (!was || was->ifindex != now->links[i]->ifindex)
			names_add(touched, now->links[i]->name);
	}
}

static void add_missing(const char *name, void *userdata)
{
	names_add(userdata, name);
}

static void compare(struct edits *e, struct world *w, const struct config *before, const struct config *now,
		    const struct names *touched)
{
	struct names changed = NAMES_NULL, missing = NAMES_NULL;
	const struct scope_input in = {.before = before,
				       .now = now,
				       .changed = &changed,
				       .actual = w->dump,
				       .touched = touched,
				       .missing = &missing};
	_cleanup_free_ char *whole = NULL, *part = NULL;
	struct scope scope = SCOPE_NULL;
	struct step s;

	step_make(w, before, &s);
	effective_missing(&s.effective, add_missing, &missing);
	step_done(&s);
	if (config_changes(before, now, &changed))
		scope_make(&in, &scope);
	names_done(&changed);
	names_done(&missing);
	step_make(w, now, &s);
	whole = plan_text(&s.plan);
	step_done(&s);
	step_make_of(w, now, &scope, &s);
	part = plan_text(&s.plan);
	step_done(&s);
	if (!streq(whole, part))
		fail_msg("of everything:\n%sof a part:\n%s", whole, part);
	e->partial += scope.partial;
	e->planned += scope.partial && *whole;
	scope_done(&scope);
}

static void step(struct edits *e, struct world *w, struct config **config)
{
	struct names touched = NAMES_NULL;
	struct config *next = edited(e);
	struct model before;

	world_apply(w, *config, 3);
	world_look(w);
	before = fake_dump(&w->kernel);
	drift(e, w);
	world_look(w);
	kernel_compare(&before, w->dump, touch, &touched);
	touch_new(&before, w->dump, &touched);
	compare(e, w, *config, next, &touched);
	compare(e, w, *config, *config, &touched);
	model_done(&before);
	names_done(&touched);
	config_free(*config);
	*config = next;
}

static void test_edits(void **state _unused_)
{
	const char *seed = getenv("SEED"), *steps = getenv("STEPS");
	bool soak = getenv("SOAK") && *getenv("SOAK");
	struct edits e = {.random = seed ? strtoull(seed, NULL, 0) : soak ? (uint64_t)time(NULL) : 1};
	unsigned n = steps ? (unsigned)atoi(steps) : soak ? STEPS_SOAK : STEPS;
	struct config *config;
	struct world w;

	print_message("SEED=%llu\n", (unsigned long long)e.random);
	e.random = e.random * 0x9e3779b97f4a7c15ull | 1;
	world_make(&w, "[foreign]\ndevices = eth0 eth1 eth2 eth3 eth4 eth5 tap0 tap1 tap2 tap3\n");
	config = parse(&e);
	for (unsigned i = 0; i < n; i++)
		step(&e, &w, &config);
	print_message("%u of %u looks were about a part, %u of them with a plan\n", e.partial, 2 * n, e.planned);
	/* Else nothing was shown. */
	assert_true(e.partial > n / 2 && e.planned > n / 8);
	config_free(config);
	for (size_t i = 0; i < SECTIONS; i++)
		free(e.sections[i]);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_edits)};

	return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
