/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: address and route messages to model data (decode.h). */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "decode-internal.h"

/* An address while its attributes are read. */
struct address_state {
	struct address address;
	bool has_local, has_address; /* IFA_LOCAL, IFA_ADDRESS */
};

static unsigned address_len(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static bool copy_address(const struct nlattr *a, uint8_t family, uint8_t *to)
{
	if (mnl_attr_get_payload_len(a) != address_len(family))
		return false;
	memcpy(to, mnl_attr_get_payload(a), address_len(family));
	return true;
}

static bool get_u32(const struct nlattr *a, uint32_t *to)
{
	if (mnl_attr_get_payload_len(a) < sizeof(*to))
		return false;
	*to = mnl_attr_get_u32(a);
	return true;
}

/* Returns false for an attribute of the wrong size. */
static bool read_address_attribute(const struct nlattr *a, struct address_state *s)
{
	struct address *r = &s->address;
	struct ifa_cacheinfo info;

	switch (mnl_attr_get_type(a)) {
	case IFA_LOCAL:
		s->has_local = copy_address(a, r->family, r->addr);
		return true;
	case IFA_ADDRESS:
		s->has_address = copy_address(a, r->family, r->peer);
		return true;
	case IFA_BROADCAST:
		r->has_broadcast = mnl_attr_get_payload_len(a) == sizeof(r->broadcast);
		if (r->has_broadcast)
			memcpy(r->broadcast, mnl_attr_get_payload(a), sizeof(r->broadcast));
		return true;
	case IFA_LABEL:
		snprintf(r->label, sizeof(r->label), "%.*s", (int)mnl_attr_get_payload_len(a),
			 (const char *)mnl_attr_get_payload(a));
		return true;
	case IFA_RT_PRIORITY:
		return get_u32(a, &r->metric);
	case IFA_FLAGS:
		return get_u32(a, &r->flags);
	case IFA_CACHEINFO:
		if (mnl_attr_get_payload_len(a) < sizeof(info))
			return false;
		memcpy(&info, mnl_attr_get_payload(a), sizeof(info));
		r->valid_lft = info.ifa_valid;
		return true;
	case IFA_PROTO:
		if (mnl_attr_get_payload_len(a) >= sizeof(uint8_t))
			r->proto = mnl_attr_get_u8(a);
		return true;
	default:
		return true;
	}
}

int decode_address(const struct nlmsghdr *m, uint32_t *ifindex, struct address *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(m);
	struct address_state s = {.address.valid_lft = UINT32_MAX};
	struct address *r = &s.address;
	const struct nlattr *a;

	if (!message_has(m, sizeof(*ifa)) || ifa->ifa_prefixlen > address_len(ifa->ifa_family) * 8)
		return -EINVAL;
	if (!address_len(ifa->ifa_family))
		return -EINVAL;
	r->family = ifa->ifa_family;
	r->prefix_len = ifa->ifa_prefixlen;
	r->scope = ifa->ifa_scope;
	r->flags = ifa->ifa_flags;
	mnl_attr_for_each (a, m, sizeof(*ifa)) {
		if (!read_address_attribute(a, &s))
			return -EINVAL;
	}
	if (!s.has_local && !s.has_address)
		return -EINVAL;
	if (!s.has_local)
		memcpy(r->addr, r->peer, sizeof(r->addr));
	/* Where both are there and differ, IFA_ADDRESS is the other end of a point-to-point link. */
	r->has_peer = s.has_local && s.has_address && memcmp(r->addr, r->peer, address_len(r->family)) != 0;
	if (!r->has_peer)
		memset(r->peer, 0, sizeof(r->peer));
	*ifindex = ifa->ifa_index;
	*ret = *r;
	return 0;
}

/* Routing daemons keep their routes themselves. */
bool decode_is_routing_daemon(uint8_t protocol)
{
	switch (protocol) {
	case RTPROT_GATED:
	case RTPROT_MRT:
	case RTPROT_ZEBRA:
	case RTPROT_BIRD:
	case RTPROT_BABEL:
	case RTPROT_OPENR:
	case RTPROT_BGP:
	case RTPROT_ISIS:
	case RTPROT_OSPF:
	case RTPROT_RIP:
	case RTPROT_EIGRP:
		return true;
	default:
		return false;
	}
}

static void read_metrics(const struct nlattr *nest, struct route *r)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == RTAX_MTU)
			get_u32(a, &r->mtu);
	}
}

static bool hop_leads_on(const struct rtnexthop *hop, size_t len)
{
	const struct nlattr *a = (const struct nlattr *)(hop + 1);
	int left = (int)(len - sizeof(*hop));

	for (; mnl_attr_ok(a, left); left -= MNL_ALIGN(a->nla_len), a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == RTA_GATEWAY || mnl_attr_get_type(a) == RTA_VIA ||
		    mnl_attr_get_type(a) == RTA_ENCAP)
			return true;
	return false;
}

