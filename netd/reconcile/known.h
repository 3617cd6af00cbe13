/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: which links have been configured since they appeared. A difference of theirs is somebody's doing; one of
 * another link is only that nobody has configured it yet.
 */
#pragma once

#include <net/if.h>

#include "../plan/diff.h"

struct known_link {
	char name[IFNAMSIZ];
	uint32_t ifindex;
};

struct known {
	struct known_link *list; /* sorted by name */
	size_t n;
};

void known_done(struct known *k);
/* Those that are as wanted now. */
void known_note(struct known *k, const struct diff_input *in);
/*
 * Is this link still to be configured? Also when what it stands on appeared anew, with which it went. The ledger tells
 * of those that were configured before the daemon was started.
 */
bool known_is_new(const struct known *k, const struct ledger *l, const struct effective *e, const struct model *actual,
		  const struct link *want);
