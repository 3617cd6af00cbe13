/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: applies are watched by probes (guard.h): which ones, how long a confirmation must at least take, and the way
 * back when one is lost.
 */
#include "../log.h"
#include "../plan/settling.h"
#include "journal.h"
#include "manager.h"

static void add_gateway(const struct probe_target *t, void *userdata)
{
	struct probe_list *list = userdata;

	if (list->n < PROBES_MAX)
		*ARRAY_APPEND(list->list, list->n) = *t;
}

/*
 * Those of the configuration that is to be applied; where there are none, the default gateways if the change is to be
 * confirmed. The caller frees the list.
 */
static struct probe_list configured(const struct manager *m, const struct config *c, bool confirmed)
{
	struct probe_list probes = {0};
	const struct blob *blob;
	struct probe_target t;

	if (!values_has(c->daemon, DAEMON_PROBE)) {
		if (confirmed)
			probe_gateways(kernel_actual(m->kernel), add_gateway, &probes);
		return probes;
	}
	blob = values_at(c->daemon, DAEMON_PROBE).blob;
	for (size_t i = 0; blob && i < blob->len / sizeof(t); i++) {
		memcpy(&t, blob->data + i * sizeof(t), sizeof(t));
		*ARRAY_APPEND(probes.list, probes.n) = t;
	}
	return probes;
}

/* And the connection of who asks, unless this plan ends it, as they were told. path: NULL: it may be lost. */
static struct probe_list probes_of(struct manager *m, const struct config *c, const struct probe_target *path,
				   const struct effective *e, const struct plan *p, bool confirmed)
{
	struct probe_list probes = configured(m, c, confirmed);

	if (path && manager_path_fate(m, path, e, p, NULL, NULL) == PATH_STAYS)
		*ARRAY_APPEND(probes.list, probes.n) = *path;
	return probes;
}

static uint64_t timeout_of(const struct config *c)
{
	return values_num(c->daemon, DAEMON_PROBE_TIMEOUT, PROBE_TIMEOUT_MSEC) * 1000;
}

struct waits {
	void (*add)(const char *text, void *userdata);
	void *userdata;
};

static void add_wait(uint32_t msec, const char *what, void *userdata)
{
	const struct waits *waits = userdata;
	_cleanup_free_ char *text = xasprintf("%.3g s: %s", (double)msec / 1000, what);

	waits->add(text, waits->userdata);
}

unsigned manager_least_confirm(struct manager *m, const struct config *c, const struct probe_target *path,
			       const struct effective *e, const struct plan *p,
			       void (*add)(const char *text, void *userdata), void *userdata)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	struct waits waits = {add, userdata};
	struct probe_list probes = probes_of(m, c, path, e, p, true);
	uint32_t msec = p->n ? plan_settling(&in, p, add_wait, &waits) : 0;

	if (p->n && probes.n) {
		msec += (uint32_t)(timeout_of(c) / 1000);
		add_wait((uint32_t)(timeout_of(c) / 1000), "for the probes to answer", &waits);
	}
	free(probes.list);
	return (msec + 999) / 1000;
}

void manager_drop_guard(struct manager *m)
{
	m->guard = guard_free(m->guard);
	m->asking = false;
}

static void log_probes(const char *what, const struct probe_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		_cleanup_free_ char *text = probe_text(&list->list[i]);

		log_info("%s: %s", what, text);
	}
}

/* The apply begins anew: files and kernel may have moved while we asked. */
static void probes_known(void *userdata)
{
	struct manager *m = userdata;
	struct apply_request request = m->apply;
	struct probe_list counting = guard_counting(m->guard);

	log_probes("it is watched whether this goes on answering", &counting);
	if (!counting.n)
		log_notice("no probe answers before the change: none watches it");
	if (!counting.n && !request.confirm)
		manager_drop_guard(m);
	free(counting.list);
	m->asking = false;
	request.probed = true;
	manager_apply(m, &request);
}

static void probes_answered(void *userdata)
{
	struct manager *m = userdata;

	if (m->proving)
		manager_proved(m);
}

static void probe_lost(const char *why, void *userdata)
{
	manager_undo(userdata, why);
}

static const struct guard_events guard_events = {
	.known = probes_known,
	.answered = probes_answered,
	.lost = probe_lost,
};

bool manager_ask_probes(struct manager *m, const struct apply_request *request, const struct effective *e,
			const struct plan *p)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	/* Forced, and with nothing to come back to, the caller's own connection is given up. */
	const struct probe_target *path = request->confirm || !request->force ? &request->path : NULL;
	struct probe_list probes = probes_of(m, m->candidate, path, e, p, request->confirm);
	bool any = probes.n > 0;

	if (any) {
		m->apply = *request;
		m->asking = true;
		m->guard_timeout = timeout_of(m->candidate);
		m->guard_wait = plan_settling(&in, p, NULL, NULL) * 1000ull;
		m->guard = guard_new(m->kernel, &probes, m->guard_timeout, &guard_events, m);
	}
	free(probes.list);
	return any;
}

char *manager_probes_text(const struct manager *m, const char *word)
{
	struct probe_list probes = m->guard ? guard_counting(m->guard) : (struct probe_list){0};
	char *all = xstrdup(word);

	for (size_t i = 0; i < probes.n; i++) {
		_cleanup_free_ char *text = probe_text(&probes.list[i]), *old = all;

		all = xasprintf("%s%s %s", old, i ? "," : "; answering:", text);
	}
	free(probes.list);
	return all;
}

void manager_watch_probes(struct manager *m)
{
	if (m->guard)
		guard_watch(m->guard, m->guard_wait);
}

void manager_resume_probes(struct manager *m, const struct journal *j)
{
	if (!j->probes.n)
		return;
	m->guard_timeout = j->probe_timeout;
	m->guard_wait = j->probe_wait;
	m->guard = guard_resume(m->kernel, &j->probes, m->guard_timeout, &guard_events, m);
	manager_watch_probes(m);
}
