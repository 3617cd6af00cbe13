/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the rules of what lies on what: a port has one master, nothing lies on itself, the kernel's limits on
 * stacking, one VLAN per parent, id and protocol, MTUs that fit along the stack, and MACs that a bond can hand round.
 *
 * "Lower" links of a link are its ports and its parent. The walk goes from the top down with a stack of its own: a
 * configuration may name thousands of levels before the rules refuse them.
 */
#include "../model/kind-bond.h"
#include "check.h"

/* MAX_NEST_DEV, include/linux/netdevice.h: __netdev_upper_dev_link() refuses a higher stack with EMLINK. */
#define LEVELS_MAX 8
/* BR_MAX_PORTS, net/bridge/br_private.h. */
#define BRIDGE_PORTS_MAX 1024

enum state { STATE_NEW, STATE_OPEN, STATE_DONE };

struct node {
	const struct link *link;
	enum state state;
	unsigned level;		   /* 1: lies on nothing */
	uint64_t mtu;		   /* the most it can have, by what is declared; 0: not known */
	const struct link *mtu_of; /* who declares it */
};

struct frame {
	struct node *node;
	size_t next; /* lower link to look at */
};

struct walk {
	const struct config *config;
	struct diags *diags;
	struct node *nodes; /* sorted by address of the link */
	size_t n_nodes;
	struct frame *stack;
	size_t depth;
};

static int node_compare(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct node *)a)->link, y = (uintptr_t)((const struct node *)b)->link;

	return x < y ? -1 : x > y;
}

static struct node *node_find(const struct walk *w, const struct link *l)
{
	struct node key = {.link = l};

	return bsearch(&key, w->nodes, w->n_nodes, sizeof(key), node_compare);
}

/* The i-th name a link lies on: its ports, then its parent. NULL: there is none. */
static const char *lower_name(const struct link *l, size_t i)
{
	if (i < l->n_ports)
		return l->ports[i].name;
	return i == l->n_ports && *l->parent_name ? l->parent_name : NULL;
}

static struct loc lower_loc(const struct link *l, size_t i)
{
	return i < l->n_ports ? l->ports[i].loc : l->parent_loc;
}

static const char *lower_key(const struct link *l, size_t i)
{
	return i < l->n_ports ? "ports" : "parent";
}

/* "br0 (FILE:LINE) -> br0.10 (FILE:LINE) -> br0"; long ones are cut in the middle. */
static char *cycle_text(const struct walk *w, size_t first)
{
	char *text = NULL;
	size_t size;
	FILE *f = xmemstream(&text, &size);

	for (size_t i = first; i < w->depth; i++) {
		const struct frame *frame = &w->stack[i];
		_cleanup_free_ char *place = diag_place(w->diags, lower_loc(frame->node->link, frame->next - 1));

		if (i - first == LEVELS_MAX)
			fputs("... -> ", f);
		if (i - first >= LEVELS_MAX)
			continue;
		fprintf(f, "%s (%s) -> ", frame->node->link->name, place);
	}
	fputs(w->stack[first].node->link->name, f);
	fclose(f);
	return text;
}

/* The link on top of the stack lies on one further down in it. */
static void report_cycle(struct walk *w, const struct node *lower)
{
	const struct frame *top = &w->stack[w->depth - 1];
	const struct link *l = top->node->link;
	size_t edge = top->next - 1, first = w->depth - 1;
	_cleanup_free_ char *text = NULL;

	if (lower == top->node) {
		check_error(w->diags, l, lower_loc(l, edge), lower_key(l, edge), "'%s' cannot lie on itself", l->name);
		return;
	}
	while (w->stack[first].node != lower)
		first--;
	text = cycle_text(w, first);
	check_error(w->diags, l, lower_loc(l, edge), lower_key(l, edge), "closes a cycle: %s", text);
}

/* A link's MTU when it declares none: a VLAN has its parent's, a bridge the least of its ports'. */
static void inherit_mtu(struct node *n, const struct node *lower)
{
	if (!lower || !lower->mtu || n->link->kind == &kind_bond || (n->mtu && n->mtu <= lower->mtu))
		return;
	n->mtu = lower->mtu;
	n->mtu_of = lower->mtu_of;
}

