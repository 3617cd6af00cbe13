/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what each event does to ACTUAL, and what the kernel changes along with it without an event of its own. An
 * event may be older than the dump it meets; those queued behind it make that good.
 */
#include "observe-internal.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "compare.h"
#include "decode.h"

static bool has_values(const struct values *v)
{
	return v && v->set;
}

void observe_inherit_host(struct link *fresh, const struct link *old)
{
	for (unsigned row = 0; row < link_options.n; row++)
		if ((LINK_HOST_ROWS & old->common->set) >> row & 1)
			values_put(fresh->common, row, value_copy(&link_options.rows[row], values_at(old->common, row)),
				   LOC_NONE);
}

/* What a link message does not carry goes from the link as known to the link as told. */
static void inherit(struct link *fresh, struct link *old)
{
	observe_inherit_host(fresh, old);
	fresh->addresses = TAKE_PTR(old->addresses);
	fresh->n_addresses = old->n_addresses;
	fresh->order_unknown = old->order_unknown;
	fresh->routes = TAKE_PTR(old->routes);
	fresh->n_routes = old->n_routes;
	fresh->names_source = old->names_source;
	fresh->driver = TAKE_PTR(old->driver);
	if (link_has_vlans(fresh) && fresh->master == old->master) {
		fresh->vlans = TAKE_PTR(old->vlans);
		fresh->n_vlans = old->n_vlans;
	}
	old->n_addresses = old->n_routes = 0;
	/* A driver that fails to fill in its part leaves it out (net/core/rtnetlink.c, rtnl_link_info_fill). */
	if (fresh->kind == old->kind && !has_values(fresh->own) && has_values(old->own)) {
		values_free(fresh->own);
		fresh->own = TAKE_PTR(old->own);
	}
}

/*
 * Bonds give and swap addresses of their ports silently (drivers/net/bonding/bond_alb.c, alb_set_slave_mac_addr), and
 * what they report of one port can change with another.
 */
static void mark_siblings(struct kernel *k, uint32_t ifindex)
{
	const struct link *master = ifindex ? model_index(&k->actual, ifindex) : NULL, *port;

	if (!master || !(master->kind->flags & KIND_PORTS_DOWN))
		return;
	observe_mark(k, master->ifindex, MARK_LINK);
	for (size_t i = 0; (port = model_next_port(&k->actual, master->ifindex, &i));)
		observe_mark(k, port->ifindex, MARK_LINK);
}

static bool names_link(const struct values *v, uint32_t ifindex)
{
	for (unsigned row = 0; v && row < v->table->n; row++)
		if (values_has(v, row) && v->table->rows[row].type == &type_ifname &&
		    ifname_index(values_at(v, row)) == ifindex)
			return true;
	return false;
}

/* A bridge's port that leaves is nobody's backup any more (net/bridge/br_if.c, nbp_backup_clear()). */
static void mark_those_that_name(struct kernel *k, uint32_t master, const struct link *gone)
{
	const struct link *port;

	for (size_t i = 0; (port = model_next_port(&k->actual, master, &i));)
		if (names_link(port->port, gone->ifindex))
			observe_mark(k, port->ifindex, MARK_LINK);
}

/*
 * Going down takes IPv4 routes silently (net/ipv4/fib_frontend.c, fib_disable_ip), IPv6 ones too with
 * skip_notify_on_dev_down, and kept IPv6 addresses turn tentative. A VRF takes the routes of who joins or leaves it. A
 * changed MTU rewrites the mtu of IPv6 routes (net/ipv6/route.c, fib6_nh_mtu_change). What a master reports of its
 * ports (a bond its primary) changes with them.
 */
static void mark_consequences(struct kernel *k, const struct link *old, const struct link *fresh)
{
	bool went_down = old->flags & IFF_UP && !(fresh->flags & IFF_UP);
	bool other_mtu = values_num(old->common, LINK_MTU, 0) != values_num(fresh->common, LINK_MTU, 0);

	if ((went_down || old->master != fresh->master || other_mtu) && (fresh->n_routes || fresh->n_addresses))
		observe_mark(k, fresh->ifindex, MARK_ADDRESSES | MARK_ROUTES);
	if (went_down || old->master != fresh->master)
		overlap_doubt(k);
	mark_siblings(k, fresh->master);
	if (old->master == fresh->master)
		return;
	mark_siblings(k, old->master);
	mark_those_that_name(k, old->master, old);
	observe_mark(k, old->master, MARK_LINK);
	observe_mark(k, fresh->master, MARK_LINK);
}

