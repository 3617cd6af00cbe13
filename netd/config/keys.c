/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: which key is what in which section, and what to say about one that is nothing there: a key of another kind
 * of section, a key of another tool, a typo of a key there is. Values of option rows are stored here; keys that are
 * objects (ports, addresses, routes) are network-keys.c's.
 */
#include <ctype.h>

#include "elsewhere.h"
#include "parser.h"
#include "suggest.h"

void parser_error(struct parser *p, struct loc loc, const char *key, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diag_addv(p->diags, SEVERITY_ERROR, loc, p->section.text, key, format, ap);
	va_end(ap);
}

void parser_warning(struct parser *p, struct loc loc, const char *key, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diag_addv(p->diags, SEVERITY_WARNING, loc, p->section.text, key, format, ap);
	va_end(ap);
}

bool parser_count(struct parser *p, enum counted what, struct loc loc, const char *key)
{
	static const struct {
		size_t max;
		const char *name;
	} limits[_COUNTS] = {
		[COUNT_LINKS] = {CONFIG_LINKS_MAX, "links"},
		[COUNT_PORT_NAMES] = {CONFIG_LINKS_MAX, "[port NAME] sections"},
		[COUNT_GLOBS] = {CONFIG_GLOBS_MAX, "[port GLOB] sections"},
		[COUNT_PORTS] = {CONFIG_PORTS_MAX, "ports"},
		[COUNT_ADDRESSES] = {CONFIG_ADDRESSES_MAX, "addresses"},
		[COUNT_ROUTES] = {CONFIG_ROUTES_MAX, "routes"},
		[COUNT_ITEMS] = {CONFIG_NETWORK_ITEMS_MAX, "ranges, hosts, options and forwarded ports of networks"},
	};
	size_t n = ++p->counts[what];

	if (n == limits[what].max + 1)
		parser_error(p, loc, key, "is more than the %zu %s that a configuration can have", limits[what].max,
			     limits[what].name);
	return n <= limits[what].max;
}

static const struct seen_key *find_seen(const struct parser *p, const char *canonical)
{
	for (size_t i = 0; i < p->section.n_seen; i++)
		if (p->section.seen[i].spelling && streq(p->section.seen[i].canonical, canonical))
			return &p->section.seen[i];
	return NULL;
}

bool parser_seen(const struct parser *p, const char *canonical)
{
	for (size_t i = 0; i < p->section.n_seen; i++)
		if (streq(p->section.seen[i].canonical, canonical))
			return true;
	return false;
}

bool parser_first(struct parser *p, struct loc loc, const char *canonical, const char *key, bool repeats)
{
	const struct seen_key *old = find_seen(p, canonical);
	_cleanup_free_ char *place = old ? diag_place(p->diags, old->loc) : NULL;

	if (!old) {
		*ARRAY_APPEND(p->section.seen, p->section.n_seen) =
			(struct seen_key){.canonical = canonical, .spelling = xstrdup(key), .loc = loc};
		return true;
	}
	if (!streq(old->spelling, key)) {
		parser_error(p, loc, key, "is the same option as '%s' at %s: give one of them", old->spelling, place);
		return false;
	}
	if (!repeats)
		parser_error(p, loc, key, "is given a second time (first at %s): it takes one value", place);
	return repeats;
}

static bool is_key(const struct option *o)
{
	return o->flags & OPTION_REFUSED || !(o->flags & (OPTION_STATUS | OPTION_INTERNAL));
}

static int find_row(const struct option_table *t, const char *key)
{
	for (unsigned row = 0; row < t->n; row++) {
		const struct option *o = &t->rows[row];

		if (is_key(o) && (streq(o->key, key) || (o->alias && streq(o->alias, key))))
			return (int)row;
	}
	return -ENOENT;
}

static bool parse_word(struct parser *p, const struct option *o, struct loc loc, const char *key, const char *word,
		       union value *v)
{
	struct suggest near = SUGGEST(word);
	_cleanup_free_ char *why = NULL;

	if (o->type->parse(o, word, v, &why) == 0)
		return true;
	for (unsigned i = 0; o->names && o->names[i]; i++)
		suggest_try(&near, o->names[i]);
	if (near.best)
		parser_error(p, loc, key, "%s (did you mean '%s'?)", why, near.best);
	else if (o->type->is_list && strchr(word, ','))
		parser_error(p, loc, key, "%s (the words of a list are separated by blanks)", why);
	else
		parser_error(p, loc, key, "%s", why ? why : "is not valid");
	return false;
}

