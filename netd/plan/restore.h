/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the way back: the state before a plan, as an EFFECTIVE model, so that rolling back is planning, executing
 * and reading back like anything else. Pure.
 */
#pragma once

#include "plan.h"
#include "resolve.h"

/*
 * Adds to *e what `before` says of every link that the plan touches, and of what stands on or is attached to those:
 * every attribute that can be set, masters, permanent addresses and routes, VLANs, exactly. Links the plan makes are
 * listed as removed. Links that *e already knows stay as they are, so that several plans in a row go back to the first
 * state.
 */
void restore_extend(struct effective *e, const struct model *before, const struct plan *p);
