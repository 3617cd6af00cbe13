/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: world.h. */
#include "world.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>

#include <cmocka.h>

#include "../../netd/kernel/kernel.h"
#include "fake-internal.h"

#define PROTO_HIDDEN 250
#define ROUNDS_BACK 3 /* as many as a transaction takes */

static const uint8_t machine_id[16] = "a test's machine";

struct config *world_config(const char *text)
{
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	struct config *c;

	config_files_add(&files, "desired.ini", text, strlen(text));
	c = config_parse(&files, &d);
	for (size_t i = 0; i < d.n; i++)
		if (d.list[i].severity == SEVERITY_ERROR)
			diag_print(&d.list[i], stderr);
	assert_int_equal(d.n_errors, 0);
	diags_done(&d);
	config_files_done(&files);
	return c;
}

void world_look(struct world *w)
{
	model_done(w->dump);
	*w->dump = fake_dump(&w->kernel);
}

static void step_plan(struct world *w, struct step *s)
{
	s->in = (struct diff_input){.effective = &s->effective, .actual = w->dump, .ledger = &w->ledger};
	plan_make(&s->in, &s->plan);
	plan_number(&s->plan, &w->kernel.next_index);
}

void step_make(struct world *w, const struct config *c, struct step *ret)
{
	step_make_of(w, c, NULL, ret);
}

void step_make_of(struct world *w, const struct config *c, const struct scope *scope, struct step *ret)
{
	struct resolve_input in = {.config = c, .actual = w->dump, .ledger = &w->ledger, .scope = scope};

	memcpy(in.machine_id, machine_id, sizeof(machine_id));
	resolve(&in, &ret->effective);
	step_plan(w, ret);
}

void step_make_back(struct world *w, struct effective *e, struct step *ret)
{
	ret->effective = *e;
	*e = EFFECTIVE_NULL;
	step_plan(w, ret);
}

void step_done(struct step *s)
{
	plan_done(&s->plan);
	effective_done(&s->effective);
}

size_t world_execute(struct world *w, const struct plan *p, size_t n, int *error)
{
	size_t i = 0;

	*error = 0;
	while (i < p->n && i < n && *error == 0) {
		*error = fake_apply(&w->kernel, &p->ops[i]);
		i += *error == 0;
	}
	return i;
}

char *plan_text(const struct plan *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < p->n; i++) {
		const char *send = p->ops[i].glued ? "+" : p->ops[i].apart ? "|" : " ";

		fprintf(f, "%-14s %s ", impact_name(p->ops[i].impact), send);
		op_print(&p->ops[i], f);
		fprintf(f, "%s%s%s\n", p->ops[i].why ? " (" : "", p->ops[i].why ? p->ops[i].why : "",
			p->ops[i].why ? ")" : "");
	}
	fclose(f);
	return text;
}

static void fail_of_plan(const struct plan *p, size_t done, int error, const char *what)
{
	_cleanup_free_ char *text = plan_text(p);

	fprintf(stderr, "%s\n", text); /* cmocka's messages are short */
	if (error)
		fail_msg("%s: op %zu is refused: %s", what, done + 1, strerror(-error));
	fail_msg("%s", what);
}

static void show_plan(const struct plan *p)
{
	_cleanup_free_ char *text = getenv("SHOW") ? plan_text(p) : NULL;

	if (text)
		fprintf(stderr, "plan:\n%s", text);
}

void world_apply(struct world *w, const struct config *c, unsigned rounds)
{
	for (;;) {
		struct step s;
		size_t done;
		int error;

		world_look(w);
		step_make(w, c, &s);
		ledger_settle(&w->ledger, &s.effective, w->dump);
		if (s.plan.n == 0) {
			step_done(&s);
			return;
		}
		if (rounds-- == 0)
			fail_of_plan(&s.plan, 0, 0, "it does not end: still to do is");
		show_plan(&s.plan);
		ledger_note_plan(&w->ledger, &s.plan, w->dump);
		done = world_execute(w, &s.plan, SIZE_MAX, &error);
		if (error)
			fail_of_plan(&s.plan, done, error, "apply");
		step_done(&s);
	}
}

