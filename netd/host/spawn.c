/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: spawn.h. */
#include "spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../file.h"
#include "../log.h"
#include "../util.h"

/* It has its program's worth and not the daemon's, which is the last to be killed when memory runs out. */
static void reset_oom_score(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/oom_score_adj", (int)pid);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		log_debug("%s: %s", path, strerror(errno));
}

/* Nor is it ahead of others, as the daemon is by its unit. It is alone in its process group yet, or with helpers. */
static void reset_priority(pid_t pid)
{
	if (getpriority(PRIO_PROCESS, 0) < 0 && setpriority(PRIO_PGRP, (id_t)pid, 0) < 0)
		log_debug("the priority of process %d: %s", (int)pid, strerror(errno));
}

int spawn_program(pid_t *pid, char *const argv[], int input, int complaints)
{
	const char *path = getenv("PATH");
	_cleanup_free_ char *variable = xasprintf("PATH=%s", path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	char *environment[] = {variable, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	if (input < 0)
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	if (complaints >= 0)
		posix_spawn_file_actions_adddup2(&files, complaints, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	r = posix_spawnp(pid, argv[0], &files, &attributes, argv, environment);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	if (r == 0) {
		reset_oom_score(*pid);
		reset_priority(*pid);
	}
	return -r;
}

/* What a program has to say does not take more. */
#define WORDS_BYTES_MAX (64 << 10)

char *spawn_last_words(int complaints)
{
	_cleanup_free_ char *text = NULL;
	char *line = NULL, *save = NULL, *words;
	size_t len;

	if (lseek(complaints, 0, SEEK_SET) < 0 || file_read_fd(complaints, WORDS_BYTES_MAX, &text, &len) < 0)
		return NULL;
	/* With that dnsmasq ends, after it has said why. */
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		line = line && strstr(l, ": FAILED to start up") ? line : l;
	if (!line)
		return NULL;
	words = strstr(line, ": ");
	words = words && words < strchr(line, ' ') ? words + 2 : line;
	for (char *c = words; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return xstrdup(words);
}

/* In pieces: as long as the machine stands still the program cannot run either, and that is to cost it one of them. */
#define PIECE_MSEC 50

static bool outlasts(int pidfd, int msec)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	for (int waited = 0; waited < msec; waited += PIECE_MSEC)
		if (poll(&p, 1, PIECE_MSEC) != 0)
			return false;
	return true;
}

int spawn_wait(pid_t pid, int msec)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status;

	if (fd >= 0 && outlasts(fd, msec)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -ETIMEDOUT;
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
