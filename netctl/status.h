/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the two views of `netctl status` share: the topology and one link.
 */
#pragma once

#include "term.h"
#include "tree.h"

/* "bond balance-alb", "vlan 10". The caller frees it. */
char *link_kind(struct json_object *link);
/* "up", "no carrier", "down", "absent"; with what is special about it as a port: "up, backup". The caller frees it. */
char *link_state(struct json_object *link, enum style *style);
/* "10 Gb/s", or NULL: the kernel does not know. The caller frees it. */
char *link_speed(struct json_object *link);
/* "mtu is 1500, declared 9000 (10-bond.ini:4)". The caller frees it. */
char *difference_text(struct json_object *difference);
/* Whether anything of it is not as declared. */
bool link_differs(struct json_object *link);

/* Everything about one link; the tree has those that belong to it, too. */
void status_link(struct term *t, const struct tree *tree, const struct node *n);
