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

static bool is_ini(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 4 && streq(name + len - 4, ".ini");
}

/* The caller frees it. */
static char *path_in(const char *directory, const char *name)
{
	size_t len = strlen(directory);

	return xasprintf("%s%s%s", directory, len && directory[len - 1] == '/' ? "" : "/", name);
}

/* Names by which editors, package managers and people put a file aside, and those of what is to be read by people. */
static bool is_put_aside(const char *name)
{
	static const char *const ends[] = {"~",	   "#",	   ".bak", ".old",    ".orig", ".off", ".disabled", ".save",
					   ".rej", ".tmp", ".swp", ".rpmnew", ".md",   ".txt", ".rpmsave",  ".rpmorig"};
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (len > strlen(ends[i]) && strcasecmp(name + len - strlen(ends[i]), ends[i]) == 0)
			return true;
	return name[0] == '.' || startswith(name, "README") || strstr(name, ".dpkg-") || strstr(name, ".ucf-");
}

/* What is not read may be what its author believes to be in force. */
static bool is_passed_over(DIR *dir, const char *name)
{
	struct stat st;

	return !is_put_aside(name) && fstatat(dirfd(dir), name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static void warn_passed_over(struct diags *d, const char *path, const char *name)
{
	const char *dot = strrchr(name, '.');

	diag_add_file(d, SEVERITY_WARNING, path,
		      "is not read, because its name does not end in .ini (rename it to %.*s.ini, or put it aside as "
		      "%s.off)",
		      dot ? (int)(dot - name) : (int)strlen(name), name, name);
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
	int error = 0;

	qsort(names, n, sizeof(*names), by_bytes);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *full = path_in(path, names[i]);
		int r = 0;

		if (is_ini(names[i]))
			r = read_file(f, dirfd(dir), names[i], full, d);
		else if (is_passed_over(dir, names[i]))
			warn_passed_over(d, full, names[i]);
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

int config_files_read_dir(struct config_files *f, const char *path, struct diags *d)
{
	_cleanup_(closedir_ptr) DIR *dir = opendir(path);
	int r = -errno;

	if (dir)
		return read_dir(f, dir, path, d);
	diag_add_file(d, SEVERITY_ERROR, path, "cannot be read: %s", strerror(-r));
	return r;
}

int config_files_read(struct config_files *f, const char *path, struct diags *d)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return config_files_read_dir(f, path, d);
	return read_file(f, AT_FDCWD, path, path, d);
}
