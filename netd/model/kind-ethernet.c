/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the kind of every link that kvmnetd neither creates nor deletes: NICs, and also the taps, veths and dummies
 * of others. It has no rows beyond those that every link has (link-common.c).
 */
#include "kind.h"

const struct kind kind_ethernet = {
	.name = "ethernet",
	.driver = "",
	.own = {.what = "ethernet option"},
	.port = {.what = "ethernet port option"},
};
