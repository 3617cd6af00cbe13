/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a Varlink service on an sd-event loop: JSON messages, each ended by a NUL, on Unix stream sockets. It serves
 * any interface and knows none but org.varlink.service, which it answers by itself. It never blocks and never logs;
 * what it has to say goes to a callback. A client that is slow, silent, malformed or greedy costs itself its
 * connection.
 *
 * One connection has one call at a time; requests sent ahead wait in its socket until the call is answered.
 */
#pragma once

#include <json-c/json.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "../util.h"

struct varlink_server;
struct varlink_call;

#define VARLINK_MESSAGE_MAX (34u << 20) /* bytes of one request: a configuration, JSON-escaped, fits */

/* Who is at the other end, from SO_PEERCRED and SO_PEERGROUPS: as it was when it connected. */
struct varlink_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;     /* for messages only: the process may be gone and its number reused */
	gid_t *groups; /* supplementary */
	size_t n_groups;
};

/* Primary or supplementary member. */
bool varlink_peer_in_group(const struct varlink_peer *peer, gid_t gid);

enum varlink_type {
	VARLINK_BOOL,
	VARLINK_INT,
	VARLINK_STRING, /* without NUL inside */
	VARLINK_TEXT,	/* any string */
	VARLINK_STRUCT, /* the members are in `members` */
	VARLINK_OBJECT, /* any object */
};

/* One input parameter, or a member of a structure. Tables end with an empty row. */
struct varlink_field {
	const char *name;
	enum varlink_type type;
	bool array;    /* []type */
	bool required; /* else ?type: absent and null are the same */
	const struct varlink_field *members;
};

/*
 * Answers a call, now or later. `call` belongs to its connection until it is answered; a handler that answers later
 * keeps the pointer and asks by varlink_call_on_gone() to be told when to forget it, or holds a reference.
 */
typedef void varlink_method_fn(struct varlink_call *call, struct json_object *parameters, void *userdata);

struct varlink_method {
	const char *name;
	int right;			    /* given to the authorize callback */
	bool needs_more;		    /* without `more` the call is refused with ExpectedMore */
	const struct varlink_field *fields; /* parameters, checked before the handler is called; NULL: it has none */
	varlink_method_fn *handler;	    /* NULL: MethodNotImplemented */
};

struct varlink_interface {
	const char *name;
	const char *description; /* the text of the .varlink file */
	const struct varlink_method *methods;
	size_t n_methods;
};

/* What a server is made of: the struct is copied, what it points to must outlive the server. */
struct varlink_service {
	const char *vendor, *product, *version, *url; /* for GetInfo */
	/* NULL-terminated, without org.varlink.service. */
	const struct varlink_interface *const *interfaces;
	/* NULL: everyone may everything. org.varlink.service is everyone's. */
	bool (*authorize)(const struct varlink_peer *peer, int right, void *userdata);
	/* Syslog priorities, at most ten lines a minute; NULL: nobody listens. */
	void (*log)(int priority, const char *text, void *userdata);
	void *userdata; /* of both callbacks and of the handlers */
};

/* Times in microseconds, sizes in bytes. */
struct varlink_limits {
	size_t message_max;	     /* one request */
	size_t message_elements_max; /* values in one request: small ones cost some 50 times their text */
	size_t input_total_max;	     /* requests of all connections together; those below 64 KiB are always taken */
	size_t output_max;    /* a connection with this much unsent gets no further replies made; one may exceed it */
	uint64_t input_usec;  /* from a request's first byte to its last */
	uint64_t output_usec; /* for the client to take what is queued */
	unsigned connections_max;
	/* But for uid 0, which also has an eighth of connections_max to itself; of it, each process may have so many.
	 */
	unsigned connections_per_uid;
};

extern const struct varlink_limits varlink_limits_default;

