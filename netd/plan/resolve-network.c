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

/* What others have that a network may clash with. */
struct taken {
	struct nested in;
	const struct link *link;   /* NULL: of a route that goes nowhere */
	const struct route *route; /* NULL: it is an address */
	bool leads_on; /* to elsewhere: clashes only if it leads to addresses of the network's subnet alone */
};

struct all_taken {
	struct taken *list;
	size_t n;
};

static bool has_subnet(const struct link *l, const struct address *subnet)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (subnet_compare(&l->addresses[i], subnet) == 0)
			return true;
	return false;
}

/*
 * What is on the wire of a link without an address of it: a prefix that a router told of and nobody took an address
 * from, or the other end's of an address with a peer.
 */
static bool is_bare_prefix(const struct link *l, const struct route *r)
{
	const struct address subnet = subnet_of_route(r);

	return r->protocol == RTPROT_KERNEL && !is_link_local(r->family, r->dst) && !has_subnet(l, &subnet);
}

/* Ours are as they are wanted, and the kernel's own mostly follow addresses. */
static bool is_foreign_route(const struct link *l, const struct route *r)
{
	return r->protocol == RTPROT_KERNEL ? is_bare_prefix(l, r) : r->protocol != KVMNETD_PROTO;
}

static void add_address(const struct link *l, const struct address *a, struct all_taken *all)
{
	if (!is_link_local(a->family, a->addr))
		*ARRAY_APPEND(all->list, all->n) = (struct taken){.link = l, .in.subnet = *a};
}

/* l: NULL of one that goes nowhere. */
static void add_route(const struct link *l, const struct route *r, struct all_taken *all)
{
	struct taken *t = ARRAY_APPEND(all->list, all->n);

	*t = (struct taken){
		.link = l, .route = r, .leads_on = !l || route_leads_on(r, l), .in.subnet = subnet_of_route(r)};
}

/*
 * What a server gave is ours in the kernel, and yet no file says it. Whether a declared route leads on, only the link
 * that is there tells; what files say of addresses is checked with them.
 */
static void add_wanted(const struct resolve_input *in, const struct link *want, struct all_taken *all)
{
	const struct link *have = model_find(in->actual, want->name);
	struct loc loc = values_loc(want->common, LINK_DHCP);

	for (size_t i = 0; loc.line && i < want->n_addresses; i++)
		if (loc_equal(want->addresses[i].loc, loc))
			add_address(want, &want->addresses[i], all);
	for (size_t i = 0; i < want->n_routes; i++)
		add_route(have ? have : want, &want->routes[i], all);
}

static void add_taken(const struct resolve_input *in, const struct link *l, struct all_taken *all)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (!ledger_added(in->ledger, l, &l->addresses[i]))
			add_address(l, &l->addresses[i], all);
	for (size_t i = 0; i < l->n_routes; i++)
		if (is_foreign_route(l, &l->routes[i]))
			add_route(l, &l->routes[i], all);
}

/* Whose it is: of routes that go nowhere, as of a link, the first is told. No link has the name "". */
static const char *owner(const struct taken *t)
{
	return t->link ? t->link->name : "";
}

static int taken_compare(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	int r = subnet_compare(&x->in.subnet, &y->in.subnet);

	r = r ? r : strcmp(owner(x), owner(y));
	return r ? r : (x->route != NULL) - (y->route != NULL);
}

/* Each other link is told of once. */
struct check {
	const struct report *to;
	const struct link *network;
	const struct address *address;
	struct names told;
};

static void check_taken(void *element, void *userdata)
{
	const struct taken *t = element;
	struct check *c = userdata;
	_cleanup_free_ char *what = NULL;

	if (subnet_is_beyond(c->address, t->in.subnet.prefix_len, t->leads_on) || streq(owner(t), c->network->name) ||
	    !names_add(&c->told, owner(t)))
		return;
	if (t->route) {
		struct other_route r = {.route = *t->route};

		name_copy(r.dev, owner(t));
		what = PRINT_TEXT(other_route_print, &r);
		if (t->route->loc.line) {
			_cleanup_free_ char *text = what, *place = diag_place(c->to->diags, t->route->loc);

			what = xasprintf("%s (%s)", text, place);
		}
	} else {
		_cleanup_free_ char *subnet = text_of_address(&t->in.subnet);

		what = xasprintf("%s of %s", subnet, t->link->name);
	}
	report(c->to, c->network, c->address, what);
}

static void check_subnet(const struct report *to, const struct link *network, const struct address *a,
			 const struct nest *nest)
{
	struct check c = {.to = to, .network = network, .address = a};

	nest_overlapping(nest, a, check_taken, &c);
	names_done(&c.told);
}

/* What no model keeps, and is compared where it is read. */
static void check_others(const struct report *to, const struct resolve_input *in, const struct effective *e,
			 const struct link *network, const struct address *a)
{
	const struct overlap *o = in->overlaps ? overlaps_find(in->overlaps, a, network->name) : NULL;
	_cleanup_free_ char *what = NULL;

	if (!o || !o->found || model_find(&e->removed, o->route.dev))
		return;
	what = PRINT_TEXT(other_route_print, &o->route);
	report(to, network, a, what);
}

static void take_all(const struct resolve_input *in, const struct effective *e, struct all_taken *all)
{
	for (size_t i = 0; i < in->actual->n_links; i++)
		if (!model_find(&e->removed, in->actual->links[i]->name))
			add_taken(in, in->actual->links[i], all);
	for (size_t i = 0; i < in->actual->n_nowhere; i++)
		add_route(NULL, &in->actual->nowhere[i], all);
	for (size_t i = 0; i < e->links.n_links; i++)
		add_wanted(in, e->links.links[i], all);
	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), taken_compare);
}

void check_subnets(const struct resolve_input *in, struct effective *e)
{
	/* What others brought up since is no reason to end what runs. */
	const struct report to = {
		.diags = &e->problems,
		.severity = in->asked ? SEVERITY_ERROR : SEVERITY_WARNING,
	};
	struct all_taken all = {0};
	struct nest nest;

	if (!in->config->n_networks)
		return;
	take_all(in, e, &all);
	nest = (struct nest){.list = all.list, .n = all.n, .size = sizeof(*all.list)};
	nest_make(&nest);
	for (size_t i = 0; i < in->config->n_networks; i++) {
		const struct link *l = model_find(&in->config->links, in->config->networks[i]->bridge);

		for (size_t j = 0; j < l->n_addresses; j++) {
			check_subnet(&to, l, &l->addresses[j], &nest);
			check_others(&to, in, e, l, &l->addresses[j]);
		}
	}
	free(all.list);
}