/* "100 ms" for "100ms": would it be right without its one blank, which is before a unit? */
static bool is_split(const struct option *o, const char *value)
{
	const char *blank = strchr(value, ' ');
	_cleanup_free_ char *joined = NULL, *why = NULL;
	union value v = {0};

	if (!isdigit((unsigned char)value[0]) || !isalpha((unsigned char)blank[1]) || strchr(blank + 1, ' '))
		return false;
	joined = xasprintf("%.*s%s", (int)(blank - value), value, blank + 1);
	if (o->type->parse(o, joined, &v, &why) < 0)
		return false;
	value_free(o, v);
	return true;
}

static bool set_list(struct parser *p, struct values *v, unsigned row, struct loc loc, const char *key,
		     const char *value)
{
	const struct option *o = &v->table->rows[row];
	struct loc first = values_has(v, row) ? values_loc(v, row) : loc;
	const char *items = o->type->is_line ? "" : " ";
	_cleanup_free_ char *words = xstrdup(value);
	bool any = values_has(v, row), all = true;
	union value list = values_take(v, row); /* the list so far grows in place */
	char *save = NULL;

	for (char *word = strtok_r(words, items, &save); word; word = strtok_r(NULL, items, &save)) {
		if (parse_word(p, o, loc, key, word, &list)) {
			any = true;
			continue;
		}
		diag_set_doubt(p->diags, DOUBT_ITEM);
		all = false;
	}
	if (any)
		values_put(v, row, list, first);
	else
		value_free(o, list);
	return all;
}

/* Parses one value, or the words of a list, into a row. False: something was wrong, and said. */
static bool set_option(struct parser *p, struct values *v, unsigned row, struct loc loc, const char *key,
		       const char *value)
{
	const struct option *o = &v->table->rows[row];
	union value parsed = {0};

	if (o->type->is_list)
		return set_list(p, v, row, loc, key, value);
	if (strchr(value, ' ')) {
		parser_error(p, loc, key, "takes one value, and '%.60s' is several%s", value,
			     is_split(o, value) ? " (write it without the blank)" : "");
		return false;
	}
	if (!parse_word(p, o, loc, key, value, &parsed))
		return false;
	values_put(v, row, parsed, loc);
	return true;
}

/* May this section have the row now? Says why not. */
static bool may_set(struct parser *p, const struct option *o, struct loc loc, const char *key)
{
	if (!(o->flags & OPTION_REFUSED))
		return parser_first(p, loc, o->key, key, o->type->is_list);
	parser_error(p, loc, key, "cannot be declared: %s", o->help);
	return false;
}

/* Takes the key when the table has it. */
static bool take_option(struct parser *p, struct values *v, struct loc loc, const char *key, const char *value)
{
	int row = v ? find_row(v->table, key) : -ENOENT;

	if (row >= 0 && may_set(p, &v->table->rows[row], loc, key))
		set_option(p, v, (unsigned)row, loc, key, value);
	return row >= 0;
}

static bool take_network_key(struct parser *p, const struct network_key *keys, struct loc loc, const char *key,
			     const char *value)
{
	for (const struct network_key *k = keys; k->key; k++) {
		if (!streq(k->key, key) || (k->kinds && !(p->section.link->kind->flags & k->kinds)))
			continue;
		if (parser_first(p, loc, k->key, key, k->repeats))
			k->take(p, loc, key, value);
		return true;
	}
	return false;
}

static bool take_link_key(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct section *s = &p->section;

	return take_network_key(p, network_keys, loc, key, value) || take_option(p, s->link->common, loc, key, value) ||
	       take_option(p, s->link->own, loc, key, value) || take_option(p, s->match, loc, key, value);
}

/* What a network says of itself goes before what it says of its bridge. */
static bool take_guest_key(struct parser *p, struct loc loc, const char *key, const char *value)
{
	return take_network_key(p, guest_keys, loc, key, value) ||
	       take_option(p, p->section.network->own, loc, key, value) || take_link_key(p, loc, key, value);
}

/* A port's kind is not known here: a key is stored for each kind whose ports have it. */
static bool take_port_key(struct parser *p, struct loc loc, const char *key, const char *value)
{
	bool known = false;

	for (size_t i = 0; kinds[i]; i++) {
		struct values *v = p->section.port->values[i];
		int row = v ? find_row(v->table, key) : -ENOENT;

		if (row < 0)
			continue;
		if (!known && !may_set(p, &v->table->rows[row], loc, key))
			return true;
		known = true;
		if (!set_option(p, v, (unsigned)row, loc, key, value))
			return true;
	}
	return known;
}

