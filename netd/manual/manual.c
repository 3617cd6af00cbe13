/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: makes kvmnetd.ini(5): copies the page from standard input and puts the option rows themselves where it says
 * ".OPTIONS TABLE", so that the manual cannot differ from the program. Run by the build only. Fails when a table or
 * a kind is not in the page, so that a new one is not forgotten there.
 */
#include <ctype.h>

#include "../config/parser.h"

struct table {
	const char *kind;   /* first word after .OPTIONS */
	const char *suffix; /* " port" for the rows of its ports, else "" */
	const struct option_table *options;
	const struct option_table *own; /* the rows of the kind itself, one of which may be "mode" */
	bool printed;
};

struct tables {
	struct table *list;
	size_t n;
	uint64_t described; /* kinds that have a section, by their place in kinds[] */
};

static bool is_key(const struct option *o)
{
	return !(o->flags & (OPTION_STATUS | OPTION_INTERNAL | OPTION_REFUSED));
}

static void add_table(struct tables *t, const char *kind, const char *suffix, const struct option_table *options,
		      const struct option_table *own)
{
	struct table *table;

	if (options->n == 0)
		return;
	table = ARRAY_APPEND(t->list, t->n);
	*table = (struct table){.kind = kind, .suffix = suffix, .options = options, .own = own};
}

static void add_tables(struct tables *t)
{
	add_table(t, "link", "", &link_options, &link_options);
	for (size_t i = 0; kinds[i]; i++) {
		add_table(t, kinds[i]->name, "", &kinds[i]->own, &kinds[i]->own);
		add_table(t, kinds[i]->name, " port", &kinds[i]->port, &kinds[i]->own);
	}
	add_table(t, "match", "", &match_options, &match_options);
	add_table(t, "network", "", &network_options, &network_options);
	add_table(t, "daemon", "", &daemon_options, &daemon_options);
}

/* Text as roff shows it unchanged: a minus stays a minus. No text of a row begins with a point or an apostrophe. */
static void print_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

/* A help text as a sentence: rows write it with and without the capital and the point. "no: ..." begins with a value.
 */
static void print_help(const char *text)
{
	bool is_value = text[strcspn(text, " :")] == ':';
	size_t len = strlen(text);

	putchar(is_value ? *text : toupper((unsigned char)*text));
	print_text(text + 1);
	puts(text[len - 1] == '.' ? "" : ".");
}

static void print_sentence(const char *label, const char *text)
{
	printf("\\fI%s:\\fR ", label);
	print_text(text);
	puts(".\n.br");
}

/* The names of the modes in the mask: those of the row "mode" of the kind. */
static void print_modes(const struct option_table *own, uint16_t modes)
{
	const char *const *names = own->rows[option_row(own, "mode")].names;
	const char *separator = "\\fIModes:\\fR ";

	for (unsigned mode = 0; names[mode]; mode++) {
		if (!(modes >> mode & 1))
			continue;
		fputs(separator, stdout);
		print_text(names[mode]);
		separator = ", ";
	}
	puts(".\n.br");
}

static const char *change_text(enum change change)
{
	switch (change) {
	case CHANGE_LIVE:
		return NULL;
	case CHANGE_DOWN:
		return "the link goes down and up";
	case CHANGE_NO_PORTS:
		return "its ports leave and rejoin";
	case CHANGE_DOWN_NO_PORTS:
		return "the link goes down, its ports leave and rejoin, and it comes up";
	case CHANGE_RECREATE:
		return "the link is deleted and created anew";
	}
	return NULL;
}

static void print_initial(const struct option *o)
{
	_cleanup_free_ char *text = NULL;

	if (o->type->is_blob || o->place == PLACE_CONFIG || o->flags & OPTION_REQUIRED || o->type == &type_mac)
		return;
	text = value_text(o, (union value){.num = (uint64_t)o->initial});
	print_sentence("Kernel's default", text);
}

static void print_option(const struct option *o, const struct option_table *own)
{
	_cleanup_free_ char *allowed = option_allowed(o);

	fputs(".TP\n\\fB", stdout);
	print_text(o->key);
	fputs("\\fR = ", stdout);
	print_text(allowed);
	puts(o->type->is_list ? " ..." : "");
	print_help(o->help);
	puts(".br");
	if (o->flags & OPTION_REQUIRED)
		puts("The section is an error without it.\n.br");
	if (o->alias)
		print_sentence("Also written", o->alias);
	if (o->needs)
		print_sentence("Condition", o->needs);
	if (o->modes)
		print_modes(own, o->modes);
	print_initial(o);
	if (change_text(o->change))
		print_sentence("When changed", change_text(o->change));
}

static void print_table(const struct option_table *table, const struct option_table *own)
{
	for (unsigned row = 0; row < table->n; row++)
		if (is_key(&table->rows[row]))
			print_option(&table->rows[row], own);
	for (unsigned row = 0; row < table->n; row++) {
		const struct option *o = &table->rows[row];

		if (!(o->flags & OPTION_REFUSED))
			continue;
		fputs(".TP\n\\fB", stdout);
		print_text(o->key);
		fputs("\\fR\nCannot be declared: it ", stdout);
		print_text(o->help);
		puts(".");
	}
}

/* name: what stands after ".OPTIONS ". Returns false when there is no such table, or it was there already. */
static bool print_named(struct tables *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		struct table *table = &t->list[i];
		size_t len = strlen(table->kind);

		if (table->printed || !startswith(name, table->kind) || !streq(name + len, table->suffix))
			continue;
		table->printed = true;
		print_table(table->options, table->own);
		return true;
	}
	return false;
}

static void note_section(struct tables *t, const char *line)
{
	for (size_t i = 0; kinds[i]; i++) {
		_cleanup_free_ char *heading = xasprintf(".SH [%s NAME]", kinds[i]->name);

		if (streq(line, heading))
			t->described |= 1ull << i;
	}
}

/* Is every kind and every table in the page? Says which are not. */
static bool is_complete(const struct tables *t)
{
	bool complete = true;

	for (size_t i = 0; kinds[i]; i++) {
		if (t->described >> i & 1)
			continue;
		fprintf(stderr, "manual: the page has no \".SH [%s NAME]\"\n", kinds[i]->name);
		complete = false;
	}
	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].printed)
			continue;
		fprintf(stderr, "manual: the page has no \".OPTIONS %s%s\"\n", t->list[i].kind, t->list[i].suffix);
		complete = false;
	}
	return complete;
}

int main(void)
{
	static const char directive[] = ".OPTIONS ";
	_cleanup_free_ char *line = NULL;
	struct tables t = {0};
	size_t size = 0;
	int status = EXIT_SUCCESS;

	add_tables(&t);
	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		note_section(&t, line);
		if (!startswith(line, directive)) {
			puts(line);
		} else if (!print_named(&t, line + strlen(directive))) {
			fprintf(stderr, "manual: %s: no such table, or twice\n", line);
			status = EXIT_FAILURE;
		}
	}
	if (!is_complete(&t))
		status = EXIT_FAILURE;
	free(t.list);
	return status;
}
