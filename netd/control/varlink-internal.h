/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the files of the Varlink service share. A server owns its connections; a connection owns its call
 * until that is answered; whoever answers later may hold a reference, which then has no connection any more.
 */
#pragma once

#include "varlink-message.h"

struct varlink_server {
	sd_event *event;
	struct varlink_service service;
	struct varlink_limits limits;
	struct connection *connections; /* list */
	unsigned n_connections;
	size_t input_total; /* bytes of requests in hand, of all connections */
	sd_event_source *listen;
	char *path; /* the socket file is ours: device and inode */
	dev_t path_dev;
	ino_t path_ino;
	bool refusing;	    /* connections are being turned away, and that was logged */
	uint64_t log_since; /* start of the minute that log_count is of */
	unsigned log_count;
};

struct stream {
	varlink_next_fn *next;
	void *userdata;
	void (*free_fn)(void *userdata);
};

struct varlink_call {
	unsigned refs;
	struct connection *connection; /* NULL: answered, or the client is gone */
	struct json_object *message;
	const char *method;		/* in message */
	struct json_object *parameters; /* own reference, never NULL */
	bool more, oneway, upgrade;
	void (*gone)(struct varlink_call *call, void *userdata);
	void *gone_userdata;
	struct stream stream;
};

struct connection {
	struct varlink_server *server;
	struct connection *next, **link; /* *link is this */
	struct varlink_peer peer;
	sd_event_source *io;
	sd_event_source *timer; /* of the next deadline, or of work that is left for the next turn */
	char *in;		/* received; from in_pos to in_len not parsed yet */
	size_t in_pos, in_len;
	bool in_wait; /* what is there is no whole character: nothing to parse until more comes */
	struct message_reader reader;
	size_t charged;		   /* this connection's part of server->input_total */
	struct varlink_call *call; /* being answered; owns one reference */
	char *out;		   /* from out_pos to out_len not sent yet */
	size_t out_pos, out_len, out_size;
	uint64_t sent, sent_mark;		  /* bytes, ever; output_deadline is for reaching the mark */
	uint64_t input_deadline, output_deadline; /* CLOCK_MONOTONIC, microseconds; 0: none */
	bool eof;				  /* the client sends no more; it may still read */
	bool closing;				  /* takes no more requests, ends when all is sent */
};

/* varlink.c: finds the method and runs it, or answers with the error. */
void server_dispatch(struct varlink_server *s, struct varlink_call *call);
void server_log(struct varlink_server *s, int priority, const char *format, ...) _printf_(3, 4);

/* varlink-connection.c */
int connection_new(struct varlink_server *s, int fd, struct varlink_peer *peer);
/* Ends it at once and frees it; a pending call is told. */
void connection_free(struct connection *c);
/* Appends a reply to what is to be sent, and has the event loop see to it. Takes over parameters. */
void connection_send(struct connection *c, struct json_object *parameters, const char *error, bool continues);
/* Has the event loop look after it. */
void connection_wake(struct connection *c);
static inline size_t connection_unsent(const struct connection *c)
{
	return c->out_len - c->out_pos;
}

/* varlink-call.c */
/* Takes over the message. NULL, with *why (which the caller frees): it is no call. */
struct varlink_call *call_new(struct connection *c, struct json_object *message, char **why);
/* Parts the call from its connection. gone: without an answer. */
void call_finish(struct varlink_call *call, bool gone);
