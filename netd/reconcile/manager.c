/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: manager.h: the loop itself. Starting is boot.c, drift is repair.c, the operator's changes are apply.c. */
#include "manager.h"

#include <inttypes.h>
#include <malloc.h>

#include "../clock.h"
#include "../log.h"
#include "../model/overlap.h"
#include "journal.h"
#include "subnets.h"

void manager_tell(struct manager *m, enum manager_event event, const char *link, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	if (m->listener)
		m->listener(event, link, text, m->userdata);
}

/*
 * At a boot udev may still be about to rename a NIC, which it could not any more once the NIC is up
 * (dev_change_name()); it has finished with a device when it has written its data file. After boot_wait the NIC is
 * taken as it is.
 */
static bool udev_is_at_it(const struct manager *m, const char *name)
{
	const struct link *have = model_find(kernel_actual(m->kernel), name);
	char path[64];

	if (m->ready || !have || !have->parent_dev || access("/run/udev/control", F_OK) < 0)
		return false;
	snprintf(path, sizeof(path), "/run/udev/data/n%u", have->ifindex);
	return access(path, F_OK) < 0;
}

static bool left_out(const char *name, void *userdata)
{
	const struct manager *m = userdata;

	if (udev_is_at_it(m, name))
		return true;
	if (m->no_firewall && !m->applying && !m->previewing) {
		const struct link *declared = model_find(&m->config->links, name);

		if (declared && declared->network[0])
			return true;
	}
	/* An apply tries again what was left out. */
	return !m->applying && !m->previewing && names_has(&m->left_out, name);
}

static void add_subnets(struct overlaps *to, const struct config *c)
{
	for (size_t i = 0; c && i < c->n_networks; i++) {
		const struct link *l = model_find(&c->links, c->networks[i]->bridge);

		for (size_t n = 0; n < l->n_addresses; n++)
			overlaps_add(to, &l->addresses[n], l->name);
	}
}

/* Of what is asked about, and of what runs and is about to: routes that come are compared with them. */
static const struct overlaps *watch_subnets(const struct manager *m, const struct config *config)
{
	struct overlaps subnets = {0};

	add_subnets(&subnets, config);
	add_subnets(&subnets, m->config);
	add_subnets(&subnets, m->candidate);
	kernel_watch_subnets(m->kernel, &subnets);
	return kernel_overlaps(m->kernel);
}

void manager_resolve(const struct manager *m, const struct config *config, const struct scope *scope,
		     struct effective *ret)
{
	struct resolve_input in = {
		.config = config,
		.actual = kernel_actual(m->kernel),
		.ledger = &m->ledger,
		.attachments = &m->attachments,
		.leases = host_leases(m->host),
		.guest_zone = host_guest_zone(m->host),
		.libvirt = config->n_networks ? host_libvirt(m->host) : NULL,
		.scope = scope && scope->partial ? scope : NULL,
		.asked = m->applying || m->previewing,
		.left_out = m->n_problems || !m->ready ? left_out : NULL,
		.userdata = (void *)(uintptr_t)m,
	};

	memcpy(in.machine_id, m->machine_id, sizeof(in.machine_id));
	if (config->n_networks) {
		kernel_follow_firewall(m->kernel);
		kernel_follow_all_links(m->kernel);
	} else if (ledger_find(&m->ledger, LINK_ALL)) {
		kernel_follow_all_links(m->kernel);
	}
	in.foreign = kernel_foreign(m->kernel);
	in.legacy = kernel_legacy(m->kernel);
	in.overlaps = watch_subnets(m, config);
	resolve(&in, ret);
	ret->keep_firewall = m->no_firewall && !m->applying && !m->previewing;
}

/* Does anything in the configuration, or what it said before, concern other programs of the host? */
static bool wants_host(const struct config *c)
{
	/* firewalld's zones: whether it runs, only the bus tells. */
	if (c->n_networks &&
	    values_num(c->daemon, DAEMON_FOREIGN_FIREWALL, FOREIGN_FIREWALL_ASSIST) == FOREIGN_FIREWALL_ASSIST)
		return true;
	return c->concerns_host;
}

static bool allows_file(const struct config *c)
{
	return c && values_num(c->daemon, DAEMON_RESOLV_CONF, 0);
}

