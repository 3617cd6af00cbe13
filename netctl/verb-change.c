/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `netctl confirm, rollback, history, hold, release`: what has to do with the way back and with working by
 * hand.
 */
#include <limits.h>

#include "apply.h"
#include "caller.h"
#include "errors.h"
#include "json.h"
#include "term.h"

int verb_confirm(const struct options *o)
{
	_cleanup_(reply_done) struct reply r = {0};
	int status = client_ask(o, "Confirm", NULL, &r);

	if (status == EXIT_OK && !o->json)
		puts("Confirmed: what was applied stays.");
	return status;
}

int verb_rollback(const struct options *o)
{
	_cleanup_(client_close_ptr) struct client *c = NULL;
	struct json_object *parameters;
	int status, generation = 0;

	if (o->n_args && (parse_number("a generation", o->args[0], 1, INT_MAX, &generation) < 0))
		return EXIT_USAGE;
	status = client_open(&c, o->socket);
	if (status != EXIT_OK)
		return status;
	parameters = json_object_new_object();
	if (generation)
		json_object_object_add(parameters, "generation", json_object_new_int(generation));
	if (o->force)
		json_object_object_add(parameters, "force", json_object_new_boolean(true));
	caller_add(parameters);
	return apply_run(c, "Rollback", parameters, o);
}

static void print_lines(struct term *t, struct json_object *entry)
{
	for (size_t i = 0; i < json_count(entry, "plan"); i++) {
		fputs("        ", t->out);
		print_safe(json_item_text(entry, "plan", i), t->out);
		fputc('\n', t->out);
	}
}

static void print_generation(struct term *t, struct json_object *g)
{
	size_t n = json_count(g, "plan");
	_cleanup_free_ char *head = xasprintf("%4lld", (long long)json_int(g, "number", 0));

	term_styled(t, json_flag(g, "current") ? STYLE_GOOD : STYLE_PLAIN, head);
	fprintf(t->out, "  %s", json_text_or(g, "applied_at", "?"));
	/* A start has no one plan: what it finds decides. */
	if (n)
		fprintf(t->out, "  %zu change%s", n, n == 1 ? "" : "s");
	fputs(json_flag(g, "current") ? "  (running)" : "", t->out);
	if (json_text(g, "result")) {
		fputs("  ", t->out);
		print_safe(json_text(g, "result"), t->out);
	}
	fputc('\n', t->out);
	print_lines(t, g);
}

static void print_undone(struct term *t, struct json_object *u)
{
	term_styled(t, STYLE_WARN, "   -");
	fprintf(t->out, "  %s  undone: ", json_text_or(u, "undone_at", "?"));
	print_safe(json_text_or(u, "why", "?"), t->out);
	fputc('\n', t->out);
	print_lines(t, u);
}

/* Both lists are newest first, and so is what is printed; times are UTC in one form, so they compare as text. */
static void print_history(struct term *t, struct json_object *history)
{
	size_t n = json_count(history, "generations"), n_undone = json_count(history, "undone"), i = 0, u = 0;

	while (i < n || u < n_undone) {
		struct json_object *g = i < n ? json_item(history, "generations", i) : NULL;
		struct json_object *undone = u < n_undone ? json_item(history, "undone", u) : NULL;

		if (undone &&
		    (!g || strcmp(json_text_or(undone, "undone_at", ""), json_text_or(g, "applied_at", "")) >= 0)) {
			print_undone(t, undone);
			u++;
		} else {
			print_generation(t, g);
			i++;
		}
	}
}

int verb_history(const struct options *o)
{
	_cleanup_(reply_done) struct reply r = {0};
	int status = client_ask(o, "History", NULL, &r);
	struct term t;

	if (status != EXIT_OK || o->json)
		return status;
	term_open(&t, o);
	print_history(&t, r.parameters);
	if (!json_count(r.parameters, "generations") && !json_count(r.parameters, "undone"))
		fputs("Nothing was applied yet.\n", t.out);
	term_close(&t);
	return EXIT_OK;
}

int verb_hold(const struct options *o)
{
	_cleanup_(reply_done) struct reply r = {0};
	struct json_object *parameters = link_parameters(o);
	int status;

	json_object_object_add(parameters, "seconds", json_object_new_int(o->hold_for));
	status = client_ask(o, "Hold", parameters, &r);
	if (status == EXIT_OK && !o->json)
		printf("Held for %d s: differences are shown and not put back; netctl release ends it.\n", o->hold_for);
	return status;
}

int verb_release(const struct options *o)
{
	_cleanup_(reply_done) struct reply r = {0};
	int status = client_ask(o, "Release", link_parameters(o), &r);

	if (status != EXIT_OK || o->json)
		return status;
	if (json_flag(r.parameters, "all_held"))
		puts("All links are held still: netctl release without a link ends that.");
	else
		puts(json_int(r.parameters, "released", 0) ? "Released: differences are put back again."
							   : "Nothing was held.");
	return status;
}
