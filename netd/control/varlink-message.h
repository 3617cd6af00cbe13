/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: bytes to messages and back, with the limits that keep one request from costing more than it should. Touches
 * no descriptor. Used by varlink-connection.c only.
 */
#pragma once

#include "varlink.h"

/* A request that is being received. Parsed as it comes in, so that no turn of the event loop sees a large text. */
struct message_reader {
	struct json_tokener *tokener; /* NULL: between messages */
	struct json_object *object;   /* complete, but for the NUL after it */
	size_t size;		      /* bytes so far; 0: between messages */
	size_t elements;
	bool in_string, escaped;
};

void message_reader_done(struct message_reader *r);
/*
 * Takes in up to n bytes. Returns 1 with a message in *ret (the caller puts it), 0 when more bytes are needed, or
 * -EBADMSG with *why (the caller frees it). *used: how many bytes were taken; with 0, all but a part of a character.
 */
int message_read(struct message_reader *r, const struct varlink_limits *limits, const char *data, size_t n,
		 size_t *used, struct json_object **ret, char **why);

/* The text of a reply, its NUL included in *len. Takes over `parameters` (may be NULL). The caller frees it. */
char *message_reply(struct json_object *parameters, const char *error, bool continues, size_t *len);
