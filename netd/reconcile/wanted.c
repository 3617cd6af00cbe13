/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what has to be looked at. Since the last look that found all as wanted, a few links were touched, or
 * anything may have been (m->settled). What is wanted of the others is not kept: it is resolved again for who asks.
 */
#include "../clock.h"
#include "manager.h"

static bool is_known_otherwise(const struct link *have)
{
	return have && have->altnames;
}

/* Could this link's change matter? Foreign taps come and go by the thousand, and mostly it could not. */
static bool is_relevant(struct manager *m, const char *name)
{
	const struct config *c = m->config;
	const struct link *have = model_find(kernel_actual(m->kernel), name);
	const struct link *master = have ? model_master(kernel_actual(m->kernel), have) : NULL;
	size_t n;

	if (model_find(&c->links, name) || config_mentions(c, name, &n) || ledger_find(&m->ledger, name) ||
	    c->n_matches || is_known_otherwise(have))
		return true;
	/* Networks are about their uplinks, too. */
	if (c->n_networks && model_find(&manager_wanted(m)->links, name))
		return true;
	return master && c->n_ports && model_find(&c->links, master->name);
}

void manager_unsettle(struct manager *m)
{
	m->settled = false;
	names_done(&m->touched);
	manager_forget_wanted(m);
}

void manager_set_settled(struct manager *m)
{
	m->settled = m->ready && !m->n_problems;
	names_done(&m->touched);
}

bool manager_touch(struct manager *m, const char *name)
{
	if (!is_relevant(m, name))
		return false;
	manager_forget_wanted(m);
	if (m->settled)
		names_add(&m->touched, name);
	if (m->touched.n > SCOPE_MAX)
		manager_unsettle(m);
	return true;
}

static void touch_untold(const char *name, void *userdata)
{
	manager_touch(userdata, name);
}

void manager_compare(struct manager *m, const struct config *config)
{
	names_done(&m->changes);
	m->is_comparable = config_changes(m->config, config, &m->changes);
}

void manager_scope(struct manager *m, const struct config *config, struct scope *ret)
{
	const struct names nothing = NAMES_NULL;
	struct scope_input in = {
		.before = m->config,
		.now = config,
		.changed = config == m->config ? &nothing : &m->changes,
		.actual = kernel_actual(m->kernel),
		.touched = &m->touched,
		.missing = &m->missing,
	};

	*ret = SCOPE_NULL;
	if (m->settled && !kernel_untold(m->kernel, touch_untold, m))
		manager_unsettle(m);
	if (m->settled && !m->n_problems && !m->going_back && (config == m->config || m->is_comparable))
		scope_make(&in, ret);
}

const struct effective *manager_wanted(struct manager *m)
{
	if (m->is_stale)
		manager_drop_wanted(m);
	return manager_wanted_lately(m);
}

const struct effective *manager_wanted_lately(struct manager *m)
{
	if (!m->is_resolved)
		manager_resolve(m, m->config, NULL, &m->effective);
	m->is_resolved = true;
	return &m->effective;
}

void manager_drop_wanted(struct manager *m)
{
	effective_done(&m->effective);
	m->is_resolved = m->is_stale = false;
}

void manager_forget_wanted(struct manager *m)
{
	if (m->readers)
		m->is_stale = m->is_resolved;
	else
		manager_drop_wanted(m);
}

void manager_begin_reading(struct manager *m)
{
	m->readers++;
}

void manager_end_reading(struct manager *m)
{
	m->readers--;
	/* A daemon at rest should be small. */
	manager_forget_wanted(m);
}

static void add_missing(const char *name, void *userdata)
{
	names_add(userdata, name);
}

static void note_missing(struct manager *m, const struct effective *e)
{
	for (size_t i = m->missing.n; i-- > 0;)
		if (!e->scope.partial || names_has(&e->scope.links, m->missing.list[i]))
			names_remove(&m->missing, m->missing.list[i]);
	effective_missing(e, add_missing, &m->missing);
}

static void note_attachments(struct manager *m, const struct effective *e)
{
	const struct model *actual = kernel_actual(m->kernel);

	if (!e->scope.partial)
		attachments_update(&m->attachments, m->config, actual, boottime());
	for (size_t i = 0; i < e->scope.links.n; i++)
		attachments_note(&m->attachments, m->config, actual, e->scope.links.list[i], boottime());
	manager_keep_guests(m);
}

static void note_known(struct manager *m, const struct effective *e)
{
	const struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};

	known_note(&m->known, &in);
}

void manager_note_wanted(struct manager *m, const struct effective *e)
{
	note_missing(m, e);
	note_known(m, e);
	note_attachments(m, e);
	claims_update(&m->dirs, &m->claimed, e);
	if (m->changed)
		m->changed(m, m->userdata);
}

void manager_look(struct manager *m, struct effective *ret)
{
	struct scope scope;

	manager_forget_parsed(m);
	manager_look_at_host(m, m->config);
	manager_scope(m, m->config, &scope);
	manager_resolve(m, m->config, &scope, ret);
	scope_done(&scope);
	manager_note_wanted(m, ret);
}

void manager_refresh(struct manager *m)
{
	struct effective e;

	manager_forget_wanted(m);
	manager_look(m, &e);
	if (e.scope.partial || m->is_resolved) {
		effective_done(&e);
		return;
	}
	m->effective = e;
	m->is_resolved = true;
}

void manager_missing(struct manager *m, void (*add)(const char *name, void *userdata), void *userdata)
{
	for (size_t i = 0; i < m->missing.n; i++)
		add(m->missing.list[i], userdata);
}
