/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: makes the daemon's changes fail from outside. Preloaded into kvmnetd by tests/live/faults.py, it counts
 * what the daemon asks the kernel to change (rtnetlink messages that are no GET, and sysctls opened for writing) and
 * what it does to its files (renames and removals). At the n-th of them it does what the shared struct says, which
 * the test maps and writes: up to four faults, the next one armed when the one before has happened.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum fault {
	FAULT_NONE,
	FAULT_REFUSE, /* the n-th message becomes of a type that the kernel has no handler for */
	FAULT_HALF,   /* the n-th message gets an attribute at its end that the kernel refuses when the rest is done */
	FAULT_LOSE_ACK, /* the answer to the n-th message is dropped */
	FAULT_CUT,	/* n messages are sent, and then the process is killed */
	FAULT_FILE_CUT, /* killed before the n-th rename or removal of a file */
	FAULT_TEAR, /* from the n-th message on events are lost and every dump is torn, until something else is armed */
	FAULT_STOP, /* the process is stopped before the n-th message, until the test lets it go on */
	FAULT_TEAR_RULES, /* every dump of nftables is torn, until something else is armed */
};

#define FAULTS 4
#define NOTED 8192

/* What a message is, beside its type. */
#define IS_CREATE 0x4000
#define IS_BRIDGE 0x8000
#define IS_MASTER 0x2000
#define IS_FLAGS 0x1000
#define IS_SYSCTL 1

/* In the file $FAULTS. Host byte order; the test writes the first two arrays and clears the rest. */
struct control {
	uint32_t fault[FAULTS], at[FAULTS];
	uint32_t fired;		  /* how many of them have happened; the one of this number is armed */
	uint32_t messages, files; /* counted since the armed one was */
	uint16_t noted[NOTED];	  /* what the messages were */
};

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Of this process: the sequence number whose answer is to be dropped, and the sysctl that is written at the end. */
static uint32_t lost_seq;
static int last_sysctl = -1;

static struct control *control(void)
{
	static struct control *c;
	const char *path = getenv("FAULTS");
	int fd;

	if (c)
		return c;
	fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	c = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c == MAP_FAILED)
		abort();
	close(fd);
	return c;
}

static void fire(struct control *c)
{
	c->fired++;
	c->messages = 0;
	c->files = 0;
}

static void die(struct control *c)
{
	fire(c);
	kill(getpid(), SIGKILL);
	pause();
}

static uint32_t armed(const struct control *c, enum fault fault)
{
	return c->fired < FAULTS && c->fault[c->fired] == fault;
}

static void note(struct control *c, uint16_t what)
{
	if (c->messages < NOTED)
		c->noted[c->messages] = what;
	c->messages++;
}

/* Negative: it is no netlink socket. */
static int netlink_protocol(int fd)
{
	int domain = 0, protocol = -1;
	socklen_t len = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	len = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	return domain == AF_NETLINK ? protocol : -1;
}

static int is_route_socket(int fd)
{
	return netlink_protocol(fd) == NETLINK_ROUTE;
}

static int is_write(const struct nlmsghdr *m)
{
	/* Types come in fours: NEW, DEL, GET, SET (linux/rtnetlink.h). */
	return m->nlmsg_type >= RTM_BASE && (m->nlmsg_type & 3) != (RTM_GETLINK & 3);
}

static int is_link(const struct nlmsghdr *m)
{
	return m->nlmsg_type == RTM_NEWLINK || m->nlmsg_type == RTM_SETLINK || m->nlmsg_type == RTM_DELLINK;
}

