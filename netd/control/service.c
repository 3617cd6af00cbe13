/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: service.h. */
#include "service.h"

#include <grp.h>
#include <interface.h>
#include <time.h>

#include "../log.h"
#include "plan-json.h"
#include "status-json.h"
#include "varlink.h"

#define INTERFACE "io.kvmnetd.Network"

enum right {
	RIGHT_READ,
	RIGHT_CHANGE,
};

/* A call that is answered again at every change. */
struct waiter {
	struct service *service;
	struct varlink_call *call;
	char **links; /* asked for; none: all with `required` */
	size_t n_links;
	char *last; /* what was told last */
};

struct service {
	struct manager *manager;
	struct varlink_server *server;
	struct waiter **waiters;
	size_t n_waiters;
	struct varlink_call **monitors;
	size_t n_monitors;
};

static bool is_member(const struct varlink_peer *peer, const char *group)
{
	const struct group *g = getgrnam(group);

	return g && varlink_peer_in_group(peer, g->gr_gid);
}

/* The name a [daemon] key holds, or NULL when it is not set. */
static const char *group_name(const struct manager *m, enum daemon_row row)
{
	const struct values *v = m->config ? m->config->daemon : NULL;

	return values_has(v, row) && v->v[row].blob ? (const char *)v->v[row].blob->data : NULL;
}

static bool authorize(const struct varlink_peer *peer, int right, void *userdata)
{
	struct service *s = userdata;
	const char *admins = group_name(s->manager, DAEMON_ADMIN_GROUP);
	const char *readers = group_name(s->manager, DAEMON_READ_GROUP);

	if (peer->uid == 0 || peer->uid == geteuid() || (admins && is_member(peer, admins)))
		return true;
	return right == RIGHT_READ && (!readers || is_member(peer, readers));
}

static void log_server(int priority, const char *text, void *userdata _unused_)
{
	log_print(priority, "control: %s", text);
}

/* Status */

struct status_stream {
	struct manager *manager;
	char **names;
	size_t n, next;
	bool brief, daemon_told;
};

#define LINKS_PER_REPLY 64

static void status_stream_free(void *userdata)
{
	struct status_stream *s = userdata;

	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	free(s);
}

static struct json_object *status_next(void *userdata, bool *last)
{
	struct status_stream *s = userdata;
	struct json_object *json = json_object_new_object(), *links = json_object_new_array();
	struct children children;

	children_index(kernel_actual(s->manager->kernel), &children);
	json_object_object_add(json, "daemon", s->daemon_told ? NULL : status_daemon(s->manager));
	s->daemon_told = true;
	for (size_t i = 0; i < LINKS_PER_REPLY && s->next < s->n; i++) {
		struct json_object *link = status_link(s->manager, &children, s->names[s->next++], s->brief);

		if (link)
			json_object_array_add(links, link);
	}
	children_done(&children);
	json_object_object_add(json, "links", links);
	*last = s->next == s->n;
	return json;
}

static void add_name(struct status_stream *s, const char *name)
{
	*ARRAY_APPEND(s->names, s->n) = xstrdup(name);
}

static bool belongs(const struct model *actual, const struct effective *e, const struct link *have)
{
	const struct link *master = model_master(actual, have), *parent = model_parent(actual, have);

	return (master && model_find(&e->links, master->name)) || (parent && model_find(&e->links, parent->name));
}

static void name_links(struct status_stream *s, bool all)
{
	const struct model *actual = kernel_actual(s->manager->kernel);
	const struct effective *e = &s->manager->effective;

	for (size_t i = 0; i < e->links.n_links; i++)
		add_name(s, e->links.links[i]->name);
	for (size_t i = 0; i < actual->n_links; i++) {
		const struct link *have = actual->links[i];

		if (!model_find(&e->links, have->name) && (all || belongs(actual, e, have)))
			add_name(s, have->name);
	}
}

