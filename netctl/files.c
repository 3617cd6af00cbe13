/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: see files.h.
 */
#include "files.h"

#include "../netd/control/utf8.h"

int files_read(struct config_files *f, const struct options *o, struct diags *d)
{
	int error = 0;

	if (!o->n_args)
		return config_files_read_dir(f, CONFIG_DIR, d);
	for (size_t i = 0; i < o->n_args; i++) {
		int r = config_files_read(f, o->args[i], d);

		if (!error)
			error = r;
	}
	return error;
}

/* Comments of old files may be in Latin-1, names of files in anything; JSON is UTF-8. */
static struct json_object *clean_string(const char *s, size_t len)
{
	_cleanup_free_ char *clean = utf8_clean(s, &len);

	return json_object_new_string_len(clean, (int)len);
}

struct json_object *files_json(const struct config_files *f)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct config_file *file = &f->list[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", clean_string(file->name, strlen(file->name)));
		json_object_object_add(o, "text", clean_string(file->text, file->len));
		json_object_array_add(list, o);
	}
	return list;
}

static void add_text(struct json_object *o, const char *name, const char *text)
{
	if (text)
		json_object_object_add(o, name, clean_string(text, strlen(text)));
}

struct json_object *files_diagnostics(const struct diags *d)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct diag *diag = &d->list[i];
		struct json_object *o = json_object_new_object();

		add_text(o, "severity", severity_name(diag->severity));
		add_text(o, "file", diag->file);
		if (diag->line)
			json_object_object_add(o, "line", json_object_new_int64(diag->line));
		add_text(o, "section", diag->section);
		add_text(o, "key", diag->key);
		add_text(o, "text", diag->text);
		json_object_array_add(list, o);
	}
	return list;
}