struct comparison {
	const struct model *links;
	unsigned n;
};

/* What a bond's mode does not use cannot be written, and so not be put back either. */
static bool is_out_of_use(const struct model *links, const char *text)
{
	char name[IFNAMSIZ] = "", key[64] = "";
	const struct link *l;
	int row;

	sscanf(text, "%15[^:]: %63[^:]:", name, key);
	l = model_find(links, name);
	/* Neither is which port of a bond that balances by their MACs has which. */
	if (l && streq(key, "mac") && model_master(links, l) && fake_hands_macs_round(model_master(links, l)))
		return true;
	row = l && l->kind == &kind_bond ? option_find(&kind_bond.own, key) : -ENOENT;
	return row >= 0 && kind_bond.own.rows[row].modes &&
	       !(kind_bond.own.rows[row].modes >> values_num(l->own, option_row(&kind_bond.own, "mode"), 0) & 1);
}

static void add_difference(const char *text, void *userdata)
{
	struct comparison *c = userdata;

	if (is_out_of_use(c->links, text))
		return;
	print_error("  %s\n", text);
	c->n++;
}

void world_go_back(struct world *w, struct effective *back, const struct model *before, const char *from, FILE *f)
{
	struct comparison differences = {.links = &w->kernel.links};
	struct ledger_past past = LEDGER_PAST_NULL;

	ledger_keep(&past, &w->ledger, NULL);
	for (unsigned round = 0;; round++) {
		_cleanup_free_ char *text = NULL;
		struct step s;
		size_t done;
		int error;

		world_look(w);
		step_make_back(w, back, &s);
		text = plan_text(&s.plan);
		if (f && round == 0)
			fprintf(f, "back:\n%s", text);
		ledger_note_return(&w->ledger, &past, &s.plan);
		done = world_execute(w, &s.plan, SIZE_MAX, &error);
		if (error) {
			fprintf(stderr, "%s\n", text);
			fail_msg("%s: on the way back op %zu is refused: %s", from, done + 1, strerror(-error));
		}
		plan_done(&s.plan);
		*back = s.effective;
		if (!*text)
			break;
		if (round == ROUNDS_BACK)
			fail_of_plan(&s.plan, 0, 0, "the way back does not end");
	}
	ledger_follow(&past, &w->ledger, &w->kernel.links);
	ledger_put_back(&past, &w->ledger);
	kernel_compare(before, &w->kernel.links, add_difference, &differences);
	if (differences.n)
		fail_msg("%s: the way back did not lead to the state before", from);
}

/* What others add does not carry our protocol number. */
static void disown(struct world *w, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		struct link *l = model_find(&w->kernel.links, op->link->name);

		for (size_t a = 0; l && op->address && a < l->n_addresses; a++)
			if (address_same(&l->addresses[a], op->address))
				l->addresses[a].proto = 0;
		for (size_t r = 0; l && op->route && r < l->n_routes; r++)
			if (route_same(&l->routes[r], op->route))
				l->routes[r].protocol = RTPROT_BOOT;
	}
}

/* Addresses and routes with one protocol number get another: to others ours are not theirs. */
static void renumber(struct world *w, uint8_t from, uint8_t to)
{
	for (size_t i = 0; i < w->kernel.links.n_links; i++) {
		struct link *l = w->kernel.links.links[i];

		for (size_t a = 0; a < l->n_addresses; a++)
			if (l->addresses[a].proto == from)
				l->addresses[a].proto = to;
		for (size_t r = 0; r < l->n_routes; r++)
			if (l->routes[r].protocol == from)
				l->routes[r].protocol = to;
	}
}

