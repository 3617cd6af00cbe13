/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: keepsake.h. */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "../plan/notes.h"
#include "keepsake-internal.h"

/* More than this of one change is not kept: memory and the journal are bounded. */
#define KEEPSAKES_MAX 4096u

void keepsakes_done(struct keepsakes *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->list[i].what);
		free(s->list[i].links);
		free(s->list[i].payload);
	}
	free(s->list);
	*s = (struct keepsakes){0};
}

static int name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool keepsakes_lose(const struct losing *l, const char *name)
{
	return l->n && bsearch(name, l->names, l->n, sizeof(*l->names), name_order);
}

static void add_losing(struct losing *l, const char *name)
{
	l->names = array_grow(l->names, l->n, sizeof(*l->names));
	snprintf(l->names[l->n++], IFNAMSIZ, "%s", name);
}

/* And each but once. */
static void sort_losing(struct losing *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->names, l->n, sizeof(*l->names), name_order);
	for (size_t i = 0; i < l->n; i++)
		if (!n || !streq(l->names[n - 1], l->names[i]))
			memmove(l->names[n++], l->names[i], IFNAMSIZ);
	l->n = n;
}

static void each_hop(struct nlattr *multipath, keepsake_index_fn *fn, void *userdata)
{
	struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	int left = mnl_attr_get_payload_len(multipath);

	for (; RTNH_OK(hop, left); left -= (int)RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		uint32_t index = (uint32_t)hop->rtnh_ifindex;

		fn(&index, userdata);
		hop->rtnh_ifindex = (int)index;
		hop->rtnh_flags &= RTNH_F_ONLINK;
	}
}

static int left_of(const void *payload, size_t len, const struct nlattr *a)
{
	return (int)((const uint8_t *)payload + len - (const uint8_t *)a);
}

static void index_in_header(struct ifinfomsg *header, keepsake_index_fn *fn, void *userdata)
{
	uint32_t index = (uint32_t)header->ifi_index;

	_Static_assert(offsetof(struct ifinfomsg, ifi_index) == offsetof(struct ndmsg, ndm_ifindex),
		       "of links, neighbours");
	_Static_assert(offsetof(struct ifinfomsg, ifi_index) == offsetof(struct tcmsg, tcm_ifindex),
		       "of links, qdiscs");
	fn(&index, userdata);
	header->ifi_index = (int)index;
}

/* Of messages that have ifindexes in an attribute: in which, and behind how long a header. */
static const struct index_place {
	uint16_t type, attr;
	size_t header;
} places[] = {
	{RTM_NEWROUTE, RTA_OIF, sizeof(struct rtmsg)},
	{RTM_NEWNEXTHOP, NHA_OIF, sizeof(struct nhmsg)},
	{RTM_NEWNEIGH, NDA_MASTER, sizeof(struct ndmsg)},
};

void keepsake_each_index(uint16_t type, void *payload, size_t len, keepsake_index_fn *fn, void *userdata)
{
	const struct index_place *place = NULL;
	struct nlattr *a;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		place = places[i].type == type ? &places[i] : place;
	if (!place || type == RTM_NEWNEIGH)
		index_in_header(payload, fn, userdata);
	if (!place)
		return;
	for (a = (void *)((uint8_t *)payload + MNL_ALIGN(place->header)); mnl_attr_ok(a, left_of(payload, len, a));
	     a = mnl_attr_next(a)) {
		if (mnl_attr_get_type(a) == place->attr)
			fn(mnl_attr_get_payload(a), userdata);
		else if (type == RTM_NEWROUTE && mnl_attr_get_type(a) == RTA_MULTIPATH)
			each_hop(a, fn, userdata);
	}
}

struct naming {
	const struct model *actual;
	struct keepsake *keepsake;
	bool unknown; /* a link is not there */
};

static void index_to_ordinal(uint32_t *index, void *userdata)
{
	struct naming *n = userdata;
	struct keepsake *k = n->keepsake;
	const struct link *link = model_index(n->actual, *index);

	n->unknown = n->unknown || !link;
	if (!link)
		return;
	k->links = array_grow(k->links, k->n_links, sizeof(*k->links));
	snprintf(k->links[k->n_links++], IFNAMSIZ, "%s", link->name);
	*index = (uint32_t)k->n_links;
}

static void ordinal_to_index(uint32_t *index, void *userdata)
{
	struct naming *n = userdata;
	uint32_t i = *index - 1;
	const struct link *link = i < n->keepsake->n_links ? model_find(n->actual, n->keepsake->links[i]) : NULL;

	n->unknown = n->unknown || !link;
	*index = link ? link->ifindex : 0;
}

