/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: keeps current which routes outside ACTUAL overlap with the subnets of networks (model/overlap.h). All routes
 * are read when a subnet is new, and otherwise only as long as one that overlaps may have gone: what the kernel takes
 * away without an event, and what was behind the one that is remembered, only a look at all of them tells.
 */
#include <linux/rtnetlink.h>

#include "observe-internal.h"
#include "pace.h"

/* A look waits for others to be asked for, and does not take more than a twentieth of the time. */
#define LATER_USEC 300000
#define REST_FACTOR 20

static bool note(struct kernel *k, const struct route_state *s)
{
	const struct other_route r = decode_other_route(s);

	return overlaps_note(&k->overlaps, &r, s->ifindex ? model_index(&k->actual, s->ifindex) : NULL);
}

static void note_dumped(const struct route_state *s, void *userdata)
{
	note(userdata, s);
}

static int on_later(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	kernel_settle_overlaps(userdata);
	return 0;
}

static void look_later(struct kernel *k)
{
	if (!k->overlaps_later)
		sd_event_add_time_relative(k->event, &k->overlaps_later, CLOCK_MONOTONIC,
					   LATER_USEC + REST_FACTOR * k->overlaps_took, 0, on_later, k);
}

/*
 * When next-hop objects go, routes go with them silently (net/ipv4/fib_trie.c, fib_table_flush()). One may have gone
 * before its events were asked for.
 */
static void follow_hops(struct kernel *k)
{
	for (size_t i = 0; i < k->overlaps.n && !k->follows_hops; i++) {
		if (!k->overlaps.list[i].found || !k->overlaps.list[i].route.nhid)
			continue;
		k->follows_hops = rtnl_join(k->fd, RTNLGRP_NEXTHOP);
		look_later(k);
	}
}

/* Fills in what is empty. */
static void look(struct kernel *k)
{
	uint64_t begun = pace_now();
	int error = dump_other_routes(k->rtnl, note_dumped, k);

	k->overlaps_took = (pace_now() - begun) / 1000;
	k->overlaps_later = sd_event_source_disable_unref(k->overlaps_later);
	follow_hops(k);
	if (error)
		look_later(k);
}

void kernel_settle_overlaps(struct kernel *k)
{
	struct overlaps before = {0};

	if (!k->overlaps_later)
		return;
	before.list = array_copy(k->overlaps.list, k->overlaps.n, sizeof(*k->overlaps.list));
	before.n = k->overlaps.n;
	for (size_t i = 0; i < k->overlaps.n; i++)
		k->overlaps.list[i].found = false;
	look(k);
	if (!overlaps_equal(&before, &k->overlaps))
		observe_all_changed(k);
	overlaps_done(&before);
}

void kernel_watch_subnets(struct kernel *k, struct overlaps *subnets)
{
	struct overlaps before = k->overlaps;
	bool any_new = false;

	overlaps_sort(subnets);
	for (size_t i = 0; i < subnets->n; i++) {
		struct overlap *o = &subnets->list[i];
		const struct overlap *known = overlaps_find(&before, &o->in.subnet, o->bridge);

		any_new |= !known;
		if (known) {
			size_t inside = o->in.inside;

			*o = *known;
			o->in.inside = inside;
		}
	}
	k->overlaps = *subnets;
	*subnets = (struct overlaps){0};
	overlaps_done(&before);
	if (any_new)
		look(k);
	else if (!k->overlaps.n)
		k->overlaps_later = sd_event_source_disable_unref(k->overlaps_later);
}

const struct overlaps *kernel_overlaps(const struct kernel *k)
{
	return &k->overlaps;
}

void overlap_event(struct kernel *k, const struct nlmsghdr *m, const struct route_state *s)
{
	if (!k->overlaps.n)
		return;
	if (m->nlmsg_type == RTM_NEWROUTE && s->other && note(k, s)) {
		follow_hops(k);
		k->all_changed = true;
		return;
	}
	if ((m->nlmsg_type == RTM_DELROUTE || m->nlmsg_flags & NLM_F_REPLACE) && overlaps_have(&k->overlaps, &s->route))
		look_later(k);
}

void overlap_doubt(struct kernel *k)
{
	if (overlaps_any(&k->overlaps))
		look_later(k);
}

void overlap_lost(struct kernel *k)
{
	if (k->overlaps.n)
		look_later(k);
}

struct each {
	kernel_route_fn *fn;
	void *userdata;
};

static void each(const struct route_state *s, void *userdata)
{
	const struct each *e = userdata;

	e->fn(&s->route, e->userdata);
}

int kernel_each_other_route(struct kernel *k, kernel_route_fn *fn, void *userdata)
{
	struct each e = {.fn = fn, .userdata = userdata};

	return dump_other_routes(k->rtnl, each, &e);
}
