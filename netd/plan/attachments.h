/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: remembers which ports others attached to our bridges and bonds, and with what settings, so that guests come
 * back when a bridge is deleted under them and made again. Pure: filled from ACTUAL, used by resolve().
 */
#pragma once

#include "../model/model.h"

struct attachment {
	char master[IFNAMSIZ];
	uint32_t master_ifindex; /* a master of that name with another index is a new one */
	struct link *port;	 /* owned: as it was when last seen attached */
	bool has_vlans;		 /* the kernel tells VLANs there, so none means none */
};

struct attachments {
	struct attachment *list;
	size_t n;
};

#define ATTACHMENTS_NULL ((struct attachments){0})
void attachments_done(struct attachments *a);

/*
 * Brings the memory up to date: what is attached is remembered as it is; what is not, is forgotten unless its master is
 * gone. wanted: the links that are declared; only their foreign ports are of interest.
 */
void attachments_update(struct attachments *a, const struct model *wanted, const struct model *actual);

/* Is this port to be attached again: it is still the same device, has no master, and its master is not the one it left?
 */
bool attachment_is_lost(const struct attachment *a, const struct model *actual);
