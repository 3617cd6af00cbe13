/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what differs between two models of kernel state (kernel.h), for verifying that a rollback came back to what
 * was, and that the state kept from events is what a dump shows. Pure. Relations are compared by name: a
 * link that was made again has another ifindex.
 */
#include "compare.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>

struct comparison {
	const struct model *a, *b;
	const char *link;
	bool with_status;
	kernel_difference_fn *add;
	void *userdata;
	size_t n;
};

static const char *or_none(const char *text)
{
	return text && text[0] ? text : "none";
}

static void differ(struct comparison *c, const char *what, const char *in_a, const char *in_b)
{
	_cleanup_free_ char *line = NULL;

	c->n++;
	if (!c->add)
		return;
	line = xasprintf("%s: %s: %s, then %s", c->link, what, or_none(in_a), or_none(in_b));
	c->add(line, c->userdata);
}

static void compare_texts(struct comparison *c, const char *what, const char *in_a, const char *in_b)
{
	if (!streq(or_none(in_a), or_none(in_b)))
		differ(c, what, in_a, in_b);
}

static bool value_same(const struct comparison *c, const struct option *o, union value a, union value b)
{
	_cleanup_free_ char *text_a = NULL, *text_b = NULL;

	if (!o->type->is_blob)
		return a.num == b.num;
	if (o->type != &type_ifname)
		return (!a.blob || !a.blob->len) == (!b.blob || !b.blob->len) &&
		       (!a.blob || !a.blob->len || blob_equal(a.blob, b.blob));
	text_a = value_text_in(c->a, o, a);
	text_b = value_text_in(c->b, o, b);
	return streq(text_a, text_b);
}

static void compare_value(struct comparison *c, const struct option *o, unsigned row, const struct values *a,
			  const struct values *b)
{
	_cleanup_free_ char *text_a = NULL, *text_b = NULL;
	bool has_a = values_has(a, row), has_b = values_has(b, row);

	if (!has_a && !has_b)
		return;
	if (has_a && has_b && value_same(c, o, values_at(a, row), values_at(b, row)))
		return;
	/* Texts only where they are told: every event of a link is compared with what is known of it. */
	if (c->add) {
		text_a = has_a ? value_text_in(c->a, o, values_at(a, row)) : NULL;
		text_b = has_b ? value_text_in(c->b, o, values_at(b, row)) : NULL;
	}
	differ(c, o->key, text_a, text_b);
}

static void compare_values(struct comparison *c, const char *what, const struct values *a, const struct values *b,
			   uint64_t passed_over)
{
	const struct option_table *table = a ? a->table : b ? b->table : NULL;

	if (!table)
		return;
	if (a && b && a->table != b->table) {
		differ(c, what, a->table->what, b->table->what);
		return;
	}
	for (unsigned row = 0; row < table->n; row++)
		if (!(passed_over >> row & 1) && (c->with_status || !(table->rows[row].flags & OPTION_STATUS)))
			compare_value(c, &table->rows[row], row, a, b);
}

static const char *name_of(const struct model *m, uint32_t ifindex)
{
	const struct link *l = ifindex ? model_index(m, ifindex) : NULL;

	return l ? l->name : NULL;
}

/*
 * Whether detection of duplicates is still going on is a matter of time, and the kernel tells of an address only when
 * that is over (net/ipv6/addrconf.c, addrconf_dad_completed), without a carrier never.
 */
#define IFA_TIMED (IFA_F_TENTATIVE | IFA_F_OPTIMISTIC)

static bool address_unchanged(const struct address *a, const struct address *b)
{
	return address_same(a, b) && a->prefix_len == b->prefix_len && a->scope == b->scope && a->proto == b->proto &&
	       (a->flags & ~IFA_TIMED) == (b->flags & ~IFA_TIMED) &&
	       (a->valid_lft == UINT32_MAX) == (b->valid_lft == UINT32_MAX);
}

static char *address_text(const struct address *a)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = xmemstream(&text, &size);

	address_print(a, f);
	fprintf(f, " (scope %u, protocol %u, flags 0x%x)", a->scope, a->proto, a->flags);
	fclose(f);
	return text;
}

static const struct address *address_find(const struct link *l, const struct address *a)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (address_unchanged(&l->addresses[i], a))
			return &l->addresses[i];
	return NULL;
}

static void compare_addresses(struct comparison *c, const struct link *a, const struct link *b)
{
	for (size_t i = 0; i < a->n_addresses; i++) {
		_cleanup_free_ char *text = NULL;

		if (a->addresses[i].flags & IFA_F_TENTATIVE || address_find(b, &a->addresses[i]))
			continue;
		text = address_text(&a->addresses[i]);
		differ(c, "address", text, NULL);
	}
	for (size_t i = 0; i < b->n_addresses; i++) {
		_cleanup_free_ char *text = NULL;

		if (b->addresses[i].flags & IFA_F_TENTATIVE || address_find(a, &b->addresses[i]))
			continue;
		text = address_text(&b->addresses[i]);
		differ(c, "address", NULL, text);
	}
}

static char *route_text(const struct route *r)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = xmemstream(&text, &size);

	route_print(r, f);
	fprintf(f, " (table %u, protocol %u)", r->table, r->protocol);
	fclose(f);
	return text;
}

static bool route_identical(const struct route *a, const struct route *b)
{
	return route_equal(a, b) && a->scope == b->scope && a->type == b->type && a->flags == b->flags;
}

static const struct route *route_find(const struct link *l, const struct route *r)
{
	for (size_t i = 0; i < l->n_routes; i++)
		if (route_identical(&l->routes[i], r))
			return &l->routes[i];
	return NULL;
}