static struct rtattr *find_attribute(struct nlmsghdr *m, size_t fixed, uint16_t type)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_SPACE(fixed));
	int left = (int)(m->nlmsg_len - NLMSG_SPACE(fixed));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static uint16_t what_is(struct nlmsghdr *m)
{
	const struct ifinfomsg *ifi = NLMSG_DATA(m);
	uint16_t what = m->nlmsg_type;

	if (!is_link(m))
		return what;
	if (ifi->ifi_family == AF_BRIDGE)
		return what | IS_BRIDGE;
	if (m->nlmsg_flags & NLM_F_CREATE)
		what |= IS_CREATE;
	if (find_attribute(m, sizeof(*ifi), IFLA_MASTER))
		what |= IS_MASTER;
	if (ifi->ifi_change)
		what |= IS_FLAGS;
	return what;
}

static void *put(struct nlmsghdr *m, uint16_t type, const void *data, uint16_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memset(RTA_DATA(a), 0, RTA_SPACE(len) - RTA_LENGTH(0));
	memcpy(RTA_DATA(a), data, len);
	m->nlmsg_len = NLMSG_ALIGN(m->nlmsg_len) + RTA_SPACE(len);
	return a;
}

static void refuse(struct nlmsghdr *m)
{
	m->nlmsg_type = 0x3ff; /* above RTM_MAX: EOPNOTSUPP (net/core/rtnetlink.c, rtnetlink_rcv_msg) */
}

/* VLAN 4095 after the others (net/bridge/br_netlink.c, br_afspec). The caller left room. */
static void spoil_vlans(struct nlmsghdr *m)
{
	struct rtattr *spec = find_attribute(m, sizeof(struct ifinfomsg), IFLA_AF_SPEC);
	const struct bridge_vlan_info none = {.vid = 4095};
	uint32_t before = NLMSG_ALIGN(m->nlmsg_len);

	put(m, IFLA_BRIDGE_VLAN_INFO, &none, sizeof(none));
	spec->rta_len = (uint16_t)(RTA_ALIGN(spec->rta_len) + m->nlmsg_len - before);
}

/*
 * do_setlink() looks at IFLA_XDP last, when the kind's options, the port's, address, MTU, master and flags are set, and
 * refuses what is for reading only.
 */
static void spoil_link(struct nlmsghdr *m)
{
	const struct {
		struct rtattr head;
		uint8_t attached, padding[3];
	} xdp = {.head = {.rta_len = RTA_LENGTH(1), .rta_type = IFLA_XDP_ATTACHED}, .attached = 1};

	put(m, IFLA_XDP | NLA_F_NESTED, &xdp, sizeof(xdp));
}

static void spoil(struct nlmsghdr *m)
{
	uint16_t what = what_is(m);

	if (what & IS_BRIDGE)
		spoil_vlans(m);
	else if (m->nlmsg_type == RTM_NEWLINK && !(what & IS_CREATE))
		spoil_link(m);
	else
		refuse(m);
}

/* One message on its way: what is to become of it. Returns whether it and what follows is to be held back. */
static int pass(struct control *c, struct nlmsghdr *m)
{
	uint32_t at = c->fired < FAULTS ? c->at[c->fired] : 0;

	if (armed(c, FAULT_CUT) && c->messages >= at)
		return 1;
	note(c, what_is(m));
	if (c->messages != at)
		return 0;
	if (armed(c, FAULT_REFUSE)) {
		refuse(m);
		fire(c);
	} else if (armed(c, FAULT_HALF)) {
		spoil(m);
		fire(c);
	} else if (armed(c, FAULT_LOSE_ACK)) {
		lost_seq = m->nlmsg_seq;
		fire(c);
	} else if (armed(c, FAULT_STOP)) {
		fire(c);
		raise(SIGSTOP); /* this thread, so that it goes no further */
	}
	return 0;
}

