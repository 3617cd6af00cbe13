/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the bonding driver tells of LACP in /proc/net/bonding alone (drivers/net/bonding/bond_procfs.c): churn,
 * and what the two sides say in their LACPDUs. Read anew at every call: it is for people to look at and no part of
 * ACTUAL.
 */
#pragma once

#include <stdio.h>

#include "../model/model.h"

/* One end of a port's link. Numbers as in LACPDUs, host byte order. */
struct lacp_side {
	char churn[16]; /* "none", "monitoring", "churned"; "": not told */
	char system[18];
	unsigned churned; /* how often it was */
	unsigned system_priority, key, port, port_priority;
};

struct lacp_port {
	char name[IFNAMSIZ];
	struct lacp_side actor, partner; /* ours, and the switch's */
};

/*
 * The ports of the bond that have an aggregator; *ret is the caller's to free. Returns how many, or negative errno:
 * -ENOENT, there is no such bond in this network namespace.
 */
int lacp_read(const char *bond, struct lacp_port **ret);
/* The same of that file's text. */
int lacp_parse(FILE *f, struct lacp_port **ret);
