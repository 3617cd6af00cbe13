/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: other firewalls of the host, as far as they are in the way of guests: chains of nftables that judge what is
 * forwarded or comes in, and our own rules in those of iptables. An accept in our table is no more than that: any other
 * chain of the same hook may still drop the packet.
 */
#pragma once

#include <net/if.h>

#include "../util.h"

enum foreign_hook { FOREIGN_FORWARD, FOREIGN_INPUT };

/* A base chain that is not ours. */
struct foreign_chain {
	uint8_t family;	    /* NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6 */
	char *table, *name; /* owned */
	enum foreign_hook hook;
	bool policy_drops;
	bool end_drops;		 /* its last rule takes whatever comes that far, and drops or rejects it */
	bool has_jump;		 /* one of its rules is our jump */
	char (*links)[IFNAMSIZ]; /* owned; whose names its rules have: somebody thought of them */
	size_t n_links;
};

/* A rule of ours in one of our chains there. */
struct foreign_rule {
	uint8_t family;
	char chain[32];
	char *comment; /* owned; see plan/assist.h */
};

/* Those on nftables, or those of the older iptables, which is beside it: one struct for each. */
struct foreign {
	bool is_legacy; /* the latter */
	struct foreign_chain *chains;
	size_t n_chains;
	struct foreign_rule *rules;
	size_t n_rules;
	char **own_chains; /* owned; "4 KVMNETD-FWD" */
	size_t n_own_chains;
};

#define FOREIGN_NULL ((struct foreign){0})
void foreign_done(struct foreign *f);
bool foreign_equal(const struct foreign *a, const struct foreign *b);
struct foreign_chain *foreign_add_chain(struct foreign *f, uint8_t family, const char *table, const char *name);
void foreign_add_rule(struct foreign *f, uint8_t family, const char *chain, const char *comment);
void foreign_add_own_chain(struct foreign *f, uint8_t family, const char *name);
bool foreign_has_own_chain(const struct foreign *f, uint8_t family, const char *name);

/* Does it drop what none of its rules accepted? */
static inline bool foreign_drops(const struct foreign_chain *c)
{
	return c->policy_drops || c->end_drops;
}

/* Is it one that iptables(8) keeps, and nobody else may write? */
bool foreign_is_iptables(const struct foreign_chain *c);
/* The chain of iptables for that hook; NULL: there is none. family: NFPROTO_IPV4 or NFPROTO_IPV6. */
const struct foreign_chain *foreign_iptables(const struct foreign *f, uint8_t family, enum foreign_hook hook);
