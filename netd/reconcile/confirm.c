/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the way back that outlives us. Before an apply sends anything, the journal holds the state to go back to. A
 * start that finds it goes back (the apply was cut short) or goes on waiting (it waits for a confirmation). Undoing is
 * always done from the journal, so that the path after a crash is the path that is used every day.
 */
#include <inttypes.h>
#include <time.h>

#include "../clock.h"
#include "../log.h"
#include "journal.h"
#include "manager.h"
#include "subnets.h"

/* Transaction hook: nothing has been sent yet. */
int manager_journal(const struct effective *before, const struct ledger_past *ledger_before,
		    const struct keepsakes *keepsakes, void *userdata)
{
	struct manager *m = userdata;
	struct journal j = {
		.before = *before,
		.ledger_before = *ledger_before,
		.keepsakes = *keepsakes,
		.generation_before = m->generation,
		.newest = generation_newest(&m->dirs),
		.rollback_to = m->apply.generation,
		.deadline = m->apply.confirm ? boottime() + m->apply.confirm * 1000000ull : 0,
		.armed_by = m->apply.armed_by,
		/* Without a confirmation there is no waiting that a start would have to go on with. */
		.files = m->apply.confirm ? m->candidate_files : (struct config_files){0},
		.plan = m->candidate_plan,
	};
	/* A reboot before it is confirmed, or its probes have answered, does not come up with it. */
	int r = m->apply.confirm || m->guard ? unconfirmed_mark(&m->dirs) : 0;

	m->confirm_deadline = 0;
	if (m->guard) {
		j.probes = guard_counting(m->guard);
		j.probe_timeout = m->guard_timeout;
		j.probe_wait = m->guard_wait;
	}
	if (r == 0)
		r = journal_write(&m->dirs, &j);
	free(j.probes.list);
	return r;
}

int manager_store(struct manager *m)
{
	_cleanup_free_ char *result =
		manager_probes_text(m, m->confirm_deadline && !m->proving ? "confirmed" : "applied");
	bool was_marked = unconfirmed_is_marked(&m->dirs);
	uint32_t before = m->generation, newest = generation_newest(&m->dirs);
	/* The directory holds something else than what is to run; a boot must not bring that back unasked. */
	int r = m->apply.generation ? unconfirmed_mark(&m->dirs) : 0;
	int64_t number = r < 0 ? r : generation_store(&m->dirs, &m->candidate_files, m->candidate_plan, result);

	if (number >= 0) {
		m->generation = (uint32_t)number;
		r = state_save(&m->dirs, &m->ledger, m->generation);
	} else {
		r = (int)number;
	}
	if (r < 0) {
		m->generation = before;
		generations_forget(&m->dirs, newest);
		if (!was_marked && m->apply.generation)
			unconfirmed_clear(&m->dirs);
		return r;
	}
	m->applied_when = (int64_t)time(NULL);
	return 0;
}

/* What a start that finds a journal of a change that was committed does as well. */
static void settle_files(struct manager *m, uint32_t rollback_to)
{
	if (!rollback_to)
		unconfirmed_clear(&m->dirs);
	journal_remove(&m->dirs);
}

void manager_commit(struct manager *m)
{
	subnets_keep(&m->dirs, m->config, NULL);
	settle_files(m, m->apply.generation);
	m->confirm_deadline = 0;
	sd_event_source_set_enabled(m->confirm_timer, SD_EVENT_OFF);
	manager_drop_guard(m);
	config_files_done(&m->candidate_files);
	free(m->candidate_plan);
	m->candidate_plan = NULL;
}

static int deadline_passed(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;
	_cleanup_free_ char *why = xasprintf("the apply by %s was not confirmed in time", m->confirm_by);

	manager_undo(m, why);
	return 0;
}

void manager_wait_for_confirmation(struct manager *m, uint64_t deadline, const char *by)
{
	m->confirm_deadline = deadline;
	snprintf(m->confirm_by, sizeof(m->confirm_by), "%s", by);
	m->confirm_timer = sd_event_source_disable_unref(m->confirm_timer);
	sd_event_add_time(m->event, &m->confirm_timer, CLOCK_BOOTTIME, deadline, 1000, deadline_passed, m);
	if (!m->proving)
		log_notice("waiting for netctl confirm; undone in %" PRIu64 " s otherwise",
			   deadline > boottime() ? (deadline - boottime()) / 1000000 : 0);
}

int manager_confirm(struct manager *m)
{
	int r;

	if (!m->confirm_deadline || m->going_back)
		return -ENOENT;
	if (m->transaction && m->applying)
		return -EBUSY;
	r = manager_store(m);
	if (r < 0) {
		log_error("confirmed, but the configuration could not be stored: %s", strerror(-r));
		return r;
	}
	manager_commit(m);
	log_notice("%s: generation %" PRIu32, m->proving ? "the probes answer" : "confirmed", m->generation);
	manager_tell(m, EVENT_APPLY, NULL, m->proving ? "the probes answer" : "confirmed");
	if (m->proving)
		m->apply.done(&(const struct outcome){.changed = true}, m->apply.userdata);
	m->proving = false;
	if (m->changed)
		m->changed(m, m->userdata);
	return 0;
}

void manager_proved(struct manager *m)
{
	_cleanup_free_ char *why = NULL;
	int r = manager_confirm(m);

	if (r == 0 || r == -ENOENT)
		return;
	why = xasprintf("what was applied could not be stored in %s: %s", m->dirs.state, strerror(-r));
	manager_undo(m, why);
}