void observe_link(struct kernel *k, struct link *fresh)
{
	struct link *old = model_index(&k->actual, fresh->ifindex);
	struct link *same_name = model_find(&k->actual, fresh->name);

	observe_index(k, fresh->ifindex);
	/* Two links of one name: the event is older than what is known of the other. */
	if (same_name && same_name != old) {
		k->lost = true;
		link_free(fresh);
		return;
	}
	if (old && link_unchanged(&k->actual, old, fresh)) {
		old->flags = fresh->flags;
		link_free(fresh);
		return;
	}
	observe_changed(k, fresh->name);
	if (!old) {
		dump_driver(fresh, NULL);
		observe_mark(k, fresh->master, MARK_LINK);
		/* A new bridge tells of its default VLAN before it tells of itself (net/bridge/br_vlan.c,
		 * NETDEV_REGISTER). */
		if (link_has_vlans(fresh))
			observe_mark(k, fresh->ifindex, MARK_VLANS);
		model_share(&k->actual, fresh);
		model_add(&k->actual, fresh);
		return;
	}
	if (!streq(old->name, fresh->name))
		observe_changed(k, old->name);
	link_share(fresh, old);
	inherit(fresh, old);
	mark_consequences(k, old, fresh);
	link_free(model_take(&k->actual, old));
	model_share(&k->actual, fresh);
	model_add(&k->actual, fresh);
}

static void take_new_link(struct kernel *k, const struct nlmsghdr *m)
{
	struct link *fresh;

	if (decode_link(m, &fresh) == 0)
		observe_link(k, fresh);
}

static void take_gone_link(struct kernel *k, uint32_t ifindex)
{
	struct link *l = model_index(&k->actual, ifindex);

	if (!l)
		return;
	observe_changed(k, l->name);
	observe_mark(k, l->master, MARK_LINK);
	overlap_doubt(k);
	link_free(model_take(&k->actual, l));
}

static bool vlans_same(const struct link *l, const struct bridge_state *s)
{
	return l->n_vlans == s->n_vlans &&
	       (!s->n_vlans || memcmp(l->vlans, s->vlans, s->n_vlans * sizeof(*s->vlans)) == 0);
}

/* A bridge tells of a port, or of itself: the port's values, and all its VLANs. */
static void take_bridge(struct kernel *k, const struct nlmsghdr *m)
{
	_cleanup_(bridge_state_done) struct bridge_state s = {0};
	struct link *l;

	if (decode_bridge(m, &s) < 0)
		return;
	l = model_index(&k->actual, s.ifindex);
	if (!l || !link_has_vlans(l) || (s.master != s.ifindex && s.master != l->master))
		return;
	if (s.port && l->port && s.port->table == l->port->table) {
		values_free(l->port);
		l->port = TAKE_PTR(s.port);
		observe_changed(k, l->name);
	}
	/* None at all, or an event about something else (net/bridge/br_cfm_netlink.c). */
	if (!s.has_vlans && l->n_vlans)
		observe_mark(k, l->ifindex, MARK_VLANS);
	if (!s.has_vlans || vlans_same(l, &s))
		return;
	free(l->vlans);
	l->vlans = TAKE_PTR(s.vlans);
	l->n_vlans = s.n_vlans;
	observe_changed(k, l->name);
}

static void take_link(struct kernel *k, const struct nlmsghdr *m)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(m);
	bool gone = m->nlmsg_type == RTM_DELLINK;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*ifi) || ifi->ifi_index <= 0)
		return;
	if (ifi->ifi_family == AF_BRIDGE) {
		/* The port left its bridge; the device is still there. */
		if (gone)
			observe_mark(k, (uint32_t)ifi->ifi_index, MARK_LINK);
		else
			take_bridge(k, m);
	} else if (ifi->ifi_family == AF_UNSPEC) {
		if (gone)
			take_gone_link(k, (uint32_t)ifi->ifi_index);
		else
			take_new_link(k, m);
	}
}

static void take_vlan(struct kernel *k, const struct nlmsghdr *m)
{
	uint32_t ifindex;
	struct link *l;

	if (decode_vlan_event_link(m, &ifindex) < 0)
		return;
	l = model_index(&k->actual, ifindex);
	if (!l || !link_has_vlans(l))
		return;
	if (decode_vlan_event(m, l) < 0)
		observe_mark(k, l->ifindex, MARK_VLANS);
	observe_changed(k, l->name);
}

