/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the Varlink service against clients of every character: plain, eager, slow, silent, broken and gone. The
 * server and its clients live in this one process; the event loop is turned by hand until a client has what it waits
 * for.
 */
#include "../../netd/control/varlink.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

#define TOY_GROUP 4242 /* whose members the toy interface knows */

enum { RIGHT_READ, RIGHT_CHANGE };

struct fixture {
	sd_event *event;
	struct varlink_server *server;
	int client;
	char *in; /* what the client has received */
	size_t in_len;
	bool eof;

	bool deny_change;
	struct varlink_call *waiting; /* of Wait */
	unsigned gone, freed, pings, logged;
	unsigned next, last; /* of Count */
};

/* The toy interface. */

static void ping(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct fixture *f = userdata;
	struct json_object *o = json_object_new_object();

	f->pings++;
	json_object_object_add(o, "pong", json_object_new_string(varlink_get_string(parameters, "ping", "nothing")));
	assert_int_equal(varlink_reply(call, o), 0);
	assert_int_equal(varlink_reply(call, NULL), -ENOTCONN);
}

static void gone(struct varlink_call *call, void *userdata)
{
	struct fixture *f = userdata;

	assert_ptr_equal(call, f->waiting);
	f->gone++;
	f->waiting = NULL;
}

static void wait_call(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct fixture *f = userdata;

	f->waiting = call;
	varlink_call_on_gone(call, gone, f);
}

static struct json_object *next_number(void *userdata, bool *last)
{
	struct fixture *f = userdata;
	struct json_object *o = json_object_new_object();
	char filler[1025] = {0};

	memset(filler, 'x', sizeof(filler) - 1);
	json_object_object_add(o, "number", json_object_new_int64(f->next));
	json_object_object_add(o, "filler", json_object_new_string(filler));
	*last = ++f->next == f->last;
	return o;
}

static void count_freed(void *userdata)
{
	((struct fixture *)userdata)->freed++;
}

static void count(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct fixture *f = userdata;

	f->next = 0;
	f->last = (unsigned)varlink_get_int(parameters, "to", 3);
	assert_int_equal(varlink_stream(call, next_number, f, count_freed), 0);
}

static void who(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata _unused_)
{
	const struct varlink_peer *peer = varlink_call_peer(call);
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "uid", json_object_new_int64(peer->uid));
	json_object_object_add(o, "groups", json_object_new_int64((int64_t)peer->n_groups));
	json_object_object_add(o, "member", json_object_new_boolean(varlink_peer_in_group(peer, TOY_GROUP)));
	varlink_reply(call, o);
}

static void odd_bytes(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata _unused_)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string("eth\xff\xc3\xa9\xe2\x82"));
	varlink_reply(call, o);
}

static const struct varlink_field ping_fields[] = {{"ping", VARLINK_STRING}, {0}};
static const struct varlink_field count_fields[] = {{"to", VARLINK_INT, .required = true}, {0}};
static const struct varlink_field file_fields[] = {
	{"name", VARLINK_STRING, .required = true},
	{"text", VARLINK_TEXT, .required = true},
	{0},
};
static const struct varlink_field files_fields[] = {
	{"files", VARLINK_STRUCT, .array = true, .members = file_fields},
	{"force", VARLINK_BOOL},
	{0},
};

static const struct varlink_method methods[] = {
	{"Ping", RIGHT_READ, .fields = ping_fields, .handler = ping},
	{"Wait", RIGHT_READ, .handler = wait_call},
	{"Count", RIGHT_READ, .needs_more = true, .fields = count_fields, .handler = count},
	{"Who", RIGHT_READ, .handler = who},
	{"OddBytes", RIGHT_READ, .handler = odd_bytes},
	{"Files", RIGHT_CHANGE, .fields = files_fields, .handler = ping},
	{"Later", RIGHT_READ, .handler = NULL},
};

static const struct varlink_interface toy = {
	.name = "org.example.toy",
	.description = "# toy\ninterface org.example.toy\n",
	.methods = methods,
	.n_methods = ARRAY_SIZE(methods),
};
static const struct varlink_interface *const interfaces[] = {&toy, NULL};

static bool authorize(const struct varlink_peer *peer _unused_, int right, void *userdata)
{
	return right == RIGHT_READ || !((struct fixture *)userdata)->deny_change;
}

