/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: rtnetlink sockets (rtnl.h). The kernel works on a request inside sendmsg() and has queued the answers when
 * it returns (net/netlink/af_netlink.c, netlink_unicast_kernel), so nothing here waits: an answer that is not there
 * was lost.
 */
#include "rtnl.h"

#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <sys/socket.h>

#define EVENT_BYTES (16 << 20)
#define REQUEST_BYTES (1 << 20)

struct rtnl {
	int fd;
	uint32_t seq;
	size_t batch_bytes;
	_Alignas(struct nlmsghdr) uint8_t buffer[RTNL_BUFFER];
};

static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_NETLINK, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* The forced variant needs CAP_NET_ADMIN in the first user namespace; the other is cut to the system's limit. */
static void set_buffer(int fd, int forced, int plain, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

static int open_socket(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

int rtnl_open(struct rtnl **ret)
{
	_cleanup_close_ int fd = open_socket();
	socklen_t len = sizeof(int);
	struct rtnl *r;
	int bytes, error;

	if (fd < 0)
		return fd;
	error = set_option(fd, NETLINK_EXT_ACK, 1);
	if (!error)
		error = set_option(fd, NETLINK_CAP_ACK, 1);
	if (!error)
		error = set_option(fd, NETLINK_GET_STRICT_CHK, 1);
	if (error)
		return error;
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, REQUEST_BYTES);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, REQUEST_BYTES);
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &len) < 0)
		return -errno;
	r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	fd = -1;
	/* netlink_sendmsg() refuses more than the buffer's size less 32. */
	r->batch_bytes = (size_t)bytes - 32;
	*ret = r;
	return 0;
}

struct rtnl *rtnl_close(struct rtnl *r)
{
	if (r) {
		close(r->fd);
		free(r);
	}
	return NULL;
}

int rtnl_open_events(const unsigned *groups)
{
	_cleanup_close_ int fd = open_socket();
	int ret;

	if (fd < 0)
		return fd;
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, EVENT_BYTES);
	for (; *groups; groups++) {
		int error = set_option(fd, NETLINK_ADD_MEMBERSHIP, (int)*groups);

		/* A group that this kernel does not have tells nothing that it could miss. */
		if (error && error != -EINVAL)
			return error;
	}
	ret = fd;
	fd = -1;
	return ret;
}

void rtnl_refuse_events(int fd, bool refuse)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {.len = ARRAY_SIZE(nothing), .filter = nothing};

	/* Where that fails they are queued, and read for nothing. */
	if (refuse)
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	else
		setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &program, sizeof(program));
}

bool rtnl_join(int fd, unsigned group)
{
	return set_option(fd, NETLINK_ADD_MEMBERSHIP, (int)group) == 0;
}

ssize_t rtnl_receive(int fd, void *buf, size_t size)
{
	for (;;) {
		struct sockaddr_nl addr = {0};
		struct iovec iov = {.iov_base = buf, .iov_len = size};
		struct msghdr msg = {.msg_name = &addr, .msg_namelen = sizeof(addr), .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (addr.nl_pid != 0)
			continue;
		if (msg.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
		return n;
	}
}

static int send_bytes(int fd, const void *data, size_t len)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(fd, data, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The attributes of an extended ack, which follow the fixed part at `offset` of the payload. */
static void read_extack(const struct nlmsghdr *m, size_t offset, struct rtnl_result *result)
{
	const struct nlattr *a;

	mnl_attr_for_each (a, m, offset) {
		const char *text = mnl_attr_get_payload(a);
		uint16_t len = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_OFFS && len >= sizeof(uint32_t))
			result->offset = mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG && len && !result->text && text[len - 1] == '\0')
			result->text = xstrdup(text);
	}
}

static void read_error(const struct nlmsghdr *m, struct rtnl_result *result)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	size_t offset = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*e)) {
		result->error = -EBADMSG;
		return;
	}
	result->error = e->error;
	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	/* Without the cap the request itself comes back before the attributes. */
	if (!(m->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
		offset += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (offset < mnl_nlmsg_get_payload_len(m))
		read_extack(m, offset, result);
}

/* A dump that failed underway says so in its last message (NETLINK_GET_STRICT_CHK). */
static int read_done(const struct nlmsghdr *m)
{
	int error;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(error))
		return 0;
	memcpy(&error, mnl_nlmsg_get_payload(m), sizeof(error));
	return error < 0 ? error : 0;
}

struct reading {
	uint32_t seq;
	rtnl_message_fn *fn;
	void *userdata;
	bool complete;
	bool torn;
	int error;
};

