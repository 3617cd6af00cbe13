/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: firewall.h. */
#include "firewall.h"

#include <inttypes.h>

void firewall_done(struct firewall *f)
{
	for (size_t i = 0; i < f->n_maps; i++) {
		free(f->maps[i].name);
		free(f->maps[i].definition);
	}
	for (size_t i = 0; i < f->n_chains; i++) {
		for (size_t j = 0; j < f->chains[i].n_rules; j++)
			free(f->chains[i].rules[j].text);
		free(f->chains[i].rules);
		free(f->chains[i].name);
		free(f->chains[i].base);
	}
	for (size_t i = 0; i < f->n_elements; i++) {
		free(f->elements[i].map);
		free(f->elements[i].key);
		free(f->elements[i].value);
	}
	free(f->maps);
	free(f->chains);
	free(f->elements);
	*f = FIREWALL_NULL;
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void firewall_add_map(struct firewall *f, const char *name, const char *definition)
{
	*ARRAY_APPEND(f->maps, f->n_maps) =
		(struct firewall_map){.name = xstrdup(name), .definition = copy(definition)};
	f->present = true;
}

struct firewall_chain *firewall_add_chain(struct firewall *f, const char *name, const char *base)
{
	struct firewall_chain *c = ARRAY_APPEND(f->chains, f->n_chains);

	*c = (struct firewall_chain){.name = xstrdup(name), .base = copy(base)};
	f->present = true;
	return c;
}

void firewall_add_rule(struct firewall_chain *c, const char *format, ...)
{
	struct firewall_rule *r = ARRAY_APPEND(c->rules, c->n_rules);
	uint32_t hash = 0x811c9dc5; /* FNV-1a: tells texts of ours apart, and guards against nobody */
	va_list ap;

	va_start(ap, format);
	r->text = xvasprintf(format, ap);
	va_end(ap);
	for (const char *p = r->text; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 0x01000193;
	snprintf(r->digest, sizeof(r->digest), "%08" PRIx32, hash);
}

void firewall_add_found_rule(struct firewall_chain *c, const char *comment)
{
	struct firewall_rule *r = ARRAY_APPEND(c->rules, c->n_rules);

	if (comment && strlen(comment) == sizeof(r->digest) - 1)
		memcpy(r->digest, comment, sizeof(r->digest));
}

void firewall_add_element(struct firewall *f, const char *map, const char *key, const char *value)
{
	*ARRAY_APPEND(f->elements, f->n_elements) =
		(struct firewall_element){.map = xstrdup(map), .key = xstrdup(key), .value = copy(value)};
	f->present = true;
}

const struct firewall_chain *firewall_find_chain(const struct firewall *f, const char *name)
{
	for (size_t i = 0; i < f->n_chains; i++)
		if (streq(f->chains[i].name, name))
			return &f->chains[i];
	return NULL;
}

bool firewall_has_map(const struct firewall *f, const char *name)
{
	for (size_t i = 0; i < f->n_maps; i++)
		if (streq(f->maps[i].name, name))
			return true;
	return false;
}

int firewall_element_compare(const void *a, const void *b)
{
	const struct firewall_element *x = a, *y = b;
	int r = strcmp(x->map, y->map);

	return r ? r : strcmp(x->key, y->key);
}

bool firewall_chain_equal(const struct firewall_chain *want, const struct firewall_chain *have)
{
	if (want->n_rules != have->n_rules || !want->base != !have->base)
		return false;
	if (want->base && !streq(want->base, have->base))
		return false;
	for (size_t i = 0; i < want->n_rules; i++)
		if (!streq(want->rules[i].digest, have->rules[i].digest))
			return false;
	return true;
}
