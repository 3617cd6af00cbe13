/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the kernel refuses at a start or a repair is left out, so that the rest comes up. */
#include "manager.h"

/* Without its driver none of a kind can be made: all that are not there are left out at once. */
static void leave_out_kind(struct manager *m, const struct kind *kind, const char *place, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < m->config->links.n_links; i++) {
		const struct link *declared = m->config->links.links[i];

		if (declared->kind == kind && !model_find(kernel_actual(m->kernel), declared->name))
			n += names_add(&m->left_out, declared->name);
	}
	manager_problem(m, NULL, false, "%s%zu %s%s left out: %s", place, n, kind->name, n == 1 ? " is" : "s are",
			text);
	manager_forget_wanted(m);
}

bool manager_leave_out(struct manager *m, const struct outcome *o)
{
	const char *file = sources_name(&m->config->sources, o->loc);
	_cleanup_free_ char *place = file ? xasprintf("%s:%u: ", file, o->loc.line) : xstrdup("");
	const struct link *declared = o->link ? model_find(&m->config->links, o->link) : NULL;
	_cleanup_free_ char *why = xasprintf("%s%s%s%s", place, o->step ?: "", o->step ? ": " : "", o->text);
	bool is_gone = o->error == -ENODEV && o->link && !model_find(kernel_actual(m->kernel), o->link);

	if (!is_gone && manager_fall_back(m, why))
		return true;
	/* A network without its rules is none, and the rest of the host does not wait for it. */
	if (o->step && startswith(o->step, "firewall:") && !m->no_firewall) {
		manager_problem(m, NULL, false, "%sthe networks are left out: %s: %s", place, o->step, o->text);
		m->no_firewall = true;
		return true;
	}
	/* Gone while it was being configured: from now on it is waited for like any other. */
	if (is_gone)
		return true;
	if (o->no_driver && declared && !names_has(&m->left_out, o->link)) {
		leave_out_kind(m, declared->kind, place, o->text);
		return true;
	}
	if (o->link && o->step && !names_has(&m->left_out, o->link)) {
		manager_problem(m, o->link, true, "%s%s is left out: %s: %s", place, o->link, o->step, o->text);
		return true;
	}
	manager_problem_of(m, o->link, "refused", "%s%s", place, o->text);
	return false;
}
