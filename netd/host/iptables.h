/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: iptables' chains are made to accept what guests need (plan/assist.h), by iptables itself: its tables look
 * like any of nftables, and are no one else's to write. Internal to host/.
 */
#pragma once

#include "../model/foreign.h"
#include "../model/option.h"

/* Makes our rules there those of the words. f: as it is. 0, or negative errno with *why (the caller frees it). */
int iptables_write(const struct foreign *f, union value words, char **why);
