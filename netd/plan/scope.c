/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: scope.h. What depends on what (resolve.c, resolve-link.c): a VLAN on its parent (is it there, is it up, its
 * MTU); a master on its ports (its MAC), a port on its master (its kind, its VLANs); both on nothing else. So from a
 * link that changed one goes to its masters, its ports and the VLANs on it, and on from there; and for each of these to
 * what it stands on, and to the ports of that, without going on to what else stands on that.
 */
#include "scope.h"

enum part {
	CONTEXT,  /* only resolved from */
	COMPARED, /* that, and what is wanted of it may be another: a device without a section is up for a VLAN on it */
	AFFECTED, /* that, and with it what depends on it */
};

struct visit {
	char name[IFNAMSIZ];
	enum part part;
};

struct maker {
	const struct scope_input *in;
	struct scope scope;
	struct names affected;
	bool all; /* something is not about single links */
	struct visit *visits;
	size_t n, next; /* next: to be made */
};

void scope_done(struct scope *s)
{
	names_done(&s->links);
	names_done(&s->context);
	*s = SCOPE_NULL;
}

struct scope scope_copy(const struct scope *s)
{
	return (struct scope){
		.partial = s->partial, .links = names_copy(&s->links), .context = names_copy(&s->context)};
}

/* Does a section mean that device by a name which is not the kernel's? */
static bool is_known_otherwise(const struct maker *k, const struct link *have)
{
	size_t n;

	for (const char *name = have->altnames; name && *name; name += strlen(name) + 1)
		if (model_find(&k->in->now->links, name) || config_mentions(k->in->now, name, &n))
			return true;
	return false;
}

/* What part the link has by now, if any. */
static bool has_part(const struct maker *k, const char *name, enum part part)
{
	return names_has(&k->affected, name) || (part < AFFECTED && names_has(&k->scope.links, name) &&
						 (part == CONTEXT || !names_has(&k->scope.context, name)));
}

static void add(struct maker *k, const char *name, enum part part)
{
	struct visit *visit;

	if (!name[0] || has_part(k, name, part))
		return;
	if (strlen(name) >= IFNAMSIZ || k->n > SCOPE_MAX) {
		k->all = true;
		return;
	}
	names_add(&k->scope.links, name);
	if (part == CONTEXT)
		names_add(&k->scope.context, name);
	else
		names_remove(&k->scope.context, name);
	if (part == AFFECTED)
		names_add(&k->affected, name);
	visit = ARRAY_APPEND(k->visits, k->n);
	memcpy(visit->name, name, strlen(name) + 1);
	visit->part = part;
}

/* A device without a section is wanted up by the first VLAN on it that is to be up. */
static void add_first_vlan(struct maker *k, const struct mention *mentions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mentions[i].by->kind->flags & KIND_HAS_PARENT && values_num(mentions[i].by->common, LINK_UP, 1)) {
			add(k, mentions[i].by->name, CONTEXT);
			return;
		}
}

/* What a section of the link says, and sections that name the link. */
static void add_relations(struct maker *k, const struct config *c, const struct visit *v)
{
	const struct link *l = model_find(&c->links, v->name);
	enum part others = v->part == AFFECTED ? AFFECTED : CONTEXT;
	const struct mention *mentions;
	size_t n;

	if (l) {
		/* Routes go from link to link, by their key. */
		k->all |= l->n_routes && v->part == AFFECTED;
		add(k, l->parent_name,
		    v->part == AFFECTED && !model_find(&k->in->now->links, l->parent_name) ? COMPARED : CONTEXT);
		for (size_t i = 0; i < l->n_ports; i++)
			add(k, l->ports[i].name, others);
	}
	mentions = config_mentions(c, v->name, &n);
	for (size_t i = 0; i < n && !k->all; i++)
		if (v->part == AFFECTED || !(mentions[i].by->kind->flags & KIND_HAS_PARENT))
			add(k, mentions[i].by->name, others);
	if (!l && c == k->in->now)
		add_first_vlan(k, mentions, n);
}

