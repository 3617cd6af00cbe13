/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `netctl check`: parses and checks files with the daemon's own core, in this process: it needs no daemon, no
 * rights and no kernel.
 */
#include "client.h"
#include "errors.h"
#include "files.h"
#include "json.h"

static void config_free_ptr(struct config **c)
{
	config_free(*c);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

int verb_check(const struct options *o)
{
	_cleanup_(config_files_done) struct config_files files = {0};
	_cleanup_(diags_done) struct diags diags = DIAGS_NULL;
	_cleanup_(config_free_ptr) struct config *config = NULL;
	_cleanup_(json_put_ptr) struct json_object *reply = NULL;
	size_t warnings = 0;

	files_read(&files, o, &diags);
	config = config_parse(&files, &diags);
	for (size_t i = 0; i < diags.n; i++)
		warnings += diags.list[i].severity == SEVERITY_WARNING;
	reply = json_object_new_object();
	json_object_object_add(reply, "diagnostics", files_diagnostics(&diags));
	if (o->json)
		json_print(reply);
	else
		diagnostics_print(json_get(reply, "diagnostics", json_type_array), stdout);
	fflush(stdout);
	fprintf(stderr, "%zu error%s, %zu warning%s in %zu file%s\n", diags.n_errors, plural(diags.n_errors), warnings,
		plural(warnings), files.n, plural(files.n));
	return diags.n_errors ? EXIT_ERROR : EXIT_OK;
}
