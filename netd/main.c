/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: puts the daemon together: signals, service manager, event loop. The work is in reconcile/ and control/. */
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "arguments.h"
#include "control/service.h"
#include "log.h"
#include "reconcile/manager.h"

static void list_missing(const char *name, void *userdata)
{
	FILE *f = userdata;

	fprintf(f, "%s%s", ftell(f) ? " " : "", name);
}

/* What the manager's callbacks need. */
struct program {
	struct service *service;
	bool listening;
	char *told; /* owned: the line that the service manager was last given */
	struct manager *manager;
	sd_event_source *reload_timer; /* a reload waits for a change that runs */
};

/* systemd shows this line in `systemctl status`. It is told changes only: its socket may block, and it has other work.
 */
static void tell_service_manager(struct manager *m, struct program *p, bool ready)
{
	_cleanup_free_ char *missing = NULL, *line = NULL;
	bool is_plain = m->n_problems && !startswith(m->problems[0].text, "degraded");
	size_t len;
	FILE *f = xmemstream(&missing, &len);

	manager_missing(m, list_missing, f);
	fclose(f);
	line = xasprintf("%s%s%s%s%s", is_plain ? "degraded: " : "",
			 m->n_problems ? m->problems[0].text : "generation applied", len ? "; missing: " : "", missing,
			 m->n_problems > 1 ? " (and more: netctl status)" : "");
	if (!ready && p->told && streq(p->told, line))
		return;
	sd_notifyf(false, "%sSTATUS=%s", ready ? "READY=1\n" : "", line);
	free(p->told);
	p->told = TAKE_PTR(line);
}

static void became_ready(struct manager *m, void *userdata)
{
	struct program *p = userdata;

	/* Whoever waits for READY may ask at once: not before there is a socket to ask at. */
	if (!p->listening)
		return;
	tell_service_manager(m, p, true);
	log_notice("ready");
	if (m->n_problems)
		log_error("degraded: %zu problem%s; netctl status lists them", m->n_problems,
			  m->n_problems == 1 ? "" : "s");
}

static void status_changed(struct manager *m, void *userdata)
{
	struct program *p = userdata;

	if (m->ready && p->listening)
		tell_service_manager(m, p, false);
	service_changed(p->service);
}

static void on_event(enum manager_event event, const char *link, const char *text, void *userdata)
{
	struct program *p = userdata;

	service_event(event, link, text, p->service);
}

static int reload(sd_event_source *s, uint64_t usec, void *userdata);

/* Whoever edits and reloads twice means the second edit, too. */
#define RELOAD_AGAIN_USEC (200ull * 1000)

static void reload_refused(const char *why, const struct diags *d, const char *const *ports, size_t n_ports,
			   const char *id _unused_, void *userdata)
{
	struct program *p = userdata;

	if (streq(why, REFUSED_BUSY)) {
		sd_event_add_time_relative(p->manager->event, &p->reload_timer, CLOCK_MONOTONIC, RELOAD_AGAIN_USEC, 0,
					   reload, p);
		return;
	}
	log_error("reload refused: %s%s", refused_text(why),
		  n_ports ? " (netctl apply --force does it all the same):" : "");
	for (size_t i = 0; i < n_ports; i++)
		log_error("reload refused: %s", ports[i]);
	if (d)
		manager_log_diags(d);
	sd_notify(false, "READY=1");
}

static void reload_done(const struct outcome *o, void *userdata _unused_)
{
	log_notice("reload: %s", o->error ? "failed" : o->changed ? "applied" : "nothing to do");
	sd_notify(false, "READY=1");
}

/* sd_notify(3): a reload is told with the time of its beginning, and READY=1 ends it. */
static void reload_begins(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static int reload(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct program *p = userdata;
	struct apply_request request = {
		.max_impact = -1, .refused = reload_refused, .done = reload_done, .userdata = p};

	p->reload_timer = sd_event_source_disable_unref(p->reload_timer);
	manager_apply(p->manager, &request);
	return 0;
}

static int on_hangup(sd_event_source *s _unused_, const struct signalfd_siginfo *info _unused_, void *userdata)
{
	reload_begins();
	return reload(NULL, 0, userdata);
}

static int on_terminate(sd_event_source *s _unused_, const struct signalfd_siginfo *info _unused_, void *userdata)
{
	struct manager *m = userdata;

	return manager_may_exit(m) ? sd_event_exit(m->event, 0) : 0;
}

static int run(const struct arguments *a)
{
	struct program p = {0};
	struct manager m = {
		.dirs = {a->config_dir, a->runtime_dir, a->state_dir},
		.lib_dir = a->lib_dir,
		.runtime_lock = -1,
		.state_lock = -1,
		.became_ready = became_ready,
		.changed = status_changed,
		.listener = on_event,
		.userdata = &p,
	};
	_cleanup_free_ char *path = a->socket ? xstrdup(a->socket) : xasprintf("%s/kvmnetd.sock", a->runtime_dir);
	int r;

	p.manager = &m;
	r = sd_event_default(&m.event);
	if (r >= 0)
		r = sd_event_add_signal(m.event, NULL, SIGTERM, on_terminate, &m);
	if (r >= 0)
		r = sd_event_add_signal(m.event, NULL, SIGINT, on_terminate, &m);
	if (r >= 0)
		r = sd_event_add_signal(m.event, NULL, SIGHUP, on_hangup, &p);
	if (r >= 0)
		r = sd_event_set_watchdog(m.event, true);
	if (r >= 0)
		r = service_new(&p.service, &m);
	if (r >= 0)
		r = manager_start(&m);
	if (r >= 0)
		r = service_listen(p.service, path);
	p.listening = r >= 0;
	if (p.listening && m.ready)
		became_ready(&m, &p);
	if (r >= 0)
		r = sd_event_loop(m.event);
	sd_notify(false, "STOPPING=1");
	sd_event_source_disable_unref(p.reload_timer);
	service_free(p.service);
	manager_done(&m);
	free(p.told);
	sd_event_unref(m.event);
	return r;
}

int main(int argc, char **argv)
{
	struct arguments a;
	sigset_t signals;
	int r;

	/* What is freed joins its neighbours at once: else whoever asks for a large piece next has it done for
	 * thousands. */
	mallopt(M_MXFAST, 0);
	/*
	 * And what malloc_trim() gave back stays away: khugepaged would make a huge page where a single small one is in
	 * use (mm/khugepaged.c, max_ptes_none). Programs that are started inherit it, and are small as well.
	 */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	log_open();
	r = arguments_parse(argc, argv, &a);
	if (r != 0)
		return r > 0 ? EXIT_SUCCESS : 64;
	log_set_verbose(a.verbose);
	/* sd-event takes signals from a descriptor, which needs them blocked. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = run(&a);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
