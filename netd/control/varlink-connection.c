/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: one client's connection: bytes in, one call at a time, bytes out, and its deadlines. Every turn of the event
 * loop does a bounded piece of work for it (one read, one call or a few replies of a stream, one send), so clients
 * take turns with each other and with the rest of the daemon. Only the handlers of its own event sources may
 * free it: a reply is queued and sent later.
 */
#include "varlink-internal.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>

#define READ_SIZE (64u << 10)	/* of the input buffer */
#define STREAM_SIZE (64u << 10) /* of replies made in one turn */
#define SEND_SIZE (256u << 10)	/* given to the kernel in one turn */
#define SMALL_MESSAGE (64u << 10)

static uint64_t now_usec(const struct connection *c)
{
	uint64_t usec = 0;

	sd_event_now(c->server->event, CLOCK_MONOTONIC, &usec);
	return usec;
}

/*
 * By the timer and not by a defer source: one that is enabled again and again keeps the age it had when it was made
 * (libsystemd/sd-event/sd-event.c, source_dispatch()), comes before everything younger, and starves the event loop.
 */
void connection_wake(struct connection *c)
{
	sd_event_source_set_time(c->timer, 0);
	sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

void connection_send(struct connection *c, struct json_object *parameters, const char *error, bool continues)
{
	size_t len;
	_cleanup_free_ char *text = message_reply(parameters, error, continues, &len);

	if (c->out_pos == c->out_len)
		c->out_pos = c->out_len = 0;
	if (c->out_len + len > c->out_size && c->out_pos) {
		memmove(c->out, c->out + c->out_pos, connection_unsent(c));
		c->out_len -= c->out_pos;
		c->out_pos = 0;
	}
	if (c->out_len + len > c->out_size) {
		c->out_size = MAX(c->out_len + len, 2 * c->out_size);
		c->out = xrealloc(c->out, c->out_size, 1);
	}
	memcpy(c->out + c->out_len, text, len);
	c->out_len += len;
	connection_wake(c);
}

/* The request cannot be understood or will not end: says so, and ends the connection when that is sent. */
static void refuse(struct connection *c, const char *why)
{
	_cleanup_free_ char *text = xasprintf("message: %s", why);
	struct json_object *parameters = json_object_new_object();

	server_log(c->server, LOG_WARNING, "request of uid %u, pid %d: %s; connection closed", (unsigned)c->peer.uid,
		   (int)c->peer.pid, why);
	json_object_object_add(parameters, "parameter", json_object_new_string(text));
	connection_send(c, parameters, "org.varlink.service.InvalidParameter", false);
	message_reader_done(&c->reader);
	c->closing = true;
	c->in_pos = c->in_len = 0;
	c->input_deadline = 0;
}

static int charge(struct connection *c, size_t bytes)
{
	struct varlink_server *s = c->server;

	c->charged += bytes;
	s->input_total += bytes;
	return c->charged > SMALL_MESSAGE && s->input_total > s->limits.input_total_max ? -ENOBUFS : 0;
}

static void start_call(struct connection *c, struct json_object *message)
{
	_cleanup_free_ char *why = NULL;
	struct varlink_call *call = call_new(c, message, &why);

	if (!call) {
		refuse(c, why);
		return;
	}
	c->call = call;
	varlink_call_ref(call);
	server_dispatch(c->server, call);
	varlink_call_unref(call);
}

/* Parses what was received, up to the end of one request, and starts that. */
static void take_request(struct connection *c)
{
	struct json_object *message = NULL;
	_cleanup_free_ char *why = NULL;
	size_t used;
	int r;

	if (!c->input_deadline)
		c->input_deadline = now_usec(c) + c->server->limits.input_usec;
	r = message_read(&c->reader, &c->server->limits, c->in + c->in_pos, c->in_len - c->in_pos, &used, &message,
			 &why);
	if (r >= 0 && charge(c, used) < 0) {
		json_object_put(message);
		why = xstrdup("too many large requests are in hand; try again");
		r = -ENOBUFS;
	}
	if (r < 0) {
		refuse(c, why);
		return;
	}
	c->in_pos += used;
	c->in_wait = r == 0;
	if (r == 0)
		return;
	c->input_deadline = 0;
	start_call(c, message);
}

static bool may_take(const struct connection *c)
{
	return !c->call && !c->closing && connection_unsent(c) < c->server->limits.output_max;
}

static bool may_make(const struct connection *c)
{
	return c->call && c->call->stream.next && connection_unsent(c) < c->server->limits.output_max;
}

/* Returns 0, or negative errno when the connection is of no more use. */
static int receive(struct connection *c)
{
	ssize_t n;

	if (!c->in)
		c->in = xcalloc(READ_SIZE, 1);
	memmove(c->in, c->in + c->in_pos, c->in_len - c->in_pos);
	c->in_len -= c->in_pos;
	c->in_pos = 0;
	n = recv(sd_event_source_get_io_fd(c->io), c->in + c->in_len, READ_SIZE - c->in_len, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		c->eof = true;
	c->in_len += (size_t)n;
	c->in_wait = n == 0;
	return 0;
}

static int transmit(struct connection *c)
{
	ssize_t n;

	if (!connection_unsent(c))
		return 0;
	n = send(sd_event_source_get_io_fd(c->io), c->out + c->out_pos, MIN(connection_unsent(c), SEND_SIZE),
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->out_pos += (size_t)n;
	c->sent += (size_t)n;
	if (connection_unsent(c) || c->out_size <= READ_SIZE)
		return 0;
	/* A large reply's memory is not kept for as long as a client stays connected. */
	free(c->out);
	c->out = NULL;
	c->out_pos = c->out_len = c->out_size = 0;
	return 0;
}

static void make_replies(struct connection *c)
{
	size_t target = MIN(connection_unsent(c) + STREAM_SIZE, c->server->limits.output_max);

	while (connection_unsent(c) < target) {
		struct stream *stream = &c->call->stream;
		bool last = false;
		struct json_object *parameters = stream->next(stream->userdata, &last);

		if (last) {
			varlink_reply(c->call, parameters);
			return;
		}
		connection_send(c, parameters, NULL, true);
	}
}

/* What is queued now has output_usec to be taken; what is queued later starts when that is through. */
static void renew_output_deadline(struct connection *c)
{
	if (!connection_unsent(c)) {
		c->output_deadline = 0;
		return;
	}
	if (c->output_deadline && c->sent < c->sent_mark)
		return;
	c->output_deadline = now_usec(c) + c->server->limits.output_usec;
	c->sent_mark = c->sent + connection_unsent(c);
}

/* Tells the event loop what this connection waits for. */
static void arm(struct connection *c)
{
	bool buffered = c->in_pos < c->in_len && !c->in_wait;
	uint64_t deadline = c->input_deadline;
	uint32_t events = 0;

	if (connection_unsent(c))
		events |= EPOLLOUT;
	/* Hang-up is always reported, also while a call is being answered and nothing is read. */
	if (may_take(c) && !c->eof && !buffered)
		events |= EPOLLIN;
	sd_event_source_set_io_events(c->io, events);

	renew_output_deadline(c);
	if ((may_take(c) && buffered) || may_make(c)) {
		connection_wake(c);
		return;
	}
	if (c->output_deadline && (!deadline || c->output_deadline < deadline))
		deadline = c->output_deadline;
	sd_event_source_set_time(c->timer, deadline);
	sd_event_source_set_enabled(c->timer, deadline ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* A turn's work. The connection may be freed by it. */
static void work(struct connection *c)
{
	if (may_make(c))
		make_replies(c);
	else if (may_take(c) && c->in_pos < c->in_len && !c->in_wait)
		take_request(c);
	if (transmit(c) < 0) {
		connection_free(c);
		return;
	}
	if (!c->call && !connection_unsent(c) && (c->closing || (c->eof && (c->in_pos == c->in_len || c->in_wait)))) {
		connection_free(c);
		return;
	}
	arm(c);
}

static int on_io(sd_event_source *source _unused_, int fd _unused_, uint32_t revents, void *userdata)
{
	struct connection *c = userdata;
	bool hang_up = revents & (EPOLLHUP | EPOLLERR);

	/* Both directions are closed: nobody will read the answer. */
	if (hang_up && (c->call || c->closing || c->eof)) {
		connection_free(c);
		return 0;
	}
	if ((hang_up || revents & EPOLLIN) && may_take(c) && (c->in_pos == c->in_len || c->in_wait) && receive(c) < 0) {
		connection_free(c);
		return 0;
	}
	work(c);
	return 0;
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct connection *c = userdata;
	uint64_t now = now_usec(c);

	if (c->output_deadline && now >= c->output_deadline) {
		server_log(c->server, LOG_WARNING, "uid %u, pid %d does not take its replies; connection closed",
			   (unsigned)c->peer.uid, (int)c->peer.pid);
		connection_free(c);
		return 0;
	}
	if (c->input_deadline && now >= c->input_deadline)
		refuse(c, "not finished in time");
	work(c);
	return 0;
}

static int add_sources(struct connection *c, int fd)
{
	sd_event *event = c->server->event;
	int r = sd_event_add_io(event, &c->io, fd, EPOLLIN, on_io, c);

	if (r < 0) {
		close(fd);
		return r;
	}
	sd_event_source_set_io_fd_own(c->io, true);
	sd_event_source_set_description(c->io, "varlink-connection");
	r = sd_event_add_time(event, &c->timer, CLOCK_MONOTONIC, 0, 10000, on_timer, c);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
}

int connection_new(struct varlink_server *s, int fd, struct varlink_peer *peer)
{
	struct connection *c = xcalloc(1, sizeof(*c));
	int r;

	c->server = s;
	c->peer = *peer;
	*peer = (struct varlink_peer){0};
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next)
		c->next->link = &c->next;
	s->connections = c;
	s->n_connections++;
	r = add_sources(c, fd);
	if (r < 0)
		connection_free(c);
	return r;
}

void connection_free(struct connection *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->server->n_connections--;
	if (c->call)
		call_finish(c->call, true);
	c->server->input_total -= c->charged;
	message_reader_done(&c->reader);
	sd_event_source_disable_unref(c->timer);
	sd_event_source_disable_unref(c->io);
	free(c->peer.groups);
	free(c->out);
	free(c->in);
	free(c);
}
