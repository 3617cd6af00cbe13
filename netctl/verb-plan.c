/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `netctl plan` and `netctl apply`: the list of kernel changes, and carrying it out.
 */
#include "apply.h"
#include "caller.h"
#include "errors.h"
#include "files.h"
#include "json.h"
#include "term.h"

/* From harmless to not; what the daemon calls them. */
static const struct {
	const char *name;
	enum style style;
} impacts[] = {
	{"none", STYLE_DIM},	   {"live", STYLE_PLAIN},    {"link-flap", STYLE_WARN},
	{"link-gone", STYLE_WARN}, {"recreate", STYLE_WARN}, {"guests-cut-off", STYLE_BAD},
};

static enum style impact_style(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(impacts); i++)
		if (streq(impacts[i].name, name))
			return impacts[i].style;
	return STYLE_BAD;
}

static void step_rows(struct table *table, struct json_object *step, size_t number)
{
	_cleanup_free_ char *place = place_short(step);
	const char *impact = json_text_or(step, "impact", "?"), *why = json_text(step, "why");
	struct row *r = table_row(table);

	cell_set(r, 0, STYLE_DIM, "%4zu", number);
	cell_set(r, 1, impact_style(impact), "%s", impact);
	cell_set(r, 2, STYLE_PLAIN, "%s%s", json_text_or(step, "text", "?"), place);
	if (why)
		cell_set(table_row(table), 2, STYLE_DIM, "  because %s", why);
	for (size_t i = 0; i < json_count(step, "guests"); i++)
		cell_set(table_row(table), 2, STYLE_BAD, "  cuts off %s", json_item_text(step, "guests", i));
}

/* "12 changes: 8 none, 3 live, 1 link-flap" */
static void print_summary(struct term *t, struct json_object *plan)
{
	size_t n = json_count(plan, "steps");
	const char *separator = ":";

	fprintf(t->out, "\n%zu change%s", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(impacts); i++) {
		_cleanup_free_ char *text = NULL;
		size_t count = 0;

		for (size_t s = 0; s < n; s++)
			count += streq(json_text_or(json_item(plan, "steps", s), "impact", ""), impacts[i].name);
		if (!count)
			continue;
		text = xasprintf("%zu %s", count, impacts[i].name);
		fprintf(t->out, "%s ", separator);
		term_styled(t, impacts[i].style, text);
		separator = ",";
	}
	fputc('\n', t->out);
}

/* "With --confirm: at least 35 s (30 s: spanning tree on br0, twice forward_delay; 5 s: for the probes to answer)" */
static void print_least_confirm(struct term *t, struct json_object *plan)
{
	int64_t least = json_int(plan, "least_confirm", 0);

	if (!least)
		return;
	fprintf(t->out, "With --confirm: at least %lld s", (long long)least);
	for (size_t i = 0; i < json_count(plan, "waits"); i++) {
		fputs(i ? "; " : " (", t->out);
		print_safe(json_item_text(plan, "waits", i), t->out);
	}
	fputs(json_count(plan, "waits") ? ")\n" : "\n", t->out);
}

static void print_plan(struct json_object *plan, const struct options *o, bool hint)
{
	struct table table = {.n_columns = 3};
	size_t n = json_count(plan, "steps");
	struct term t;

	diagnostics_print(json_get(plan, "diagnostics", json_type_array), stderr);
	term_open(&t, o);
	if (!n) {
		fputs("Nothing to do: the kernel shows what is declared.\n", t.out);
		term_close(&t);
		return;
	}
	for (size_t i = 0; i < n; i++)
		step_rows(&table, json_item(plan, "steps", i), i + 1);
	table_print(&table, &t);
	print_summary(&t, plan);
	print_least_confirm(&t, plan);
	if (hint && json_text(plan, "id")) {
		fputs("To run exactly this: netctl apply --plan ", t.out);
		print_safe(json_text(plan, "id"), t.out);
		fputc('\n', t.out);
	}
	/* What precedes an apply is not to be paged away from under it. */
	t.pager = t.pager && hint;
	term_close(&t);
}

/* The files of the command line; NULL: they cannot be read, which was told. */
static struct json_object *plan_parameters(const struct options *o)
{
	_cleanup_(config_files_done) struct config_files files = {0};
	_cleanup_(diags_done) struct diags diags = DIAGS_NULL;
	_cleanup_(json_put_ptr) struct json_object *list = NULL;
	struct json_object *parameters;
	int r;

	if (!o->n_args) {
		parameters = json_object_new_object();
		caller_add(parameters);
		return parameters;
	}
	r = files_read(&files, o, &diags);
	list = files_diagnostics(&diags);
	diagnostics_print(list, stderr);
	if (r < 0)
		return NULL;
	parameters = json_object_new_object();
	caller_add(parameters);
	json_object_object_add(parameters, "files", files_json(&files));
	return parameters;
}

