/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: questions to any host: ICMP echo on a raw socket, and TCP connections that are closed as soon as they stand.
 */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "probe-internal.h"

/* ICMP_FILTER of <linux/icmp.h>, which cannot be had beside <net/if.h>. */
#define RAW_ICMP_FILTER 1

union socket_address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t address_of(const struct probe *p, uint16_t port, union socket_address *ret)
{
	*ret = (union socket_address){0};
	if (p->target.family == AF_INET) {
		ret->four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&ret->four.sin_addr, p->target.addr, sizeof(ret->four.sin_addr));
		return sizeof(ret->four);
	}
	ret->six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&ret->six.sin6_addr, p->target.addr, sizeof(ret->six.sin6_addr));
	return sizeof(ret->six);
}

static bool is_from_target(const struct probe *p, const union socket_address *from)
{
	if (p->target.family == AF_INET)
		return memcmp(&from->four.sin_addr, p->target.addr, sizeof(from->four.sin_addr)) == 0;
	return memcmp(&from->six.sin6_addr, p->target.addr, sizeof(from->six.sin6_addr)) == 0;
}

static uint16_t echo_id(void)
{
	return htons((uint16_t)getpid());
}

/* Type, code, checksum, id and sequence: the same eight bytes in both families. */
static bool is_answer(const struct probe *p, const struct icmphdr *echo)
{
	uint8_t type = p->target.family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

	return echo->type == type && echo->un.echo.id == echo_id() &&
	       (int16_t)(ntohs(echo->un.echo.sequence) - p->first) >= 0;
}

static int on_reply(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
	struct probe *p = userdata;
	_Alignas(uint32_t) uint8_t data[256];
	union socket_address from = {0};
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, data, sizeof(data), MSG_TRUNC, &from.any, &from_len);
	size_t at = 0;
	struct icmphdr echo;

	/* A raw IPv4 socket gives the IP header, too. */
	if (n > 0 && p->target.family == AF_INET)
		at = (size_t)(data[0] & 0xf) * 4;
	if (n < 0 || at + sizeof(echo) > MIN((size_t)n, sizeof(data)) || !is_from_target(p, &from))
		return 0;
	memcpy(&echo, data + at, sizeof(echo));
	if (is_answer(p, &echo))
		probe_tell(p);
	return 0;
}

/* Only replies wake us: a raw socket otherwise sees every ICMP packet of the host. */
static void let_replies_pass(int family, int fd)
{
	struct icmp6_filter six;
	uint32_t four = ~(1u << ICMP_ECHOREPLY);

	if (family == AF_INET) {
		setsockopt(fd, SOL_RAW, RAW_ICMP_FILTER, &four, sizeof(four));
		return;
	}
	ICMP6_FILTER_SETBLOCKALL(&six);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &six);
	setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &six, sizeof(six));
}

static int open_ping(struct probe *p)
{
	int family = p->target.family;
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (fd < 0)
		return -errno;
	let_replies_pass(family, fd);
	return probe_open(p, fd, EPOLLIN, on_reply);
}

/* RFC 1071, over an even number of bytes; the kernel makes ICMPv6's by itself. */
static uint16_t checksum(const void *data, size_t len)
{
	uint32_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, (const uint8_t *)data + i, sizeof(word));
		sum += word;
	}
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

void ping_ask(struct probe *p)
{
	struct icmphdr echo = {.type = p->target.family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
	union socket_address to;
	socklen_t len = address_of(p, 0, &to);

	if (p->fd < 0 && open_ping(p) < 0)
		return;
	echo.un.echo.id = echo_id();
	echo.un.echo.sequence = htons(++p->seq);
	if (p->target.family == AF_INET)
		echo.checksum = checksum(&echo, sizeof(echo));
	sendto(p->fd, &echo, sizeof(echo), MSG_DONTWAIT | MSG_NOSIGNAL, &to.any, len);
}

static int on_connected(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
	struct probe *p = userdata;
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	probe_close(p);
	if (!error)
		probe_tell(p);
	return 0;
}

/* A lost SYN is sent again by the kernel only after a second or more: an old attempt makes place for a new one. */
#define TCP_AGE_MAX 2

void tcp_ask(struct probe *p)
{
	union socket_address to;
	socklen_t len = address_of(p, p->target.port, &to);
	int fd;

	if (p->fd >= 0 && ++p->age < TCP_AGE_MAX)
		return;
	probe_close(p);
	p->age = 0;
	fd = socket(p->target.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return;
	if (connect(fd, &to.any, len) < 0 && errno != EINPROGRESS)
		close(fd);
	else
		probe_open(p, fd, EPOLLOUT, on_connected);
}
