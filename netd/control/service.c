/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: service.h: rights, the list of methods, and the errors that several of them give. */
#include "service.h"

#include <grp.h>
#include <interface.h>
#include <pwd.h>

#include "../clock.h"
#include "../log.h"
#include "plan-json.h"
#include "service-internal.h"
#include "status-json.h"

enum right {
	RIGHT_READ,
	RIGHT_CHANGE,
};

#define KNOWN_USEC (60 * 1000000ull)
/* A group that was not found may be made at any moment; still nobody makes us look for it at every call. */
#define NOT_FOUND_USEC 1000000ull

static void look_up_group(struct group_cache *cache, const char *name)
{
	bool was_missing = cache->name && streq(cache->name, name) && !cache->exists;
	const struct group *g = getgrnam(name);

	if (!cache->name || !streq(cache->name, name)) {
		free(cache->name);
		cache->name = xstrdup(name);
	}
	cache->exists = g != NULL;
	cache->gid = g ? g->gr_gid : 0;
	cache->until = boottime() + (g ? KNOWN_USEC : NOT_FOUND_USEC);
	if (!g && !was_missing)
		log_warning("there is no group %s: nobody gets rights by it", name);
}

static bool is_member(struct group_cache *cache, const struct varlink_peer *peer, const char *name)
{
	if (!cache->name || !streq(cache->name, name) || boottime() >= cache->until)
		look_up_group(cache, name);
	return cache->exists && varlink_peer_in_group(peer, cache->gid);
}

void service_forget_names(struct service *s)
{
	s->admins.until = s->readers.until = s->user.until = 0;
}

/* The name a [daemon] key holds, or NULL when it is not set. */
static const char *group_name(const struct manager *m, enum daemon_row row)
{
	const struct values *v = m->config ? m->config->daemon : NULL;

	return values_has(v, row) && values_at(v, row).blob ? (const char *)values_at(v, row).blob->data : NULL;
}

static bool authorize(const struct varlink_peer *peer, int right, void *userdata)
{
	struct service *s = userdata;
	const char *admins = group_name(s->manager, DAEMON_ADMIN_GROUP);
	const char *readers = group_name(s->manager, DAEMON_READ_GROUP);

	if (peer->uid == 0 || peer->uid == geteuid() || (admins && is_member(&s->admins, peer, admins)))
		return true;
	return right == RIGHT_READ && (!readers || is_member(&s->readers, peer, readers));
}

static void log_server(int priority, const char *text, void *userdata _unused_)
{
	log_print(priority, "control: %s", text);
}

void reply_invalid(struct varlink_call *call, const struct diags *d)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "diagnostics", plan_diagnostics(d));
	varlink_error(call, INTERFACE ".ConfigurationInvalid", json);
}

void reply_busy(struct varlink_call *call, const char *text)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "text", json_object_new_string(text));
	varlink_error(call, INTERFACE ".Busy", json);
}

void reply_with(struct varlink_call *call, const char *error, const char *key, const char *text)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, key, json_text(text));
	varlink_error(call, error, json);
}

/* "root (uid 0)": who asks, for status and the log. */
void describe_peer(struct service *s, struct varlink_call *call, char *buf, size_t size)
{
	const struct varlink_peer *peer = varlink_call_peer(call);
	struct user_cache *cache = &s->user;

	if (cache->uid != peer->uid || boottime() >= cache->until) {
		const struct passwd *user = getpwuid(peer->uid);

		snprintf(cache->name, sizeof(cache->name), "%s", user ? user->pw_name : "?");
		cache->uid = peer->uid;
		cache->until = boottime() + KNOWN_USEC;
	}
	snprintf(buf, size, "%s (uid %u, process %d)", cache->name, peer->uid, peer->pid);
}

struct probe_target caller_path(struct json_object *parameters)
{
	const char *peer = varlink_get_string(parameters, "peer", ""),
		   *local = varlink_get_string(parameters, "local", "");
	struct probe_target path;

	probe_parse_path(peer, local, &path);
	return path;
}

/* clang-format off */
static const struct varlink_field status_fields[] = {
	{"link", VARLINK_STRING}, {"all", VARLINK_BOOL}, {"brief", VARLINK_BOOL}, {0},
};
static const struct varlink_field file_members[] = {
	{"name", VARLINK_STRING, .required = true}, {"text", VARLINK_TEXT, .required = true}, {0},
};
static const struct varlink_field plan_fields[] = {
	{"files", VARLINK_STRUCT, .array = true, .members = file_members},
	{"peer", VARLINK_STRING}, {"local", VARLINK_STRING}, {0},
};
static const struct varlink_field apply_fields[] = {
	{"plan", VARLINK_STRING}, {"force", VARLINK_BOOL}, {"max_impact", VARLINK_STRING}, {"confirm", VARLINK_INT},
	{"peer", VARLINK_STRING}, {"local", VARLINK_STRING}, {0},
};
static const struct varlink_field rollback_fields[] = {
	{"generation", VARLINK_INT}, {"force", VARLINK_BOOL}, {"peer", VARLINK_STRING}, {"local", VARLINK_STRING}, {0},
};
static const struct varlink_field hold_fields[] = {
	{"links", VARLINK_STRING, .array = true}, {"seconds", VARLINK_INT}, {0},
};
static const struct varlink_field missing_fields[] = {
	{"links", VARLINK_STRING, .array = true}, {0},
};

static const struct varlink_method methods[] = {
	{"Status",  RIGHT_READ,   .fields = status_fields,  .handler = method_status},
	{"Plan",    RIGHT_READ,   .fields = plan_fields,    .handler = method_plan},
	{"Apply",   RIGHT_CHANGE, .fields = apply_fields,   .handler = method_apply},
	{"Confirm", RIGHT_CHANGE,                           .handler = method_confirm},
	{"Rollback", RIGHT_CHANGE, .fields = rollback_fields, .handler = method_rollback},
	{"History", RIGHT_READ,                             .handler = method_history},
	{"Hold",    RIGHT_CHANGE, .fields = hold_fields,    .handler = method_hold},
	{"Release", RIGHT_CHANGE, .fields = missing_fields, .handler = method_release},
	{"Missing", RIGHT_READ,   .fields = missing_fields, .handler = method_missing},
	{"Monitor", RIGHT_READ,   .needs_more = true,       .handler = method_monitor},
	{"Leases",  RIGHT_READ,                             .handler = method_leases},
	{"Verify",  RIGHT_READ,                             .handler = method_verify},
};
/* clang-format on */

static const struct varlink_interface network_interface = {
	.name = INTERFACE,
	.description = interface_text,
	.methods = methods,
	.n_methods = ARRAY_SIZE(methods),
};

static const struct varlink_interface *const interfaces[] = {&network_interface, NULL};

int service_new(struct service **ret, struct manager *m)
{
	struct service *s = xcalloc(1, sizeof(*s));
	struct varlink_service service = {
		.vendor = "kvmnetd",
		.product = "kvmnetd",
		.version = KVMNETD_VERSION,
		.url = "",
		.interfaces = interfaces,
		.authorize = authorize,
		.log = log_server,
		.userdata = s,
	};
	int r;

	s->manager = m;
	r = varlink_server_new(&s->server, m->event, &service);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

int service_listen(struct service *s, const char *path)
{
	int r = varlink_server_listen(s->server, path);

	if (r < 0)
		log_error("%s: %s", path, strerror(-r));
	return r;
}

struct service *service_free(struct service *s)
{
	if (!s)
		return NULL;
	varlink_server_free(s->server);
	waiters_done(s);
	free(s->admins.name);
	free(s->readers.name);
	free(s);
	return NULL;
}
