/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: dnsmasq.h. Files of the one for BRIDGE, in RUNTIME_DIR/dnsmasq: BRIDGE.words (what it was told),
 * BRIDGE.conf, BRIDGE.hosts, BRIDGE.names, BRIDGE.pid. Leases are in STATE_DIR/leases/BRIDGE, where a reboot leaves
 * them.
 */
#include "dnsmasq.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "../file.h"
#include "../log.h"
#include "../model/network.h"
#include "child.h"

/* One that cannot be started is tried again after this long, or by the next apply. */
#define RETRY_USEC (15ull * 1000 * 1000)
/* It says that it listens within some hundredths of a second, under emulation within a second. */
#define READY_MSEC 10000
#define LOOK_MSEC 5
/* Whether it may read the files of tftp it finds out after that (dnsmasq.c, main()). */
#define TFTP_MSEC 300
/* Who ends at once says why at once. */
#define WORDS_MSEC 3000

struct dnsmasq {
	struct dnsmasqs *owner;
	char bridge[IFNAMSIZ];
	struct child *child; /* starts it again when it ends; NULL: it is not to run */
	struct blob *words;  /* what it was told; NULL: nothing */
	bool failed;	     /* it could not be started */
};

struct dnsmasqs {
	sd_event *event; /* borrowed */
	char *dir, *leases;
	struct dnsmasq **list;
	size_t n;
	bool is_shown; /* some bridge may have a row */
	sd_event_source *retry;
	void (*changed)(void *userdata);
	void *userdata;
};

static char *path_of(const struct dnsmasqs *d, const char *bridge, const char *suffix)
{
	return xasprintf("%s/%s.%s", d->dir, bridge, suffix);
}

static struct dnsmasq *find(const struct dnsmasqs *d, const char *bridge)
{
	for (size_t i = 0; i < d->n; i++)
		if (streq(d->list[i]->bridge, bridge))
			return d->list[i];
	return NULL;
}

static struct dnsmasq *get(struct dnsmasqs *d, const char *bridge)
{
	struct dnsmasq *one = find(d, bridge);

	if (one)
		return one;
	one = xcalloc(1, sizeof(*one));
	one->owner = d;
	snprintf(one->bridge, sizeof(one->bridge), "%s", bridge);
	*ARRAY_APPEND(d->list, d->n) = one;
	return one;
}

/*
 * Guests talk to it, so it is not to be root. It opens its leases and its ports before it becomes that user, and keeps
 * the rights to do with addresses and raw packets; the files it reads again are for all to read.
 */
static const char *user_argument(void)
{
	return getpwnam("dnsmasq") ? "--user=dnsmasq" : "--user=nobody";
}

/* Starts it, or takes over the one that runs. */
static void run(struct dnsmasq *one)
{
	const struct dnsmasqs *d = one->owner;
	const char *bridge = one->bridge;
	_cleanup_free_ char *conf = path_of(d, bridge, "conf"), *hosts = path_of(d, bridge, "hosts");
	_cleanup_free_ char *names = path_of(d, bridge, "names"), *ready = path_of(d, bridge, "ready");
	_cleanup_free_ char *pid = path_of(d, bridge, "pid"), *name = xasprintf("dnsmasq of %s", bridge);
	_cleanup_free_ char *conf_arg = xasprintf("--conf-file=%s", conf);
	_cleanup_free_ char *hosts_arg = xasprintf("--dhcp-hostsfile=%s", hosts);
	_cleanup_free_ char *names_arg = xasprintf("--addn-hosts=%s", names);
	_cleanup_free_ char *ready_arg = xasprintf("--pid-file=%s", ready);
	_cleanup_free_ char *lease_arg = xasprintf("--dhcp-leasefile=%s/%s", d->leases, bridge);
	const char *const argv[] = {"dnsmasq",	     "--keep-in-foreground",
				    user_argument(), "--log-facility=-",
				    conf_arg,	     hosts_arg,
				    names_arg,	     ready_arg,
				    lease_arg,	     NULL};
	const struct child_setup setup = {.name = name, .argv = argv, .path = pid, .note = "dnsmasq"};

	one->child = child_new(d->event, &setup);
}

static struct blob *read_words(const char *path)
{
	size_t len;
	_cleanup_free_ char *words = file_read(path, &len);

	return words && len ? blob_new(words, (uint32_t)len) : NULL;
}

static void find_running(struct dnsmasqs *d)
{
	DIR *dir = opendir(d->dir);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char *point = strrchr(e->d_name, '.');
		_cleanup_free_ char *words = NULL, *pid = NULL, *note = NULL;
		struct dnsmasq *one;

		if (!point || !streq(point, ".pid") || point - e->d_name >= IFNAMSIZ)
			continue;
		*point = '\0';
		pid = path_of(d, e->d_name, "pid");
		note = child_note(pid);
		if (!note)
			continue;
		one = get(d, e->d_name);
		words = path_of(d, one->bridge, "words");
		one->words = read_words(words);
		run(one);
	}
	if (dir)
		closedir(dir);
}

