/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: reads of the kernel's state into a model: all of it, or one link's part (kernel-internal.h). */
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "decode.h"
#include "ethtool.h"
#include "kernel-internal.h"

/* How often a dump is begun again that other changes tore, or that found the socket busy. */
#define TRIES 20

struct dump {
	struct model *model;
	const struct model *known;
	uint8_t family;
	uint32_t ifindex; /* 0: all */
	struct link *link;
};

/* Forgets what a torn dump has put into the model. */
typedef void reset_fn(struct dump *d);

union request {
	struct nlmsghdr header;
	uint8_t room[128];
};

static int dump_until_whole(struct rtnl *r, union request *request, rtnl_message_fn *take, reset_fn *reset,
			    struct dump *d)
{
	int error = -EAGAIN;

	for (unsigned i = 0; i < TRIES; i++) {
		reset(d);
		error = rtnl_dump(r, &request->header, take, d);
		if (error != -EINTR && error != -EBUSY && error != -ENOBUFS)
			return error;
	}
	return -EAGAIN;
}

/* A device that has gone meanwhile has nothing more to tell. */
static int gone_is_nothing(int error, uint32_t ifindex)
{
	return ifindex && error == -ENODEV ? 0 : error;
}

static void *request_begin(union request *q, uint16_t type, size_t len)
{
	struct nlmsghdr *m;

	memset(q, 0, sizeof(*q));
	m = mnl_nlmsg_put_header(q);
	m->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(m, len);
}

void dump_driver(struct link *l, const struct link *known)
{
	if (l->info_kind[0] || l->flags & IFF_LOOPBACK)
		return;
	if (known && known->driver)
		l->driver = xstrdup(known->driver);
	else
		ethtool_driver(l->name, &l->driver);
}

static int take_link(const struct nlmsghdr *m, void *userdata)
{
	struct dump *d = userdata;
	struct link *l;

	if (m->nlmsg_type != RTM_NEWLINK || decode_link(m, &l) < 0)
		return 0;
	/* Renamed or moved while the dump went on. */
	if (model_find(d->model, l->name) || model_index(d->model, l->ifindex)) {
		link_free(l);
		return -EINTR;
	}
	dump_driver(l, d->known ? model_index(d->known, l->ifindex) : NULL);
	model_share(d->model, l);
	model_add(d->model, l);
	return 0;
}

static void reset_links(struct dump *d)
{
	model_done(d->model);
}

