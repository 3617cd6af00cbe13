/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: state.h: JSON files, written beside and renamed. */
#include "state.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "ledger-json.h"
#include "state-file.h"

#define GENERATIONS_KEPT 10

int state_load(const struct state_dirs *dirs, struct ledger *ret, uint32_t *ret_generation)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger.json", dirs->runtime);
	_cleanup_free_ char *here = place_of_birth();
	_cleanup_json_ struct json_object *json = json_object_from_file(path);

	*ret = LEDGER_NULL;
	*ret_generation = 0;
	if (!is_born_here(json, here))
		return 0;
	*ret = ledger_from_json(json_object_object_get(json, "links"));
	*ret_generation = (uint32_t)json_object_get_int64(json_object_object_get(json, "generation"));
	return 0;
}

int state_save(const struct state_dirs *dirs, const struct ledger *l, uint32_t generation)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger.json", dirs->runtime);
	_cleanup_free_ char *here = place_of_birth();
	_cleanup_json_ struct json_object *json = json_object_new_object();

	json_object_object_add(json, "of", json_object_new_string(here));
	json_object_object_add(json, "generation", json_object_new_int64(generation));
	json_object_object_add(json, "links", ledger_to_json(l));
	/* Not synced: it describes the kernel of this boot, so a power failure that loses it also ends what it is
	 * about. */
	return write_json(path, json, false);
}

static int number_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t generations_list(const struct state_dirs *dirs, uint32_t **ret)
{
	_cleanup_free_ char *path = xasprintf("%s/generations", dirs->state);
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint32_t *list = NULL;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		uint32_t number;
		int end = 0;

		if (sscanf(entry->d_name, "%" SCNu32 ".json%n", &number, &end) == 1 && end &&
		    entry->d_name[end] == '\0')
			*ARRAY_APPEND(list, n) = number;
	}
	if (dir)
		closedir(dir);
	if (n)
		qsort(list, n, sizeof(*list), number_order);
	*ret = list;
	return n;
}

static char *generation_path(const struct state_dirs *dirs, uint32_t number)
{
	return xasprintf("%s/generations/%" PRIu32 ".json", dirs->state, number);
}

int generation_load(const struct state_dirs *dirs, uint32_t number, struct config_files *ret, int64_t *ret_when)
{
	_cleanup_free_ char *path = generation_path(dirs, number);
	_cleanup_json_ struct json_object *json = json_object_from_file(path);

	if (!json || json_to_files(json_object_object_get(json, "files"), ret) < 0)
		return -ENOENT;
	*ret_when = json_object_get_int64(json_object_object_get(json, "when"));
	return 0;
}

static int ensure_directory(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static char *string_of(struct json_object *json, const char *key)
{
	struct json_object *text = json ? json_object_object_get(json, key) : NULL;

	return json_object_is_type(text, json_type_string) ? xstrdup(json_object_get_string(text)) : NULL;
}

void generation_story(const struct state_dirs *dirs, uint32_t number, char **ret_plan, char **ret_result)
{
	_cleanup_free_ char *path = generation_path(dirs, number);
	_cleanup_json_ struct json_object *json = json_object_from_file(path);

	*ret_plan = string_of(json, "plan");
	*ret_result = string_of(json, "result");
}

int64_t generation_store(const struct state_dirs *dirs, const struct config_files *files, const char *plan,
			 const char *result)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(dirs, &list);
	uint32_t number = n ? list[n - 1] + 1 : 1;
	_cleanup_free_ char *path = generation_path(dirs, number);
	_cleanup_free_ char *directory = xasprintf("%s/generations", dirs->state);
	_cleanup_json_ struct json_object *json = json_object_new_object();
	int r;

	json_object_object_add(json, "when", json_object_new_int64(time(NULL)));
	json_object_object_add(json, "files", files_to_json(files));
	if (plan)
		json_object_object_add(json, "plan", json_object_new_string(plan));
	if (result)
		json_object_object_add(json, "result", json_object_new_string(result));
	r = ensure_directory(directory);
	if (r == 0)
		r = write_json(path, json, true);
	if (r < 0)
		return r;
	for (size_t i = 0; n >= GENERATIONS_KEPT && i <= n - GENERATIONS_KEPT; i++) {
		_cleanup_free_ char *old = generation_path(dirs, list[i]);

		unlink(old);
	}
	return number;
}

static char *undone_path(const struct state_dirs *dirs)
{
	return xasprintf("%s/undone.json", dirs->state);
}

void undone_note(const struct state_dirs *dirs, const char *why, const char *plan)
{
	_cleanup_free_ char *path = undone_path(dirs);
	_cleanup_json_ struct json_object *json = json_object_from_file(path);
	struct json_object *list = json ? json_object_object_get(json, "list") : NULL;
	struct json_object *entry = json_object_new_object();

	if (!json_object_is_type(list, json_type_array)) {
		json_object_put(json);
		json = json_object_new_object();
		list = json_object_new_array();
		json_object_object_add(json, "list", list);
	}
	json_object_object_add(entry, "when", json_object_new_int64(time(NULL)));
	json_object_object_add(entry, "why", json_object_new_string(why));
	if (plan)
		json_object_object_add(entry, "plan", json_object_new_string(plan));
	json_object_array_add(list, entry);
	if (json_object_array_length(list) > GENERATIONS_KEPT)
		json_object_array_del_idx(list, 0, json_object_array_length(list) - GENERATIONS_KEPT);
	write_json(path, json, false);
}

size_t undone_list(const struct state_dirs *dirs, struct undone **ret)
{
	_cleanup_free_ char *path = undone_path(dirs);
	_cleanup_json_ struct json_object *json = json_object_from_file(path);
	struct json_object *list = json ? json_object_object_get(json, "list") : NULL;
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0, found = 0;

	*ret = NULL;
	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		char *why = string_of(entry, "why");

		if (why)
			*ARRAY_APPEND(*ret, found) = (struct undone){
				.when = json_object_get_int64(json_object_object_get(entry, "when")),
				.why = why,
				.plan = string_of(entry, "plan"),
			};
	}
	return found;
}

void undone_list_done(struct undone *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].why);
		free(list[i].plan);
	}
	free(list);
}
