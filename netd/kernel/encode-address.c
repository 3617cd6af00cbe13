/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: address and route ops to messages (encode.h). */
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "encode-internal.h"

static uint16_t address_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static void put_broadcast(struct nlmsghdr *m, const struct address *a)
{
	uint32_t addr, host = UINT32_MAX >> a->prefix_len;

	memcpy(&addr, a->addr, sizeof(addr));
	mnl_attr_put_u32(m, IFA_BROADCAST, addr | htonl(host));
}

/* What only addresses of others have. */
static void put_found(struct nlmsghdr *m, const struct address *a)
{
	if (a->has_broadcast)
		mnl_attr_put(m, IFA_BROADCAST, sizeof(a->broadcast), a->broadcast);
	if (a->label[0])
		mnl_attr_put_strz(m, IFA_LABEL, a->label);
	if (a->metric)
		mnl_attr_put_u32(m, IFA_RT_PRIORITY, a->metric);
}

/*
 * Duplicate address detection on a link that kvmnetd made keeps the address unusable for seconds, while the
 * ports come up; on hardware it stays (net/ipv6/addrconf.c, addrconf_dad_begin).
 */
static void put_flags(struct nlmsghdr *m, const struct op *op, struct ifaddrmsg *ifa)
{
	uint32_t flags = op->address->flags & IFA_SETTABLE;

	if (op->address->family == AF_INET6 && op->address->loc.file && (op->link->kind->flags & KIND_VIRTUAL))
		flags |= IFA_F_NODAD;
	ifa->ifa_flags = (uint8_t)flags;
	if (flags)
		mnl_attr_put_u32(m, IFA_FLAGS, flags);
}

static void put_lifetime(struct nlmsghdr *m, const struct address *a)
{
	struct ifa_cacheinfo info = {.ifa_prefered = a->valid_lft, .ifa_valid = a->valid_lft};

	if (a->valid_lft && a->valid_lft != UINT32_MAX)
		mnl_attr_put(m, IFA_CACHEINFO, sizeof(info), &info);
}

/* What was found and is put back keeps whose it was. Kernels before 5.18 pass over the attribute. */
static void put_proto(struct nlmsghdr *m, const struct address *a)
{
	uint8_t proto = a->loc.file ? KVMNETD_PROTO : a->proto;

	if (proto)
		mnl_attr_put_u8(m, IFA_PROTO, proto);
}

int encode_address(struct encoder *e)
{
	const struct op *op = e->op;
	const struct address *a = op->address;
	bool remove = op->type == OP_ADDRESS_DELETE;
	struct ifaddrmsg *ifa;
	struct nlmsghdr *m = encode_begin(e, remove ? RTM_DELADDR : RTM_NEWADDR,
					  remove ? 0 : NLM_F_CREATE | NLM_F_REPLACE, sizeof(*ifa), (void **)&ifa);

	ifa->ifa_family = a->family;
	ifa->ifa_prefixlen = a->prefix_len;
	ifa->ifa_scope = a->scope;
	ifa->ifa_index = encode_index(e, op->link->name);
	if (!ifa->ifa_index)
		return -ENODEV;
	mnl_attr_put(m, IFA_LOCAL, address_len(a->family), a->addr);
	mnl_attr_put(m, IFA_ADDRESS, address_len(a->family), a->has_peer ? a->peer : a->addr);
	if (remove)
		return 0;
	if (!a->loc.file)
		put_found(m, a);
	else if (a->family == AF_INET && a->prefix_len < 31)
		put_broadcast(m, a);
	put_flags(m, op, ifa);
	put_lifetime(m, a);
	put_proto(m, a);
	return 0;
}

/*
 * IPv4: REPLACE swaps the route with this destination and metric for ours in one step, whatever its device; that is how
 * a default route moves. IPv6 takes the first route with this destination and metric
 * (net/ipv6/ip6_fib.c, fib6_add_rt2node): right for routes with a gateway; a route without one would push out the same
 * prefix of another device, where both may be wanted, so it is added beside it.
 */
static uint16_t route_flags(const struct route *r)
{
	if (r->family == AF_INET6 && !r->has_gateway)
		return NLM_F_CREATE | NLM_F_APPEND;
	return NLM_F_CREATE | NLM_F_REPLACE;
}

static uint8_t route_scope(const struct route *r, bool remove)
{
	if (r->family == AF_INET6)
		return RT_SCOPE_UNIVERSE;
	if (remove)
		return RT_SCOPE_NOWHERE; /* any */
	return r->scope || r->has_gateway ? r->scope : RT_SCOPE_LINK;
}

static void put_route(struct nlmsghdr *m, const struct route *r)
{
	uint16_t len = address_len(r->family);

	if (r->dst_len)
		mnl_attr_put(m, RTA_DST, len, r->dst);
	if (r->has_gateway)
		mnl_attr_put(m, RTA_GATEWAY, len, r->gateway);
	if (r->has_prefsrc)
		mnl_attr_put(m, RTA_PREFSRC, len, r->prefsrc);
	mnl_attr_put_u32(m, RTA_TABLE, r->table ? r->table : RT_TABLE_MAIN);
	if (r->metric)
		mnl_attr_put_u32(m, RTA_PRIORITY, r->metric);
}

int encode_route(struct encoder *e)
{
	const struct op *op = e->op;
	const struct route *r = op->route;
	bool remove = op->type == OP_ROUTE_DELETE;
	uint32_t table = r->table ? r->table : RT_TABLE_MAIN;
	struct rtmsg *rtm;
	struct nlmsghdr *m = encode_begin(e, remove ? RTM_DELROUTE : RTM_NEWROUTE, remove ? 0 : route_flags(r),
					  sizeof(*rtm), (void **)&rtm);
	uint32_t index = encode_index(e, op->link->name);

	if (!index)
		return -ENODEV;
	rtm->rtm_family = r->family;
	rtm->rtm_dst_len = r->dst_len;
	rtm->rtm_table = (uint8_t)(table < 256 ? table : RT_TABLE_COMPAT);
	rtm->rtm_protocol = r->protocol;
	rtm->rtm_scope = route_scope(r, remove);
	rtm->rtm_type = r->type ? r->type : RTN_UNICAST;
	rtm->rtm_flags = remove ? 0 : r->flags & RTNH_F_ONLINK;
	put_route(m, r);
	mnl_attr_put_u32(m, RTA_OIF, index);
	if (r->mtu && !remove) {
		struct nlattr *metrics = mnl_attr_nest_start(m, RTA_METRICS);

		mnl_attr_put_u32(m, RTAX_MTU, r->mtu);
		mnl_attr_nest_end(m, metrics);
	}
	return 0;
}
