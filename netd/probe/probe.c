/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: probe.h: what is asked of whom, and through which link. */
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include "probe-internal.h"

struct probe *probe_new(const struct probe_target *target, struct kernel *k, probe_answered_fn *answered,
			void *userdata)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->target = *target;
	p->kernel = k;
	p->answered = answered;
	p->userdata = userdata;
	p->fd = -1;
	return p;
}

struct probe *probe_free(struct probe *p)
{
	if (!p)
		return NULL;
	probe_close(p);
	free(p);
	return NULL;
}

const struct probe_target *probe_target(const struct probe *p)
{
	return &p->target;
}

int probe_open(struct probe *p, int fd, uint32_t events, sd_event_io_handler_t handler)
{
	int r;

	p->fd = fd;
	r = sd_event_add_io(kernel_event(p->kernel), &p->io, fd, events, handler, p);
	if (r < 0)
		probe_close(p);
	return r < 0 ? r : 0;
}

void probe_close(struct probe *p)
{
	p->io = sd_event_source_disable_unref(p->io);
	close_ptr(&p->fd);
	p->fd = -1;
}

void probe_tell(struct probe *p)
{
	if (p->asked)
		p->answered(p, p->userdata);
}

void probe_forget(struct probe *p)
{
	p->asked = false;
	p->first = (uint16_t)(p->seq + 1);
	if (p->target.kind == PROBE_TCP)
		probe_close(p);
}

static bool is_default(const struct route *r, uint8_t family)
{
	return r->family == family && r->dst_len == 0 && r->has_gateway && r->table == RT_TABLE_MAIN;
}

/* The link of the best default route by this gateway (NULL: by any). */
static const struct link *find_gateway(const struct model *actual, uint8_t family, const uint8_t *gateway)
{
	const struct link *found = NULL;
	uint32_t metric = UINT32_MAX;

	for (size_t i = 0; i < actual->n_links; i++)
		for (size_t n = 0; n < actual->links[i]->n_routes; n++) {
			const struct route *r = &actual->links[i]->routes[n];

			if (!is_default(r, family) || (gateway && memcmp(r->gateway, gateway, 16) != 0) ||
			    (found && r->metric >= metric))
				continue;
			found = actual->links[i];
			metric = r->metric;
		}
	return found;
}

bool probe_is_gateway(const struct model *actual, uint8_t family, const uint8_t *gateway)
{
	return find_gateway(actual, family, gateway) != NULL;
}

/* Is the route the first one by its gateway? */
static bool is_first(const struct model *actual, size_t link, size_t route)
{
	const struct route *r = &actual->links[link]->routes[route];

	for (size_t i = 0; i <= link; i++)
		for (size_t n = 0; n < (i < link ? actual->links[i]->n_routes : route); n++)
			if (is_default(&actual->links[i]->routes[n], r->family) &&
			    memcmp(actual->links[i]->routes[n].gateway, r->gateway, 16) == 0)
				return false;
	return true;
}

void probe_gateways(const struct model *actual, void (*fn)(const struct probe_target *t, void *userdata),
		    void *userdata)
{
	for (size_t i = 0; i < actual->n_links; i++)
		for (size_t n = 0; n < actual->links[i]->n_routes; n++) {
			const struct route *r = &actual->links[i]->routes[n];
			struct probe_target t = {.kind = PROBE_GATEWAY, .family = r->family};

			if (!is_default(r, r->family) || !is_first(actual, i, n))
				continue;
			memcpy(t.addr, r->gateway, sizeof(t.addr));
			fn(&t, userdata);
		}
}

static const uint8_t *source_on(const struct link *link, const struct kernel_way *way)
{
	static const uint8_t none[16];

	if (way->has_source && way->ifindex == link->ifindex)
		return way->source;
	for (size_t i = 0; i < link->n_addresses; i++)
		if (link->addresses[i].family == AF_INET)
			return link->addresses[i].addr;
	return none;
}

static void ask_gateway(struct probe *p)
{
	const struct link *link = find_gateway(kernel_actual(p->kernel), p->target.family, p->target.addr);
	struct kernel_way way = {0};

	if (!link)
		return;
	if (p->target.family == AF_INET)
		kernel_way_to(p->kernel, AF_INET, p->target.addr, NULL, &way);
	neighbour_ask(p, link, p->target.addr, source_on(link, &way));
}

/* The target itself, or the next hop on the way to it. */
static void ask_on_the_way(struct probe *p, const uint8_t *local, bool next_hop)
{
	const struct link *link;
	struct kernel_way way;

	if (kernel_way_to(p->kernel, p->target.family, p->target.addr, local, &way) < 0)
		return;
	if (way.is_local) {
		probe_tell(p);
		return;
	}
	link = model_index(kernel_actual(p->kernel), way.ifindex);
	if (link)
		neighbour_ask(p, link, next_hop && way.has_gateway ? way.gateway : p->target.addr,
			      source_on(link, &way));
}

/*
 * A connection over a link-local address is bound to the link's ifindex, and what comes in by a port of a bridge or
 * bond comes in on that.
 */
static void ask_on_link(struct probe *p)
{
	static const uint8_t none[16];
	const struct model *actual = kernel_actual(p->kernel);
	const struct link *link = model_find(actual, p->target.link),
			  *master = link ? model_master(actual, link) : NULL;

	if (link && !(master && master->kind->flags & KIND_HAS_PORTS) && (!p->ifindex || p->ifindex == link->ifindex) &&
	    link_has_address(link, p->target.family, p->target.local))
		neighbour_ask(p, link, p->target.addr, none);
}

void probe_ask(struct probe *p)
{
	p->asked = true;
	switch ((enum probe_kind)p->target.kind) {
	case PROBE_PING:
		ping_ask(p);
		break;
	case PROBE_ARP:
		ask_on_the_way(p, NULL, false);
		break;
	case PROBE_TCP:
		tcp_ask(p);
		break;
	case PROBE_GATEWAY:
		ask_gateway(p);
		break;
	case PROBE_PATH:
		if (p->target.link[0])
			ask_on_link(p);
		else
			ask_on_the_way(p, p->target.local, true);
		break;
	}
}
