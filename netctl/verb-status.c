/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `netctl status`: asks, and shows the daemon's state and the topology. One link in detail is status-link.c's.
 */
#include "client.h"
#include "errors.h"
#include "json.h"
#include "status.h"

#include <linux/if_ether.h>
#include <time.h>

enum column { COLUMN_LINK, COLUMN_KIND, COLUMN_STATE, COLUMN_SPEED, COLUMN_MAC, COLUMN_MTU, COLUMN_ADDRESS, _COLUMNS };

static const char *const titles[_COLUMNS] = {"LINK", "KIND", "STATE", "SPEED", "MAC", "MTU", "ADDRESS"};

/* Links from here on get a line that counts them. */
#define MANY_LINKS 20

/* The replies of one Status call. */
struct status {
	struct json_object **messages; /* owned */
	size_t n_messages;
	struct json_object **links; /* in the messages */
	size_t n_links;
	struct json_object *daemon;
};

static void status_done(struct status *s)
{
	for (size_t i = 0; i < s->n_messages; i++)
		json_object_put(s->messages[i]);
	free(s->messages);
	free(s->links);
}

char *link_kind(struct json_object *link)
{
	const char *kind = json_text_or(link, "kind", "?"), *detail = json_text(link, "detail");

	return detail ? xasprintf("%s %s", kind, detail) : xstrdup(kind);
}

char *link_state(struct json_object *link, enum style *style)
{
	const char *state = json_text_or(link, "state", "?");
	const char *as_port = json_text(link, "port_state");

	*style = streq(state, "up") ? STYLE_GOOD : streq(state, "absent") ? STYLE_BAD : STYLE_WARN;
	if (streq(state, "up") && json_get(link, "carrier", json_type_boolean) && !json_flag(link, "carrier")) {
		state = "no carrier";
		*style = STYLE_WARN;
	}
	if (!as_port)
		as_port = json_text(json_get(link, "port_options", json_type_object), "state");
	/* Said only when it is not what one expects of a port. */
	if (!as_port || streq(as_port, "forwarding") || streq(as_port, "active") || *style != STYLE_GOOD)
		return xstrdup(state);
	return xasprintf("%s, %s", state, as_port);
}

char *link_speed(struct json_object *link)
{
	int64_t speed = json_int(link, "speed", 0);

	if (speed <= 0 || speed >= UINT32_MAX)
		return NULL;
	if (speed % 1000 == 0)
		return xasprintf("%lld Gb/s", (long long)speed / 1000);
	if (speed > 1000)
		return xasprintf("%.1f Gb/s", (double)speed / 1000);
	return xasprintf("%lld Mb/s", (long long)speed);
}

/* A list may be empty. */
static const char *value_or_none(struct json_object *difference, const char *key)
{
	const char *value = json_text_or(difference, key, "?");

	return *value ? value : "none";
}

char *difference_text(struct json_object *difference)
{
	_cleanup_free_ char *place = place_short(difference);
	const char *note = json_text(difference, "note");

	return xasprintf("%s is %s, declared %s%s%s%s", json_text_or(difference, "key", "?"),
			 value_or_none(difference, "found"), value_or_none(difference, "declared"), place,
			 note ? ": " : "", note ? note : "");
}

bool link_differs(struct json_object *link)
{
	return json_count(link, "differences") > 0;
}

struct painter {
	struct table table;
	bool boxes;
	size_t differing;
};

/* Only the first column of a link's further lines is drawn: the tree goes on beside them. */
static struct row *further_row(struct painter *p, const char *below)
{
	struct row *r = table_row(&p->table);

	cell_set(r, COLUMN_LINK, STYLE_DIM, "%s", below);
	return r;
}

static void paint_addresses(struct painter *p, struct row *r, struct json_object *link, const char *below)
{
	for (size_t i = 0; i < json_count(link, "addresses"); i++)
		cell_set(i ? further_row(p, below) : r, COLUMN_ADDRESS, STYLE_PLAIN, "%s",
			 json_item_text(link, "addresses", i));
}

