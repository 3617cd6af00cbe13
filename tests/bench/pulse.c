/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: how long a host is out of reach while something is done to it. `pulse FROM TO SECONDS` sends an ICMP echo
 * request from one address to the other every millisecond and prints, as JSON, how many there were, how many had no
 * answer, and the longest time in ms from one that was answered to the next. A millisecond in which this program does
 * not get to run has no request: the time tells, also where the machine is too slow for the count to.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MSEC 1000000ll
#define SECONDS_MAX 60
#define LAST_WAIT (1000 * MSEC) /* for answers, after the last request */

struct pulse {
	int fd;
	struct sockaddr_in to;
	int64_t sent[SECONDS_MAX * 1000]; /* ns, by sequence number */
	bool answered[SECONDS_MAX * 1000];
	int n;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MSEC + t.tv_nsec;
}

static uint16_t checksum(const void *data, size_t len)
{
	uint16_t word;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		memcpy(&word, (const char *)data + i, sizeof(word));
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* A request that cannot be sent is one without an answer. */
static void ask(struct pulse *p)
{
	struct icmphdr request = {.type = ICMP_ECHO};

	request.un.echo.id = htons((uint16_t)getpid());
	request.un.echo.sequence = htons((uint16_t)p->n);
	request.checksum = checksum(&request, sizeof(request));
	p->sent[p->n++] = now();
	(void)!sendto(p->fd, &request, sizeof(request), 0, (const struct sockaddr *)&p->to, sizeof(p->to));
}

static void take_answers(struct pulse *p)
{
	uint8_t packet[512];
	struct icmphdr answer;
	ssize_t n;

	while ((n = recv(p->fd, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		size_t header = (size_t)(packet[0] & 15) * 4;

		if ((size_t)n < header + sizeof(answer))
			continue;
		memcpy(&answer, packet + header, sizeof(answer));
		if (answer.type == ICMP_ECHOREPLY && ntohs(answer.un.echo.id) == (uint16_t)getpid() &&
		    ntohs(answer.un.echo.sequence) < p->n)
			p->answered[ntohs(answer.un.echo.sequence)] = true;
	}
}

static void wait_until(struct pulse *p, int64_t when)
{
	struct pollfd readable = {.fd = p->fd, .events = POLLIN};

	for (int64_t left = when - now(); left > 0; left = when - now()) {
		struct timespec timeout = {.tv_sec = left / (1000 * MSEC), .tv_nsec = left % (1000 * MSEC)};

		if (ppoll(&readable, 1, &timeout, NULL) > 0)
			take_answers(p);
	}
}

static void tell(const struct pulse *p)
{
	int64_t last = p->n ? p->sent[0] : 0, longest = 0;
	int lost = 0;

	for (int i = 0; i < p->n; i++) {
		if (p->answered[i] && p->sent[i] - last > longest)
			longest = p->sent[i] - last;
		if (p->answered[i])
			last = p->sent[i];
		else
			lost++;
	}
	printf("{\"sent\": %d, \"lost\": %d, \"longest\": %.1f}\n", p->n, lost, (double)longest / MSEC);
}

int main(int argc, char **argv)
{
	static struct pulse p;
	struct sockaddr_in from = {.sin_family = AF_INET};
	int seconds = argc == 4 ? atoi(argv[3]) : 0;
	int64_t begin, next;

	p.to.sin_family = AF_INET;
	if (seconds < 1 || seconds > SECONDS_MAX || inet_pton(AF_INET, argv[1], &from.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[2], &p.to.sin_addr) != 1)
		errx(64, "usage: pulse FROM TO SECONDS");
	p.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (p.fd < 0 || bind(p.fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
		err(1, "socket");
	begin = now();
	for (next = begin; now() < begin + seconds * 1000 * MSEC;) {
		ask(&p);
		next += MSEC;
		if (next < now())
			next = now();
		wait_until(&p, next);
	}
	wait_until(&p, now() + LAST_WAIT);
	tell(&p);
	return 0;
}
