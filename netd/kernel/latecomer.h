/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: ports that came to a bridge or bond after its deletion was planned. The kernel would let them go without a
 * word. Looked for by the thread that is about to delete it: to be answered it waits for the rtnl lock.
 */
#pragma once

#include "../model/model.h"
#include "rtnl.h"

struct latecomers {
	/* ACTUAL, of which only the index and the masters are read: no link comes or goes there meanwhile. */
	const struct model *known;
	uint32_t masters[RTNL_BATCH_MAX]; /* to be deleted */
	size_t ops[RTNL_BATCH_MAX];
	size_t n;
	/* What was found. */
	bool failed;
	size_t op;  /* which deletion is not to be */
	char *port; /* owned: what it would cut off; NULL: that could not be read */
};

void latecomers_add(struct latecomers *l, const struct model *known, uint32_t master, size_t op);
/* 0, -EBUSY when one has come, or another negative errno. */
int latecomers_look(struct latecomers *l, struct rtnl *r);
/* Forgets them all. */
void latecomers_done(struct latecomers *l);