/* The journal tells which configuration ran before; what it wanted and the journal does not hold follows from it. */
static void fill_before(struct manager *m, struct journal *j)
{
	struct config_files files = {0};
	struct config *c = NULL;
	int64_t when;

	if (j->generation_before && generation_load(&m->dirs, j->generation_before, &files, &when) == 0)
		c = manager_parse(m, &files);
	if (!c) {
		c = config_new();
		j->before.keep_firewall = j->generation_before != 0;
	}
	manager_before(m, c, &j->before);
	config_free(c);
	config_files_done(&files);
}

static void use_generation_or_nothing(struct manager *m, uint32_t generation)
{
	if (!generation || !manager_use_generation(m, generation))
		manager_use_nothing(m);
}

/*
 * Starts the way back that the journal holds. Without a journal that can be read, the configuration that ran before is
 * brought back like any other: what was there beside it is not.
 */
void manager_start_undo(struct manager *m)
{
	struct journal j = JOURNAL_NULL;
	int r = journal_read(&m->dirs, &j);

	m->going_back = r == 0;
	m->dirty = false;
	if (r == 0) {
		fill_before(m, &j);
		m->transaction = transaction_start_back(m->kernel, &m->ledger, &j.before, &j.ledger_before,
							&j.keepsakes, &manager_hooks, m);
	} else {
		manager_problem(m, NULL, false,
				"the journal could not be read (%s): of the state before, only what is declared is "
				"put back",
				strerror(-r));
		use_generation_or_nothing(m, m->generation);
		manager_unsettle(m);
		manager_tell_undone(m, &(const struct outcome){
					       .error = r, .changed = true, .text = "the journal could not be read"});
		manager_run(m);
	}
	journal_done(&j);
}

void manager_tell_undone(struct manager *m, const struct outcome *o)
{
	void (*undone)(const struct outcome *outcome, void *userdata) = m->undone;
	_cleanup_free_ char *why = TAKE_PTR(m->taken_back);
	struct outcome failed = *o;

	m->undone = NULL;
	failed.error = -EIO;
	failed.text = why;
	if (why)
		m->apply.done(&failed, m->apply.userdata);
	if (undone)
		undone(o, m->undone_userdata);
}

int manager_undo(struct manager *m, const char *why)
{
	if (!m->confirm_deadline || m->going_back)
		return -ENOENT;
	m->confirm_deadline = 0;
	sd_event_source_set_enabled(m->confirm_timer, SD_EVENT_OFF);
	manager_drop_guard(m);
	if (m->proving) {
		free(m->taken_back);
		m->taken_back = xstrdup(why);
	}
	m->proving = false;
	/* A start after a kill must not go on waiting, half way back. */
	journal_set_waiting(&m->dirs, 0);
	undone_note(&m->dirs, why, m->candidate_plan);
	manager_problem(m, NULL, false, "%s; the state before is put back (the files in %s are as they were left)", why,
			m->dirs.config);
	/* A repair that runs is let finish; manager_transaction_done() goes on with the undo. */
	m->going_back = true;
	if (!m->transaction)
		manager_start_undo(m);
	return 0;
}

/* What ran before the change runs again. */
void manager_undone(struct manager *m, const struct outcome *o)
{
	uint32_t generation = 0;
	struct journal j;

	m->going_back = false;
	manager_unsettle(m);
	if (journal_read(&m->dirs, &j) == 0) {
		generation = j.generation_before;
		/* A confirmation that was cut short may have stored what is undone now. */
		generations_forget(&m->dirs, j.newest);
		journal_done(&j);
	}
	for (size_t i = 0; i < o->n_differences; i++)
		manager_problem(m, NULL, false, "not put back: %s", o->differences[i]);
	if (o->restored)
		log_notice("the state before was put back");
	if (o->cut_off)
		manager_problem(m, NULL, false, "cut off, for its bridge was not there before: %s", o->cut_off);
	use_generation_or_nothing(m, generation);
	state_save(&m->dirs, &m->ledger, m->generation);
	journal_remove(&m->dirs);
	config_files_done(&m->candidate_files);
	manager_tell(m, EVENT_APPLY, NULL, "undone");
	manager_tell_undone(m, o);
}

/* The configuration that waits for its confirmation goes on running. */
static bool resume_waiting(struct manager *m, struct journal *j)
{
	struct config *c = manager_parse(m, &j->files);

	if (!c)
		return false;
	manager_set_config(m, c, &j->files, j->generation_before, (int64_t)time(NULL));
	m->candidate_files = j->files;
	j->files = (struct config_files){0};
	manager_wait_for_confirmation(m, j->deadline, j->armed_by ? j->armed_by : "?");
	m->candidate_plan = TAKE_PTR(j->plan);
	m->apply.generation = j->rollback_to;
	manager_resume_probes(m, j);
	return true;
}

/*
 * A start that finds a journal. generation: the one the ledger says is committed. Returns true when the way back was
 * started, or the waiting configuration was resumed; false: there is nothing to recover.
 */
bool manager_recover(struct manager *m, uint32_t generation)
{
	struct journal j;
	bool recovered = false;

	if (journal_read(&m->dirs, &j) < 0)
		return false;
	if (j.generation_before != generation) {
		settle_files(m, j.rollback_to); /* committed */
	} else if (j.waiting && boottime() < j.deadline && resume_waiting(m, &j)) {
		recovered = true;
	} else {
		const char *why = j.waiting ? "an apply was not confirmed in time" : "an apply was cut short";

		undone_note(&m->dirs, why, j.plan);
		manager_problem(m, NULL, false, "%s; the state before is put back", why);
		manager_start_undo(m);
		recovered = true;
	}
	journal_done(&j);
	return recovered;
}

bool manager_may_exit(struct manager *m)
{
	if (!m->confirm_deadline && !m->going_back && !m->applying)
		return true;
	if (m->confirm_deadline)
		manager_undo(m, "kvmnetd is stopped while a confirmation is pending");
	m->exit_when_done = true;
	return !m->transaction;
}
