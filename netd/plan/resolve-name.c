/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the kernel's names for what the configuration calls by label, altname or match_ keys. */
#include <fnmatch.h>

#include "resolve-link.h"

static bool is_hardware(const struct link *l)
{
	return l->kind == &kind_ethernet && l->info_kind[0] == '\0';
}

static bool match_fits(const struct match *m, const struct link *have)
{
	if (!is_hardware(have) || streq(have->name, "lo"))
		return false;
	if (m->mac && m->mac != (have->has_perm_mac ? have->perm_mac : values_num(have->common, LINK_MAC, 0)))
		return false;
	if (m->path && (!have->parent_dev || fnmatch(m->path, have->parent_dev, 0) != 0))
		return false;
	if (m->driver && (!have->driver || fnmatch(m->driver, have->driver, 0) != 0))
		return false;
	return true;
}

static const struct match *match_of(const struct config *c, const char *label)
{
	for (size_t i = 0; i < c->n_matches; i++)
		if (streq(c->matches[i].label, label))
			return &c->matches[i];
	return NULL;
}

/* The one device that a match section means; NULL when it is absent or not the only one. */
static const struct link *match_find(const struct resolve_input *in, const struct match *m, struct diags *problems)
{
	const struct link *found = NULL;

	for (size_t i = 0; i < in->actual->n_links; i++) {
		const struct link *have = in->actual->links[i];

		if (!match_fits(m, have))
			continue;
		if (found) {
			if (problems)
				diag_add(problems, SEVERITY_ERROR, m->loc, m->label, NULL,
					 "the match_ keys fit both %s and %s (they must fit one device)", found->name,
					 have->name);
			return NULL;
		}
		found = have;
	}
	return found;
}

/*
 * The kernel name for a name of the configuration: itself for links that kvmnetd makes, the matching device for a label
 * with match_ keys, the device of that name or altname otherwise; the label again when there is no such device.
 */
const char *resolve_name(const struct resolve_input *in, const char *label, struct diags *problems)
{
	const struct link *declared = model_find(&in->config->links, label);
	const struct match *m = match_of(in->config, label);
	const struct link *have;

	if (declared && (declared->kind->flags & KIND_VIRTUAL))
		return label;
	have = m ? match_find(in, m, problems) : model_find_any(in->actual, label);
	return have ? have->name : label;
}

void resolve_names(const struct resolve_input *in, struct values *v)
{
	for (unsigned row = 0; v && row < v->table->n; row++) {
		const struct blob *label = values_has(v, row) ? values_at(v, row).blob : NULL;
		const char *name;

		if (v->table->rows[row].type != &type_ifname || !label)
			continue;
		name = resolve_name(in, (const char *)label->data, NULL);
		values_put(v, row, (union value){.blob = blob_new(name, strlen(name) + 1)}, values_loc(v, row));
	}
}
