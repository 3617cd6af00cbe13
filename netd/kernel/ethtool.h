/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what rtnetlink does not tell of a NIC: speed, duplex and driver. Read anew at every call. */
#pragma once

#include "../util.h"

struct ethtool_speed {
	uint32_t mbit;
	bool full_duplex;
};

/* 0; -EOPNOTSUPP when the device does not say, or has no carrier; another negative errno. */
int ethtool_speed(const char *name, struct ethtool_speed *ret);
/* The driver's name, which the caller frees; the errors are the same. */
int ethtool_driver(const char *name, char **ret);