/* That one, then its master, its parent, its ports, and the VLANs on it. */
static bool name_link_and_neighbours(struct status_stream *s, const char *name)
{
	const struct model *actual = kernel_actual(s->manager->kernel);
	const struct link *have = model_find_any(actual, name);
	const struct link *want = model_find(&s->manager->effective.links, have ? have->name : name);
	const struct link *master, *parent;

	if (!have && !want)
		return false;
	add_name(s, have ? have->name : want->name);
	if (!have)
		return true;
	master = model_master(actual, have);
	parent = model_parent(actual, have);
	if (master)
		add_name(s, master->name);
	if (parent && parent != master)
		add_name(s, parent->name);
	for (size_t i = 0; i < actual->n_links; i++) {
		const struct link *l = actual->links[i];

		if (l != master && l != parent && (l->master == have->ifindex || l->parent == have->ifindex))
			add_name(s, l->name);
	}
	return true;
}

static void method_status(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *service = userdata;
	const char *link = varlink_get_string(parameters, "link", NULL);
	struct status_stream *s = xcalloc(1, sizeof(*s));
	bool last = false;

	s->manager = service->manager;
	s->brief = varlink_get_bool(parameters, "brief", false);
	if (link && !name_link_and_neighbours(s, link)) {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "name", json_object_new_string(link));
		varlink_error(call, INTERFACE ".NoSuchLink", json);
		status_stream_free(s);
		return;
	}
	if (!link)
		name_links(s, varlink_get_bool(parameters, "all", false));
	if (varlink_call_more(call)) {
		varlink_stream(call, status_next, s, status_stream_free);
		return;
	}
	/* One reply for all: a client that did not ask for `more` wants just that. */
	struct json_object *whole = status_next(s, &last), *links = json_object_object_get(whole, "links");

	while (!last) {
		struct json_object *more = status_next(s, &last), *some = json_object_object_get(more, "links");

		for (size_t i = 0; i < json_object_array_length(some); i++)
			json_object_array_add(links, json_object_get(json_object_array_get_idx(some, i)));
		json_object_put(more);
	}
	status_stream_free(s);
	varlink_reply(call, whole);
}

/* Plan */

static void files_from_json(struct config_files *files, struct json_object *array)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *file = json_object_array_get_idx(array, i), *text;

		text = json_object_object_get(file, "text");
		config_files_add(files, json_object_get_string(json_object_object_get(file, "name")),
				 json_object_get_string(text), (size_t)json_object_get_string_len(text));
	}
}

static void reply_invalid(struct varlink_call *call, const struct diags *d)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "diagnostics", plan_diagnostics(d));
	varlink_error(call, INTERFACE ".ConfigurationInvalid", json);
}

static void reply_plan(struct varlink_call *call, struct manager *m, const struct config *config, struct diags *d)
{
	struct effective e;
	struct plan p;
	char id[17];

	manager_preview(m, config, &e, &p);
	manager_warn_rivals(m, &e, d);
	plan_id(&p, id);
	if (e.problems.n_errors) {
		reply_invalid(call, &e.problems);
	} else {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "id", json_object_new_string(id));
		json_object_object_add(json, "impact", json_object_new_string(impact_name(plan_impact(&p))));
		json_object_object_add(json, "steps", plan_steps(&p, &config->sources));
		json_object_object_add(json, "diagnostics", plan_diagnostics(d));
		varlink_reply(call, json);
	}
	plan_done(&p);
	effective_done(&e);
}

static void reply_busy(struct varlink_call *call, const char *text)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "text", json_object_new_string(text));
	varlink_error(call, INTERFACE ".Busy", json);
}

static void method_plan(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *s = userdata;
	struct json_object *array = json_object_object_get(parameters, "files");
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	struct config *config;
	int r = 0;

	if (s->manager->transaction) {
		reply_busy(call, "a change is being made; ask again when it is done");
		return;
	}
	if (array)
		files_from_json(&files, array);
	else
		r = config_files_read(&files, s->manager->dirs.config, &d);
	config = config_parse(&files, &d);
	if (r < 0 || d.n_errors)
		reply_invalid(call, &d);
	else
		reply_plan(call, s->manager, config, &d);
	config_free(config);
	config_files_done(&files);
	diags_done(&d);
}

