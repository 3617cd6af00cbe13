/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a link's traffic counters, read anew at every call: they are for people to look at and no part of ACTUAL. By
 * libnl-route, which has typed access to them; what is compared and written goes through the option rows on libmnl.
 */
#pragma once

#include "../util.h"

struct statistics {
	uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;
	uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
};

/* 0 or negative errno (-ENODEV: there is no such link). */
int statistics_read(uint32_t ifindex, struct statistics *ret);
