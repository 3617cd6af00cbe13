/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: a file is read whole, and written whole or not at all. */
#include "../../netd/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

struct place {
	char directory[32], path[48];
};

static int make_place(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	strcpy(p->directory, "/tmp/kvmnetd-file-XXXXXX");
	if (!mkdtemp(p->directory))
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/it", p->directory);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *beside = xasprintf("%s.new", p->path);

	rmdir(beside);
	unlink(p->path);
	rmdir(p->directory);
	free(p);
	return 0;
}

static void expect(const char *path, const char *data, size_t len)
{
	size_t got;
	_cleanup_free_ char *text = file_read(path, &got);

	assert_non_null(text);
	assert_int_equal(got, len);
	assert_memory_equal(text, data, len);
	assert_int_equal(text[len], '\0');
}

static void a_file_with_zero_bytes_is_read_back_as_written(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(file_write(p->path, "a\0b\n", 4, 0640, true), 0);
	expect(p->path, "a\0b\n", 4);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void sizes_around_the_buffer_are_read_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 4094, 4095, 4096, 8191, 8192, 100000};
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_free_ char *data = xcalloc(1, sizes[i] + 1);

		memset(data, 'x', sizes[i]);
		assert_int_equal(file_write(p->path, data, sizes[i], 0600, false), 0);
		expect(p->path, data, sizes[i]);
	}
}

static void what_was_there_stays_when_writing_fails(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *beside = xasprintf("%s.new", p->path);

	assert_int_equal(file_write(p->path, "old", 3, 0600, false), 0);
	assert_int_equal(mkdir(beside, 0700), 0);
	assert_int_equal(file_write(p->path, "new", 3, 0600, false), -EISDIR);
	expect(p->path, "old", 3);
}

static void nothing_is_left_beside_when_the_rename_fails(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *beside = xasprintf("%s.new", p->directory);

	assert_true(file_write(p->directory, "new", 3, 0600, false) < 0);
	assert_int_equal(access(beside, F_OK), -1);
}

static void appending_needs_the_file(void **state)
{
	struct place *p = *state;

	assert_int_equal(file_append(p->path, "more"), -ENOENT);
	assert_int_equal(file_write(p->path, "some ", 5, 0600, false), 0);
	assert_int_equal(file_append(p->path, "more"), 0);
	expect(p->path, "some more", 9);
}

static void a_file_past_the_limit_is_refused(void **state)
{
	struct place *p = *state;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t len;

	assert_int_equal(file_write(p->path, "12345", 5, 0600, false), 0);
	fd = open(p->path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_read_fd(fd, 4, &text, &len), -EFBIG);
	assert_null(text);
	assert_null(file_read(p->directory, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_with_zero_bytes_is_read_back_as_written, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(sizes_around_the_buffer_are_read_whole, make_place, remove_place),
		cmocka_unit_test_setup_teardown(what_was_there_stays_when_writing_fails, make_place, remove_place),
		cmocka_unit_test_setup_teardown(nothing_is_left_beside_when_the_rename_fails, make_place, remove_place),
		cmocka_unit_test_setup_teardown(appending_needs_the_file, make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_file_past_the_limit_is_refused, make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
