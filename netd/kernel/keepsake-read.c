/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what is to be kept (keepsake.h), read from the kernel and made into the message that brings it back. */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "decode.h"
#include "keepsake-internal.h"

static bool loses_index(const struct losing *l, uint32_t ifindex)
{
	const struct link *link = model_index(l->actual, ifindex);

	return link && keepsakes_lose(l, link->name);
}

static void copy_attributes(struct nlmsghdr *to, const struct nlmsghdr *from, size_t header, const uint16_t *without,
			    size_t n_without)
{
	const struct nlattr *a;

	mnl_attr_for_each (a, from, (unsigned)header) {
		bool wanted = true;

		for (size_t i = 0; i < n_without; i++)
			wanted = wanted && mnl_attr_get_type(a) != without[i];
		if (wanted)
			mnl_attr_put(to, mnl_attr_get_type(a), mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
	}
}

static const struct nlattr *find_attribute(const struct nlmsghdr *m, size_t header, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each (a, m, (unsigned)header)
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

/* Has the route what struct route has no place for? */
static bool is_beyond_model(const struct nlmsghdr *m, const struct route_state *s)
{
	const struct nlattr *metrics = find_attribute(m, sizeof(struct rtmsg), RTA_METRICS);
	const struct nlattr *pref = find_attribute(m, sizeof(struct rtmsg), RTA_PREF), *a;

	if (!s->kept || (pref && mnl_attr_get_u8(pref)))
		return true;
	if (metrics)
		mnl_attr_for_each_nested (a, metrics)
			if (mnl_attr_get_type(a) != RTAX_MTU)
				return true;
	return false;
}

static void note_loss(uint32_t *index, void *userdata)
{
	struct losing *l = userdata;

	if (loses_index(l, *index))
		l->hit = true;
}

bool keepsake_is_hit(struct losing *l, uint16_t type, const struct nlmsghdr *m)
{
	_cleanup_free_ uint8_t *copy = xmemdup(mnl_nlmsg_get_payload(m), mnl_nlmsg_get_payload_len(m));

	l->hit = false;
	keepsake_each_index(type, copy, mnl_nlmsg_get_payload_len(m), note_loss, l);
	return l->hit;
}

static char *name_route(const struct route *r, uint8_t tos)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	fputs("route ", f);
	route_print(r, f);
	if (tos)
		fprintf(f, " tos %u", tos);
	fclose(f);
	return text;
}

static int take_route(const struct nlmsghdr *m, void *userdata)
{
	static const uint16_t without[] = {RTA_CACHEINFO, RTA_OIF,   RTA_GATEWAY,   RTA_VIA,
					   RTA_MULTIPATH, RTA_ENCAP, RTA_ENCAP_TYPE};
	struct losing *l = userdata;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(m);
	union message copy = {0};
	struct route_state s;
	struct nlmsghdr *to;
	struct rtmsg *header;

	if (m->nlmsg_type != RTM_NEWROUTE || decode_route(m, &s) < 0 || s.of_daemon || rtm->rtm_flags & RTM_F_CLONED ||
	    s.route.protocol == RTPROT_KERNEL || s.route.protocol == RTPROT_RA || s.route.protocol == KVMNETD_PROTO ||
	    s.route.type != RTN_UNICAST || m->nlmsg_len > KEEPSAKE_MESSAGE_MAX || !is_beyond_model(m, &s) ||
	    !keepsake_is_hit(l, RTM_NEWROUTE, m))
		return 0;
	to = mnl_nlmsg_put_header(&copy);
	header = mnl_nlmsg_put_extra_header(to, sizeof(*header));
	*header = *rtm;
	header->rtm_flags &= RTNH_F_ONLINK;
	/* Next to a next-hop object the kernel shows what it is made of, and takes only its id. */
	copy_attributes(to, m, sizeof(*rtm), without,
			find_attribute(m, sizeof(*rtm), RTA_NH_ID) ? ARRAY_SIZE(without) : 1);
	s.route.has_gateway = s.route.has_gateway && !s.multipath;
	keepsake_add(l, RTM_NEWROUTE, name_route(&s.route, rtm->rtm_tos), header, mnl_nlmsg_get_payload_len(to));
	return 0;
}

/* Is it a group of one that is kept? */
static bool is_of_kept(const struct losing *l, const struct nlattr *group)
{
	const struct nexthop_grp *hops = mnl_attr_get_payload(group);

	for (size_t i = 0; i < mnl_attr_get_payload_len(group) / sizeof(*hops); i++) {
		_cleanup_free_ char *what = xasprintf("nexthop %u", hops[i].id);

		if (keepsakes_have(l->kept, what))
			return true;
	}
	return false;
}

static int take_nexthop(const struct nlmsghdr *m, void *userdata)
{
	/* Statistics and what else later kernels (6.9) tell and do not take; by number, as older headers have no names.
	 */
	static const uint16_t without[] = {NHA_RES_GROUP, NHA_RES_BUCKET, 14, 15, 16, 17};
	struct losing *l = userdata;
	const struct nhmsg *nhm = mnl_nlmsg_get_payload(m);
	const struct nlattr *id = find_attribute(m, sizeof(*nhm), NHA_ID);
	const struct nlattr *group = find_attribute(m, sizeof(*nhm), NHA_GROUP);
	union message copy = {0};
	struct nlmsghdr *to;
	struct nhmsg *header;

	if (m->nlmsg_type != RTM_NEWNEXTHOP || !id || m->nlmsg_len > KEEPSAKE_MESSAGE_MAX ||
	    decode_is_routing_daemon(nhm->nh_protocol) ||
	    (group ? !is_of_kept(l, group) : !keepsake_is_hit(l, RTM_NEWNEXTHOP, m)))
		return 0;
	to = mnl_nlmsg_put_header(&copy);
	header = mnl_nlmsg_put_extra_header(to, sizeof(*header));
	*header = *nhm;
	header->nh_scope = 0;
	header->nh_flags &= RTNH_F_ONLINK;
	copy_attributes(to, m, sizeof(*nhm), without, ARRAY_SIZE(without));
	keepsake_add(l, RTM_NEWNEXTHOP, xasprintf("nexthop %u", mnl_attr_get_u32(id)), header,
		     mnl_nlmsg_get_payload_len(to));
	return 0;
}

/* Once for the next hops and once for the groups, which have to come behind. */
int keepsake_nexthops(struct kernel *k, struct losing *l)
{
	int error = 0;

	for (unsigned groups = 0; groups < 2 && !error; groups++) {
		union message q = {0};
		struct nlmsghdr *m = mnl_nlmsg_put_header(&q);

		m->nlmsg_type = RTM_GETNEXTHOP;
		mnl_nlmsg_put_extra_header(m, sizeof(struct nhmsg));
		if (groups)
			mnl_attr_put(m, NHA_GROUPS, 0, NULL);
		error = rtnl_dump(k->rtnl, m, take_nexthop, l);
	}
	return error == -EOPNOTSUPP ? 0 : error;
}

/* ifindex: of the link whose routes are asked for; 0: of all. */
static int read_routes(struct kernel *k, struct losing *l, uint8_t family, uint32_t ifindex)
{
	union message q = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct rtmsg *rtm;

	m->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(m, sizeof(*rtm));
	rtm->rtm_family = family;
	if (ifindex)
		mnl_attr_put_u32(m, RTA_OIF, ifindex);
	return rtnl_dump(k->rtnl, m, take_route, l);
}

size_t keepsake_find_links(const struct losing *l, uint32_t *indexes)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n && n <= KEEPSAKE_ONE_BY_ONE; i++) {
		const struct link *link = model_find(l->actual, l->names[i]);

		if (link && n < KEEPSAKE_ONE_BY_ONE)
			indexes[n] = link->ifindex;
		n += link != NULL;
	}
	return n;
}

