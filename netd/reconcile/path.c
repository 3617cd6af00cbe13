/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the connection that whoever asks for a change came by: would the plan cut it off? What the client says about
 * it is not believed, only held against the kernel's own addresses and routes; a lie can make a change be refused, and
 * nothing else.
 */
#include <arpa/inet.h>

#include "../plan/stranded.h"
#include "manager.h"

struct path {
	const struct manager *manager;
	const struct probe_target *target;
	struct kernel_way way;
	bool any;
	void (*add)(const char *text, void *userdata);
	void *userdata;
};

static bool contains(const struct route *r, const struct probe_target *t)
{
	unsigned bytes = r->dst_len / 8, bits = r->dst_len % 8;

	return r->family == t->family && memcmp(r->dst, t->addr, bytes) == 0 &&
	       (!bits || ((r->dst[bytes] ^ t->addr[bytes]) >> (8 - bits)) == 0);
}

/* Is it the address they talk to, or the route by which they are answered? */
static bool carries(const struct path *path, const struct stranded *s)
{
	const struct link *port = model_find(kernel_actual(path->manager->kernel), s->port->name);

	if (s->address)
		return s->address->family == path->target->family &&
		       memcmp(s->address->addr, path->target->local, sizeof(s->address->addr)) == 0;
	return port && port->ifindex == path->way.ifindex && contains(s->route, path->target) &&
	       s->route->has_gateway == path->way.has_gateway &&
	       memcmp(s->route->gateway, path->way.gateway, sizeof(s->route->gateway)) == 0;
}

static void add_stranded(const struct stranded *s, void *userdata)
{
	struct path *path = userdata;
	_cleanup_free_ char *text = NULL;

	if (!carries(path, s))
		return;
	path->any = true;
	if (!path->add)
		return;
	text = xasprintf("%s of %s (to keep it, add to [%s %s]: %s)", s->found, s->port->name, s->master->kind->name,
			 s->master->name, s->line);
	path->add(text, path->userdata);
}

/* A connection of the host with itself needs no way. */
static bool is_remote(const struct manager *m, const struct probe_target *t, struct kernel_way *way)
{
	const struct link *link = t->link[0] ? model_find(kernel_actual(m->kernel), t->link) : NULL;

	if (t->link[0])
		return link && !link_has_address(link, t->family, t->addr);
	return t->family && kernel_way_to(m->kernel, t->family, t->addr, t->local, way) == 0 && !way->is_local;
}

static char *local_text(const struct probe_target *t)
{
	char addr[INET6_ADDRSTRLEN];

	return xstrdup(inet_ntop(t->family, t->local, addr, sizeof(addr)));
}

/* There is no line to add for it: on the master it is another connection. */
static enum path_fate fate_on_link(const struct path *path, const struct diff_input *in, const struct plan *p)
{
	const struct probe_target *t = path->target;
	const char *why = plan_unbinds(in, p, t->link, t->local);
	_cleanup_free_ char *local = local_text(t), *text = NULL;

	if (!why)
		return PATH_STAYS;
	text = xasprintf("%s of %s, which %s (a connection over a link-local address is bound to the link)", local,
			 t->link, why);
	if (path->add)
		path->add(text, path->userdata);
	return PATH_LOST;
}

enum path_fate manager_path_fate(struct manager *m, const struct probe_target *path, const struct effective *e,
				 const struct plan *p, void (*add)(const char *text, void *userdata), void *userdata)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	struct path looked = {.manager = m, .target = path, .add = add, .userdata = userdata};
	_cleanup_free_ char *local = NULL, *text = NULL;
	const struct link *holder;

	if (!is_remote(m, path, &looked.way))
		return PATH_NONE;
	if (path->link[0])
		return fate_on_link(&looked, &in, p);
	plan_stranded(&in, p, add_stranded, &looked);
	if (looked.any)
		return PATH_LOST;
	holder = plan_loses_address(&in, p, path->family, path->local);
	if (!holder)
		return PATH_STAYS;
	local = local_text(path);
	text = xasprintf("%s of %s, which no link is declared to have", local, holder->name);
	if (add)
		add(text, userdata);
	return plan_renumbers(&in, p, holder, path->family) ? PATH_RENUMBERED : PATH_LOST;
}
