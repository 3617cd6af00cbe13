/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the layout of a topology as a tree in which every link is once: a port is under its master, anything else
 * under its parent (a VLAN that is bridged is with its bridge, one that is not is on its link). What was declared comes
 * in the order of the files, everything else by name with numbers in them counted as numbers.
 */
#pragma once

#include "netctl.h"

struct node {
	struct json_object *link; /* borrowed: the interface's Link */
	const char *name;
	struct node *up;	/* NULL: a root */
	struct node **children; /* part of tree.order */
	size_t n_children;
	unsigned char mark; /* while building */
};

struct tree {
	struct node *nodes; /* by name */
	size_t n;
	struct node **order; /* the roots, then the children of each */
	size_t n_roots;
};

/* Of n links, which must outlive the tree. O(n log n). */
void tree_build(struct tree *t, struct json_object **links, size_t n);
void tree_done(struct tree *t);
struct node *tree_find(const struct tree *t, const char *name);
/*
 * Calls fn for every node, parents before children. prefix: what to draw before its name; below: before lines that
 * belong to it. Both are for the call only.
 */
void tree_walk(const struct tree *t, bool boxes,
	       void (*fn)(const struct node *n, const char *prefix, const char *below, void *userdata), void *userdata);
