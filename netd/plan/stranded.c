/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: stranded.h. */
#include "stranded.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

static const struct link *topmost(const struct diff_input *in, const struct link *want)
{
	const struct link *master;

	while ((master = model_master(&in->effective->links, want)))
		want = master;
	return want;
}

static bool wanted_above(const struct diff_input *in, const struct link *want, const struct address *found)
{
	for (; want; want = model_master(&in->effective->links, want))
		if (diff_address_wanted(want, found))
			return true;
	return false;
}

static bool route_wanted(const struct diff_input *in, const struct route *found)
{
	for (size_t i = 0; i < in->effective->links.n_links; i++) {
		const struct link *want = in->effective->links.links[i];

		for (size_t r = 0; r < want->n_routes; r++)
			if (route_same(&want->routes[r], found))
				return true;
	}
	return false;
}

static bool is_plain_default(const struct route *r)
{
	return r->dst_len == 0 && r->has_gateway && r->table == RT_TABLE_MAIN;
}

/* A default route in the main table without more is what `gateway =` says. */
static char *line_of_route(const struct route *r, const char *text)
{
	char gateway[INET6_ADDRSTRLEN];

	if (!is_plain_default(r) || r->metric != (r->family == AF_INET6 ? 1024 : 0) || r->has_prefsrc || r->mtu)
		return xasprintf("route = %s", text);
	inet_ntop(r->family, r->gateway, gateway, sizeof(gateway));
	return xasprintf("gateway = %s", gateway);
}

/* Does a client on the master ask for what some client has got for the port? */
static bool is_asked_for(const struct link *master, uint8_t family)
{
	return values_num(master->common, LINK_DHCP, DHCP_NO) & (family == AF_INET ? DHCP_IPV4 : DHCP_IPV6);
}

static void find_addresses(const struct diff_input *in, struct stranded *s, const struct link *have, stranded_fn *fn,
			   void *userdata)
{
	for (size_t i = 0; i < have->n_addresses; i++) {
		const struct address *a = &have->addresses[i];

		if (a->scope == RT_SCOPE_LINK || wanted_above(in, s->port, a) ||
		    diff_address_extra(in, s->port, have, a) ||
		    (a->valid_lft != UINT32_MAX && is_asked_for(s->master, a->family)))
			continue;
		s->found = PRINT_TEXT(address_print, a);
		s->line = xasprintf("address = %s", s->found);
		s->address = a;
		s->route = NULL;
		s->leased = a->valid_lft != UINT32_MAX;
		s->default_route = false;
		fn(s, userdata);
		free(s->found);
		free(s->line);
	}
}

static void find_routes(const struct diff_input *in, struct stranded *s, const struct link *have, stranded_fn *fn,
			void *userdata)
{
	for (size_t i = 0; i < have->n_routes; i++) {
		const struct route *r = &have->routes[i];

		if (r->protocol == RTPROT_KERNEL || r->protocol == KVMNETD_PROTO || route_wanted(in, r) ||
		    (r->protocol == RTPROT_DHCP && is_asked_for(s->master, r->family)))
			continue;
		s->found = PRINT_TEXT(route_print, r);
		s->line = line_of_route(r, s->found);
		s->address = NULL;
		s->route = r;
		s->leased = r->protocol == RTPROT_DHCP || r->protocol == RTPROT_RA;
		s->default_route = is_plain_default(r);
		fn(s, userdata);
		free(s->found);
		free(s->line);
	}
}

void plan_stranded(const struct diff_input *in, const struct plan *p, stranded_fn *fn, void *userdata)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		const struct link *have = op->have, *want = model_find(&in->effective->links, op->link->name);
		struct stranded s = {.port = want};

		/* Only who joins anew: a port that is let go and attached again has been one before. */
		if (op->type != OP_SET || op->master != MASTER_JOIN || !have || have->master || !want)
			continue;
		s.master = topmost(in, want);
		find_addresses(in, &s, have, fn, userdata);
		find_routes(in, &s, have, fn, userdata);
	}
}

static const struct link *find_holder(const struct model *m, uint8_t family, const uint8_t *addr)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (link_has_address(m->links[i], family, addr))
			return m->links[i];
	return NULL;
}

static bool takes_away(const struct op *op, const struct link *holder, uint8_t family, const uint8_t *addr)
{
	if (!streq(op->link->name, holder->name))
		return false;
	if (op->type == OP_ADDRESS_DELETE)
		return op->address->family == family && memcmp(op->address->addr, addr, sizeof(op->address->addr)) == 0;
	return op->type == OP_DELETE || (op->type == OP_SET && op->master == MASTER_JOIN && !holder->master);
}

static bool has_new_client(const struct diff_input *in, const struct link *holder, uint8_t family)
{
	const struct link *want = model_find(&in->effective->links, holder->name);

	return want && is_asked_for(topmost(in, want), family);
}

const struct link *plan_loses_address(const struct diff_input *in, const struct plan *p, uint8_t family,
				      const uint8_t *addr)
{
	const struct link *holder = find_holder(in->actual, family, addr);
	bool lost = false;

	if (!holder || find_holder(&in->effective->links, family, addr) || has_new_client(in, holder, family))
		return NULL;
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];

		/* What others gave to a link that is made anew, or that goes down, is put back. */
		if (op->type == OP_ADDRESS_ADD && op->address->family == family &&
		    memcmp(op->address->addr, addr, sizeof(op->address->addr)) == 0)
			return NULL;
		lost = lost || takes_away(op, holder, family, addr);
	}
	return lost ? holder : NULL;
}

static bool has_any(const struct link *want, uint8_t family)
{
	for (size_t i = 0; want && i < want->n_addresses; i++)
		if (want->addresses[i].family == family)
			return true;
	return false;
}

bool plan_renumbers(const struct diff_input *in, const struct plan *p, const struct link *holder, uint8_t family)
{
	const struct link *want = model_find(&in->effective->links, holder->name);

	if (want && has_any(topmost(in, want), family))
		return true;
	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].type == OP_ADDRESS_ADD && p->ops[i].address->family == family)
			return true;
	return false;
}

/* The link itself, or what it stands on. */
static bool is_deleted(const struct diff_input *in, const struct op *op, const struct link *l)
{
	for (; op->type == OP_DELETE && l; l = model_parent(in->actual, l))
		if (streq(op->link->name, l->name))
			return true;
	return false;
}

const char *plan_unbinds(const struct diff_input *in, const struct plan *p, const char *link, const uint8_t *addr)
{
	const struct link *have = model_find(in->actual, link);
	bool down = false;

	for (size_t i = 0; have && i < p->n; i++) {
		const struct op *op = &p->ops[i];
		uint64_t rows = op->type == OP_SYSCTL || op->type == OP_SET ? op->common : 0;

		if (is_deleted(in, op, have))
			return "is deleted";
		if (!streq(op->link->name, link))
			continue;
		if (op->type == OP_SET && op->master == MASTER_JOIN && !have->master)
			return "becomes a port";
		if ((op->type == OP_ADDRESS_DELETE && takes_away(op, have, AF_INET6, addr)) ||
		    (rows >> LINK_DISABLE_IPV6 & 1 && values_num(op->link->common, LINK_DISABLE_IPV6, 0)))
			return "loses it";
		if (op->type == OP_SET && op->flags != FLAGS_KEEP)
			down = op->flags == FLAGS_DOWN;
	}
	return down ? "goes down" : NULL;
}
