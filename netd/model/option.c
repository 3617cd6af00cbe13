/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the drivers that work on any table of option rows: values held, copied, found, printed, and moved into and
 * out of netlink attributes. What a single value means is its type's business (type-*.c).
 */
#include "option.h"

#include <libmnl/libmnl.h>

/* What a table without a set row points to: of thousands of links most say nothing, and need no room for it. */
static const union value unset[64];

struct values *values_new(const struct option_table *table)
{
	struct values *v = xcalloc(1, sizeof(*v));

	v->table = table;
	v->v = (union value *)(uintptr_t)unset;
	return v;
}

struct values *values_free(struct values *v)
{
	if (!v)
		return NULL;
	for (uint64_t left = v->set; left; left &= left - 1) {
		unsigned row = (unsigned)__builtin_ctzll(left);

		value_free(&v->table->rows[row], v->v[row]);
	}
	free(v->locs);
	if (v->v != unset)
		free(v->v);
	free(v);
	return NULL;
}

struct values *values_copy(const struct values *v)
{
	struct values *copy;

	if (!v)
		return NULL;
	copy = values_new(v->table);
	for (unsigned row = 0; row < v->table->n; row++)
		if (values_has(v, row))
			values_put(copy, row, value_copy(&v->table->rows[row], v->v[row]), values_loc(v, row));
	return copy;
}

void values_put(struct values *v, unsigned row, union value value, struct loc loc)
{
	values_unset(v, row);
	if (v->v == unset)
		v->v = xcalloc(v->table->n, sizeof(*v->v));
	if (loc.file && !v->locs)
		v->locs = xcalloc(v->table->n, sizeof(*v->locs));
	v->v[row] = value;
	v->set |= 1ull << row;
	if (v->locs)
		v->locs[row] = loc;
}

void values_unset(struct values *v, unsigned row)
{
	if (!values_has(v, row))
		return;
	value_free(&v->table->rows[row], v->v[row]);
	v->v[row] = (union value){0};
	v->set &= ~(1ull << row);
	if (v->locs)
		v->locs[row] = LOC_NONE;
}

struct loc values_loc(const struct values *v, unsigned row)
{
	return values_has(v, row) && v->locs ? v->locs[row] : LOC_NONE;
}

uint64_t values_num(const struct values *v, unsigned row, uint64_t otherwise)
{
	return values_has(v, row) ? v->v[row].num : otherwise;
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
		if (v->v[row].num)
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
			o->type->put(o, v->v[row], m);
		else if (!flag_done(v, rows, row))
			encode_flags(v, rows, row, m);
	}
}

void values_decode(struct values *v, enum place place, const struct nlattr *a)
{
	values_decode_all(v, place, a, a->nla_len);
}

/* Above every attribute number of a row. */
#define ATTRIBUTES_MAX 128

void values_decode_all(struct values *v, enum place place, const void *attributes, size_t len)
{
	const struct nlattr *by_number[ATTRIBUTES_MAX] = {NULL}, *attr;

	mnl_attr_for_each_payload (attributes, len)
		if (mnl_attr_get_type(attr) < ATTRIBUTES_MAX)
			by_number[mnl_attr_get_type(attr)] = attr;
	for (unsigned row = 0; row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];
		union value value = {0};

		if (o->place != place || !o->type->get || o->attr >= ATTRIBUTES_MAX || !by_number[o->attr])
			continue;
		if (o->type->get(o, by_number[o->attr], &value) == 0)
			values_put(v, row, value, LOC_NONE);
	}
}

void values_decode_end(struct values *v, enum place place)
{
	for (unsigned row = 0; row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];

		if (o->place == place && o->flags & OPTION_ZERO_ABSENT && !values_has(v, row))
			values_put(v, row, (union value){0}, LOC_NONE);
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
	FILE *f = o->type->is_blob ? open_memstream(&text, &len) : fmemopen(number, sizeof(number), "w");

	if (!f)
		return xstrdup("");
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
	f = open_memstream(&text, &len);
	if (!f)
		return xstrdup(o->type->name);
	o->type->allowed(o, f);
	fclose(f);
	return text ? text : xstrdup("");
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
