/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: INI text to the DESIRED model. Pure: files come as (name, text) pairs; reading a directory is
 * config/files.c, which is the one file here that opens anything (netctl and the daemon both link it).
 */
#pragma once

#include "../model/names.h"
#include "../model/network.h"
#include "diag.h"

/* One file of a configuration. Both strings are owned by the file set. */
struct config_file {
	char *name; /* for messages: "/etc/kvmnetd/10-bond.ini" */
	char *text;
	size_t len;
};

struct config_files {
	struct config_file *list;
	size_t n;
};

/* Limits, so that a request or a stray file cannot exhaust the daemon. */
#define CONFIG_BYTES_MAX (32u << 20) /* all files together */
#define CONFIG_LINE_MAX 65536	     /* one line */
/* Objects of all files together: far beyond any host, and small enough that no rule takes long. */
#define CONFIG_LINKS_MAX 65536	       /* sections of links; also those of ports by name */
#define CONFIG_GLOBS_MAX 256	       /* [port GLOB] sections */
#define CONFIG_PORTS_MAX 16384	       /* names in all `ports` keys */
#define CONFIG_ADDRESSES_MAX 16384     /* addresses */
#define CONFIG_ROUTES_MAX 16384	       /* routes and gateways */
#define CONFIG_NETWORK_ITEMS_MAX 65536 /* ranges, hosts, names, options and forwarded ports of all networks */

void config_files_done(struct config_files *f);
void config_files_add(struct config_files *f, const char *name, const char *text, size_t len);
/*
 * Reads every *.ini of a directory in byte order of names. A directory that does not exist is an error
 * (-ENOENT with a diag), and so is a file in its place; an empty one is an empty configuration. Other files are warned
 * of, but for hidden ones, what editors leave behind, and what was put aside (.bak, .off). Returns 0, or negative errno
 * with a diag that names the file.
 */
int config_files_read_dir(struct config_files *f, const char *path, struct diags *d);
/* The same, or one file, whatever it is called. */
int config_files_read(struct config_files *f, const char *path, struct diags *d);
bool config_files_equal(const struct config_files *a, const struct config_files *b);
struct config_files config_files_copy(const struct config_files *f);
/* Hash of names and texts, as 16 hex digits and NUL: tells whether files of one hand changed. It can be forged. */
void config_files_digest(const struct config_files *f, char digest[17]);

/* A [port NAME or GLOB] section: values for whichever kind the master turns out to be. */
struct port_section {
	char *pattern; /* owned */
	bool is_glob;
	struct loc loc;
	struct values **values; /* one per kind with ports, in the order of kinds[]; NULL entries for other kinds */
};

/* Matching of an [ethernet LABEL] section otherwise than by name. */
struct match {
	char label[IFNAMSIZ * 8];
	struct loc loc;
	uint64_t mac; /* 0: not given */
	char *path;   /* glob on "pci-0000:02:00.0"; owned; NULL: not given */
	char *driver; /* owned; NULL: not given */
};

/* [daemon]: rows as any other section; see config/daemon-options.c. */
extern const struct option_table daemon_options;
#define PROBES_MAX 16
#define PROBE_TIMEOUT_MSEC 5000
enum daemon_row {
	DAEMON_BOOT_WAIT, /* ms */
	DAEMON_DRIFT,	  /* enum drift_setting */
	DAEMON_ADMIN_GROUP,
	DAEMON_READ_GROUP,
	DAEMON_MAX_IMPACT, /* enum impact of plan/plan.h */
	DAEMON_RESOLV_CONF,
	DAEMON_FORWARDING,	 /* enum forwarding_setting */
	DAEMON_PROBE,		 /* struct probe_target of model/probe.h, each */
	DAEMON_PROBE_TIMEOUT,	 /* ms */
	DAEMON_FOREIGN_FIREWALL, /* enum foreign_setting */
	_DAEMON_ROWS,
};

enum foreign_setting { FOREIGN_FIREWALL_ASSIST, FOREIGN_FIREWALL_WARN, FOREIGN_FIREWALL_OFF };
enum forwarding_setting { FORWARDING_LINKS, FORWARDING_GLOBAL };

/* A name in `ports` or `parent` of a section. */
struct mention {
	const char *name; /* the section's */
	const struct link *by;
};

struct config {
	struct model links;	    /* declared links, by label; one that is in some `ports` has master_name */
	struct port_section *ports; /* in the order written */
	size_t n_ports;
	const struct port_section **port_names; /* those that are no glob, sorted by name; for config_port_values() */
	size_t n_port_names;
	const struct port_section **port_globs; /* the others, in the order written */
	size_t n_port_globs;
	struct match *matches;
	size_t n_matches;
	struct network **networks; /* in the order written; their bridges are in links */
	size_t n_networks;
	struct mention *mentions; /* sorted by name, then in the order of sections */
	size_t n_mentions;
	struct values *daemon; /* daemon_options */
	struct sources sources;
	bool concerns_host; /* some link has rows of LINK_SELF_ROWS */
	bool spotless;	    /* there was nothing to say about it, no warning either */
	unsigned users;
};

struct config *config_new(void);
/* Frees it with its last user; accepts NULL, returns NULL. */
struct config *config_free(struct config *c);
/* One more user of it. Returns c. */
struct config *config_use(struct config *c);

/*
 * Parses and checks everything: syntax, keys, ranges, every rule between objects. All problems are added to d (whose
 * `sources` is set to the config's). Returns a config also when there are errors (d->n_errors > 0), so
 * that its parts can be shown; such a config must not be applied.
 */
struct config *config_parse(const struct config_files *f, struct diags *d);

/* Cross-object rules on a parsed configuration; called by config_parse. */
void config_check(const struct config *c, struct diags *d);

/* One of them: no two links have a subnet in common where one is a network's. Again when a subnet was chosen. */
void config_check_subnets(const struct config *c, struct diags *d);

/*
 * The values that apply to a port by this name (as written in `ports`): globs in order, then the exact section. NULL:
 * none. The caller frees it.
 */
struct values *config_port_values(const struct config *c, const char *port, const struct kind *master_kind);

/* Who names this link as a port or parent; NULL: nobody. */
const struct mention *config_mentions(const struct config *c, const char *name, size_t *n);
/* Internal: fills c->mentions. */
void config_index_mentions(struct config *c);
/*
 * Adds the names of sections that are new, gone, or say something else. False: something differs that is not about
 * single links ([daemon], [port]), or could be ([network], match_ keys).
 */
bool config_changes(const struct config *before, const struct config *now, struct names *ret);
