/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: known.h: a sorted array, found by bisection. */
#include "known.h"

void known_done(struct known *k)
{
	free(k->list);
	*k = (struct known){0};
}

static const char *name_of(const void *element)
{
	return ((const struct known_link *)element)->name;
}

static size_t place_of(const struct known *k, const char *name)
{
	return name_place(k->list, k->n, sizeof(*k->list), name_of, name);
}

static uint32_t known_index(const struct known *k, const char *name)
{
	size_t i = place_of(k, name);

	return i < k->n && streq(k->list[i].name, name) ? k->list[i].ifindex : 0;
}

static void note_link(struct known *k, const struct link *have)
{
	size_t i = place_of(k, have->name);

	if (i == k->n || !streq(k->list[i].name, have->name)) {
		k->list = array_grow(k->list, k->n, sizeof(*k->list));
		memmove(&k->list[i + 1], &k->list[i], (k->n++ - i) * sizeof(*k->list));
		memcpy(k->list[i].name, have->name, IFNAMSIZ);
	}
	k->list[i].ifindex = have->ifindex;
}

void known_note(struct known *k, const struct diff_input *in)
{
	struct link_diff d;

	for (size_t i = 0; i < in->effective->links.n_links; i++) {
		const struct link *want = in->effective->links.links[i], *have = model_find(in->actual, want->name);

		if (have && !want->waits_for && !diff_link(in, want, &d))
			note_link(k, have);
	}
}

bool known_is_new(const struct known *k, const struct ledger *l, const struct effective *e, const struct model *actual,
		  const struct link *want)
{
	const struct link *have = model_find(actual, want->name), *parent;
	const struct record *r = ledger_find(l, want->name);
	uint32_t before = known_index(k, want->name), noted = r ? r->ifindex : 0;

	if (have)
		return have->ifindex != before && have->ifindex != noted;
	if (!before && !noted)
		return true;
	parent = want->parent_name[0] ? model_find(&e->links, want->parent_name) : NULL;
	return parent && known_is_new(k, l, e, actual, parent);
}
