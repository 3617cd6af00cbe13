/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the dnsmasq of a guest network is told, as the value of LINK_DNSMASQ of its bridge: one word for each
 * line of its configuration (none has a blank in it: every part was parsed from an alphabet without one). Pure; a
 * golden test shows it. Which files it goes to is netd/host/dnsmasq.c's business.
 */
#pragma once

#include "../model/network.h"

/* Does the network lease addresses, or answer questions? */
bool dnsmasq_is_needed(const struct network *n);
/* l: its bridge, as declared. NULL: it needs none. The caller frees it. */
struct blob *dnsmasq_make(const struct network *n, const struct link *l);
