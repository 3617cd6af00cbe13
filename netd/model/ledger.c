/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ledger.h: a sorted array of records, found by bisection. */
#include "ledger.h"

#include <endian.h>

static struct record *record_free(struct record *r)
{
	if (!r)
		return NULL;
	values_free(r->common);
	values_free(r->own);
	values_free(r->port);
	free(r->addresses);
	free(r->vlans);
	free(r);
	return NULL;
}

void ledger_done(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		record_free(l->list[i]);
	free(l->list);
	free(l->gone);
	*l = LEDGER_NULL;
}

/*
 * strcmp() of two names that are filled up with zeros, as two numbers: every link is looked up here several times, and
 * names differ mostly at their end.
 */
static int name_order(const char a[IFNAMSIZ], const char b[IFNAMSIZ])
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	if (x[0] == y[0] && x[1] == y[1])
		return 0;
	if (x[0] != y[0])
		return be64toh(x[0]) < be64toh(y[0]) ? -1 : 1;
	return be64toh(x[1]) < be64toh(y[1]) ? -1 : 1;
}

/* The place of a name, or where it would be. */
static size_t place_of(const struct ledger *l, const char *wanted, bool *found)
{
	size_t low = 0, high = l->n;
	char name[IFNAMSIZ];

	name_copy(name, wanted);
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = name_order(l->list[middle]->name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

struct record *ledger_find(const struct ledger *l, const char *name)
{
	bool found;
	size_t i;

	if (strnlen(name, IFNAMSIZ) == IFNAMSIZ)
		return NULL; /* no link has such a name */
	i = place_of(l, name, &found);
	return found ? l->list[i] : NULL;
}

struct record *ledger_get(struct ledger *l, const char *name, const struct kind *kind)
{
	bool found;
	size_t i = place_of(l, name, &found);
	struct record *r;

	if (found) {
		l->list[i]->changed = true;
		return l->list[i];
	}
	r = xcalloc(1, sizeof(*r));
	name_copy(r->name, name);
	r->kind = kind;
	r->changed = true;
	(void)ARRAY_APPEND(l->list, l->n);
	memmove(&l->list[i + 1], &l->list[i], (l->n - 1 - i) * sizeof(struct record *));
	l->list[i] = r;
	return r;
}

void ledger_remove(struct ledger *l, const char *name)
{
	bool found;
	size_t i = place_of(l, name, &found);

	if (!found)
		return;
	l->gone = array_grow(l->gone, l->n_gone, sizeof(*l->gone));
	memcpy(l->gone[l->n_gone++], l->list[i]->name, IFNAMSIZ);
	record_free(l->list[i]);
	memmove(&l->list[i], &l->list[i + 1], (l->n - 1 - i) * sizeof(struct record *));
	l->n--;
}

struct ledger ledger_copy(const struct ledger *l)
{
	struct ledger copy = LEDGER_NULL;

	copy.list = array_copy(l->list, l->n, sizeof(struct record *));
	for (size_t i = 0; i < l->n; i++) {
		const struct record *r = l->list[i];
		struct record *c = xmemdup(r, sizeof(*r));

		c->common = r->common ? values_copy(r->common) : NULL;
		c->own = r->own ? values_copy(r->own) : NULL;
		c->port = r->port ? values_copy(r->port) : NULL;
		c->addresses = array_copy(r->addresses, r->n_addresses, sizeof(*r->addresses));
		c->vlans = array_copy(r->vlans, r->n_vlans, sizeof(*r->vlans));
		copy.list[i] = c;
	}
	copy.n = l->n;
	return copy;
}

bool ledger_made(const struct ledger *l, const struct link *have)
{
	const struct record *r = ledger_find(l, have->name);

	return r && r->created && r->kind == have->kind && (r->ifindex == 0 || r->ifindex == have->ifindex);
}

bool ledger_added(const struct ledger *l, const struct link *have, const struct address *a)
{
	const struct record *r = ledger_find(l, have->name);

	if (a->proto == KVMNETD_PROTO)
		return true;
	for (size_t i = 0; r && i < r->n_addresses; i++)
		if (address_same(&r->addresses[i], a))
			return true;
	return false;
}