bool keepsakes_have(const struct keepsakes *s, const char *what)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->list[i].what, what))
			return true;
	return false;
}

/* The last of a list that is full: something that does not come back, on no link. */
static void add_fullness(struct keepsakes *s)
{
	const struct tcmsg none = {0};
	struct keepsake *last = ARRAY_APPEND(s->list, s->n);

	*last = (struct keepsake){.type = RTM_NEWQDISC, .payload = blob_new(&none, sizeof(none))};
	last->what = xasprintf("more than %u things that others had set up", KEEPSAKES_MAX - 1);
}

void keepsake_add(struct losing *l, uint16_t type, char *what, const void *payload, size_t len)
{
	struct keepsake keepsake = {.type = type, .what = what, .payload = blob_new(payload, len)};
	struct naming naming = {.actual = l->actual, .keepsake = &keepsake};

	keepsake_each_index(type, keepsake.payload->data, len, index_to_ordinal, &naming);
	if (!naming.unknown && l->kept->n < KEEPSAKES_MAX - 1 && !keepsakes_have(l->kept, what)) {
		*ARRAY_APPEND(l->kept->list, l->kept->n) = keepsake;
		return;
	}
	if (!naming.unknown && l->kept->n == KEEPSAKES_MAX - 1 && !keepsakes_have(l->kept, what))
		add_fullness(l->kept);
	free(keepsake.what);
	free(keepsake.links);
	free(keepsake.payload);
}

