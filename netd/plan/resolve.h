/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: DESIRED (by label, only what was written) becomes EFFECTIVE (by kernel name, with everything kvmnetd wants
 * of each link): names found, port sections merged into ports, stated defaults added, MACs inherited, and what left the
 * configuration put back to what was found. Pure, and the same for plan, apply, status and repair.
 */
#pragma once

#include "../config/config.h"
#include "../model/foreign.h"
#include "../model/lease.h"
#include "../model/ledger.h"
#include "../model/libvirt.h"
#include "../model/overlap.h"
#include "attachments.h"
#include "firewall.h"
#include "scope.h"

struct effective {
	struct model links;
	struct model removed; /* links to be removed, by name, kind and ifindex: we made them, nobody wants them now */
	struct firewall firewall; /* of guest networks */
	bool keep_firewall;	  /* it is left as it is, whatever is wanted */
	struct scope scope;	  /* what it is about; of a link that is not in it nothing is said */
	struct diags problems;	  /* what only the running host can tell: a link of that name and another kind, ... */
};

#define EFFECTIVE_NULL ((struct effective){0})
void effective_done(struct effective *e);
/* Lists a link as removed: the one of that ifindex, and no longer another one of that name. */
void effective_remove(struct effective *e, const char *name, const struct kind *kind, uint32_t ifindex);

struct resolve_input {
	const struct config *config;
	const struct model *actual;
	const struct ledger *ledger;
	const struct attachments *attachments;	/* may be NULL */
	const struct leases *leases;		/* those that have not run out; may be NULL */
	const struct foreign *foreign, *legacy; /* other firewalls, and the older iptables; may be NULL */
	const struct libvirt_networks *libvirt; /* its own; may be NULL */
	const struct overlaps *overlaps;	/* routes that `actual` does not keep; may be NULL */
	const char *guest_zone;			/* firewalld's, for networks that name none; NULL: none */
	const struct scope *scope;		/* NULL: everything */
	bool asked; /* by somebody who can be refused: what is no reason to end what runs is an error, else a warning */
	uint8_t machine_id[16]; /* seeds `mac = stable` */
	/* Links left out for now because the kernel refused them, and with them what stands on them; may be NULL. */
	bool (*left_out)(const char *name, void *userdata);
	void *userdata;
};

/* Fills *ret, which the caller releases. Borrows nothing from the input but ret->problems.sources (the config's). */
void resolve(const struct resolve_input *in, struct effective *ret);

/* The bridge VLANs a port (or, with is_self, the bridge) is to have; false: the section does not say. */
bool resolve_vlans(struct link *want, const struct values *says, const struct bridge_vlan *found, size_t n_found);

/* The membership a new port of a bridge (or the bridge itself) starts with: the default PVID. Returns how many (0 or
 * 1). */
size_t resolve_initial_vlans(const struct link *bridge_want, const struct link *bridge_have, struct bridge_vlan *ret);

/* Names of absent devices that something waits for, each once, to add(). */
void effective_missing(const struct effective *e, void (*add)(const char *name, void *userdata), void *userdata);
