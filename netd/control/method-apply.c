/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: Apply, and what goes the same way: Confirm, Rollback, History. */
#include "../log.h"
#include "plan-json.h"
#include "service-internal.h"
#include "status-json.h"

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

static void apply_planned(const struct plan *p, const char *lines, const struct guests *guests,
			  const struct config *config, const struct diags *d, void *userdata)
{
	struct apply_call *a = userdata;

	plan_lines_id(lines, a->id);
	a->steps = plan_steps(p, lines, guests, &config->sources);
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

static void reply_pending(struct varlink_call *call, const struct manager *m)
{
	varlink_error(call, INTERFACE ".ConfirmationPending", status_confirm(m));
}

static void reply_needs_force(struct varlink_call *call, const char *text, const char *const *ports, size_t n_ports)
{
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < n_ports; i++)
		json_object_array_add(array, json_object_new_string(ports[i]));
	json_object_object_add(json, "text", json_object_new_string(text));
	json_object_object_add(json, "ports", array);
	varlink_error(call, INTERFACE ".NeedsForce", json);
}

static void reply_too_short(struct varlink_call *call, const char *seconds, const char *const *waits, size_t n_waits)
{
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < n_waits; i++)
		json_object_array_add(array, json_object_new_string(waits[i]));
	json_object_object_add(json, "least", json_object_new_int64(strtol(seconds, NULL, 10)));
	json_object_object_add(json, "waits", array);
	varlink_error(call, INTERFACE ".ConfirmTooShort", json);
}

static void apply_refused(const char *why, const struct diags *d, const char *const *ports, size_t n_ports,
			  const char *id, void *userdata)
{
	struct apply_call *a = userdata;

	if (!a->call)
		log_info("apply refused: %s", refused_text(why));
	else if (streq(why, REFUSED_INVALID))
		reply_invalid(a->call, d);
	else if (streq(why, REFUSED_FORCE) || streq(why, REFUSED_STRANDED) || streq(why, REFUSED_PATH))
		reply_needs_force(a->call, refused_text(why), ports, n_ports);
	else if (streq(why, REFUSED_RENUMBERED))
		reply_needs_force(
			a->call,
			"your own connection would be cut off (with --confirm that may be: it is undone unless "
			"you log in at the new address and confirm)",
			ports, n_ports);
	else if (streq(why, REFUSED_PLAN))
		reply_with(a->call, INTERFACE ".PlanChanged", "id", id);
	else if (streq(why, REFUSED_IMPACT))
		reply_with(a->call, INTERFACE ".TooMuchImpact", "impact", id);
	else if (streq(why, REFUSED_CONFIRM) && a->service->manager->confirm_deadline)
		reply_pending(a->call, a->service->manager);
	else if (streq(why, REFUSED_SHORT))
		reply_too_short(a->call, id, ports, n_ports);
	else if (streq(why, REFUSED_GENERATION))
		varlink_error(a->call, INTERFACE ".NoSuchGeneration", NULL);
	else
		reply_busy(a->call, refused_text(REFUSED_BUSY));
	apply_call_free(a);
}

static void apply_undone(const struct outcome *o, void *userdata)
{
	struct apply_call *a = userdata;
	struct outcome failed = *o;

	if (!failed.error && !failed.restored)
		failed.error = -EIO;
	if (!failed.text)
		failed.text = "the state before could not be put back whole";
	if (a->call && failed.error)
		varlink_error(a->call, INTERFACE ".Refused", plan_refused(&failed, &a->sources));
	else if (a->call)
		varlink_reply(a->call, apply_reply(NULL, "undone", NULL, NULL, NULL));
	apply_call_free(a);
}

static struct apply_call *apply_call_new(struct service *s, struct varlink_call *call)
{
	struct apply_call *a = xcalloc(1, sizeof(*a));

	a->service = s;
	a->call = varlink_call_ref(call);
	varlink_call_on_gone(call, apply_client_gone, a);
	return a;
}

static void start_apply(struct service *s, struct varlink_call *call, struct apply_request *request)
{
	struct apply_call *a = apply_call_new(s, call);

	request->refused = apply_refused;
	request->done = apply_done;
	request->planned = apply_planned;
	request->progress = apply_progress;
	request->userdata = a;
	service_forget_names(s);
	describe_peer(s, call, request->armed_by, sizeof(request->armed_by));
	manager_apply(s->manager, request);
}

static int impact_find(const char *name)
{
	for (int i = IMPACT_NONE; i <= IMPACT_GUESTS; i++)
		if (streq(impact_name((enum impact)i), name))
			return i;
	return -1;
}

#define CONFIRM_MAX 86400

