/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: counts from outside what the daemon asks the kernel to change. Preloaded into kvmnetd by tests/live/bed.py,
 * it adds a line to the file $COUNT_WRITES for every rtnetlink message that is no GET, and for every file of /proc/sys
 * and /sys opened for writing. Events cannot tell: the kernel makes none for a value set to what it is already.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void note(const char *format, ...)
{
	const char *path = getenv("COUNT_WRITES");
	int (*real_open)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	char line[512];
	va_list ap;
	int fd, n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	fd = path ? real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

static int is_route_socket(int fd)
{
	int domain = 0, protocol = -1;
	socklen_t len = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	len = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	return domain == AF_NETLINK && protocol == NETLINK_ROUTE;
}

static void look(int fd, const void *data, size_t len)
{
	const struct nlmsghdr *m = data;

	if (!is_route_socket(fd))
		return;
	for (; len <= 0x7fffffff && NLMSG_OK(m, (unsigned)len);
	     len -= NLMSG_ALIGN(m->nlmsg_len),
	     m = (const struct nlmsghdr *)((const char *)m + NLMSG_ALIGN(m->nlmsg_len))) {
		/* Types come in fours: NEW, DEL, GET, SET (linux/rtnetlink.h). */
		if (m->nlmsg_type >= RTM_BASE && (m->nlmsg_type & 3) != (RTM_GETLINK & 3))
			note("message type %u flags %#x length %u\n", m->nlmsg_type, m->nlmsg_flags, m->nlmsg_len);
		if (NLMSG_ALIGN(m->nlmsg_len) > len)
			break;
	}
}

static void look_vectors(int fd, const struct iovec *iov, size_t n)
{
	for (size_t i = 0; i < n; i++)
		look(fd, iov[i].iov_base, iov[i].iov_len);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	look(fd, data, len);
	return ((ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send"))(fd, data, len, flags);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	look(fd, data, len);
	return ((ssize_t(*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t))dlsym(
		RTLD_NEXT, "sendto"))(fd, data, len, flags, to, to_len);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	look_vectors(fd, message->msg_iov, message->msg_iovlen);
	return ((ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg"))(fd, message, flags);
}

int sendmmsg(int fd, struct mmsghdr *list, unsigned n, int flags)
{
	for (unsigned i = 0; i < n; i++)
		look_vectors(fd, list[i].msg_hdr.msg_iov, list[i].msg_hdr.msg_iovlen);
	return ((int (*)(int, struct mmsghdr *, unsigned, int))dlsym(RTLD_NEXT, "sendmmsg"))(fd, list, n, flags);
}

ssize_t write(int fd, const void *data, size_t len)
{
	look(fd, data, len);
	return ((ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, data, len);
}

static void look_path(const char *path, int writes)
{
	if (writes && (!strncmp(path, "/proc/sys/", 10) || !strncmp(path, "/sys/", 5)))
		note("open %s\n", path);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	look_path(path, (flags & O_ACCMODE) != O_RDONLY);
	return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	look_path(path, (flags & O_ACCMODE) != O_RDONLY);
	return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat"))(dir, path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	look_path(path, strpbrk(mode, "wa+") != NULL);
	return ((FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen"))(path, mode);
}
