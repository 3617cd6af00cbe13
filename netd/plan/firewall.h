/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: guest networks become the nftables table that keeps them apart. Pure: a golden test shows the text. Why the
 * table looks as it does is told in firewall.c.
 */
#pragma once

#include "../config/config.h"
#include "../model/firewall.h"

/* The kernel name of a link that the configuration calls so. */
typedef const char *firewall_name_fn(const char *label, void *userdata);

/* The caller calls firewall_done(). Not present when no network needs a rule. */
void firewall_make(const struct config *c, firewall_name_fn *device, void *userdata, struct firewall *ret);