struct dnsmasqs *dnsmasqs_new(sd_event *event, const char *runtime_dir, const char *state_dir,
			      void (*changed)(void *userdata), void *userdata)
{
	struct dnsmasqs *d = xcalloc(1, sizeof(*d));

	d->event = event;
	d->dir = xasprintf("%s/dnsmasq", runtime_dir);
	d->leases = xasprintf("%s/leases", state_dir);
	d->changed = changed;
	d->userdata = userdata;
	find_running(d);
	return d;
}

static void forget(struct dnsmasq *one)
{
	child_free(one->child);
	free(one->words);
	free(one);
}

struct dnsmasqs *dnsmasqs_free(struct dnsmasqs *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n; i++)
		forget(d->list[i]);
	sd_event_source_disable_unref(d->retry);
	free(d->list);
	free(d->dir);
	free(d->leases);
	free(d);
	return NULL;
}

static void stop(struct dnsmasq *one)
{
	static const char *const suffixes[] = {"words", "conf", "hosts", "names", "ready"};

	if (one->child)
		one->child = child_stop(one->child);
	free(TAKE_PTR(one->words));
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *path = path_of(one->owner, one->bridge, suffixes[i]);

		unlink(path);
	}
}

static void stop_gone(struct dnsmasqs *d, const struct model *actual)
{
	for (size_t i = d->n; i-- > 0;) {
		if (model_find(actual, d->list[i]->bridge))
			continue;
		stop(d->list[i]);
		forget(d->list[i]);
		d->list[i] = d->list[--d->n];
	}
}

void dnsmasqs_show(struct dnsmasqs *d, struct model *actual, bool wanted)
{
	stop_gone(d, actual);
	/* Mostly there are no networks, and may be thousands of bridges. */
	if (!wanted && !d->n && !d->is_shown)
		return;
	d->is_shown = wanted || d->n;
	for (size_t i = 0; i < actual->n_links; i++) {
		struct link *l = actual->links[i];
		const struct dnsmasq *one = find(d, l->name);
		const struct blob *words = one ? one->words : NULL;
		union value v = {0};

		if (l->kind != &kind_bridge)
			continue;
		if ((!wanted && !words) || (one && one->failed)) {
			values_unset(l->common, LINK_DNSMASQ);
			continue;
		}
		if (words)
			v.blob = blob_new(words->data, words->len);
		values_put(l->common, LINK_DNSMASQ, v, LOC_NONE);
	}
}

void dnsmasqs_doubt(struct dnsmasqs *d)
{
	for (size_t i = 0; i < d->n; i++)
		d->list[i]->failed = false;
}

char *dnsmasqs_trouble(const struct dnsmasqs *d, const char *bridge)
{
	const struct dnsmasq *one = find(d, bridge);
	const char *text = one && one->child ? child_trouble(one->child) : NULL;

	return text ? xstrdup(text) : NULL;
}

static int try_again(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct dnsmasqs *d = userdata;

	dnsmasqs_doubt(d);
	d->changed(d->userdata);
	return 0;
}

static void retry_later(struct dnsmasqs *d)
{
	d->retry = sd_event_source_disable_unref(d->retry);
	sd_event_add_time_relative(d->event, &d->retry, CLOCK_MONOTONIC, RETRY_USEC, 0, try_again, d);
}

static bool is_host(const char *word)
{
	return startswith(word, DNSMASQ_HOST);
}

static bool is_name(const char *word)
{
	return startswith(word, DNSMASQ_NAME);
}

static bool is_option(const char *word)
{
	return !is_host(word) && !is_name(word);
}

/* A line of a file. "addn-host=IP,NAME,NAME" is "IP NAME NAME" there. */
static void write_line(FILE *f, const char *word)
{
	if (is_host(word))
		word += strlen(DNSMASQ_HOST);
	if (!is_name(word)) {
		fprintf(f, "%s\n", word);
		return;
	}
	for (const char *c = word + strlen(DNSMASQ_NAME); *c; c++)
		fputc(*c == ',' ? ' ' : *c, f);
	fputc('\n', f);
}

static int write_words(const struct dnsmasq *one, const char *suffix, const void *words, size_t len)
{
	_cleanup_free_ char *path = path_of(one->owner, one->bridge, suffix);

	return file_write(path, words, len, 0644, false);
}

/* Those words that are of one file. */
static int write_picked(const struct dnsmasq *one, const char *suffix, const struct blob *words,
			bool (*pick)(const char *word))
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < words->len; i += strlen((const char *)words->data + i) + 1)
		if (pick((const char *)words->data + i))
			write_line(f, (const char *)words->data + i);
	fclose(f);
	return write_words(one, suffix, text, len);
}