static int dump_links(struct rtnl *r, struct dump *d)
{
	union request q;
	struct ifinfomsg *ifi = request_begin(&q, RTM_GETLINK, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	mnl_attr_put_u32(&q.header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return dump_until_whole(r, &q, take_link, reset_links, d);
}

static int take_one_link(const struct nlmsghdr *m, void *userdata)
{
	struct dump *d = userdata;

	if (m->nlmsg_type != RTM_NEWLINK || d->link)
		return 0;
	return decode_link(m, &d->link);
}

int dump_link(struct rtnl *r, uint32_t ifindex, struct link **ret)
{
	union request q;
	struct ifinfomsg *ifi = request_begin(&q, RTM_GETLINK, sizeof(*ifi));
	struct dump d = {0};
	int error;

	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u32(&q.header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	error = rtnl_get(r, &q.header, take_one_link, &d);
	if (error) {
		link_free(d.link);
		return error;
	}
	if (!d.link)
		return -ENODEV;
	*ret = d.link;
	return 0;
}

static int take_vlans(const struct nlmsghdr *m, void *userdata)
{
	struct dump *d = userdata;
	_cleanup_(bridge_state_done) struct bridge_state s = {0};
	struct link *l;

	if (m->nlmsg_type != RTM_NEWLINK || decode_bridge(m, &s) < 0)
		return 0;
	l = model_index(d->model, s.ifindex);
	if (!l || !link_has_vlans(l) || !s.has_vlans)
		return 0;
	free(l->vlans);
	l->vlans = TAKE_PTR(s.vlans);
	l->n_vlans = s.n_vlans;
	return 0;
}

/* For the one link that the dump is about, or for all. */
static void each_link(struct dump *d, void (*reset)(struct dump *d, struct link *l))
{
	struct link *one = d->ifindex ? model_index(d->model, d->ifindex) : NULL;

	if (one)
		reset(d, one);
	for (size_t i = 0; !d->ifindex && i < d->model->n_links; i++)
		reset(d, d->model->links[i]);
}

static void reset_vlans_of(struct dump *d _unused_, struct link *l)
{
	free(l->vlans);
	l->vlans = NULL;
	l->n_vlans = 0;
}

static void reset_vlans(struct dump *d)
{
	each_link(d, reset_vlans_of);
}

static bool any_vlans(const struct model *m)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (link_has_vlans(m->links[i]))
			return true;
	return false;
}

static int take_link_vlans(const struct nlmsghdr *m, void *userdata)
{
	struct dump *d = userdata;
	uint32_t ifindex;

	if (m->nlmsg_type == RTM_NEWVLAN && decode_vlan_event_link(m, &ifindex) == 0 && ifindex == d->ifindex)
		decode_vlan_event(m, d->link);
	return 0;
}

static int dump_link_vlans(struct rtnl *r, struct dump *d)
{
	union request q;
	struct br_vlan_msg *bvm = request_begin(&q, RTM_GETVLAN, sizeof(*bvm));

	bvm->family = AF_BRIDGE;
	bvm->ifindex = d->ifindex;
	return dump_until_whole(r, &q, take_link_vlans, reset_vlans, d);
}

int dump_vlans(struct rtnl *r, struct model *m, uint32_t ifindex)
{
	struct dump d = {.model = m, .ifindex = ifindex, .link = ifindex ? model_index(m, ifindex) : NULL};
	union request q;
	struct ifinfomsg *ifi = request_begin(&q, RTM_GETLINK, sizeof(*ifi));

	if (ifindex) {
		int error = d.link && link_has_vlans(d.link) ? dump_link_vlans(r, &d) : 0;

		/* A kernel without CONFIG_BRIDGE_VLAN_FILTERING has none. */
		return error == -EOPNOTSUPP ? 0 : gone_is_nothing(error, ifindex);
	}
	if (!any_vlans(m))
		return 0;
	ifi->ifi_family = AF_BRIDGE;
	mnl_attr_put_u32(&q.header, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
	return dump_until_whole(r, &q, take_vlans, reset_vlans, &d);
}

static int take_address(const struct nlmsghdr *m, void *userdata)
{
	struct dump *d = userdata;
	struct address a;
	uint32_t ifindex;
	struct link *l;

	if (m->nlmsg_type != RTM_NEWADDR || decode_address(m, &ifindex, &a) < 0)
		return 0;
	if (d->ifindex && ifindex != d->ifindex)
		return 0;
	l = model_index(d->model, ifindex);
	if (l)
		*ARRAY_APPEND(l->addresses, l->n_addresses) = a;
	return 0;
}

static void reset_addresses_of(struct dump *d _unused_, struct link *l)
{
	free(l->addresses);
	l->addresses = NULL;
	l->n_addresses = 0;
	l->order_unknown = false;
}

static void reset_addresses(struct dump *d)
{
	each_link(d, reset_addresses_of);
}

int dump_addresses(struct rtnl *r, struct model *m, uint32_t ifindex)
{
	struct dump d = {.model = m, .ifindex = ifindex};
	union request q;
	struct ifaddrmsg *ifa = request_begin(&q, RTM_GETADDR, sizeof(*ifa));

	ifa->ifa_family = AF_UNSPEC;
	ifa->ifa_index = ifindex;
	return gone_is_nothing(dump_until_whole(r, &q, take_address, reset_addresses, &d), ifindex);
}

/*
 * All IPv6 routes to one destination, as those to fe80::/64 of all links, are one node of the kernel's tree. When the
 * tree has changed since the last piece of a dump, it tells the whole node again (net/ipv6/ip6_fib.c,
 * fib6_dump_table()).
 */
static void put_route(struct link *l, const struct route *r)
{
	for (size_t i = 0; r->family == AF_INET6 && i < l->n_routes; i++) {
		if (route_equal(&l->routes[i], r)) {
			l->routes[i] = *r;
			return;
		}
	}
	link_add_route(l, r);
}

static int take_route(const struct nlmsghdr *m, void *userdata)
{
	struct dump *d = userdata;
	struct route_state s;
	struct link *l;

	/* A kernel without IPv6 answers with the routes of the families that it has. */
	if (m->nlmsg_type != RTM_NEWROUTE || decode_route(m, &s) < 0 || s.route.family != d->family)
		return 0;
	if (s.nowhere && !d->ifindex)
		*ARRAY_APPEND(d->model->nowhere, d->model->n_nowhere) = s.route;
	if (!s.kept)
		return 0;
	if (d->ifindex && s.ifindex != d->ifindex)
		return 0;
	l = model_index(d->model, s.ifindex);
	if (l)
		put_route(l, &s.route);
	return 0;
}

static void reset_routes_of(struct dump *d, struct link *l)
{
	size_t n = 0;

	for (size_t j = 0; j < l->n_routes; j++)
		if (l->routes[j].family != d->family)
			l->routes[n++] = l->routes[j];
	l->n_routes = n;
}

static void reset_routes(struct dump *d)
{
	struct model *m = d->model;
	size_t n = 0;

	each_link(d, reset_routes_of);
	if (d->ifindex)
		return;
	for (size_t i = 0; i < m->n_nowhere; i++)
		if (m->nowhere[i].family != d->family)
			m->nowhere[n++] = m->nowhere[i];
	m->n_nowhere = n;
}

int dump_routes(struct rtnl *r, struct model *m, uint32_t ifindex)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct dump d = {.model = m, .ifindex = ifindex, .family = families[i]};
		union request q;
		struct rtmsg *rtm = request_begin(&q, RTM_GETROUTE, sizeof(*rtm));
		int error;

		rtm->rtm_family = families[i];
		if (ifindex)
			mnl_attr_put_u32(&q.header, RTA_OIF, ifindex);
		error = gone_is_nothing(dump_until_whole(r, &q, take_route, reset_routes, &d), ifindex);
		if (error)
			return error;
	}
	return 0;
}

struct others {
	uint8_t family;
	dump_other_fn *fn;
	void *userdata;
};

static int take_other_route(const struct nlmsghdr *m, void *userdata)
{
	const struct others *o = userdata;
	struct route_state s;

	if (m->nlmsg_type == RTM_NEWROUTE && decode_route(m, &s) == 0 && s.route.family == o->family && s.other)
		o->fn(&s, o->userdata);
	return 0;
}

int dump_other_routes(struct rtnl *r, dump_other_fn *fn, void *userdata)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !error; i++) {
		struct others o = {.family = families[i], .fn = fn, .userdata = userdata};
		union request q;
		struct rtmsg *rtm = request_begin(&q, RTM_GETROUTE, sizeof(*rtm));

		rtm->rtm_family = families[i];
		error = -EINTR;
		for (unsigned n = 0; n < TRIES && (error == -EINTR || error == -EBUSY); n++)
			error = rtnl_dump(r, &q.header, take_other_route, &o);
	}
	return error;
}

