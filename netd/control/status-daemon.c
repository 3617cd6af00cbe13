/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: status-json.h: the daemon itself. Links are status-json.c. */
#include <inttypes.h>
#include <time.h>

#include "../clock.h"
#include "status-json.h"

static void add_name(const char *name, void *userdata)
{
	json_object_array_add(userdata, json_object_new_string(name));
}

bool status_in_sync(struct manager *m)
{
	struct diff_input in = {
		.effective = manager_wanted_lately(m),
		.actual = kernel_actual(m->kernel),
		.ledger = &m->ledger,
		.firewall = kernel_firewall(m->kernel),
	};
	struct diff diff;
	bool in_sync = !plan_firewall_differs(&in);

	diff_models(&in, &diff);
	for (size_t i = 0; i < diff.n; i++)
		if (!diff.list[i].want || manager_drift_of(m, diff.list[i].want) != DRIFT_IGNORE)
			in_sync = false;
	diff_done(&diff);
	return in_sync;
}

static struct json_object *progress(const struct manager *m)
{
	struct json_object *json;

	if (!m->progress_total)
		return NULL;
	json = json_object_new_object();
	json_add_new(json, "done", json_object_new_int64((int64_t)m->progress_done));
	json_add_new(json, "total", json_object_new_int64((int64_t)m->progress_total));
	return json;
}

static const char *state_name(const struct manager *m)
{
	switch (manager_state(m)) {
	case MANAGER_STARTING:
		return "starting";
	case MANAGER_APPLYING:
		return "applying";
	case MANAGER_READY:
		break;
	}
	return m->n_problems ? "degraded" : "ready";
}

static void add_applied(struct json_object *json, const struct manager *m)
{
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, m->generation);
	json_add_new(json, "applied", m->generation ? json_object_new_string(number) : NULL);
	json_add_new(json, "applied_at", m->generation ? status_time(m->applied_when) : NULL);
}

static int64_t seconds_left(uint64_t until)
{
	uint64_t at = boottime();

	return until > at ? (int64_t)((until - at) / 1000000) : 0;
}

static struct json_object *probes(const struct manager *m)
{
	struct json_object *array = json_object_new_array();
	struct guard_state *states = NULL;
	size_t n = m->guard ? guard_states(m->guard, &states) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *json = json_object_new_object();
		_cleanup_free_ char *text = probe_text(states[i].target);

		json_add_new(json, "probe", json_object_new_string(text));
		json_add_new(json, "counts", json_object_new_boolean(states[i].counts));
		json_add_new(json, "answers", json_object_new_boolean(states[i].counts && states[i].answers));
		json_add_new(json, "silent_for", states[i].counts ? json_object_new_int64(states[i].silent) : NULL);
		json_object_array_add(array, json);
	}
	free(states);
	return array;
}

struct json_object *status_confirm(const struct manager *m)
{
	struct json_object *json;

	if (!m->confirm_deadline)
		return NULL;
	json = json_object_new_object();
	json_add_new(json, "by", json_object_new_string(m->confirm_by));
	json_add_new(json, "seconds_left", json_object_new_int64(seconds_left(m->confirm_deadline)));
	json_add_new(json, "proving", json_object_new_boolean(m->proving));
	json_add_new(json, "probes", probes(m));
	return json;
}

static struct json_object *holds(const struct manager *m)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < m->n_holds; i++) {
		struct json_object *json = json_object_new_object();

		json_add_new(json, "link", json_object_new_string(m->holds[i].link));
		json_add_new(json, "by", json_object_new_string(m->holds[i].by));
		json_add_new(json, "seconds_left", json_object_new_int64(seconds_left(m->holds[i].until)));
		json_object_array_add(array, json);
	}
	return array;
}

struct json_object *status_time(int64_t when)
{
	time_t at = (time_t)when;
	char text[32];
	struct tm tm;

	if (!gmtime_r(&at, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return json_object_new_string(text);
}

static void add_warning(struct json_object *to, const struct diag *d)
{
	_cleanup_free_ char *text = PRINT_TEXT(diag_print, d);

	json_object_array_add(to, json_object_new_string(text));
}

/* Is it a problem already, noted when the daemon started? */
static bool is_problem(const struct manager *m, const struct diag *d)
{
	_cleanup_free_ char *text = PRINT_TEXT(diag_print_bare, d);

	for (size_t i = 0; i < m->n_problems; i++)
		if (streq(m->problems[i].text, text))
			return true;
	return false;
}

static void add_diags(struct json_object *to, const struct manager *m, const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!is_problem(m, &d->list[i]))
			add_warning(to, &d->list[i]);
}

struct json_object *status_daemon(struct manager *m)
{
	struct json_object *json = json_object_new_object(), *problems = json_object_new_array(),
			   *missing = json_object_new_array();
	struct diags d = {.sources = &m->config->sources};
	bool pending = manager_pending(m, &d);

	for (size_t i = 0; i < m->n_problems; i++)
		json_object_array_add(problems, json_object_new_string(m->problems[i].text));
	manager_warn_rivals(m, m->config, manager_wanted_lately(m), &d);
	add_diags(problems, m, &manager_wanted_lately(m)->problems);
	add_diags(problems, m, &d);
	diags_done(&d);
	manager_missing(m, add_name, missing);
	json_add_new(json, "version", json_object_new_string(KVMNETD_VERSION));
	json_add_new(json, "state", json_object_new_string(state_name(m)));
	json_add_new(json, "config_dir", json_object_new_string(m->dirs.config));
	add_applied(json, m);
	json_add_new(json, "pending", json_object_new_boolean(pending));
	json_add_new(json, "progress", progress(m));
	json_add_new(json, "confirm", status_confirm(m));
	json_add_new(json, "holds", holds(m));
	json_add_new(json, "problems", problems);
	json_add_new(json, "missing", missing);
	json_add_new(json, "in_sync", json_object_new_boolean(status_in_sync(m)));
	return json;
}
