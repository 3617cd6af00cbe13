/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: a batch some of whose answers do not come: it says so, and leaves nothing of those that came. */
#include "../../netd/kernel/rtnl.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct batch {
	_Alignas(struct nlmsghdr) uint8_t room[1024];
	size_t len;
};

/* Reads, which nobody needs a right for. A dump is answered by what it finds, and by no ack. */
static void add_read(struct batch *b, uint16_t flags, uint32_t change)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(b->room + b->len);
	struct ifinfomsg *ifi;

	m->nlmsg_type = RTM_GETLINK;
	m->nlmsg_flags = flags;
	ifi = mnl_nlmsg_put_extra_header(m, sizeof(*ifi));
	ifi->ifi_index = 1;
	/* Strict checking refuses what a read has no use for (net/core/rtnetlink.c, rtnl_valid_getlink_req()). */
	ifi->ifi_change = change;
	b->len += MNL_ALIGN(m->nlmsg_len);
}

static struct rtnl *opened(void **state)
{
	return *state;
}

static int open_socket(void **state)
{
	struct rtnl *r;
	int error = rtnl_open(&r);

	*state = r;
	return error;
}

static int close_socket(void **state)
{
	rtnl_close(opened(state));
	return 0;
}

static void each_answer_has_the_words_of_the_kernel(void **state)
{
	struct batch b = {0};
	struct rtnl_result results[2];

	add_read(&b, 0, 1);
	add_read(&b, 0, 1);
	assert_int_equal(rtnl_batch(opened(state), b.room, b.len, results, 2), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(results[i].error, -EINVAL);
		assert_non_null(strstr(results[i].text, "Invalid values in header"));
		rtnl_result_done(&results[i]);
	}
}

static void answers_that_came_are_let_go_when_others_were_lost(void **state)
{
	struct batch b = {0};
	struct rtnl_result results[2];

	add_read(&b, 0, 1);
	add_read(&b, NLM_F_DUMP, 0);
	assert_int_equal(rtnl_batch(opened(state), b.room, b.len, results, 2), -ENOBUFS);
	for (size_t i = 0; i < 2; i++)
		assert_null(results[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_answer_has_the_words_of_the_kernel, open_socket, close_socket),
		cmocka_unit_test_setup_teardown(answers_that_came_are_let_go_when_others_were_lost, open_socket,
						close_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
