/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: keepsake.h. */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "keepsake-internal.h"

/* More than this of one change is not kept: memory and the journal are bounded. */
#define KEEPSAKES_MAX 4096

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

static void sort_losing(struct losing *l)
{
	if (l->n)
		qsort(l->names, l->n, sizeof(*l->names), name_order);
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

	_Static_assert(offsetof(struct ifinfomsg, ifi_index) == offsetof(struct ndmsg, ndm_ifindex), "of links, neighbours");
	_Static_assert(offsetof(struct ifinfomsg, ifi_index) == offsetof(struct tcmsg, tcm_ifindex), "of links, qdiscs");
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

void keepsake_add(struct losing *l, uint16_t type, char *what, const void *payload, size_t len)
{
	struct keepsake keepsake = {.type = type, .what = what, .payload = blob_new(payload, len)};
	struct naming naming = {.actual = l->actual, .keepsake = &keepsake};

	keepsake_each_index(type, keepsake.payload->data, len, index_to_ordinal, &naming);
	if (!naming.unknown && l->kept->n < KEEPSAKES_MAX && !keepsakes_have(l->kept, what)) {
		*ARRAY_APPEND(l->kept->list, l->kept->n) = keepsake;
		return;
	}
	free(keepsake.what);
	free(keepsake.links);
	free(keepsake.payload);
}

/* What stands on a link loses its routes with it. Each link is met once. */
static void add_upper(struct losing *l)
{
	_cleanup_free_ bool *met = xcalloc(l->actual->n_links + 1, sizeof(*met));

	for (size_t n = 0; n < l->n; n++) {
		const struct link *lower = model_find(l->actual, l->names[n]), *upper;

		for (size_t i = 0; lower && (upper = model_next_upper(l->actual, lower->ifindex, &i));) {
			if (!met[upper->position])
				add_losing(l, upper->name);
			met[upper->position] = true;
		}
	}
	sort_losing(l);
}

typedef bool loses_fn(const struct op *op);

/* What hangs on a port of a bridge. */
static bool leaves(const struct op *op)
{
	return op->type == OP_DELETE || (op->type == OP_SET && op->have && op->master != MASTER_KEEP);
}

static bool loses_routes(const struct op *op)
{
	return leaves(op) || op->type == OP_ADDRESS_DELETE ||
	       (op->type == OP_SET && op->have && op->flags == FLAGS_DOWN);
}

/* Another MAC empties the table (net/core/neighbour.c, neigh_changeaddr()). */
static bool loses_neighbours(const struct op *op)
{
	return leaves(op) || (op->type == OP_SET && op->have &&
			      (op->flags == FLAGS_DOWN || op->common & 1ull << LINK_MAC));
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

/* Keeps what is read of the links that lose it, and of those on them. */
static int keep(struct kernel *k, const struct plan *p, struct keepsakes *s, loses_fn *loses, read_fn *read)
{
	struct losing l = {.actual = &k->actual, .kept = s};
	int error = 0;

	for (size_t i = 0; i < p->n; i++)
		if (loses(&p->ops[i]) && model_find(l.actual, p->ops[i].link->name))
			add_losing(&l, p->ops[i].link->name);
	if (l.n) {
		add_upper(&l);
		error = read_whole(k, &l, read);
	}
	free(l.names);
	return error;
}

static bool deletes(const struct op *op)
{
	return op->type == OP_DELETE;
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

int kernel_keep(struct kernel *k, const struct plan *p, struct keepsakes *s)
{
	int error = keep(k, p, s, loses_routes, read_next_hops);

	if (!error)
		error = keep(k, p, s, loses_neighbours, keepsake_neighbours);
	if (!error)
		error = keep(k, p, s, leaves, keepsake_forwarding);
	if (!error)
		error = keep(k, p, s, deletes, keepsake_qdiscs);
	if (!error)
		keep_names(k, p, s);
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

		return port && bridge && (port == bridge || port->master == bridge->ifindex);
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

static void look_again(struct kernel *k, const struct keepsakes *s, struct keepsakes *now)
{
	struct losing l = {.actual = &k->actual, .kept = now};
	bool has_neighbours = false, has_ports = false, has_qdiscs = false;

	for (size_t i = 0; i < s->n; i++) {
		for (size_t n = 0; n < s->list[i].n_links; n++)
			add_losing(&l, s->list[i].links[n]);
		has_ports = has_ports || keepsake_is_of_port(&s->list[i]);
		has_qdiscs = has_qdiscs || s->list[i].type == RTM_NEWQDISC;
		has_neighbours = has_neighbours || (s->list[i].type == RTM_NEWNEIGH && s->list[i].n_links == 1);
	}
	sort_losing(&l);
	keepsake_nexthops(k, &l);
	keepsake_routes(k, &l);
	if (has_neighbours)
		keepsake_neighbours(k, &l);
	if (has_ports)
		keepsake_forwarding(k, &l);
	if (has_qdiscs)
		keepsake_qdiscs(k, &l);
	for (size_t i = 0; i < s->n; i++) {
		const struct keepsake *keepsake = &s->list[i];
		bool is_name = keepsake->type == RTM_SETLINK || keepsake->type == RTM_NEWLINKPROP;
		const struct link *link = is_name ? model_find(l.actual, keepsake->links[0]) : NULL;

		if (link)
			keepsake_names(k, &l, link);
	}
	free(l.names);
}

bool kernel_put_back(struct kernel *k, const struct keepsakes *s, bool as_they_were, kernel_lost_fn *lost,
		     void *userdata)
{
	struct keepsakes now = {0};
	bool later = false;

	if (!s->n || k->execution)
		return false;
	look_again(k, s, &now);
	for (size_t i = 0; i < s->n; i++) {
		_cleanup_free_ char *why = NULL;
		int error;

		if (is_there(&now, &s->list[i]) || (!as_they_were && !is_in_use(&k->actual, &s->list[i])))
			continue;
		if (!keepsake_comes_back(&s->list[i])) {
			lost(s->list[i].what, "kvmnetd cannot set that up again", userdata);
			continue;
		}
		error = send_back(k, &s->list[i], &why);
		later = later || error == -ENETDOWN;
		if (error < 0)
			lost(s->list[i].what, why, userdata);
	}
	keepsakes_done(&now);
	return later;
}
