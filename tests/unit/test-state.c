/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the ledger on disk: what was appended to it and what was written as a whole are read back as the same. */
#include <sys/stat.h>

#include "../../netd/reconcile/ledger-json.h"
#include "../../netd/reconcile/state.h"
#include "rows.h"

#define RECORDS 40
#define STEPS 600

static char directory[] = "/tmp/kvmnetd-state-XXXXXX";
static struct state_dirs dirs;

static int make_directory(void **state _unused_)
{
	assert_non_null(mkdtemp(directory));
	dirs = (struct state_dirs){.config = directory, .runtime = directory, .state = directory};
	return 0;
}

static char *ledger_path(void)
{
	return xasprintf("%s/ledger.json", directory);
}

static int remove_directory(void **state _unused_)
{
	_cleanup_free_ char *path = ledger_path();

	unlink(path);
	return rmdir(directory);
}

static void assert_same(const struct ledger *a, const struct ledger *b)
{
	struct json_object *x = ledger_to_json(a), *y = ledger_to_json(b);

	assert_string_equal(json_object_to_json_string(x), json_object_to_json_string(y));
	json_object_put(x);
	json_object_put(y);
}

static void assert_reads_back(const struct ledger *l, uint32_t generation)
{
	struct ledger found;
	uint32_t found_generation;

	assert_int_equal(state_load(&dirs, &found, &found_generation), 0);
	assert_same(l, &found);
	assert_int_equal(found_generation, generation);
	ledger_done(&found);
}

/* A record is made, changed, or goes, perhaps to be made again at once. */
static void change(struct ledger *l, unsigned i)
{
	char name[IFNAMSIZ];
	struct record *r;

	snprintf(name, sizeof(name), "br%ld", random() % RECORDS);
	if (random() % 4 == 0)
		ledger_remove(l, name);
	if (random() % 3 == 0)
		return;
	r = ledger_get(l, name, &kind_bridge);
	r->created = true;
	r->ifindex = i + 1;
	if (!r->own)
		r->own = values_new(&kind_bridge.own);
	values_put(r->own, option_row(r->own->table, "priority"), (union value){.num = i}, LOC_NONE);
}

static void every_save_is_read_back(void **state _unused_)
{
	_cleanup_free_ char *path = ledger_path();
	struct ledger l = LEDGER_NULL;
	size_t largest = 0;
	struct stat st;

	srandom(1);
	for (unsigned i = 0; i < STEPS; i++) {
		for (long n = random() % 4; n > 0; n--)
			change(&l, i);
		assert_int_equal(state_save(&dirs, &l, i), 0);
		assert_reads_back(&l, i);
		largest = MAX(largest, l.n_lines);
		/* Someone removes it: it comes back whole. */
		if (i % 100 == 99)
			unlink(path);
	}
	assert_true(largest < 1000);
	assert_int_equal(stat(path, &st), -1);
	ledger_done(&l);
}

