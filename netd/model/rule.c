/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how the kinds' rules say what is wrong with a value. */
#include "rule.h"

void rule_add(struct diags *d, enum severity severity, const char *word, const struct link *link,
	      const struct values *v, unsigned row, const char *format, ...)
{
	_cleanup_free_ char *section =
		streq(word, link->kind->name) ? link_section(link) : xasprintf("%s %s", word, link->name);
	struct loc loc = values_loc(v, row);
	va_list ap;

	va_start(ap, format);
	diag_addv(d, severity, loc.file ? loc : link->loc, section, v->table->rows[row].key, format, ap);
	va_end(ap);
}

char *rule_place(const struct diags *d, struct loc loc)
{
	const char *file = d->sources ? sources_name(d->sources, loc) : NULL;

	return file ? xasprintf(" (%s:%u)", file, loc.line) : xstrdup("");
}

char *rule_ports_place(const struct diags *d, const struct link *l)
{
	return rule_place(d, l->n_ports ? l->ports[0].loc : l->loc);
}

bool rule_has_port(const struct link *l, const char *name)
{
	for (size_t i = 0; i < l->n_ports; i++)
		if (streq(l->ports[i].name, name))
			return true;
	return false;
}
