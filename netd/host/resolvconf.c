/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: resolvconf(8) as a resolver, Debian's and openresolv. Each keeps what it was told in a file by the name it
 * was told under, in which it can be read. systemd-resolved's program of that name is no other resolver.
 */
#include <dirent.h>
#include <fcntl.h>

#include "../file.h"
#include "host-internal.h"
#include "spawn.h"

/* Told under LINK.kvmnetd: beside LINK.dhclient and such. */
#define SUFFIX ".kvmnetd"
/* Its hooks tell other programs; what takes longer is no longer waited for. */
#define PATIENCE_MSEC 5000

static const char *const directories[] = {"/run/resolvconf/interface", "/run/resolvconf/interfaces"};

/* The program, or NULL. The caller frees it. */
static char *find_program(void)
{
	const char *path = getenv("PATH");
	_cleanup_free_ char *list = xstrdup(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	char *save = NULL;

	for (char *dir = strtok_r(list, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		_cleanup_free_ char *program = xasprintf("%s/resolvconf", dir);
		_cleanup_free_ char *real = NULL;
		const char *base;

		if (access(program, X_OK) < 0)
			continue;
		real = realpath(program, NULL);
		base = real ? strrchr(real, '/') : NULL;
		if (!base || streq(base, "/resolvectl"))
			return NULL;
		return TAKE_PTR(program);
	}
	return NULL;
}

static bool resolvconf_works(const struct host *h _unused_)
{
	_cleanup_free_ char *program = find_program();

	return program != NULL;
}

static void parse(const char *text, struct told *t)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (startswith(line, "nameserver "))
			told_parse(LINK_DNS, line + strlen("nameserver "), &t->dns);
		else if (startswith(line, "search "))
			told_parse(LINK_SEARCH, line + strlen("search "), &t->search);
	}
}

static void read_directory(const char *directory, struct told_list *ret)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), name_len = len - strlen(SUFFIX);
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name);
		_cleanup_free_ char *text = NULL;
		char name[IFNAMSIZ] = "";

		if (len <= strlen(SUFFIX) || !streq(entry->d_name + name_len, SUFFIX) || name_len >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)name_len, entry->d_name);
		text = file_read(path, NULL);
		if (text)
			parse(text, told_get(ret, name, 0));
	}
	if (dir)
		closedir(dir);
}

static int resolvconf_read(struct host *h _unused_, struct told_list *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		read_directory(directories[i], ret);
	return 0;
}

/* text: short enough for a pipe to take at once. NULL: none. */
static int run(const char *verb, const char *name, const char *text)
{
	_cleanup_free_ char *program = find_program(), *entry = xasprintf("%s%s", name, SUFFIX);
	_cleanup_close_ int out = -1, in = -1;
	char *argv[] = {program, (char *)(uintptr_t)verb, entry, NULL};
	int fds[2], r;
	pid_t pid;

	if (!program)
		return -ENOENT;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	if (text && write(out, text, strlen(text)) < 0)
		return -errno;
	close_ptr(&out);
	out = -1;
	r = spawn_program(&pid, argv, in, -1);
	return r < 0 ? r : spawn_wait(pid, PATIENCE_MSEC);
}

static char *resolvconf_text(const struct told *t)
{
	_cleanup_free_ char *dns = told_text(LINK_DNS, t->dns), *search = told_text(LINK_SEARCH, t->search);
	char *text = NULL, *save = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (char *word = strtok_r(dns, " ", &save); word; word = strtok_r(NULL, " ", &save))
		fprintf(f, "nameserver %s\n", word);
	if (*search)
		fprintf(f, "search %s\n", search);
	fclose(f);
	return text;
}

static int resolvconf_write(struct host *h _unused_, const struct told *t, char **why)
{
	_cleanup_free_ char *text = resolvconf_text(t);
	int r = *text ? run("-a", t->name, text) : run("-d", t->name, NULL);

	if (r < 0)
		*why = xasprintf("resolvconf: %s",
				 r == -EIO ? "it failed (see its messages in the log)" : strerror(-r));
	return r;
}

const struct resolver resolvconf = {
	.name = "resolvconf",
	.works = resolvconf_works,
	.read = resolvconf_read,
	.write = resolvconf_write,
};