static void log_text(int priority _unused_, const char *text _unused_, void *userdata)
{
	((struct fixture *)userdata)->logged++;
}

/* The client's side. */

static void turn(struct fixture *f, unsigned msec)
{
	assert_true(sd_event_run(f->event, (uint64_t)msec * 1000) >= 0);
}

static void settle(struct fixture *f)
{
	while (sd_event_run(f->event, 0) > 0)
		;
}

static void receive(struct fixture *f)
{
	char buffer[65536];
	ssize_t n;

	while ((n = recv(f->client, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		f->in = xrealloc(f->in, f->in_len + (size_t)n, 1);
		memcpy(f->in + f->in_len, buffer, (size_t)n);
		f->in_len += (size_t)n;
	}
	if (n == 0 || errno == ECONNRESET || errno == EPIPE)
		f->eof = true;
}

static void send_bytes(struct fixture *f, const char *data, size_t n)
{
	for (size_t sent = 0; sent < n;) {
		ssize_t r = send(f->client, data + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r > 0)
			sent += (size_t)r;
		else if (errno == EPIPE || errno == ECONNRESET)
			return;
		turn(f, 0);
	}
}

static void send_text(struct fixture *f, const char *text)
{
	send_bytes(f, text, strlen(text) + 1);
}

/* The next reply; NULL: the connection ended first. The caller puts it. */
static struct json_object *reply(struct fixture *f)
{
	struct json_object *o;
	char *nul;
	size_t len;

	for (;;) {
		receive(f);
		nul = f->in_len ? memchr(f->in, 0, f->in_len) : NULL;
		if (nul || f->eof)
			break;
		turn(f, 1000);
	}
	if (!nul)
		return NULL;
	o = json_tokener_parse(f->in);
	assert_non_null(o);
	len = (size_t)(nul - f->in) + 1;
	memmove(f->in, f->in + len, f->in_len - len);
	f->in_len -= len;
	return o;
}

static void expect(struct fixture *f, const char *text)
{
	struct json_object *o = reply(f);

	if (!o)
		fail_msg("the connection ended before: %s", text);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			    text);
	json_object_put(o);
}

/* The error's name and the end of the connection. */
static void expect_refused(struct fixture *f, const char *part)
{
	struct json_object *o = reply(f);

	assert_non_null(o);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "error")),
			    "org.varlink.service.InvalidParameter");
	assert_non_null(strstr(json_object_to_json_string(o), part));
	json_object_put(o);
	assert_null(reply(f));
	assert_int_equal(varlink_server_connections(f->server), 0);
}