void manager_look_at_host(const struct manager *m, const struct config *config)
{
	bool wanted = m->concerned_host || (config && wants_host(config)) || (m->config && wants_host(m->config));

	/* Who asks what would be changes nothing: not what the running configuration allows either. */
	host_allow_file(m->host, allows_file(config) || (m->previewing && allows_file(m->config)));
	host_show(m->host, kernel_host_rows(m->kernel), wanted);
	host_show_dnsmasq(m->host, kernel_host_rows(m->kernel),
			  (config && config->n_networks) || (m->config && m->config->n_networks));
	host_show_iptables(m->host, kernel_host_rows(m->kernel), kernel_foreign(m->kernel), kernel_legacy(m->kernel));
}

void manager_set_config(struct manager *m, struct config *config, const struct config_files *files, uint32_t generation,
			int64_t when)
{
	manager_drop_wanted(m);
	config_free(m->config);
	m->config = config;
	m->generation = generation;
	m->applied_when = when;
	config_files_digest(files, m->digest);
}

struct config *manager_config_of(struct manager *m, const struct config_files *files, bool again, struct diags *d)
{
	struct config *c;
	char digest[17];

	config_files_digest(files, digest);
	if (m->config->spotless && streq(digest, m->digest)) {
		c = config_use(m->config);
	} else if (m->parsed && config_files_equal(files, &m->parsed_files)) {
		c = config_use(m->parsed);
	} else {
		c = config_parse(files, d);
		subnets_settle(&m->dirs, c, m->kernel, host_libvirt(m->host), d);
		manager_forget_parsed(m);
		if (c->spotless && again) {
			m->parsed = config_use(c);
			m->parsed_files = config_files_copy(files);
		}
	}
	d->sources = &c->sources;
	return c;
}

void manager_forget_parsed(struct manager *m)
{
	m->parsed = config_free(m->parsed);
	config_files_done(&m->parsed_files);
}

void manager_drop_candidate(struct manager *m)
{
	m->candidate = config_free(m->candidate);
}

/* Sysctls have no event: of links with wanted ones, what someone wrote there shows only when they are read again. */
static bool doubt_sysctls(struct manager *m, const struct effective *e)
{
	bool any = false;

	for (size_t i = 0; i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i];

		for (unsigned row = 0; row < link_options.n; row++) {
			if (!values_has(want->common, row) || !place_is_sysctl(link_options.rows[row].place))
				continue;
			kernel_doubt(m->kernel, want->name);
			any = true;
		}
	}
	return any;
}

static void make_plan(struct manager *m, const struct config *config, struct effective *e, struct plan *p)
{
	struct scope scope = SCOPE_NULL;
	struct diff_input in;

	kernel_drain(m->kernel);
	/* Who applies the same files again wants it seen to that all is as they say. */
	if (config != m->config) {
		manager_compare(m, config);
		manager_scope(m, config, &scope);
	}
	if (!scope.partial)
		host_doubt(m->host);
	kernel_settle_overlaps(m->kernel);
	manager_look_at_host(m, config);
	manager_resolve(m, config, &scope, e);
	if (doubt_sysctls(m, e)) {
		effective_done(e);
		kernel_reread(m->kernel);
		manager_resolve(m, config, &scope, e);
	}
	scope_done(&scope);
	in = (struct diff_input){
		.effective = e,
		.actual = kernel_actual(m->kernel),
		.ledger = &m->ledger,
		.firewall = kernel_firewall(m->kernel),
	};
	plan_make(&in, p);
	/* Reading again finds what no event told. */
	if (p->n && !e->scope.partial)
		manager_unsettle(m);
}

void manager_preview(struct manager *m, const struct config *config, struct effective *e, struct plan *p)
{
	m->previewing = true;
	make_plan(m, config, e, p);
	manager_plan_kept(m, e, p);
	m->previewing = false;
}

bool manager_pending(struct manager *m, struct diags *d)
{
	struct config_files files = {0};
	char digest[17];
	int r = config_files_read_dir(&files, m->dirs.config, d);

	config_files_digest(&files, digest);
	config_files_done(&files);
	return r < 0 || !streq(digest, m->digest);
}

enum manager_state manager_state(const struct manager *m)
{
	if (m->going_back || (m->transaction && m->applying))
		return MANAGER_APPLYING;
	return m->ready ? MANAGER_READY : MANAGER_STARTING;
}

static void log_outcome(const struct manager *m, const struct outcome *o)
{
	const char *file = sources_name(&(m->applying ? m->candidate : m->config)->sources, o->loc);
	char line[16] = "";

	if (file)
		snprintf(line, sizeof(line), ":%u: ", o->loc.line);
	log_error("%s%s%s%s%s", file ? file : "", line, o->step ? o->step : "", o->step ? ": " : "", o->text);
	if (!o->rolled_back)
		return;
	if (o->restored)
		log_notice("the state before was put back");
	for (size_t i = 0; i < o->n_differences; i++)
		log_error("not put back: %s", o->differences[i]);
	if (o->cut_off)
		log_error("cut off, for its bridge was not there before: %s", o->cut_off);
}

