/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: a file read whole, and a file written so that who reads it sees the old or the new, never a half. */
#pragma once

#include <sys/types.h>

#include "util.h"

/*
 * Reads to the end of the file, at most `limit` bytes; *ret_text ends in a NUL that *ret_len does not count, and is the
 * caller's to free. Returns 0, or negative errno (-EFBIG past the limit) with nothing to free.
 */
int file_read_fd(int fd, size_t limit, char **ret_text, size_t *ret_len);
/* The same by path, up to FILE_BYTES_MAX. ret_len: NULL when nobody asks. Returns NULL when it cannot be read. */
#define FILE_BYTES_MAX (64u << 20)
char *file_read(const char *path, size_t *ret_len);

/*
 * Writes PATH.new and renames it over PATH; what was there stays when that fails. durable: the file is synced before,
 * its directory after (a rename lasts once its directory does). Returns 0 or negative errno.
 */
int file_write(const char *path, const void *data, size_t len, mode_t mode, bool durable);
/* The same, of several texts one after another. */
struct file_part {
	const void *data;
	size_t len;
};
int file_write_parts(const char *path, const struct file_part *parts, size_t n, mode_t mode, bool durable);
/* -ENOENT: there is none. After another error nobody knows how much of it was written. */
int file_append(const char *path, const char *text);
