/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: entries of neighbour tables and of bridges' forwarding tables that are to be kept (keepsake.h), read from
 * the kernel: what somebody has set for good. What was learned is learned again.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "decode.h"
#include "keepsake-internal.h"

/* Of one message; NULL: it does not tell. */
struct entry {
	const struct ndmsg *ndm;
	const struct nlattr *dst, *lladdr, *vlan, *master, *protocol;
};

static void entry_attribute(struct entry *e, const struct nlattr *a)
{
	switch (mnl_attr_get_type(a)) {
	case NDA_DST:
		e->dst = a;
		break;
	case NDA_LLADDR:
		e->lladdr = mnl_attr_get_payload_len(a) == ETH_ALEN ? a : NULL;
		break;
	case NDA_VLAN:
		e->vlan = a;
		break;
	case NDA_MASTER:
		e->master = a;
		break;
	case NDA_PROTOCOL:
		e->protocol = a;
		break;
	}
}

/* Those of a daemon (EVPN and the like) are none of ours to keep. */
static bool entry_read(const struct nlmsghdr *m, struct entry *e)
{
	const struct nlattr *a;

	*e = (struct entry){.ndm = mnl_nlmsg_get_payload(m)};
	if (m->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(m) < sizeof(*e->ndm))
		return false;
	mnl_attr_for_each (a, m, sizeof(*e->ndm))
		entry_attribute(e, a);
	return !(e->ndm->ndm_flags & NTF_EXT_LEARNED) &&
	       !(e->protocol && decode_is_routing_daemon(mnl_attr_get_u8(e->protocol)));
}

static void copy_attribute(struct nlmsghdr *to, const struct nlattr *a)
{
	if (a)
		mnl_attr_put(to, mnl_attr_get_type(a), mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
}

static void add(struct losing *l, const struct entry *e, uint8_t flags, char *what)
{
	union message q = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(m, sizeof(*ndm));

	ndm->ndm_family = e->ndm->ndm_family;
	ndm->ndm_ifindex = e->ndm->ndm_ifindex;
	ndm->ndm_state = e->ndm->ndm_state;
	ndm->ndm_flags = flags;
	copy_attribute(m, e->dst);
	copy_attribute(m, e->lladdr);
	copy_attribute(m, e->vlan);
	copy_attribute(m, e->master);
	copy_attribute(m, e->protocol);
	keepsake_add(l, RTM_NEWNEIGH, what, ndm, mnl_nlmsg_get_payload_len(m));
}

static int take_neighbour(const struct nlmsghdr *m, void *userdata)
{
	struct losing *l = userdata;
	char text[INET6_ADDRSTRLEN];
	const struct link *link;
	struct entry e;
	bool is_proxy;

	if (!entry_read(m, &e) || !e.dst || (e.ndm->ndm_family != AF_INET && e.ndm->ndm_family != AF_INET6))
		return 0;
	is_proxy = e.ndm->ndm_flags & NTF_PROXY;
	link = model_index(l->actual, (uint32_t)e.ndm->ndm_ifindex);
	if (!(is_proxy || (e.ndm->ndm_state & NUD_PERMANENT && e.lladdr)) || !link || !keepsakes_lose(l, link->name) ||
	    mnl_attr_get_payload_len(e.dst) < (e.ndm->ndm_family == AF_INET ? 4 : 16) ||
	    !inet_ntop(e.ndm->ndm_family, mnl_attr_get_payload(e.dst), text, sizeof(text)))
		return 0;
	add(l, &e, e.ndm->ndm_flags & (NTF_PROXY | NTF_ROUTER),
	    xasprintf("%sneighbour %s of %s", is_proxy ? "proxy " : "", text, link->name));
	return 0;
}

static uint64_t mac_of(const struct nlattr *lladdr)
{
	const struct option *row = &link_options.rows[LINK_MAC];
	union value mac = {0};

	row->type->get(row, lladdr, &mac);
	return mac.num;
}

/* Every port has entries with its own MAC and the bridge's, which the kernel makes. */
static bool is_own(const struct link *link, uint64_t mac)
{
	return values_num(link->common, LINK_MAC, 0) == mac;
}

static int take_forwarding(const struct nlmsghdr *m, void *userdata)
{
	struct losing *l = userdata;
	const struct link *link, *bridge;
	char text[3 * ETH_ALEN], vlan[sizeof(" vlan 65535")] = "";
	struct entry e;
	uint64_t mac;

	if (!entry_read(m, &e) || e.ndm->ndm_family != AF_BRIDGE || !e.lladdr || !e.master ||
	    !(e.ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP)) || !keepsake_is_hit(l, RTM_NEWNEIGH, m))
		return 0;
	link = model_index(l->actual, (uint32_t)e.ndm->ndm_ifindex);
	bridge = model_index(l->actual, mnl_attr_get_u32(e.master));
	mac = mac_of(e.lladdr);
	if (!link || !bridge || is_own(link, mac) || is_own(bridge, mac))
		return 0;
	if (e.vlan)
		snprintf(vlan, sizeof(vlan), " vlan %u", mnl_attr_get_u16(e.vlan));
	add(l, &e, (uint8_t)((e.ndm->ndm_flags & NTF_STICKY) | (link == bridge ? NTF_SELF : NTF_MASTER)),
	    xasprintf("forwarding entry %s%s of %s", mac_text(mac, text), vlan, link->name));
	return 0;
}