void method_apply(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	const char *max_impact = varlink_get_string(parameters, "max_impact", NULL);
	int64_t confirm = varlink_get_int(parameters, "confirm", 0);
	struct apply_request request = {
		.force = varlink_get_bool(parameters, "force", false),
		.max_impact = max_impact ? impact_find(max_impact) : -1,
		.confirm = (unsigned)confirm,
	};

	snprintf(request.plan_id, sizeof(request.plan_id), "%s", varlink_get_string(parameters, "plan", ""));
	request.path = caller_path(parameters);
	if (max_impact && request.max_impact < 0)
		varlink_error_invalid_parameter(call, "max_impact");
	else if (confirm < 0 || confirm > CONFIRM_MAX)
		varlink_error_invalid_parameter(call, "confirm");
	else
		start_apply(userdata, call, &request);
}

static void refuse_confirm(struct varlink_call *call, int error)
{
	_cleanup_free_ char *text = xasprintf(
		"the configuration could not be stored: %s; it still waits to be confirmed", strerror(-error));
	const struct outcome o = {.error = error, .changed = true, .text = text};
	const struct sources none = {0};

	varlink_error(call, INTERFACE ".Refused", plan_refused(&o, &none));
}

void method_confirm(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct service *s = userdata;
	int r = manager_confirm(s->manager);

	if (r == -ENOENT)
		varlink_error(call, INTERFACE ".NothingToConfirm", NULL);
	else if (r == -EBUSY)
		reply_busy(call, "the change is still being made");
	else if (r < 0)
		refuse_confirm(call, r);
	else
		varlink_reply(call, NULL);
}

/* The generation before the one that runs; 0: there is none. */
static uint32_t generation_before(const struct manager *m)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(&m->dirs, &list);

	while (n-- > 0)
		if (list[n] < m->generation)
			return list[n];
	return 0;
}

static void undo_unconfirmed(struct service *s, struct varlink_call *call)
{
	struct manager *m = s->manager;
	_cleanup_free_ char *why = NULL;
	char by[64];

	describe_peer(s, call, by, sizeof(by));
	why = xasprintf("%s asked to undo the unconfirmed apply", by);
	m->undone = apply_undone;
	m->undone_userdata = apply_call_new(s, call);
	manager_undo(m, why);
}

void method_rollback(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *s = userdata;
	int64_t generation = varlink_get_int(parameters, "generation", 0);
	struct apply_request request = {
		.force = varlink_get_bool(parameters, "force", false),
		.generation = generation ? (uint32_t)generation : generation_before(s->manager),
		.max_impact = IMPACT_GUESTS,
	};

	request.path = caller_path(parameters);
	if (generation < 0 || generation > UINT32_MAX)
		varlink_error_invalid_parameter(call, "generation");
	else if (s->manager->confirm_deadline && !generation)
		undo_unconfirmed(s, call);
	else if (!request.generation)
		varlink_error(call, INTERFACE ".NoSuchGeneration", NULL);
	else
		start_apply(s, call, &request);
}

static struct json_object *lines_to_json(char *text)
{
	struct json_object *array = json_object_new_array();
	char *rest = NULL;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
		json_object_array_add(array, json_object_new_string(line));
	return array;
}

/* Newest first, like the generations. */
static struct json_object *undone_to_json(const struct manager *m)
{
	struct json_object *array = json_object_new_array();
	struct undone *list;
	size_t n = undone_list(&m->dirs, &list);

	for (size_t i = n; i-- > 0;) {
		struct json_object *entry = json_object_new_object();

		json_object_object_add(entry, "undone_at", status_time(list[i].when));
		json_object_object_add(entry, "why", json_object_new_string(list[i].why));
		json_object_object_add(entry, "plan", lines_to_json(list[i].plan));
		json_object_array_add(array, entry);
	}
	undone_list_done(list, n);
	return array;
}

void method_history(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct service *s = userdata;
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(&s->manager->dirs, &list);

	while (n-- > 0) {
		_cleanup_free_ char *plan = NULL, *result = NULL;
		struct json_object *generation = json_object_new_object();
		struct config_files files = {0};
		int64_t when = 0;

		generation_story(&s->manager->dirs, list[n], &plan, &result);
		generation_load(&s->manager->dirs, list[n], &files, &when);
		config_files_done(&files);
		json_object_object_add(generation, "number", json_object_new_int64(list[n]));
		json_object_object_add(generation, "applied_at", status_time(when));
		json_object_object_add(generation, "current",
				       json_object_new_boolean(list[n] == s->manager->generation));
		json_object_object_add(generation, "result", json_text(result));
		json_object_object_add(generation, "plan", lines_to_json(plan));
		json_object_array_add(array, generation);
	}
	json_object_object_add(json, "generations", array);
	json_object_object_add(json, "undone", undone_to_json(s->manager));
	varlink_reply(call, json);
}
