/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: diff_describe(): differences in words, for status and for errors after a read-back. */
#include <linux/if_bridge.h>

#include "diff.h"

struct describer {
	const struct diff_input *in;
	const char *link;
	difference_fn *fn;
	void *userdata;
};

/* Takes over both texts. */
static void tell(const struct describer *d, const char *key, char *declared, char *found, struct loc loc)
{
	struct difference difference = {.link = d->link, .declared = declared, .found = found, .loc = loc};

	snprintf(difference.key, sizeof(difference.key), "%s", key);
	d->fn(&difference, d->userdata);
	free(declared);
	free(found);
}

static char *found_text(const struct describer *d, const struct option *o, const struct values *have, unsigned row)
{
	const struct link *named;

	if (!values_has(have, row))
		return xstrdup(o->type->is_blob ? "none" : "not shown by the kernel");
	if (o->type == &type_ifname) {
		named = model_index(d->in->actual, ifname_index(values_at(have, row)));
		return xstrdup(named ? named->name : "none");
	}
	return value_text(o, values_at(have, row));
}

static char *wanted_text(const struct option *o, union value v)
{
	return o->type->is_blob && !v.blob ? xstrdup("none") : value_text(o, v);
}

static void describe_rows(const struct describer *d, const struct values *want, const struct values *have,
			  uint64_t rows)
{
	for (unsigned row = 0; want && row < want->table->n; row++) {
		const struct option *o = &want->table->rows[row];

		if ((rows >> row & 1) && !diff_row_equal(d->in->actual, o, values_at(want, row), have, row))
			tell(d, o->key, wanted_text(o, values_at(want, row)), found_text(d, o, have, row),
			     values_loc(want, row));
	}
}

static void describe_addresses(const struct describer *d, const struct link *want, const struct link *have)
{
	for (size_t i = 0; i < want->n_addresses; i++)
		if (diff_address_missing(want, have, &want->addresses[i]))
			tell(d, "address", PRINT_TEXT(address_print, &want->addresses[i]), xstrdup("none"),
			     want->addresses[i].loc);
	for (size_t i = 0; i < have->n_addresses; i++)
		if (diff_address_extra(d->in, want, have, &have->addresses[i]))
			tell(d, "address", xstrdup("none"), PRINT_TEXT(address_print, &have->addresses[i]), LOC_NONE);
}

static void describe_routes(const struct describer *d, const struct link *want, const struct link *have)
{
	for (size_t i = 0; i < want->n_routes; i++)
		if (diff_route_missing(have, &want->routes[i]))
			tell(d, "route", PRINT_TEXT(route_print, &want->routes[i]), xstrdup("none"),
			     want->routes[i].loc);
	for (size_t i = 0; i < have->n_routes; i++)
		if (diff_route_extra(d->in, want, have, &have->routes[i]))
			tell(d, "route", xstrdup("none"), PRINT_TEXT(route_print, &have->routes[i]), LOC_NONE);
}

static char *vlans_text(const struct link *l)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < l->n_vlans; i++) {
		fprintf(f, "%s%u", i ? " " : "", l->vlans[i].vid);
		if (l->vlans[i].flags & BRIDGE_VLAN_INFO_PVID)
			fputs("(pvid)", f);
		if (l->vlans[i].flags & BRIDGE_VLAN_INFO_UNTAGGED)
			fputs("(untagged)", f);
	}
	if (!l->n_vlans)
		fputs("none", f);
	fclose(f);
	return text;
}

void diff_describe(const struct diff_input *in, const struct link_diff *diff, difference_fn *fn, void *userdata)
{
	const struct link *want = diff->want, *have = diff->have;
	struct describer d = {.in = in, .link = want ? want->name : have->name, .fn = fn, .userdata = userdata};
	const struct link *master = have ? model_master(in->actual, have) : NULL;
	const struct link *parent = have ? model_parent(in->actual, have) : NULL;

	if (!want) {
		tell(&d, "link", xstrdup("absent"), xstrdup("present"), LOC_NONE);
		return;
	}
	if (!have) {
		tell(&d, "link", xstrdup("present"), xstrdup("absent"), want->loc);
		return;
	}
	if (have->kind != want->kind) {
		tell(&d, "kind", xstrdup(want->kind->name), xstrdup(have->kind->name), want->loc);
		return;
	}
	if (diff->recreate && want->parent_name[0] && (!parent || !streq(parent->name, want->parent_name)))
		tell(&d, "parent", xstrdup(want->parent_name), xstrdup(parent ? parent->name : "none"), want->loc);
	if (diff->master)
		tell(&d, "master", xstrdup(want->master_name[0] ? want->master_name : "none"),
		     xstrdup(master ? master->name : "none"), want->loc);
	describe_rows(&d, want->common, have->common, diff->common);
	describe_rows(&d, want->own, have->own, diff->own);
	describe_rows(&d, want->port, have->port, diff->master ? 0 : diff->port);
	if (diff->vlans)
		tell(&d, "vlans", vlans_text(want), vlans_text(have), want->loc);
	if (diff->addresses)
		describe_addresses(&d, want, have);
	if (diff->routes)
		describe_routes(&d, want, have);
}
