/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: differences of the firewall become ops, one for each map, chain or element. What stands together in a plan
 * is one transaction of the kernel. A chain that changes is emptied and filled in place, never deleted: to replace the
 * table, or an element, lets packets of an isolated network through in between.
 */
#include "planner-internal.h"

#define TABLE FIREWALL_LINK

/* The network that a chain or element is of, by the bridge's name in it; else a name for what is of all of them. */
static const struct link *owner(struct planner *p, const char *name)
{
	char bridge[IFNAMSIZ] = TABLE;
	const struct link *l;

	if (*name == '"')
		snprintf(bridge, sizeof(bridge), "%.*s", (int)strcspn(name + 1, "\""), name + 1);
	else if (strchr(name, '_'))
		snprintf(bridge, sizeof(bridge), "%s", strchr(name, '_') + 1);
	l = model_find(&p->in->effective->links, bridge);
	if (l && l->network[0])
		return l;
	if (!p->firewall_link) {
		p->firewall_link = link_new(TABLE, &kind_ethernet);
		*ARRAY_APPEND(p->plan->scratch, p->plan->n_scratch) = p->firewall_link;
	}
	return p->firewall_link;
}

/* Takes over both texts. */
static struct op *add(struct planner *p, enum impact impact, const char *name, char *text, char *commands)
{
	struct op *op = op_add(p, OP_FIREWALL, owner(p, name), NULL);

	op->impact = impact;
	op->text = text;
	op->commands = commands;
	return op;
}

/* Of one that is there, a command without flags takes those it has: it is no longer switched off. */
static void plan_table(struct planner *p, bool dormant)
{
	add(p, dormant ? IMPACT_LIVE : IMPACT_NONE, "",
	    xstrdup(dormant ? "switch on table " TABLE : "add table " TABLE), xstrdup("add table " TABLE "\n"));
}

static void plan_map(struct planner *p, const struct firewall_map *m)
{
	const char *form = strchr(m->definition, '{');

	add(p, IMPACT_NONE, "", xasprintf("add %s", m->definition),
	    xasprintf("add %.*s " TABLE " %s %s\n", (int)strcspn(m->definition, " "), m->definition, m->name, form));
}

static void print_rules(const struct firewall_chain *c, FILE *text, FILE *commands)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		fprintf(text, "%s%s", i ? "; " : " ", c->rules[i].text);
		fprintf(commands, "add rule " TABLE " %s %s comment \"%s\"\n", c->name, c->rules[i].text,
			c->rules[i].digest);
	}
}

static void plan_chain(struct planner *p, const struct firewall_chain *want, const struct firewall_chain *have)
{
	char *text, *commands;
	size_t len;
	FILE *t = xmemstream(&text, &len), *c = xmemstream(&commands, &len);
	bool anew = have && (!want->base != !have->base || (want->base && !streq(want->base, have->base)));

	fprintf(t, "%s chain %s {", have ? "change" : "add", want->name);
	if (have)
		fprintf(c, "flush chain " TABLE " %s\n", want->name);
	/* Someone made it another chain; nothing of ours jumps to a base chain. */
	if (anew)
		fprintf(c, "delete chain " TABLE " %s\n", want->name);
	if (!have || anew)
		fprintf(c, "add chain " TABLE " %s%s%s%s\n", want->name, want->base ? " { " : "",
			want->base ? want->base : "", want->base ? " }" : "");
	if (want->base)
		fprintf(t, " %s", want->base);
	print_rules(want, t, c);
	fputs(" }", t);
	fclose(t);
	fclose(c);
	add(p, have ? IMPACT_LIVE : IMPACT_NONE, want->name, text, commands);
}

static char *element_text(const struct firewall_element *e)
{
	return e->value ? xasprintf("%s : %s", e->key, e->value) : xstrdup(e->key);
}

static void plan_element(struct planner *p, const struct firewall_element *want, const struct firewall_element *have)
{
	_cleanup_free_ char *text = element_text(want);
	_cleanup_free_ char *old =
		have ? xasprintf("delete element " TABLE " %s { %s }\n", have->map, have->key) : xstrdup("");

	add(p, have ? IMPACT_LIVE : IMPACT_NONE, want->key,
	    xasprintf("%s %s in %s", have ? "change" : "add", text, want->map),
	    xasprintf("%sadd element " TABLE " %s { %s }\n", old, want->map, text));
}

static int chain_compare(const void *a, const void *b)
{
	return strcmp(((const struct firewall_chain *)a)->name, ((const struct firewall_chain *)b)->name);
}

/* Shallow copies, sorted, for searching. */
struct index {
	struct firewall_chain *chains;
	size_t n_chains;
	struct firewall_element *elements;
	size_t n_elements;
};