/* What the kernel took and does not show is not sent again at every event, as long as the plan is the same. */
static void remember_stubborn(struct manager *m)
{
	struct effective e;
	struct plan p;

	make_plan(m, m->config, &e, &p);
	plan_id(&p, m->stubborn);
	plan_done(&p);
	effective_done(&e);
}

/* What waited for the end of a transaction. again: what is wanted is to be tried once more. */
static void go_on(struct manager *m, bool again)
{
	if (m->going_back) {
		manager_start_undo(m); /* the deadline passed while this one ran, or what was applied cannot be kept */
		return;
	}
	if (m->exit_when_done && manager_may_exit(m)) {
		sd_event_exit(m->event, 0);
		return;
	}
	if (m->apply_waits) {
		struct apply_request waiting = m->apply;

		m->apply_waits = false;
		manager_apply(m, &waiting);
	} else if (again) {
		manager_check_waited(m);
		manager_run(m);
	} else {
		manager_check_ready(m);
		if (m->dirty)
			manager_schedule_repair(m);
	}
}

void manager_transaction_done(const struct outcome *o, void *userdata)
{
	struct manager *m = userdata;
	struct transaction *t = m->transaction;
	bool again = false, failed = o->error != 0;

	m->transaction = NULL;
	m->host_told = m->host_told && m->dirty;
	m->progress_total = 0;
	/* The ledger as it is now: manager_commit() writes it with the number of the generation. */
	if (o->changed && (!m->applying || m->apply.confirm || m->guard) &&
	    state_save(&m->dirs, &m->ledger, m->generation) < 0)
		log_error("the ledger could not be written");
	if (m->applying) {
		if (o->error)
			log_outcome(m, o);
		manager_finish_apply(m, o);
	} else if (m->going_back && o->rolled_back) {
		manager_undone(m, o);
		again = !m->exit_when_done;
	} else if (o->unread) {
		log_warning("%s; it is tried again", o->text);
		manager_schedule_repair(m);
	} else if (o->error && m->ready && !o->step && o->link && manager_is_repaired(m, o->link)) {
		/* It was right before, so somebody writes against us: manager_count_repair() ends that. */
		again = true;
	} else if (o->error) {
		again = manager_leave_out(m, o);
	} else {
		manager_problem_over(m, NULL, "refused");
	}
	if (o->error && !o->unread && !again && m->config && !o->rolled_back)
		remember_stubborn(m);
	transaction_free(t); /* and what `o` points to */
	if (failed)
		manager_unsettle(m);
	else
		names_done(&m->fresh);
	manager_refresh(m);
	m->untidy = true;
	go_on(m, again);
	/* A change of thousands of links leaves as much behind in the heap; a daemon at rest should be small. */
	manager_forget_wanted(m);
	malloc_trim(0);
}

/* Brings the kernel to what runs (or, while applying, to the candidate). */
void manager_run(struct manager *m)
{
	m->dirty = false;
	m->transaction = transaction_start(m->kernel, &m->ledger, m->applying, &manager_hooks, m);
}

void manager_done(struct manager *m)
{
	transaction_free(m->transaction);
	manager_drop_guard(m);
	sd_event_source_disable_unref(m->repair_timer);
	sd_event_source_disable_unref(m->pause_timer);
	sd_event_source_disable_unref(m->boot_timer);
	sd_event_source_disable_unref(m->udev_timer);
	sd_event_source_disable_unref(m->confirm_timer);
	sd_event_source_disable_unref(m->hold_timer);
	sd_event_source_disable_unref(m->guests_timer);
	manager_flush_guests(m);
	free(m->holds);
	free(m->candidate_plan);
	free(m->taken_back);
	prepared_free(m->prepared);
	manager_drop_wanted(m);
	manager_drop_candidate(m);
	config_free(m->config);
	manager_forget_parsed(m);
	config_files_done(&m->candidate_files);
	manager_forget_problems(m);
	ledger_done(&m->ledger);
	free(m->repairs);
	names_done(&m->claimed);
	names_done(&m->touched);
	names_done(&m->changes);
	names_done(&m->missing);
	names_done(&m->left_out);
	names_done(&m->fresh);
	known_done(&m->known);
	dhcp_clients_done(&m->clients);
	attachments_done(&m->attachments);
	host_free(m->host);
	kernel_close(m->kernel);
	close_ptr(&m->state_lock);
	close_ptr(&m->runtime_lock);
}
