/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what events of the kernel lead to: a device that was waited for is taken in, drift is put back, and two
 * tools that fight over a value are not a busy loop.
 */
#include <malloc.h>
#include <time.h>

#include "../clock.h"
#include "../log.h"
#include "manager.h"

/* Events come in bunches (a create is a dozen): one look after this long serves them all. */
#define SETTLE_USEC (20 * 1000)

/* More repairs of one link than this within the window: somebody is writing against us. */
#define REPAIRS_MAX 10
#define REPAIR_WINDOW 30 /* seconds */

struct repair_count {
	char link[IFNAMSIZ];
	unsigned n;
	unsigned round; /* of the last one: a plan of many steps is one repair */
	uint64_t since; /* boottime() */
	bool paused;
};

static struct repair_count *repair_count(struct manager *m, const char *link)
{
	for (size_t i = 0; i < m->n_repairs; i++)
		if (streq(m->repairs[i].link, link))
			return &m->repairs[i];
	return NULL;
}

#define PAUSED "paused"

static bool in_window(const struct repair_count *c)
{
	return boottime() - c->since <= REPAIR_WINDOW * 1000000ull;
}

static int pause_over(sd_event_source *s, uint64_t usec, void *userdata);

static void look_after_window(struct manager *m)
{
	uint64_t usec = (REPAIR_WINDOW + 1) * 1000000ull;

	m->pause_timer = sd_event_source_disable_unref(m->pause_timer);
	sd_event_add_time_relative(m->event, &m->pause_timer, CLOCK_MONOTONIC, usec, 1000, pause_over, m);
}

/*
 * Nobody may write again: the last change is still to be put back. What is not written against for a window after that
 * is no problem any more.
 */
static int pause_over(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;
	bool any = false;

	for (size_t i = 0; i < m->n_repairs; i++) {
		struct repair_count *c = &m->repairs[i];

		any |= c->paused || in_window(c);
		if (in_window(c))
			continue;
		if (!c->paused)
			manager_problem_over(m, c->link, PAUSED);
		c->paused = false;
	}
	if (any)
		look_after_window(m);
	manager_schedule_repair(m);
	return 0;
}

static void pause_link(struct manager *m, struct repair_count *c, const char *step)
{
	c->paused = true;
	look_after_window(m);
	manager_problem_of(
		m, c->link, PAUSED,
		"%s was changed by someone else and put back %u times in %d s, last by '%s'; it is left alone for "
		"%d s (find the other tool, or set drift = report)",
		c->link, c->n, REPAIR_WINDOW, step, REPAIR_WINDOW);
}

void manager_count_repair(struct manager *m, const char *link, const char *step)
{
	struct repair_count *c = repair_count(m, link);

	if (!c) {
		c = ARRAY_APPEND(m->repairs, m->n_repairs);
		snprintf(c->link, sizeof(c->link), "%s", link);
		c->since = boottime();
	}
	if (c->round == m->rounds)
		return;
	c->round = m->rounds;
	if (!in_window(c)) {
		c->since = boottime();
		c->n = 0;
		c->paused = false;
	}
	if (++c->n >= REPAIRS_MAX && !c->paused)
		pause_link(m, c, step);
}

bool manager_is_repaired(struct manager *m, const char *link)
{
	const struct repair_count *c = repair_count(m, link);

	return c && in_window(c);
}

static bool is_paused(struct manager *m, const char *link)
{
	const struct repair_count *c = repair_count(m, link);

	return c && c->paused && in_window(c);
}

enum drift_setting manager_drift_of(const struct manager *m, const struct link *want)
{
	uint64_t all = values_num(m->config->daemon, DAEMON_DRIFT, DRIFT_REPAIR);

	return (enum drift_setting)values_num(want->common, LINK_DRIFT, all);
}

void manager_find_fresh(struct manager *m, const struct effective *e)
{
	const struct model *actual = kernel_actual(m->kernel);
	struct names *leases = host_changed_leases(m->host);

	/* What a server gives is not somebody else's change: without it the link has no address. */
	for (size_t i = 0; i < leases->n; i++)
		names_add(&m->fresh, leases->list[i]);
	names_done(leases);
	for (size_t i = 0; i < e->links.n_links; i++)
		if (!e->links.links[i]->waits_for && known_is_new(&m->known, &m->ledger, e, actual, e->links.links[i]))
			names_add(&m->fresh, e->links.links[i]->name);
}

