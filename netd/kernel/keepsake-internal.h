/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what keepsake.c and keepsake-read.c share. Internal to kernel/. */
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

/* keepsake-read.c: add what is there now. 0 or negative errno. */
int keepsake_nexthops(struct kernel *k, struct losing *l);
int keepsake_routes(struct kernel *k, struct losing *l);
void keepsake_names(struct kernel *k, struct losing *l, const struct link *link);
