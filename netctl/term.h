/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what an operator looks at: colour and box drawing on a terminal, plain ASCII elsewhere; columns; a pager for
 * what does not fit on the screen.
 */
#pragma once

#include "netctl.h"

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
};

/* One screenful or more: written into memory, and shown at the end. */
struct term {
	FILE *out; /* print here */
	bool color, boxes, pager;
	unsigned width; /* columns; 0: as wide as it takes */
	unsigned height;
	char *text;
	size_t len;
};

void term_open(struct term *t, const struct options *o);
/* Shows it, through a pager if that is needed and wanted. */
void term_close(struct term *t);

/* Text of others: control characters and what could steer a terminal become '?'. */
void print_safe(const char *text, FILE *f);
/* Columns that a text takes. */
size_t text_width(const char *text);
void term_styled(struct term *t, enum style style, const char *text);
/* "\n", then a line in bold. */
void term_heading(struct term *t, const char *text);

#define TABLE_COLUMNS_MAX 12

struct cell {
	char *text; /* owned; NULL: empty */
	enum style style;
};

struct row {
	struct cell cells[TABLE_COLUMNS_MAX];
	size_t lead; /* bytes that the first cell begins with and that are drawing, not text */
	char *note;  /* owned: the row is this line across all columns, behind the first cell */
	enum style note_style;
};

/* Columns that are as wide as their widest cell, and left out when all their cells are empty. */
struct table {
	const char *const *titles; /* NULL: no line of titles */
	unsigned n_columns;
	unsigned indent;
	const char
		*drop; /* columns to leave out first when the terminal is too narrow: "4", "43": digits in that order */
	struct row *rows;
	size_t n_rows;
};

struct row *table_row(struct table *t);
void cell_set(struct row *r, unsigned column, enum style style, const char *format, ...) _printf_(4, 5);
/* Prints and empties it. */
void table_print(struct table *t, struct term *term);
