/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: /etc/resolv.conf as a resolver, where nobody else keeps it. Comments in it say which link said what, so that
 * it can be read back; the content found before is kept in the state directory and put back with the last server.
 *
 * The file is written in place, new bytes first: it may be a mount (of a container, of our own unit's sandbox) that
 * cannot be renamed over, and who reads it at any time finds whole lines.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "../file.h"
#include "../log.h"
#include "host-internal.h"

#define FILE_MAX 65536
#define FIRST_LINE "# Written by kvmnetd ([daemon] resolv_conf = yes). What was here before is in "

static char *backup_path(const struct host *h)
{
	return xasprintf("%s/resolv.conf.before", h->state_dir);
}

static bool is_plain_file(void)
{
	struct stat st;

	return lstat(RESOLV_CONF, &st) == 0 && S_ISREG(st.st_mode);
}

static bool resolv_conf_works(const struct host *h)
{
	return h->file_allowed && is_plain_file();
}

static void print_links(const struct told_list *told, FILE *f)
{
	for (size_t i = 0; i < told->n; i++) {
		const struct told *t = &told->list[i];
		_cleanup_free_ char *dns = told_text(LINK_DNS, t->dns), *search = told_text(LINK_SEARCH, t->search);

		if (*dns)
			fprintf(f, "# %s dns %s\n", t->name, dns);
		if (*search)
			fprintf(f, "# %s search %s\n", t->name, search);
	}
}

/* Each server and each domain once, in the order of the links. */
static void print_all(const struct told_list *told, FILE *f)
{
	union value dns = {0}, search = {0};
	_cleanup_free_ char *servers = NULL, *domains = NULL;
	char *save = NULL;

	for (size_t i = 0; i < told->n; i++) {
		_cleanup_free_ char *more = told_text(LINK_DNS, told->list[i].dns);
		_cleanup_free_ char *in = told_text(LINK_SEARCH, told->list[i].search);

		told_parse(LINK_DNS, more, &dns);
		told_parse(LINK_SEARCH, in, &search);
	}
	servers = told_text(LINK_DNS, dns);
	domains = told_text(LINK_SEARCH, search);
	for (char *word = strtok_r(servers, " ", &save); word; word = strtok_r(NULL, " ", &save))
		fprintf(f, "nameserver %s\n", word);
	if (*domains)
		fprintf(f, "search %s\n", domains);
	free(dns.blob);
	free(search.blob);
}

static char *file_text(const struct host *h, const struct told_list *told)
{
	_cleanup_free_ char *backup = backup_path(h);
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	fprintf(f, "%s%s\n", FIRST_LINE, backup);
	print_links(told, f);
	print_all(told, f);
	fclose(f);
	return text;
}

/* "# LINK dns ADDRESS..." and "# LINK search DOMAIN..." */
static void parse_line(const char *line, struct told_list *ret)
{
	char name[IFNAMSIZ];
	int at = 0;

	if (sscanf(line, "# %15s dns %n", name, &at) == 1 && at)
		told_parse(LINK_DNS, line + at, &told_get(ret, name, 0)->dns);
	else if (sscanf(line, "# %15s search %n", name, &at) == 1 && at)
		told_parse(LINK_SEARCH, line + at, &told_get(ret, name, 0)->search);
}

static bool is_ours(const char *text)
{
	return text && startswith(text, FIRST_LINE);
}

/* A file that is not word for word what we would write was changed by someone: no link is told of in it. */
static int resolv_conf_read(struct host *h, struct told_list *ret)
{
	_cleanup_free_ char *text = file_read(RESOLV_CONF, NULL), *lines = NULL, *same = NULL;
	char *save = NULL;

	if (!is_ours(text))
		return 0;
	lines = xstrdup(text);
	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		parse_line(line, ret);
	same = file_text(h, ret);
	if (!streq(same, text))
		told_done(ret);
	return 0;
}

/* All at once, with what is left of a longer old text blanked before it is cut off. */
static int overwrite(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = strlen(text), size;
	_cleanup_free_ char *padded = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	size = MAX(len, MIN((size_t)st.st_size, (size_t)FILE_MAX));
	padded = xasprintf("%s%*s", text, (int)(size - len), "");
	if (pwrite(fd, padded, size, 0) != (ssize_t)size || ftruncate(fd, (off_t)len) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* An edit of a file that is ours is kept beside what was there before, which it would not be right to put back. */
static int keep_edited(const struct host *h, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/resolv.conf.edited", h->state_dir);

	log_notice(RESOLV_CONF " was edited; the edited file is kept as %s", path);
	return file_write(path, text, strlen(text), 0644, true);
}

/* Before the first byte of it is overwritten. What is ours word for word is nobody's to keep. */
static int keep(struct host *h)
{
	_cleanup_free_ char *path = backup_path(h), *text = file_read(RESOLV_CONF, NULL);
	_cleanup_(told_done) struct told_list told = {0};

	if (!is_ours(text))
		return file_write(path, text ? text : "", text ? strlen(text) : 0, 0644, true);
	resolv_conf_read(h, &told);
	return told.n ? 0 : keep_edited(h, text);
}

static int put_back(const struct host *h)
{
	_cleanup_free_ char *path = backup_path(h), *text = file_read(path, NULL), *now = file_read(RESOLV_CONF, NULL);
	int r = 0;

	/* Someone else's file by now: what was there before it is not wanted any more. */
	if (text && is_ours(now))
		r = overwrite(RESOLV_CONF, text);
	if (r == 0)
		unlink(path);
	return r;
}

void resolv_conf_put_back(struct host *h)
{
	int r = is_plain_file() ? put_back(h) : 0;

	if (r < 0)
		log_warning(RESOLV_CONF ": what was there before could not be put back: %s", strerror(-r));
}

static void take(union value *to, union value from)
{
	free(to->blob);
	to->blob = from.blob && from.blob->len ? blob_new(from.blob->data, from.blob->len) : NULL;
}

static bool any_told(const struct told_list *told)
{
	for (size_t i = 0; i < told->n; i++)
		if (told->list[i].dns.blob || told->list[i].search.blob)
			return true;
	return false;
}

static int resolv_conf_write(struct host *h, const struct told *t, char **why)
{
	_cleanup_(told_done) struct told_list told = {0};
	_cleanup_free_ char *text = NULL;
	struct told *mine;
	int r;

	resolv_conf_read(h, &told);
	mine = told_get(&told, t->name, 0);
	take(&mine->dns, t->dns);
	take(&mine->search, t->search);
	text = file_text(h, &told);
	r = any_told(&told) ? keep(h) : put_back(h);
	if (r == 0 && any_told(&told))
		r = overwrite(RESOLV_CONF, text);
	if (r == -EROFS)
		*why = xstrdup(RESOLV_CONF " is read-only (where another file has taken its place since kvmnetd "
					   "started, systemctl restart kvmnetd makes it see that one)");
	else if (r < 0)
		*why = xasprintf(RESOLV_CONF ": %s", strerror(-r));
	return r;
}

const struct resolver resolv_conf = {
	.name = RESOLV_CONF,
	.works = resolv_conf_works,
	.read = resolv_conf_read,
	.write = resolv_conf_write,
};
