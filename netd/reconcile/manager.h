/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the daemon's state and its one loop: whatever happens (start, apply, an event of the kernel, a device that
 * appears), what is wanted is resolved against what is, and the difference is executed. control/ asks it; it asks
 * nobody.
 *
 * Ownership: main() owns the manager; callbacks borrow.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../host/host.h"
#include "claims.h"
#include "guard.h"
#include "guests.h"
#include "known.h"
#include "transaction.h"

struct journal;

enum manager_state {
	MANAGER_STARTING, /* boot: not ready yet */
	MANAGER_READY,
	MANAGER_APPLYING,
};

enum manager_event {
	EVENT_LINK,   /* a link of ours changed */
	EVENT_DRIFT,  /* something differs that is not put back */
	EVENT_REPAIR, /* something was put back */
	EVENT_APPLY,
	EVENT_PROBLEM,
};

/* Something the operator should know of until it is gone. */
struct problem {
	char *link;  /* owned; NULL: the whole configuration */
	char *cause; /* owned; what tells it from others of the link, NULL: it stays until the next apply */
	char *text;  /* owned */
};

typedef void manager_event_fn(enum manager_event event, const char *link, const char *text, void *userdata);

struct apply_request {
	char plan_id[17]; /* only if it still is this plan; "": any */
	bool force;
	uint32_t generation;	  /* apply this stored configuration instead of the directory; 0: the directory */
	int max_impact;		  /* enum impact; -1: what [daemon] max_impact says */
	unsigned confirm;	  /* seconds until it is undone unless confirmed; 0: no confirmation */
	bool probed;		  /* internal: it is known who answers before the change */
	char armed_by[64];	  /* who asked, for status */
	struct probe_target path; /* PROBE_PATH: the connection they came by; family 0: not told */
	/*
	 * Exactly one of the two is called, from the event loop or from inside manager_apply(). id: of the plan there
	 * is now; "IMPACT" with REFUSED_IMPACT, seconds with REFUSED_SHORT. ports: what is lost, or what takes so long.
	 */
	void (*refused)(const char *why, const struct diags *diags, const char *const *ports, size_t n_ports,
			const char *id, void *userdata);
	void (*done)(const struct outcome *outcome, void *userdata);
	/* The plan that is about to run, and its plan_lines(); texts must be taken now. */
	void (*planned)(const struct plan *plan, const char *lines, const struct guests *guests,
			const struct config *config, const struct diags *diags, void *userdata);
	void (*progress)(size_t done, size_t total, void *userdata);
	void *userdata;
};

/* What `refused` is told as `why`. */
#define REFUSED_INVALID "ConfigurationInvalid"
#define REFUSED_FORCE "NeedsForce"
#define REFUSED_PLAN "PlanChanged"
#define REFUSED_BUSY "Busy"
#define REFUSED_STRANDED "DefaultRouteLost"
#define REFUSED_IMPACT "TooMuchImpact"
#define REFUSED_CONFIRM "ConfirmationPending"
#define REFUSED_GENERATION "NoSuchGeneration"
#define REFUSED_PATH "CallerCutOff"
#define REFUSED_RENUMBERED "CallerRenumbered"
#define REFUSED_SHORT "ConfirmTooShort"
/* The same in words, for the log and for messages. */
const char *refused_text(const char *why);

/* An apply that may run, until it is its turn. */
struct prepared {
	struct effective effective;
	struct plan plan;
	struct guests guests;
	struct diags diags;
};

/* A link (or all, "") whose repair is suspended for work by hand. */
struct hold {
	char link[IFNAMSIZ];
	char by[64];
	uint64_t until; /* CLOCK_BOOTTIME, microseconds */
};

struct manager {
	sd_event *event; /* borrowed */
	struct state_dirs dirs;
	const char *lib_dir; /* borrowed: where our own scripts are */
	uint8_t machine_id[16];
	int runtime_lock, state_lock; /* held on these directories: one daemon each */
	struct kernel *kernel;
	struct host *host;
	struct ledger ledger;
	/* What an earlier process wrote into it was about other programs of the host. What this one writes of them
	 * comes from a configuration that is, and host_show() goes on looking once it did. */
	bool concerned_host;

