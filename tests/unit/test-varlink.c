/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the Varlink service as clients that behave see it: introspection, errors, rights, order, streams, leaving.
 */
#include "toy.h"

#include <sys/socket.h>

static void introspection_names_and_describes_every_interface(void **state)
{
	struct fixture *f = *state;
	struct json_object *o;

	send_text(f, "{\"method\":\"org.varlink.service.GetInfo\"}");
	expect(f, "{\"parameters\":{\"vendor\":\"Vendor\",\"product\":\"Toy\",\"version\":\"1\",\"url\":"
		  "\"https://example.org\",\"interfaces\":[\"org.varlink.service\",\"org.example.toy\"]}}");
	send_text(f, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		     "{\"interface\":\"org.example.toy\"}}");
	expect(f, "{\"parameters\":{\"description\":\"# toy\\ninterface org.example.toy\\n\"}}");
	send_text(f, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		     "{\"interface\":\"org.varlink.service\"}}");
	o = reply(f);
	assert_non_null(strstr(json_object_to_json_string(o), "method GetInterfaceDescription(interface: string)"));
	json_object_put(o);
	send_text(f, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":"
		     "{\"interface\":\"org.example.other\"}}");
	expect(f, "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":"
		  "\"org.example.other\"}}");
	send_text(f, "{\"method\":\"org.varlink.service.GetInterfaceDescription\"}");
	expect(f, "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"interface\"}}");
}

static void unknown_methods_and_parameters_get_the_standard_errors(void **state)
{
	/* clang-format off */
	static const struct {
		const char *call, *answer;
	} cases[] = {
		{"{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"ping\":\"a\"}}",
		 "{\"parameters\":{\"pong\":\"a\"}}"},
		{"{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"ping\":null}}",
		 "{\"parameters\":{\"pong\":\"nothing\"}}"},
		{"{\"method\":\"org.example.toy.Ping\",\"parameters\":null,\"com.example.trace\":{\"id\":7}}",
		 "{\"parameters\":{\"pong\":\"nothing\"}}"},
		{"{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"pings\":\"a\"}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"pings\"}}"},
		{"{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"ping\":1}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"ping\"}}"},
		{"{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"ping\":\"a\\u0000b\"}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"ping\"}}"},
		{"{\"method\":\"org.example.toy.Files\",\"parameters\":{\"files\":[{\"name\":\"a\",\"text\":\"\\u0000\"}]}}",
		 "{\"parameters\":{\"pong\":\"nothing\"}}"},
		{"{\"method\":\"org.example.toy.Files\",\"parameters\":{\"files\":[{\"name\":\"a\",\"text\":\"\"},{\"name\":1,\"text\":\"\"}]}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"files[1].name\"}}"},
		{"{\"method\":\"org.example.toy.Files\",\"parameters\":{\"files\":[{\"name\":\"a\"}]}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"files[0].text\"}}"},
		{"{\"method\":\"org.example.toy.Files\",\"parameters\":{\"files\":{}}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"files\"}}"},
		{"{\"method\":\"org.example.toy.Nothing\"}",
		 "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"org.example.toy.Nothing\"}}"},
		{"{\"method\":\"org.example.Ping\"}",
		 "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"org.example\"}}"},
		{"{\"method\":\"Ping\"}",
		 "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"Ping\"}}"},
		{"{\"method\":\"org.example.toy.Later\"}",
		 "{\"error\":\"org.varlink.service.MethodNotImplemented\",\"parameters\":{\"method\":\"org.example.toy.Later\"}}"},
		{"{\"method\":\"org.example.toy.Count\",\"parameters\":{\"to\":1}}",
		 "{\"error\":\"org.varlink.service.ExpectedMore\",\"parameters\":{}}"},
		{"{\"method\":\"org.example.toy.Ping\",\"upgrade\":true}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"upgrade\"}}"},
	};
	/* clang-format on */
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		send_text(f, cases[i].call);
		expect(f, cases[i].answer);
	}
	assert_int_equal(varlink_server_connections(f->server), 1);
}

