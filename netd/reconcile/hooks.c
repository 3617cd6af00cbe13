/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what a transaction asks of the manager while it runs, and what the host's other programs tell it. */
#include <inttypes.h>

#include "../log.h"
#include "manager.h"

static void hook_look(void *userdata)
{
	struct manager *m = userdata;

	m->rounds++;
	manager_look_at_host(m, m->applying ? m->candidate : m->config);
}

static void hook_resolve(struct effective *ret, void *userdata)
{
	struct manager *m = userdata;
	const struct config *config = m->applying ? m->candidate : m->config;
	struct scope scope;

	manager_scope(m, config, &scope);
	manager_resolve(m, config, &scope, ret);
	scope_done(&scope);
	claims_update(&m->dirs, &m->claimed, ret);
}

void manager_before(const struct manager *m, const struct config *config, struct effective *before)
{
	/* Of the firewall, which does not go by links. */
	const struct scope nothing = {.partial = true};
	struct effective e;

	manager_resolve(m, config, &nothing, &e);
	firewall_done(&before->firewall);
	before->firewall = e.firewall;
	e.firewall = FIREWALL_NULL;
	effective_done(&e);
}

static void hook_before(struct effective *before, void *userdata)
{
	struct manager *m = userdata;

	manager_before(m, m->config, before);
}

static void hook_filter(struct effective *e, void *userdata)
{
	struct manager *m = userdata;

	if (m->applying)
		return;
	manager_find_fresh(m, e);
	/* Until everything was configured once, nothing is somebody's doing. */
	if (m->ready || m->was_ready)
		manager_filter_drift(e, m);
}

static int hook_save(void *userdata)
{
	struct manager *m = userdata;

	return state_save(&m->dirs, &m->ledger, m->generation);
}

/* What was there when the operator asked, they were shown; what came since, and what later rounds find, they were not.
 */
static bool hook_spare(void *userdata)
{
	struct manager *m = userdata;

	return m->applying && !m->apply.force;
}

/* Between two steps of a start: sends are made of a fraction of a second of work. */
#define START_STEP_USEC (60ull * 1000 * 1000)

static void hook_progress(size_t done, size_t total, void *userdata)
{
	struct manager *m = userdata;

	m->progress_done = done;
	m->progress_total = total;
	if (!m->ready)
		manager_extend_start(START_STEP_USEC);
	if (m->applying && m->apply.progress)
		m->apply.progress(done, total, m->apply.userdata);
}

static void hook_step(const struct op *op, void *userdata)
{
	struct manager *m = userdata;
	bool expected = m->applying || !m->ready;
	_cleanup_free_ char *text = NULL;

	if (expected && !log_is_verbose())
		return;
	text = PRINT_TEXT(op_print, op);
	if (expected) {
		log_debug("%s", text);
		return;
	}
	if (m->going_back) {
		log_notice("undo: %s", text);
		return;
	}
	/* Nobody changed it: a server gives something else. */
	if (m->host_told && values_num(op->link->common, LINK_DHCP, DHCP_NO) != DHCP_NO) {
		log_notice("lease: %s", text);
		manager_tell(m, EVENT_LINK, op->link->name, "lease: %s", text);
		return;
	}
	/* Nor here: it is configured for the first time since it appeared. */
	if (names_has(&m->fresh, op->link->name)) {
		log_notice("taken in: %s", text);
		manager_tell(m, EVENT_LINK, op->link->name, "taken in: %s", text);
		return;
	}
	log_notice("repair: %s", text);
	/* Rules are left alone all together (manager_filter_drift()). */
	manager_count_repair(m, op->type == OP_FIREWALL ? FIREWALL_LINK : op->link->name, text);
	manager_tell(m, EVENT_REPAIR, op->link->name, "%s", text);
}

void manager_host_changed(void *userdata)
{
	struct manager *m = userdata;

	if (!m->config)
		return;
	m->host_told = true;
	manager_unsettle(m);
	if (m->transaction)
		m->dirty = true;
	else
		manager_schedule_repair(m);
}

/* A change that the operator asked for goes back when a program refuses its part; the network does not wait for it. */
int manager_host_write(const struct op *op, uint32_t ifindex, char **why, void *userdata)
{
	struct manager *m = userdata;
	_cleanup_free_ char *cause = xasprintf("rows %" PRIx64, op->common);
	int r = host_write(m->host, op, ifindex, why);

	if (r == 0)
		manager_problem_over(m, op->link->name, cause);
	if (r == 0 || m->applying || m->going_back)
		return r;
	manager_problem_of(m, op->link->name, cause, "%s: %s", op->link->name, *why);
	free(TAKE_PTR(*why));
	return 0;
}

const struct transaction_hooks manager_hooks = {
	.begin = manager_begin,
	.look = hook_look,
	.resolve = hook_resolve,
	.before = hook_before,
	.filter = hook_filter,
	.save = hook_save,
	.journal = manager_journal,
	.spare = hook_spare,
	.progress = hook_progress,
	.step = hook_step,
	.done = manager_transaction_done,
};
