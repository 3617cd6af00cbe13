/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: iptables' chains are made to accept what guests need (plan/assist.h), by iptables itself: its tables look
 * like any of nftables, and are no one else's to write. The older kind has tables of its own. Internal to host/.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../model/foreign.h"
#include "../model/option.h"

struct host;

/* One kind of it. */
struct iptables {
	const struct foreign *foreign; /* borrowed: its chains, as last shown; NULL: nobody asked */
	sd_event_source *again;
	char *trouble; /* owned: why it was not told; NULL: it was */
};

void iptables_done(struct iptables *t);
/*
 * Makes our rules there those of the words. What cannot be told is said, and told again later: no network hangs on what
 * others let pass.
 */
void iptables_tell(struct host *h, bool legacy, union value words);