/* Apply */

struct apply_call {
	struct service *service;
	struct varlink_call *call; /* NULL: the client went away; the apply goes on */
	struct json_object *steps, *diagnostics;
	struct sources sources; /* names only, for the outcome */
	char id[17];
};

static void apply_call_free(struct apply_call *a)
{
	if (a->call) {
		varlink_call_on_gone(a->call, NULL, NULL);
		varlink_call_unref(a->call);
	}
	json_object_put(a->steps);
	json_object_put(a->diagnostics);
	sources_done(&a->sources);
	free(a);
}

static void apply_client_gone(struct varlink_call *call, void *userdata)
{
	struct apply_call *a = userdata;

	varlink_call_unref(call);
	a->call = NULL;
}

static struct json_object *apply_reply(const char *id, const char *result, struct json_object *steps,
				       struct json_object *diagnostics, struct json_object *progress)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "id", json_text(id));
	json_object_object_add(json, "result", json_text(result));
	json_object_object_add(json, "steps", steps);
	json_object_object_add(json, "diagnostics", diagnostics);
	json_object_object_add(json, "progress", progress);
	return json;
}

static void apply_planned(const struct plan *p, const struct config *config, const struct diags *d, void *userdata)
{
	struct apply_call *a = userdata;

	plan_id(p, a->id);
	a->steps = plan_steps(p, &config->sources);
	a->diagnostics = plan_diagnostics(d);
	for (size_t i = 0; i < config->sources.n; i++)
		sources_add(&a->sources, config->sources.names[i]);
	if (a->call && varlink_call_more(a->call) && p->n)
		varlink_reply_more(a->call, apply_reply(a->id, NULL, json_object_get(a->steps),
							json_object_get(a->diagnostics), NULL));
}

static void apply_progress(size_t done, size_t total, void *userdata)
{
	struct apply_call *a = userdata;
	struct json_object *progress;

	if (!a->call || !varlink_call_more(a->call))
		return;
	progress = json_object_new_object();
	json_object_object_add(progress, "done", json_object_new_int64((int64_t)done));
	json_object_object_add(progress, "total", json_object_new_int64((int64_t)total));
	varlink_reply_more(a->call, apply_reply(a->id, NULL, NULL, NULL, progress));
}

static void apply_done(const struct outcome *o, void *userdata)
{
	struct apply_call *a = userdata;

	if (a->call && o->error)
		varlink_error(a->call, INTERFACE ".Refused", plan_refused(o, &a->sources));
	else if (a->call)
		varlink_reply(a->call, apply_reply(a->id, o->changed ? "applied" : "unchanged",
						   json_object_get(a->steps), json_object_get(a->diagnostics), NULL));
	apply_call_free(a);
}

static void apply_refused(const char *why, const struct diags *d, const char *const *ports, size_t n_ports,
			  const char *id, void *userdata)
{
	struct apply_call *a = userdata;
	struct json_object *json = json_object_new_object(), *array;

	if (a->call && streq(why, REFUSED_INVALID)) {
		reply_invalid(a->call, d);
	} else if (a->call && streq(why, REFUSED_FORCE)) {
		array = json_object_new_array();
		for (size_t i = 0; i < n_ports; i++)
			json_object_array_add(array, json_object_new_string(ports[i]));
		json_object_object_add(json, "text",
				       json_object_new_string("ports that kvmnetd did not attach would be cut off"));
		json_object_object_add(json, "ports", array);
		varlink_error(a->call, INTERFACE ".NeedsForce", json_object_get(json));
	} else if (a->call && streq(why, REFUSED_PLAN)) {
		json_object_object_add(json, "id", json_object_new_string(id));
		varlink_error(a->call, INTERFACE ".PlanChanged", json_object_get(json));
	} else if (a->call) {
		reply_busy(a->call, "another apply is running");
	}
	json_object_put(json);
	apply_call_free(a);
}