static bool same_options(const struct blob *a, const struct blob *b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a->len && !is_option((const char *)a->data + i))
			i += strlen((const char *)a->data + i) + 1;
		while (j < b->len && !is_option((const char *)b->data + j))
			j += strlen((const char *)b->data + j) + 1;
		if (i >= a->len || j >= b->len)
			return i >= a->len && j >= b->len;
		if (!streq((const char *)a->data + i, (const char *)b->data + j))
			return false;
		i += strlen((const char *)a->data + i) + 1;
		j += strlen((const char *)b->data + j) + 1;
	}
}

/* How many inotify instances a user may have, which here is root. */
#define WATCHERS_LIMIT "/proc/sys/fs/inotify/max_user_instances"

/*
 * One that passes questions on to the host's name servers has an instance, and the kernel's limit is 128
 * (fs/notify/inotify/inotify_user.c). Where all of them would take more than half of it, it is raised.
 */
static void make_room_for_watchers(const struct dnsmasqs *d)
{
	_cleanup_free_ char *text = file_read(WATCHERS_LIMIT, NULL);
	unsigned long limit = text ? strtoul(text, NULL, 10) : ULONG_MAX;
	_cleanup_fclose_ FILE *f = limit / 2 < d->n ? fopen(WATCHERS_LIMIT, "we") : NULL;

	if (f && fprintf(f, "%zu\n", d->n * 4) > 0 && fflush(f) == 0)
		log_notice("fs.inotify.max_user_instances %lu -> %zu: there are %zu networks with a dnsmasq", limit,
			   d->n * 4, d->n);
}

/* The caller frees it. */
static char *why_not(const struct dnsmasq *one)
{
	_cleanup_free_ char *words = NULL;

	if (child_trouble(one->child))
		return xasprintf("%s (package dnsmasq-base)", child_trouble(one->child));
	if (child_runs(one->child))
		return xasprintf("dnsmasq does not listen after %d s", READY_MSEC / 1000);
	words = child_last_words(one->child, WORDS_MSEC);
	return xasprintf("dnsmasq ended as soon as it had started: %s",
			 words ? words : "its own messages in the journal say why");
}

static bool has_tftp(const struct blob *words)
{
	for (size_t i = 0; i < words->len; i += strlen((const char *)words->data + i) + 1)
		if (streq((const char *)words->data + i, "enable-tftp"))
			return true;
	return false;
}

/* Waits until it listens: what it cannot do it finds out at once, and a plan that goes wrong must be told. */
static int start(struct dnsmasq *one, const struct blob *words, char **why)
{
	const struct timespec look = {.tv_nsec = LOOK_MSEC * 1000000};
	_cleanup_free_ char *ready = path_of(one->owner, one->bridge, "ready");
	int more = has_tftp(words) ? TFTP_MSEC : 0;

	unlink(ready);
	make_room_for_watchers(one->owner);
	run(one);
	for (unsigned msec = 0; msec < READY_MSEC && child_runs(one->child); msec += LOOK_MSEC) {
		if (access(ready, F_OK) == 0 && (more -= LOOK_MSEC) < 0)
			return 0;
		nanosleep(&look, NULL);
	}
	*why = why_not(one);
	one->child = child_stop(one->child);
	return -EIO;
}

static int write_all(struct dnsmasq *one, const struct blob *words)
{
	int r = write_picked(one, "hosts", words, is_host);

	r = r ? r : write_picked(one, "names", words, is_name);
	r = r ? r : write_picked(one, "conf", words, is_option);
	return r ? r : write_words(one, "words", words->data, words->len);
}

static int tell(struct dnsmasq *one, const struct blob *words, char **why)
{
	/* Between two starts there is nobody to tell: it is started now. */
	bool live = one->child && child_runs(one->child) && one->words && same_options(one->words, words);
	int r;

	mkdir(one->owner->dir, 0755);
	mkdir(one->owner->leases, 0755);
	if (!live)
		stop(one);
	r = write_all(one, words);
	if (r < 0) {
		*why = xasprintf("the files of dnsmasq could not be written: %s", strerror(-r));
		return r;
	}
	r = live ? child_signal(one->child, SIGHUP) : start(one, words, why);
	if (r < 0)
		return r;
	free(one->words);
	one->words = blob_new(words->data, words->len);
	return 0;
}

int dnsmasqs_write(struct dnsmasqs *d, const char *bridge, union value words, char **why)
{
	struct dnsmasq *one = get(d, bridge);
	int r = 0;

	if (words.blob)
		r = tell(one, words.blob, why);
	else
		stop(one);
	if (r == -ESRCH)
		*why = *why ? *why : xstrdup("dnsmasq has ended");
	one->failed = r < 0;
	if (r < 0)
		retry_later(d);
	return r;
}
