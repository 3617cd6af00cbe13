/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: one manager per link. Tells others which links are ours (a file RUNTIME_DIR/links/NAME each, which
 * systemd/85-kvmnetd.rules turns into marks that NetworkManager and systemd-networkd heed), and finds others who are
 * active on links of ours.
 */
#pragma once

#include "../plan/resolve.h"
#include "state.h"

/*
 * Makes the files say what the model wants, before its links are created: udev looks when a link appears. Without udev
 * nobody reads them and nothing is written. `claimed` keeps what was written last.
 */
void claims_update(const struct state_dirs *dirs, struct names *claimed, const struct effective *e);

/*
 * Another network manager or DHCP client that is active on a link of ours: tells who, and the cure. Judged by their
 * own state files and by the running processes of this network namespace.
 */
typedef void claims_rival_fn(const struct link *want, const char *rival, const char *cure, void *userdata);
void claims_find_rivals(const struct effective *e, const struct model *actual, claims_rival_fn *fn, void *userdata);
