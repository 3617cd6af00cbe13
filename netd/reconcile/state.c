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

char *generation_plan(const struct state_dirs *dirs, uint32_t number)
{
	_cleanup_free_ char *path = generation_path(dirs, number);
	_cleanup_json_ struct json_object *json = json_object_from_file(path);
	struct json_object *plan = json ? json_object_object_get(json, "plan") : NULL;

	return json_object_is_type(plan, json_type_string) ? xstrdup(json_object_get_string(plan)) : NULL;
}

int64_t generation_store(const struct state_dirs *dirs, const struct config_files *files, const char *plan)
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
