/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `netctl wait`: returns when links are there, or after a time, and then names what is missing.
 */
#include "client.h"
#include "errors.h"
#include "json.h"
#include "term.h"

#include <time.h>

#define RECONNECT_MSEC 200

static int64_t now_msec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void print_missing(struct json_object *last)
{
	for (size_t i = 0; i < json_count(last, "missing"); i++) {
		struct json_object *m = json_item(last, "missing", i);

		fputs("netctl: missing: ", stderr);
		print_safe(json_text_or(m, "link", "?"), stderr);
		fputs(": ", stderr);
		print_safe(json_text_or(m, "reason", "not there"), stderr);
		fputc('\n', stderr);
	}
}

static int timed_out(struct json_object *last, const struct options *o)
{
	print_missing(last);
	if (o->timeout)
		fprintf(stderr, "netctl: not all there after %d s\n", o->timeout);
	return EXIT_TIMEOUT;
}

/*
 * Follows one call. Returns an exit status, or a negative errno when the daemon went away: a restart is no reason not
 * to wait on. *last: what was told last; owned by the caller.
 */
static int follow(struct client *c, int64_t deadline, struct json_object **last, const struct options *o)
{
	_cleanup_(reply_done) struct reply r = {0};
	int error = client_call(c, "Missing", link_parameters(o), o->timeout > 0);

	for (;;) {
		int64_t left = o->timeout ? MAX(deadline - now_msec(), 0) : ANSWER_MSEC;

		if (error == 0)
			error = client_receive(c, (int)left, &r);
		if (error == -ETIMEDOUT && o->timeout)
			return timed_out(*last, o);
		if (error == -ETIMEDOUT)
			return error_receive(error);
		if (error < 0)
			return error;
		if (o->json)
			json_print(r.error ? r.message : r.parameters);
		if (r.error)
			return error_reply(r.error, r.parameters);
		json_object_put(*last);
		*last = json_object_get(r.parameters);
		if (!json_count(*last, "missing"))
			return EXIT_OK;
		if (!r.continues)
			return timed_out(*last, o);
	}
}

static void pause_msec(int msec)
{
	const struct timespec ts = {.tv_nsec = (long)msec * 1000000};

	nanosleep(&ts, NULL);
}

int verb_wait(const struct options *o)
{
	_cleanup_(json_put_ptr) struct json_object *last = NULL;
	int64_t deadline = now_msec() + (int64_t)o->timeout * 1000;
	bool connected = false;

	for (;;) {
		_cleanup_(client_close_ptr) struct client *c = NULL;
		int r = client_connect(&c, o->socket);

		if (r < 0 && (!connected || now_msec() >= deadline))
			return error_connect(o->socket, r);
		if (r == 0) {
			connected = true;
			r = follow(c, deadline, &last, o);
			if (r >= 0)
				return r;
			if (now_msec() >= deadline)
				return error_receive(r);
		}
		pause_msec(RECONNECT_MSEC);
	}
}
