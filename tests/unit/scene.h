/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what is wanted of links in a world of its own (world.h), for tests of resolve() and the ledger. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#define NICS "[foreign]\ndevices = eth0 eth1 eth2\n"
#define MAC_ETH0 0x525400000001
#define MAC_ETH1 0x525400000002

struct scene {
	struct world w;
	struct config *c;
	struct step s;
};

/* A world as it was before, and one look at it with what is desired. */
struct scene *scene_new(const char *before, const char *desired);
void scene_free(struct scene **scene);
#define _cleanup_scene_ _cleanup_(scene_free)

/* Brings the world to a configuration, and looks again. */
void scene_apply(struct scene *scene, const char *desired);
/* The wanted link of that name; the test fails when there is none. */
const struct link *wanted(const struct scene *scene, const char *name);
uint64_t wanted_mac(const struct scene *scene, const char *name);