static void paint_differences(struct painter *p, struct json_object *link, const char *below)
{
	bool absent = streq(json_text_or(link, "state", ""), "absent");

	p->differing += link_differs(link);
	for (size_t i = 0; i < json_count(link, "differences"); i++) {
		struct json_object *difference = json_item(link, "differences", i);
		_cleanup_free_ char *text = difference_text(difference);
		struct row *r;

		/* That an absent link is absent is in its state. */
		if (absent && streq(json_text_or(difference, "key", ""), "link"))
			continue;
		r = further_row(p, below);
		r->note = xasprintf("! %s", text);
		r->note_style = STYLE_WARN;
	}
}

static void paint_kind(struct row *r, const struct node *n)
{
	const char *parent = json_text(n->link, "parent");
	_cleanup_free_ char *kind = link_kind(n->link);

	/* The tree has it below its master: what it is on has to be said. */
	if (parent && !(n->up && streq(n->up->name, parent)))
		cell_set(r, COLUMN_KIND, STYLE_PLAIN, "%s on %s", kind, parent);
	else
		cell_set(r, COLUMN_KIND, STYLE_PLAIN, "%s", kind);
}

static void paint_node(const struct node *n, const char *prefix, const char *below, void *userdata)
{
	struct painter *p = userdata;
	struct row *r = table_row(&p->table);
	enum style style;
	_cleanup_free_ char *state = link_state(n->link, &style), *speed = link_speed(n->link);
	int64_t mtu = json_int(n->link, "mtu", ETH_DATA_LEN);

	cell_set(r, COLUMN_LINK, json_flag(n->link, "declared") ? STYLE_BOLD : STYLE_PLAIN, "%s%s", prefix, n->name);
	r->lead = strlen(prefix);
	paint_kind(r, n);
	cell_set(r, COLUMN_STATE, style, "%s", state);
	if (speed)
		cell_set(r, COLUMN_SPEED, STYLE_PLAIN, "%s", speed);
	if (json_text(n->link, "mac"))
		cell_set(r, COLUMN_MAC, STYLE_DIM, "%s", json_text(n->link, "mac"));
	if (mtu != ETH_DATA_LEN)
		cell_set(r, COLUMN_MTU, STYLE_PLAIN, "%lld", (long long)mtu);
	paint_addresses(p, r, n->link, below);
	paint_differences(p, n->link, below);
}

/* RFC 3339 in UTC to local time; what is not of that form stays as it is. The caller frees it. */
static char *local_time(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	char local[64];
	time_t t;

	if (!end || !strchr(end, 'Z'))
		return xstrdup(text);
	t = timegm(&tm);
	if (!localtime_r(&t, &tm) || !strftime(local, sizeof(local), "%Y-%m-%d %H:%M:%S %Z", &tm))
		return xstrdup(text);
	return xstrdup(local);
}

static void mark_line(struct term *t, enum style style, const char *label, const char *text)
{
	_cleanup_free_ char *line = xasprintf("! %s: %s", label, text);

	term_styled(t, style, line);
	fputc('\n', t->out);
}

static void print_probe(struct term *t, struct json_object *probe)
{
	_cleanup_free_ char *text = NULL;

	if (!json_flag(probe, "counts"))
		text = xasprintf("%s does not count: no answer before the change, or replaced by it",
				 json_text_or(probe, "probe", "?"));
	else if (json_flag(probe, "answers"))
		text = xasprintf("%s answers", json_text_or(probe, "probe", "?"));
	else
		text = xasprintf("%s is silent for %lld s", json_text_or(probe, "probe", "?"),
				 (long long)json_int(probe, "silent_for", 0));
	mark_line(t, json_flag(probe, "answers") ? STYLE_PLAIN : STYLE_WARN, "probe", text);
}

