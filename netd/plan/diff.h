/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: EFFECTIVE against ACTUAL, link by link: which rows, relations, addresses, routes and VLANs differ. The
 * planner turns this into ops; status shows it as drift; after an apply it must be empty. Pure.
 */
#pragma once

#include "resolve.h"

struct link_diff {
	const struct link *want;    /* in the effective model; NULL: the link is to be removed */
	const struct link *have;    /* in the actual model; NULL: the link is to be created */
	uint64_t common, own, port; /* rows whose value differs; for a link to be created: all rows wanted */
	bool recreate; /* a row differs that the kernel takes at creation only, or the kind or parent does */
	bool master;
	bool vlans;
	bool addresses, routes; /* some are missing or too many */
};

struct diff {
	struct link_diff *list;
	size_t n;
};

#define DIFF_NULL ((struct diff){0})
void diff_done(struct diff *d);

struct diff_input {
	const struct effective *effective;
	const struct model *actual;
	const struct ledger *ledger;
	const struct firewall *firewall; /* as found; NULL: nothing is planned about it */
};

/* Every link with a difference. Links that wait for an absent device are left out. */
void diff_models(const struct diff_input *in, struct diff *ret);
/* One wanted link; returns whether anything differs. */
bool diff_link(const struct diff_input *in, const struct link *want, struct link_diff *ret);

/* Of a link that is to be made, or made anew: all that it is to have. */
void diff_as_new(const struct diff_input *in, struct link_diff *d);

/* Does the mode of the bond that the option is of, or of whose port it is, allow it? Also of what is no bond. */
bool diff_mode_allows(const struct link *bond, const struct option *o);
/* The rows of the link's own that its mode allows. */
uint64_t diff_rows_of_mode(const struct link *l);
/* Is the row, as wanted, what the kernel shows? */
bool diff_row_equal(const struct model *actual, const struct option *o, union value want, const struct values *have,
		    unsigned row);
/* Addresses and routes one by one: is this one wanted and missing / there and to go? */
bool diff_address_missing(const struct link *want, const struct link *have, const struct address *wanted);
bool diff_address_wanted(const struct link *want, const struct address *found);
bool diff_address_extra(const struct diff_input *in, const struct link *want, const struct link *have,
			const struct address *found);
bool diff_route_missing(const struct link *have, const struct route *wanted);
bool diff_route_extra(const struct diff_input *in, const struct link *want, const struct link *have,
		      const struct route *found);

/* Is it to be there in the end, as it is? */
bool diff_route_stays(const struct diff_input *in, const struct link *want, const struct link *have,
		      const struct route *found);

/* What differs, in words, one call per difference: for status and for errors after a read-back. */
struct difference {
	const char *link;
	char key[64];
	char *declared, *found; /* valid during the call */
	struct loc loc;
};
typedef void difference_fn(const struct difference *d, void *userdata);
void diff_describe(const struct diff_input *in, const struct link_diff *d, difference_fn *fn, void *userdata);
