/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: is the subnet of a network free on this host? The files know what they declare; what others brought up only
 * the host itself can tell. A subnet that lies inside a route with a gateway is normal: the world is larger than the
 * network.
 */
#include <linux/rtnetlink.h>

#include "resolve-link.h"

static char *text_of_address(const struct address *a)
{
	struct ip ip = ip_of_address(a);
	char buf[INET6_ADDRSTRLEN];

	return xasprintf("%s/%u", ip_format(&ip, buf), a->prefix_len);
}

struct report {
	struct diags *diags;
	enum severity severity;
};

static void report(const struct report *to, const struct link *network, const struct address *a, const char *what)
{
	_cleanup_free_ char *section = link_section(network), *text = text_of_address(a);

	diag_add(to->diags, to->severity, a->loc, section, "address",
		 "%s overlaps with %s (a network needs a subnet of its own)", text, what);
}

/* Link-local addresses are per link. */
static bool is_link_local(const struct address *a)
{
	return a->family == AF_INET6 && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80;
}

/* What others have that a network may clash with. */
struct taken {
	const struct link *link;
	const struct route *nowhere; /* in the place of a link: a route that goes nowhere */
	struct address subnet;
	size_t inside; /* of the next wider one that has it in it, or the one before it that is equal; SIZE_MAX: none */
	bool leads_on; /* to elsewhere: clashes only if it leads to addresses of the network's subnet alone */
};

struct all_taken {
	struct taken *list; /* once sorted: the wider before what is in it */
	size_t n;
};

/* Ours are judged where they are declared, and the kernel's own follow addresses. */
static bool is_foreign_route(const struct route *r)
{
	return r->protocol != KVMNETD_PROTO && r->protocol != RTPROT_KERNEL && r->type == RTN_UNICAST &&
	       r->table != RT_TABLE_LOCAL;
}

/* What has no gateway is on the wire of the link, if it has one; the default route is everywhere. */
static bool leads_on(const struct link *l, const struct route *r)
{
	return r->has_gateway || r->dst_len == 0 || l->flags & (IFF_POINTOPOINT | IFF_NOARP | IFF_LOOPBACK);
}

static void add_address(const struct link *l, const struct address *a, struct all_taken *all)
{
	if (!is_link_local(a))
		*ARRAY_APPEND(all->list, all->n) = (struct taken){.link = l, .subnet = *a};
}

static void add_route(const struct link *l, const struct route *r, struct all_taken *all)
{
	struct taken *t = ARRAY_APPEND(all->list, all->n);

	*t = (struct taken){
		.link = l, .leads_on = leads_on(l, r), .subnet = {.family = r->family, .prefix_len = r->dst_len}};
	memcpy(t->subnet.addr, r->dst, sizeof(t->subnet.addr));
}

/* What a server gave is ours in the kernel, and yet no file says it. */
static void add_leased(const struct link *want, struct all_taken *all)
{
	struct loc loc = values_loc(want->common, LINK_DHCP);

	for (size_t i = 0; loc.line && i < want->n_addresses; i++)
		if (loc_equal(want->addresses[i].loc, loc))
			add_address(want, &want->addresses[i], all);
	for (size_t i = 0; loc.line && i < want->n_routes; i++)
		if (loc_equal(want->routes[i].loc, loc))
			add_route(want, &want->routes[i], all);
}

static void add_taken(const struct resolve_input *in, const struct link *l, struct all_taken *all)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (!ledger_added(in->ledger, l, &l->addresses[i]))
			add_address(l, &l->addresses[i], all);
	for (size_t i = 0; i < l->n_routes; i++)
		if (is_foreign_route(&l->routes[i]))
			add_route(l, &l->routes[i], all);
}

static void add_nowhere(const struct route *r, struct all_taken *all)
{
	struct taken *t = ARRAY_APPEND(all->list, all->n);

	*t = (struct taken){.nowhere = r, .leads_on = true, .subnet = {.family = r->family, .prefix_len = r->dst_len}};
	memcpy(t->subnet.addr, r->dst, sizeof(t->subnet.addr));
}

/* Whose it is: of routes that go nowhere, as of a link, the first is told. No link has the name "". */
static const char *owner(const struct taken *t)
{
	return t->link ? t->link->name : "";
}

static int taken_compare(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	int r = subnet_compare(&x->subnet, &y->subnet);

	return r ? r : strcmp(owner(x), owner(y));
}

static void sort_taken(struct all_taken *all)
{
	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), taken_compare);
	for (size_t i = 0; i < all->n; i++) {
		size_t at = i ? i - 1 : SIZE_MAX;

		while (at != SIZE_MAX && !subnets_overlap(&all->list[at].subnet, &all->list[i].subnet))
			at = all->list[at].inside;
		all->list[i].inside = at;
	}
}

/* The first one that does not go before it. */
static size_t find_place(const struct all_taken *all, const struct address *a)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (subnet_compare(&all->list[middle].subnet, a) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Each other link is told of once. */
struct check {
	const struct report *to;
	const struct link *network;
	const struct address *address;
	struct names told;
};

static void check_taken(struct check *c, const struct taken *t)
{
	_cleanup_free_ char *subnet = NULL, *what = NULL;

	if ((t->leads_on && t->subnet.prefix_len < c->address->prefix_len) ||
	    !subnets_overlap(c->address, &t->subnet) || streq(owner(t), c->network->name) ||
	    !names_add(&c->told, owner(t)))
		return;
	if (t->nowhere) {
		what = PRINT_TEXT(route_print, t->nowhere);
	} else {
		subnet = text_of_address(&t->subnet);
		what = xasprintf("%s of %s", subnet, t->link->name);
	}
	report(c->to, c->network, c->address, what);
}

static void check_subnet(const struct report *to, const struct link *network, const struct address *a,
			 const struct all_taken *all)
{
	struct check c = {.to = to, .network = network, .address = a};
	size_t place = find_place(all, a);

	/* What has it in it: the one before, or what that is in. */
	for (size_t i = place - 1; i != SIZE_MAX; i = all->list[i].inside)
		check_taken(&c, &all->list[i]);
	/* What is in it. */
	for (size_t i = place; i < all->n && subnets_overlap(a, &all->list[i].subnet); i++)
		check_taken(&c, &all->list[i]);
	names_done(&c.told);
}

void check_subnets(const struct resolve_input *in, const struct effective *e, enum severity severity, struct diags *d)
{
	const struct report to = {.diags = d, .severity = severity};
	struct all_taken all = {0};

	if (!in->config->n_networks)
		return;
	for (size_t i = 0; i < in->actual->n_links; i++)
		if (!model_find(&e->removed, in->actual->links[i]->name))
			add_taken(in, in->actual->links[i], &all);
	for (size_t i = 0; i < in->actual->n_nowhere; i++)
		add_nowhere(&in->actual->nowhere[i], &all);
	for (size_t i = 0; i < e->links.n_links; i++)
		add_leased(e->links.links[i], &all);
	sort_taken(&all);
	for (size_t i = 0; i < in->config->n_networks; i++) {
		const struct link *l = model_find(&in->config->links, in->config->networks[i]->bridge);

		for (size_t j = 0; j < l->n_addresses; j++)
			check_subnet(&to, l, &l->addresses[j], &all);
	}
	free(all.list);
}