static bool has_our_route(const struct link *have)
{
	for (size_t i = 0; i < have->n_routes; i++)
		if (have->routes[i].protocol == KVMNETD_PROTO)
			return true;
	return false;
}

/* Who is attached to the link, or stands on it, whoever wanted that. */
static void add_children(struct maker *k, uint32_t ifindex)
{
	const struct link *l;

	for (size_t i = 0; !k->all && (l = model_next_port(k->in->actual, ifindex, &i));)
		add(k, l->name, AFFECTED);
	for (size_t i = 0; !k->all && (l = model_next_upper(k->in->actual, ifindex, &i));)
		add(k, l->name, AFFECTED);
}

static void add_of_kernel(struct maker *k, const struct visit *v)
{
	const struct model *actual = k->in->actual;
	const struct link *have = model_find(actual, v->name), *other = have ? NULL : model_find_any(actual, v->name);
	const struct link *master = have ? model_master(actual, have) : NULL;
	const struct link *parent = have ? model_parent(actual, have) : NULL;

	k->all |= other || (have && is_known_otherwise(k, have)) || (have && v->part != CONTEXT && has_our_route(have));
	if (!have || v->part != AFFECTED)
		return;
	if (master)
		add(k, master->name, CONTEXT);
	if (parent)
		add(k, parent->name, CONTEXT);
	add_children(k, have->ifindex);
}

static void make_visits(struct maker *k)
{
	while (!k->all && k->next < k->n) {
		struct visit v = k->visits[k->next++];

		add_relations(k, k->in->now, &v);
		if (k->in->before != k->in->now && v.part == AFFECTED)
			add_relations(k, k->in->before, &v);
		add_of_kernel(k, &v);
	}
}

void scope_make(const struct scope_input *in, struct scope *ret)
{
	struct maker k = {.in = in, .scope.partial = true};

	k.all = in->now->n_networks || in->now->n_matches || !in->now->sources.n;
	for (size_t i = 0; i < in->changed->n && !k.all; i++)
		add(&k, in->changed->list[i], AFFECTED);
	for (size_t i = 0; i < in->touched->n && !k.all; i++)
		add(&k, in->touched->list[i], AFFECTED);
	for (size_t i = 0; i < in->missing->n && !k.all; i++)
		add(&k, in->missing->list[i], AFFECTED);
	make_visits(&k);
	names_done(&k.affected);
	free(k.visits);
	if (k.all)
		scope_done(&k.scope);
	*ret = k.scope;
}

static int position_order(const void *a, const void *b)
{
	const struct link *x = *(const struct link *const *)a, *y = *(const struct link *const *)b;

	return x->position < y->position ? -1 : x->position > y->position;
}

struct link **scope_links(const struct scope *s, const struct model *m, size_t *n)
{
	struct link **list = NULL;

	*n = 0;
	if (!s || !s->partial) {
		*n = m->n_links;
		return array_copy(m->links, m->n_links, sizeof(*m->links));
	}
	for (size_t i = 0; i < s->links.n; i++) {
		struct link *l = model_find(m, s->links.list[i]);

		if (l)
			*ARRAY_APPEND(list, *n) = l;
	}
	if (*n)
		qsort(list, *n, sizeof(*list), position_order);
	return list;
}

struct record **scope_records(const struct scope *s, const struct ledger *l, size_t *n)
{
	struct record **list = NULL;

	*n = 0;
	if (!s || !s->partial) {
		*n = l->n;
		return array_copy(l->list, l->n, sizeof(*l->list));
	}
	for (size_t i = 0; i < s->links.n; i++) {
		struct record *r = ledger_find(l, s->links.list[i]);

		if (r)
			*ARRAY_APPEND(list, *n) = r;
	}
	return list;
}
