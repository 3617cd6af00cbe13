/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how an apply ends: it runs and is stored, it runs and waits for its confirmation, or it is taken back. */
#include <malloc.h>
#include <time.h>

#include "../clock.h"
#include "../log.h"
#include "journal.h"
#include "manager.h"
#include "state-file.h"

static void give_up_apply(struct manager *m, const struct outcome *o)
{
	_cleanup_free_ char *why = xasprintf("%s%s%s", o->step ? o->step : "", o->step ? ": " : "", o->text);

	manager_tell(m, EVENT_APPLY, NULL, "failed: %s", why);
	undone_note(&m->dirs, why, m->candidate_plan);
	manager_drop_guard(m);
	config_files_done(&m->candidate_files);
}

/* Probes are lost long before, if they are. */
#define PROVE_USEC (60ull * 1000 * 1000)

/* What is in the kernel now is what runs, until a confirmation or the answer of a probe is missing. */
static void take_over(struct manager *m, bool waits, int64_t when)
{
	uint64_t usec =
		m->apply.confirm ? m->apply.confirm * 1000000ull : m->guard_wait + m->guard_timeout + PROVE_USEC;
	uint64_t deadline = boottime() + usec;

	manager_forget_problems(m);
	runtime_remove(&m->dirs, BOOT_PROBLEM);
	manager_set_config(m, TAKE_PTR(m->candidate), &m->candidate_files, m->generation, when);
	m->proving = waits && !m->apply.confirm;
	if (waits) {
		/* Without a confirmation it is no more than cut short, should we be killed. */
		if (m->apply.confirm)
			journal_set_waiting(&m->dirs, deadline);
		manager_wait_for_confirmation(m, deadline, m->apply.armed_by);
		manager_watch_probes(m);
	} else {
		manager_commit(m);
	}
	manager_tell(m, EVENT_APPLY, NULL, "applied");
}

/* A restart would bring back what ran before; so that is what runs (manager_transaction_done()). */
static void take_back_unstored(struct manager *m, const struct outcome *o, int error)
{
	struct outcome failed = {.error = error};

	free(m->taken_back);
	m->taken_back = xasprintf("what was applied could not be stored in %s: %s", m->dirs.state, strerror(-error));
	failed.text = m->taken_back;
	log_error("%s", m->taken_back);
	give_up_apply(m, &failed);
	if (o->changed)
		m->going_back = true;
	else
		manager_tell_undone(m, &failed);
}

bool manager_finish_apply(struct manager *m, const struct outcome *o)
{
	struct apply_request request = m->apply;
	bool waits = (request.confirm || m->guard) && o->changed;
	bool is_stored = m->candidate == m->config && m->generation && !request.generation && !o->changed;
	int r = o->error || waits || is_stored ? 0 : manager_store(m);

	m->applying = false;
	if (o->error) {
		give_up_apply(m, o);
		journal_remove(&m->dirs);
	} else if (r < 0) {
		take_back_unstored(m, o, r);
	} else {
		take_over(m, waits, is_stored || !waits ? m->applied_when : (int64_t)time(NULL));
	}
	manager_drop_candidate(m);
	if (r >= 0 && !m->proving)
		request.done(o, request.userdata);
	return !o->error && r >= 0;
}

void manager_run_nothing(struct manager *m, const struct effective *e)
{
	const struct outcome nothing = {0};

	manager_forget_parsed(m);
	ledger_adopt(&m->ledger, e, kernel_actual(m->kernel));
	if (manager_finish_apply(m, &nothing)) {
		/* What is allowed of other programs' files may be all that changed. */
		manager_look_at_host(m, m->config);
		manager_note_wanted(m, e);
		manager_set_settled(m);
	} else {
		manager_unsettle(m);
		manager_refresh(m);
	}
	manager_check_ready(m);
	if (m->dirty)
		manager_schedule_repair(m);
	manager_forget_wanted(m);
	malloc_trim(0);
}
