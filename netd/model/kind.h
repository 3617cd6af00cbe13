/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what a kind of link is: its section name, its option rows, the rows of its ports, and the rules the rows
 * cannot say. One kind, one file, one ops table; kind.c lists them.
 *
 * To add a kind:
 * 1. kind-NAME.c: its rows, after the policy, fill_info, newlink and changelink functions of its rtnl_link_ops in the
 *    kernel, and its struct kind. A type of value that no row has yet is a struct type in type-*.c.
 * 2. Its name below, and its line in kind.c. Parsing, the checks of single values, plan, messages in both directions,
 *    comparison, ledger, status, fuzz seeds and the unit tests that walk through all rows follow from these.
 * 3. A section in netd/kvmnetd.ini.5: the build fails while it is not in there.
 * 4. What the flags and functions below cannot say, because the kernel treats this kind unlike others.
 *    `git grep -n 'kind_bond\|kind_bridge' netd` finds where that is done for bonds and bridges: their ports, mostly.
 * 5. Tests: tests/golden/config (its errors) and tests/golden/plan (its life); tests/unit/fake-options.c, if the kernel
 *    does more with a value than keep it; a live test that compares with `ip -d -j link`.
 *
 * Links of the kind that others made, which [ethernet] could name until then, are of that kind from then on.
 */
#pragma once

#include "option.h"

struct diags;
struct link;
struct model;

enum kind_flag {
	KIND_VIRTUAL = 1 << 0,	  /* kvmnetd creates and deletes it */
	KIND_HAS_PORTS = 1 << 1,  /* `ports =`; a master in rtnetlink terms */
	KIND_HAS_PARENT = 1 << 2, /* `parent =`; IFLA_LINK. Deleted with its parent */
	KIND_PORTS_DOWN = 1 << 3, /* a port must be down to be attached (bond) */
	KIND_MTU_FOLLOWS =
		1 << 4, /* its MTU follows its ports until changed on the existing link (bridge: br_change_mtu()) */
	KIND_MTU_OF_PARENT = 1 << 5, /* made with its parent's MTU; the kernel refuses one above it */
	KIND_MAC_OF_PARENT = 1 << 6, /* has its parent's MAC unless given another */
};

struct kind {
	const char *name;	  /* the section's first word; IFLA_INFO_KIND for virtual kinds */
	const char *driver;	  /* kernel module, for messages */
	uint32_t flags;		  /* enum kind_flag */
	struct option_table own;  /* rows of the link itself (PLACE_INFO and PLACE_CONFIG) */
	struct option_table port; /* rows of its ports (PLACE_SLAVE, PLACE_VLANS); n = 0 when it has none */
	uint64_t slot; /* own rows, numbers all, that no two links on one parent may share (EEXIST); 0: they may */

	/*
	 * Rules between options of one link, on the desired link: adds diags. Called once per declared link, after
	 * parsing, before any kernel is asked. NULL: none.
	 */
	void (*check)(const struct model *m, const struct link *l, struct diags *d);
	/* The same for one port of it (port is the port link, values in port->port). */
	void (*check_port)(const struct model *m, const struct link *master, const struct link *port, struct diags *d);
	/*
	 * Makes the wanted values what the kernel will show: rounding that depends on other options, defaults that
	 * kvmnetd states (miimon = 100). `have` is the link as it is, or NULL when it will be created. Must be
	 * idempotent.
	 */
	void (*settle)(struct link *want, const struct link *have);
	/* Drops wanted values that the kernel shows, and yet refuses to be told. NULL: there are none. */
	void (*drop_refused)(struct link *want);
	/*
	 * Rows of `own` that the kernel resets or rescales when the rows in `changed` are written, so that those of
	 * them that are wanted must go into the same message even though they compare equal. Without the rows in
	 * `changed` themselves. NULL: none.
	 */
	uint64_t (*disturbed)(const struct link *want, uint64_t changed);
	/*
	 * Rows of `own` of which the kernel keeps more than it shows as the link is now: what looks like the value
	 * found is none. NULL: there are none.
	 */
	uint64_t (*hidden)(const struct link *have);
	/*
	 * Does the kernel take this link up and down with its parent, and refuse it up while the parent is down? It is
	 * asked of links as wanted and as they are. NULL: no.
	 */
	bool (*follows_parent)(const struct link *l);
	/*
	 * Milliseconds from a port being attached or coming up until it carries traffic, with what takes so long in
	 * *why (the caller frees it; unset when 0). have: the link as it is, NULL when it is created. NULL: no time.
	 */
	uint32_t (*settling)(const struct link *want, const struct link *have, char **why);
};

