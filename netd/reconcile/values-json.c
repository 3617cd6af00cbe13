/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: values-json.h. */
#include "values-json.h"

static void print_lines(const struct values *v, FILE *f)
{
	for (unsigned row = 0; row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];

		if (!values_has(v, row))
			continue;
		fputs(o->key, f);
		fputs(" = ", f);
		/* An empty list has no text of its own. */
		if (!o->type->is_blob || (values_at(v, row).blob && values_at(v, row).blob->len))
			o->type->print(o, values_at(v, row), f);
		fputc('\n', f);
	}
}

static bool has_lists(const struct values *v)
{
	for (unsigned row = 0; row < v->table->n; row++)
		if (values_has(v, row) && v->table->rows[row].type->is_blob)
			return true;
	return false;
}

/* The numbers and words of a whole table, and its keys, are not longer. */
#define TEXT_MAX 16384

/* One stream for all: opening one costs more than printing, most of all one that can grow. */
struct json_object *values_to_json(const struct values *v)
{
	_cleanup_free_ char *grown = NULL;
	char text[TEXT_MAX];
	size_t len;
	FILE *f;

	if (!v || !v->set)
		return json_object_new_string("");
	f = has_lists(v) ? xmemstream(&grown, &len) : fmemopen(text, sizeof(text), "w");
	if (!f)
		abort();
	print_lines(v, f);
	fclose(f);
	return json_object_new_string(grown ?: text);
}

static void take_line(struct values *v, char *line)
{
	char *text = strstr(line, " = "), *word, *rest;
	_cleanup_free_ char *why = NULL;
	union value value = {0};
	int row, r = 0;

	if (!text)
		return;
	*text = '\0';
	row = option_find(v->table, line);
	if (row < 0)
		return;
	for (word = strtok_r(text + 3, " ", &rest); word && r == 0; word = strtok_r(NULL, " ", &rest))
		r = v->table->rows[row].type->parse(&v->table->rows[row], word, &value, &why);
	if (r == 0)
		values_put(v, (unsigned)row, value, LOC_NONE);
	else
		value_free(&v->table->rows[row], value);
}

struct values *values_from_json(const struct option_table *table, struct json_object *json)
{
	struct values *v = values_new(table);
	_cleanup_free_ char *lines =
		json_object_is_type(json, json_type_string) ? xstrdup(json_object_get_string(json)) : NULL;
	char *rest;

	for (char *line = lines ? strtok_r(lines, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
		take_line(v, line);
	return v;
}
