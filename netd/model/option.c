/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the drivers that work on any table of option rows: values held, copied, found, printed, and moved into and
 * out of netlink attributes. What a single value means is its type's business (type-*.c).
 */
#include "option.h"

#include <libmnl/libmnl.h>

/* Where rows come one by one, room is made for so many at a time. */
#define SLOTS_STEP 2

static struct loc *slot_locs(struct slots *s)
{
	return (struct loc *)(s->v + s->room);
}

static unsigned count(const struct values *v)
{
	return v->slots ? v->slots->used : 0;
}

/* Rows are mostly put in their order, and counting bits is a call (no popcnt in what x86-64 has at least). */
static unsigned slot(const struct values *v, unsigned row)
{
	return v->set >> row ? (unsigned)__builtin_popcountll(v->set & ((1ull << row) - 1)) : count(v);
}

struct values *values_new(const struct option_table *table)
{
	struct values *v = xcalloc(1, sizeof(*v));

	v->table = table;
	return v;
}

static void release_slots(struct values *v)
{
	if (!v->slots || --v->slots->owners)
		return;
	for (uint64_t left = v->set; left; left &= left - 1) {
		unsigned row = (unsigned)__builtin_ctzll(left);

		value_free(&v->table->rows[row], values_at(v, row));
	}
	free(v->slots);
}

struct values *values_free(struct values *v)
{
	if (!v)
		return NULL;
	release_slots(v);
	free(v);
	return NULL;
}

struct values *values_copy(const struct values *v)
{
	struct values *copy = v ? xmemdup(v, sizeof(*v)) : NULL;

	if (copy && copy->slots)
		copy->slots->owners++;
	return copy;
}

bool values_same(const struct values *a, const struct values *b)
{
	if (!a || !b)
		return a == b;
	if (a->table != b->table || a->set != b->set)
		return false;
	for (uint64_t left = a->slots == b->slots ? 0 : a->set; left; left &= left - 1) {
		unsigned row = (unsigned)__builtin_ctzll(left);
		union value x = values_at(a, row), y = values_at(b, row);

		if (a->table->rows[row].type->is_blob ? !blob_equal(x.blob, y.blob) : x.num != y.num)
			return false;
	}
	return true;
}

void values_share(struct values *v, const struct values *like)
{
	if (!v || !like || !v->slots || !like->slots || v->slots == like->slots)
		return;
	if (v->slots->has_locs || like->slots->has_locs || !values_same(v, like))
		return;
	release_slots(v);
	v->slots = like->slots;
	v->slots->owners++;
}

/* Makes the slots v's own, with room for n values, and for where they were written when that is asked for. */
static void own_slots(struct values *v, unsigned n, bool locs)
{
	struct slots *old = v->slots, *new;
	bool shared = old && old->owners > 1;
	unsigned used = count(v);

	if (old && !shared && old->room >= n && (old->has_locs || !locs))
		return;
	locs = locs || (old && old->has_locs);
	new = xcalloc(1, sizeof(*new) + n * (sizeof(*new->v) + (locs ? sizeof(struct loc) : 0)));
	*new = (struct slots){.owners = 1, .room = (uint8_t)n, .used = (uint8_t)used, .has_locs = locs};
	if (old && used)
		memcpy(new->v, old->v, used * sizeof(*new->v));
	if (old && used && old->has_locs)
		memcpy(slot_locs(new), slot_locs(old), used * sizeof(struct loc));
	v->slots = new;
	if (!shared) {
		free(old);
		return;
	}
	old->owners--;
	for (uint64_t left = v->set; left; left &= left - 1) {
		unsigned row = (unsigned)__builtin_ctzll(left);

		new->v[slot(v, row)] = value_copy(&v->table->rows[row], new->v[slot(v, row)]);
	}
}

struct values *values_of(const struct option_table *table, uint64_t set, const union value *rows)
{
	struct values *v = values_new(table);
	unsigned n = 0;

	if (!set)
		return v;
	own_slots(v, (unsigned)__builtin_popcountll(set), false);
	for (uint64_t left = set; left; left &= left - 1)
		v->slots->v[n++] = rows[__builtin_ctzll(left)];
	v->slots->used = (uint8_t)n;
	v->set = set;
	return v;
}

void values_put(struct values *v, unsigned row, union value value, struct loc loc)
{
	unsigned at = slot(v, row), n = count(v);
	struct slots *s;

	own_slots(v, (n + !values_has(v, row) + SLOTS_STEP - 1) / SLOTS_STEP * SLOTS_STEP, loc.file);
	s = v->slots;
	if (values_has(v, row)) {
		value_free(&v->table->rows[row], s->v[at]);
	} else {
		memmove(&s->v[at + 1], &s->v[at], (n - at) * sizeof(*s->v));
		if (s->has_locs)
			memmove(&slot_locs(s)[at + 1], &slot_locs(s)[at], (n - at) * sizeof(struct loc));
		v->set |= 1ull << row;
		s->used++;
	}
	s->v[at] = value;
	if (s->has_locs)
		slot_locs(s)[at] = loc;
}