/* In the order of strcmp(), also of names that differ in length or at one end only. */
static void records_are_found_by_their_whole_name(void **state _unused_)
{
	static const char *const names[] = {"b",	 "a",	     "ab",	  "bond0.1",	     "bond0.10",
					    "bond0.100", "abcdefgh", "abcdefghi", "abcdefghijklmno", "abcdefghijklmnn",
					    "\xc3\xa4",	 "A"};
	struct ledger l = LEDGER_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ledger_get(&l, names[i], &kind_bridge);
	assert_int_equal(l.n, ARRAY_SIZE(names));
	for (size_t i = 1; i < l.n; i++)
		assert_true(strcmp(l.list[i - 1]->name, l.list[i]->name) < 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(ledger_find(&l, names[i])->name, names[i]);
	assert_null(ledger_find(&l, "abcdefghijklmnop"));
	assert_null(ledger_find(&l, "bond0"));
	assert_null(ledger_find(&l, ""));
	ledger_done(&l);
}

/* What changes nothing adds no record. */
static void only_what_changed_is_appended(void **state _unused_)
{
	struct ledger l = LEDGER_NULL;
	size_t lines;

	for (unsigned i = 0; i < 100; i++)
		change(&l, i);
	assert_int_equal(state_save(&dirs, &l, 1), 0);
	lines = l.n_lines;
	ledger_get(&l, "one", &kind_vlan);
	assert_int_equal(state_save(&dirs, &l, 2), 0);
	assert_true(l.n_lines <= lines + 2);
	assert_reads_back(&l, 2);
	ledger_done(&l);
}

static void a_line_without_end_is_passed_over(void **state _unused_)
{
	_cleanup_free_ char *path = ledger_path();
	struct ledger l = LEDGER_NULL, found;
	uint32_t generation;
	FILE *f;

	ledger_get(&l, "one", &kind_vlan);
	assert_int_equal(state_save(&dirs, &l, 7), 0);
	f = fopen(path, "ae");
	assert_non_null(f);
	fputs("{\"name\":\"two\",\"kind\":\"vlan\"}", f);
	fclose(f);
	assert_reads_back(&l, 7);
	/* Who goes on from there writes a file without that line. */
	state_load(&dirs, &found, &generation);
	assert_int_equal(state_save(&dirs, &found, 8), 0);
	assert_reads_back(&l, 8);
	ledger_done(&found);
	ledger_done(&l);
}

static void the_first_start_of_a_boot_finds_nothing(void **state _unused_)
{
	_cleanup_free_ char *path = ledger_path();
	struct ledger l = LEDGER_NULL;
	uint32_t generation = 1;

	unlink(path);
	assert_int_equal(state_load(&dirs, &l, &generation), -ENOENT);
	assert_int_equal(generation, 0);
	/* Whatever that start came to: the next one is no first one. */
	assert_int_equal(state_save(&dirs, &l, 0), 0);
	assert_reads_back(&l, 0);
	ledger_done(&l);
}

/* What was kept of all knows nothing of the file, what was kept of some names says what changed: both are read back. */
static void what_is_put_back_is_written(void **state _unused_)
{
	static const char *const kept[] = {"one", "two", "three"};

	for (int some = 0; some < 2; some++) {
		struct ledger l = LEDGER_NULL;
		struct ledger_past past = LEDGER_PAST_NULL;
		struct names names = NAMES_NULL;

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			names_add(&names, kept[i]);
		ledger_get(&l, "one", &kind_vlan)->ifindex = 7;
		ledger_get(&l, "other", &kind_bridge);
		ledger_get(&l, "three", &kind_bridge);
		assert_int_equal(state_save(&dirs, &l, 1), 0);
		ledger_keep(&past, &l, some ? &names : NULL);
		ledger_get(&l, "one", &kind_vlan)->ifindex = 8;
		ledger_get(&l, "two", &kind_vlan);
		ledger_remove(&l, "three");
		assert_int_equal(state_save(&dirs, &l, 2), 0);
		/* A second time does not forget the first. */
		ledger_keep(&past, &l, some ? &names : NULL);
		ledger_put_back(&past, &l);
		assert_int_equal(l.n, 3);
		assert_int_equal(ledger_find(&l, "one")->ifindex, 7);
		assert_null(ledger_find(&l, "two"));
		assert_non_null(ledger_find(&l, "three"));
		assert_int_equal(state_save(&dirs, &l, 1), 0);
		assert_reads_back(&l, 1);
		names_done(&names);
		ledger_done(&l);
	}
}

/* Some names first, all then: what was kept first counts. */
static void what_was_kept_first_counts(void **state _unused_)
{
	struct ledger l = LEDGER_NULL;
	struct ledger_past past = LEDGER_PAST_NULL;
	struct names names = NAMES_NULL;

	names_add(&names, "one");
	ledger_get(&l, "one", &kind_vlan)->ifindex = 7;
	ledger_get(&l, "two", &kind_vlan)->ifindex = 70;
	ledger_keep(&past, &l, &names);
	ledger_get(&l, "one", &kind_vlan)->ifindex = 8;
	ledger_keep(&past, &l, NULL);
	ledger_get(&l, "two", &kind_vlan)->ifindex = 80;
	ledger_put_back(&past, &l);
	assert_int_equal(ledger_find(&l, "one")->ifindex, 7);
	assert_int_equal(ledger_find(&l, "two")->ifindex, 70);
	names_done(&names);
	ledger_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_save_is_read_back),
		cmocka_unit_test(records_are_found_by_their_whole_name),
		cmocka_unit_test(only_what_changed_is_appended),
		cmocka_unit_test(the_first_start_of_a_boot_finds_nothing),
		cmocka_unit_test(a_line_without_end_is_passed_over),
		cmocka_unit_test(what_is_put_back_is_written),
		cmocka_unit_test(what_was_kept_first_counts),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
