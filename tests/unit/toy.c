/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: toy.h. */
#include "toy.h"

#include <sys/socket.h>

enum { RIGHT_READ, RIGHT_CHANGE };

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
const struct varlink_interface *const interfaces[] = {&toy, NULL};

static bool authorize(const struct varlink_peer *peer _unused_, int right, void *userdata)
{
	return right == RIGHT_READ || !((struct fixture *)userdata)->deny_change;
}

static void log_text(int priority _unused_, const char *text _unused_, void *userdata)
{
	((struct fixture *)userdata)->logged++;
}

/* The client's side. */

void turn(struct fixture *f, unsigned msec)
{
	assert_true(sd_event_run(f->event, (uint64_t)msec * 1000) >= 0);
}

void settle(struct fixture *f)
{
	while (sd_event_run(f->event, 0) > 0)
		;
}

void receive(struct fixture *f)
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

void send_bytes(struct fixture *f, const char *data, size_t n)
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

void send_text(struct fixture *f, const char *text)
{
	send_bytes(f, text, strlen(text) + 1);
}

struct json_object *reply(struct fixture *f)
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

void expect(struct fixture *f, const char *text)
{
	struct json_object *o = reply(f);

	if (!o)
		fail_msg("the connection ended before: %s", text);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			    text);
	json_object_put(o);
}

void expect_refused(struct fixture *f, const char *part)
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

void connect_pair(struct fixture *f)
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

int setup(void **state)
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

int teardown(void **state)
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

void limits_set(struct fixture *f, struct varlink_limits limits)
{
	varlink_server_set_limits(f->server, &limits);
}
