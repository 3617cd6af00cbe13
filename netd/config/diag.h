/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what is wrong, as data: a list of located messages that the core collects and the rims
 * (netctl, the daemon's log and replies) print. Nothing in the core prints.
 */
#pragma once

#include "../model/loc.h"
#include "../util.h"

enum severity {
	SEVERITY_NOTE,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
};

/* What else is not known because of what is wrong here; check.c keeps back what would only follow from it. */
enum doubt {
	DOUBT_KEY,  /* the key's value, and what is said of it */
	DOUBT_ITEM, /* an item of the key's list: the other items stand */
	DOUBT_NOTHING,
};

struct diag {
	enum severity severity;
	char *file;    /* owned; NULL when it concerns no file */
	unsigned line; /* from 1; 0 when it concerns the whole file */
	char *section; /* owned, as written: "bond bond0"; NULL when outside sections */
	char *key;     /* owned; NULL when it concerns the section */
	char *text;    /* owned: what is wrong (what would be right) */
	char *meant;   /* owned: the key that a mistyped one was to be, probably; NULL: nothing of the kind */
	enum doubt doubt;
};

struct diags {
	struct diag *list;
	size_t n;
	size_t n_errors;
	const struct sources *sources; /* borrowed: names of the files that a struct loc points into */
};

/* The list stops here: a file of rubbish must not cost memory without bound. n_errors goes on counting. */
#define DIAGS_MAX 10000

void diags_done(struct diags *d);
#define DIAGS_NULL ((struct diags){0})

/* Adds one message. section and key may be NULL and are copied. */
void diag_add(struct diags *d, enum severity severity, struct loc loc, const char *section, const char *key,
	      const char *format, ...) _printf_(6, 7);
void diag_addv(struct diags *d, enum severity severity, struct loc loc, const char *section, const char *key,
	       const char *format, va_list ap) _printf_(6, 0);
/* Adds one about a whole file that has no struct loc (it could not be read). */
void diag_add_file(struct diags *d, enum severity severity, const char *file, const char *format, ...) _printf_(4, 5);
/* Says of the message added last which key was meant. */
void diag_set_meant(struct diags *d, const char *key);
/* Says it of the message added last; DOUBT_KEY unless said. */
void diag_set_doubt(struct diags *d, enum doubt doubt);
/* Adds a message taken from another list: its texts move, what is left of it is empty. */
void diag_move(struct diags *d, struct diag *from);
/*
 * Orders the messages from number `first` on by file (in the order of d->sources) and line; of one line, as they were
 * added. What is said twice of one key in one line (of a [port GLOB] line, for each port) is kept once.
 */
void diags_sort(struct diags *d, size_t first);

/* One line without newline: "FILE:LINE: error: [SECTION] KEY: TEXT"; parts that are absent are left out. */
void diag_print(const struct diag *d, FILE *f);
/* The same without the severity, for a log that has its own way to say it. */
void diag_print_bare(const struct diag *d, FILE *f);
const char *severity_name(enum severity severity);

/* Another place, for messages that name two: "FILE:LINE". The caller frees it. */
char *diag_place(const struct diags *d, struct loc place);