static int source_order(const void *a, const void *b)
{
	const struct address *x = a, *y = b;

	return x->family != y->family ? (x->family < y->family ? -1 : 1) : memcmp(x->addr, y->addr, sizeof(x->addr));
}

/*
 * Routes with this source address go with it, on any device, without an event (fib_sync_down_addr); IPv6 ones lose it
 * (net/ipv6/route.c, fib6_remove_prefsrc). The link's own route of the prefix has its event.
 */
static bool lost_source(const struct kernel *k, const struct route *r)
{
	struct address source = {.family = r->family};

	if (!k->n_gone_addresses || !r->has_prefsrc || r->protocol == RTPROT_KERNEL)
		return false;
	memcpy(source.addr, r->prefsrc, sizeof(source.addr));
	return bsearch(&source, k->gone_addresses, k->n_gone_addresses, sizeof(source), source_order);
}

/* IPv6 orders by scope first (net/ipv6/addrconf.c, ipv6_link_dev_addr), and of link-local ones no order is kept. */
static bool has_address_beside(const struct link *l, const struct address *a)
{
	if (a->family == AF_INET6 && a->scope == RT_SCOPE_LINK)
		return false;
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == a->family &&
		    (a->family == AF_INET || l->addresses[i].scope != RT_SCOPE_LINK))
			return true;
	return false;
}

/* An address came, or went, somewhere among these. */
static void doubt_order(struct kernel *k, struct link *l, const struct address *a)
{
	l->order_unknown |= has_address_beside(l, a);
	k->order_unknown |= l->order_unknown;
}

static bool has_ipv4(const struct link *l)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == AF_INET)
			return true;
	return false;
}

static void take_address(struct kernel *k, const struct nlmsghdr *m)
{
	struct address a;
	uint32_t ifindex;
	struct link *l;
	size_t i;

	if (decode_address(m, &ifindex, &a) < 0)
		return;
	l = model_index(&k->actual, ifindex);
	if (!l)
		return;
	observe_changed(k, l->name);
	for (i = 0; i < l->n_addresses && !address_same(&l->addresses[i], &a); i++)
		;
	if (m->nlmsg_type == RTM_NEWADDR) {
		if (i < l->n_addresses) {
			l->addresses[i] = a;
			return;
		}
		doubt_order(k, l, &a);
		*ARRAY_APPEND(l->addresses, l->n_addresses) = a;
		return;
	}
	if (i < l->n_addresses) {
		memmove(&l->addresses[i], &l->addresses[i + 1], (l->n_addresses - i - 1) * sizeof(a));
		l->n_addresses--;
		/* Another one of its subnet may take its place (net/ipv4/devinet.c, promote_secondaries). */
		doubt_order(k, l, &a);
	}
	/* With the last IPv4 address all IPv4 routes of the device go, without events (fib_disable_ip). */
	if (a.family == AF_INET && l->n_routes && !has_ipv4(l))
		observe_mark(k, l->ifindex, MARK_ROUTES);
	*ARRAY_APPEND(k->gone_addresses, k->n_gone_addresses) = a;
	overlap_doubt(k);
}

static bool route_identical(const struct route *a, const struct route *b)
{
	return route_equal(a, b) && a->scope == b->scope && a->type == b->type && a->flags == b->flags;
}

