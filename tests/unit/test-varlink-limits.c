/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the Varlink service against clients that are broken, oversized, slow, silent or greedy. */
#include "toy.h"

#include <sys/socket.h>

static void malformed_requests_are_told_why_and_end_the_connection(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"", "not a JSON object"},
		{"hello", "not JSON"},
		{"12", "not a JSON object"},
		{"[]", "not a JSON object"},
		{"{\"method\":\"org.example.toy.Ping\"", "not a JSON object"},
		{"{\"method\":\"org.example.toy.Ping\"} x", "not JSON"},
		{"{\"method\":\"org.example.toy.Ping\"}{}", "not JSON"},
		{"{'method':\"org.example.toy.Ping\"}", "double quotes"},
		{"{\"method\":\"\xff\"}", "not JSON"},
		{"{}", "method"},
		{"{\"method\":1}", "method"},
		{"{\"method\":\"a.b\",\"parameters\":[]}", "parameters"},
		{"{\"method\":\"a.b\",\"more\":1}", "more"},
		{"{\"method\":\"a.b\",\"mroe\":true}", "mroe"},
		{"{\"method\":\"a.b\",\"more\":true,\"oneway\":true}", "only one of"},
	};
	/* clang-format on */
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (i)
			connect_pair(f);
		send_text(f, cases[i].text);
		expect_refused(f, cases[i].part);
	}
	/* A client cannot fill the log. */
	assert_int_equal(f->logged, 10);
}

static void a_member_that_is_not_of_the_protocol_cannot_forge_a_line_of_the_log(void **state)
{
	struct fixture *f = *state;

	send_text(f, "{\"x\\nkvmnetd: "
		     "undone\\u001b[2K\\u00e4012345678901234567890123456789012345678901234567890123456789\":1}");
	expect_refused(f, "x?kvmnetd: undone?[2K??0123456789012345678901234567890123456");
}

static void text_after_the_object_in_a_later_packet_is_refused(void **state)
{
	struct fixture *f = *state;

	send_bytes(f, "{\"method\":\"a.b\"}", 16);
	settle(f);
	send_text(f, "x");
	expect_refused(f, "after the end");
}

static void an_oversized_request_is_refused_while_it_comes_in(void **state)
{
	struct fixture *f = *state;
	struct varlink_limits limits = varlink_limits_default;
	_cleanup_free_ char *filler = xcalloc(1 << 20, 1);

	limits.message_max = 4 << 20;
	limits_set(f, limits);
	memset(filler, 'x', 1 << 20);
	send_bytes(f, "{\"method\":\"", 11);
	for (int i = 0; i < 5; i++)
		send_bytes(f, filler, 1 << 20);
	expect_refused(f, "over 4194304 bytes");
}

static void a_request_just_below_the_limit_is_taken(void **state)
{
	struct fixture *f = *state;
	const char *head =
		"{\"method\":\"org.example.toy.Files\",\"parameters\":{\"files\":[{\"name\":\"a\",\"text\":\"";
	size_t len = VARLINK_MESSAGE_MAX - strlen(head) - 5;
	_cleanup_free_ char *filler = xcalloc(len, 1);

	memset(filler, 'x', len);
	send_bytes(f, head, strlen(head));
	send_bytes(f, filler, len);
	send_text(f, "\"}]}}");
	expect(f, "{\"parameters\":{\"pong\":\"nothing\"}}");
}

static void large_requests_of_many_clients_share_one_bound(void **state)
{
	struct fixture *f = *state;
	struct varlink_limits limits = varlink_limits_default;
	_cleanup_free_ char *filler = xcalloc(1 << 20, 1);
	int first;

	limits.input_total_max = 1536u << 10;
	limits_set(f, limits);
	memset(filler, 'x', 1 << 20);
	send_bytes(f, "{\"method\":\"", 11);
	send_bytes(f, filler, 1 << 20);
	settle(f);
	first = f->client;
	f->client = -1;
	connect_pair(f);
	send_text(f, "{\"method\":\"org.example.toy.Ping\"}");
	expect(f, "{\"parameters\":{\"pong\":\"nothing\"}}");
	send_bytes(f, "{\"method\":\"", 11);
	send_bytes(f, filler, 1 << 20);
	settle(f);
	assert_int_equal(varlink_server_connections(f->server), 1);
	/* The bound is free again when the first is gone. */
	close(first);
	settle(f);
	connect_pair(f);
	send_bytes(f, "{\"method\":\"", 11);
	send_bytes(f, filler, 1 << 20);
	send_text(f, "\"}");
	json_object_put(reply(f));
	assert_int_equal(varlink_server_connections(f->server), 1);
}