/* "a key of bond, bridge": the kinds with one of the flags. */
static char *key_of_kinds(uint32_t flags)
{
	char *text = xstrdup("a key of");

	for (size_t i = 0; kinds[i]; i++) {
		char *old = text;

		if (flags && !(kinds[i]->flags & flags))
			continue;
		text = xasprintf("%s%s %s", old, old[strlen(old) - 1] == 'f' ? "" : ",", kinds[i]->name);
		free(old);
	}
	return text;
}

/* For a key that this section has not: which has it, as in "a bridge option". NULL: none. The caller frees it. */
static char *who_has(const char *key)
{
	for (const struct network_key *k = network_keys; k->key; k++)
		if (streq(k->key, key))
			return key_of_kinds(k->kinds);
	for (size_t i = 0; kinds[i]; i++)
		if (find_row(&kinds[i]->own, key) >= 0)
			return xasprintf("a %s option", kinds[i]->name);
	for (size_t i = 0; kinds[i]; i++)
		if (find_row(&kinds[i]->port, key) >= 0)
			return xasprintf("an option of a %s's ports: it goes into [port NAME]", kinds[i]->name);
	if (find_row(&link_options, key) >= 0)
		return key_of_kinds(0);
	if (find_row(&match_options, key) >= 0)
		return xstrdup("a key of ethernet");
	if (find_row(&daemon_options, key) >= 0)
		return xstrdup("a key of [daemon]");
	for (const struct network_key *k = guest_keys; k->key; k++)
		if (streq(k->key, key))
			return xstrdup("a key of [network]");
	if (find_row(&network_options, key) >= 0)
		return xstrdup("a key of [network]");
	return NULL;
}

static void suggest_table(struct suggest *s, const struct option_table *t)
{
	for (unsigned row = 0; row < t->n; row++) {
		if (!is_key(&t->rows[row]) || t->rows[row].flags & OPTION_REFUSED)
			continue;
		suggest_try(s, t->rows[row].key);
		suggest_try(s, t->rows[row].alias);
	}
}

static void suggest_link_keys(struct suggest *s, const struct section *section)
{
	const struct kind *kind = section->link->kind;

	for (const struct network_key *k = network_keys; k->key; k++)
		if (!k->kinds || kind->flags & k->kinds)
			suggest_try(s, k->key);
	suggest_table(s, &link_options);
	suggest_table(s, &kind->own);
	if (section->match)
		suggest_table(s, &match_options);
	for (const struct network_key *k = guest_keys; section->network && k->key; k++)
		suggest_try(s, k->key);
	if (section->network)
		suggest_table(s, &network_options);
}

/* The nearest key of the section. */
static const char *suggest_near(const struct parser *p, const char *word)
{
	struct suggest near = SUGGEST(word);

	if (p->section.link)
		suggest_link_keys(&near, &p->section);
	if (p->section.type == SECTION_DAEMON)
		suggest_table(&near, &daemon_options);
	for (size_t i = 0; p->section.type == SECTION_PORT && kinds[i]; i++)
		suggest_table(&near, &kinds[i]->port);
	return near.best;
}

static const char *suggest_key(const struct parser *p, const char *key)
{
	const char *near = suggest_near(p, key);

	if (near || p->section.type == SECTION_DAEMON)
		return near;
	return suggest_near(p, elsewhere_ours(key));
}

static void unknown_key(struct parser *p, struct loc loc, const char *key)
{
	_cleanup_free_ char *owner = NULL;
	const char *near;

	if (elsewhere_advice(key)) {
		parser_error(p, loc, key, "there is no such key here: %s", elsewhere_advice(key));
		return;
	}
	owner = who_has(key);
	if (owner) {
		parser_error(p, loc, key, "'%s' is %s", key, owner);
		return;
	}
	near = suggest_key(p, key);
	if (!near) {
		parser_error(p, loc, key, "there is no such key here");
		return;
	}
	parser_error(p, loc, key, "there is no such key here (did you mean '%s'?)", near);
	diag_set_meant(p->diags, near);
	if (!parser_seen(p, near))
		*ARRAY_APPEND(p->section.seen, p->section.n_seen) = (struct seen_key){.canonical = near, .loc = loc};
}

void parser_key(void *userdata, struct loc loc, const char *key, const char *value)
{
	struct parser *p = userdata;
	bool taken = true;

	switch (p->section.type) {
	case SECTION_NONE:
		break;
	case SECTION_LINK:
		taken = take_link_key(p, loc, key, value);
		break;
	case SECTION_NETWORK:
		taken = take_guest_key(p, loc, key, value);
		break;
	case SECTION_PORT:
		taken = take_port_key(p, loc, key, value);
		break;
	case SECTION_DAEMON:
		taken = take_option(p, p->section.daemon, loc, key, value);
		break;
	}
	if (!taken)
		unknown_key(p, loc, key);
}
