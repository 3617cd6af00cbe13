/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what an operator should know of until it is gone, or until the next apply. */
#include "../log.h"
#include "manager.h"

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

static void problem_done(struct problem *p)
{
	free(p->link);
	free(p->cause);
	free(p->text);
}

static void add(struct manager *m, const char *link, const char *cause, char *text)
{
	*ARRAY_APPEND(m->problems, m->n_problems) = (struct problem){
		.link = link ? xstrdup(link) : NULL,
		.cause = cause ? xstrdup(cause) : NULL,
		.text = text,
	};
	log_error("%s", text);
	manager_tell(m, EVENT_PROBLEM, link, "%s", text);
}

void manager_problem(struct manager *m, const char *link, bool leaves_out, const char *format, ...)
{
	va_list ap;

	if (leaves_out) {
		names_add(&m->left_out, link);
		manager_forget_wanted(m);
	}
	va_start(ap, format);
	add(m, link, NULL, xvasprintf(format, ap));
	va_end(ap);
}

static void drop(struct manager *m, size_t i)
{
	problem_done(&m->problems[i]);
	memmove(&m->problems[i], &m->problems[i + 1], (--m->n_problems - i) * sizeof(*m->problems));
}

void manager_problem_of(struct manager *m, const char *link, const char *cause, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	for (size_t i = 0; i < m->n_problems; i++) {
		const struct problem *p = &m->problems[i];

		if (!same_string(p->cause, cause) || !same_string(p->link, link))
			continue;
		if (streq(p->text, text))
			return;
		drop(m, i);
		break;
	}
	add(m, link, cause, TAKE_PTR(text));
}

void manager_problem_over(struct manager *m, const char *link, const char *cause)
{
	size_t before = m->n_problems;

	for (size_t i = m->n_problems; i-- > 0;)
		if (same_string(m->problems[i].cause, cause) && (!link || same_string(m->problems[i].link, link)))
			drop(m, i);
	if (m->n_problems < before && m->changed)
		m->changed(m, m->userdata);
}

void manager_forget_problems(struct manager *m)
{
	for (size_t i = 0; i < m->n_problems; i++)
		problem_done(&m->problems[i]);
	free(m->problems);
	m->problems = NULL;
	m->n_problems = 0;
	names_done(&m->left_out);
	m->stubborn[0] = '\0';
	m->no_firewall = false;
	manager_forget_wanted(m);
}
