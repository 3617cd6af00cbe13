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

#include "claims.h"
#include "transaction.h"

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
	char *link;	 /* owned; NULL: the whole configuration */
	char *text;	 /* owned */
	bool leaves_out; /* the link is left out, with what stands on it, until the next apply */
};

typedef void manager_event_fn(enum manager_event event, const char *link, const char *text, void *userdata);

struct apply_request {
	char plan_id[17]; /* only if it still is this plan; "": any */
	bool force;
	/* Exactly one of the two is called, from the event loop or from inside manager_apply(). */
	void (*refused)(const char *why, const struct diags *diags, const char *const *ports, size_t n_ports,
			const char *id, void *userdata);
	void (*done)(const struct outcome *outcome, void *userdata);
	/* The plan that is about to run; texts must be taken now. */
	void (*planned)(const struct plan *plan, const struct config *config, const struct diags *diags,
			void *userdata);
	void (*progress)(size_t done, size_t total, void *userdata);
	void *userdata;
};

/* What `refused` is told as `why`. */
#define REFUSED_INVALID "ConfigurationInvalid"
#define REFUSED_FORCE "NeedsForce"
#define REFUSED_PLAN "PlanChanged"
#define REFUSED_BUSY "Busy"

struct manager {
	sd_event *event; /* borrowed */
	struct state_dirs dirs;
	uint8_t machine_id[16];
	int lock; /* held on the runtime directory: one daemon each */
	struct kernel *kernel;
	struct ledger ledger;

	struct config *config;	    /* what runs; never NULL after manager_start() */
	uint32_t generation;	    /* 0: never stored */
	int64_t applied_when;	    /* seconds since the epoch */
	char digest[17];	    /* of the files that run */
	struct effective effective; /* of config, for status; refreshed after every change */
	struct model claimed;	    /* links that others were told are ours */

	struct transaction *transaction; /* the one that runs, or NULL */
	struct config *candidate;	 /* of an apply that runs */
	struct config_files candidate_files;
	struct apply_request apply; /* of an apply that runs or waits */
	bool applying, apply_waits;
	bool dirty; /* something changed while a transaction ran */
	size_t progress_done, progress_total;

	struct problem *problems;
	size_t n_problems;
	char stubborn[17]; /* id of a repair that the kernel ignores: not tried again while it is the same */
	struct repair_count *repairs;
	size_t n_repairs;

	bool is_boot, ready;
	sd_event_source *repair_timer, *boot_timer;
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
 * What applying `config` would do, against the kernel as it is. The caller releases effective and plan, in the order
 * plan_done(), effective_done(), before the event loop turns.
 */
void manager_preview(struct manager *m, const struct config *config, struct effective *e, struct plan *p);
/* Adds a warning for everyone else who is active on a link of ours. */
void manager_warn_rivals(struct manager *m, const struct effective *e, struct diags *d);
/* Names of devices that are waited for. */
void manager_missing(struct manager *m, void (*add)(const char *name, void *userdata), void *userdata);
/* Do the files in the configuration directory differ from what runs? */
bool manager_pending(struct manager *m);
enum manager_state manager_state(const struct manager *m);

/* Internal to reconcile/. */
void manager_set_config(struct manager *m, struct config *config, const struct config_files *files, uint32_t generation,
			int64_t when);
void manager_run(struct manager *m);
void manager_resolve(const struct manager *m, const struct config *config, struct effective *ret);
void manager_kernel_changed(const char *name, bool all, void *userdata);
void manager_filter_drift(struct effective *e, void *userdata);
void manager_count_repair(struct manager *m, const char *link);
void manager_schedule_repair(struct manager *m);
void manager_refresh(struct manager *m);
void manager_check_ready(struct manager *m);
/* A start that goes on is no start that hangs: tells the service manager to wait that much longer from now. */
void manager_extend_start(uint64_t usec);
void manager_problem(struct manager *m, const char *link, bool leaves_out, const char *format, ...) _printf_(4, 5);
void manager_forget_problems(struct manager *m);
void manager_tell(struct manager *m, enum manager_event event, const char *link, const char *format, ...)
	_printf_(4, 5);