static void connect_pair(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	if (f->client >= 0)
		close(f->client);
	f->client = fds[0];
	f->eof = false;
	f->in_len = 0;
	assert_int_equal(varlink_server_add_connection(f->server, fds[1]), 0);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	const struct varlink_service service = {
		.vendor = "Vendor",
		.product = "Toy",
		.version = "1",
		.url = "https://example.org",
		.interfaces = interfaces,
		.authorize = authorize,
		.log = log_text,
		.userdata = f,
	};

	f->client = -1;
	assert_true(sd_event_new(&f->event) >= 0);
	assert_int_equal(varlink_server_new(&f->server, f->event, &service), 0);
	connect_pair(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	varlink_server_free(f->server);
	sd_event_unref(f->event);
	if (f->client >= 0)
		close(f->client);
	free(f->in);
	free(f);
	return 0;
}

static void limits_set(struct fixture *f, struct varlink_limits limits)
{
	varlink_server_set_limits(f->server, &limits);
}

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

static void names_that_are_no_utf8_are_mended_in_replies(void **state)
{
	struct fixture *f = *state;

	send_text(f, "{\"method\":\"org.example.toy.OddBytes\"}");
	expect(f, "{\"parameters\":{\"name\":\"eth\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"}}");
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

/* On a path. */

static int connect_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static void a_path_is_served_to_everyone_and_removed_at_the_end(void **state)
{
	char directory[] = "/tmp/test-varlink-XXXXXX";
	_cleanup_free_ char *path = NULL;
	struct fixture *f = *state;
	struct stat st;

	assert_non_null(mkdtemp(directory));
	path = xasprintf("%s/socket", directory);
	assert_int_equal(varlink_server_listen(f->server, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	close(f->client);
	f->client = connect_path(path);
	send_text(f, "{\"method\":\"org.example.toy.Who\"}");
	json_object_put(reply(f));
	f->server = varlink_server_free(f->server);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(rmdir(directory), 0);
}

static void only_a_socket_that_nobody_answers_on_is_replaced(void **state)
{
	char directory[] = "/tmp/test-varlink-XXXXXX";
	_cleanup_free_ char *path = NULL, *file = NULL, *long_path = NULL;
	_cleanup_(varlink_server_free_ptr) struct varlink_server *second = NULL;
	const struct varlink_service service = {.interfaces = interfaces};
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	assert_non_null(mkdtemp(directory));
	path = xasprintf("%s/socket", directory);
	file = xasprintf("%s/file", directory);
	long_path = xasprintf("%s/%0100d", directory, 0);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(varlink_server_listen(f->server, path), 0);

	varlink_server_new(&second, f->event, &service);
	assert_int_equal(varlink_server_listen(second, path), -EADDRINUSE);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(varlink_server_listen(second, file), -ENOTSOCK);
	assert_int_equal(varlink_server_listen(second, long_path), -ENAMETOOLONG);
	f->server = varlink_server_free(f->server);
	unlink(file);
	assert_int_equal(rmdir(directory), 0);
}

static void connections_are_bounded_in_total_and_per_user(void **state)
{
	struct fixture *f = *state;
	struct varlink_limits limits = varlink_limits_default;
	bool root = geteuid() == 0;
	int fds[24][2], i, r = 0;

	limits.connections_max = 16;
	limits.connections_per_uid = 4;
	limits_set(f, limits);
	for (i = 0; i < 24 && r == 0; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds[i]), 0);
		r = varlink_server_add_connection(f->server, fds[i][1]);
	}
	assert_int_equal(r, -EUSERS);
	/* One was there before, the last was refused. */
	assert_int_equal(varlink_server_connections(f->server), root ? 16 : 4);
	assert_int_equal(i, root ? 16 : 4);
	assert_int_equal(f->logged, 1);
	while (i > 0)
		close(fds[--i][0]);
	settle(f);
	assert_int_equal(varlink_server_connections(f->server), 1);
}

static bool is_among(gid_t group, const gid_t *groups, int n)
{
	for (int i = 0; i < n; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* Root takes another user's place with groups of our choosing; who is not root is known with his own. */
static void the_peer_is_known_with_its_supplementary_groups(void **state)
{
	static const gid_t chosen[] = {4000, TOY_GROUP, 5000};
	char directory[] = "/tmp/test-varlink-XXXXXX";
	_cleanup_free_ char *path = NULL, *expected = NULL;
	struct fixture *f = *state;
	gid_t before[256], groups[256];
	int n_before = getgroups(ARRAY_SIZE(before), before), n;
	bool other = geteuid() == 0 && setgroups(ARRAY_SIZE(chosen), chosen) == 0;

	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	path = xasprintf("%s/socket", directory);
	assert_int_equal(varlink_server_listen(f->server, path), 0);
	close(f->client);
	if (other)
		assert_int_equal(seteuid(65534), 0);
	n = getgroups(ARRAY_SIZE(groups), groups);
	expected = xasprintf("{\"parameters\":{\"uid\":%u,\"groups\":%d,\"member\":%s}}", geteuid(), n,
			     is_among(TOY_GROUP, groups, n) || getegid() == TOY_GROUP ? "true" : "false");
	f->client = connect_path(path);
	if (other) {
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(setgroups((size_t)n_before, before), 0);
		assert_int_equal(n, ARRAY_SIZE(chosen));
		assert_non_null(strstr(expected, "true"));
	}
	send_text(f, "{\"method\":\"org.example.toy.Who\"}");
	expect(f, expected);
	f->server = varlink_server_free(f->server);
	assert_int_equal(rmdir(directory), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(names_that_are_no_utf8_are_mended_in_replies),
		TEST(a_busy_client_does_not_keep_others_waiting),
		TEST(a_path_is_served_to_everyone_and_removed_at_the_end),
		TEST(only_a_socket_that_nobody_answers_on_is_replaced),
		TEST(connections_are_bounded_in_total_and_per_user),
		TEST(the_peer_is_known_with_its_supplementary_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