/* A repair is over soon, and an operator who sees "busy" only asks again. */
#define BUSY_TRIES 20
#define BUSY_USEC 250000

static int ask_plan(struct client *c, struct json_object *parameters, struct reply *r, const struct options *o)
{
	for (unsigned tries = 1;; tries++) {
		int error = client_call(c, "Plan", json_object_get(parameters), false);

		error = error < 0 ? error : client_receive(c, ANSWER_MSEC, r);
		if (error < 0)
			return error_receive(error);
		if (!r->error || !streq(r->error, INTERFACE ".Busy") || tries == BUSY_TRIES)
			break;
		usleep(BUSY_USEC);
	}
	if (!r->error)
		return EXIT_OK;
	if (o->json)
		json_print(r->message);
	return error_reply(r->error, r->parameters);
}

int verb_plan(const struct options *o)
{
	_cleanup_(client_close_ptr) struct client *c = NULL;
	_cleanup_(reply_done) struct reply r = {0};
	_cleanup_(json_put_ptr) struct json_object *parameters = plan_parameters(o);
	int status = parameters ? client_open(&c, o->socket) : EXIT_ERROR;

	if (status != EXIT_OK)
		return status;
	status = ask_plan(c, parameters, &r, o);
	if (status != EXIT_OK)
		return status;
	if (o->json)
		json_print(r.parameters);
	else
		print_plan(r.parameters, o, !o->n_args);
	return json_count(r.parameters, "steps") ? EXIT_PENDING : EXIT_OK;
}

/* One line that is written over, on a terminal only. */
static void show_progress(struct json_object *progress)
{
	enum { WIDTH = 40 };
	int64_t done = json_int(progress, "done", 0), total = json_int(progress, "total", 0);
	char bar[WIDTH + 1];

	if (!progress || total <= 0 || !isatty(STDERR_FILENO))
		return;
	for (int i = 0; i < WIDTH; i++)
		bar[i] = i < done * WIDTH / total ? '#' : '.';
	bar[WIDTH] = 0;
	fprintf(stderr, "\r[%s] %lld of %lld", bar, (long long)done, (long long)total);
	fflush(stderr);
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\33[K", stderr);
}

static void print_result(struct json_object *p, size_t steps, const struct options *o)
{
	/* What had changes to make was shown before them, and its messages with it. */
	if (o->plan || !steps)
		diagnostics_print(json_get(p, "diagnostics", json_type_array), stderr);
	if (streq(json_text_or(p, "result", ""), "unchanged"))
		puts("Nothing was changed.");
	else if (streq(json_text_or(p, "result", ""), "undone"))
		puts("What was not confirmed is undone, and the state before is back.");
	else
		printf("Applied, and read back: %zu change%s.\n", steps, steps == 1 ? "" : "s");
	if (o->confirm && streq(json_text_or(p, "result", ""), "applied"))
		printf("It is undone in %d s, unless you say: netctl confirm\n", o->confirm);
}

int apply_run(struct client *c, const char *method, struct json_object *parameters, const struct options *o)
{
	_cleanup_(reply_done) struct reply r = {0};
	int status = client_call(c, method, parameters, true);

	if (status < 0)
		return error_receive(status);
	for (;;) {
		int error = client_receive(c, -1, &r);

		clear_progress();
		if (error < 0)
			return error_receive(error);
		if (o->json)
			json_print(r.error ? r.message : r.parameters);
		if (r.error)
			return error_reply(r.error, r.parameters);
		if (!r.continues)
			break;
		if (o->json)
			continue;
		/* Before the first change comes the plan. With an id, it was seen. */
		if (json_get(r.parameters, "steps", json_type_array) && !o->plan)
			print_plan(r.parameters, o, false);
		show_progress(json_get(r.parameters, "progress", json_type_object));
	}
	if (!o->json)
		print_result(r.parameters, json_count(r.parameters, "steps"), o);
	return EXIT_OK;
}

int verb_apply(const struct options *o)
{
	_cleanup_(client_close_ptr) struct client *c = NULL;
	struct json_object *parameters;
	int status = client_open(&c, o->socket);

	if (status != EXIT_OK)
		return status;
	parameters = json_object_new_object();
	if (o->plan)
		json_object_object_add(parameters, "plan", json_object_new_string(o->plan));
	if (o->force)
		json_object_object_add(parameters, "force", json_object_new_boolean(true));
	if (o->max_impact)
		json_object_object_add(parameters, "max_impact", json_object_new_string(o->max_impact));
	if (o->confirm)
		json_object_object_add(parameters, "confirm", json_object_new_int(o->confirm));
	caller_add(parameters);
	return apply_run(c, "Apply", parameters, o);
}
