/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the sysctls of a link, or of LINK_ALL (kernel-internal.h). */
#include <fcntl.h>

#include "kernel-internal.h"

/* The caller frees it. */
static char *sysctl_path(const char *link, const struct option *o)
{
	const char *point = strchr(o->key, '.');

	return xasprintf("/proc/sys/net/ipv%c/conf/%s/%s", o->place == PLACE_SYSCTL4 ? '4' : '6', link,
			 point ? point + 1 : o->key);
}

bool sysctl_read(const char *link, const struct option *o, uint64_t *ret)
{
	_cleanup_free_ char *path = sysctl_path(link, o);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[24] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

int sysctl_write(const char *link, const struct option *o, uint64_t value)
{
	_cleanup_free_ char *path = sysctl_path(link, o);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld\n", (long long)value);

	if (fd < 0 || write(fd, text, (size_t)len) < 0)
		return -errno;
	return 0;
}
