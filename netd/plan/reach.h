/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the host is reached by and the plan leaves nothing of: its last address, its last default route; and
 * what others have put on a link that is deleted. Pure.
 */
#pragma once

#include "planner.h"

/* Does the plan delete the link, or one that it stands on? */
bool plan_takes_away(const struct plan *p, const struct model *actual, const struct link *l);
/*
 * What of the family would be gone from the host altogether. NULL: nothing. "address" or "default route". before: the
 * links that were declared until now, NULL: none.
 */
const char *plan_cuts_off_host(const struct diff_input *in, const struct plan *p, const struct model *before,
			       uint8_t family);

/* One of the two is not NULL. */
typedef void gone_fn(const struct link *link, const struct address *a, const struct route *r, void *userdata);
/* Addresses and routes of others, wanted by nobody, that go with a link. */
void plan_gone(const struct diff_input *in, const struct plan *p, gone_fn *fn, void *userdata);
