/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: see term.h.
 */
#include "term.h"

#include <langinfo.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

/* https://no-color.org: set and not empty. */
static bool no_color_wanted(void)
{
	const char *value = getenv("NO_COLOR");

	return value && *value;
}

void term_open(struct term *t, const struct options *o)
{
	bool tty = isatty(STDOUT_FILENO);
	const char *type = getenv("TERM");
	struct winsize size = {0};

	*t = (struct term){0};
	t->out = xmemstream(&t->text, &t->len);
	if (!tty)
		return;
	t->color = !o->no_color && !no_color_wanted() && type && !streq(type, "dumb");
	t->boxes = streq(nl_langinfo(CODESET), "UTF-8");
	t->pager = !o->no_pager;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		t->width = size.ws_col;
		t->height = size.ws_row;
	}
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* By sudo one may be root for netctl alone: a pager of one's own, or a shell out of less, would be root for all. */
static bool is_lent(void)
{
	return getenv("SUDO_UID") != NULL;
}

static const char *pager_wanted(void)
{
	return is_lent() ? NULL : getenv("PAGER");
}

static void pager_run(int in)
{
	const char *pager = pager_wanted();

	dup2(in, STDIN_FILENO);
	if (is_lent()) {
		setenv("LESSSECURE", "1", 1);
		unsetenv("LESSOPEN");
		unsetenv("LESSCLOSE");
		unsetenv("LESS");
	}
	setenv("LESS", "FRSX", 0);
	if (pager && *pager)
		execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
	execlp("less", "less", (char *)NULL);
	/* That one has a way to a shell, and no way to close it. */
	if (!is_lent())
		execlp("more", "more", (char *)NULL);
	execlp("cat", "cat", (char *)NULL);
	_exit(127);
}

/* Returns false when there is no pager to be had. */
static bool page(const struct term *t)
{
	const char *pager = pager_wanted();
	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, broken_pipe;
	int fds[2];
	pid_t child;

	if ((pager && streq(pager, "cat")) || pipe(fds) < 0)
		return false;
	child = fork();
	if (child < 0) {
		close(fds[0]);
		close(fds[1]);
		return false;
	}
	if (child == 0) {
		close(fds[1]);
		pager_run(fds[0]);
	}
	close(fds[0]);
	/* ^C is the pager's; that it ends before it has read all is nothing to die of. */
	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGPIPE, &ignore, &broken_pipe);
	write_all(fds[1], t->text, t->len);
	close(fds[1]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGPIPE, &broken_pipe, NULL);
	return true;
}

void term_close(struct term *t)
{
	fclose(t->out);
	fflush(stdout);
	if (!t->pager || !t->height || count_lines(t->text, t->len) < t->height || !page(t))
		fwrite(t->text, 1, t->len, stdout);
	fflush(stdout);
	free(t->text);
	*t = (struct term){0};
}

static void print_safe_n(const char *text, size_t n, FILE *f)
{
	const unsigned char *c = (const unsigned char *)text, *end = c + n;

	for (; c < end; c++) {
		bool c1 = c[0] == 0xc2 && c + 1 < end && c[1] >= 0x80 && c[1] < 0xa0;

		fputc(*c < 0x20 || *c == 0x7f || c1 ? '?' : *c, f);
		c += c1;
	}
}

void print_safe(const char *text, FILE *f)
{
	print_safe_n(text, strlen(text), f);
}

size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void term_styled_n(struct term *t, enum style style, const char *text, size_t n)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "",	  [STYLE_BOLD] = "\33[1m",  [STYLE_DIM] = "\33[2m",
		[STYLE_GOOD] = "\33[32m", [STYLE_WARN] = "\33[33m", [STYLE_BAD] = "\33[31m",
	};
	bool on = t->color && style != STYLE_PLAIN && n;

	if (on)
		fputs(codes[style], t->out);
	print_safe_n(text, n, t->out);
	if (on)
		fputs("\33[0m", t->out);
}

