/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a model of links that changes as the kernel's would when ops are sent to it, and refuses what the kernel
 * refuses. It knows the rules that order a plan (what must be down, without ports, there before; what is lost on the
 * way), not packets: connected routes and link-local addresses are left out.
 */
#pragma once

#include "../../netd/plan/plan.h"

/* What the kernel keeps of a link and shows nobody. */
struct fake_memory {
	uint32_t ifindex;
	bool mtu_pinned;	   /* bridge: its MTU was changed and no longer follows the ports' */
	char primary[IFNAMSIZ];	   /* bond: kept by name, shown while that port is there */
	bool has_group_address;	   /* bridge: it was told one, and no longer chooses */
	uint64_t delays[3];	   /* bond: as multiples of miimon */
	uint64_t own_mac, own_mtu; /* bond port: what it gets back when it leaves */
};

struct fake_kernel {
	struct model links; /* what a dump would show; ACTUAL */
	struct fake_memory *memory;
	size_t n_memory;
	uint32_t next_index; /* free, like those above it */
	uint64_t next_mac;   /* of devices and of what the kernel makes up */
};

void fake_done(struct fake_kernel *k);
/* A device that exists, down. A NIC has a permanent address, one with an info kind ("tun") has none. */
struct link *fake_device(struct fake_kernel *k, const char *name, const char *info_kind);
/* A deep copy of what a dump shows. The caller calls model_done(). */
struct model fake_dump(const struct fake_kernel *k);
/* Does one op. Returns 0, or the kernel's negative errno; what was refused has changed nothing. */
int fake_apply(struct fake_kernel *k, const struct op *op);
/* What others do: deletes a link or device, sets it up or down, takes it from its master. */
void fake_delete(struct fake_kernel *k, struct link *l);
int fake_flags(struct fake_kernel *k, struct link *l, bool up);
void fake_leave(struct fake_kernel *k, struct link *port);
/* One of them by number, from 0; numbers that are too high are nothing. */
void fake_disturb(struct fake_kernel *k, struct link *l, unsigned number);
