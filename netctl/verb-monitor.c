/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `netctl monitor`: a line per event, as they happen, until it is interrupted.
 */
#include "client.h"
#include "errors.h"
#include "json.h"
#include "term.h"

static enum style kind_style(const char *kind)
{
	if (streq(kind, "problem"))
		return STYLE_BAD;
	return streq(kind, "drift") || streq(kind, "repair") ? STYLE_WARN : STYLE_PLAIN;
}

static void print_event(struct json_object *event, const struct options *o)
{
	const char *kind = json_text_or(event, "kind", "?");
	_cleanup_free_ char *word = xasprintf("%-8s", kind);
	const char *link = json_text(event, "link");
	struct term t;

	if (!json_text(event, "text"))
		return; /* the first reply of some daemons: the subscription stands */
	term_open(&t, o);
	t.pager = false;
	term_styled(&t, STYLE_DIM, json_text_or(event, "time", ""));
	fputc(' ', t.out);
	term_styled(&t, kind_style(kind), word);
	if (link) {
		fputc(' ', t.out);
		term_styled(&t, STYLE_BOLD, link);
		fputc(':', t.out);
	}
	fputc(' ', t.out);
	print_safe(json_text(event, "text"), t.out);
	fputc('\n', t.out);
	term_close(&t);
}

int verb_monitor(const struct options *o)
{
	_cleanup_(client_close_ptr) struct client *c = NULL;
	_cleanup_(reply_done) struct reply r = {0};
	int status = client_open(&c, o->socket), error;

	if (status != EXIT_OK)
		return status;
	error = client_call(c, "Monitor", NULL, true);
	if (error < 0)
		return error_receive(error);
	do {
		status = client_reply(c, -1, &r, o);
		if (status != EXIT_OK)
			return status;
		if (o->json)
			json_print(r.parameters);
		else
			print_event(r.parameters, o);
	} while (r.continues);
	return EXIT_OK;
}