static int replacing_order(const void *a, const void *b)
{
	const struct replacing *x = a, *y = b;
	int order = route_compare(&x->route, &y->route);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void note_replacing(struct kernel *k, const struct route *r, uint32_t ifindex)
{
	struct replacing *new = ARRAY_APPEND(k->replacing, k->n_replacing);

	*new = (struct replacing){.route = *r, .ifindex = ifindex, .number = k->n_replacing};
}

/* Did a route of this key come, and is this another one? l: its link, NULL: it is of none. */
static bool is_replaced(const struct kernel *k, const struct link *l, const struct route *r)
{
	size_t low = 0, high = k->n_replacing;
	const struct replacing *last;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (route_compare(&k->replacing[middle].route, r) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	last = low ? &k->replacing[low - 1] : NULL;
	return last && route_same(&last->route, r) &&
	       (last->ifindex != (l ? l->ifindex : 0) || !route_identical(&last->route, r));
}

void observe_mark_routes(struct kernel *k)
{
	if (!k->n_gone_addresses && !k->n_replacing)
		return;
	if (k->n_gone_addresses)
		qsort(k->gone_addresses, k->n_gone_addresses, sizeof(*k->gone_addresses), source_order);
	if (k->n_replacing)
		qsort(k->replacing, k->n_replacing, sizeof(*k->replacing), replacing_order);
	for (size_t i = 0; i < k->actual.n_links; i++) {
		const struct link *l = k->actual.links[i];
		size_t j = 0;

		/* Most often addresses went, which few links of thousands have routes by. */
		if (!k->n_replacing && !l->names_source)
			continue;
		while (j < l->n_routes && !lost_source(k, &l->routes[j]) && !is_replaced(k, l, &l->routes[j]))
			j++;
		if (j < l->n_routes)
			observe_mark(k, l->ifindex, MARK_ROUTES);
	}
	for (size_t i = 0; k->n_replacing && i < k->actual.n_nowhere && !k->routes_lost; i++)
		k->routes_lost = is_replaced(k, NULL, &k->actual.nowhere[i]);
	observe_forget_routes(k);
}

void observe_forget_routes(struct kernel *k)
{
	free(k->gone_addresses);
	free(k->replacing);
	k->gone_addresses = NULL;
	k->replacing = NULL;
	k->n_gone_addresses = k->n_replacing = 0;
}

static void add_route(struct kernel *k, struct link *l, const struct route *r)
{
	for (size_t i = 0; i < l->n_routes; i++)
		if (route_identical(&l->routes[i], r))
			return;
	link_add_route(l, r);
	observe_changed(k, l->name);
}

static bool remove_route(struct kernel *k, struct link *l, const struct route *r)
{
	for (size_t i = 0; i < l->n_routes; i++) {
		if (!route_identical(&l->routes[i], r))
			continue;
		l->routes[i] = l->routes[--l->n_routes];
		observe_changed(k, l->name);
		return true;
	}
	return false;
}

/* No link is told to have changed: which networks it is in the way of is a question to all of them. */
static void take_nowhere(struct kernel *k, const struct route *r, bool gone)
{
	struct model *m = &k->actual;
	size_t i = 0;

	while (i < m->n_nowhere && !route_identical(&m->nowhere[i], r))
		i++;
	if (gone == (i == m->n_nowhere))
		return;
	if (gone)
		m->nowhere[i] = m->nowhere[--m->n_nowhere];
	else
		*ARRAY_APPEND(m->nowhere, m->n_nowhere) = *r;
	k->all_changed = true;
}

/*
 * A route that replaces another, of any device, is all that is told of it. IPv6 routes of one key with gateways are
 * next hops of one route: a second one makes it a multipath route, with the last but one it is a plain one again, and
 * replacing it can leave some of it behind (net/ipv6/ip6_fib.c, fib6_add_rt2node).
 */
static void take_route(struct kernel *k, const struct nlmsghdr *m)
{
	struct route_state s;
	struct link *l;

	if (decode_route(m, &s) < 0)
		return;
	overlap_event(k, m, &s);
	if (s.nowhere)
		take_nowhere(k, &s.route, m->nlmsg_type == RTM_DELROUTE);
	l = s.kept ? model_index(&k->actual, s.ifindex) : NULL;
	if (m->nlmsg_type == RTM_DELROUTE) {
		if (l && !remove_route(k, l, &s.route))
			k->routes_lost = true;
		return;
	}
	if (m->nlmsg_flags & NLM_F_REPLACE || s.multipath)
		note_replacing(k, &s.route, l ? l->ifindex : 0);
	if (m->nlmsg_flags & NLM_F_REPLACE && s.route.family == AF_INET6 && !s.of_daemon)
		k->routes_lost = true;
	if (l)
		add_route(k, l, &s.route);
}

void observe_messages(struct kernel *k, const void *data, size_t len)
{
	const struct nlmsghdr *m = data;
	int left = (int)len;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		switch (m->nlmsg_type) {
		case RTM_NEWLINK:
		case RTM_DELLINK:
			take_link(k, m);
			break;
		case RTM_NEWADDR:
		case RTM_DELADDR:
			take_address(k, m);
			break;
		case RTM_NEWROUTE:
		case RTM_DELROUTE:
			take_route(k, m);
			break;
		case RTM_NEWVLAN:
		case RTM_DELVLAN:
			take_vlan(k, m);
			break;
		case RTM_NEWNETCONF:
			all_links_event(k, m);
			break;
		case RTM_NEWNEXTHOP:
		case RTM_DELNEXTHOP:
			overlap_doubt(k);
			break;
		default:
			break;
		}
	}
}
