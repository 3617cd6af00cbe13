/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: iptables.h. */
#include "iptables.h"

#include <linux/netfilter.h>
#include <sys/mman.h>

#include "../plan/assist.h"
#include "spawn.h"

/* Those of nftables, whichever kind the host's alternatives name: what was read is nftables'. */
static const struct {
	uint8_t family;
	const char *program;
} programs[] = {
	{NFPROTO_IPV4, "iptables-nft-restore"},
	{NFPROTO_IPV6, "ip6tables-nft-restore"},
};

/* It waits for others that write there, and the kernel loads what its rules need. For both families it must end before
 * the service manager takes us for dead (WatchdogSec of kvmnetd.service). */
#define PATIENCE_MSEC 12000

static int run(const char *program, const char *text, char **why)
{
	char *const argv[] = {(char *)(uintptr_t)program, "--wait=5", "--noflush", NULL};
	_cleanup_close_ int fd = memfd_create("rules", MFD_CLOEXEC);
	size_t len = strlen(text);
	pid_t pid;
	int r;

	if (fd < 0 || pwrite(fd, text, len, 0) != (ssize_t)len) {
		r = errno ? -errno : -EIO;
		*why = xasprintf("%s: %s", program, strerror(-r));
		return r;
	}
	r = spawn_program(&pid, argv, fd);
	r = r ? r : spawn_wait(pid, PATIENCE_MSEC);
	if (r == -EIO)
		*why = xasprintf("%s failed (its own messages in the journal say why)", program);
	else if (r < 0)
		*why = xasprintf("%s: %s", program,
				 r == -ENOENT ? "it is not installed (package iptables)" : strerror(-r));
	return r;
}

int iptables_write(const struct foreign *f, union value words, char **why)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_free_ char *text = assist_commands(words.blob, f, programs[i].family);
		int r = text ? run(programs[i].program, text, why) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
