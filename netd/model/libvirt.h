/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what libvirt's own networks occupy: a bridge that it makes, and subnets. Read from the XML that libvirt
 * writes, of networks that are defined as well as of those that run: one that is started later must find both free.
 *
 * The reader knows elements, attributes and comments, and no more of XML: the files are libvirt's own output (their
 * first line forbids to edit them), and its library would be a far larger reader in a daemon that runs as root.
 */
#pragma once

#include "model.h"

struct libvirt_network {
	char name[64];
	char bridge[IFNAMSIZ];
	struct address *addresses; /* owned */
	size_t n_addresses;
};

struct libvirt_networks {
	struct libvirt_network *list;
	size_t n;
};

void libvirt_networks_done(struct libvirt_networks *n);
/* Adds the network of one file. -ENOENT: there is none, or it makes no bridge; -EINVAL: it is not understood. */
int libvirt_parse(const char *text, struct libvirt_networks *ret);
