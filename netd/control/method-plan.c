/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: Plan. */
#include "plan-json.h"
#include "service-internal.h"

static void files_from_json(struct config_files *files, struct json_object *array)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *file = json_object_array_get_idx(array, i), *text;

		text = json_object_object_get(file, "text");
		config_files_add(files, json_object_get_string(json_object_object_get(file, "name")),
				 json_object_get_string(text), (size_t)json_object_get_string_len(text));
	}
}

static void add_text(const char *text, void *userdata)
{
	json_object_array_add(userdata, json_object_new_string(text));
}

struct cut_off {
	char **list; /* owned */
	size_t n;
};

static void add_cut_off(const char *text, void *userdata)
{
	struct cut_off *c = userdata;

	*ARRAY_APPEND(c->list, c->n) = xstrdup(text);
}

static void warn_cut_off(struct manager *m, const struct probe_target *path, const struct effective *e,
			 const struct plan *p, struct diags *d)
{
	struct cut_off c = {0};
	bool renumbered = manager_path_fate(m, path, e, p, add_cut_off, &c) == PATH_RENUMBERED;

	for (size_t i = 0; i < c.n; i++) {
		diag_add(d, SEVERITY_WARNING, LOC_NONE, NULL, NULL,
			 "your own connection would be cut off (apply needs %s): %s",
			 renumbered ? "--confirm, and a new login to confirm, or --force" : "--force", c.list[i]);
		free(c.list[i]);
	}
	free(c.list);
}

static void reply_plan(struct varlink_call *call, struct manager *m, const struct config *config,
		       const struct probe_target *path, struct diags *d)
{
	_cleanup_free_ char *lines = NULL;
	struct effective e;
	struct plan p;
	char id[17];

	manager_preview(m, config, &e, &p);
	manager_warn(m, config, &e, &p, d);
	warn_cut_off(m, path, &e, &p, d);
	lines = plan_lines(&p);
	plan_lines_id(lines, id);
	if (e.problems.n_errors) {
		reply_invalid(call, &e.problems);
	} else {
		struct json_object *json = json_object_new_object(), *waits = json_object_new_array();
		struct guests guests;
		unsigned least = manager_least_confirm(m, config, path, &e, &p, add_text, waits);

		manager_guests(m, &e, &p, &guests);
		json_object_object_add(json, "id", json_object_new_string(id));
		json_object_object_add(json, "impact", json_object_new_string(impact_name(plan_impact(&p))));
		json_object_object_add(json, "steps", plan_steps(&p, lines, &guests, &config->sources));
		json_object_object_add(json, "diagnostics", plan_diagnostics(d));
		json_object_object_add(json, "least_confirm", json_object_new_int64(least));
		json_object_object_add(json, "waits", waits);
		guests_done(&guests);
		varlink_reply(call, json);
	}
	plan_done(&p);
	effective_done(&e);
}

void method_plan(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *s = userdata;
	struct json_object *array = json_object_object_get(parameters, "files");
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	struct probe_target path = caller_path(parameters);
	struct config *config;
	int r = 0;

	if (s->manager->transaction) {
		reply_busy(call, "a change is being made; ask again when it is done");
		return;
	}
	if (array)
		files_from_json(&files, array);
	else
		r = config_files_read_dir(&files, s->manager->dirs.config, &d);
	config = manager_config_of(s->manager, &files, true, &d);
	if (r < 0 || d.n_errors)
		reply_invalid(call, &d);
	else
		reply_plan(call, s->manager, config, &path, &d);
	config_free(config);
	config_files_done(&files);
	diags_done(&d);
}
