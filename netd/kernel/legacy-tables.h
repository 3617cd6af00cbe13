/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the tables of the older iptables, as far as they are in the way of guests. Internal to kernel/. */
#pragma once

#include "../model/foreign.h"

/* Adds what there is, mostly nothing. 0 or negative errno. */
int legacy_read(struct foreign *ret);