static void finish_node(struct walk *w, struct node *n)
{
	const struct link *l = n->link, *highest = NULL;
	unsigned below = 0;
	const char *name;

	for (size_t i = 0; (name = lower_name(l, i)); i++) {
		const struct link *lower = model_find(&w->config->links, name);
		const struct node *node = lower ? node_find(w, lower) : NULL;
		unsigned level = !node ? 1 : node->state == STATE_DONE ? node->level : 0;

		inherit_mtu(n, node);
		if (level <= below)
			continue;
		below = level;
		highest = lower;
	}
	n->level = below + 1;
	if (values_has(l->common, LINK_MTU)) {
		n->mtu = values_num(l->common, LINK_MTU, 0);
		n->mtu_of = l;
	}
	n->state = STATE_DONE;
	if (n->level == LEVELS_MAX + 1 && highest) {
		_cleanup_free_ char *place = diag_place(w->diags, highest->loc);

		check_error(w->diags, l, l->loc, NULL, "is level %u of its stack, on '%s' (%s): the kernel allows %u",
			    n->level, highest->name, place, LEVELS_MAX);
	}
}

static void push(struct walk *w, struct node *n)
{
	n->state = STATE_OPEN;
	*ARRAY_APPEND(w->stack, w->depth) = (struct frame){.node = n};
}

static void visit(struct walk *w, struct node *root)
{
	if (root->state != STATE_NEW)
		return;
	push(w, root);
	while (w->depth) {
		struct frame *top = &w->stack[w->depth - 1];
		const char *name = lower_name(top->node->link, top->next);
		const struct link *lower = name ? model_find(&w->config->links, name) : NULL;
		struct node *node = lower ? node_find(w, lower) : NULL;

		if (!name) {
			finish_node(w, top->node);
			w->depth--;
			continue;
		}
		top->next++;
		if (node && node->state == STATE_OPEN)
			report_cycle(w, node);
		else if (node && node->state == STATE_NEW)
			push(w, node);
	}
}

static void check_claims(const struct claims *claims, struct diags *d)
{
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i], *first;
		_cleanup_free_ char *place = NULL;

		if (claim->port && claim->port->kind == &kind_bridge && claim->master->kind == &kind_bridge &&
		    claim->port != claim->master) {
			place = diag_place(d, claim->port->loc);
			check_error(d, claim->master, claim->loc, "ports",
				    "'%s' is a bridge (%s), and a bridge cannot be a port of a bridge", claim->name,
				    place);
			continue;
		}
		first = claims_find(claims, claim->name);
		if (first == claim)
			continue;
		place = diag_place(d, first->loc);
		if (first->master == claim->master) {
			check_error(d, claim->master, claim->loc, "ports", "'%s' is listed a second time (first at %s)",
				    claim->name, place);
			continue;
		}
		check_error(d, claim->master, claim->loc, "ports",
			    "'%s' is a port of %s '%s' already (%s): a port has one master", claim->name,
			    first->master->kind->name, first->master->name, place);
	}
}

static void check_port_counts(const struct config *c, struct diags *d)
{
	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *l = c->links.links[i];

		if (l->kind == &kind_bridge && l->n_ports > BRIDGE_PORTS_MAX)
			check_error(d, l, l->ports[BRIDGE_PORTS_MAX].loc, "ports",
				    "has %u ports, the kernel's limit for a bridge is %d", l->n_ports,
				    BRIDGE_PORTS_MAX);
	}
}

static int slot_same(const struct link *a, const struct link *b)
{
	int r = slot_compare(a, b);

	return r ? r : strcmp(a->parent_name, b->parent_name);
}

static int slot_order(const void *a, const void *b)
{
	const struct link *x = *(const struct link *const *)a, *y = *(const struct link *const *)b;
	int r = slot_same(x, y);

	return r ? r : loc_compare(x->loc, y->loc);
}

