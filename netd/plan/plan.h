/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the ordered list of kernel changes that makes ACTUAL what EFFECTIVE says. Pure. One op is one message (or
 * one sysctl write); the list is what `netctl plan` prints and exactly what is executed.
 *
 * Ownership: a plan borrows links, addresses and routes from the effective and actual models it was made of; both must
 * outlive it. It owns the list and its texts.
 */
#pragma once

#include "../model/model.h"

enum impact {
	IMPACT_NONE,	 /* something new: nothing running is touched */
	IMPACT_LIVE,	 /* changed while traffic flows */
	IMPACT_FLAP,	 /* the link goes down and up, or leaves and rejoins its master */
	IMPACT_GONE,	 /* a link goes, as it was asked for */
	IMPACT_RECREATE, /* a link is deleted and made again */
	IMPACT_GUESTS,	 /* ports that are not ours are cut off */
};

enum op_type {
	OP_CREATE,	/* RTM_NEWLINK CREATE|EXCL */
	OP_SET,		/* RTM_NEWLINK on an existing link: rows, master, up/down */
	OP_DELETE,	/* RTM_DELLINK */
	OP_VLAN_ADD,	/* AF_BRIDGE RTM_SETLINK */
	OP_VLAN_DELETE, /* AF_BRIDGE RTM_DELLINK */
	OP_ADDRESS_ADD,
	OP_ADDRESS_DELETE,
	OP_ROUTE_ADD, /* CREATE|REPLACE */
	OP_ROUTE_DELETE,
	OP_SYSCTL,   /* one /proc/sys/net/ipv6/conf write */
	OP_HOST,     /* rows of PLACE_HOST: another program of the host is told */
	OP_FIREWALL, /* commands for nftables; those that follow each other are one transaction */
	OP_PUT_BACK, /* for who reads the plan: what of others is put back when its other ops are done */
};

enum op_master { MASTER_KEEP, MASTER_JOIN, MASTER_LEAVE };
enum op_flags { FLAGS_KEEP, FLAGS_UP, FLAGS_DOWN };

struct op {
	enum op_type type;
	enum impact impact;
	const struct link *link; /* whose values are sent; its name is the target */
	/* Rows of link->common / own / port that this message carries. */
	uint64_t common, own, port;
	enum op_master master;
	enum op_flags flags;
	const struct link *have;	/* as it was when planned, for texts; NULL: does not exist yet */
	char master_name[IFNAMSIZ];	/* MASTER_JOIN */
	const struct kind *master_kind; /* of port rows: IFLA_INFO_SLAVE_KIND */
	const struct address *address;
	const struct route *route;
	struct bridge_vlan *vlans; /* owned; sorted */
	size_t n_vlans;
	uint32_t ifindex; /* OP_CREATE: of the link it makes; 0: not chosen yet, see plan_number() */
	bool glued;	  /* must follow its predecessor in the same send */
	bool apart;	  /* is not sent before all that precedes it has succeeded: of one send the kernel does all */
	struct loc loc;
	char *text, *commands; /* owned; OP_FIREWALL: in words, and what nftables is told; OP_PUT_BACK: in words */
	char *why;	       /* owned; NULL: obvious. "mode needs the bond down and without ports" */
};

struct plan {
	struct op *ops;
	size_t n;
	struct link **
		scratch; /* owned: links with values that only exist on the way (an MTU to pin, map entries to clear) */
	size_t n_scratch;
};

void plan_done(struct plan *p);
/* Frees what the op owns; for one that is taken out of a plan. */
void op_done(struct op *op);
#define PLAN_NULL ((struct plan){0})
/*
 * Chooses the ifindexes of the links that the plan makes, *next and those after it: what was made is known by them,
 * also to who finds the plan half done.
 */
void plan_number(struct plan *p, uint32_t *next);

/* One line: "create bridge br0 (mac 52:..., up)". Without newline. */
void op_print(const struct op *op, FILE *f);
/* "none", "live", "link-flap", "link-gone", "recreate", "guests-cut-off": names of the interface. */
const char *impact_name(enum impact impact);
enum impact plan_impact(const struct plan *p);
/* The printed list, a line for each op. The caller frees it. */
char *plan_lines(const struct plan *p);
/* 16 hex digits and NUL over the printed list: the plan's id. */
void plan_lines_id(const char *lines, char id[17]);
void plan_id(const struct plan *p, char id[17]);
