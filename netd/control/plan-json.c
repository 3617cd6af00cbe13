/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: plan-json.h. */
#include "plan-json.h"

#include "status-json.h"

static struct json_object *step(const struct op *op, const char *text, size_t len, const struct sources *sources)
{
	const char *file = sources_name(sources, op->loc);
	struct json_object *json = json_object_new_object();

	json_add_new(json, "text", json_object_new_string_len(text, (int)len));
	json_add_new(json, "impact", json_object_new_string(impact_name(op->impact)));
	json_add_new(json, "link", json_object_new_string(op->link->name));
	json_add_new(json, "why", json_text(op->why));
	json_add_new(json, "file", json_text(file));
	json_add_new(json, "line", file ? json_object_new_int64(op->loc.line) : NULL);
	return json;
}

/* Those that this step cuts off. */
static struct json_object *cut_off(const struct guests *guests, size_t op)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < guests->n; i++) {
		_cleanup_free_ char *text = guests->list[i].op == op ? guest_text(&guests->list[i]) : NULL;

		if (text)
			json_object_array_add(array, json_object_new_string(text));
	}
	return array;
}

struct json_object *plan_steps(const struct plan *p, const char *lines, const struct guests *guests,
			       const struct sources *sources)
{
	struct json_object *array = json_object_new_array_ext((int)p->n);

	for (size_t i = 0; i < p->n; i++) {
		size_t len = strcspn(lines, "\n");
		struct json_object *json = step(&p->ops[i], lines, len, sources);

		json_add_new(json, "guests", p->ops[i].impact == IMPACT_GUESTS ? cut_off(guests, i) : NULL);
		json_object_array_add(array, json);
		lines += len + 1;
	}
	return array;
}

struct json_object *plan_diagnostics(const struct diags *d)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; d && i < d->n; i++) {
		const struct diag *diag = &d->list[i];
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "severity", json_object_new_string(severity_name(diag->severity)));
		json_object_object_add(json, "file", json_text(diag->file));
		json_object_object_add(json, "line", diag->line ? json_object_new_int64(diag->line) : NULL);
		json_object_object_add(json, "section", json_text(diag->section));
		json_object_object_add(json, "key", json_text(diag->key));
		json_object_object_add(json, "text", json_object_new_string(diag->text));
		json_object_array_add(array, json);
	}
	return array;
}

struct json_object *plan_refused(const struct outcome *o, const struct sources *sources)
{
	struct json_object *json = json_object_new_object(), *differences = json_object_new_array();

	for (size_t i = 0; i < o->n_differences; i++)
		json_object_array_add(differences, json_object_new_string(o->differences[i]));
	json_object_object_add(json, "step", json_text(o->step));
	json_object_object_add(json, "text", json_object_new_string(o->text ? o->text : strerror(-o->error)));
	json_add_place(json, sources, o->loc);
	json_object_object_add(json, "restored", json_object_new_boolean(o->rolled_back ? o->restored : !o->changed));
	json_object_object_add(json, "differences", differences);
	return json;
}