union value values_take(struct values *v, unsigned row)
{
	unsigned at = slot(v, row), n = count(v);
	union value value;

	if (!values_has(v, row))
		return (union value){0};
	own_slots(v, n, false);
	value = v->slots->v[at];
	memmove(&v->slots->v[at], &v->slots->v[at + 1], (n - at - 1) * sizeof(*v->slots->v));
	if (v->slots->has_locs)
		memmove(&slot_locs(v->slots)[at], &slot_locs(v->slots)[at + 1], (n - at - 1) * sizeof(struct loc));
	v->set &= ~(1ull << row);
	v->slots->used--;
	return value;
}

void values_unset(struct values *v, unsigned row)
{
	if (values_has(v, row))
		value_free(&v->table->rows[row], values_take(v, row));
}

void values_set_num(struct values *v, unsigned row, uint64_t num)
{
	values_put(v, row, (union value){.num = num}, values_loc(v, row));
}

struct loc values_loc(const struct values *v, unsigned row)
{
	return values_has(v, row) && v->slots->has_locs ? slot_locs(v->slots)[slot(v, row)] : LOC_NONE;
}

uint64_t values_num(const struct values *v, unsigned row, uint64_t otherwise)
{
	return values_has(v, row) ? values_at(v, row).num : otherwise;
}

/* Most keys differ in their first letter. */
static bool is_spelled(const char *a, const char *b)
{
	return a[0] == b[0] && streq(a, b);
}

int option_find(const struct option_table *table, const char *key)
{
	for (unsigned row = 0; row < table->n; row++) {
		const struct option *o = &table->rows[row];

		if (is_spelled(o->key, key) || (o->alias && is_spelled(o->alias, key)))
			return (int)row;
	}
	return -ENOENT;
}

unsigned option_row(const struct option_table *table, const char *key)
{
	int row = option_find(table, key);

	/* The key is written in our own source: a wrong one is a bug that every test run meets. */
	if (row < 0)
		abort();
	return (unsigned)row;
}

/* All flags of one attribute in one {value, mask} pair: the kernel keeps only the last attribute of a number. */
static void encode_flags(const struct values *v, uint64_t rows, unsigned first, struct nlmsghdr *m)
{
	const struct option *o = &v->table->rows[first];
	uint32_t pair[2] = {0, 0};

	for (unsigned row = first; row < v->table->n; row++) {
		const struct option *other = &v->table->rows[row];

		if (!(rows >> row & 1) || other->type != &type_flag || other->place != o->place ||
		    other->attr != o->attr)
			continue;
		pair[1] |= other->bit;
		if (values_at(v, row).num)
			pair[0] |= other->bit;
	}
	mnl_attr_put(m, o->attr, sizeof(pair), pair);
}

/* Is the flag's attribute already written, by an earlier flag among rows? */
static bool flag_done(const struct values *v, uint64_t rows, unsigned row)
{
	const struct option *o = &v->table->rows[row];

	for (unsigned r = 0; r < row; r++) {
		const struct option *other = &v->table->rows[r];

		if (rows >> r & 1 && other->type == &type_flag && other->place == o->place && other->attr == o->attr)
			return true;
	}
	return false;
}

void values_encode(const struct values *v, uint64_t rows, enum place place, struct nlmsghdr *m)
{
	if (!v)
		return;
	rows &= v->set;
	for (unsigned row = 0; row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];

		if (!(rows >> row & 1) || o->place != place || !o->type->put)
			continue;
		if (o->type != &type_flag)
			o->type->put(o, values_at(v, row), m);
		else if (!flag_done(v, rows, row))
			encode_flags(v, rows, row, m);
	}
}

union value value_copy(const struct option *o, union value v)
{
	if (o->type->is_blob && v.blob)
		return (union value){.blob = blob_new(v.blob->data, v.blob->len)};
	return v;
}

void value_free(const struct option *o, union value v)
{
	if (o->type->is_blob)
		free(v.blob);
}

char *value_text(const struct option *o, union value v)
{
	char *text = NULL, number[256] = "";
	size_t len;
	/* A number's text is short, and a stream that has to grow costs ten times as much to open. */
	FILE *f = o->type->is_blob ? xmemstream(&text, &len) : fmemopen(number, sizeof(number), "w");

	if (!f)
		abort();
	o->type->print(o, v, f);
	fclose(f);
	return text ? text : xstrdup(number);
}

char *option_allowed(const struct option *o)
{
	char *text = NULL;
	size_t len;
	FILE *f;

	if (!o->type->allowed)
		return xstrdup("nothing: it is only shown");
	f = xmemstream(&text, &len);
	o->type->allowed(o, f);
	fclose(f);
	return text;
}

struct blob *blob_new(const void *data, size_t len)
{
	struct blob *b = xcalloc(1, sizeof(*b) + len);

	b->len = (uint32_t)len;
	if (len)
		memcpy(b->data, data, len);
	return b;
}

bool blob_equal(const struct blob *a, const struct blob *b)
{
	uint32_t a_len = a ? a->len : 0, b_len = b ? b->len : 0;

	return a_len == b_len && (a_len == 0 || memcmp(a->data, b->data, a_len) == 0);
}
