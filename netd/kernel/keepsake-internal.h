/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what keepsake.c and those that read for it share. Internal to kernel/. */
#pragma once

#include "keepsake.h"
#include "kernel-internal.h"

#define KEEPSAKE_MESSAGE_MAX 4096

/* Links whose loss is looked at. */
struct losing {
	char (*names)[IFNAMSIZ]; /* sorted */
	size_t n;
	const struct model *actual;
	struct keepsakes *kept;
	bool hit;
};

/* A message to be put together. */
union message {
	struct nlmsghdr header;
	uint8_t room[KEEPSAKE_MESSAGE_MAX];
};

bool keepsakes_lose(const struct losing *l, const char *name);
bool keepsakes_have(const struct keepsakes *s, const char *what);
/* Takes over `what`. The payload is copied, its ifindexes become ordinals. */
void keepsake_add(struct losing *l, uint16_t type, char *what, const void *payload, size_t len);
typedef void keepsake_index_fn(uint32_t *index, void *userdata);
/* Every place of a message where an ifindex stands, to be read or changed. */
void keepsake_each_index(uint16_t type, void *payload, size_t len, keepsake_index_fn *fn, void *userdata);

/* Is one of the message's links lost? */
bool keepsake_is_hit(struct losing *l, uint16_t type, const struct nlmsghdr *m);

/* What is on more links than this is found among all there is. */
#define KEEPSAKE_ONE_BY_ONE 8
/* ifindexes of those that are there, counted no further than one past the room there is: indexes[KEEPSAKE_ONE_BY_ONE]
 */
size_t keepsake_find_links(const struct losing *l, uint32_t *indexes);

/* keepsake-read.c, keepsake-neighbour.c: add what is there now. 0 or negative errno. */
int keepsake_nexthops(struct kernel *k, struct losing *l);
int keepsake_routes(struct kernel *k, struct losing *l);
int keepsake_neighbours(struct kernel *k, struct losing *l);
int keepsake_proxies(struct kernel *k, struct losing *l);
int keepsake_forwarding(struct kernel *k, struct losing *l);
int keepsake_qdiscs(struct kernel *k, struct losing *l);
void keepsake_names(struct kernel *k, struct losing *l, const struct link *link);