static void values_that_would_take_far_more_memory_than_text_are_refused(void **state)
{
	struct fixture *f = *state;

	send_bytes(f, "{\"method\":[", 11);
	for (int i = 0; i < 100000 && !f->eof; i++) {
		send_bytes(f, "0,", 2);
		if (i % 1000 == 0)
			receive(f);
	}
	expect_refused(f, "over 65536 values");
}

static void deep_nesting_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[256] = "{\"method\":\"a.b\",\"parameters\":{\"a\":";

	for (int i = 0; i < 100; i++)
		strcat(text, "[");
	send_text(f, text);
	expect_refused(f, "nested deeper");
}

static void a_request_that_is_not_finished_in_time_is_refused(void **state)
{
	struct fixture *f = *state;
	struct varlink_limits limits = varlink_limits_default;

	limits.input_usec = 50000;
	limits_set(f, limits);
	send_bytes(f, "{\"meth", 6);
	expect_refused(f, "in time");
}

static void a_silent_connection_and_a_slow_answer_have_no_deadline(void **state)
{
	struct fixture *f = *state;
	struct varlink_limits limits = varlink_limits_default;

	limits.input_usec = limits.output_usec = 20000;
	limits_set(f, limits);
	for (int i = 0; i < 5; i++)
		turn(f, 20);
	send_text(f, "{\"method\":\"org.example.toy.Wait\"}");
	for (int i = 0; i < 5; i++)
		turn(f, 20);
	assert_non_null(f->waiting);
	varlink_reply(f->waiting, NULL);
	expect(f, "{\"parameters\":{}}");
}

static void a_client_that_does_not_take_its_replies_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct varlink_limits limits = varlink_limits_default;

	limits.output_usec = 50000;
	limits_set(f, limits);
	send_text(f, "{\"method\":\"org.example.toy.Count\",\"parameters\":{\"to\":20000},\"more\":true}");
	for (int i = 0; i < 2000 && varlink_server_connections(f->server); i++)
		turn(f, 10);
	assert_int_equal(varlink_server_connections(f->server), 0);
	assert_int_equal(f->freed, 1);
	assert_int_equal(f->logged, 1);
}

static void requests_of_a_client_that_does_not_read_are_not_taken_without_end(void **state)
{
	static const char text[] = "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
				   "{\"interface\":\"org.varlink.service\"}}";
	struct fixture *f = *state;
	size_t sent = 0;

	for (int idle = 0; idle < 100;) {
		ssize_t n = send(f->client, text, sizeof(text), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n == sizeof(text))
			sent++;
		assert_true(n < 0 || n == sizeof(text));
		idle = n < 0 ? idle + 1 : 0;
		settle(f);
	}
	assert_true(sent < 20000);
	for (size_t i = 0; i < sent; i++)
		json_object_put(reply(f));
}

static void a_busy_client_does_not_keep_others_waiting(void **state)
{
	struct fixture *f = *state;
	int busy;

	send_text(f, "{\"method\":\"org.example.toy.Count\",\"parameters\":{\"to\":1000000},\"more\":true}");
	busy = f->client;
	f->client = -1;
	connect_pair(f);
	send_text(f, "{\"method\":\"org.example.toy.Ping\"}");
	for (int i = 0; i < 20 && !f->pings; i++) {
		char sink[65536];

		turn(f, 0);
		while (recv(busy, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
	}
	assert_int_equal(f->pings, 1);
	close(busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(malformed_requests_are_told_why_and_end_the_connection),
		TEST(a_member_that_is_not_of_the_protocol_cannot_forge_a_line_of_the_log),
		TEST(text_after_the_object_in_a_later_packet_is_refused),
		TEST(an_oversized_request_is_refused_while_it_comes_in),
		TEST(a_request_just_below_the_limit_is_taken),
		TEST(large_requests_of_many_clients_share_one_bound),
		TEST(values_that_would_take_far_more_memory_than_text_are_refused),
		TEST(deep_nesting_is_refused),
		TEST(a_request_that_is_not_finished_in_time_is_refused),
		TEST(a_silent_connection_and_a_slow_answer_have_no_deadline),
		TEST(a_client_that_does_not_take_its_replies_is_dropped),
		TEST(requests_of_a_client_that_does_not_read_are_not_taken_without_end),
		TEST(a_busy_client_does_not_keep_others_waiting),
	};

	return cmocka_run_group_tests_name("varlink limits", tests, NULL, NULL);
}