extern const struct kind kind_ethernet, kind_bond, kind_bridge, kind_vlan;
/* A link that is none of the kinds one can declare as virtual: NICs, taps, veths, dummies. Same rows as ethernet. */

/* All kinds that have a section, NULL-terminated. */
extern const struct kind *const kinds[];

/* By section name / IFLA_INFO_KIND; NULL when there is none. kind_of_link() gives kind_ethernet for anything unknown.
 */
const struct kind *kind_find(const char *name);
const struct kind *kind_of_link(const char *info_kind);
/* The kind that the port rows are of; NULL: of none. */
const struct kind *kind_of_ports(const struct option_table *port);

/* Asks the kind's function of that name. */
bool link_follows_parent(const struct link *l);

/* Rows that every link has (mtu, mac, up, ...); see link-common.c. */
extern const struct option_table link_options;

/* Row numbers of link_options, in the table's order (a test checks it). */
enum link_row {
	LINK_MTU,
	LINK_MAC,
	LINK_UP,
	LINK_TXQLEN,
	LINK_IPV6,
	LINK_ACCEPT_RA,
	LINK_REQUIRED,
	LINK_DRIFT,
	LINK_ADOPT,
	LINK_DHCP,
	LINK_DNS,
	LINK_SEARCH,
	LINK_ZONE,
	LINK_DISABLE_IPV6,  /* internal, from ipv6 */
	LINK_ADDR_GEN_MODE, /* internal, from ipv6 */
	LINK_FORWARDING4,   /* internal, of networks */
	LINK_FORWARDING6,   /* internal, of networks; the kernel forwards by that of all links together */
	LINK_DNSMASQ,	    /* internal, of networks: see plan/dnsmasq.h */
	LINK_IPTABLES,	    /* internal, of LINK_ALL: see plan/assist.h */
	LINK_LEGACY,	    /* the same for the older iptables */
	LINK_GROUP,	    /* internal, for the way back: many links are deleted as a group */
	_LINK_ROWS,
};

#define LINK_FORWARDING_ROWS (1ull << LINK_FORWARDING4 | 1ull << LINK_FORWARDING6)
/* The rows of PLACE_HOST: the kernel knows nothing of them. */
/* Those that concern the host itself, and what the guests of a network are told. */
#define LINK_RESOLVER_ROWS (1ull << LINK_DNS | 1ull << LINK_SEARCH)
#define LINK_SELF_ROWS (LINK_RESOLVER_ROWS | 1ull << LINK_DHCP | 1ull << LINK_ZONE)
#define LINK_HOST_ROWS (LINK_SELF_ROWS | 1ull << LINK_DNSMASQ | 1ull << LINK_IPTABLES | 1ull << LINK_LEGACY)

enum ipv6_setting { IPV6_NO, IPV6_LINK_LOCAL, IPV6_YES };
enum dhcp_setting { DHCP_NO, DHCP_IPV4, DHCP_IPV6, DHCP_YES }; /* a bit for each family */
enum required_setting { REQUIRED_NO, REQUIRED_EXISTS, REQUIRED_CARRIER, REQUIRED_ADDRESS };
enum drift_setting { DRIFT_REPAIR, DRIFT_REPORT, DRIFT_IGNORE };

/* LINK_MAC's value when it is a word and not an address: above 48 bits. */
#define MAC_INHERIT (1ull << 48)
#define MAC_STABLE (1ull << 49)
