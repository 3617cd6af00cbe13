/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: values of a table while they are read from netlink attributes: every row has a place of its own, so that
 * none has to be moved for another, and what becomes of them has just the room that they need. Thousands of links are
 * read at a time.
 */
#pragma once

#include "option.h"

/* The attributes of a message or nest by their number, which is above every row's; the last of each counts. */
#define ATTRIBUTES_MAX 128

struct attributes {
	const struct nlattr *by_number[ATTRIBUTES_MAX]; /* NULL: not there */
};

/* Does not copy: the message has to stay. */
void attributes_read(struct attributes *as, const void *data, size_t len);
/* nest: NULL: there are none. */
void attributes_read_nested(struct attributes *as, const struct nlattr *nest);

/* Who begins one ends it: the blobs in it are the draft's until then. */
struct draft {
	const struct option_table *table;
	uint64_t set;
	union value rows[OPTION_ROWS_MAX]; /* of the set ones */
};

void draft_begin(struct draft *d, const struct option_table *table);
/* The row is not set yet. Takes over a blob. */
void draft_put(struct draft *d, unsigned row, union value value);
/* Takes the attributes of `place` into the rows that they carry; unknown and malformed ones are passed over. */
void draft_decode(struct draft *d, enum place place, const struct attributes *as);
/* After the last attribute of `place`: sets the OPTION_ZERO_ABSENT rows that were not there. */
void draft_decode_end(struct draft *d, enum place place);
/* The caller frees them. */
struct values *draft_end(const struct draft *d);
