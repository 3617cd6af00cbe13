/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how an apply ends: it runs and is stored, it runs and waits for its confirmation, or it is taken back. */
#include <malloc.h>
#include <time.h>

#include "../clock.h"
#include "../log.h"
#include "journal.h"
#include "manager.h"

static void give_up_apply(struct manager *m, const struct outcome *o)
{
	_cleanup_free_ char *why = xasprintf("%s%s%s", o->step ? o->step : "", o->step ? ": " : "", o->text);

	manager_tell(m, EVENT_APPLY, NULL, "failed: %s", why);
	undone_note(&m->dirs, why, m->candidate_plan);
	manager_drop_guard(m);
	config_files_done(&m->candidate_files);
}

/* What is in the kernel now is what runs, until a confirmation is missing. */
static void take_over(struct manager *m, bool waits, int64_t when)
{
	uint64_t deadline = boottime() + m->apply.confirm * 1000000ull;

	manager_forget_problems(m);
	manager_set_config(m, TAKE_PTR(m->candidate), &m->candidate_files, m->generation, when);
	if (waits) {
		journal_set_waiting(&m->dirs, deadline);
		manager_wait_for_confirmation(m, deadline, m->apply.armed_by);
		manager_watch_probes(m);
	} else {
		manager_commit(m);
	}
	manager_tell(m, EVENT_APPLY, NULL, "applied");
}

/* What could not be stored has been undone: now it can be said how that ended. */
static void answer_unstored(const struct outcome *undone, void *userdata)
{
	struct manager *m = userdata;
	_cleanup_free_ char *text = TAKE_PTR(m->unstored);
	struct outcome o = *undone;

	o.error = -EIO;
	o.text = text;
	m->apply.done(&o, m->apply.userdata);
}

/* A restart would bring back what ran before; so that is what runs (manager_transaction_done()). */
static void take_back_unstored(struct manager *m, const struct outcome *o, int error)
{
	struct outcome failed = {.error = error};

	free(m->unstored);
	m->unstored = xasprintf("what was applied could not be stored in %s: %s", m->dirs.state, strerror(-error));
	failed.text = m->unstored;
	log_error("%s", m->unstored);
	give_up_apply(m, &failed);
	if (o->changed) {
		m->going_back = true;
		m->undone = answer_unstored;
		m->undone_userdata = m;
	} else {
		answer_unstored(&failed, m);
	}
}

bool manager_finish_apply(struct manager *m, const struct outcome *o)
{
	struct apply_request request = m->apply;
	bool waits = request.confirm && o->changed;
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
	if (r >= 0)
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
	malloc_trim(0);
	manager_check_ready(m);
	if (m->dirty)
		manager_schedule_repair(m);
}
