/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: state.h: the ledger, and what was undone; the applied configurations are generation.c. */
#include "state.h"

#include <inttypes.h>
#include <time.h>

#include "../file.h"
#include "ledger-json.h"
#include "state-file.h"

/*
 * The ledger is a file of lines, each a JSON object: first where it is born, then in the order in which they were
 * written records, names of records that are gone, and numbers of generations; the last one of each counts. A line that
 * has no end was being written when the daemon was killed, and so what it is about was not begun.
 */
static char *ledger_path(const struct state_dirs *dirs)
{
	return xasprintf("%s/ledger.json", dirs->runtime);
}

/* The next line; NULL: there is no whole one. */
static struct json_object *read_line(FILE *f, char **buffer, size_t *size)
{
	ssize_t len = getline(buffer, size, f);

	return len > 0 && (*buffer)[len - 1] == '\n' ? json_tokener_parse(*buffer) : NULL;
}

static void take_line(struct json_object *json, struct ledger *l, uint32_t *generation)
{
	struct json_object *value;

	if ((value = json_object_object_get(json, "gone")))
		ledger_remove(l, json_object_get_string(value));
	else if ((value = json_object_object_get(json, "generation")))
		*generation = (uint32_t)json_object_get_int64(value);
	else
		record_from_json(l, json);
}

int state_load(const struct state_dirs *dirs, struct ledger *ret, uint32_t *ret_generation)
{
	_cleanup_free_ char *path = ledger_path(dirs), *here = place_of_birth(), *buffer = NULL;
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct json_object *json;
	size_t size = 0;
	bool born_here;

	*ret = LEDGER_NULL;
	*ret_generation = 0;
	json = f ? read_line(f, &buffer, &size) : NULL;
	born_here = is_born_here(json, here);
	json_object_put(json);
	while (born_here && (json = read_line(f, &buffer, &size))) {
		take_line(json, ret, ret_generation);
		json_object_put(json);
	}
	return born_here ? 0 : -ENOENT;
}

static void print_line(FILE *f, struct json_object *json)
{
	fprintf(f, "%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	json_object_put(json);
}

static void print_string(FILE *f, const char *key, const char *text)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, key, json_object_new_string(text));
	print_line(f, json);
}

/* Returns the number of lines. */
static size_t print_whole(FILE *f, const struct ledger *l)
{
	_cleanup_free_ char *here = place_of_birth();

	print_string(f, "of", here);
	for (size_t i = 0; i < l->n; i++)
		print_line(f, record_to_json(l->list[i]));
	return l->n + 1;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

static size_t print_changes(FILE *f, struct ledger *l)
{
	size_t lines = 0;

	if (l->n_changed)
		qsort(l->changed, l->n_changed, sizeof(*l->changed), name_order);
	for (size_t i = 0; i < l->n_changed; i++) {
		const struct record *r = ledger_find(l, l->changed[i]);

		if (i && streq(l->changed[i], l->changed[i - 1]))
			continue;
		if (r)
			print_line(f, record_to_json(r));
		else
			print_string(f, "gone", l->changed[i]);
		lines++;
	}
	return lines;
}

/* A file with this many lines more than records is written anew. */
#define LINES_SPARE 256

/* The caller frees it. */
static char *ledger_text(struct ledger *l, uint32_t generation, bool whole, size_t *lines)
{
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	*lines = whole ? print_whole(f, l) : print_changes(f, l);
	fprintf(f, "{\"generation\":%" PRIu32 "}\n", generation);
	++*lines;
	fclose(f);
	return text;
}

static int append_ledger(const char *path, struct ledger *l, uint32_t generation)
{
	_cleanup_free_ char *text = NULL;
	size_t lines;
	int r;

	if (!l->is_written || l->n_lines > 2 * l->n + LINES_SPARE)
		return -EAGAIN;
	text = ledger_text(l, generation, false, &lines);
	r = file_append(path, text);
	if (r == 0)
		ledger_set_written(l, l->n_lines + lines);
	return r;
}

int state_save(const struct state_dirs *dirs, struct ledger *l, uint32_t generation)
{
	_cleanup_free_ char *path = ledger_path(dirs), *text = NULL;
	size_t lines;
	int r;

	if (append_ledger(path, l, generation) == 0)
		return 0;
	/* Also where appending failed: what it left behind goes with the old file. */
	text = ledger_text(l, generation, true, &lines);
	/* Not synced: it describes the kernel of this boot, so a power failure that loses it also ends what it is
	 * about. */
	r = file_write(path, text, strlen(text), 0600, false);
	l->is_written = false;
	if (r == 0)
		ledger_set_written(l, lines);
	return r;
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
		char *why = json_string_of(entry, "why");

		if (why)
			*ARRAY_APPEND(*ret, found) = (struct undone){
				.when = json_object_get_int64(json_object_object_get(entry, "when")),
				.why = why,
				.plan = json_string_of(entry, "plan"),
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