/* A copy, with room for what is added to one of them. */
static ssize_t send_changed(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
			    socklen_t to_len)
{
	struct control *c = control();
	const struct nlmsghdr *m = data;
	char *copy = calloc(1, len + 256);
	size_t left = len, filled = 0;
	int held = 0;
	ssize_t n = 0;

	if (!copy)
		abort();
	while (NLMSG_OK(m, (unsigned)left) && !held) {
		struct nlmsghdr *mine = (struct nlmsghdr *)(copy + filled);
		size_t size = NLMSG_ALIGN(m->nlmsg_len);

		memcpy(mine, m, m->nlmsg_len);
		held = pass(c, mine);
		if (!held)
			filled += NLMSG_ALIGN(mine->nlmsg_len);
		left -= size < left ? size : left;
		m = (const struct nlmsghdr *)((const char *)m + size);
	}
	if (filled)
		n = REAL(sendto)(fd, copy, filled, flags, to, to_len);
	free(copy);
	if (held || (armed(c, FAULT_CUT) && c->messages >= c->at[c->fired]))
		die(c);
	return n < 0 ? n : (ssize_t)len;
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	if (!is_route_socket(fd) || len < sizeof(struct nlmsghdr) || !is_write(data))
		return REAL(sendto)(fd, data, len, flags, to, to_len);
	return send_changed(fd, data, len, flags, to, to_len);
}

/* Returns whether the events that were received are to be lost. */
static int tear(struct nlmsghdr *m)
{
	const struct control *c = control();

	if (!armed(c, FAULT_TEAR) || c->messages < c->at[c->fired])
		return 0;
	if (m->nlmsg_flags & NLM_F_MULTI)
		m->nlmsg_flags |= NLM_F_DUMP_INTR;
	return !m->nlmsg_seq;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	socklen_t name_len = message->msg_namelen;

	for (;;) {
		ssize_t n = REAL(recvmsg)(fd, message, flags);
		struct nlmsghdr *m = message->msg_iovlen ? message->msg_iov[0].iov_base : NULL;

		if (n >= (ssize_t)sizeof(*m) && is_route_socket(fd) && tear(m)) {
			errno = ENOBUFS;
			return -1;
		}
		if (n >= (ssize_t)sizeof(*m) && armed(control(), FAULT_TEAR_RULES) && m->nlmsg_flags & NLM_F_MULTI &&
		    netlink_protocol(fd) == NETLINK_NETFILTER)
			m->nlmsg_flags |= NLM_F_DUMP_INTR;
		if (!lost_seq || n < (ssize_t)sizeof(*m) || m->nlmsg_type != NLMSG_ERROR || m->nlmsg_seq != lost_seq ||
		    !is_route_socket(fd))
			return n;
		lost_seq = 0;
		message->msg_namelen = name_len;
	}
}

/* A sysctl counts as a message. */
static const char *sysctl_path(const char *path, int flags)
{
	struct control *c;
	uint32_t at;

	if (strncmp(path, "/proc/sys/net/", 14) != 0 || (flags & O_ACCMODE) == O_RDONLY)
		return NULL;
	c = control();
	at = c->fired < FAULTS ? c->at[c->fired] : 0;
	if (armed(c, FAULT_CUT) && c->messages >= at)
		die(c);
	note(c, IS_SYSCTL);
	if (c->messages != at || !(armed(c, FAULT_REFUSE) || armed(c, FAULT_HALF)))
		return path;
	fire(c);
	return "/proc/sys/net/refused";
}

int open(const char *path, int flags, ...)
{
	const char *sysctl = sysctl_path(path, flags);
	struct control *c = sysctl ? control() : NULL;
	va_list ap;
	unsigned mode;
	int fd;

	va_start(ap, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	fd = REAL(open)(sysctl ? sysctl : path, flags, mode);
	if (c && armed(c, FAULT_CUT) && c->messages >= c->at[c->fired])
		last_sysctl = fd;
	return fd;
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t n = REAL(write)(fd, data, len);

	if (fd >= 0 && fd == last_sysctl)
		die(control());
	return n;
}

static void file_changes(void)
{
	struct control *c = control();

	c->files++;
	if (armed(c, FAULT_FILE_CUT) && c->files == c->at[c->fired])
		die(c);
}

int rename(const char *from, const char *to)
{
	file_changes();
	return REAL(rename)(from, to);
}

int unlink(const char *path)
{
	file_changes();
	return REAL(unlink)(path);
}