	struct config *config;		  /* what runs; never NULL after manager_start() */
	uint32_t generation;		  /* 0: never stored */
	int64_t applied_when;		  /* seconds since the epoch */
	char digest[17];		  /* of the files that run */
	struct config *parsed;		  /* what was looked at last and is likely to be applied next; or NULL */
	struct config_files parsed_files; /* all of them: a digest of what any client may send could be forged */
	/* All is as config wants it, but for the links that were touched since; else anything may not be. */
	bool settled;
	struct names touched;
	struct names changes;	    /* sections that differ between config and what was last looked at beside it */
	bool is_comparable;	    /* nothing else differs */
	struct effective effective; /* of config, for who asks; only with is_resolved: see manager_wanted() */
	bool is_resolved, is_stale; /* stale: kept for readers only, until another is asked for */
	unsigned readers;
	struct names missing;		/* devices that are waited for */
	struct known known;		/* links that were configured since they appeared */
	struct names fresh;		/* those that were not, until the kernel shows all of them as wanted */
	struct attachments attachments; /* guests' ports, as last seen */
	sd_event_source *guests_timer;	/* until they are written down */
	uint64_t guests_took;		/* microseconds that took */
	struct names claimed;		/* links that others were told are ours */
	struct dhcp_clients clients;	/* of others, as last seen */

	struct transaction *transaction; /* the one that runs, or NULL */
	struct config *candidate;	 /* of an apply that runs; may be `config` itself */
	struct config_files candidate_files;
	struct apply_request apply; /* of an apply that runs or waits */
	char *candidate_plan;	    /* its plan's lines */
	struct prepared *prepared;  /* NULL: it runs, or there is none */
	bool applying, apply_waits;
	bool previewing; /* an apply is planned */

	uint64_t confirm_deadline; /* CLOCK_BOOTTIME, microseconds; 0: nothing waits for a confirmation */
	char confirm_by[64];
	sd_event_source *confirm_timer;
	struct guard *guard; /* of the apply that asks, runs or waits for its confirmation; NULL: nothing to watch */
	uint64_t guard_timeout, guard_wait; /* microseconds */
	bool asking;			    /* an apply waits to know who answers before it */
	/*
	 * No confirmation is waited for, only answers of the probes: with those the change stays. Who asked for it is
	 * told then, or when it is undone.
	 */
	bool proving;
	bool going_back; /* the transaction that runs undoes an unconfirmed or unfinished change */
	/* Who asked for that, and is told once how it ended; NULL: nobody. */
	void (*undone)(const struct outcome *outcome, void *userdata);
	void *undone_userdata;
	char *taken_back; /* owned: why it is undone, for who asked for the apply, when that is done; NULL: they know */
	bool exit_when_done; /* SIGTERM came while there was something to undo */
	struct hold *holds;
	size_t n_holds;
	sd_event_source *hold_timer;
	bool dirty;	/* something changed while a transaction ran */
	bool host_told; /* another program of the host told of a change, such as a lease, that was not looked at yet */
	bool untidy;	/* more was left behind in the heap than a daemon at rest should have */
	size_t progress_done, progress_total;

	struct problem *problems;
	size_t n_problems;
	struct names left_out; /* links that the kernel refused: not tried, nor what stands on them, until an apply */
	bool no_firewall;      /* the kernel refused it at a start: networks are left out until the next apply */
	char stubborn[17];     /* id of a repair that the kernel ignores: not tried again while it is the same */
	struct repair_count *repairs;
	size_t n_repairs;
	unsigned rounds; /* plans of transactions so far */

	bool is_boot, ready;
	bool was_ready;	   /* a daemon before this one was, in this boot */
	uint32_t fallback; /* generation to run instead of files that were never applied, when they do not come up; 0 */
	sd_event_source *repair_timer, *pause_timer, *boot_timer, *udev_timer;
	manager_event_fn *listener;
	void (*became_ready)(struct manager *m, void *userdata);
	void (*changed)(struct manager *m, void *userdata); /* status may have changed */
	void *userdata;
};

/* Opens the kernel and brings up what is to run (boot.c). Negative errno only for what makes running pointless. */
int manager_start(struct manager *m);
void manager_done(struct manager *m);

/* Applies the configuration directory. */
void manager_apply(struct manager *m, const struct apply_request *request);
/*
 * What applying `config` would do, against the kernel as it is, to be read and not executed. The caller releases
 * effective and plan, in the order plan_done(), effective_done(), before the event loop turns.
 */
void manager_preview(struct manager *m, const struct config *config, struct effective *e, struct plan *p);
/*
 * What these files say: `config` when they are what runs and there is nothing to say about them. again: they are likely
 * to be asked for once more (netctl apply shows the plan before it asks for it). The caller frees it.
 */
struct config *manager_config_of(struct manager *m, const struct config_files *files, bool again, struct diags *d);
/*
 * Makes the applied configuration stay. -ENOENT: nothing waits for it; -EBUSY: the change is still being made; else it
 * could not be stored, and is waited for as before.
 */
int manager_confirm(struct manager *m);
/* Undoes what waits for a confirmation, now; m->undone tells how that ended. -ENOENT: there is nothing to undo. */
int manager_undo(struct manager *m, const char *why);
/* SIGTERM: true when the loop may end now, false when something is undone first and the loop ends after that. */
bool manager_may_exit(struct manager *m);
/* Suspends repair of a link ("": of all) until then; a later hold of the same link replaces an earlier one. */
void manager_hold(struct manager *m, const char *link, const char *by, uint64_t seconds);
/* Ends holds of a link ("": all of them). Returns how many. */
size_t manager_release(struct manager *m, const char *link);

