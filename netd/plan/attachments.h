/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: remembers which ports others attached to our bridges and bonds, and with what settings, so that guests come
 * back when a bridge is deleted under them and made again. Pure: filled from ACTUAL, used by resolve().
 */
#pragma once

#include "../config/config.h"

struct attachment {
	char master[IFNAMSIZ];
	uint32_t master_ifindex; /* a master of that name with another index is a new one */
	struct link *port;	 /* owned: as it was when last seen attached */
	bool has_vlans;		 /* the kernel tells VLANs there, so none means none */
	uint64_t left;		 /* when it was first seen without its master, which is there; 0: not yet */
};

struct attachments {
	struct attachment *list; /* sorted by the port's name */
	size_t n;
	bool changed; /* since it was written down; whoever writes it clears this */
};

#define ATTACHMENTS_NULL ((struct attachments){0})
void attachments_done(struct attachments *a);

/*
 * Brings the memory up to date: what is attached is remembered as it is; what is not, is forgotten unless its master is
 * gone. A bridge that is deleted lets its ports go one by one before it goes (net/bridge/br_if.c, br_dev_delete(), with
 * an RCU grace period for each), so a port counts as attached for ATTACHMENT_USEC more. Of interest are the ports of
 * declared links that are not declared themselves. now: microseconds of any clock that only goes forward, not 0.
 */
#define ATTACHMENT_USEC 10000000ull
void attachments_update(struct attachments *a, const struct config *config, const struct model *actual, uint64_t now);
/* The same for one link, which may be gone. */
void attachments_note(struct attachments *a, const struct config *config, const struct model *actual, const char *name,
		      uint64_t now);

/* Is this port to be attached again: it is still the same device, has no master, and its master is not the one it left?
 */
bool attachment_is_lost(const struct attachment *a, const struct model *actual);
