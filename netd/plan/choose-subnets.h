/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: which subnet a network with `address = auto` gets. Pure: whoever calls it keeps what was chosen, and puts it
 * into the configuration before he asks again (network_choose()), so that a network keeps its subnet.
 */
#pragma once

#include "../config/config.h"
#include "../model/libvirt.h"

/* The length of every prefix that is chosen, and so what is free at all. */
#define CHOSEN_PREFIX_LEN 24

/* Subnets of others that a model does not tell of, those in the pool. Zeroed: none. The caller frees the list. */
struct taken_subnets {
	struct subnet_span *list;
	size_t n;
};
void taken_subnets_add(struct taken_subnets *t, const struct route *r);

/*
 * Gives each network that wants one and has none yet the lowest free subnet of the pool: 192.168.128.0 to
 * 192.168.254.0, then 10.128.0.0 to 10.255.255.0, the host being 1 in it. Free is what overlaps with no address of a
 * link, declared or there or of libvirt's own networks, and with no route of any table; the default route does not
 * count, however it is put (OpenVPN writes two halves). Where nothing is free, the network stays without. others may
 * be NULL, and so may libvirt.
 */
void choose_subnets(struct config *c, const struct model *actual, const struct taken_subnets *others,
		    const struct libvirt_networks *libvirt);
