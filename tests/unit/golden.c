/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: golden.h. */
#include "golden.h"

#include "../../netd/util.h"

#include <setjmp.h>

#include <cmocka.h>

char *golden_read(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		return xstrdup("");
	}
	return text;
}

static void update(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *f = *text ? fopen(path, "w") : NULL;

	if (!*text)
		unlink(path);
	else if (!f || fputs(text, f) < 0)
		fail_msg("%s cannot be written", path);
}

static void show_difference(const char *path, const char *text)
{
	_cleanup_free_ char *command = xasprintf("diff -u -N %s - >&2", path);
	FILE *f = popen(command, "w");

	if (!f)
		return;
	fputs(text, f);
	pclose(f);
}

void golden_compare(const char *path, const char *text)
{
	_cleanup_free_ char *expected = golden_read(path);

	if (getenv("UPDATE")) {
		update(path, text);
		return;
	}
	if (streq(text, expected))
		return;
	show_difference(path, text);
	fail_msg("%s says something else", path);
}
