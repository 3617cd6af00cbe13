/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: values-json.h. */
#include "values-json.h"

/* The texts of all set rows, each ended by NUL. */
static void print_texts(const struct values *v, FILE *f)
{
	for (unsigned row = 0; row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];

		if (!values_has(v, row))
			continue;
		/* An empty list has no text of its own. */
		if (!o->type->is_blob || (values_at(v, row).blob && values_at(v, row).blob->len))
			o->type->print(o, values_at(v, row), f);
		fputc('\0', f);
	}
}

static bool has_lists(const struct values *v)
{
	for (unsigned row = 0; row < v->table->n; row++)
		if (values_has(v, row) && v->table->rows[row].type->is_blob)
			return true;
	return false;
}

/* The numbers and words of a whole table are not longer. */
#define TEXTS_MAX 16384

/* One stream for all texts: opening one costs more than printing, most of all one that can grow. */
struct json_object *values_to_json(const struct values *v)
{
	struct json_object *json = json_object_new_object();
	_cleanup_free_ char *grown = NULL;
	char texts[TEXTS_MAX];
	const char *text = texts;
	size_t len;
	FILE *f;

	if (!v || !v->set)
		return json;
	f = has_lists(v) ? xmemstream(&grown, &len) : fmemopen(texts, sizeof(texts), "w");
	if (!f)
		abort();
	print_texts(v, f);
	fclose(f);
	if (grown)
		text = grown;
	for (unsigned row = 0; row < v->table->n; row++) {
		if (!values_has(v, row))
			continue;
		json_object_object_add_ex(json, v->table->rows[row].key, json_object_new_string(text),
					  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
		text += strlen(text) + 1;
	}
	return json;
}

struct values *values_from_json(const struct option_table *table, struct json_object *json)
{
	struct values *v = values_new(table);

	if (!json_object_is_type(json, json_type_object))
		return v;
	json_object_object_foreach (json, key, text) {
		int row = option_find(table, key);
		_cleanup_free_ char *words = NULL, *why = NULL;
		union value value = {0};
		char *word, *rest;
		int r = 0;

		if (row < 0)
			continue;
		words = xstrdup(json_object_get_string(text));
		for (word = strtok_r(words, " ", &rest); word && r == 0; word = strtok_r(NULL, " ", &rest))
			r = table->rows[row].type->parse(&table->rows[row], word, &value, &why);
		if (r == 0)
			values_put(v, (unsigned)row, value, LOC_NONE);
		else
			value_free(&table->rows[row], value);
	}
	return v;
}