/* ifindex: of the link whose entries are asked for; 0: of all. */
static int ask(struct kernel *k, struct losing *l, uint8_t family, uint8_t flags, uint32_t ifindex)
{
	union message q = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct ndmsg *ndm;

	m->nlmsg_type = RTM_GETNEIGH;
	ndm = mnl_nlmsg_put_extra_header(m, sizeof(*ndm));
	ndm->ndm_family = family;
	ndm->ndm_flags = flags;
	if (ifindex && family == AF_BRIDGE)
		ndm->ndm_ifindex = (int)ifindex;
	else if (ifindex)
		mnl_attr_put_u32(m, NDA_IFINDEX, ifindex);
	return rtnl_dump(k->rtnl, m, family == AF_BRIDGE ? take_forwarding : take_neighbour, l);
}

static int ask_each(struct kernel *k, struct losing *l, uint8_t family, uint8_t flags, const uint32_t *indexes,
		    size_t n)
{
	int error = 0;

	if (n > KEEPSAKE_ONE_BY_ONE)
		error = ask(k, l, family, flags, 0);
	for (size_t i = 0; n <= KEEPSAKE_ONE_BY_ONE && i < n && !error; i++)
		error = ask(k, l, family, flags, indexes[i]);
	return error == -EOPNOTSUPP ? 0 : error;
}

int keepsake_neighbours(struct kernel *k, struct losing *l)
{
	uint32_t indexes[KEEPSAKE_ONE_BY_ONE];

	return ask_each(k, l, AF_UNSPEC, 0, indexes, keepsake_find_links(l, indexes));
}

int keepsake_proxies(struct kernel *k, struct losing *l)
{
	uint32_t indexes[KEEPSAKE_ONE_BY_ONE];

	return ask_each(k, l, AF_UNSPEC, NTF_PROXY, indexes, keepsake_find_links(l, indexes));
}

static void add_index(uint32_t *indexes, size_t *n, const struct link *link)
{
	if (*n < KEEPSAKE_ONE_BY_ONE)
		indexes[*n] = link->ifindex;
	++*n;
}

/* The bridges and ports among the links, and the bridges' ports; counted no further than one past the room there is. */
static size_t find_forwarding(const struct losing *l, uint32_t *indexes)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n && n <= KEEPSAKE_ONE_BY_ONE; i++) {
		const struct link *link = model_find(l->actual, l->names[i]), *port;
		const struct link *master = link ? model_master(l->actual, link) : NULL;
		bool is_bridge = link && link->kind == &kind_bridge;

		if (is_bridge || (master && master->kind == &kind_bridge && !keepsakes_lose(l, master->name)))
			add_index(indexes, &n, link);
		for (size_t at = 0;
		     is_bridge && n <= KEEPSAKE_ONE_BY_ONE && (port = model_next_port(l->actual, link->ifindex, &at));)
			add_index(indexes, &n, port);
	}
	return n;
}

int keepsake_forwarding(struct kernel *k, struct losing *l)
{
	uint32_t indexes[KEEPSAKE_ONE_BY_ONE];

	return ask_each(k, l, AF_BRIDGE, 0, indexes, find_forwarding(l, indexes));
}