static void method_apply(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct apply_call *a = xcalloc(1, sizeof(*a));
	struct apply_request request = {
		.force = varlink_get_bool(parameters, "force", false),
		.max_impact = -1,
		.refused = apply_refused,
		.done = apply_done,
		.planned = apply_planned,
		.progress = apply_progress,
		.userdata = a,
	};

	snprintf(request.plan_id, sizeof(request.plan_id), "%s", varlink_get_string(parameters, "plan", ""));
	a->service = userdata;
	a->call = varlink_call_ref(call);
	varlink_call_on_gone(call, apply_client_gone, a);
	manager_apply(a->service->manager, &request);
}

/* Missing */

static const char *missing_reason(const struct service *s, const char *name, bool asked)
{
	const struct model *actual = kernel_actual(s->manager->kernel);
	const struct link *want = model_find(&s->manager->effective.links, name), *have = model_find_any(actual, name);
	uint64_t required =
		values_num(want ? want->common : NULL, LINK_REQUIRED, asked || want ? REQUIRED_EXISTS : REQUIRED_NO);
	struct diff_input in = {.effective = &s->manager->effective, .actual = actual, .ledger = &s->manager->ledger};
	struct link_diff diff;

	if (!asked && required == REQUIRED_NO)
		return NULL;
	if (!have)
		return want && want->waits_for && !streq(want->waits_for, name) ? "waits for another device"
										: "does not exist";
	if (want && diff_link(&in, want, &diff))
		return "is not configured yet";
	if (required >= REQUIRED_CARRIER && !have->carrier)
		return "has no carrier";
	if (required >= REQUIRED_ADDRESS && !have->n_addresses)
		return "has no address";
	return NULL;
}

static void add_missing(struct json_object *array, const struct service *s, const char *name, bool asked)
{
	const char *reason = missing_reason(s, name, asked);
	struct json_object *json;

	if (!reason)
		return;
	json = json_object_new_object();
	json_object_object_add(json, "link", json_object_new_string(name));
	json_object_object_add(json, "reason", json_object_new_string(reason));
	json_object_array_add(array, json);
}

static struct json_object *missing_links(const struct service *s, char **links, size_t n_links)
{
	const struct model *wanted = &s->manager->effective.links;
	struct json_object *array = json_object_new_array(), *json = json_object_new_object();

	for (size_t i = 0; i < n_links; i++)
		add_missing(array, s, links[i], true);
	for (size_t i = 0; !n_links && i < wanted->n_links; i++)
		if (!wanted->links[i]->foreign && wanted->links[i]->loc.file)
			add_missing(array, s, wanted->links[i]->name, false);
	json_object_object_add(json, "missing", array);
	return json;
}

static void waiter_free(struct waiter *w)
{
	struct service *s = w->service;

	for (size_t i = 0; i < s->n_waiters; i++)
		if (s->waiters[i] == w) {
			s->waiters[i] = s->waiters[--s->n_waiters];
			break;
		}
	if (w->call) {
		varlink_call_on_gone(w->call, NULL, NULL);
		varlink_call_unref(w->call);
	}
	for (size_t i = 0; i < w->n_links; i++)
		free(w->links[i]);
	free(w->links);
	free(w->last);
	free(w);
}

static void waiter_gone(struct varlink_call *call, void *userdata)
{
	struct waiter *w = userdata;

	w->call = NULL;
	varlink_call_unref(call);
	waiter_free(w);
}

static void waiter_tell(struct waiter *w)
{
	struct json_object *json = missing_links(w->service, w->links, w->n_links);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	bool nothing = json_object_array_length(json_object_object_get(json, "missing")) == 0;

	if (nothing || !varlink_call_more(w->call)) {
		varlink_reply(w->call, json);
		waiter_free(w);
		return;
	}
	if (w->last && streq(w->last, text)) {
		json_object_put(json);
		return;
	}
	free(w->last);
	w->last = xstrdup(text);
	varlink_reply_more(w->call, json);
}

