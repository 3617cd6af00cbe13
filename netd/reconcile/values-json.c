/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: values-json.h. */
#include "values-json.h"

struct json_object *values_to_json(const struct values *v)
{
	struct json_object *json = json_object_new_object();

	for (unsigned row = 0; v && row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];
		_cleanup_free_ char *text = NULL;

		if (!values_has(v, row))
			continue;
		/* An empty list has no text of its own. */
		text = o->type->is_blob && (!v->v[row].blob || !v->v[row].blob->len) ? xstrdup("")
										     : value_text(o, v->v[row]);
		json_object_object_add_ex(json, o->key, json_object_new_string(text),
					  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
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