/* As others would do it: what is done is the same, and nobody remembers. */
static void apply_foreign(struct world *w, const char *text)
{
	struct config *c = world_config(text);
	struct ledger ours = w->ledger;
	struct step s;
	size_t done;
	int error;

	w->ledger = LEDGER_NULL;
	renumber(w, KVMNETD_PROTO, PROTO_HIDDEN);
	world_look(w);
	step_make(w, c, &s);
	done = world_execute(w, &s.plan, SIZE_MAX, &error);
	if (error)
		fail_of_plan(&s.plan, done, error, "the state to begin with");
	disown(w, &s.plan);
	renumber(w, PROTO_HIDDEN, KVMNETD_PROTO);
	step_done(&s);
	w->ledger = ours;
	config_free(c);
}

static void foreign_key(struct world *w, const char *key, const char *word)
{
	struct link *l = model_find(&w->kernel.links, word);

	if (streq(key, "devices")) {
		bool is_tun = startswith(word, "tun");

		l = fake_device(&w->kernel, word,
				is_tun || startswith(word, "tap") || startswith(word, "vnet") ? "tun" : "");
		l->not_ethernet = is_tun;
		return;
	}
	if (streq(key, "stop")) {
		w->stop = (size_t)atoi(word);
		return;
	}
	if (!l)
		fail_msg("%s = %s: no such link", key, word);
	else if (streq(key, "delete"))
		fake_delete(&w->kernel, l);
	else if (streq(key, "down"))
		fake_flags(&w->kernel, l, false);
	else if (streq(key, "nomaster"))
		fake_leave(&w->kernel, l);
	else if (streq(key, "flush"))
		l->n_addresses = l->n_routes = 0;
	else
		fail_msg("'%s' is no key of [foreign] or [drift]", key);
}

/* "KEY = WORD WORD..." */
static void foreign_line(struct world *w, char *line)
{
	char *rest = NULL, *key = strtok_r(line, " =\n", &rest);

	if (!key || key[0] == '#' || key[0] == '[')
		return;
	for (char *word = strtok_r(NULL, " =\n", &rest); word; word = strtok_r(NULL, " =\n", &rest))
		foreign_key(w, key, word);
}

/* The sections of one sort, without the word that says which. With `bare`, the lines of the bare one are done instead.
 */
static char *sections_of(struct world *w, const char *text, const char *sort, bool bare_ones)
{
	_cleanup_free_ char *bare = xasprintf("[%s]", sort), *prefix = xasprintf("[%s ", sort);
	bool is_in = !*sort, is_bare = false;
	char *result = NULL;
	size_t len;
	FILE *f = xmemstream(&result, &len);

	for (const char *line = text, *next; *line; line = next) {
		_cleanup_free_ char *copy = NULL;
		bool header = *line == '[';

		next = strchrnul(line, '\n');
		next += *next == '\n';
		copy = xcalloc(1, (size_t)(next - line) + 1);
		memcpy(copy, line, (size_t)(next - line));
		if (header) {
			is_bare = *sort && startswith(copy, bare);
			is_in = *sort ? startswith(copy, prefix)
				      : !startswith(copy, "[foreign") && !startswith(copy, "[drift");
		}
		if (is_bare && bare_ones)
			foreign_line(w, copy);
		else if (is_in && header && *sort && !is_bare)
			fprintf(f, "[%s", copy + strlen(prefix));
		else if (is_in && !is_bare)
			fputs(copy, f);
	}
	fclose(f);
	return result;
}

void world_make(struct world *w, const char *text)
{
	_cleanup_free_ char *foreign = NULL, *ours = NULL, *drift = NULL;
	struct config *c;

	*w = (struct world){.dump = xcalloc(1, sizeof(*w->dump)), .stop = SIZE_MAX};
	w->kernel.next_index = 1;
	free(sections_of(w, text, "foreign", true));
	foreign = sections_of(w, text, "foreign", false);
	apply_foreign(w, foreign);
	ours = sections_of(w, text, "", false);
	c = world_config(ours);
	world_apply(w, c, 3);
	config_free(c);
	drift = sections_of(w, text, "drift", false);
	apply_foreign(w, drift);
	free(sections_of(w, text, "drift", true));
}

void world_done(struct world *w)
{
	fake_done(&w->kernel);
	ledger_done(&w->ledger);
	model_done(w->dump);
	free(w->dump);
	*w = (struct world){0};
}