static void method_missing(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *s = userdata;
	struct json_object *links = json_object_object_get(parameters, "links");
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->service = s;
	w->call = varlink_call_ref(call);
	for (size_t i = 0; links && i < json_object_array_length(links); i++)
		*ARRAY_APPEND(w->links, w->n_links) =
			xstrdup(json_object_get_string(json_object_array_get_idx(links, i)));
	*ARRAY_APPEND(s->waiters, s->n_waiters) = w;
	varlink_call_on_gone(call, waiter_gone, w);
	waiter_tell(w);
}

void service_changed(void *userdata)
{
	struct service *s = userdata;

	for (size_t i = s ? s->n_waiters : 0; i-- > 0;)
		waiter_tell(s->waiters[i]);
}

/* Monitor */

static void monitor_gone(struct varlink_call *call, void *userdata)
{
	struct service *s = userdata;

	for (size_t i = 0; i < s->n_monitors; i++)
		if (s->monitors[i] == call) {
			s->monitors[i] = s->monitors[--s->n_monitors];
			break;
		}
	varlink_call_unref(call);
}

static void method_monitor(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct service *s = userdata;

	*ARRAY_APPEND(s->monitors, s->n_monitors) = varlink_call_ref(call);
	varlink_call_on_gone(call, monitor_gone, s);
}

void service_event(enum manager_event event, const char *link, const char *text, void *userdata)
{
	static const char *const names[] = {"link", "drift", "repair", "apply", "problem"};
	struct service *s = userdata;
	char when[32] = "";
	time_t at = time(NULL);
	struct tm tm;

	if (!s || !s->n_monitors)
		return;
	if (gmtime_r(&at, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	for (size_t i = 0; i < s->n_monitors; i++) {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "time", json_object_new_string(when));
		json_object_object_add(json, "kind", json_object_new_string(names[event]));
		json_object_object_add(json, "link", json_text(link));
		json_object_object_add(json, "text", json_object_new_string(text));
		varlink_reply_more(s->monitors[i], json);
	}
}

/* Verify */

static void add_line(const char *line, void *userdata)
{
	json_object_array_add(userdata, json_object_new_string(line));
}

static void method_verify(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct service *s = userdata;
	struct json_object *json = json_object_new_object(), *differences = json_object_new_array();
	struct model fresh = MODEL_NULL;
	int r;

	json_object_object_add(json, "differences", differences);
	kernel_drain(s->manager->kernel);
	r = kernel_dump_fresh(s->manager->kernel, &fresh);
	if (r < 0)
		add_line(strerror(-r), differences);
	else
		kernel_compare(kernel_actual(s->manager->kernel), &fresh, add_line, differences);
	model_done(&fresh);
	varlink_reply(call, json);
}

/* clang-format off */
static const struct varlink_field status_fields[] = {
	{"link", VARLINK_STRING}, {"all", VARLINK_BOOL}, {"brief", VARLINK_BOOL}, {0},
};
static const struct varlink_field file_members[] = {
	{"name", VARLINK_STRING, .required = true}, {"text", VARLINK_TEXT, .required = true}, {0},
};
static const struct varlink_field plan_fields[] = {
	{"files", VARLINK_STRUCT, .array = true, .members = file_members}, {0},
};
static const struct varlink_field apply_fields[] = {
	{"plan", VARLINK_STRING}, {"force", VARLINK_BOOL}, {0},
};
static const struct varlink_field missing_fields[] = {
	{"links", VARLINK_STRING, .array = true}, {0},
};

static const struct varlink_method methods[] = {
	{"Status",  RIGHT_READ,   .fields = status_fields,  .handler = method_status},
	{"Plan",    RIGHT_READ,   .fields = plan_fields,    .handler = method_plan},
	{"Apply",   RIGHT_CHANGE, .fields = apply_fields,   .handler = method_apply},
	{"Missing", RIGHT_READ,   .fields = missing_fields, .handler = method_missing},
	{"Monitor", RIGHT_READ,   .needs_more = true,       .handler = method_monitor},
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
	free(s->waiters);
	free(s->monitors);
	free(s);
	return NULL;
}