static struct index index_of(const struct firewall *f)
{
	struct index x = {
		.chains = array_copy(f->chains, f->n_chains, sizeof(*f->chains)),
		.n_chains = f->n_chains,
		.elements = array_copy(f->elements, f->n_elements, sizeof(*f->elements)),
		.n_elements = f->n_elements,
	};

	if (x.n_chains)
		qsort(x.chains, x.n_chains, sizeof(*x.chains), chain_compare);
	if (x.n_elements)
		qsort(x.elements, x.n_elements, sizeof(*x.elements), firewall_element_compare);
	return x;
}

static void index_done(struct index *x)
{
	free(x->chains);
	free(x->elements);
}

static const struct firewall_chain *find_chain(const struct index *x, const struct firewall_chain *like)
{
	return x->n_chains ? bsearch(like, x->chains, x->n_chains, sizeof(*x->chains), chain_compare) : NULL;
}

static const struct firewall_element *find_element(const struct index *x, const struct firewall_element *like)
{
	if (!x->n_elements)
		return NULL;
	return bsearch(like, x->elements, x->n_elements, sizeof(*x->elements), firewall_element_compare);
}

static bool element_equal(const struct firewall_element *a, const struct firewall_element *b)
{
	return !a->value == !b->value && (!a->value || streq(a->value, b->value));
}

void plan_firewall(struct planner *p)
{
	const struct firewall *want = &p->in->effective->firewall, *have = p->in->firewall;
	struct index found;

	if (!have || p->in->effective->keep_firewall || !want->present)
		return;
	found = index_of(have);
	if (!have->present || have->dormant)
		plan_table(p, have->dormant);
	for (size_t i = 0; i < want->n_maps; i++)
		if (!firewall_has_map(have, want->maps[i].name))
			plan_map(p, &want->maps[i]);
	for (size_t i = 0; i < want->n_chains; i++) {
		const struct firewall_chain *there = find_chain(&found, &want->chains[i]);

		if (!there || !firewall_chain_equal(&want->chains[i], there))
			plan_chain(p, &want->chains[i], there);
	}
	for (size_t i = 0; i < want->n_elements; i++) {
		const struct firewall_element *there = find_element(&found, &want->elements[i]);

		if (!there || !element_equal(&want->elements[i], there))
			plan_element(p, &want->elements[i], there);
	}
	index_done(&found);
}

/* Rules first, all of them, so that no chain is in use when it goes. */
static void plan_chains_to_go(struct planner *p, const struct index *wanted)
{
	const struct firewall *have = p->in->firewall;
	char *flushes = NULL;
	size_t len;
	FILE *f = xmemstream(&flushes, &len);

	for (size_t i = 0; i < have->n_chains; i++)
		if (!find_chain(wanted, &have->chains[i]))
			fprintf(f, "flush chain " TABLE " %s\n", have->chains[i].name);
	fclose(f);
	for (size_t i = 0; i < have->n_chains; i++) {
		const struct firewall_chain *c = &have->chains[i];

		if (find_chain(wanted, c))
			continue;
		add(p, IMPACT_LIVE, c->name, xasprintf("delete chain %s", c->name),
		    xasprintf("%sdelete chain " TABLE " %s\n", flushes ? flushes : "", c->name));
		free(flushes);
		flushes = NULL;
	}
	free(flushes);
}

void plan_firewall_removal(struct planner *p)
{
	const struct firewall *want = &p->in->effective->firewall, *have = p->in->firewall;
	struct index wanted;

	if (!have || p->in->effective->keep_firewall || !have->present)
		return;
	if (!want->present) {
		add(p, IMPACT_LIVE, "", xstrdup("delete table " TABLE), xstrdup("delete table " TABLE "\n"));
		return;
	}
	wanted = index_of(want);
	for (size_t i = 0; i < have->n_elements; i++) {
		const struct firewall_element *e = &have->elements[i];

		if (!find_element(&wanted, e))
			add(p, IMPACT_LIVE, e->key, xasprintf("delete %s of %s", e->key, e->map),
			    xasprintf("delete element " TABLE " %s { %s }\n", e->map, e->key));
	}
	plan_chains_to_go(p, &wanted);
	for (size_t i = 0; i < have->n_maps; i++) {
		const char *name = have->maps[i].name;

		if (!firewall_has_map(want, name))
			add(p, IMPACT_LIVE, "", xasprintf("delete map %s", name),
			    xasprintf("delete %s " TABLE " %s\n", streq(name, "dhcp_if") ? "set" : "map", name));
	}
	index_done(&wanted);
}

bool plan_firewall_differs(const struct diff_input *in)
{
	struct plan plan = PLAN_NULL;
	struct planner p = {.in = in, .plan = &plan};
	bool differs;

	plan_firewall(&p);
	plan_firewall_removal(&p);
	differs = plan.n > 0;
	plan_done(&plan);
	return differs;
}
