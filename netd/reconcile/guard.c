/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: guard.h. */
#include "guard.h"

#include "../clock.h"
#include "manager.h"

#define INTERVAL_USEC (500ull * 1000)
/* Of one timeout: a probe that was asked less often is not judged, whatever the clock says (a loaded machine). */
#define ASKED_MIN 3

enum phase {
	PHASE_BEFORE, /* who answers? */
	PHASE_CHANGE, /* nobody is asked */
	PHASE_WATCH,
};

struct guarded {
	struct probe *probe;
	struct guard *guard;
	bool counts;
	uint64_t answered; /* in this phase; 0: not yet */
	unsigned asked;	   /* since then */
};

struct guard {
	struct kernel *kernel; /* borrowed */
	const struct guard_events *events;
	void *userdata;
	enum phase phase;
	bool told; /* that all have answered after the change */
	uint64_t since, timeout, wait;
	struct guarded *list;
	size_t n;
	sd_event_source *timer;
};

static bool all_answered(const struct guard *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].counts && !g->list[i].answered)
			return false;
	return true;
}

static void answered(struct probe *p _unused_, void *userdata)
{
	struct guarded *guarded = userdata;
	struct guard *g = guarded->guard;

	guarded->answered = boottime();
	guarded->asked = 0;
	/* It is not told from here: that may free the probe. */
	if (!g->told && all_answered(g))
		sd_event_source_set_time(g->timer, guarded->answered);
}

static void ask(struct guard *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct guarded *guarded = &g->list[i];

		if (!guarded->counts || (g->phase == PHASE_BEFORE && guarded->answered))
			continue;
		guarded->asked++;
		probe_ask(guarded->probe);
	}
}

/* Has everybody had the chance to answer, of who did not? */
static bool all_asked(const struct guard *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].counts && !g->list[i].answered && g->list[i].asked < ASKED_MIN)
			return false;
	return true;
}

static void know(struct guard *g)
{
	for (size_t i = 0; i < g->n; i++)
		g->list[i].counts = g->list[i].answered != 0;
	g->phase = PHASE_CHANGE;
	g->events->known(g->userdata);
}

static const struct guarded *find_lost(const struct guard *g, uint64_t now)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct guarded *guarded = &g->list[i];
		uint64_t until = guarded->answered ? guarded->answered : g->since + g->wait;

		if (guarded->counts && guarded->asked >= ASKED_MIN && now >= until + g->timeout)
			return guarded;
	}
	return NULL;
}

static uint64_t silent_for(const struct guard *g, const struct guarded *guarded, uint64_t now)
{
	return now - (guarded->answered ? guarded->answered : g->since);
}

/* "; silent, too: gateway 2001:db8::1" */
static char *others_text(const struct guard *g, const struct guarded *lost)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < g->n; i++) {
		const struct guarded *other = &g->list[i];
		_cleanup_free_ char *text = NULL, *old = NULL;

		if (other == lost || !other->counts || other->asked < ASKED_MIN)
			continue;
		text = probe_text(probe_target(other->probe));
		old = all;
		all = xasprintf("%s%s %s", old, *old ? "," : "; silent, too:", text);
	}
	return all;
}

static void lose(struct guard *g, const struct guarded *lost, uint64_t now)
{
	_cleanup_free_ char *probe = probe_text(probe_target(lost->probe)), *others = others_text(g, lost);
	_cleanup_free_ char *why =
		xasprintf("the probe \"%s\", which was answered before the change, %s for %.1f s%s", probe,
			  lost->answered ? "has had no answer" : "has not been answered after it",
			  (double)silent_for(g, lost, now) / 1e6, others);

	g->phase = PHASE_CHANGE;
	g->events->lost(why, g->userdata);
}

