/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: foreign.h. */
#include "foreign.h"

#include <linux/netfilter.h>

static void own_chain_text(uint8_t family, const char *name, char buf[48])
{
	snprintf(buf, 48, "%c %s", family == NFPROTO_IPV6 ? '6' : '4', name);
}

void foreign_done(struct foreign *f)
{
	for (size_t i = 0; i < f->n_chains; i++) {
		free(f->chains[i].table);
		free(f->chains[i].name);
		free(f->chains[i].links);
	}
	for (size_t i = 0; i < f->n_rules; i++)
		free(f->rules[i].comment);
	for (size_t i = 0; i < f->n_own_chains; i++)
		free(f->own_chains[i]);
	free(f->chains);
	free(f->rules);
	free(f->own_chains);
	*f = FOREIGN_NULL;
}

static bool same_chain(const struct foreign_chain *a, const struct foreign_chain *b)
{
	return a->family == b->family && a->hook == b->hook && streq(a->table, b->table) && streq(a->name, b->name) &&
	       a->policy_drops == b->policy_drops && a->end_drops == b->end_drops && a->has_jump == b->has_jump &&
	       a->n_links == b->n_links && (!a->n_links || !memcmp(a->links, b->links, a->n_links * sizeof(*a->links)));
}

bool foreign_equal(const struct foreign *a, const struct foreign *b)
{
	bool same = a->n_chains == b->n_chains && a->n_rules == b->n_rules && a->n_own_chains == b->n_own_chains;

	for (size_t i = 0; same && i < a->n_chains; i++)
		same = same_chain(&a->chains[i], &b->chains[i]);
	for (size_t i = 0; same && i < a->n_rules; i++)
		same = a->rules[i].family == b->rules[i].family && streq(a->rules[i].chain, b->rules[i].chain) &&
		       streq(a->rules[i].comment, b->rules[i].comment);
	for (size_t i = 0; same && i < a->n_own_chains; i++)
		same = streq(a->own_chains[i], b->own_chains[i]);
	return same;
}

struct foreign_chain *foreign_add_chain(struct foreign *f, uint8_t family, const char *table, const char *name)
{
	struct foreign_chain *c = ARRAY_APPEND(f->chains, f->n_chains);

	c->family = family;
	c->table = xstrdup(table);
	c->name = xstrdup(name);
	return c;
}

void foreign_add_rule(struct foreign *f, uint8_t family, const char *chain, const char *comment)
{
	struct foreign_rule *r = ARRAY_APPEND(f->rules, f->n_rules);

	r->family = family;
	snprintf(r->chain, sizeof(r->chain), "%s", chain);
	r->comment = xstrdup(comment);
}

void foreign_add_own_chain(struct foreign *f, uint8_t family, const char *name)
{
	char text[48];

	own_chain_text(family, name, text);
	*ARRAY_APPEND(f->own_chains, f->n_own_chains) = xstrdup(text);
}

bool foreign_has_own_chain(const struct foreign *f, uint8_t family, const char *name)
{
	char text[48];

	own_chain_text(family, name, text);
	for (size_t i = 0; i < f->n_own_chains; i++)
		if (streq(f->own_chains[i], text))
			return true;
	return false;
}

bool foreign_is_iptables(const struct foreign_chain *c)
{
	return (c->family == NFPROTO_IPV4 || c->family == NFPROTO_IPV6) && streq(c->table, "filter") &&
	       streq(c->name, c->hook == FOREIGN_FORWARD ? "FORWARD" : "INPUT");
}

const struct foreign_chain *foreign_iptables(const struct foreign *f, uint8_t family, enum foreign_hook hook)
{
	for (size_t i = 0; i < f->n_chains; i++)
		if (f->chains[i].family == family && f->chains[i].hook == hook && foreign_is_iptables(&f->chains[i]))
			return &f->chains[i];
	return NULL;
}