int dump_all(struct rtnl *r, const struct model *known, struct model *ret)
{
	struct model m = MODEL_NULL;
	struct dump d = {.model = &m, .known = known};
	int error = dump_links(r, &d);

	if (!error)
		error = dump_vlans(r, &m, 0);
	if (!error)
		error = dump_addresses(r, &m, 0);
	if (!error)
		error = dump_routes(r, &m, 0);
	if (error) {
		model_done(&m);
		return error;
	}
	*ret = m;
	return 0;
}

/* Of more links than this, those of all are read at once. */
#define ORDER_MAX 64

int kernel_order_addresses(struct kernel *k)
{
	uint32_t unknown[ORDER_MAX];
	size_t n = 0;
	int error = 0;

	if (observe_is_held(k))
		return -EBUSY;
	for (size_t i = 0; k->order_unknown && i < k->actual.n_links && n < ORDER_MAX; i++)
		if (k->actual.links[i]->order_unknown)
			unknown[n++] = k->actual.links[i]->ifindex;
	if (n == ORDER_MAX)
		error = dump_addresses(k->rtnl, &k->actual, 0);
	for (size_t i = 0; n < ORDER_MAX && i < n && !error; i++)
		error = dump_addresses(k->rtnl, &k->actual, unknown[i]);
	k->order_unknown = error;
	return error;
}