/* Do the links that stand on one go with it? Tunnels stay (net/ipv4/ip_tunnel.c). */
static bool goes_with_lower(const struct link *link)
{
	static const char *const stacked[] = {"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "vxlan"};

	for (size_t i = 0; i < ARRAY_SIZE(stacked); i++)
		if (streq(link->info_kind, stacked[i]))
			return true;
	return false;
}

/* What stands on a link goes down and is deleted with it. Each is met once. */
static void add_upper(struct losing *l)
{
	_cleanup_(notes_done) struct notes met = NOTES_NULL;

	for (size_t n = 0; n < l->n; n++) {
		const struct link *lower = model_find(l->actual, l->names[n]), *upper;

		for (size_t i = 0; lower && (upper = model_next_upper(l->actual, lower->ifindex, &i));) {
			if (!notes_get(&met, upper->position) && goes_with_lower(upper))
				add_losing(l, upper->name);
			notes_put(&met, upper->position, true);
		}
	}
}

typedef bool loses_fn(const struct plan *p, const struct op *op);

static bool deletes(const struct plan *p _unused_, const struct op *op)
{
	return op->type == OP_DELETE;
}

static bool changes_master(const struct plan *p _unused_, const struct op *op)
{
	return op->type == OP_SET && op->have && op->master != MASTER_KEEP;
}

static bool goes_down(const struct plan *p, const struct op *op)
{
	return deletes(p, op) || changes_master(p, op) || (op->type == OP_SET && op->have && op->flags == FLAGS_DOWN);
}

static bool loses_routes(const struct plan *p, const struct op *op)
{
	return goes_down(p, op) || op->type == OP_ADDRESS_DELETE;
}

/* Without an address, a link has no IPv4 (net/ipv4/fib_frontend.c, fib_inetaddr_event()). */
static bool takes_last_ipv4(const struct plan *p, const struct op *op)
{
	size_t left = 0;

	if (op->type != OP_ADDRESS_DELETE || op->address->family != AF_INET || !op->have)
		return false;
	for (size_t i = 0; i < op->have->n_addresses; i++)
		left += op->have->addresses[i].family == AF_INET;
	for (size_t i = 0; i < p->n && left; i++)
		left -= p->ops[i].type == OP_ADDRESS_DELETE && p->ops[i].have == op->have &&
			p->ops[i].address->family == AF_INET;
	return !left;
}

static bool loses_proxies(const struct plan *p, const struct op *op)
{
	return goes_down(p, op) || takes_last_ipv4(p, op);
}

/* Another MAC empties the table (net/core/neighbour.c, neigh_changeaddr()). */
static bool loses_neighbours(const struct plan *p, const struct op *op)
{
	return loses_proxies(p, op) || (op->type == OP_SET && op->have && op->common & 1ull << LINK_MAC);
}

#define TRIES 20

typedef int read_fn(struct kernel *k, struct losing *l);

/* A dump that a change tore may lack anything; what is kept already is not kept twice. */
static int read_whole(struct kernel *k, struct losing *l, read_fn *read)
{
	int error = -EINTR;

	for (unsigned i = 0; i < TRIES && error == -EINTR; i++)
		error = read(k, l);
	return error;
}

static int read_next_hops(struct kernel *k, struct losing *l)
{
	int error = keepsake_nexthops(k, l);

	return error ? error : keepsake_routes(k, l);
}

static void add_all(struct losing *l, const struct plan *p, loses_fn *loses)
{
	for (size_t i = 0; i < p->n; i++)
		if (loses(p, &p->ops[i]) && model_find(l->actual, p->ops[i].link->name))
			add_losing(l, p->ops[i].link->name);
}

/* Of the links that lose it and those on them, and of those that lose it alone (NULL: none). */
static int keep(struct kernel *k, const struct plan *p, struct keepsakes *s, loses_fn *loses, loses_fn *alone,
		read_fn *read)
{
	struct losing l = {.actual = &k->actual, .kept = s};
	int error = 0;

	add_all(&l, p, loses);
	if (l.n)
		add_upper(&l);
	if (alone)
		add_all(&l, p, alone);
	sort_losing(&l);
	if (l.n)
		error = read_whole(k, &l, read);
	free(l.names);
	return error;
}

static void keep_names(struct kernel *k, const struct plan *p, struct keepsakes *s)
{
	struct losing l = {.actual = &k->actual, .kept = s};

	for (size_t i = 0; i < p->n; i++) {
		const struct link *link = model_find(l.actual, p->ops[i].link->name);

		if (p->ops[i].type == OP_DELETE && link)
			keepsake_names(k, &l, link);
	}
}

/* Of the last there may be more than there is room for. */
int kernel_keep(struct kernel *k, const struct plan *p, struct keepsakes *s)
{
	static const struct {
		loses_fn *loses, *alone;
		read_fn *read;
	} sorts[] = {
		{deletes, NULL, keepsake_qdiscs},
		{loses_routes, NULL, read_next_hops},
		{loses_proxies, NULL, keepsake_proxies},
		{loses_neighbours, NULL, keepsake_neighbours},
		{deletes, changes_master, keepsake_forwarding},
	};
	int error = 0;

	keep_names(k, p, s);
	for (size_t i = 0; i < ARRAY_SIZE(sorts) && !error; i++)
		error = keep(k, p, s, sorts[i].loses, sorts[i].alone, sorts[i].read);
	return error;
}

static bool is_same(const struct keepsake *a, const struct keepsake *b)
{
	return streq(a->what, b->what) && a->n_links == b->n_links && blob_equal(a->payload, b->payload) &&
	       (!a->n_links || memcmp(a->links, b->links, a->n_links * sizeof(*a->links)) == 0);
}

static bool is_there(const struct keepsakes *now, const struct keepsake *keepsake)
{
	for (size_t i = 0; i < now->n; i++)
		if (is_same(&now->list[i], keepsake))
			return true;
	return false;
}

bool keepsake_comes_back(const struct keepsake *k)
{
	return k->type != RTM_NEWQDISC;
}

bool keepsake_is_of_port(const struct keepsake *k)
{
	return k->type == RTM_NEWNEIGH && k->n_links == 2;
}

/* Links that are up, and no ports: on a NIC that became one, a route is of no use any more. */
static bool is_in_use(const struct model *actual, const struct keepsake *keepsake)
{
	if (keepsake_is_of_port(keepsake)) {
		const struct link *port = model_find(actual, keepsake->links[0]);
		const struct link *bridge = model_find(actual, keepsake->links[1]);

		return port && bridge && bridge->kind == &kind_bridge &&
		       (port == bridge || port->master == bridge->ifindex);
	}
	for (size_t i = 0; i < keepsake->n_links; i++) {
		const struct link *link = model_find(actual, keepsake->links[i]);

		if (!link || !(link->flags & IFF_UP) || link->master)
			return false;
	}
	return true;
}

static uint16_t flags_of(uint16_t type)
{
	if (type == RTM_NEWLINKPROP)
		return NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND;
	return type == RTM_SETLINK ? 0 : NLM_F_CREATE | NLM_F_REPLACE;
}

static int send_back(struct kernel *k, const struct keepsake *keepsake, char **why)
{
	struct naming naming = {.actual = &k->actual, .keepsake = (struct keepsake *)(uintptr_t)keepsake};
	union message q = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(&q);
	struct rtnl_result result = {0};
	int error;

	m->nlmsg_type = keepsake->type;
	m->nlmsg_flags = flags_of(keepsake->type);
	memcpy(mnl_nlmsg_put_extra_header(m, keepsake->payload->len), keepsake->payload->data, keepsake->payload->len);
	keepsake_each_index(keepsake->type, mnl_nlmsg_get_payload(m), keepsake->payload->len, ordinal_to_index,
			    &naming);
	error = naming.unknown ? -ENODEV : rtnl_batch(k->rtnl, m, m->nlmsg_len, &result, 1);
	k->writes++;
	if (!error)
		error = result.error;
	*why = xstrdup(result.text ? result.text : strerror(-error));
	rtnl_result_done(&result);
	return error;
}

static bool is_proxy(const struct keepsake *keepsake)
{
	const struct ndmsg *ndm = (const void *)keepsake->payload->data;

	return keepsake->type == RTM_NEWNEIGH && ndm->ndm_flags & NTF_PROXY;
}

static bool may_wait(const struct keepsake *keepsake)
{
	return keepsake->type == RTM_NEWNEXTHOP || keepsake->type == RTM_NEWROUTE || is_proxy(keepsake);
}

/* Of what is kept, and may have to wait or not: what is there now. */
static void look_again(struct kernel *k, const struct keepsakes *s, bool waiting, struct keepsakes *now)
{
	struct losing l = {.actual = &k->actual, .kept = now};

	for (size_t i = 0; i < s->n; i++)
		for (size_t n = 0; n < s->list[i].n_links && may_wait(&s->list[i]) == waiting; n++)
			add_losing(&l, s->list[i].links[n]);
	sort_losing(&l);
	for (size_t i = 0; i < l.n && !waiting; i++) {
		const struct link *link = model_find(l.actual, l.names[i]);

		if (link)
			keepsake_names(k, &l, link);
	}
	if (l.n && waiting) {
		read_next_hops(k, &l);
		keepsake_proxies(k, &l);
	} else if (l.n) {
		keepsake_qdiscs(k, &l);
		keepsake_neighbours(k, &l);
		keepsake_forwarding(k, &l);
	}
	free(l.names);
}

/* The kernel takes an entry without a VLAN for one of each VLAN as well (net/bridge/br_fdb.c, br_fdb_add()). */
static bool comes_last(const struct keepsake *keepsake)
{
	const struct nlattr *a = (const void *)(keepsake->payload->data + MNL_ALIGN(sizeof(struct ndmsg)));

	if (!keepsake_is_of_port(keepsake))
		return false;
	for (; mnl_attr_ok(a, left_of(keepsake->payload->data, keepsake->payload->len, a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == NDA_VLAN)
			return true;
	return false;
}

struct putting_back {
	struct kernel *kernel;
	struct keepsakes now;
	bool as_they_were, later;
	kernel_lost_fn *lost;
	void *userdata;
};

/* Proxies go with the carrier (net/core/neighbour.c, neigh_carrier_down()), also with one that is lost on the way up.
 */
static bool waits_for_carrier(const struct kernel *k, const struct keepsake *keepsake)
{
	const struct link *link = is_proxy(keepsake) ? model_find(&k->actual, keepsake->links[0]) : NULL;

	return link && link->flags & IFF_UP && !link->carrier;
}

static void put_back(struct putting_back *b, const struct keepsake *keepsake)
{
	bool is_in_place = is_in_use(&b->kernel->actual, keepsake);
	_cleanup_free_ char *why = NULL;
	int error;

	if (!is_in_place && !b->as_they_were)
		return;
	b->later = b->later || waits_for_carrier(b->kernel, keepsake);
	if (is_there(&b->now, keepsake))
		return;
	if (!keepsake_comes_back(keepsake)) {
		if (keepsake->n_links || b->as_they_were)
			b->lost(keepsake->what, "kvmnetd cannot set that up again", b->userdata);
		return;
	}
	if (!is_in_place && keepsake_is_of_port(keepsake)) {
		b->lost(keepsake->what, "it is no port of the bridge", b->userdata);
		return;
	}
	error = send_back(b->kernel, keepsake, &why);
	b->later = b->later || error == -ENETDOWN;
	if (error < 0)
		b->lost(keepsake->what, why, b->userdata);
}

bool kernel_put_back(struct kernel *k, const struct keepsakes *s, bool waiting, bool as_they_were, kernel_lost_fn *lost,
		     void *userdata)
{
	struct putting_back b = {.kernel = k, .as_they_were = as_they_were, .lost = lost, .userdata = userdata};

	if (!s->n || k->execution)
		return false;
	look_again(k, s, waiting, &b.now);
	for (unsigned last = 0; last < 2; last++)
		for (size_t i = 0; i < s->n; i++)
			if (may_wait(&s->list[i]) == waiting && comes_last(&s->list[i]) == last)
				put_back(&b, &s->list[i]);
	keepsakes_done(&b.now);
	return b.later;
}