static int on_tick(sd_event_source *s, uint64_t usec _unused_, void *userdata)
{
	struct guard *g = userdata;
	uint64_t now = boottime();
	const struct guarded *lost = g->phase == PHASE_WATCH ? find_lost(g, now) : NULL;
	bool tell = false;

	if (lost) {
		lose(g, lost, now);
		return 0;
	}
	if (g->phase == PHASE_BEFORE && (all_answered(g) || (now >= g->since + g->timeout && all_asked(g)))) {
		know(g);
		return 0;
	}
	ask(g);
	if (g->phase == PHASE_WATCH && !g->told && all_answered(g))
		tell = g->told = true;
	/* From now on, not from when it was due: answers that have come meanwhile are taken in first. */
	sd_event_source_set_time(s, now + MIN(INTERVAL_USEC, g->timeout / (ASKED_MIN + 1)));
	sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	if (tell)
		g->events->answered(g->userdata);
	return 0;
}

static void start(struct guard *g, enum phase phase)
{
	g->phase = phase;
	g->told = false;
	g->since = boottime();
	g->timer = sd_event_source_disable_unref(g->timer);
	sd_event_add_time(kernel_event(g->kernel), &g->timer, CLOCK_BOOTTIME, g->since, 1000, on_tick, g);
}

struct guard *guard_resume(struct kernel *k, const struct probe_list *list, uint64_t timeout,
			   const struct guard_events *events, void *userdata)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->kernel = k;
	g->events = events;
	g->userdata = userdata;
	g->timeout = timeout;
	g->phase = PHASE_CHANGE;
	g->list = xcalloc(list->n, sizeof(*g->list));
	g->n = list->n;
	for (size_t i = 0; i < list->n; i++)
		g->list[i] = (struct guarded){
			.probe = probe_new(&list->list[i], k, answered, &g->list[i]),
			.guard = g,
			.counts = true,
		};
	return g;
}

struct guard *guard_new(struct kernel *k, const struct probe_list *list, uint64_t timeout,
			const struct guard_events *events, void *userdata)
{
	struct guard *g = guard_resume(k, list, timeout, events, userdata);

	start(g, PHASE_BEFORE);
	return g;
}

struct guard *guard_free(struct guard *g)
{
	if (!g)
		return NULL;
	sd_event_source_disable_unref(g->timer);
	for (size_t i = 0; i < g->n; i++)
		probe_free(g->list[i].probe);
	free(g->list);
	free(g);
	return NULL;
}

/* The change gave the host another gateway instead of this one: that it goes away was asked for. */
static bool is_replaced(const struct guard *g, const struct probe_target *t)
{
	const struct model *actual = kernel_actual(g->kernel);

	return t->kind == PROBE_GATEWAY && !probe_is_gateway(actual, t->family, t->addr) &&
	       probe_is_gateway(actual, t->family, NULL);
}

void guard_watch(struct guard *g, uint64_t wait)
{
	g->wait = wait;
	for (size_t i = 0; i < g->n; i++) {
		struct guarded *guarded = &g->list[i];

		probe_forget(guarded->probe);
		guarded->answered = 0;
		guarded->asked = 0;
		guarded->counts = guarded->counts && !is_replaced(g, probe_target(guarded->probe));
	}
	start(g, PHASE_WATCH);
}

struct probe_list guard_counting(const struct guard *g)
{
	struct probe_list list = {0};

	for (size_t i = 0; i < g->n; i++)
		if (g->list[i].counts)
			*ARRAY_APPEND(list.list, list.n) = *probe_target(g->list[i].probe);
	return list;
}

size_t guard_states(const struct guard *g, struct guard_state **ret)
{
	uint64_t now = boottime();
	struct guard_state *states = NULL;
	size_t n = 0;

	for (size_t i = 0; g->phase == PHASE_WATCH && i < g->n; i++) {
		const struct guarded *guarded = &g->list[i];

		*ARRAY_APPEND(states, n) = (struct guard_state){
			.target = probe_target(guarded->probe),
			.counts = guarded->counts,
			.answers = guarded->answered && now - guarded->answered < 2 * INTERVAL_USEC,
			.silent = (unsigned)(silent_for(g, guarded, now) / 1000000),
		};
	}
	*ret = states;
	return n;
}
