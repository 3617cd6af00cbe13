/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: which files of a directory are the configuration, and what is said of those that are not. */
#include "parsed.h"

#include <sys/stat.h>

struct dir {
	char path[64];
};

static void dir_done(struct dir *dir)
{
	_cleanup_free_ char *command = xasprintf("rm -rf %s", dir->path);

	assert_int_equal(system(command), 0);
}

static struct dir dir_new(void)
{
	struct dir dir = {"/tmp/kvmnetd-test-XXXXXX"};

	assert_non_null(mkdtemp(dir.path));
	return dir;
}

static void put_file(const struct dir *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir->path, name);
	_cleanup_fclose_ FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void test_a_directory_is_its_ini_files_in_byte_order(void **state _unused_)
{
	_cleanup_(dir_done) struct dir dir = dir_new();
	static const char *const names[] = {"b.ini", "10.ini", "B.ini", "9.ini", ".x.ini", "a.ini~", "c.off", ".ini"};
	static const char *const want[] = {"10.ini", "9.ini", "B.ini", "b.ini"};
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put_file(&dir, names[i], names[i]);
	assert_int_equal(config_files_read(&files, dir.path, &d), 0);
	assert_int_equal(d.n, 0);
	assert_int_equal(files.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < files.n; i++) {
		assert_string_equal(strrchr(files.list[i].name, '/') + 1, want[i]);
		assert_memory_equal(files.list[i].text, want[i], files.list[i].len);
	}
	config_files_done(&files);
}

static void test_a_file_that_is_passed_over_is_named_unless_it_was_put_aside(void **state _unused_)
{
	_cleanup_(dir_done) struct dir dir = dir_new();
	static const char *const silent[] = {"a.ini~",	   "a.ini.bak",	     "a.ini.dpkg-old", "a.ini.rpmsave",
					     ".a.ini.swp", "a.ini.ucf-dist", "#a.ini#",	       "README",
					     "README.md",  "a.ini.off",	     "a.ini.disabled"};
	static const char *const named[] = {"host.INI", "host.conf", "host"};
	_cleanup_free_ char *sub = xasprintf("%s/host.d", dir.path);
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;

	assert_int_equal(mkdir(sub, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		put_file(&dir, silent[i], "[bridge br0]\n");
	assert_int_equal(config_files_read(&files, dir.path, &d), 0);
	assert_int_equal(d.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		put_file(&dir, named[i], "[bridge br0]\n");
	assert_int_equal(config_files_read(&files, dir.path, &d), 0);
	assert_int_equal(files.n, 0);
	assert_int_equal(d.n, ARRAY_SIZE(named));
	for (size_t i = 0; i < d.n; i++) {
		assert_int_equal(d.list[i].severity, SEVERITY_WARNING);
		assert_non_null(strstr(d.list[i].file, "/host"));
		assert_non_null(strstr(d.list[i].text, "rename it to host.ini"));
	}
	diags_done(&d);
}

static void test_what_cannot_be_read_is_named(void **state _unused_)
{
	_cleanup_(dir_done) struct dir dir = dir_new();
	_cleanup_free_ char *fifo = xasprintf("%s/1.ini", dir.path), *sub = xasprintf("%s/2.ini", dir.path);
	_cleanup_free_ char *dangling = xasprintf("%s/3.ini", dir.path), *none = xasprintf("%s/none", dir.path);
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;

	assert_int_equal(config_files_read(&files, dir.path, &d), 0);
	assert_int_equal(files.n, 0);
	put_file(&dir, "4.ini", "[bridge br0]\n");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(symlink("nowhere", dangling), 0);
	assert_int_equal(config_files_read(&files, none, &d), -ENOENT);
	assert_int_equal(config_files_read(&files, dir.path, &d), -EINVAL);
	assert_int_equal(d.n_errors, 4);
	assert_string_equal(d.list[0].file, none);
	assert_string_equal(d.list[1].file, fifo);
	assert_string_equal(d.list[2].file, sub);
	assert_string_equal(d.list[3].file, dangling);
	/* The one that can be read is. */
	assert_int_equal(files.n, 1);
	config_files_done(&files);
	diags_done(&d);
}

static void test_one_file_of_any_name_can_be_read(void **state _unused_)
{
	_cleanup_(dir_done) struct dir dir = dir_new();
	_cleanup_free_ char *path = xasprintf("%s/file", dir.path);
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;

	put_file(&dir, "file", "[bridge br0]\n");
	assert_int_equal(config_files_read(&files, path, &d), 0);
	assert_int_equal(files.n, 1);
	assert_string_equal(files.list[0].name, path);
	/* Where a directory is meant, an empty file is no empty configuration. */
	put_file(&dir, "file", "");
	assert_int_equal(config_files_read_dir(&files, path, &d), -ENOTDIR);
	assert_int_equal(d.n_errors, 1);
	config_files_done(&files);
	diags_done(&d);
}

static void digest_of(char digest[17], const char *name, const char *text)
{
	struct config_files files = {0};

	config_files_add(&files, name, text, strlen(text));
	config_files_digest(&files, digest);
	config_files_done(&files);
}

static void test_the_digest_changes_with_names_and_texts(void **state _unused_)
{
	char a[17], b[17];

	digest_of(a, "x", "[bridge br0]");
	digest_of(b, "x", "[bridge br0]");
	assert_string_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef"), 16);
	digest_of(b, "y", "[bridge br0]");
	assert_string_not_equal(a, b);
	digest_of(b, "x", "[bridge br0] ");
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_directory_is_its_ini_files_in_byte_order),
		cmocka_unit_test(test_a_file_that_is_passed_over_is_named_unless_it_was_put_aside),
		cmocka_unit_test(test_what_cannot_be_read_is_named),
		cmocka_unit_test(test_one_file_of_any_name_can_be_read),
		cmocka_unit_test(test_the_digest_changes_with_names_and_texts),
	};

	return cmocka_run_group_tests_name("config files", tests, NULL, NULL);
}
