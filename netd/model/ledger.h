/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what kvmnetd made and what it found before it first changed something, as data. It decides what is ours to
 * delete, and what a key that leaves the configuration goes back to. Pure; reconcile/state.c keeps it on disk.
 */
#pragma once

#include "model.h"
#include "names.h"

enum vlans_found {
	VLANS_UNTOUCHED,
	VLANS_INITIAL, /* as the kernel gives them: the bridge's default PVID, whatever that is */
	VLANS_LISTED,  /* those of struct record */
};

/* Of these, too, there are thousands. */
struct record {
	char name[IFNAMSIZ];
	const struct kind *kind;
	uint64_t mac; /* address inherited from a port when it was made; 0: none */
	/* The values found before the first write; NULL: nothing written. For links we made, the kernel's initial ones.
	 */
	struct values *common, *own, *port;
	const struct kind *port_kind; /* the kind whose port table `port` uses */
	struct bridge_vlan *vlans;    /* found before the first write: see vlans_found */
	struct address *addresses;    /* that we added */
	uint32_t n_vlans, n_addresses;
	uint32_t ifindex;  /* of the link we mean, or are about to make; 0 with `created`: it is not there */
	uint32_t replaces; /* the one of ours that goes when this one is made; 0: none, or it is gone */
	enum vlans_found vlans_found;
	char master[IFNAMSIZ];	     /* with `joined` */
	char found_master[IFNAMSIZ]; /* what it was in before that; "": in none */
	bool created : 1;	     /* we made this link */
	bool joined : 1;	     /* we attached it to a master */
	/* Which of them a section said, so that the other one is not ours to put back. */
	bool wrote_pvid : 1, wrote_vlans : 1;
	bool changed : 1; /* since it was written down; whoever changes it calls ledger_note() */
};

/*
 * There are thousands of records and most changes are about a few of them: what is on disk grows by these.
 */
struct ledger {
	struct record **list; /* sorted by name */
	size_t n;
	char (*changed)[IFNAMSIZ]; /* of records that came, changed or went since they were written down; may repeat */
	size_t n_changed;
	bool is_written; /* the file says all but what changed; else it has to be written as a whole */
	size_t n_lines;	 /* in the file */
};

#define LEDGER_NULL ((struct ledger){0})
void ledger_done(struct ledger *l);
struct record *ledger_find(const struct ledger *l, const char *name);
/* The record of that name to be changed, made when there is none. */
struct record *ledger_get(struct ledger *l, const char *name, const struct kind *kind);
void ledger_remove(struct ledger *l, const char *name);
/* A record of it changes, and is to be written down. */
void ledger_note(struct ledger *l, struct record *r);
/* Nothing has changed since it was written down in so many lines. */
void ledger_set_written(struct ledger *l, size_t lines);

/* Records as they were before a change. */
struct ledger_past {
	bool all; /* of every name; else of these, of which those without a record had none */
	struct names names;
	struct ledger records;
};

#define LEDGER_PAST_NULL ((struct ledger_past){0})
void ledger_past_done(struct ledger_past *past);
/* Remembers the records of these names, NULL: of all, as they are now. What is remembered already stays as it is. */
void ledger_keep(struct ledger_past *past, const struct ledger *l, const struct names *names);
/* Makes the ledger what it was, and forgets. */
void ledger_put_back(struct ledger_past *past, struct ledger *l);

/* Is the record about this link of the kernel, which has its name, and not about one before it? */
bool record_fits(const struct record *r, const struct link *have);
/* Did we make this link of the kernel? By name, kind and ifindex, which a create has from before it is sent. */
bool ledger_made(const struct ledger *l, const struct link *have);
/* Did we add this address to that link? By the record, or by the protocol number where the kernel keeps it. */
bool ledger_added(const struct ledger *l, const struct link *have, const struct address *a);
