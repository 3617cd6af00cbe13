/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a Varlink service with a toy interface, and a client of it, for tests. The server and its clients live in
 * one process; the event loop is turned by hand until a client has what it waits for.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../netd/control/varlink.h"

#define TOY_GROUP 4242 /* whose members the toy interface knows */

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

/* A test with a server and one connected client, of which `*state` is the fixture. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int setup(void **state);
int teardown(void **state);

extern const struct varlink_interface *const interfaces[];
void limits_set(struct fixture *f, struct varlink_limits limits);
/* The client's side is another one, connected anew; who replaces f->client while it is open sets it to -1 before. */
void connect_pair(struct fixture *f);

/* The event loop: once, waiting at most that long; until there is nothing to do. */
void turn(struct fixture *f, unsigned msec);
void settle(struct fixture *f);

void send_bytes(struct fixture *f, const char *data, size_t n);
void send_text(struct fixture *f, const char *text); /* with its NUL */
/* Takes what has arrived into f->in. */
void receive(struct fixture *f);
/* The next reply; NULL: the connection ended first. The caller puts it. */
struct json_object *reply(struct fixture *f);
void expect(struct fixture *f, const char *text);
/* The error's name, with these words in it, and the end of the connection. */
void expect_refused(struct fixture *f, const char *part);
