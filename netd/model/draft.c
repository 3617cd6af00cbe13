/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: draft.h. */
#include "draft.h"

#include <libmnl/libmnl.h>

void attributes_read(struct attributes *as, const void *data, size_t len)
{
	const struct nlattr *attr;

	*as = (struct attributes){0};
	mnl_attr_for_each_payload (data, len) {
		uint16_t number = mnl_attr_get_type(attr);

		if (number < ATTRIBUTES_MAX)
			as->by_number[number] = attr;
	}
}

void attributes_read_nested(struct attributes *as, const struct nlattr *nest)
{
	if (nest)
		attributes_read(as, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
	else
		*as = (struct attributes){0};
}

void draft_begin(struct draft *d, const struct option_table *table)
{
	d->table = table;
	d->set = 0;
}

void draft_put(struct draft *d, unsigned row, union value value)
{
	d->rows[row] = value;
	d->set |= 1ull << row;
}

void draft_decode(struct draft *d, enum place place, const struct attributes *as)
{
	for (unsigned row = 0; row < d->table->n; row++) {
		const struct option *o = &d->table->rows[row];
		union value value = {0};

		if (o->place != place || !o->type->get || o->attr >= ATTRIBUTES_MAX || !as->by_number[o->attr])
			continue;
		if (o->type->get(o, as->by_number[o->attr], &value) == 0)
			draft_put(d, row, value);
	}
}

void draft_decode_end(struct draft *d, enum place place)
{
	for (unsigned row = 0; row < d->table->n; row++) {
		const struct option *o = &d->table->rows[row];

		if (o->place == place && o->flags & OPTION_ZERO_ABSENT && !(d->set >> row & 1))
			draft_put(d, row, (union value){0});
	}
}

struct values *draft_end(const struct draft *d)
{
	return values_of(d->table, d->set, d->rows);
}
