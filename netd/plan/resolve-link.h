/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: resolve.c's second half: the values of one wanted link. Internal to plan/. */
#pragma once

#include "resolve.h"

/* Fills in what is wanted of one link beyond what was written. All links must be in e->links, with masters set. */
void resolve_link(const struct resolve_input *in, struct effective *e, struct link *want);
