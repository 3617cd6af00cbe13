/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: file.h. */
#include "file.h"

#include <fcntl.h>

int file_read_fd(int fd, size_t limit, char **ret_text, size_t *ret_len)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, size = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= size) {
			size = size ? size * 2 : 4096;
			text = xrealloc(text, size, 1);
		}
		n = read(fd, text + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > limit)
			return -EFBIG;
	}
	text[len] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

char *file_read(const char *path, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t len = 0;
	int r = fd < 0 ? -errno : file_read_fd(fd, FILE_BYTES_MAX, &text, &len);

	if (ret_len)
		*ret_len = len;
	return r == 0 ? text : NULL;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int sync_directory_of(const char *path)
{
	_cleanup_free_ char *directory = xstrdup(path);
	_cleanup_close_ int fd = -1;
	char *slash = strrchr(directory, '/');

	if (slash)
		*slash = '\0';
	fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, bool durable)
{
	const struct file_part whole = {data, len};

	return file_write_parts(path, &whole, 1, mode, durable);
}

int file_write_parts(const char *path, const struct file_part *parts, size_t n, mode_t mode, bool durable)
{
	_cleanup_free_ char *beside = xasprintf("%s.new", path);
	_cleanup_close_ int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int r = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < n && r == 0; i++)
		r = write_all(fd, parts[i].data, parts[i].len);
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(beside);
	return r == 0 && durable ? sync_directory_of(path) : r;
}

int file_append(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}
