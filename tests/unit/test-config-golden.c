/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: every message the configuration parser can give, word for word. tests/golden/config/NAME.ini (or all files
 * of the directory NAME.d, as one configuration) is parsed, and what it says must be NAME.expected; a file without that
 * must parse without a word. After a change that is meant: UPDATE=1 writes the .expected files; read the diff.
 */
#include "../../netd/config/config.h"
#include "golden.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sys/stat.h>

#include <cmocka.h>

#define GOLDEN "tests/golden/config"
#define RUN_MAX 512

/* Messages as printed, without the directory in front, so that they read the same from everywhere. */
static char *messages_of(const char *path)
{
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	struct config *c;
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	assert_int_equal(config_files_read(&files, path, &d), 0);
	for (size_t i = 0; i < files.n; i++) {
		char *base = xstrdup(strrchr(files.list[i].name, '/') + 1);

		free(files.list[i].name);
		files.list[i].name = base;
	}
	c = config_parse(&files, &d);
	for (size_t i = 0; i < d.n; i++) {
		diag_print(&d.list[i], f);
		fputc('\n', f);
	}
	fclose(f);
	config_free(c);
	diags_done(&d);
	config_files_done(&files);
	return text;
}

static void test_golden(void **state)
{
	const char *file = *state, *dot = strrchr(file, '.');
	_cleanup_free_ char *path = xasprintf(GOLDEN "/%s", file);
	_cleanup_free_ char *expected_path = xasprintf(GOLDEN "/%.*s.expected", (int)(dot - file), file);
	_cleanup_free_ char *actual = messages_of(path);

	golden_compare(expected_path, actual);
}

static int is_input(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && (streq(dot, ".ini") || streq(dot, ".d"));
}

int main(void)
{
	struct CMUnitTest tests[RUN_MAX] = {0};
	struct dirent **entries;
	int n = scandir(GOLDEN, &entries, is_input, alphasort), r;

	if (n <= 0 || n > RUN_MAX) {
		print_error("run from the top of the source tree, where " GOLDEN " is\n");
		return 1;
	}
	for (int i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){
			.name = entries[i]->d_name,
			.test_func = test_golden,
			.initial_state = entries[i]->d_name,
		};
	r = _cmocka_run_group_tests("config golden", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return r;
}
