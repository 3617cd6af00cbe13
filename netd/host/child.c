/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: child.h. A process is told from a later one of its number by when it started. */
#include "child.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../file.h"
#include "../log.h"
#include "host-internal.h"
#include "spawn.h"

/* Who ends sooner than this after its start is started again later each time, up to the other. */
#define LASTING_USEC (60 * 1000000ull)
#define BACKOFF_USEC 1000000ull
/* Its successor may want what it holds, so its end is waited for; it need not be a child of ours. */
#define PATIENCE_MSEC 2000

struct child {
	sd_event *event;
	char *name, *path, *note;
	char **argv;
	pid_t pid; /* 0: it does not run */
	int pidfd;
	uint64_t since, backoff;
	sd_event_source *end, *again;
	char *trouble; /* owned; NULL: it runs */
};

static void start(struct child *c);

/* Field 22 of proc(5)'s stat, behind the name, which may have anything in it. */
static uint64_t start_time(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid);
	_cleanup_free_ char *text = file_read(path, NULL);
	uint64_t time = 0;
	char *at;

	if (!text)
		return 0;
	at = strrchr(text, ')');
	for (unsigned field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		sscanf(at, "%" SCNu64, &time);
	return time;
}

/* The process of the file, 0: none that still runs; then *dead is the one that ran. note: 64 bytes. */
static pid_t read_pid(const char *path, char *note, pid_t *dead)
{
	_cleanup_free_ char *text = file_read(path, NULL);
	uint64_t time, now;
	int pid;

	*dead = 0;
	if (!text || sscanf(text, "%d %" SCNu64 " %63s", &pid, &time, note) != 3 || pid <= 1 || !time)
		return 0;
	now = start_time(pid);
	/* With its number in use again there is no group of that number any more. */
	*dead = now ? 0 : pid;
	return now == time ? pid : 0;
}

char *child_note(const char *path)
{
	char note[64];
	pid_t dead;

	return read_pid(path, note, &dead) ? xstrdup(note) : NULL;
}

static void write_pid(const struct child *c)
{
	_cleanup_free_ char *text = xasprintf("%d %" PRIu64 " %s\n", (int)c->pid, start_time(c->pid), c->note);
	int r = file_write(c->path, text, strlen(text), 0644, false);

	if (r < 0)
		log_warning("%s: %s", c->path, strerror(-r));
}

static void trouble(struct child *c, char *text)
{
	free(c->trouble);
	c->trouble = text;
	if (text)
		log_warning("%s: %s", c->name, text);
}

static int on_again(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	start(userdata);
	return 0;
}

static void start_later(struct child *c)
{
	uint64_t now;

	sd_event_now(c->event, CLOCK_BOOTTIME, &now);
	c->backoff = now - c->since > LASTING_USEC ? BACKOFF_USEC : MIN(c->backoff * 2, LASTING_USEC);
	c->again = sd_event_source_disable_unref(c->again);
	sd_event_add_time_relative(c->event, &c->again, CLOCK_MONOTONIC, c->backoff, 1000, on_again, c);
}

static void let_go(struct child *c)
{
	c->end = sd_event_source_disable_unref(c->end);
	close_ptr(&c->pidfd);
	c->pidfd = -1;
	c->pid = 0;
}

/*
 * A program that is killed may leave helpers behind, which nobody else ends. They are of its process group, whose
 * number is nobody else's while one of them is there.
 */
static void end_helpers(pid_t pid)
{
	if (pid > 1)
		kill(-pid, SIGKILL);
}

/* One that was taken over is no child of ours: how it ended is not to be learnt. */
static int on_end(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
	struct child *c = userdata;
	_cleanup_free_ char *ended = NULL;
	int status = 0;

	/* Before it is reaped: then its number is free for others. */
	end_helpers(c->pid);
	ended = waitpid(c->pid, &status, WNOHANG) == c->pid && WIFEXITED(status)
			? xasprintf("ended with status %d (its own messages say why)", WEXITSTATUS(status))
			: xstrdup("ended");
	let_go(c);
	start_later(c);
	trouble(c, xasprintf("it %s, and is started again after %llu s", ended,
			     (unsigned long long)(c->backoff / 1000000)));
	return 0;
}

static int watch(struct child *c, pid_t pid)
{
	int r;

	c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	r = c->pidfd < 0 ? -errno : sd_event_add_io(c->event, &c->end, c->pidfd, EPOLLIN, on_end, c);
	if (r < 0) {
		let_go(c);
		return r;
	}
	c->pid = pid;
	return 0;
}

static void start(struct child *c)
{
	pid_t pid;
	int r = spawn_program(&pid, c->argv, -1, -1);
	bool spawned = r == 0;

	sd_event_now(c->event, CLOCK_BOOTTIME, &c->since);
	r = spawned ? watch(c, pid) : r;
	if (r == 0) {
		trouble(c, NULL);
		write_pid(c);
		return;
	}
	if (spawned) {
		/* Nobody would see its end, and the next start would be a second one. */
		end_helpers(pid);
		waitpid(pid, NULL, 0);
	}
	trouble(c, xasprintf("%s could not be started: %s", c->argv[0],
			     r == -ENOENT ? "it is not installed" : strerror(-r)));
	start_later(c);
}

static char **copy_arguments(const char *const *argv)
{
	char **copy;
	size_t n = 0;

	while (argv[n])
		n++;
	copy = xcalloc(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(argv[i]);
	return copy;
}

struct child *child_new(sd_event *event, const struct child_setup *setup)
{
	struct child *c = xcalloc(1, sizeof(*c));
	char note[64];
	pid_t pid, dead;

	c->event = event;
	c->pidfd = -1;
	c->backoff = BACKOFF_USEC / 2;
	c->name = xstrdup(setup->name);
	c->path = xstrdup(setup->path);
	c->note = xstrdup(setup->note);
	c->argv = copy_arguments(setup->argv);
	sd_event_now(event, CLOCK_BOOTTIME, &c->since);
	pid = read_pid(c->path, note, &dead);
	end_helpers(dead);
	if (!pid || !streq(note, c->note) || watch(c, pid) < 0)
		start(c);
	return c;
}

struct child *child_free(struct child *c)
{
	if (!c)
		return NULL;
	let_go(c);
	sd_event_source_disable_unref(c->again);
	for (size_t i = 0; c->argv[i]; i++)
		free(c->argv[i]);
	free(c->argv);
	free(c->name);
	free(c->path);
	free(c->note);
	free(c->trouble);
	free(c);
	return NULL;
}

struct child *child_stop(struct child *c)
{
	struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

	if (c->pid) {
		syscall(SYS_pidfd_send_signal, c->pidfd, SIGTERM, NULL, 0);
		if (poll(&p, 1, PATIENCE_MSEC) == 0)
			syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
		/* Before it is reaped: then its number is free for others. */
		end_helpers(c->pid);
		waitpid(c->pid, NULL, 0);
	}
	unlink(c->path);
	return child_free(c);
}

bool child_runs(const struct child *c)
{
	struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

	return c->pid && poll(&p, 1, 0) == 0;
}

int child_signal(struct child *c, int signal)
{
	if (!c->pid)
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, c->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

char *child_last_words(const struct child *c, int msec)
{
	_cleanup_close_ int complaints = memfd_create("complaints", MFD_CLOEXEC);
	pid_t pid;

	if (complaints < 0 || child_runs(c) || spawn_program(&pid, c->argv, -1, complaints) < 0)
		return NULL;
	return spawn_wait(pid, msec) == -EIO ? spawn_last_words(complaints) : NULL;
}

const char *child_trouble(const struct child *c)
{
	return c->trouble;
}