static void a_right_that_is_not_had_is_refused_before_parameters_are_looked_at(void **state)
{
	struct fixture *f = *state;

	f->deny_change = true;
	send_text(f, "{\"method\":\"org.example.toy.Files\",\"parameters\":{\"wrong\":1}}");
	expect(f, "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}");
	send_text(f, "{\"method\":\"org.example.toy.Ping\"}");
	expect(f, "{\"parameters\":{\"pong\":\"nothing\"}}");
}

static void requests_sent_ahead_are_answered_one_by_one_and_in_order(void **state)
{
	struct fixture *f = *state;
	struct varlink_call *call;

	send_text(f, "{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"ping\":\"1\"}}");
	send_text(f, "{\"method\":\"org.example.toy.Wait\"}");
	for (int i = 0; i < 100; i++)
		send_text(f, "{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"ping\":\"after\"}}");
	expect(f, "{\"parameters\":{\"pong\":\"1\"}}");
	settle(f);
	receive(f);
	assert_int_equal(f->in_len, 0);
	assert_int_equal(f->pings, 1);
	call = f->waiting;
	assert_non_null(call);
	assert_int_equal(varlink_reply_more(call, NULL), -EINVAL);
	varlink_error(call, "org.example.toy.Bad", NULL);
	expect(f, "{\"error\":\"org.example.toy.Bad\",\"parameters\":{}}");
	for (int i = 0; i < 100; i++)
		expect(f, "{\"parameters\":{\"pong\":\"after\"}}");
	assert_int_equal(f->gone, 0);
}

static void a_request_may_come_byte_by_byte_and_cut_inside_a_character(void **state)
{
	static const char text[] = "{\"method\" : \"org.example.toy.Ping\",\n\"parameters\":{\"ping\":"
				   "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \\\" { [ , ] }\"} } \n";
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(text); i++) {
		send_bytes(f, text + i, 1);
		settle(f);
	}
	expect(f, "{\"parameters\":{\"pong\":\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \\\" { [ , ] }\"}}");
}

static void a_oneway_call_runs_and_gets_no_reply_nor_error(void **state)
{
	struct fixture *f = *state;

	send_text(f, "{\"method\":\"org.example.toy.Ping\",\"oneway\":true}");
	send_text(f, "{\"method\":\"org.example.toy.Nothing\",\"oneway\":true}");
	send_text(f, "{\"method\":\"org.example.toy.Ping\",\"parameters\":{\"ping\":\"x\"}}");
	expect(f, "{\"parameters\":{\"pong\":\"x\"}}");
	assert_int_equal(f->pings, 2);
}

static void oneway_calls_of_a_client_that_left_at_once_still_run(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		send_text(f, "{\"method\":\"org.example.toy.Ping\",\"oneway\":true}");
	close(f->client);
	f->client = -1;
	settle(f);
	assert_int_equal(f->pings, 10);
	assert_int_equal(varlink_server_connections(f->server), 0);
}

static void a_client_that_only_closes_its_sending_side_gets_its_answers(void **state)
{
	struct fixture *f = *state;

	send_text(f, "{\"method\":\"org.example.toy.Wait\"}");
	shutdown(f->client, SHUT_WR);
	settle(f);
	assert_non_null(f->waiting);
	varlink_reply(f->waiting, NULL);
	expect(f, "{\"parameters\":{}}");
	assert_null(reply(f));
	assert_int_equal(f->gone, 0);
}

static void a_stream_stops_while_its_reader_is_slow_and_ends_complete(void **state)
{
	enum { TO = 20000 }; /* of 1 KiB */
	struct fixture *f = *state;

	send_text(f, "{\"method\":\"org.example.toy.Count\",\"parameters\":{\"to\":20000},\"more\":true}");
	settle(f);
	assert_true(f->next > 100);
	assert_true(f->next < 2000);
	for (int i = 0; i < TO; i++) {
		struct json_object *o = reply(f);

		assert_int_equal(
			json_object_get_int(json_object_object_get(json_object_object_get(o, "parameters"), "number")),
			i);
		assert_int_equal(json_object_get_boolean(json_object_object_get(o, "continues")), i < TO - 1);
		json_object_put(o);
	}
	assert_int_equal(f->freed, 1);
	send_text(f, "{\"method\":\"org.example.toy.Ping\"}");
	expect(f, "{\"parameters\":{\"pong\":\"nothing\"}}");
}