static void compare_routes(struct comparison *c, const struct link *a, const struct link *b)
{
	for (size_t i = 0; i < a->n_routes; i++) {
		_cleanup_free_ char *text = NULL;

		if (route_find(b, &a->routes[i]))
			continue;
		text = route_text(&a->routes[i]);
		differ(c, "route", text, NULL);
	}
	for (size_t i = 0; i < b->n_routes; i++) {
		_cleanup_free_ char *text = NULL;

		if (route_find(a, &b->routes[i]))
			continue;
		text = route_text(&b->routes[i]);
		differ(c, "route", NULL, text);
	}
	if (a->n_routes != b->n_routes && !c->n)
		differ(c, "number of routes", a->n_routes > b->n_routes ? "more" : "fewer",
		       a->n_routes > b->n_routes ? "fewer" : "more");
}

static char *vlans_text(const struct link *l)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = xmemstream(&text, &size);

	for (size_t i = 0; i < l->n_vlans; i++)
		fprintf(f, "%s%u%s%s", i ? " " : "", l->vlans[i].vid,
			l->vlans[i].flags & BRIDGE_VLAN_INFO_PVID ? " pvid" : "",
			l->vlans[i].flags & BRIDGE_VLAN_INFO_UNTAGGED ? " untagged" : "");
	fclose(f);
	return text;
}

static void compare_vlans(struct comparison *c, const struct link *a, const struct link *b)
{
	_cleanup_free_ char *text_a = NULL, *text_b = NULL;
	size_t i = 0;

	while (i < a->n_vlans && i < b->n_vlans && a->vlans[i].vid == b->vlans[i].vid &&
	       a->vlans[i].flags == b->vlans[i].flags)
		i++;
	if (i == a->n_vlans && i == b->n_vlans)
		return;
	text_a = vlans_text(a);
	text_b = vlans_text(b);
	differ(c, "VLANs", text_a, text_b);
}

static char *altnames_text(const struct link *l)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = xmemstream(&text, &size);

	for (const char *name = l->altnames; name && *name; name += strlen(name) + 1)
		fprintf(f, "%s%s", name == l->altnames ? "" : " ", name);
	fclose(f);
	return text;
}

static void compare_altnames(struct comparison *c, const struct link *a, const struct link *b)
{
	_cleanup_free_ char *text_a = NULL, *text_b = NULL;

	if (!a->altnames && !b->altnames)
		return;
	text_a = altnames_text(a);
	text_b = altnames_text(b);
	compare_texts(c, "altnames", text_a, text_b);
}

static void compare_basics(struct comparison *c, const struct link *a, const struct link *b)
{
	compare_texts(c, "kind", a->info_kind, b->info_kind);
	compare_texts(c, "master", name_of(c->a, a->master), name_of(c->b, b->master));
	compare_texts(c, "parent", name_of(c->a, a->parent), name_of(c->b, b->parent));
	compare_altnames(c, a, b);
	compare_texts(c, "alias", a->has_alias ? "yes" : "no", b->has_alias ? "yes" : "no");
	if ((a->flags ^ b->flags) & IFF_UP)
		differ(c, "state", a->flags & IFF_UP ? "up" : "down", b->flags & IFF_UP ? "up" : "down");
	else if ((a->flags ^ b->flags) & IFF_LOWER_UP)
		differ(c, "carrier", a->flags & IFF_LOWER_UP ? "yes" : "no", b->flags & IFF_LOWER_UP ? "yes" : "no");
}

/*
 * Rows that show something of the moment in place of what they were set to, and change back without an event: what a
 * kind takes back from the wanted values for that (the timers of a bridge with STP).
 */
static uint64_t rows_of_the_moment(const struct link *l, const struct link *moment)
{
	struct link *want;
	uint64_t rows;

	if (!l->own || !l->kind->settle || l->kind != moment->kind)
		return 0;
	want = link_copy(l);
	l->kind->settle(want, moment);
	rows = l->own->set & ~want->own->set;
	link_free(want);
	return rows;
}

static void compare_links(struct comparison *c, const struct link *a, const struct link *b)
{
	c->link = a->name;
	compare_basics(c, a, b);
	compare_values(c, "options", a->common, b->common, LINK_HOST_ROWS);
	compare_values(c, "options", a->own, b->own, rows_of_the_moment(a, b) | rows_of_the_moment(b, a));
	compare_values(c, "port options", a->port, b->port, 0);
	compare_addresses(c, a, b);
	compare_routes(c, a, b);
	compare_vlans(c, a, b);
}

void kernel_compare(const struct model *a, const struct model *b, kernel_difference_fn *add, void *userdata)
{
	struct comparison c = {.a = a, .b = b, .add = add, .userdata = userdata};

	for (size_t i = 0; i < a->n_links; i++) {
		const struct link *other = model_find(b, a->links[i]->name);

		c.n = 0;
		c.link = a->links[i]->name;
		if (other)
			compare_links(&c, a->links[i], other);
		else
			differ(&c, "link", "there", "gone");
	}
	for (size_t i = 0; i < b->n_links; i++) {
		c.link = b->links[i]->name;
		if (!model_find(a, c.link))
			differ(&c, "link", NULL, "there");
	}
}

bool link_unchanged(const struct model *m, const struct link *before, const struct link *after)
{
	struct comparison c = {.a = m, .b = m, .link = after->name, .with_status = true};

	if (!streq(before->name, after->name) || before->operstate != after->operstate ||
	    before->carrier != after->carrier || before->master != after->master || before->parent != after->parent)
		return false;
	compare_basics(&c, before, after);
	compare_values(&c, "", before->common, after->common, LINK_HOST_ROWS);
	compare_values(&c, "", before->own, after->own, 0);
	compare_values(&c, "", before->port, after->port, 0);
	return c.n == 0;
}