/* Without the value that tells it from others (an error of its own), nothing can be said of it. */
static bool has_slot(const struct link *l)
{
	for (uint64_t rows = l->kind->slot; rows; rows &= rows - 1) {
		unsigned row = (unsigned)__builtin_ctzll(rows);

		if ((l->kind->own.rows[row].flags & OPTION_REQUIRED) && !values_has(l->own, row))
			return false;
	}
	return l->kind->slot && *l->parent_name;
}

/* "10 with protocol 802.1q", for a message about the key of the 10. The caller frees it. */
static char *slot_text(const struct link *l)
{
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (uint64_t rows = l->kind->slot; rows; rows &= rows - 1) {
		unsigned row = (unsigned)__builtin_ctzll(rows);
		const struct option *o = &l->kind->own.rows[row];
		uint64_t num = values_num(l->own, row, (uint64_t)o->initial);

		if (rows != l->kind->slot)
			fprintf(f, " with %s ", o->key);
		o->type->print(o, (union value){.num = num}, f);
	}
	fclose(f);
	return text;
}

static void check_slots(const struct config *c, struct diags *d)
{
	_cleanup_free_ const struct link **links = xcalloc(c->links.n_links, sizeof(*links));
	size_t n = 0;

	for (size_t i = 0; i < c->links.n_links; i++)
		if (has_slot(c->links.links[i]))
			links[n++] = c->links.links[i];
	qsort(links, n, sizeof(*links), slot_order);
	for (size_t i = 1; i < n; i++) {
		const struct link *l = links[i], *other = links[i - 1];
		unsigned row = (unsigned)__builtin_ctzll(l->kind->slot);
		_cleanup_free_ char *place = NULL, *text = NULL;

		if (slot_same(l, other) != 0)
			continue;
		place = diag_place(d, values_loc(other->own, row));
		text = slot_text(l);
		check_error(d, l, values_loc(l->own, row), l->kind->own.rows[row].key,
			    "%s on '%s' is '%s' already (%s)", text, l->parent_name, other->name, place);
	}
}

static void check_parent_mtu(const struct walk *w, const struct link *l)
{
	const struct link *parent = *l->parent_name ? model_find(&w->config->links, l->parent_name) : NULL;
	const struct node *n = parent ? node_find(w, parent) : NULL;
	_cleanup_free_ char *place = NULL;

	if (!n || !n->mtu || values_num(l->common, LINK_MTU, 0) <= n->mtu)
		return;
	place = diag_place(w->diags, values_loc(n->mtu_of->common, LINK_MTU));
	check_error(w->diags, l, values_loc(l->common, LINK_MTU), "mtu",
		    "%llu is more than the %llu of %s '%s' (%s) below it",
		    (unsigned long long)values_num(l->common, LINK_MTU, 0), (unsigned long long)n->mtu,
		    n->mtu_of->kind->name, n->mtu_of->name, place);
}

/*
 * A bridge drops what does not fit its port. bond_enslave() sets the bond's MTU on a port, and so does each change of
 * it; when both declare one, the bond's own rules compare them.
 */
static void check_port_mtu(const struct claim *claim, struct diags *d)
{
	const struct link *port = claim->port, *master = claim->master;
	uint64_t mine = values_num(port->common, LINK_MTU, 0), theirs = values_num(master->common, LINK_MTU, 0);
	struct loc loc = values_loc(port->common, LINK_MTU);
	_cleanup_free_ char *place = diag_place(d, theirs ? values_loc(master->common, LINK_MTU) : claim->loc);

	if (master->kind == &kind_bond && !theirs)
		check_warning(d, port, loc, "mtu", "belongs in [bond %s] (%s): a bond sets its ports' MTU",
			      master->name, place);
	else if (master->kind != &kind_bond && theirs > mine)
		check_warning(d, port, loc, "mtu",
			      "%llu is less than the %llu of %s '%s' (%s): longer frames are dropped here",
			      (unsigned long long)mine, (unsigned long long)theirs, master->kind->name, master->name,
			      place);
}