static void a_stream_whose_reader_leaves_is_freed(void **state)
{
	struct fixture *f = *state;

	send_text(f, "{\"method\":\"org.example.toy.Count\",\"parameters\":{\"to\":20000},\"more\":true}");
	settle(f);
	close(f->client);
	f->client = -1;
	settle(f);
	assert_int_equal(f->freed, 1);
	assert_int_equal(varlink_server_connections(f->server), 0);
}

static void events_for_a_reader_that_does_not_keep_up_are_refused(void **state)
{
	struct fixture *f = *state;
	char filler[1025] = {0};
	int r, n = 0;

	memset(filler, 'x', sizeof(filler) - 1);
	send_text(f, "{\"method\":\"org.example.toy.Wait\",\"more\":true}");
	settle(f);
	do {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "filler", json_object_new_string(filler));
		r = varlink_reply_more(f->waiting, o);
		settle(f);
		n++;
	} while (r == 0 && n < 10000);
	assert_int_equal(r, -ENOBUFS);
	varlink_reply(f->waiting, NULL);
	for (int i = 0; i < n - 1; i++)
		json_object_put(reply(f));
	expect(f, "{\"parameters\":{}}");
}

static void the_client_going_away_is_told_to_a_pending_call(void **state)
{
	struct fixture *f = *state;
	struct varlink_call *call;

	send_text(f, "{\"method\":\"org.example.toy.Wait\"}");
	send_text(f, "{\"method\":\"org.example.toy.Ping\"}");
	settle(f);
	call = varlink_call_ref(f->waiting);
	close(f->client);
	f->client = -1;
	settle(f);
	assert_int_equal(f->gone, 1);
	assert_int_equal(f->pings, 0);
	assert_int_equal(varlink_reply(call, json_object_new_object()), -ENOTCONN);
	assert_int_equal(varlink_error(call, "org.example.toy.Bad", NULL), -ENOTCONN);
	assert_int_equal(varlink_reply_more(call, NULL), -ENOTCONN);
	varlink_call_unref(call);
}

static void the_server_going_away_is_told_to_a_pending_call(void **state)
{
	struct fixture *f = *state;

	send_text(f, "{\"method\":\"org.example.toy.Wait\"}");
	settle(f);
	f->server = varlink_server_free(f->server);
	assert_int_equal(f->gone, 1);
}

static void names_that_are_no_utf8_are_mended_in_replies(void **state)
{
	struct fixture *f = *state;

	send_text(f, "{\"method\":\"org.example.toy.OddBytes\"}");
	expect(f, "{\"parameters\":{\"name\":\"eth\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(introspection_names_and_describes_every_interface),
		TEST(unknown_methods_and_parameters_get_the_standard_errors),
		TEST(a_right_that_is_not_had_is_refused_before_parameters_are_looked_at),
		TEST(requests_sent_ahead_are_answered_one_by_one_and_in_order),
		TEST(a_request_may_come_byte_by_byte_and_cut_inside_a_character),
		TEST(a_oneway_call_runs_and_gets_no_reply_nor_error),
		TEST(oneway_calls_of_a_client_that_left_at_once_still_run),
		TEST(a_client_that_only_closes_its_sending_side_gets_its_answers),
		TEST(a_stream_stops_while_its_reader_is_slow_and_ends_complete),
		TEST(a_stream_whose_reader_leaves_is_freed),
		TEST(events_for_a_reader_that_does_not_keep_up_are_refused),
		TEST(the_client_going_away_is_told_to_a_pending_call),
		TEST(the_server_going_away_is_told_to_a_pending_call),
		TEST(names_that_are_no_utf8_are_mended_in_replies),
	};

	return cmocka_run_group_tests_name("varlink", tests, NULL, NULL);
}
