/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: see tree.h.
 */
#include "tree.h"

#include "json.h"

enum { NEW, ON_PATH, DONE };

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->name, ((const struct node *)b)->name);
}

struct node *tree_find(const struct tree *t, const char *name)
{
	struct node key = {.name = name};

	return name ? bsearch(&key, t->nodes, t->n, sizeof(key), by_name) : NULL;
}

static int in_order(const struct node *a, const struct node *b)
{
	bool declared_a = json_text(a->link, "file"), declared_b = json_text(b->link, "file");
	int64_t line_a = json_int(a->link, "line", 0), line_b = json_int(b->link, "line", 0);
	int r;

	if (declared_a != declared_b)
		return declared_a ? -1 : 1;
	if (declared_a) {
		r = strcmp(json_text(a->link, "file"), json_text(b->link, "file"));
		if (r)
			return r;
		if (line_a != line_b)
			return line_a < line_b ? -1 : 1;
	}
	return strverscmp(a->name, b->name);
}

/* Brings together what has the same node above it, roots first, ports before VLANs, each in order. */
static int by_place(const void *left, const void *right)
{
	const struct node *a = *(struct node *const *)left, *b = *(struct node *const *)right;

	bool port_a = json_text(a->link, "master"), port_b = json_text(b->link, "master");

	if (a->up != b->up)
		return a->up < b->up ? -1 : 1;
	if (port_a != port_b)
		return port_a ? -1 : 1;
	return in_order(a, b);
}

/* What a broken or half-read topology might have: a link above itself. It becomes a root. */
static void cut_cycles(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct node *n;

		for (n = &t->nodes[i]; n && n->mark == NEW; n = n->up)
			n->mark = ON_PATH;
		if (n && n->mark == ON_PATH)
			n->up = NULL;
		for (n = &t->nodes[i]; n && n->mark == ON_PATH; n = n->up)
			n->mark = DONE;
	}
}

/* Names once each: a link may be told of twice. */
static size_t unique(struct node *nodes, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept || !streq(nodes[kept - 1].name, nodes[i].name))
			nodes[kept++] = nodes[i];
	return kept;
}

void tree_build(struct tree *t, struct json_object **links, size_t n)
{
	*t = (struct tree){.nodes = xcalloc(n + 1, sizeof(*t->nodes)), .order = xcalloc(n + 1, sizeof(*t->order))};
	for (size_t i = 0; i < n; i++) {
		t->nodes[i].link = links[i];
		t->nodes[i].name = json_text_or(links[i], "name", "?");
	}
	qsort(t->nodes, n, sizeof(*t->nodes), by_name);
	t->n = unique(t->nodes, n);
	for (size_t i = 0; i < t->n; i++) {
		struct node *node = &t->nodes[i];

		node->up = tree_find(t, json_text(node->link, "master"));
		if (!node->up)
			node->up = tree_find(t, json_text(node->link, "parent"));
		t->order[i] = node;
	}
	cut_cycles(t);
	qsort(t->order, t->n, sizeof(*t->order), by_place);
	while (t->n_roots < t->n && !t->order[t->n_roots]->up)
		t->n_roots++;
	for (size_t i = t->n_roots; i < t->n; i++) {
		struct node *up = t->order[i]->up;

		if (!up->n_children++)
			up->children = &t->order[i];
	}
}

void tree_done(struct tree *t)
{
	free(t->nodes);
	free(t->order);
	*t = (struct tree){0};
}

struct walk {
	bool boxes;
	void (*fn)(const struct node *n, const char *prefix, const char *below, void *userdata);
	void *userdata;
};

/* indent: what goes before a line of this depth. Depth is bounded by what the kernel lets one nest. */
static void walk_node(const struct walk *w, const struct node *n, const char *indent, bool root, bool last)
{
	const char *branch = root ? "" : w->boxes ? (last ? "└─ " : "├─ ") : (last ? "`- " : "|- ");
	const char *pass = root || last ? (root ? "" : "   ") : w->boxes ? "│  " : "|  ";
	_cleanup_free_ char *prefix = xasprintf("%s%s", indent, branch);
	_cleanup_free_ char *inner = xasprintf("%s%s", indent, pass);
	_cleanup_free_ char *below = xasprintf("%s%s", inner, !n->n_children ? "   " : w->boxes ? "│  " : "|  ");

	w->fn(n, prefix, below, w->userdata);
	for (size_t i = 0; i < n->n_children; i++)
		walk_node(w, n->children[i], inner, false, i + 1 == n->n_children);
}

void tree_walk(const struct tree *t, bool boxes,
	       void (*fn)(const struct node *n, const char *prefix, const char *below, void *userdata), void *userdata)
{
	const struct walk w = {.boxes = boxes, .fn = fn, .userdata = userdata};

	for (size_t i = 0; i < t->n_roots; i++)
		walk_node(&w, t->order[i], "", true, true);
}
