/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: which ports leave a bridge or bond by themselves before it is deleted (netd/kernel/release.h). */
#include "../../netd/kernel/release.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../../netd/model/kind-bridge.h"

static struct link *add(struct model *m, const char *name, const struct kind *kind, uint32_t ifindex, uint32_t master)
{
	struct link *l = link_new(name, kind);

	l->ifindex = ifindex;
	l->master = master;
	model_add(m, l);
	return l;
}

/* br0 (1) with so many ports: 11, 12, ... */
static void make_full(struct model *m, unsigned ports)
{
	add(m, "br0", &kind_bridge, 1, 0);
	for (unsigned i = 1; i <= ports; i++) {
		_cleanup_free_ char *name = xasprintf("t%u", i);

		add(m, name, &kind_ethernet, 10 + i, 1);
	}
}

static struct op about(const struct model *m, const char *name, enum op_type type, enum op_master master)
{
	const struct link *l = model_find(m, name);

	return (struct op){.type = type, .link = l, .have = l, .master = master};
}

static void test_few_ports_go_with_the_bridge(void **state _unused_)
{
	_cleanup_(model_done) struct model m = {0};
	struct op ops[1];
	const struct plan p = {.ops = ops, .n = 1};
	struct release r;

	make_full(&m, 3);
	ops[0] = about(&m, "br0", OP_DELETE, MASTER_KEEP);
	assert_ptr_equal(release_plan(&p, &m, &r), &p);
	assert_int_equal(release_number(&r, 0), 0);
	assert_false(release_is_leaving(&r, 0) || release_is_rest(&r, 0));
}

static void test_many_leave_right_before_it_unless_the_plan_has_moved_them(void **state _unused_)
{
	_cleanup_(model_done) struct model m = {0};
	struct op ops[5];
	const struct plan p = {.ops = ops, .n = ARRAY_SIZE(ops)}, *executed;
	static const struct {
		const char *name;
		size_t number;
		bool leaves, rest;
	} expected[] = {
		/* clang-format off */
		{"t2", 0}, {"t4", 1},
		{"t1", 2, true}, {"t3", 2, true}, {"t5", 2, true}, {"t6", 2, true}, {"br0", 2, .rest = true},
		{"t6", 3}, {"lo", 4},
		/* clang-format on */
	};
	struct release r;

	make_full(&m, 6);
	add(&m, "lo", &kind_ethernet, 99, 0);
	ops[0] = about(&m, "t2", OP_SET, MASTER_JOIN);
	ops[1] = about(&m, "t4", OP_DELETE, MASTER_KEEP);
	ops[2] = about(&m, "br0", OP_DELETE, MASTER_KEEP);
	ops[3] = about(&m, "t6", OP_SET, MASTER_JOIN);
	ops[4] = about(&m, "lo", OP_SET, MASTER_KEEP);
	executed = release_plan(&p, &m, &r);
	assert_int_equal(executed->n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < executed->n; i++) {
		assert_string_equal(executed->ops[i].link->name, expected[i].name);
		assert_int_equal(release_number(&r, i), expected[i].number);
		assert_int_equal(release_is_leaving(&r, i), expected[i].leaves);
		assert_int_equal(release_is_rest(&r, i), expected[i].rest);
		assert_true(!expected[i].leaves || executed->ops[i].master == MASTER_LEAVE);
	}
	release_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_ports_go_with_the_bridge),
		cmocka_unit_test(test_many_leave_right_before_it_unless_the_plan_has_moved_them),
	};

	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
