/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the subnets that were chosen for networks with `address = auto`, in STATE_DIR/subnets.json by the network's
 * name, so that guests find their network as it was after a restart, a reboot and a rollback.
 */
#pragma once

#include "../kernel/kernel.h"
#include "../plan/choose-subnets.h"
#include "state.h"

/*
 * Gives the networks that want one the subnet that is kept for them, else a free one; what is chosen is not kept yet.
 * Adds an error where none is free, and where the files have come to declare one that is kept.
 */
void subnets_settle(const struct state_dirs *dirs, struct config *c, struct kernel *kernel,
		    const struct libvirt_networks *libvirt, struct diags *d);
/* Keeps those of both, and no others; also may be NULL. Written only when it changes. */
void subnets_keep(const struct state_dirs *dirs, const struct config *c, const struct config *also);
