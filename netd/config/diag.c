/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the list of located messages: adding, ordering, printing one. Owns all texts in it. */
#include "diag.h"

static void diag_done(struct diag *d)
{
	free(d->file);
	free(d->section);
	free(d->key);
	free(d->text);
	free(d->meant);
}

void diags_done(struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		diag_done(&d->list[i]);
	free(d->list);
	*d = DIAGS_NULL;
}

static char *copy_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* Takes over the strings of `new`. */
static void diags_append(struct diags *d, struct diag new)
{
	if (new.severity == SEVERITY_ERROR)
		d->n_errors++;
	if (d->n > DIAGS_MAX) {
		diag_done(&new);
		return;
	}
	if (d->n == DIAGS_MAX) {
		diag_done(&new);
		new = (struct diag){
			.severity = SEVERITY_NOTE,
			.text = xasprintf("more than %d messages: the rest is not listed", DIAGS_MAX),
		};
	}
	*ARRAY_APPEND(d->list, d->n) = new;
}

void diag_addv(struct diags *d, enum severity severity, struct loc loc, const char *section, const char *key,
	       const char *format, va_list ap)
{
	struct diag new = {
		.severity = severity,
		.file = copy_or_null(d->sources ? sources_name(d->sources, loc) : NULL),
		.line = loc.line,
		.section = copy_or_null(section),
		.key = copy_or_null(key),
		.text = xvasprintf(format, ap),
	};

	diags_append(d, new);
}

void diag_add(struct diags *d, enum severity severity, struct loc loc, const char *section, const char *key,
	      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diag_addv(d, severity, loc, section, key, format, ap);
	va_end(ap);
}

void diag_add_file(struct diags *d, enum severity severity, const char *file, const char *format, ...)
{
	struct diag new = {.severity = severity, .file = xstrdup(file)};
	va_list ap;

	va_start(ap, format);
	new.text = xvasprintf(format, ap);
	va_end(ap);
	diags_append(d, new);
}

void diag_set_meant(struct diags *d, const char *key)
{
	struct diag *last = d->n ? &d->list[d->n - 1] : NULL;

	if (!last)
		return;
	free(last->meant);
	last->meant = xstrdup(key);
}

void diag_set_doubt(struct diags *d, enum doubt doubt)
{
	if (d->n)
		d->list[d->n - 1].doubt = doubt;
}

void diag_move(struct diags *d, struct diag *from)
{
	diags_append(d, *from);
	*from = (struct diag){0};
}

struct ranked {
	struct diag diag;
	size_t file;
	size_t seq;
};

static int ranked_compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->diag.line != y->diag.line)
		return x->diag.line < y->diag.line ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Messages about no file of the configuration come last. */
static size_t file_rank(const struct sources *s, const char *file)
{
	for (size_t i = 0; s && file && i < s->n; i++)
		if (streq(s->names[i], file))
			return i;
	return SIZE_MAX;
}

static bool string_same(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

static bool diag_same(const struct diag *a, const struct diag *b)
{
	return a->line && a->line == b->line && string_same(a->file, b->file) && string_same(a->key, b->key) &&
	       streq(a->text, b->text);
}

void diags_sort(struct diags *d, size_t first)
{
	size_t n = d->n - MIN(first, d->n);
	_cleanup_free_ struct ranked *ranked = xcalloc(n, sizeof(*ranked));

	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){
			.diag = d->list[first + i],
			.file = file_rank(d->sources, d->list[first + i].file),
			.seq = i,
		};
	qsort(ranked, n, sizeof(*ranked), ranked_compare);
	d->n -= n;
	for (size_t i = 0; i < n; i++) {
		struct diag *diag = &ranked[i].diag;

		if (d->n > first && diag_same(&d->list[d->n - 1], diag)) {
			d->n_errors -= diag->severity == SEVERITY_ERROR;
			diag_done(diag);
			continue;
		}
		d->list[d->n++] = *diag;
	}
}

static void print_place(const struct diag *d, FILE *f)
{
	if (d->file)
		fprintf(f, "%s:", d->file);
	if (d->file && d->line)
		fprintf(f, "%u:", d->line);
	if (d->file)
		fputc(' ', f);
}

static void print_words(const struct diag *d, FILE *f)
{
	if (d->section)
		fprintf(f, "[%s] ", d->section);
	if (d->key)
		fprintf(f, "%s: ", d->key);
	fputs(d->text, f);
}

void diag_print(const struct diag *d, FILE *f)
{
	print_place(d, f);
	fprintf(f, "%s: ", severity_name(d->severity));
	print_words(d, f);
}

void diag_print_bare(const struct diag *d, FILE *f)
{
	print_place(d, f);
	print_words(d, f);
}

const char *severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_NOTE:
		return "note";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_ERROR:
		return "error";
	}
	return "";
}

char *diag_place(const struct diags *d, struct loc place)
{
	const char *name = d->sources ? sources_name(d->sources, place) : NULL;

	return name ? xasprintf("%s:%u", name, (unsigned)place.line) : xasprintf("line %u", (unsigned)place.line);
}
