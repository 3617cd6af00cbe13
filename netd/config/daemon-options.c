/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the rows of [daemon]: settings of kvmnetd itself, which no kernel sees. */
#include "config.h"

static const char *const drift_names[] = {
	[DRIFT_REPAIR] = "repair", [DRIFT_REPORT] = "report", [DRIFT_IGNORE] = "ignore", NULL};

/* In the order of enum impact (plan/plan.h). */
static const char *const impact_names[] = {"none",     "live",		 "link-flap", "link-gone",
					   "recreate", "guests-cut-off", NULL};

static const char *const foreign_names[] = {"assist", "warn", "off", NULL};

static const char *const forwarding_names[] = {"links", "global", NULL};

/* clang-format off */
static const struct option daemon_rows[] = {
	[DAEMON_BOOT_WAIT] = {
		.key = "boot_wait", .type = &type_ms, .place = PLACE_CONFIG,
		.min = 0, .max = 600000, .initial = 5000, .flags = OPTION_UNIT,
		.help = "how long at boot kvmnetd waits for declared devices that are absent before it says it is ready; 0: not at all",
	},
	[DAEMON_DRIFT] = {
		.key = "drift", .type = &type_u8, .place = PLACE_CONFIG,
		.names = drift_names, .initial = DRIFT_REPAIR,
		.help = "what is done about a change to a declared attribute that someone else made; a link that appears is configured in any case; a link's own drift key goes before it",
	},
	[DAEMON_ADMIN_GROUP] = {
		.key = "admin_group", .type = &type_string, .place = PLACE_CONFIG,
		.help = "members of this group may change the network with netctl, beside root; left out: root only",
	},
	[DAEMON_READ_GROUP] = {
		.key = "read_group", .type = &type_string, .place = PLACE_CONFIG,
		.help = "only members of this group, of admin_group and root may ask netctl for status; left out: everyone on the host",
	},
	[DAEMON_MAX_IMPACT] = {
		.key = "max_impact", .type = &type_u8, .place = PLACE_CONFIG,
		.names = impact_names, .initial = 5,
		.help = "the most that netctl apply does without being told otherwise by --max-impact; a port that is not ours needs --force besides",
	},
	[DAEMON_RESOLV_CONF] = {
		.key = "resolv_conf", .type = &type_bool, .place = PLACE_CONFIG, .min = 0, .max = 1, .initial = 0,
		.help = "whether /etc/resolv.conf is written where neither systemd-resolved nor resolvconf takes what dns and search say",
	},
	[DAEMON_PROBE] = {
		.key = "probe", .type = &type_probes, .place = PLACE_CONFIG, .max = PROBES_MAX,
		.help = "what has to answer after a change, else it is undone; what did not answer before it does not count; the key may "
			"be repeated; arp is neighbour discovery for IPv6; left out: with --confirm the default gateways",
	},
	[DAEMON_PROBE_TIMEOUT] = {
		.key = "probe_timeout", .type = &type_ms, .place = PLACE_CONFIG,
		.min = 1000, .max = 300000, .initial = PROBE_TIMEOUT_MSEC, .flags = OPTION_UNIT,
		.help = "how long a probe may be without an answer before it is lost (default 5s); to that come the times the change "
			"itself takes to carry traffic, which netctl plan shows",
	},
	[DAEMON_FORWARDING] = {
		.key = "forwarding", .type = &type_u8, .place = PLACE_CONFIG, .names = forwarding_names, .initial = FORWARDING_LINKS,
		.help = "where IPv4 is forwarded for networks: links: on their bridges and uplinks; global: on all links of the host",
	},
	[DAEMON_FOREIGN_FIREWALL] = {
		.key = "foreign_firewall", .type = &type_u8, .place = PLACE_CONFIG, .names = foreign_names,
		.initial = FOREIGN_FIREWALL_ASSIST,
		.help = "what is done about other firewalls of the host that would drop what guests of networks send: assist: they are "
			"told to let it pass (see OTHER FIREWALLS); warn: plan and status say what is in the way; off: nothing",
	},
};
/* clang-format on */

const struct option_table daemon_options = OPTION_TABLE("daemon option", daemon_rows);