/*
 * Adds what an operator should know before this plan runs: who else is active on a link of ours, and what a NIC that
 * becomes a port would lose, with the lines to add.
 */
void manager_warn(struct manager *m, const struct config *c, const struct effective *e, const struct plan *p,
		  struct diags *d);
/* Who is cut off by it; the caller calls guests_done(). */
void manager_guests(struct manager *m, const struct effective *e, const struct plan *p, struct guests *ret);
/* The first half of it: for status. */
void manager_warn_rivals(struct manager *m, const struct config *c, const struct effective *e, struct diags *d);
/*
 * Seconds that a confirmation of this plan must at least be given, so that what it changes has time to carry traffic
 * and probes have time to answer; told one by one: "30 s: spanning tree on br0".
 */
unsigned manager_least_confirm(struct manager *m, const struct config *c, const struct probe_target *path,
			       const struct effective *e, const struct plan *p,
			       void (*add)(const char *text, void *userdata), void *userdata);
/* What becomes of the connection that somebody came by. */
enum path_fate {
	PATH_NONE, /* it is not known, or comes from this host */
	PATH_STAYS,
	PATH_RENUMBERED, /* its address goes, and the host has another one instead */
	PATH_LOST,
};
/* What of the plan cuts it off is told, in words and with the line that prevents it. add: NULL when nobody asks. */
enum path_fate manager_path_fate(struct manager *m, const struct probe_target *path, const struct effective *e,
				 const struct plan *p, void (*add)(const char *text, void *userdata), void *userdata);
/* What the configuration that runs wants, of everything; valid until the event loop turns. */
const struct effective *manager_wanted(struct manager *m);
/*
 * For a reply that takes many turns of the loop, between these two: what was wanted when the last of them began. Events
 * that pour in meanwhile would otherwise have all resolved anew for every part of it.
 */
void manager_begin_reading(struct manager *m);
void manager_end_reading(struct manager *m);
const struct effective *manager_wanted_lately(struct manager *m);
/* It is made again when it is asked for. */
void manager_forget_wanted(struct manager *m);
/* Also for readers: another configuration runs. */
void manager_drop_wanted(struct manager *m);
/* Names of devices that are waited for. */
void manager_missing(struct manager *m, void (*add)(const char *name, void *userdata), void *userdata);
/* Do the files in the configuration directory differ from what runs? What there is to say of reading them goes to *d.
 */
bool manager_pending(struct manager *m, struct diags *d);
enum manager_state manager_state(const struct manager *m);

/* Internal to reconcile/. */
/* kept.c */
/* Adds what of others is put back behind the plan, a line each, for who reads it. */
void manager_plan_kept(struct manager *m, const struct effective *e, struct plan *p);
/* Names the rest of what others set up and the plan takes away. */
void manager_warn_kept(struct manager *m, const struct effective *e, const struct plan *p, struct diags *d);
/* Is there no address or default route left afterwards? */
void manager_warn_cut_off(struct manager *m, const struct effective *e, const struct plan *p, struct diags *d);
/* manager.c */
/* Puts what other programs of the host have beside what the kernel has. config: NULL while a start goes back. */
void manager_look_at_host(const struct manager *m, const struct config *config);
void manager_transaction_done(const struct outcome *o, void *userdata);
bool manager_is_held(const struct manager *m, const char *link);
/* hold.c: those of this boot that a daemon before this one was told of. */
void manager_resume_holds(struct manager *m);
/* confirm.c */
int manager_journal(const struct effective *before, const struct ledger_past *ledger_before,
		    const struct keepsakes *keepsakes, void *userdata);
/* Stores the candidate as what was applied: from then on a start completes it. Negative errno: all is as before. */
int manager_store(struct manager *m);
/* Forgets the way back. */
void manager_commit(struct manager *m);
void manager_tell_undone(struct manager *m, const struct outcome *o);
/* The probes have answered after a change that waits for nothing else. */
void manager_proved(struct manager *m);
void manager_wait_for_confirmation(struct manager *m, uint64_t deadline, const char *by);
void manager_undone(struct manager *m, const struct outcome *o);
bool manager_recover(struct manager *m, uint32_t generation);
void manager_start_undo(struct manager *m);
/* attached.c */
/* Guests are written down before long, if any came or went. */
void manager_keep_guests(struct manager *m);
void manager_flush_guests(struct manager *m); /* now */
void manager_load_guests(struct manager *m);
/* hooks.c */
extern const struct transaction_hooks manager_hooks;
void manager_host_changed(void *userdata);
int manager_host_write(const struct op *op, uint32_t ifindex, char **why, void *userdata);
/* probes.c */
/* Starts to find out who answers; the apply begins anew when that is known. False: there is nobody to ask. */
bool manager_ask_probes(struct manager *m, const struct apply_request *request, const struct effective *e,
			const struct plan *p);
