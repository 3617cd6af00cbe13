/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: questions to hosts on the same link: ARP on a packet socket, IPv6 neighbour solicitations on a raw one. Not
 * by the kernel's neighbour table: what it holds may be a minute old.
 */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "probe-internal.h"

/* RFC 826 for IPv4 on Ethernet. */
struct arp_packet {
	struct arphdr header;
	uint8_t sender_mac[ETH_ALEN], sender[4];
	uint8_t target_mac[ETH_ALEN], target[4];
} __attribute__((packed));

/* RFC 4861, 4.3, with the option that says who asks. */
struct solicitation {
	struct nd_neighbor_solicit header;
	uint8_t option, option_len; /* in units of 8 bytes */
	uint8_t mac[ETH_ALEN];
} __attribute__((packed));

static void put_mac(uint8_t to[ETH_ALEN], uint64_t mac)
{
	for (unsigned i = 0; i < ETH_ALEN; i++)
		to[i] = (uint8_t)(mac >> 8 * (ETH_ALEN - 1 - i));
}

static int on_arp(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
	struct probe *p = userdata;
	struct arp_packet arp;
	struct sockaddr_ll from = {0};
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, &arp, sizeof(arp), MSG_TRUNC, (struct sockaddr *)&from, &len);

	if (n >= (ssize_t)sizeof(arp) && (uint32_t)from.sll_ifindex == p->ifindex &&
	    memcmp(arp.sender, p->neighbour, sizeof(arp.sender)) == 0)
		probe_tell(p);
	return 0;
}

/* Only replies of that one host: a KVM host may carry the ARP of a thousand guests. */
static void filter_arp(int fd, const uint8_t addr[4])
{
	uint32_t from = (uint32_t)addr[0] << 24 | (uint32_t)addr[1] << 16 | (uint32_t)addr[2] << 8 | addr[3];
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct arphdr, ar_op)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct arp_packet, sender)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, from, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int open_arp(struct probe *p)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ARP));

	return fd < 0 ? -errno : probe_open(p, fd, EPOLLIN, on_arp);
}

static void ask_arp(struct probe *p, const struct link *link, const uint8_t *source)
{
	struct arp_packet arp = {
		.header = {.ar_hrd = htons(ARPHRD_ETHER),
			   .ar_pro = htons(ETH_P_IP),
			   .ar_hln = ETH_ALEN,
			   .ar_pln = sizeof(arp.target),
			   .ar_op = htons(ARPOP_REQUEST)},
	};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)link->ifindex,
		.sll_halen = ETH_ALEN,
	};

	if (p->fd < 0 && open_arp(p) < 0)
		return;
	filter_arp(p->fd, p->neighbour);
	put_mac(arp.sender_mac, values_num(link->common, LINK_MAC, 0));
	memcpy(arp.sender, source, sizeof(arp.sender));
	memcpy(arp.target, p->neighbour, sizeof(arp.target));
	memset(to.sll_addr, 0xff, ETH_ALEN);
	sendto(p->fd, &arp, sizeof(arp), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
}

static int on_advertisement(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
	struct probe *p = userdata;
	struct nd_neighbor_advert advert;
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, &advert, sizeof(advert), MSG_TRUNC, (struct sockaddr *)&from, &len);

	if (n >= (ssize_t)sizeof(advert) && advert.nd_na_type == ND_NEIGHBOR_ADVERT &&
	    memcmp(&advert.nd_na_target, p->neighbour, sizeof(advert.nd_na_target)) == 0)
		probe_tell(p);
	return 0;
}

static int open_discovery(struct probe *p)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6), hops = 255;
	struct icmp6_filter filter;

	if (fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
	setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	/* What has come through a router is not taken for a neighbour's (RFC 4861, 7.1.1). */
	setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	return probe_open(p, fd, EPOLLIN, on_advertisement);
}

static void ask_discovery(struct probe *p, const struct link *link)
{
	static const uint8_t solicited_node[16] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};
	struct solicitation ask = {
		.header = {.nd_ns_hdr = {.icmp6_type = ND_NEIGHBOR_SOLICIT}},
		.option = ND_OPT_SOURCE_LINKADDR,
		.option_len = 1,
	};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = link->ifindex};

	if (p->fd < 0 && open_discovery(p) < 0)
		return;
	memcpy(&ask.header.nd_ns_target, p->neighbour, sizeof(ask.header.nd_ns_target));
	put_mac(ask.mac, values_num(link->common, LINK_MAC, 0));
	memcpy(&to.sin6_addr, solicited_node, sizeof(solicited_node));
	memcpy(&to.sin6_addr.s6_addr[13], p->neighbour + 13, 3);
	sendto(p->fd, &ask, sizeof(ask), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
}

/* A tunnel or a point-to-point link has no neighbours to ask: that it runs is all there is to know. */
static bool has_neighbours(const struct link *link)
{
	return !(link->flags & (IFF_NOARP | IFF_LOOPBACK | IFF_POINTOPOINT)) && values_has(link->common, LINK_MAC);
}

void neighbour_ask(struct probe *p, const struct link *link, const uint8_t *addr, const uint8_t *source)
{
	if (!has_neighbours(link)) {
		if ((link->flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING))
			probe_tell(p);
		return;
	}
	p->ifindex = link->ifindex;
	memcpy(p->neighbour, addr, sizeof(p->neighbour));
	if (p->target.family == AF_INET)
		ask_arp(p, link, source);
	else
		ask_discovery(p, link);
}
