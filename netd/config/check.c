/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: runs the rules between objects on a parsed configuration: each kind's own, those of port sections and match
 * keys (here), of the stack (check-stack.c) and of addresses and routes (check-address.c). Every error names both
 * places. Nothing is changed.
 */
#include <ctype.h>

#include "check.h"
#include "parser.h"

int loc_compare(struct loc a, struct loc b)
{
	if (a.file != b.file)
		return a.file < b.file ? -1 : 1;
	return a.line < b.line ? -1 : a.line > b.line;
}

void check_error(struct diags *d, const struct link *l, struct loc loc, const char *key, const char *format, ...)
{
	_cleanup_free_ char *section = link_section(l);
	va_list ap;

	va_start(ap, format);
	diag_addv(d, SEVERITY_ERROR, loc, section, key, format, ap);
	va_end(ap);
}

void check_warning(struct diags *d, const struct link *l, struct loc loc, const char *key, const char *format, ...)
{
	_cleanup_free_ char *section = link_section(l);
	va_list ap;

	va_start(ap, format);
	diag_addv(d, SEVERITY_WARNING, loc, section, key, format, ap);
	va_end(ap);
}

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : loc_compare(x->loc, y->loc);
}

static struct claims claims_new(const struct config *c)
{
	struct claims claims = {0};

	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *master = c->links.links[i];

		for (size_t j = 0; j < master->n_ports; j++)
			*ARRAY_APPEND(claims.list, claims.n) = (struct claim){
				.name = master->ports[j].name,
				.master = master,
				.port = model_find(&c->links, master->ports[j].name),
				.loc = master->ports[j].loc,
			};
	}
	if (claims.n)
		qsort(claims.list, claims.n, sizeof(*claims.list), claim_compare);
	return claims;
}

static const char *claimed_name(const void *element)
{
	return ((const struct claim *)element)->name;
}

const struct claim *claims_find(const struct claims *c, const char *name)
{
	size_t low = name_place(c->list, c->n, sizeof(*c->list), claimed_name, name);

	return low < c->n && streq(c->list[low].name, name) ? &c->list[low] : NULL;
}

/* A port section by name whose keys are of another kind of master than the one the port has. */
static void check_port_kind(const struct port_section *s, const struct claim *claim, struct diags *d)
{
	_cleanup_free_ char *section = xasprintf("port %s", s->pattern);
	_cleanup_free_ char *place = diag_place(d, claim->loc);
	const struct kind *master = claim->master->kind;

	for (size_t i = 0; kinds[i]; i++) {
		const struct values *v = kinds[i] == master ? NULL : s->values[i];

		for (unsigned row = 0; v && row < v->table->n; row++) {
			const char *key = v->table->rows[row].key;

			if (!values_has(v, row) || option_find(&master->port, key) >= 0)
				continue;
			diag_add(d, SEVERITY_ERROR, values_loc(v, row), section, key,
				 "is an option of a %s's ports, and '%s' is a port of %s '%s' (%s)", kinds[i]->name,
				 s->pattern, master->name, claim->master->name, place);
		}
	}
}

static void report_same_section(const struct port_section *s, const struct port_section *first, struct diags *d)
{
	_cleanup_free_ char *section = xasprintf("port %s", s->pattern);
	_cleanup_free_ char *place = diag_place(d, first->loc);

	diag_add(d, SEVERITY_ERROR, s->loc, section, NULL, "the same section is at %s", place);
}

static void check_same_sections(const struct config *c, struct diags *d)
{
	for (size_t i = 1; i < c->n_port_names; i++)
		if (streq(c->port_names[i]->pattern, c->port_names[i - 1]->pattern))
			report_same_section(c->port_names[i], c->port_names[i - 1], d);
	for (size_t i = 1; i < c->n_port_globs; i++)
		for (size_t j = 0; j < i; j++)
			if (streq(c->port_globs[i]->pattern, c->port_globs[j]->pattern)) {
				report_same_section(c->port_globs[i], c->port_globs[j], d);
				break;
			}
}

/* The port as its master's kind wants to see it: with the values of the sections that match it. The caller frees it. */
static struct link *port_new(const struct config *c, const struct claim *claim)
{
	struct link *port = claim->port ? link_copy(claim->port) : link_new(claim->name, &kind_ethernet);

	if (!claim->port)
		port->loc = claim->loc;
	port->port = values_free(port->port);
	port->port = config_port_values(c, claim->name, claim->master->kind);
	return port;
}