static void print_confirm(struct term *t, struct json_object *confirm)
{
	_cleanup_free_ char *text = NULL;

	if (!confirm)
		return;
	text = xasprintf("the apply by %s is undone in %lld s (%snetctl confirm makes it stay)",
			 json_text_or(confirm, "by", "?"), (long long)json_int(confirm, "seconds_left", 0),
			 json_flag(confirm, "proving") ? "unless its probes answer before; " : "");
	mark_line(t, STYLE_WARN, "unconfirmed", text);
	for (size_t i = 0; i < json_count(confirm, "probes"); i++)
		print_probe(t, json_item(confirm, "probes", i));
}

static void print_hold(struct term *t, struct json_object *hold)
{
	const char *link = json_text_or(hold, "link", "");
	_cleanup_free_ char *text =
		xasprintf("%s by %s, %lld s more", *link ? link : "all links", json_text_or(hold, "by", "?"),
			  (long long)json_int(hold, "seconds_left", 0));

	mark_line(t, STYLE_WARN, "held", text);
}

static void print_daemon(struct term *t, struct json_object *d)
{
	const char *state = json_text_or(d, "state", "?"), *applied = json_text(d, "applied_at");
	struct json_object *progress = json_get(d, "progress", json_type_object);
	_cleanup_free_ char *when = applied ? local_time(applied) : NULL;
	bool ready = streq(state, "ready"), in_sync = json_flag(d, "in_sync");

	fprintf(t->out, "kvmnetd ");
	print_safe(json_text_or(d, "version", ""), t->out);
	fputs(": ", t->out);
	term_styled(t, ready ? STYLE_GOOD : STYLE_WARN, state);
	if (progress)
		fprintf(t->out, " %lld of %lld", (long long)json_int(progress, "done", 0),
			(long long)json_int(progress, "total", 0));
	fputs(", ", t->out);
	term_styled(t, in_sync ? STYLE_GOOD : STYLE_WARN, in_sync ? "in sync" : "not in sync");
	if (when) {
		fputs(", applied ", t->out);
		print_safe(when, t->out);
	} else {
		fputs(", nothing applied yet", t->out);
	}
	fputc('\n', t->out);
	if (json_flag(d, "pending")) {
		_cleanup_free_ char *text =
			xasprintf("files in %s are not applied as they are now; netctl plan shows what "
				  "would change",
				  json_text_or(d, "config_dir", CONFIG_DIR));

		mark_line(t, STYLE_WARN, "pending", text);
	}
	print_confirm(t, json_get(d, "confirm", json_type_object));
	for (size_t i = 0; i < json_count(d, "holds"); i++)
		print_hold(t, json_item(d, "holds", i));
	for (size_t i = 0; i < json_count(d, "missing"); i++)
		mark_line(t, STYLE_WARN, "missing", json_item_text(d, "missing", i));
	for (size_t i = 0; i < json_count(d, "problems"); i++)
		mark_line(t, STYLE_BAD, "problem", json_item_text(d, "problems", i));
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "8012 links: 4006 bridge, 1 bond, 4000 vlan; 2 differ from what is declared" */
static void print_summary(struct term *t, const struct status *s, size_t differing)
{
	_cleanup_free_ const char **names = xcalloc(s->n_links + 1, sizeof(*names));
	const char *separator = ":";

	for (size_t i = 0; i < s->n_links; i++)
		names[i] = json_text_or(s->links[i], "kind", "?");
	qsort(names, s->n_links, sizeof(*names), text_compare);
	fprintf(t->out, "\n%zu links", s->n_links);
	for (size_t i = 0, run; i < s->n_links; i += run) {
		for (run = 1; i + run < s->n_links && streq(names[i], names[i + run]); run++)
			;
		fprintf(t->out, "%s %zu ", separator, run);
		print_safe(names[i], t->out);
		separator = ",";
	}
	if (differing) {
		_cleanup_free_ char *text =
			xasprintf("; %zu differ%s from what is declared", differing, differing == 1 ? "s" : "");

		term_styled(t, STYLE_WARN, text);
	}
	fputc('\n', t->out);
}

static void print_topology(struct term *t, const struct tree *tree, const struct status *s)
{
	struct painter p = {.table = {.titles = titles, .n_columns = _COLUMNS, .drop = "43"}, .boxes = t->boxes};

	if (s->daemon)
		print_daemon(t, s->daemon);
	if (!s->n_links) {
		fputs("No link is declared.\n", t->out);
		return;
	}
	fputc('\n', t->out);
	tree_walk(tree, t->boxes, paint_node, &p);
	table_print(&p.table, t);
	if (s->n_links >= MANY_LINKS)
		print_summary(t, s, p.differing);
}

static void take_reply(struct status *s, struct reply *r)
{
	struct json_object *daemon = json_get(r->parameters, "daemon", json_type_object);
	size_t n = json_count(r->parameters, "links");

	if (daemon)
		s->daemon = daemon;
	for (size_t i = 0; i < n; i++)
		*ARRAY_APPEND(s->links, s->n_links) = json_item(r->parameters, "links", i);
	*ARRAY_APPEND(s->messages, s->n_messages) = TAKE_PTR(r->message);
}

/* All replies before anything is shown: a pager that waits for its reader must not keep the daemon waiting. */
static int ask(struct status *s, const struct options *o)
{
	_cleanup_(client_close_ptr) struct client *c = NULL;
	_cleanup_(reply_done) struct reply r = {0};
	struct json_object *parameters = json_object_new_object();
	int status = client_open(&c, o->socket);
	bool more = true;

	if (o->n_args)
		json_object_object_add(parameters, "link", json_object_new_string(o->args[0]));
	else if (!o->json)
		json_object_object_add(parameters, "brief", json_object_new_boolean(true));
	if (o->all)
		json_object_object_add(parameters, "all", json_object_new_boolean(true));
	if (status != EXIT_OK) {
		json_object_put(parameters);
		return status;
	}
	client_call(c, "Status", parameters, true);
	while (more) {
		status = client_reply(c, ANSWER_MSEC, &r, o);
		if (status != EXIT_OK)
			return status;
		more = r.continues;
		take_reply(s, &r);
	}
	return EXIT_OK;
}

static int check_status(const struct status *s, const struct node *link)
{
	bool pending = json_flag(s->daemon, "pending"), in_sync = json_flag(s->daemon, "in_sync");

	if (link)
		return link_differs(link->link) || streq(json_text_or(link->link, "state", ""), "absent") ? EXIT_PENDING
													  : EXIT_OK;
	/* Something that was declared does not run, or not what the files say. */
	if (streq(json_text_or(s->daemon, "state", ""), "degraded"))
		return EXIT_PENDING;
	return pending || !in_sync || json_count(s->daemon, "missing") ? EXIT_PENDING : EXIT_OK;
}

/* The one that was asked for: the daemon tells of it first, whatever name or altname it was asked by. */
static const struct node *asked_for(const struct tree *tree, const struct status *s, const struct options *o)
{
	return o->n_args && s->n_links ? tree_find(tree, json_text_or(s->links[0], "name", "?")) : NULL;
}

static void show(const struct tree *tree, const struct status *s, const struct node *link, const struct options *o)
{
	struct term t;

	if (o->json) {
		for (size_t i = 0; i < s->n_messages; i++)
			json_print(json_get(s->messages[i], "parameters", json_type_object));
		return;
	}
	term_open(&t, o);
	if (link)
		status_link(&t, tree, link);
	else
		print_topology(&t, tree, s);
	term_close(&t);
}

int verb_status(const struct options *o)
{
	_cleanup_(status_done) struct status s = {0};
	_cleanup_(tree_done) struct tree tree = {0};
	const struct node *link;
	int status = ask(&s, o);

	if (status != EXIT_OK)
		return status;
	tree_build(&tree, s.links, s.n_links);
	link = asked_for(&tree, &s, o);
	show(&tree, &s, link, o);
	/* Thousands of links are not freed one by one: that takes as long as reading them. */
	netctl_end(o->check ? check_status(&s, link) : EXIT_OK);
}