void manager_watch_probes(struct manager *m);
void manager_resume_probes(struct manager *m, const struct journal *j);
void manager_drop_guard(struct manager *m);
/* "WORD; answering: ping 192.0.2.1, ..." The caller frees it. */
char *manager_probes_text(const struct manager *m, const char *word);
/* apply.c */
/* Transaction hook: whoever asked for the apply is told of its plan. */
void manager_begin(void *userdata);
struct prepared *prepared_free(struct prepared *p);
/* boot.c */
bool manager_use_generation(struct manager *m, uint32_t number);
void manager_use_nothing(struct manager *m); /* the empty configuration */
struct config *manager_parse(const struct manager *m, const struct config_files *files);
void manager_log_diags(const struct diags *d);

void manager_set_config(struct manager *m, struct config *config, const struct config_files *files, uint32_t generation,
			int64_t when);
void manager_run(struct manager *m);
/* left-out.c */
/*
 * A start has no state before to go back to: what the kernel refuses is left out, and the rest comes up. Returns
 * whether there is a rest to be tried.
 */
bool manager_leave_out(struct manager *m, const struct outcome *o);
/* Runs what was applied last instead of files that a boot tries first. Returns whether there is something. */
bool manager_fall_back(struct manager *m, const char *why);
/* applied.c */
/* Returns whether the candidate runs now. */
bool manager_finish_apply(struct manager *m, const struct outcome *o);
/* An apply that finds nothing to do. */
void manager_run_nothing(struct manager *m, const struct effective *e);
/* Lets go of the candidate, unless it is what runs. */
void manager_drop_candidate(struct manager *m);
void manager_forget_parsed(struct manager *m);
/* scope: NULL for everything. */
void manager_resolve(const struct manager *m, const struct config *config, const struct scope *scope,
		     struct effective *ret);
/* wanted.c */
/* Finds out what this configuration changes, for manager_scope(). */
void manager_compare(struct manager *m, const struct config *config);
/* What has to be looked at to bring the kernel to this configuration. */
void manager_scope(struct manager *m, const struct config *config, struct scope *ret);
/* Something may be otherwise that no event of a link tells. */
void manager_unsettle(struct manager *m);
/* What had to be looked at was as wanted. */
void manager_set_settled(struct manager *m);
/* A link changed. Returns whether that can matter. */
bool manager_touch(struct manager *m, const char *name);
/* What is wanted, of what has to be looked at; and what follows from that for everyone but the kernel. */
void manager_look(struct manager *m, struct effective *ret);
/* The second half of it. */
void manager_note_wanted(struct manager *m, const struct effective *e);
/* What `before` cannot have from the kernel, as this configuration, which ran then, wanted it. */
void manager_before(const struct manager *m, const struct config *config, struct effective *before);
void manager_kernel_changed(const char *name, bool all, void *userdata);
/* Notes which were not configured since they appeared. That takes rounds and, when one is refused, transactions. */
void manager_find_fresh(struct manager *m, const struct effective *e);
void manager_filter_drift(struct effective *e, void *userdata);
/* step: what was put back, in words. */
void manager_count_repair(struct manager *m, const char *link, const char *step);
/* Was it right before, and put back of late? */
bool manager_is_repaired(struct manager *m, const char *link);
/* The link's own setting, or that of [daemon]. */
enum drift_setting manager_drift_of(const struct manager *m, const struct link *want);
void manager_schedule_repair(struct manager *m);
/* Looks at what has to be looked at; if that is everything, manager_wanted() has it until it is forgotten. */
void manager_refresh(struct manager *m);
void manager_check_ready(struct manager *m);
/* A start that goes on is no start that hangs: tells the service manager to wait that much longer from now. */
void manager_extend_start(uint64_t usec);
/* boot.c: ready when the wait is over, whatever there is still to do. */
void manager_check_waited(struct manager *m);
/* problems.c */
/* Stays until the next apply. leaves_out: the link is left out as long. */
void manager_problem(struct manager *m, const char *link, bool leaves_out, const char *format, ...) _printf_(4, 5);
/* Takes the place of an earlier one of the same link and cause; the same text is not said twice. */
void manager_problem_of(struct manager *m, const char *link, const char *cause, const char *format, ...) _printf_(4, 5);
/* What had this cause is gone. link: NULL for every link's. */
void manager_problem_over(struct manager *m, const char *link, const char *cause);
void manager_forget_problems(struct manager *m);
void manager_tell(struct manager *m, enum manager_event event, const char *link, const char *format, ...)
	_printf_(4, 5);