/* The kinds' rules of ports; they may look at the port's siblings. */
static void check_port_rules(const struct config *c, const struct claims *claims, struct diags *d)
{
	struct model ports = MODEL_NULL;

	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];

		/* Once a name; a longer one than a link can have is an altname, and has no sibling that knows it. */
		if (claims_find(claims, claim->name) == claim && strlen(claim->name) < IFNAMSIZ)
			model_add(&ports, port_new(c, claim));
	}
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];
		const struct link *port = model_find(&ports, claim->name);

		if (claims_find(claims, claim->name) == claim && port && claim->master->kind->check_port)
			claim->master->kind->check_port(&ports, claim->master, port, d);
	}
	model_done(&ports);
}

static void check_ports(const struct config *c, const struct claims *claims, struct diags *d)
{
	for (size_t i = 0; i < c->n_port_names; i++) {
		const struct claim *claim = claims_find(claims, c->port_names[i]->pattern);

		if (claim)
			check_port_kind(c->port_names[i], claim, d);
	}
	check_port_rules(c, claims, d);
}

static int string_compare(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

/* Two sections that can only find the same device compare equal: the address alone decides, when there is one. */
static int match_compare_device(const struct match *a, const struct match *b)
{
	int r;

	if (a->mac != b->mac)
		return a->mac < b->mac ? -1 : 1;
	if (a->mac)
		return 0;
	r = string_compare(a->path, b->path);
	return r ? r : string_compare(a->driver, b->driver);
}

static int match_compare(const void *a, const void *b)
{
	const struct match *x = *(const struct match *const *)a, *y = *(const struct match *const *)b;
	int r = match_compare_device(x, y);

	return r ? r : loc_compare(x->loc, y->loc);
}

static void check_matches(const struct config *c, struct diags *d)
{
	_cleanup_free_ const struct match **sorted = xcalloc(c->n_matches, sizeof(*sorted));

	for (size_t i = 0; i < c->n_matches; i++)
		sorted[i] = &c->matches[i];
	qsort(sorted, c->n_matches, sizeof(*sorted), match_compare);
	for (size_t i = 1; i < c->n_matches; i++) {
		const struct match *m = sorted[i], *other = sorted[i - 1];
		_cleanup_free_ char *section = NULL, *place = NULL;

		if (match_compare_device(m, other) != 0)
			continue;
		section = xasprintf("ethernet %s", m->label);
		place = diag_place(d, other->loc);
		diag_add(d, SEVERITY_ERROR, m->loc, section, NULL, "matches the same device as [ethernet %s] (%s)",
			 other->label, place);
	}
}

static void check_kinds(const struct config *c, struct diags *d)
{
	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *l = c->links.links[i];

		if (l->kind->check)
			l->kind->check(&c->links, l, d);
		if (!(l->kind->flags & KIND_HAS_PORTS) && values_num(l->common, LINK_MAC, 0) == MAC_INHERIT)
			check_error(d, l, values_loc(l->common, LINK_MAC), "mac",
				    "'inherit' is from the first port, and %s links have none", l->kind->name);
		if (!(l->kind->flags & KIND_VIRTUAL) && values_num(l->common, LINK_ADOPT, 0))
			check_error(d, l, values_loc(l->common, LINK_ADOPT), "adopt",
				    "is for links that can be deleted, and a NIC cannot");
	}
}

/* In a key, or in the name of a file that a message mentions. */
static bool word_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-./", c));
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len)
		if ((p == text || !word_char(p[-1])) && !word_char(p[len]))
			return true;
	return false;
}

static bool concerns(const struct diag *found, const char *key, enum doubt doubt)
{
	if (!key || doubt == DOUBT_NOTHING)
		return false;
	return has_word(found->text, key) || (doubt == DOUBT_KEY && found->key && streq(found->key, key));
}

/*
 * A rule that speaks of a key whose value did not parse judges by a value that is not there ("needs miimon", of a
 * mistyped miimon). The first n messages are the parser's.
 */
static bool is_consequence(const struct diags *d, size_t n, const struct diag *found)
{
	for (size_t i = 0; i < n && found->section; i++) {
		const struct diag *cause = &d->list[i];

		if (cause->severity != SEVERITY_ERROR || !cause->key || !cause->section ||
		    !streq(cause->section, found->section))
			continue;
		if (concerns(found, cause->key, cause->doubt) || concerns(found, cause->meant, cause->doubt))
			return true;
	}
	return false;
}

void config_check(const struct config *c, struct diags *d)
{
	struct diags found = {.sources = d->sources};
	struct claims claims = claims_new(c);
	size_t n = d->n;

	check_kinds(c, &found);
	check_same_sections(c, &found);
	check_ports(c, &claims, &found);
	check_matches(c, &found);
	check_stack(c, &claims, &found);
	check_addresses(c, &claims, &found);
	check_networks(c, &found);
	for (size_t i = 0; i < found.n; i++)
		if (!is_consequence(d, n, &found.list[i]))
			diag_move(d, &found.list[i]);
	diags_done(&found);
	free(claims.list);
}
