/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what service.c and the method files share. A method is a varlink_method_fn whose userdata is the service;
 * service.c lists them all.
 */
#pragma once

#include "service.h"
#include "varlink.h"

#define INTERFACE "io.kvmnetd.Network"

struct waiter;

/*
 * A group's number, looked up once a minute: the lookup may ask a directory server, which the event loop should not do
 * for every call.
 */
struct group_cache {
	char *name;
	gid_t gid;
	bool exists;
	uint64_t until; /* boottime() */
};

/* The name of the user who asked last, for the same reason. */
struct user_cache {
	uid_t uid;
	char name[64];
	uint64_t until; /* boottime() */
};

struct service {
	struct manager *manager;
	struct varlink_server *server;
	struct waiter **waiters;
	size_t n_waiters;
	struct varlink_call **monitors;
	size_t n_monitors;
	struct group_cache admins, readers;
	struct user_cache user;
};

/* Errors of the interface. */
void reply_invalid(struct varlink_call *call, const struct diags *d);
void reply_busy(struct varlink_call *call, const char *text);
/* An error with one parameter. */
void reply_with(struct varlink_call *call, const char *error, const char *key, const char *text);
/* Groups and users are looked up anew. */
void service_forget_names(struct service *s);
/* "root (uid 0, process 123)": who asks, for status and the log. */
void describe_peer(struct service *s, struct varlink_call *call, char *buf, size_t size);

/* The members `peer` and `local` of a call: the connection its caller came by. family 0: none, or no addresses. */
struct probe_target caller_path(struct json_object *parameters);

/* Ends what the method files keep open; the server is gone already. */
void waiters_done(struct service *s);

varlink_method_fn method_status, method_verify, method_plan, method_apply, method_confirm, method_rollback,
	method_history, method_hold, method_release, method_missing, method_monitor, method_leases;