int keepsake_routes(struct kernel *k, struct losing *l)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	uint32_t indexes[KEEPSAKE_ONE_BY_ONE];
	size_t n = keepsake_find_links(l, indexes);
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !error; i++) {
		if (n > KEEPSAKE_ONE_BY_ONE)
			error = read_routes(k, l, families[i], 0);
		for (size_t j = 0; n <= KEEPSAKE_ONE_BY_ONE && j < n && !error; j++)
			error = read_routes(k, l, families[i], indexes[j]);
	}
	return error;
}

static struct nlmsghdr *begin_link(union message *q, uint16_t type, const struct link *link)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(q);
	struct ifinfomsg *ifi;

	m->nlmsg_type = type;
	ifi = mnl_nlmsg_put_extra_header(m, sizeof(*ifi));
	ifi->ifi_index = (int)link->ifindex;
	return m;
}

static void keep_altnames(struct losing *l, const struct link *link)
{
	for (const char *name = link->altnames; name && *name; name += strlen(name) + 1) {
		union message q = {0};
		struct nlmsghdr *m = begin_link(&q, RTM_NEWLINKPROP, link);
		struct nlattr *list = mnl_attr_nest_start(m, IFLA_PROP_LIST | NLA_F_NESTED);

		mnl_attr_put_strz(m, IFLA_ALT_IFNAME, name);
		mnl_attr_nest_end(m, list);
		keepsake_add(l, RTM_NEWLINKPROP, xasprintf("altname %s of %s", name, link->name),
			     mnl_nlmsg_get_payload(m), mnl_nlmsg_get_payload_len(m));
	}
}

