/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the values of a link (struct values): kept by row, shared by copies until one of them is written. */
#include "rows.h"

/* Against plain arrays: any order of writing, taking and copying. */
static void values_keep_rows_apart(void **state _unused_)
{
	const struct option_table *table = &kind_bridge.own;
	struct values *v = values_new(table), *before = NULL;
	uint64_t nums[64] = {0}, nums_before[64] = {0};
	uint32_t random = 1;

	for (unsigned i = 0; i < 5000; i++) {
		unsigned row = (random = random * 1664525 + 1013904223) >> 16, what = random >> 8 & 15;

		row %= table->n;
		if (table->rows[row].type->is_blob)
			continue;
		if (what == 0) {
			values_free(before);
			before = values_copy(v);
			memcpy(nums_before, nums, sizeof(nums));
		} else if (what < 6) {
			values_unset(v, row);
			nums[row] = 0;
		} else {
			nums[row] = i + 1;
			values_put(v, row, (union value){.num = i + 1}, (struct loc){.file = what < 9, .line = i + 1});
		}
		for (unsigned r = 0; r < table->n; r++) {
			assert_int_equal(values_has(v, r), nums[r] != 0);
			assert_int_equal(values_num(v, r, 0), nums[r]);
			assert_true(!values_loc(v, r).file || values_loc(v, r).line == nums[r]);
			assert_int_equal(values_num(before, r, 0), nums_before[r]);
		}
	}
	values_free(before);
	values_free(v);
}

static void values_copies_share_until_one_is_written(void **state _unused_)
{
	struct values *v = values_new(&kind_bond.own), *copy;
	unsigned row = option_row(v->table, "arp_ip_target"), other = option_row(v->table, "miimon");

	values_put(v, row, must_parse(&v->table->rows[row], "192.0.2.1"), (struct loc){1, 7});
	/* A second value takes the place of the first and frees it (the sanitizer build sees it if not). */
	values_put(v, row, must_parse(&v->table->rows[row], "192.0.2.2"), (struct loc){1, 8});
	copy = values_copy(v);
	assert_ptr_equal(copy->slots, v->slots);
	assert_int_equal(values_loc(copy, row).line, 8);
	values_put(copy, other, (union value){.num = 50}, LOC_NONE);
	assert_false(values_has(v, other));
	assert_int_equal(values_loc(copy, row).line, 8);
	assert_ptr_not_equal(values_at(copy, row).blob, values_at(v, row).blob);
	assert_true(blob_equal(values_at(copy, row).blob, values_at(v, row).blob));
	values_free(copy);
	copy = values_copy(v);
	values_unset(v, row);
	assert_false(values_has(v, row));
	assert_int_equal(values_loc(v, row).line, 0);
	assert_true(values_has(copy, row));
	assert_int_equal(values_loc(copy, row).line, 8);
	values_free(v);
	values_free(copy);
	assert_null(values_copy(NULL));
	assert_null(values_free(NULL));
}

static void the_same_values_of_two_links_share_until_one_is_written(void **state _unused_)
{
	struct values *a = values_new(&kind_bond.own), *b = values_new(&kind_bond.own);
	unsigned row = option_row(a->table, "arp_ip_target"), other = option_row(a->table, "miimon");

	values_put(a, row, must_parse(&a->table->rows[row], "192.0.2.1"), LOC_NONE);
	values_put(b, row, must_parse(&b->table->rows[row], "192.0.2.2"), LOC_NONE);
	values_share(b, a);
	assert_ptr_not_equal(a->slots, b->slots);
	values_put(b, row, must_parse(&b->table->rows[row], "192.0.2.1"), LOC_NONE);
	values_share(b, a);
	assert_ptr_equal(a->slots, b->slots);
	values_put(b, other, (union value){.num = 50}, LOC_NONE);
	assert_false(values_has(a, other));
	values_share(a, b);
	assert_ptr_not_equal(a->slots, b->slots);
	values_unset(b, other);
	values_share(a, b);
	values_free(b);
	assert_non_null(values_at(a, row).blob);
	values_free(a);
}

static void values_that_know_where_they_were_written_are_not_shared(void **state _unused_)
{
	struct values *a = values_new(&kind_bond.own), *b = values_new(&kind_bond.own);
	unsigned row = option_row(a->table, "miimon");

	values_share(b, a);
	values_put(a, row, (union value){.num = 50}, (struct loc){1, 7});
	values_put(b, row, (union value){.num = 50}, (struct loc){1, 8});
	assert_true(values_same(a, b));
	values_share(b, a);
	assert_int_equal(values_loc(a, row).line, 7);
	assert_int_equal(values_loc(b, row).line, 8);
	values_free(a);
	values_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_keep_rows_apart),
		cmocka_unit_test(values_copies_share_until_one_is_written),
		cmocka_unit_test(the_same_values_of_two_links_share_until_one_is_written),
		cmocka_unit_test(values_that_know_where_they_were_written_are_not_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