/* A VLAN that is the port of a bond gets its MTU, and cannot have more than its own parent. */
static void check_mtu_of_bond(const struct walk *w, const struct claim *claim)
{
	const struct link *port = claim->port, *bond = claim->master;
	bool limited = port->kind->flags & KIND_MTU_OF_PARENT;
	const struct link *parent = limited ? model_find(&w->config->links, port->parent_name) : NULL;
	const struct node *n = parent ? node_find(w, parent) : NULL;
	uint64_t mtu = bond->kind == &kind_bond ? values_num(bond->common, LINK_MTU, 0) : 0;
	_cleanup_free_ char *place = NULL;

	if (!n || !n->mtu || mtu <= n->mtu)
		return;
	place = diag_place(w->diags, values_loc(n->mtu_of->common, LINK_MTU));
	check_error(w->diags, bond, values_loc(bond->common, LINK_MTU), "mtu",
		    "%llu is more than its port '%s' can have: %s '%s' below that has %llu (%s)",
		    (unsigned long long)mtu, port->name, n->mtu_of->kind->name, n->mtu_of->name,
		    (unsigned long long)n->mtu, place);
}

/* The name of the link whose MAC that of this name has: its own, or of the one that it stands on. NULL: it says one. */
static const char *mac_source(const struct config *c, const char *name)
{
	const struct link *l = model_find(&c->links, name);

	/* A cycle is an error of its own. */
	for (unsigned level = 0; level < LEVELS_MAX && l && l->kind->flags & KIND_MAC_OF_PARENT; level++) {
		if (values_has(l->common, LINK_MAC))
			return NULL;
		name = l->parent_name;
		l = model_find(&c->links, name);
	}
	return name;
}

/* The port before the i-th that has the MAC of the same link; NULL: there is none. */
static const char *port_of_same_mac(const struct config *c, const struct link *bond, size_t i, const char *source)
{
	for (size_t j = 0; source && j < i; j++) {
		const char *other = mac_source(c, bond->ports[j].name);

		if (other && streq(other, source))
			return bond->ports[j].name;
	}
	return NULL;
}

/*
 * A bond that balances by MAC needs one for each port: alb_handle_addr_collision_on_attach(),
 * drivers/net/bonding/bond_alb.c, answers EFAULT to a second port with that of the first, which the bond has as well.
 */
static void check_macs_of_ports(const struct config *c, const struct link *bond, struct diags *d)
{
	for (size_t i = 1; i < bond->n_ports; i++) {
		const struct name_ref *port = &bond->ports[i];
		const char *source = mac_source(c, port->name), *same = port_of_same_mac(c, bond, i, source);

		if (same)
			check_error(d, bond, port->loc, "ports",
				    "'%s' has the MAC of '%s', as both have that of '%s', and with this mode each "
				    "needs its own (give one of them a mac)",
				    port->name, same, source);
	}
}

static void check_macs(const struct config *c, struct diags *d)
{
	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *l = c->links.links[i];

		if (bond_lends_macs(l) && !values_has(l->common, LINK_MAC))
			check_macs_of_ports(c, l, d);
	}
}

static void check_mtus(const struct walk *w, const struct claims *claims)
{
	for (size_t i = 0; i < w->config->links.n_links; i++) {
		const struct link *l = w->config->links.links[i];

		if (l->kind->flags & KIND_MTU_OF_PARENT && values_has(l->common, LINK_MTU))
			check_parent_mtu(w, l);
	}
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->list[i];

		if (claim->port && values_has(claim->port->common, LINK_MTU))
			check_port_mtu(claim, w->diags);
		if (claim->port)
			check_mtu_of_bond(w, claim);
	}
}

void check_stack(const struct config *c, const struct claims *claims, struct diags *d)
{
	struct walk w = {.config = c, .diags = d, .n_nodes = c->links.n_links};

	w.nodes = xcalloc(w.n_nodes, sizeof(*w.nodes));
	for (size_t i = 0; i < w.n_nodes; i++)
		w.nodes[i].link = c->links.links[i];
	qsort(w.nodes, w.n_nodes, sizeof(*w.nodes), node_compare);
	for (size_t i = 0; i < w.n_nodes; i++)
		visit(&w, node_find(&w, c->links.links[i]));
	check_claims(claims, d);
	check_port_counts(c, d);
	check_slots(c, d);
	check_mtus(&w, claims);
	check_macs(c, d);
	free(w.nodes);
	free(w.stack);
}