static int take_alias(const struct nlmsghdr *m, void *userdata)
{
	const struct nlattr *alias = find_attribute(m, sizeof(struct ifinfomsg), IFLA_IFALIAS);
	struct losing *l = userdata;
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(m);
	const struct link *link = model_index(l->actual, (uint32_t)ifi->ifi_index);
	union message q = {0};
	struct nlmsghdr *to;

	if (m->nlmsg_type != RTM_NEWLINK || !alias || !link)
		return 0;
	to = begin_link(&q, RTM_SETLINK, link);
	mnl_attr_put(to, IFLA_IFALIAS, mnl_attr_get_payload_len(alias), mnl_attr_get_payload(alias));
	keepsake_add(l, RTM_SETLINK, xasprintf("alias of %s", link->name), mnl_nlmsg_get_payload(to),
		     mnl_nlmsg_get_payload_len(to));
	return 0;
}

void keepsake_names(struct kernel *k, struct losing *l, const struct link *link)
{
	union message q = {0};
	struct nlmsghdr *m = begin_link(&q, RTM_GETLINK, link);

	keep_altnames(l, link);
	if (!link->has_alias)
		return;
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	rtnl_get(k->rtnl, m, take_alias, l);
}

/* Of those that somebody attached: the kernel's own have no handle. Children go with their root. */
static int take_qdisc(const struct nlmsghdr *m, void *userdata)
{
	struct losing *l = userdata;
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(m);
	const struct nlattr *kind = find_attribute(m, sizeof(*tcm), TCA_KIND);
	const struct link *link = model_index(l->actual, (uint32_t)tcm->tcm_ifindex);
	union message q = {0};
	struct nlmsghdr *to = mnl_nlmsg_put_header(&q);
	struct tcmsg *header = mnl_nlmsg_put_extra_header(to, sizeof(*header));

	if (m->nlmsg_type != RTM_NEWQDISC || !tcm->tcm_handle || !link || !keepsakes_lose(l, link->name) || !kind ||
	    mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0 ||
	    (tcm->tcm_parent != TC_H_ROOT && tcm->tcm_parent != TC_H_INGRESS))
		return 0;
	*header = (struct tcmsg){
		.tcm_ifindex = tcm->tcm_ifindex, .tcm_handle = tcm->tcm_handle, .tcm_parent = tcm->tcm_parent};
	mnl_attr_put_strz(to, TCA_KIND, mnl_attr_get_str(kind));
	keepsake_add(l, RTM_NEWQDISC, xasprintf("queueing discipline %s of %s", mnl_attr_get_str(kind), link->name),
		     header, mnl_nlmsg_get_payload_len(to));
	return 0;
}

/* ifindex 0: of all. */
static int read_qdiscs(struct kernel *k, struct losing *l, uint32_t ifindex, uint32_t parent)
{
	union message q = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct tcmsg *tcm;
	int error;

	m->nlmsg_type = RTM_GETQDISC;
	tcm = mnl_nlmsg_put_extra_header(m, sizeof(*tcm));
	tcm->tcm_ifindex = (int)ifindex;
	tcm->tcm_parent = parent;
	if (!ifindex)
		return rtnl_dump(k->rtnl, m, take_qdisc, l);
	/* The answer is an echo of the event that this is to others, and there may be none (sch_api.c, qdisc_notify()).
	 */
	m->nlmsg_flags = NLM_F_ECHO | NLM_F_ACK;
	error = rtnl_get(k->rtnl, m, take_qdisc, l);
	return error == -ENOENT || error == -ENODEV ? 0 : error;
}

int keepsake_qdiscs(struct kernel *k, struct losing *l)
{
	uint32_t indexes[KEEPSAKE_ONE_BY_ONE];
	size_t n = keepsake_find_links(l, indexes);
	int error = n > KEEPSAKE_ONE_BY_ONE ? read_qdiscs(k, l, 0, 0) : 0;

	for (size_t i = 0; n <= KEEPSAKE_ONE_BY_ONE && i < n && !error; i++) {
		error = read_qdiscs(k, l, indexes[i], TC_H_ROOT);
		if (!error)
			error = read_qdiscs(k, l, indexes[i], TC_H_INGRESS);
	}
	return error == -EOPNOTSUPP ? 0 : error;
}