/* Returns 0 or negative errno. varlink_server_free() must not be called from inside one of its callbacks. */
int varlink_server_new(struct varlink_server **ret, sd_event *event, const struct varlink_service *service);
/* Closes everything (pending calls are told that they are gone) and removes the socket it made. Returns NULL. */
struct varlink_server *varlink_server_free(struct varlink_server *s);
static inline void varlink_server_free_ptr(struct varlink_server **s)
{
	varlink_server_free(*s);
}
/* Before the first connection. */
void varlink_server_set_limits(struct varlink_server *s, const struct varlink_limits *limits);
/*
 * Listens on a path, mode 0666: rights are decided per call. A socket that nobody answers on is replaced.
 * -EADDRINUSE: somebody does; -ENOTSOCK: the path is something else; -ENAMETOOLONG: over 107 bytes.
 */
int varlink_server_listen(struct varlink_server *s, const char *path);
/* Listens on a socket that already listens (socket activation); the server owns it, also when this fails. */
int varlink_server_listen_fd(struct varlink_server *s, int fd);
/* Serves one connected stream socket; the server owns it, also when this fails. -EUSERS: too many connections. */
int varlink_server_add_connection(struct varlink_server *s, int fd);
unsigned varlink_server_connections(const struct varlink_server *s);

struct varlink_call *varlink_call_ref(struct varlink_call *call);
struct varlink_call *varlink_call_unref(struct varlink_call *call);
/* Valid until the call is answered or gone. */
const struct varlink_peer *varlink_call_peer(const struct varlink_call *call);
/* "INTERFACE.METHOD" */
const char *varlink_call_method(const struct varlink_call *call);
bool varlink_call_more(const struct varlink_call *call);
/* A oneway call is answered like any other; nothing is sent. */
bool varlink_call_oneway(const struct varlink_call *call);
/*
 * Called once when the client went away (or the server is freed) before the call was answered; the call is of no use
 * afterwards but to be unreferenced. NULL takes the callback back.
 */
void varlink_call_on_gone(struct varlink_call *call, void (*gone)(struct varlink_call *call, void *userdata),
			  void *userdata);

/*
 * The replies. All take over `parameters` (NULL: none), also when they fail, and send it later from the event loop.
 * -ENOTCONN: the client is gone or the call was answered already.
 */
int varlink_reply(struct varlink_call *call, struct json_object *parameters);
/* A reply that others will follow. -EINVAL: the call has no `more`. -ENOBUFS: the client does not keep up; not sent. */
int varlink_reply_more(struct varlink_call *call, struct json_object *parameters);
/* error: the full name, "io.kvmnetd.Network.NoSuchLink". */
int varlink_error(struct varlink_call *call, const char *error, struct json_object *parameters);
int varlink_error_invalid_parameter(struct varlink_call *call, const char *parameter);
int varlink_error_permission_denied(struct varlink_call *call);

/*
 * Answers with a stream of replies, each made when there is room for it. next() gives the parameters of the next reply
 * and sets *last with the final one; it is called from the event loop, a few times a turn. free_fn (may be NULL) is
 * called once, when the stream has ended or the client is gone. -EINVAL: the call has no `more`.
 */
typedef struct json_object *varlink_next_fn(void *userdata, bool *last);
int varlink_stream(struct varlink_call *call, varlink_next_fn *next, void *userdata, void (*free_fn)(void *userdata));

/*
 * Checks an object against a table of fields: unknown names, missing ones, wrong types. Returns NULL, or what is wrong
 * as a path ("files[3].name") that the caller frees. The server does this for every method's parameters.
 */
char *varlink_check(struct json_object *object, const struct varlink_field *fields);

/* Members of checked parameters: absent and null give `otherwise`. Strings live as long as the object. */
const char *varlink_get_string(struct json_object *object, const char *name, const char *otherwise);
bool varlink_get_bool(struct json_object *object, const char *name, bool otherwise);
int64_t varlink_get_int(struct json_object *object, const char *name, int64_t otherwise);
