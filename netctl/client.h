/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a blocking Varlink client: one connection, one call at a time, replies one by one.
 */
#pragma once

#include "netctl.h"

struct client;

/* Connects to the daemon. *ret is NULL before. Says what is wrong on stderr and gives the exit status, or EXIT_OK with
 * *ret. */
int client_open(struct client **ret, const char *path);
/* Without a word: 0 or negative errno. */
int client_connect(struct client **ret, const char *path);
struct client *client_close(struct client *c);
static inline void client_close_ptr(struct client **c)
{
	client_close(*c);
}

struct reply {
	struct json_object *message; /* owned */
	struct json_object *parameters;
	const char *error; /* NULL: none */
	bool continues;
};

void reply_done(struct reply *r);

/* Sends a call of this interface; takes over parameters (may be NULL). 0 or negative errno. */
int client_call(struct client *c, const char *method, struct json_object *parameters, bool more);
/*
 * Waits for the next reply, for ever if msec < 0. *r is emptied first. 0, -ETIMEDOUT, -ECONNRESET when the daemon has
 * closed the connection, or another negative errno.
 */
int client_receive(struct client *c, int msec, struct reply *r);
/* As client_receive(), and for what is not a reply or is an error: tells it on stderr and gives the exit status. */
int client_reply(struct client *c, int msec, struct reply *r, const struct options *o);

/* Milliseconds that the daemon has for the first word of an answer that needs no work in the kernel. */
#define ANSWER_MSEC 60000

/* The links of the command line as parameter `links`; without any, all are meant. The caller owns it. */
struct json_object *link_parameters(const struct options *o);

/* Prints a reply of --json: on one line, or indented on a terminal. */
void json_print(struct json_object *parameters);

/*
 * A connection, one call and one reply, which is printed with --json. Takes over parameters. Returns the exit status;
 * the caller calls reply_done().
 */
int client_ask(const struct options *o, const char *method, struct json_object *parameters, struct reply *r);