/* Takes links out of a model that is only planned with, and marks those that were as wanted before. */
void manager_filter_drift(struct effective *e, void *userdata)
{
	struct manager *m = userdata;

	e->keep_firewall |= values_num(m->config->daemon, DAEMON_DRIFT, DRIFT_REPAIR) != DRIFT_REPAIR ||
			    is_paused(m, FIREWALL_LINK) || manager_is_held(m, FIREWALL_LINK);
	for (size_t i = 0; i < e->links.n_links; i++) {
		struct link *want = e->links.links[i];
		bool held = is_paused(m, want->name) || manager_is_held(m, want->name);
		bool is_fresh = names_has(&m->fresh, want->name);
		bool is_drift = !is_fresh && manager_drift_of(m, want) != DRIFT_REPAIR;

		want->drifted = !is_fresh && !want->foreign;
		if (want->waits_for || (!held && !is_drift))
			continue;
		want->waits_for = xstrdup(want->name);
		want->as_found = !held && model_find(kernel_actual(m->kernel), want->name);
	}
}

static bool nothing_differs(const struct diff_input *in)
{
	struct diff diff;
	bool same;

	diff_models(in, &diff);
	same = diff.n == 0 && !plan_firewall_differs(in);
	diff_done(&diff);
	return same;
}

/* What was found is not sent again and again when the kernel took it and ignored it. */
static bool is_stubborn(const struct manager *m, const struct diff_input *in)
{
	struct plan plan;
	char id[17];

	if (!m->stubborn[0])
		return false;
	plan_make(in, &plan);
	plan_id(&plan, id);
	plan_done(&plan);
	return streq(id, m->stubborn);
}

static void end_repairs(struct manager *m)
{
	m->dirty = false;
	m->host_told = false;
	names_done(host_changed_leases(m->host));
	manager_set_settled(m);
	/* The last look after a change, or one at everything: what was resolved is free only now. */
	if (m->untidy)
		malloc_trim(0);
	m->untidy = false;
	manager_check_ready(m);
}

static int repair(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;
	struct effective e;
	struct diff_input in;
	bool same, stubborn;

	if (m->transaction) {
		m->dirty = true;
		return 0;
	}
	if (kernel_drain(m->kernel) < 0) {
		manager_schedule_repair(m);
		return 0;
	}
	manager_look(m, &e);
	in = (struct diff_input){
		.effective = &e,
		.actual = kernel_actual(m->kernel),
		.ledger = &m->ledger,
		.firewall = kernel_firewall(m->kernel),
	};
	same = nothing_differs(&in);
	stubborn = !same && is_stubborn(m, &in);
	m->untidy = m->untidy || !e.scope.partial;
	effective_done(&e);
	if (same)
		end_repairs(m);
	else if (!stubborn)
		manager_run(m);
	return 0;
}

void manager_schedule_repair(struct manager *m)
{
	uint64_t at;

	sd_event_now(m->event, CLOCK_MONOTONIC, &at);
	at += SETTLE_USEC;
	if (!m->repair_timer) {
		sd_event_add_time(m->event, &m->repair_timer, CLOCK_MONOTONIC, at, 1000, repair, m);
		return;
	}
	/* Already waiting: the first event's time stands, so that a storm cannot put it off for ever. */
	if (sd_event_source_get_enabled(m->repair_timer, NULL) == 1)
		return;
	sd_event_source_set_time(m->repair_timer, at);
	sd_event_source_set_enabled(m->repair_timer, SD_EVENT_ONESHOT);
}

void manager_kernel_changed(const char *name, bool all, void *userdata)
{
	struct manager *m = userdata;

	if (!m->config)
		return;
	/* Guests come and go without anything of ours changing. */
	if (name)
		attachments_note(&m->attachments, m->config, kernel_actual(m->kernel), name, boottime());
	manager_keep_guests(m);
	if (!name || all)
		manager_unsettle(m);
	else if (!manager_touch(m, name))
		return;
	if (name)
		manager_tell(m, EVENT_LINK, name, "changed");
	if (m->transaction)
		m->dirty = true;
	else
		manager_schedule_repair(m);
}
