/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: journal.h. */
#include "journal.h"

#include "effective-json.h"
#include "keepsake-json.h"
#include "ledger-json.h"
#include "state-file.h"

void journal_done(struct journal *j)
{
	effective_done(&j->before);
	ledger_past_done(&j->ledger_before);
	keepsakes_done(&j->keepsakes);
	config_files_done(&j->files);
	free(j->armed_by);
	free(j->plan);
	free(j->probes.list);
	*j = JOURNAL_NULL;
}

static char *journal_path(const struct state_dirs *dirs)
{
	return xasprintf("%s/journal.json", dirs->runtime);
}

static struct json_object *probes_to_json(const struct probe_list *probes)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < probes->n; i++) {
		_cleanup_free_ char *text = probe_text(&probes->list[i]);

		json_object_array_add(array, json_object_new_string(text));
	}
	return array;
}

/* One that cannot be read is not watched. */
static struct probe_list probes_from_json(struct json_object *array)
{
	size_t n = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
	struct probe_list probes = {0};

	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(array, i));
		_cleanup_free_ char *why = NULL;
		struct probe_target t;

		if (text && probe_parse(text, &t, &why) == 0)
			*ARRAY_APPEND(probes.list, probes.n) = t;
	}
	return probes;
}

static struct json_object *names_to_json(const struct names *names)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < names->n; i++)
		json_object_array_add(array, json_object_new_string(names->list[i]));
	return array;
}

static struct ledger_past past_from_json(struct json_object *json)
{
	struct json_object *names = json_object_object_get(json, "ledger_of");
	struct ledger_past past = {
		.all = !names,
		.records = ledger_from_json(json_object_object_get(json, "ledger")),
	};
	size_t n = json_object_is_type(names, json_type_array) ? json_object_array_length(names) : 0;

	for (size_t i = 0; i < n; i++)
		names_add(&past.names, json_object_get_string(json_object_array_get_idx(names, i)) ?: "");
	return past;
}

int journal_write(const struct state_dirs *dirs, const struct journal *j)
{
	_cleanup_free_ char *path = journal_path(dirs), *here = place_of_birth();
	_cleanup_json_ struct json_object *json = json_object_new_object();

	json_object_object_add(json, "of", json_object_new_string(here));
	json_object_object_add(json, "before", effective_to_json(&j->before));
	json_object_object_add(json, "ledger", ledger_to_json(&j->ledger_before.records));
	if (!j->ledger_before.all)
		json_object_object_add(json, "ledger_of", names_to_json(&j->ledger_before.names));
	json_object_object_add(json, "keepsakes", keepsakes_to_json(&j->keepsakes));
	json_object_object_add(json, "generation", json_object_new_int64(j->generation_before));
	json_object_object_add(json, "newest", json_object_new_int64(j->newest));
	json_object_object_add(json, "rollback_to", json_object_new_int64(j->rollback_to));
	json_object_object_add(json, "deadline", json_object_new_int64((int64_t)j->deadline));
	json_object_object_add(json, "waiting", json_object_new_boolean(j->waiting));
	if (j->armed_by)
		json_object_object_add(json, "armed_by", json_object_new_string(j->armed_by));
	json_object_object_add(json, "files", files_to_json(&j->files));
	if (j->plan)
		json_object_object_add(json, "plan", json_object_new_string(j->plan));
	json_object_object_add(json, "probes", probes_to_json(&j->probes));
	json_object_object_add(json, "probe_timeout", json_object_new_int64((int64_t)j->probe_timeout));
	json_object_object_add(json, "probe_wait", json_object_new_int64((int64_t)j->probe_wait));
	return write_json(path, json, true);
}

int journal_set_waiting(const struct state_dirs *dirs, uint64_t deadline)
{
	_cleanup_free_ char *path = journal_path(dirs);
	_cleanup_json_ struct json_object *json = json_object_from_file(path);

	if (!json)
		return -ENOENT;
	json_object_object_add(json, "waiting", json_object_new_boolean(deadline != 0));
	if (deadline)
		json_object_object_add(json, "deadline", json_object_new_int64((int64_t)deadline));
	return write_json(path, json, true);
}

int journal_read(const struct state_dirs *dirs, struct journal *ret)
{
	_cleanup_free_ char *path = journal_path(dirs), *here = place_of_birth();
	_cleanup_json_ struct json_object *json = json_object_from_file(path);
	struct journal j = JOURNAL_NULL;
	struct json_object *armed_by, *plan;

	if (!is_born_here(json, here))
		return -ENOENT;
	if (effective_from_json(json_object_object_get(json, "before"), &j.before) < 0)
		return -EINVAL;
	j.ledger_before = past_from_json(json);
	j.keepsakes = keepsakes_from_json(json_object_object_get(json, "keepsakes"));
	j.generation_before = (uint32_t)json_object_get_int64(json_object_object_get(json, "generation"));
	j.newest = (uint32_t)json_object_get_int64(json_object_object_get(json, "newest"));
	j.rollback_to = (uint32_t)json_object_get_int64(json_object_object_get(json, "rollback_to"));
	j.deadline = (uint64_t)json_object_get_int64(json_object_object_get(json, "deadline"));
	j.waiting = json_object_get_boolean(json_object_object_get(json, "waiting"));
	armed_by = json_object_object_get(json, "armed_by");
	if (armed_by)
		j.armed_by = xstrdup(json_object_get_string(armed_by));
	plan = json_object_object_get(json, "plan");
	if (plan)
		j.plan = xstrdup(json_object_get_string(plan));
	json_to_files(json_object_object_get(json, "files"), &j.files);
	j.probes = probes_from_json(json_object_object_get(json, "probes"));
	j.probe_timeout = (uint64_t)json_object_get_int64(json_object_object_get(json, "probe_timeout"));
	j.probe_wait = (uint64_t)json_object_get_int64(json_object_object_get(json, "probe_wait"));
	*ret = j;
	return 0;
}

void journal_remove(const struct state_dirs *dirs)
{
	runtime_remove(dirs, "journal");
}

static char *mark_path(const struct state_dirs *dirs)
{
	return xasprintf("%s/unconfirmed", dirs->state);
}

int unconfirmed_mark(const struct state_dirs *dirs)
{
	_cleanup_free_ char *path = mark_path(dirs);
	_cleanup_json_ struct json_object *json = json_object_new_object();

	return write_json(path, json, true);
}

void unconfirmed_clear(const struct state_dirs *dirs)
{
	_cleanup_free_ char *path = mark_path(dirs);

	unlink(path);
}

bool unconfirmed_is_marked(const struct state_dirs *dirs)
{
	_cleanup_free_ char *path = mark_path(dirs);

	return access(path, F_OK) == 0;
}
