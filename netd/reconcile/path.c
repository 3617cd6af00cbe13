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
	text = xasprintf("%s of %s (to keep it, add to [%s %s]: %s)", s->found, s->port->name, s->master->kind->name,
			 s->master->name, s->line);
	path->any = true;
	path->add(text, path->userdata);
}

void manager_lost_path(struct manager *m, const struct probe_target *path, const struct effective *e,
		       const struct plan *p, void (*add)(const char *text, void *userdata), void *userdata)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	struct path looked = {.manager = m, .target = path, .add = add, .userdata = userdata};
	const struct link *holder;

	if (!path->family || kernel_way_to(m->kernel, path->family, path->addr, path->local, &looked.way) < 0 ||
	    looked.way.is_local)
		return;
	plan_stranded(&in, p, add_stranded, &looked);
	holder = looked.any ? NULL : plan_loses_address(&in, p, path->family, path->local);
	if (holder) {
		_cleanup_free_ char *text = NULL;
		char addr[INET6_ADDRSTRLEN];

		inet_ntop(path->family, path->local, addr, sizeof(addr));
		text = xasprintf("%s of %s, which no link is declared to have", addr, holder->name);
		add(text, userdata);
	}
}
