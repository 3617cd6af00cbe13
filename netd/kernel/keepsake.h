/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what others have set up on a link, the kernel forgets when the link goes down or is deleted, and the model
 * has no words for: routes with several next hops, next-hop objects, route metrics; neighbours that were set for good,
 * and proxies; a bridge's forwarding entries of that sort; alternative names and the alias.
 * Kept as the kernel's own messages, and sent back when the link is there again.
 *
 * Not kept: what the kernel itself or a routing daemon makes, who will make it again.
 */
#pragma once

#include "../plan/plan.h"

struct keepsake {
	uint16_t type;		 /* RTM_* of the message that puts it back */
	char *what;		 /* owned: "route 198.51.100.0/24 table 254 metric 0"; no two of a list have the same */
	char (*links)[IFNAMSIZ]; /* owned: the message has 1, 2, ... in place of their ifindexes */
	size_t n_links;
	struct blob *payload; /* owned: what follows the nlmsghdr */
};

struct keepsakes {
	struct keepsake *list; /* in the order in which they are put back */
	size_t n;
};

void keepsakes_done(struct keepsakes *s);
/* false: of a queueing discipline is known that it was there, and no more, for there are classes and filters to it. */
bool keepsake_comes_back(const struct keepsake *k);
/* A forwarding entry: of a port, links[0], of a bridge, links[1]. Both are the bridge if the entry is its own. */
bool keepsake_is_of_port(const struct keepsake *k);

struct kernel;
/* Adds what the plan is about to lose; what is in the list already stays as it is. 0 or negative errno. */
int kernel_keep(struct kernel *k, const struct plan *p, struct keepsakes *s);

typedef void kernel_lost_fn(const char *what, const char *why, void *userdata);
/*
 * Puts back what is not there as it was; waiting: what may have to wait for its link's carrier, which are next-hop
 * objects (net/ipv4/nexthop.c, rtm_to_nh_config()), routes, which may need them, and proxies; else everything else.
 * as_they_were: also on links that are down or have become ports since (the way back has made them what they were);
 * else that is left alone. Tells `lost` what the kernel refuses. Returns whether some of it has to wait.
 */
bool kernel_put_back(struct kernel *k, const struct keepsakes *s, bool waiting, bool as_they_were, kernel_lost_fn *lost,
		     void *userdata);
