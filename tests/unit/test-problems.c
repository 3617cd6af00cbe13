/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: problems neither pile up nor outlive their cause; and what is left out because of one. */
#include "../../netd/reconcile/manager.h"
#include "rows.h"
#include "world.h"

static unsigned told;

void manager_tell(struct manager *m _unused_, enum manager_event event _unused_, const char *link _unused_,
		  const char *format _unused_, ...)
{
	told++;
}

void manager_forget_wanted(struct manager *m _unused_)
{
}

/* There is nothing else to run. */
bool manager_fall_back(struct manager *m _unused_, const char *why _unused_)
{
	return false;
}

static struct model shown;

const struct model *kernel_actual(const struct kernel *k _unused_)
{
	return &shown;
}

static void one_cause_is_one_problem(void **state _unused_)
{
	struct manager m = {0};

	told = 0;
	for (unsigned i = 0; i < 1000; i++)
		manager_problem_of(&m, "br0", "paused", "put back %u times", i / 100);
	assert_int_equal(m.n_problems, 1);
	assert_string_equal(m.problems[0].text, "put back 9 times");
	assert_int_equal(told, 10);
	manager_problem_of(&m, "br1", "paused", "put back");
	manager_problem_of(&m, "br0", "dns", "refused");
	manager_problem(&m, "br0", false, "it stays");
	assert_int_equal(m.n_problems, 4);
	manager_forget_problems(&m);
}

static void it_goes_with_its_cause(void **state _unused_)
{
	struct manager m = {0};

	manager_problem_of(&m, "br0", "paused", "put back");
	manager_problem_of(&m, "br1", "paused", "put back");
	manager_problem_of(&m, "br0", "dns", "refused");
	manager_problem(&m, "br0", false, "it stays");
	manager_problem_over(&m, "br0", "paused");
	assert_int_equal(m.n_problems, 3);
	assert_string_equal(m.problems[0].link, "br1");
	manager_problem_over(&m, NULL, "paused");
	assert_int_equal(m.n_problems, 2);
	manager_problem_over(&m, "br0", "dns");
	assert_int_equal(m.n_problems, 1);
	assert_string_equal(m.problems[0].text, "it stays");
	manager_forget_problems(&m);
	assert_int_equal(m.n_problems, 0);
}

static void what_is_left_out_is_so_until_problems_are_forgotten(void **state _unused_)
{
	struct manager m = {0};

	manager_problem(&m, "br0", true, "br0 is left out");
	assert_true(names_has(&m.left_out, "br0"));
	manager_problem_over(&m, "br0", "paused");
	assert_true(names_has(&m.left_out, "br0"));
	manager_forget_problems(&m);
	assert_false(names_has(&m.left_out, "br0"));
}

static void without_its_driver_all_of_a_kind_that_are_not_there_are_left_out(void **state _unused_)
{
	const struct outcome o = {.error = -EOPNOTSUPP, .no_driver = true, .link = "bond0", .text = "no driver"};
	struct manager m = {.config = world_config("[bond bond0]\n[bridge br0]\n[bond bond1]\n[bond there]\n")};

	model_add(&shown, link_new("there", &kind_bond));
	assert_true(manager_leave_out(&m, &o));
	assert_true(names_has(&m.left_out, "bond0") && names_has(&m.left_out, "bond1"));
	assert_int_equal(m.left_out.n, 2);
	assert_int_equal(m.n_problems, 1);
	assert_string_equal(m.problems[0].text, "2 bonds are left out: no driver");
	/* The next start does not send it again: then it is told as it is, and nothing more can be left out. */
	assert_false(manager_leave_out(&m, &o));
	manager_forget_problems(&m);
	config_free(m.config);
	model_done(&shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_cause_is_one_problem),
		cmocka_unit_test(it_goes_with_its_cause),
		cmocka_unit_test(what_is_left_out_is_so_until_problems_are_forgotten),
		cmocka_unit_test(without_its_driver_all_of_a_kind_that_are_not_there_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
