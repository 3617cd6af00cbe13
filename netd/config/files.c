/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: reads configuration files from disk into a file set. The one file of config/ that opens anything;
 * what is in the files is config.c's business.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "config.h"

#include "../file.h"

static bool is_ini(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && streq(entry->d_name + len - 4, ".ini");
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t bytes_so_far(const struct config_files *f)
{
	size_t sum = 0;

	for (size_t i = 0; i < f->n; i++)
		sum += f->list[i].len;
	return sum;
}

/* name: for opening, relative to dirfd; path: for messages. */
static int read_file(struct config_files *f, int dirfd, const char *name, const char *path, struct diags *d)
{
	/* O_NONBLOCK: opening a FIFO of that name must not hang the daemon. */
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		diag_add_file(d, SEVERITY_ERROR, path, "cannot be read: %s", strerror(-r));
		return r;
	}
	if (!S_ISREG(st.st_mode)) {
		diag_add_file(d, SEVERITY_ERROR, path, "is not a regular file");
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	}
	r = file_read_fd(fd, CONFIG_BYTES_MAX - bytes_so_far(f), &text, &len);
	if (r == -EFBIG)
		diag_add_file(d, SEVERITY_ERROR, path, "makes the configuration larger than %u MiB",
			      CONFIG_BYTES_MAX >> 20);
	else if (r < 0)
		diag_add_file(d, SEVERITY_ERROR, path, "cannot be read: %s", strerror(-r));
	else
		config_files_add(f, path, text, len);
	return r;
}

static void closedir_ptr(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* One unreadable file does not hide the problems of the next; the first error is returned. */
static int read_names(struct config_files *f, DIR *dir, const char *path, char **names, size_t n, struct diags *d)
{
	size_t len = strlen(path);
	int error = 0;

	qsort(names, n, sizeof(*names), by_bytes);
	for (size_t i = 0; i < n; i++) {
		const char *slash = len && path[len - 1] == '/' ? "" : "/";
		_cleanup_free_ char *full = xasprintf("%s%s%s", path, slash, names[i]);
		int r = read_file(f, dirfd(dir), names[i], full, d);

		if (!error)
			error = r;
	}
	return error;
}

static int read_dir(struct config_files *f, DIR *dir, const char *path, struct diags *d)
{
	struct dirent *entry;
	char **names = NULL;
	size_t n = 0;
	int r;

	while ((errno = 0, entry = readdir(dir)))
		if (is_ini(entry))
			*ARRAY_APPEND(names, n) = xstrdup(entry->d_name);
	r = -errno;
	if (r < 0)
		diag_add_file(d, SEVERITY_ERROR, path, "cannot be listed: %s", strerror(-r));
	else if (names)
		r = read_names(f, dir, path, names, n, d);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

int config_files_read(struct config_files *f, const char *path, struct diags *d)
{
	_cleanup_(closedir_ptr) DIR *dir = opendir(path);
	int r;

	if (dir)
		return read_dir(f, dir, path, d);
	if (errno == ENOTDIR)
		return read_file(f, AT_FDCWD, path, path, d);
	r = -errno;
	diag_add_file(d, SEVERITY_ERROR, path, "cannot be read: %s", strerror(-r));
	return r;
}
