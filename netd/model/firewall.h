/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the nftables table `inet kvmnetd` as data, wanted and found: maps, chains and elements. Every rule of ours
 * carries the digest of its text as its comment, so that what the kernel has can be compared with what is wanted
 * without understanding its expressions, and without remembering anything.
 */
#pragma once

#include <net/if.h>

#include "../util.h"

#define FIREWALL_TABLE "kvmnetd"

struct firewall_map {
	char *name;
	char *definition; /* "map fwd_from { type ifname : verdict; }"; NULL: as found in the kernel */
};

struct firewall_rule {
	char *text;	/* without the comment; NULL: as found */
	char digest[9]; /* 8 hex digits and NUL; "": a rule that is not ours */
};

struct firewall_chain {
	char *name;
	char *base; /* "type filter hook forward priority -5; policy accept;"; NULL: none */
	struct firewall_rule *rules;
	size_t n_rules;
};

struct firewall_element {
	char *map;   /* its name */
	char *key;   /* "\"natbr0\"", "tcp . 8080" */
	char *value; /* "jump from_natbr0", "192.0.2.10 . 80"; NULL: it is a set */
};

/* Wanted ones stand in an order in which each refers only to what stands before it. Owns everything in it. */
struct firewall {
	bool present; /* the table is there, or is to be */
	bool dormant; /* it is there, and the kernel asks it nothing; never wanted */
	struct firewall_map *maps;
	size_t n_maps;
	struct firewall_chain *chains;
	size_t n_chains;
	struct firewall_element *elements;
	size_t n_elements;
};

#define FIREWALL_NULL ((struct firewall){0})
void firewall_done(struct firewall *f);

/* Each copies its texts, and makes the table present. */
void firewall_add_map(struct firewall *f, const char *name, const char *definition);
struct firewall_chain *firewall_add_chain(struct firewall *f, const char *name, const char *base);
void firewall_add_rule(struct firewall_chain *c, const char *format, ...) _printf_(2, 3);
/* As found: the comment, or NULL. */
void firewall_add_found_rule(struct firewall_chain *c, const char *comment);
void firewall_add_element(struct firewall *f, const char *map, const char *key, const char *value);

/* NULL: there is none. */
const struct firewall_chain *firewall_find_chain(const struct firewall *f, const char *name);
bool firewall_has_map(const struct firewall *f, const char *name);
/* By map and key, for sorting and searching. */
int firewall_element_compare(const void *a, const void *b);
bool firewall_chain_equal(const struct firewall_chain *want, const struct firewall_chain *have);