static void read_message(const struct nlmsghdr *m, struct reading *g)
{
	if (m->nlmsg_seq != g->seq || g->complete)
		return;
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		g->torn = true;
	if (m->nlmsg_type == NLMSG_ERROR) {
		struct rtnl_result result = {0};

		read_error(m, &result);
		g->error = result.error;
		g->complete = true;
		rtnl_result_done(&result);
	} else if (m->nlmsg_type == NLMSG_DONE) {
		if (!g->error)
			g->error = read_done(m);
		g->complete = true;
	} else if (m->nlmsg_type >= NLMSG_MIN_TYPE && !g->error) {
		g->error = g->fn(m, g->userdata);
		/* What a read of one object answers is one message. */
		g->complete = g->complete || !(m->nlmsg_flags & NLM_F_MULTI);
	}
}

/* Reads to the end even after an error: a dump that is left half-read makes the next one fail with EBUSY. */
static int read_answer(struct rtnl *r, struct reading *g)
{
	while (!g->complete) {
		ssize_t n = rtnl_receive(r->fd, r->buffer, sizeof(r->buffer));
		const struct nlmsghdr *m = (const struct nlmsghdr *)r->buffer;
		int left = (int)n;

		if (n == -ENOBUFS) {
			g->torn = true;
			continue;
		}
		if (n <= 0)
			return n == 0 ? -ENOBUFS : (int)n;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			read_message(m, g);
	}
	if (!g->error && g->torn)
		return -EINTR;
	return g->error;
}

static int request(struct rtnl *r, struct nlmsghdr *m, uint16_t flags, rtnl_message_fn *fn, void *userdata)
{
	struct reading g = {.seq = ++r->seq, .fn = fn, .userdata = userdata};
	int error;

	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = g.seq;
	error = send_bytes(r->fd, m, m->nlmsg_len);
	return error ? error : read_answer(r, &g);
}

int rtnl_dump(struct rtnl *r, struct nlmsghdr *m, rtnl_message_fn *fn, void *userdata)
{
	return request(r, m, NLM_F_DUMP, fn, userdata);
}

int rtnl_get(struct rtnl *r, struct nlmsghdr *m, rtnl_message_fn *fn, void *userdata)
{
	return request(r, m, m->nlmsg_flags, fn, userdata);
}

void rtnl_result_done(struct rtnl_result *result)
{
	free(result->text);
	*result = (struct rtnl_result){0};
}

size_t rtnl_batch_bytes(const struct rtnl *r)
{
	return r->batch_bytes;
}

/*
 * One result per sequence number from `first` on. Only the last message asked for an answer, but what is refused is
 * always answered (net/netlink/af_netlink.c, netlink_rcv_skb), and in order. 0, or negative errno when an answer was
 * lost.
 */
static int read_results(struct rtnl *r, uint32_t first, struct rtnl_result *results, size_t n)
{
	bool complete = false;

	while (!complete) {
		ssize_t len = rtnl_receive(r->fd, r->buffer, sizeof(r->buffer));
		const struct nlmsghdr *m = (const struct nlmsghdr *)r->buffer;
		int left = (int)len;

		if (len <= 0)
			return len == 0 ? -ENOBUFS : (int)len;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			uint32_t i = m->nlmsg_seq - first;

			if (m->nlmsg_type != NLMSG_ERROR || i >= n || complete)
				continue;
			rtnl_result_done(&results[i]);
			read_error(m, &results[i]);
			complete = i == n - 1;
		}
	}
	return 0;
}

int rtnl_batch(struct rtnl *r, void *messages, size_t len, struct rtnl_result *results, size_t n)
{
	struct nlmsghdr *m = messages;
	uint32_t first = r->seq + 1;
	int left = (int)len, error;

	if (n > RTNL_BATCH_MAX || len > r->batch_bytes)
		return -EMSGSIZE;
	for (size_t i = 0; i < n; i++, m = mnl_nlmsg_next(m, &left)) {
		if (!mnl_nlmsg_ok(m, left))
			return -EBADMSG;
		m->nlmsg_flags |= NLM_F_REQUEST | (i == n - 1 ? NLM_F_ACK : 0);
		m->nlmsg_seq = ++r->seq;
		results[i] = (struct rtnl_result){0};
	}
	error = send_bytes(r->fd, messages, len);
	if (!error && n)
		error = read_results(r, first, results, n);
	for (size_t i = 0; error && i < n; i++)
		rtnl_result_done(&results[i]);
	return error;
}