/* Their device is that of the route when all have the same. */
static void read_hops(const struct nlattr *nest, struct route_state *s)
{
	const char *at = mnl_attr_get_payload(nest);
	size_t left = mnl_attr_get_payload_len(nest);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const struct rtnexthop *)at;
		size_t len = hop->rtnh_len, step = MNL_ALIGN(len);

		if (len < sizeof(*hop) || len > left)
			return;
		s->ifindex = !s->n_hops || s->ifindex == (uint32_t)hop->rtnh_ifindex ? (uint32_t)hop->rtnh_ifindex : 0;
		s->leads_on |= hop_leads_on(hop, len);
		s->n_hops++;
		at += step;
		left = step < left ? left - step : 0;
	}
}

/* Returns false for an attribute of the wrong size. */
static bool read_route_attribute(const struct nlattr *a, struct route_state *s)
{
	struct route *r = &s->route;

	switch (mnl_attr_get_type(a)) {
	case RTA_DST:
		return copy_address(a, r->family, r->dst);
	case RTA_GATEWAY:
		r->has_gateway = copy_address(a, r->family, r->gateway);
		return r->has_gateway;
	case RTA_PREFSRC:
		r->has_prefsrc = copy_address(a, r->family, r->prefsrc);
		return r->has_prefsrc;
	case RTA_OIF:
		return get_u32(a, &s->ifindex);
	case RTA_TABLE:
		return get_u32(a, &r->table);
	case RTA_PRIORITY:
		return get_u32(a, &r->metric);
	case RTA_METRICS:
		read_metrics(a, r);
		return true;
	case RTA_MULTIPATH:
		s->multipath = true;
		read_hops(a, s);
		return true;
	case RTA_VIA:
	case RTA_ENCAP:
		s->leads_on = true;
		s->kept = false;
		return true;
	case RTA_NH_ID:
		s->kept = false;
		return get_u32(a, &s->nhid);
	default:
		return true;
	}
}

static bool leads_nowhere(const struct route *r)
{
	return r->type == RTN_BLACKHOLE || r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT ||
	       r->type == RTN_THROW;
}

/* Of the kernel's own, and of ours, other things tell. */
static bool is_of_others(const struct rtmsg *rtm)
{
	return !(rtm->rtm_flags & RTM_F_CLONED) && rtm->rtm_protocol != RTPROT_KERNEL &&
	       rtm->rtm_protocol != KVMNETD_PROTO;
}

struct other_route decode_other_route(const struct route_state *s)
{
	return (struct other_route){
		.route = s->route,
		.ifindex = s->ifindex,
		.nhid = s->nhid,
		.n_hops = s->n_hops,
		.tos = s->tos,
		.leads_on = s->leads_on,
	};
}

int decode_route(const struct nlmsghdr *m, struct route_state *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(m);
	struct route_state s = {0};
	const struct nlattr *a;

	if (!message_has(m, sizeof(*rtm)) || !address_len(rtm->rtm_family) ||
	    rtm->rtm_dst_len > address_len(rtm->rtm_family) * 8)
		return -EINVAL;
	s.route.family = rtm->rtm_family;
	s.route.dst_len = rtm->rtm_dst_len;
	s.route.table = rtm->rtm_table;
	s.route.protocol = rtm->rtm_protocol;
	s.route.scope = rtm->rtm_scope;
	s.route.type = rtm->rtm_type;
	/* The other flags come and go with the carrier without an event (net/ipv4/fib_semantics.c). */
	s.route.flags = rtm->rtm_flags & RTNH_F_ONLINK;
	s.tos = rtm->rtm_tos;
	s.of_daemon = decode_is_routing_daemon(rtm->rtm_protocol);
	s.kept = rtm->rtm_type == RTN_UNICAST && !(rtm->rtm_flags & RTM_F_CLONED) && !rtm->rtm_tos &&
		 !rtm->rtm_src_len && !s.of_daemon;
	s.nowhere = leads_nowhere(&s.route) && !s.of_daemon && rtm->rtm_protocol != RTPROT_KERNEL &&
		    !(rtm->rtm_flags & RTM_F_CLONED);
	mnl_attr_for_each (a, m, sizeof(*rtm)) {
		if (!read_route_attribute(a, &s))
			return -EINVAL;
	}
	if (s.multipath || !s.ifindex)
		s.kept = false;
	s.other = !s.kept && !s.nowhere && is_of_others(rtm);
	/* Of a next-hop object that is not shown (net.ipv4.nexthop_compat_mode) nothing else is known. */
	s.leads_on |= leads_nowhere(&s.route) || (s.nhid && !s.ifindex && !s.n_hops);
	*ret = s;
	return 0;
}
