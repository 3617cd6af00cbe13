/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what other tools call the keys of links: for errors that tell what would be right here. Leaf. */
#pragma once

/*
 * The key (maybe of another kind of link) that does what `key` does in ifupdown, ifcfg, netplan, networkd or libvirt.
 * Case,
 * '-' for '_' and a kind in front, as in bond-mode, count nothing. `key` itself, or its end, when it is not known.
 */
const char *elsewhere_ours(const char *key);

/* Where to say what other tools have a key for, and we have none; NULL: not known. */
const char *elsewhere_advice(const char *key);