void term_styled(struct term *t, enum style style, const char *text)
{
	term_styled_n(t, style, text, strlen(text));
}

void term_heading(struct term *t, const char *text)
{
	fputc('\n', t->out);
	term_styled(t, STYLE_BOLD, text);
	fputc('\n', t->out);
}

struct row *table_row(struct table *t)
{
	return ARRAY_APPEND(t->rows, t->n_rows);
}

void cell_set(struct row *r, unsigned column, enum style style, const char *format, ...)
{
	va_list ap;

	free(r->cells[column].text);
	va_start(ap, format);
	r->cells[column].text = xvasprintf(format, ap);
	va_end(ap);
	r->cells[column].style = style;
}

static void measure(const struct table *t, size_t *widths)
{
	for (size_t i = 0; i < t->n_rows; i++)
		for (unsigned c = 0; c < t->n_columns; c++)
			if (t->rows[i].cells[c].text && !(c == 0 && t->rows[i].note))
				widths[c] = MAX(widths[c], text_width(t->rows[i].cells[c].text));
	for (unsigned c = 0; c < t->n_columns; c++)
		if (widths[c] && t->titles)
			widths[c] = MAX(widths[c], strlen(t->titles[c]));
}

/* Leaves out columns until the rest fits; the last column may be as wide as it likes. */
static void fit(const struct table *t, const struct term *term, size_t *widths)
{
	size_t total = t->indent;

	for (unsigned c = 0; c < t->n_columns; c++)
		total += widths[c] ? widths[c] + 2 : 0;
	for (const char *drop = t->drop; drop && *drop && term->width && total > term->width; drop++) {
		size_t *width = &widths[*drop - '0'];

		total -= *width ? *width + 2 : 0;
		*width = 0;
	}
}

static void print_cell(struct term *term, const struct cell *cell, size_t lead, size_t width, size_t *pad)
{
	fprintf(term->out, "%*s", (int)*pad, "");
	term_styled_n(term, STYLE_DIM, cell->text, lead);
	term_styled(term, cell->style, cell->text + lead);
	*pad = width + 2 - text_width(cell->text);
}

static void print_row(const struct table *t, struct term *term, const struct row *r, const size_t *widths)
{
	size_t pad = t->indent; /* spaces still owed: none at the end of a line */

	if (r->note) {
		fprintf(term->out, "%*s", (int)pad, "");
		term_styled(term, r->cells[0].style, r->cells[0].text ? r->cells[0].text : "");
		term_styled(term, r->note_style, r->note);
		fputc('\n', term->out);
		return;
	}
	for (unsigned c = 0; c < t->n_columns; c++) {
		if (!widths[c])
			continue;
		if (r->cells[c].text && *r->cells[c].text)
			print_cell(term, &r->cells[c], c == 0 ? r->lead : 0, widths[c], &pad);
		else
			pad += widths[c] + 2;
	}
	fputc('\n', term->out);
}

static void print_titles(const struct table *t, struct term *term, const size_t *widths)
{
	size_t pad = t->indent;

	for (unsigned c = 0; c < t->n_columns; c++) {
		if (!widths[c])
			continue;
		fprintf(term->out, "%*s", (int)pad, "");
		term_styled(term, STYLE_DIM, t->titles[c]);
		pad = widths[c] + 2 - strlen(t->titles[c]);
	}
	fputc('\n', term->out);
}

void table_print(struct table *t, struct term *term)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	measure(t, widths);
	fit(t, term, widths);
	if (t->titles && t->n_rows)
		print_titles(t, term, widths);
	for (size_t i = 0; i < t->n_rows; i++) {
		struct row *r = &t->rows[i];

		print_row(t, term, r, widths);
		for (unsigned c = 0; c < t->n_columns; c++)
			free(r->cells[c].text);
		free(r->note);
	}
	free(t->rows);
	t->rows = NULL;
	t->n_rows = 0;
}
