/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: iptables.h, and what host.h says of it. */
#include "host-internal.h"
#include "spawn.h"

#include <linux/netfilter.h>
#include <sys/mman.h>

#include "../log.h"
#include "../plan/assist.h"

/* Of the kind that was read, whichever the host's alternatives name. */
static const struct {
	uint8_t family;
	bool legacy;
	const char *program;
} programs[] = {
	{NFPROTO_IPV4, false, "iptables-nft-restore"},
	{NFPROTO_IPV6, false, "ip6tables-nft-restore"},
	{NFPROTO_IPV4, true, "iptables-legacy-restore"},
	{NFPROTO_IPV6, true, "ip6tables-legacy-restore"},
};

/* What it would not be told is told it again after this long, or by the next apply; sooner what it was too slow for. */
#define AGAIN_USEC (60ull * 1000 * 1000)
#define SOON_USEC (10ull * 1000 * 1000)

/* It waits for others that write there, and the kernel loads what its rules need. Both kinds for both families must end
 * before the service manager takes us for dead (WatchdogSec of kvmnetd.service). */
#define PATIENCE_MSEC 7000

static int run(const char *program, const char *text, char **why)
{
	char *const argv[] = {(char *)(uintptr_t)program, "--wait=5", "--noflush", NULL};
	_cleanup_close_ int fd = memfd_create("rules", MFD_CLOEXEC);
	_cleanup_close_ int complaints = memfd_create("complaints", MFD_CLOEXEC);
	_cleanup_free_ char *words = NULL;
	size_t len = strlen(text);
	pid_t pid;
	int r;

	if (fd < 0 || pwrite(fd, text, len, 0) != (ssize_t)len) {
		r = errno ? -errno : -EIO;
		*why = xasprintf("%s: %s", program, strerror(-r));
		return r;
	}
	r = spawn_program(&pid, argv, fd, complaints);
	r = r ? r : spawn_wait(pid, PATIENCE_MSEC);
	words = r ? spawn_last_words(complaints) : NULL;
	if (r == -EIO)
		*why = xasprintf("%s failed: %s", program, words ? words : "it does not say why");
	else if (r < 0)
		*why = xasprintf("%s: %s", program,
				 r == -ENOENT ? "it is not installed (package iptables)" : strerror(-r));
	return r;
}

static int write_rules(const struct foreign *f, bool legacy, union value words, char **why)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_free_ char *text = NULL;
		int r;

		if (programs[i].legacy != legacy)
			continue;
		text = assist_commands(words.blob, f, programs[i].family);
		r = text ? run(programs[i].program, text, why) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

void iptables_done(struct iptables *t)
{
	sd_event_source_disable_unref(t->again);
	free(t->trouble);
}

static int tell_again(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct host *h = userdata;

	for (size_t i = 0; i < ARRAY_SIZE(h->iptables); i++)
		free(TAKE_PTR(h->iptables[i].trouble));
	h->changed(h->userdata);
	return 0;
}

void iptables_tell(struct host *h, bool legacy, union value words)
{
	struct iptables *t = &h->iptables[legacy];
	int r;

	free(TAKE_PTR(t->trouble));
	t->again = sd_event_source_disable_unref(t->again);
	r = t->foreign ? write_rules(t->foreign, legacy, words, &t->trouble) : 0;
	if (r == 0)
		return;
	log_warning("%s", t->trouble);
	sd_event_add_time_relative(h->event, &t->again, CLOCK_MONOTONIC, r == -ETIMEDOUT ? SOON_USEC : AGAIN_USEC, 0,
				   tell_again, h);
}

static void show(struct iptables *t, struct values *all, enum link_row row)
{
	if (t->trouble)
		values_unset(all, row);
	else
		values_put(all, row, (union value){.blob = assist_found(t->foreign)}, LOC_NONE);
}

void host_show_iptables(struct host *h, struct model *actual, const struct foreign *f, const struct foreign *legacy)
{
	struct link *all = model_find(actual, LINK_ALL);

	h->iptables[false].foreign = f;
	h->iptables[true].foreign = legacy;
	if (!all)
		return;
	show(&h->iptables[false], all->common, LINK_IPTABLES);
	show(&h->iptables[true], all->common, LINK_LEGACY);
}

const char *host_iptables_trouble(const struct host *h, bool legacy)
{
	return h->iptables[legacy].trouble;
}
