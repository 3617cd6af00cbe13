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
	free(l->changed);
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

static void note_name(struct ledger *l, const char *name)
{
	l->changed = array_grow(l->changed, l->n_changed, sizeof(*l->changed));
	name_copy(l->changed[l->n_changed++], name);
}

void ledger_note(struct ledger *l, struct record *r)
{
	if (!r->changed)
		note_name(l, r->name);
	r->changed = true;
}

/* What was found on links of similar names is mostly the same. */
static void share(struct record *r, const struct record *like)
{
	values_share(r->common, like->common);
	values_share(r->own, like->own);
	values_share(r->port, like->port);
}

void ledger_set_written(struct ledger *l, size_t lines)
{
	for (size_t i = 0; i < l->n_changed; i++) {
		bool found;
		size_t place = place_of(l, l->changed[i], &found);

		if (!found)
			continue;
		l->list[place]->changed = false;
		if (place)
			share(l->list[place], l->list[place - 1]);
	}
	free(l->changed);
	l->changed = NULL;
	l->n_changed = 0;
	l->n_lines = lines;
	l->is_written = true;
}

static void insert(struct ledger *l, size_t place, struct record *r)
{
	(void)ARRAY_APPEND(l->list, l->n);
	memmove(&l->list[place + 1], &l->list[place], (l->n - 1 - place) * sizeof(struct record *));
	l->list[place] = r;
	ledger_note(l, r);
}

struct record *ledger_get(struct ledger *l, const char *name, const struct kind *kind)
{
	bool found;
	size_t i = place_of(l, name, &found);
	struct record *r;

	if (found) {
		ledger_note(l, l->list[i]);
		return l->list[i];
	}
	r = xcalloc(1, sizeof(*r));
	name_copy(r->name, name);
	r->kind = kind;
	insert(l, i, r);
	return r;
}

void ledger_remove(struct ledger *l, const char *name)
{
	bool found;
	size_t i = place_of(l, name, &found);

	if (!found)
		return;
	note_name(l, l->list[i]->name);
	record_free(l->list[i]);
	memmove(&l->list[i], &l->list[i + 1], (l->n - 1 - i) * sizeof(struct record *));
	l->n--;
}

static struct record *record_copy(const struct record *r)
{
	struct record *c = xmemdup(r, sizeof(*r));

	c->changed = false;
	c->common = values_copy(r->common);
	c->own = values_copy(r->own);
	c->port = values_copy(r->port);
	c->addresses = array_copy(r->addresses, r->n_addresses, sizeof(*r->addresses));
	c->vlans = array_copy(r->vlans, r->n_vlans, sizeof(*r->vlans));
	return c;
}

/* Makes the record of that name what it is in another ledger. */
static void copy_record(struct ledger *to, const struct ledger *from, const char *name)
{
	const struct record *r = ledger_find(from, name);
	bool found;

	ledger_remove(to, name);
	if (r)
		insert(to, place_of(to, name, &found), record_copy(r));
}

void ledger_past_done(struct ledger_past *past)
{
	names_done(&past->names);
	ledger_done(&past->records);
	*past = LEDGER_PAST_NULL;
}

static void keep_all(struct ledger_past *past, const struct ledger *l)
{
	struct ledger all = {.list = array_copy(l->list, l->n, sizeof(struct record *)), .n = l->n};

	for (size_t i = 0; i < l->n; i++)
		all.list[i] = record_copy(l->list[i]);
	for (size_t i = 0; i < past->names.n; i++)
		copy_record(&all, &past->records, past->names.list[i]);
	ledger_past_done(past);
	*past = (struct ledger_past){.all = true, .records = all};
}

void ledger_keep(struct ledger_past *past, const struct ledger *l, const struct names *names)
{
	if (past->all)
		return;
	if (!names) {
		keep_all(past, l);
		return;
	}
	for (size_t i = 0; i < names->n; i++)
		if (names_add(&past->names, names->list[i]))
			copy_record(&past->records, l, names->list[i]);
}

void ledger_put_back(struct ledger_past *past, struct ledger *l)
{
	if (past->all) {
		ledger_done(l);
		*l = past->records;
		*past = LEDGER_PAST_NULL; /* of all there are no names */
		return;
	}
	for (size_t i = 0; i < past->names.n; i++)
		copy_record(l, &past->records, past->names.list[i]);
	ledger_past_done(past);
}

bool record_fits(const struct record *r, const struct link *have)
{
	if (r->ifindex == have->ifindex || (r->replaces && r->replaces == have->ifindex))
		return true;
	return !r->created && r->ifindex == 0;
}

bool ledger_made(const struct ledger *l, const struct link *have)
{
	const struct record *r = ledger_find(l, have->name);

	return r && r->created && r->kind == have->kind && record_fits(r, have);
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
