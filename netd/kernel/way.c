/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: kernel_way_to(): asks for the one route that a packet would take. */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "decode.h"
#include "kernel-internal.h"

static int take_way(const struct nlmsghdr *m, void *userdata)
{
	struct kernel_way *way = userdata;
	struct route_state s;
	int error;

	if (m->nlmsg_type != RTM_NEWROUTE)
		return 0;
	error = decode_route(m, &s);
	if (error)
		return error;
	if (s.route.type != RTN_UNICAST && s.route.type != RTN_LOCAL)
		return -ENETUNREACH;
	way->ifindex = s.ifindex;
	way->is_local = s.route.type == RTN_LOCAL;
	way->has_gateway = s.route.has_gateway;
	way->has_source = s.route.has_prefsrc;
	memcpy(way->gateway, s.route.gateway, sizeof(way->gateway));
	memcpy(way->source, s.route.prefsrc, sizeof(way->source));
	return 0;
}

int kernel_way_to(struct kernel *k, uint8_t family, const uint8_t *addr, const uint8_t *local, struct kernel_way *ret)
{
	size_t len = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	union {
		struct nlmsghdr header;
		uint8_t room[128];
	} q = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct rtmsg *rtm;

	m->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(m, sizeof(*rtm));
	rtm->rtm_family = family;
	rtm->rtm_dst_len = (uint8_t)(len * 8);
	mnl_attr_put(m, RTA_DST, len, addr);
	if (local) {
		rtm->rtm_src_len = (uint8_t)(len * 8);
		mnl_attr_put(m, RTA_SRC, len, local);
	}
	*ret = (struct kernel_way){0};
	return rtnl_get(k->rtnl, m, take_way, ret);
}
