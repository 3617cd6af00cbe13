/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the verbs of netctl share: the command line as parsed, and the exit statuses.
 */
#pragma once

#include <json-c/json.h>

#include "../netd/util.h"

enum exit_status {
	EXIT_OK = 0,
	EXIT_ERROR = 1,
	EXIT_PENDING =
		2, /* plan: there are changes; status --check: drift, pending edits, something missing, degraded */
	EXIT_UNREACHABLE = 3, /* the daemon */
	EXIT_REFUSED = 4,     /* needs --force, or things have moved since */
	EXIT_DENIED = 5,
	EXIT_TIMEOUT = 6,
	EXIT_USAGE = 64,
};

struct options {
	char *socket; /* owned */
	const char *plan;
	int timeout;  /* seconds */
	int confirm;  /* seconds; 0: without */
	int hold_for; /* seconds */
	const char *max_impact;
	bool json, all, check, force, no_color, no_pager;
	char **args; /* what follows the verb */
	size_t n_args;
};

/* Ends the program; a status of success becomes EXIT_ERROR where what was printed could not be written. */
_Noreturn void netctl_end(int status);

int verb_status(const struct options *o);
int verb_check(const struct options *o);
int verb_plan(const struct options *o);
int verb_apply(const struct options *o);
int verb_wait(const struct options *o);
int verb_monitor(const struct options *o);
int verb_confirm(const struct options *o);
int verb_rollback(const struct options *o);
int verb_history(const struct options *o);
int verb_leases(const struct options *o);
int verb_hold(const struct options *o);
int verb_release(const struct options *o);

/* A number of the command line; -EINVAL with a message that names `what` and the range. */
int parse_number(const char *what, const char *text, int min, int max, int *ret);
/* A time as in the files, 1 to `max` seconds; a bare number is seconds. -EINVAL with a message. */
int parse_time_option(const char *what, const char *text, int max, int *ret);
/* The word of an impact that --max-impact takes. -EINVAL with a message. */
int parse_impact(const char *text, const char **ret);

#define INTERFACE "io.kvmnetd.Network"
#define CONFIG_DIR "/etc/kvmnetd"
