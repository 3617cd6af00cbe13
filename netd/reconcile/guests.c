/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: guests.h. */
#include "guests.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>

#include "../file.h"

static void add_guest(size_t op, const char *bridge, const char *port, void *userdata)
{
	struct guests *g = userdata;

	for (size_t i = 0; i < g->n; i++)
		if (streq(g->list[i].port, port))
			return;
	*ARRAY_APPEND(g->list, g->n) = (struct guest){.op = op, .bridge = xstrdup(bridge), .port = xstrdup(port)};
}

void guests_done(struct guests *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->list[i].bridge);
		free(g->list[i].port);
		free(g->list[i].owner);
	}
	free(g->list);
	*g = (struct guests){0};
}

char *guest_text(const struct guest *g)
{
	return xasprintf("%s (on %s%s%s)", g->port, g->bridge, g->owner ? ", " : "", g->owner ? g->owner : "");
}

static bool all_known(const struct guests *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (!g->list[i].owner)
			return false;
	return true;
}

/* What stands between two marks, after the first `from`. The caller frees it. */
static char *text_between(const char *text, const char *from, const char *to)
{
	const char *begin = strstr(text, from), *end;

	if (!begin)
		return NULL;
	begin += strlen(from);
	end = strstr(begin, to);
	return end ? xasprintf("%.*s", (int)(end - begin), begin) : NULL;
}

/* libvirt writes a domain's status as XML in a form of its own that does not vary (virXMLFormatElement()). */
static void ask_domain(struct guests *g, const char *path)
{
	_cleanup_free_ char *text = file_read(path, NULL), *name = NULL;

	name = text ? text_between(text, "<name>", "</name>") : NULL;
	for (size_t i = 0; name && i < g->n; i++) {
		_cleanup_free_ char *target = xasprintf("<target dev='%s'/>", g->list[i].port);

		if (!g->list[i].owner && strstr(text, target))
			g->list[i].owner = xasprintf("domain %s", name);
	}
}

static void ask_libvirt(struct guests *g, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name);
		const char *suffix = strrchr(entry->d_name, '.');

		if (suffix && streq(suffix, ".xml"))
			ask_domain(g, path);
	}
	if (dir)
		closedir(dir);
}

/* QEMU's -name, which begins with the guest's own, in its arguments. The caller frees it. */
static char *name_of_guest(const char *pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/cmdline", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *word = NULL;
	bool is_name = false;
	size_t size = 0;

	while (f && getdelim(&word, &size, '\0', f) > 0) {
		if (is_name) {
			const char *name = startswith(word, "guest=") ? word + strlen("guest=") : word;

			return xasprintf("%.*s", (int)strcspn(name, ","), name);
		}
		is_name = streq(word, "-name");
	}
	return NULL;
}

static char *name_process(const char *pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/comm", pid), *comm = file_read(path, NULL);
	_cleanup_free_ char *guest = name_of_guest(pid);

	if (comm)
		comm[strcspn(comm, "\n")] = '\0';
	return xasprintf("%s%s%sprocess %s (%s)", guest ? "guest " : "", guest ? guest : "", guest ? ", " : "", pid,
			 comm ? comm : "?");
}

/* An open tap says its link in its fdinfo (drivers/net/tun.c, tun_chr_show_fdinfo()). */
static void ask_descriptor(struct guests *g, const char *pid, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[128], port[IFNAMSIZ];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "iff:\t%15s", port) != 1)
			continue;
		for (size_t i = 0; i < g->n; i++)
			if (!g->list[i].owner && streq(g->list[i].port, port))
				g->list[i].owner = name_process(pid);
	}
}

static void ask_process(struct guests *g, const char *pid)
{
	_cleanup_free_ char *directory = xasprintf("/proc/%s/fdinfo", pid);
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name);

		if (isdigit((unsigned char)entry->d_name[0]))
			ask_descriptor(g, pid, path);
	}
	if (dir)
		closedir(dir);
}

static void ask_processes(struct guests *g)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && !all_known(g))
		if (isdigit((unsigned char)entry->d_name[0]))
			ask_process(g, entry->d_name);
	if (dir)
		closedir(dir);
}

void guests_find(const struct diff_input *in, const struct plan *p, struct guests *ret)
{
	*ret = (struct guests){0};
	plan_cut_ports(in, p, add_guest, ret);
	if (!ret->n)
		return;
	ask_libvirt(ret, "/run/libvirt/qemu");
	ask_libvirt(ret, "/run/libvirt/lxc");
	if (!all_known(ret))
		ask_processes(ret);
}

char *guests_cut(const struct diff_input *in, const struct plan *p)
{
	struct guests guests;
	char *text = NULL;

	guests_find(in, p, &guests);
	for (size_t i = 0; i < guests.n; i++) {
		_cleanup_free_ char *before = text, *one = guest_text(&guests.list[i]);

		text = xasprintf("%s%s%s", before ? before : "", before ? ", " : "", one);
	}
	guests_done(&guests);
	return text;
}
