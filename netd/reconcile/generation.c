/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the applied configurations (state.h). A file each: a line of JSON that says when, what came of it and which
 * files there were, then the texts of the files as they are, one after another. They are most of it, and need no
 * escaping.
 */
#include <dirent.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "../file.h"
#include "state-file.h"

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

uint32_t generation_newest(const struct state_dirs *dirs)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(dirs, &list);

	return n ? list[n - 1] : 0;
}

void generations_forget(const struct state_dirs *dirs, uint32_t newest)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(dirs, &list);

	while (n-- > 0 && list[n] > newest) {
		_cleanup_free_ char *path = generation_path(dirs, list[n]);

		unlink(path);
	}
}

/* A stored configuration as read: the first line, and what follows it. */
struct stored {
	char *whole;
	struct json_object *json; /* NULL: there is none */
	const char *texts;
	size_t len;
};

static void stored_done(struct stored *s)
{
	json_object_put(s->json);
	free(s->whole);
}

static struct stored read_stored(const struct state_dirs *dirs, uint32_t number)
{
	_cleanup_free_ char *path = generation_path(dirs, number);
	struct stored s = {0};
	size_t len;
	char *end;

	s.whole = file_read(path, &len);
	if (!s.whole)
		return s;
	end = memchr(s.whole, '\n', len);
	if (end) {
		*end = '\0';
		s.texts = end + 1;
		s.len = len - (size_t)(s.texts - s.whole);
	}
	s.json = json_tokener_parse(s.whole);
	return s;
}

/* The text stands behind the line, or in it. */
static int take_file(struct stored *s, struct json_object *file, struct config_files *ret)
{
	const char *name = json_object_get_string(json_object_object_get(file, "name")) ?: "?";
	struct json_object *text = json_object_object_get(file, "text");
	size_t bytes = (size_t)json_object_get_int64(json_object_object_get(file, "bytes"));

	if (json_object_is_type(text, json_type_string)) {
		config_files_add(ret, name, json_object_get_string(text), (size_t)json_object_get_string_len(text));
		return 0;
	}
	if (bytes > s->len)
		return -EINVAL;
	config_files_add(ret, name, s->texts, bytes);
	s->texts += bytes;
	s->len -= bytes;
	return 0;
}

int generation_load(const struct state_dirs *dirs, uint32_t number, struct config_files *ret, int64_t *ret_when)
{
	_cleanup_(stored_done) struct stored s = read_stored(dirs, number);
	struct json_object *files = s.json ? json_object_object_get(s.json, "files") : NULL;
	struct config_files found = {0};
	int r = json_object_is_type(files, json_type_array) ? 0 : -ENOENT;

	for (size_t i = 0; r == 0 && i < json_object_array_length(files); i++)
		r = take_file(&s, json_object_array_get_idx(files, i), &found);
	if (r < 0) {
		config_files_done(&found);
		return -ENOENT;
	}
	*ret = found;
	*ret_when = json_object_get_int64(json_object_object_get(s.json, "when"));
	return 0;
}

void generation_story(const struct state_dirs *dirs, uint32_t number, char **ret_plan, char **ret_result)
{
	_cleanup_(stored_done) struct stored s = read_stored(dirs, number);

	*ret_plan = json_string_of(s.json, "plan");
	*ret_result = json_string_of(s.json, "result");
}

/* The first line; the caller frees it. */
static char *story(const struct config_files *files, const char *plan, const char *result)
{
	_cleanup_json_ struct json_object *json = json_object_new_object();
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < files->n; i++) {
		struct json_object *file = json_object_new_object();

		json_object_object_add(file, "name", json_object_new_string(files->list[i].name));
		json_object_object_add(file, "bytes", json_object_new_int64((int64_t)files->list[i].len));
		json_object_array_add(array, file);
	}
	json_object_object_add(json, "when", json_object_new_int64(time(NULL)));
	json_object_object_add(json, "files", array);
	if (plan)
		json_object_object_add(json, "plan", json_object_new_string(plan));
	if (result)
		json_object_object_add(json, "result", json_object_new_string(result));
	return xasprintf("%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
}

static int write_stored(const char *path, const struct config_files *files, const char *plan, const char *result)
{
	_cleanup_free_ char *line = story(files, plan, result);
	_cleanup_free_ struct file_part *parts = xcalloc(files->n + 1, sizeof(*parts));

	parts[0] = (struct file_part){line, strlen(line)};
	for (size_t i = 0; i < files->n; i++)
		parts[i + 1] = (struct file_part){files->list[i].text, files->list[i].len};
	return file_write_parts(path, parts, files->n + 1, 0600, true);
}

int64_t generation_store(const struct state_dirs *dirs, const struct config_files *files, const char *plan,
			 const char *result)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(dirs, &list);
	uint32_t number = n ? list[n - 1] + 1 : 1;
	_cleanup_free_ char *path = generation_path(dirs, number);
	_cleanup_free_ char *directory = xasprintf("%s/generations", dirs->state);
	int r = mkdir(directory, 0755) < 0 && errno != EEXIST ? -errno : 0;

	if (r == 0)
		r = write_stored(path, files, plan, result);
	if (r < 0)
		return r;
	for (size_t i = 0; n >= GENERATIONS_KEPT && i <= n - GENERATIONS_KEPT; i++) {
		_cleanup_free_ char *old = generation_path(dirs, list[i]);

		unlink(old);
	}
	return number;
}
