/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: see client.h. Writes and reads the socket; what errors mean to an operator is in errors.c.
 */
#include "client.h"

#include <assert.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "errors.h"
#include "json.h"

struct client {
	int fd;
	char *in;
	size_t in_len, in_size, scanned; /* no NUL before `scanned` */
};

int client_connect(struct client **ret, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	struct client *c;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	fd = -1;
	*ret = c;
	return 0;
}

int client_open(struct client **ret, const char *path)
{
	int r = client_connect(ret, path);

	if (*ret)
		return EXIT_OK;
	r = error_connect(path, r);
	assert(r != EXIT_OK);
	return r;
}

struct client *client_close(struct client *c)
{
	if (!c)
		return NULL;
	close(c->fd);
	free(c->in);
	free(c);
	return NULL;
}

void reply_done(struct reply *r)
{
	json_object_put(r->message);
	*r = (struct reply){0};
}

int client_call(struct client *c, const char *method, struct json_object *parameters, bool more)
{
	_cleanup_(json_put_ptr) struct json_object *call = json_object_new_object();
	_cleanup_free_ char *name = xasprintf("%s.%s", INTERFACE, method);
	const char *text;
	size_t len;

	json_object_object_add(call, "method", json_object_new_string(name));
	if (parameters)
		json_object_object_add(call, "parameters", parameters);
	if (more)
		json_object_object_add(call, "more", json_object_new_boolean(true));
	text = json_object_to_json_string_length(call, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	len++; /* the NUL ends the message */
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(c->fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* The daemon has had enough of the request; its answer, which says why, can still be read. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0)
			return -errno;
		sent += (size_t)n;
	}
	return 0;
}

static int64_t now_msec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits until the socket can be read, or the deadline (negative: none) has passed. */
static int wait_readable(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t left = deadline < 0 ? -1 : MAX(deadline - now_msec(), 0);
		int n = poll(&p, 1, (int)MIN(left, INT32_MAX));

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int read_some(struct client *c)
{
	ssize_t n;

	if (c->in_len == c->in_size) {
		c->in_size = c->in_size ? 2 * c->in_size : 65536;
		c->in = xrealloc(c->in, c->in_size, 1);
	}
	n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	c->in_len += (size_t)n;
	return n == 0 ? -ECONNRESET : 0;
}

static int parse_reply(const char *text, struct reply *r)
{
	struct json_tokener *tokener = json_tokener_new_ex(64);

	r->message = json_tokener_parse_ex(tokener, text, -1);
	json_tokener_free(tokener);
	if (!json_object_is_type(r->message, json_type_object))
		return -EBADMSG;
	r->parameters = json_get(r->message, "parameters", json_type_object);
	r->error = json_text(r->message, "error");
	r->continues = json_flag(r->message, "continues");
	return 0;
}

int client_receive(struct client *c, int msec, struct reply *r)
{
	int64_t deadline = msec < 0 ? -1 : now_msec() + msec;
	char *nul;
	size_t len;
	int result;

	reply_done(r);
	while (!(nul = c->in_len > c->scanned ? memchr(c->in + c->scanned, 0, c->in_len - c->scanned) : NULL)) {
		c->scanned = c->in_len;
		result = wait_readable(c->fd, deadline);
		if (result == 0)
			result = read_some(c);
		if (result < 0)
			return result;
	}
	result = parse_reply(c->in, r);
	len = (size_t)(nul - c->in) + 1;
	memmove(c->in, c->in + len, c->in_len - len);
	c->in_len -= len;
	c->scanned = 0;
	return result;
}

int client_reply(struct client *c, int msec, struct reply *r, const struct options *o)
{
	int result = client_receive(c, msec, r);

	if (result < 0)
		return error_receive(result);
	if (!r->error)
		return EXIT_OK;
	if (o->json)
		json_print(r->message);
	return error_reply(r->error, r->parameters);
}

struct json_object *link_parameters(const struct options *o)
{
	struct json_object *parameters = json_object_new_object(), *links;

	if (!o->n_args)
		return parameters;
	links = json_object_new_array();
	for (size_t i = 0; i < o->n_args; i++)
		json_object_array_add(links, json_object_new_string(o->args[i]));
	json_object_object_add(parameters, "links", links);
	return parameters;
}

void json_print(struct json_object *parameters)
{
	int style = JSON_C_TO_STRING_NOSLASHESCAPE;

	style |= isatty(STDOUT_FILENO) ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN;
	puts(parameters ? json_object_to_json_string_ext(parameters, style) : "{}");
	fflush(stdout);
}

int client_ask(const struct options *o, const char *method, struct json_object *parameters, struct reply *r)
{
	_cleanup_(client_close_ptr) struct client *c = NULL;
	int status = client_open(&c, o->socket);

	if (status != EXIT_OK) {
		json_object_put(parameters);
		return status;
	}
	status = client_call(c, method, parameters, false);
	status = status < 0 ? error_receive(status) : client_reply(c, ANSWER_MSEC, r, o);
	if (status == EXIT_OK && o->json)
		json_print(r->parameters);
	return status;
}
