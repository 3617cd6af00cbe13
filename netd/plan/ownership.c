/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ownership.h. */
#include "diff.h"
#include "ownership-internal.h"

/* What names a link is noted by name: ifindexes do not outlive it. NULL: none. */
static union value found_name(const struct model *actual, const struct values *found, unsigned row)
{
	const struct link *named =
		found && values_has(found, row) ? model_index(actual, ifname_index(values_at(found, row))) : NULL;

	return (union value){.blob = named ? blob_new(named->name, strlen(named->name) + 1) : NULL};
}

/*
 * Did the declaration take this row over as it says itself? Then that is what was found, and not what somebody else has
 * made of it since. Of host rows and our own the declaration can change while the files stay.
 */
static bool was_found_as_declared(const struct link *want, const struct values *sent, unsigned row)
{
	const struct option *o = &sent->table->rows[row];

	if (!want->drifted || !values_has(sent, row))
		return false;
	if (sent == want->common && row == LINK_UP)
		return true; /* each declared link is, unless it says otherwise */
	return values_loc(sent, row).file && o->place != PLACE_HOST && !(o->flags & OPTION_INTERNAL);
}

/* The value before the first write: what is there, or on a link we make, the kernel's initial one. */
static void note_row(struct values **to, const struct link *want, const struct values *sent, unsigned row,
		     const struct values *found, const struct model *actual)
{
	const struct option *o = &sent->table->rows[row];
	union value v = {0};

	/* A link that was taken over is not made anew to be as it was. */
	if (values_has(*to, row) || (o->change == CHANGE_RECREATE && (found || !o->initial)))
		return;
	if (found && !values_has(found, row) && o->type != &type_ifname)
		return;
	if (found && was_found_as_declared(want, sent, row))
		v = value_copy(o, values_at(sent, row));
	else if (o->type == &type_ifname)
		v = found_name(actual, found, row);
	else if (found)
		v = value_copy(o, values_at(found, row));
	else if (!o->type->is_blob)
		v.num = (uint64_t)o->initial;
	if (!*to)
		*to = values_new(sent->table);
	values_put(*to, row, v, LOC_NONE);
}

static void note_rows(struct values **to, const struct link *want, const struct values *sent, uint64_t rows,
		      const struct values *found, const struct model *actual)
{
	for (unsigned row = 0; sent && row < sent->table->n; row++)
		if (rows >> row & 1)
			note_row(to, want, sent, row, found, actual);
}

static struct record *record_of(struct ledger *l, const struct op *op)
{
	const struct kind *kind = op->have ? op->have->kind : op->link->kind;
	struct record *r = ledger_find(l, op->link->name);

	/* A link of that name which is not the one we knew: what we knew of the old one is of no use. */
	if (r && op->have && (r->kind != kind || !record_fits(r, op->have))) {
		ledger_remove(l, op->link->name);
		r = NULL;
	}
	if (r)
		return ledger_get(l, op->link->name, kind);
	r = ledger_get(l, op->link->name, kind);
	r->ifindex = op->have ? op->have->ifindex : 0;
	return r;
}

static void note_mtu_of_new(struct record *r, const struct op *op, const struct model *actual)
{
	const struct link *parent = model_find(actual, op->link->parent_name);

	if (values_has(r->common, LINK_MTU) && parent)
		values_set_num(r->common, LINK_MTU, values_num(parent->common, LINK_MTU, 1500));
}

static void note_create(struct ledger *l, const struct op *op, const struct model *actual)
{
	const struct record *old = ledger_find(l, op->link->name);
	const struct link *have = model_find(actual, op->link->name);
	uint32_t replaces = have && ledger_made(l, have) ? have->ifindex : 0;
	uint64_t mac = op->link->mac_from_port ? values_num(op->link->common, LINK_MAC, 0) : old ? old->mac : 0;
	struct record *r;

	ledger_remove(l, op->link->name);
	r = ledger_get(l, op->link->name, op->link->kind);
	r->created = true;
	r->ifindex = op->ifindex;
	r->replaces = replaces;
	r->mac = mac;
	note_rows(&r->own, op->link, op->link->own, op->own, NULL, actual);
	note_rows(&r->common, op->link, op->link->common, op->common & ~(1ull << LINK_MAC), NULL, actual);
	note_mtu_of_new(r, op, actual);
	if (op->master == MASTER_JOIN) {
		r->joined = true;
		memcpy(r->master, op->master_name, IFNAMSIZ);
	}
}

static void note_join(struct record *r, const struct op *op, const struct model *actual)
{
	const struct link *master = op->have ? model_master(actual, op->have) : NULL;

	if (!r->joined && master && streq(master->name, op->master_name))
		return; /* let go and attached again within the plan: it was not us who attached it */
	if (!r->joined)
		snprintf(r->found_master, sizeof(r->found_master), "%s", master ? master->name : "");
	r->joined = true;
	memcpy(r->master, op->master_name, IFNAMSIZ);
}

/* A port that comes to another master starts with the kernel's initial values (net/bridge/br_if.c, new_nbp()). */
static void forget_port(struct record *r)
{
	r->port = values_free(r->port);
	vlans_forget(r);
}

/* A guest's port that lost its master is attached as it was; that is as little ours as it was before. */
static bool is_guest_again(const struct link *want)
{
	return want->foreign && want->master_managed && want->master_name[0];
}

/*
 * What a link had of its own: a bond gives its ports its MTU and MAC (bond_enslave()), and shows of what they had
 * before only the MAC. The caller frees it.
 */
static struct values *own_common(const struct link *have)
{
	struct values *v = have ? values_copy(have->common) : NULL;
	unsigned row = option_row(&kind_bond.port, "perm_hwaddr");

	if (!v || !have->port || have->port->table != &kind_bond.port)
		return v;
	values_unset(v, LINK_MTU);
	values_unset(v, LINK_MAC);
	if (values_has(have->port, row))
		values_put(v, LINK_MAC, values_at(have->port, row), LOC_NONE);
	return v;
}

/* What a new master changes of a port without being told to: a bond opens it, and see own_common(). */
#define ROWS_OF_JOIN (1ull << LINK_UP | 1ull << LINK_MTU | 1ull << LINK_MAC)

static void note_common(const struct ledger *l, struct record *r, const struct op *op, const struct model *actual)
{
	struct values *found = r->created ? NULL : own_common(op->have);
	uint64_t rows = op->common;

	if (r->created)
		rows &= ~(1ull << LINK_MAC);
	if (found && !streq(op->link->name, LINK_ALL))
		forwarding_note_lent(l, found);
	note_rows(&r->common, op->link, op->link->common, rows, found, actual);
	rows = op->master == MASTER_JOIN ? ROWS_OF_JOIN : op->flags != FLAGS_KEEP ? 1ull << LINK_UP : 0;
	if (found)
		note_rows(&r->common, op->link, op->link->common, rows, found, actual);
	values_free(found);
}

static void note_set(struct ledger *l, const struct op *op, const struct model *actual)
{
	const struct link *master = op->have ? model_master(actual, op->have) : NULL;
	bool is_port = master && master->kind == op->master_kind;
	bool moved = op->link->master_name[0] && !(master && streq(master->name, op->link->master_name));
	struct record *r;

	if (is_guest_again(op->link))
		return;
	if (streq(op->link->name, LINK_ALL))
		forwarding_note_all(l, op, actual);
	r = record_of(l, op);
	if (op->link->mac_from_port && (op->common >> LINK_MAC & 1) && r->created)
		r->mac = values_num(op->link->common, LINK_MAC, 0);
	note_common(l, r, op, actual);
	note_rows(&r->own, op->link, op->link->own, op->own, r->created || !op->have ? NULL : op->have->own, actual);
	if (op->master == MASTER_JOIN && !(master && streq(master->name, op->master_name)))
		forget_port(r);
	if (op->port && r->port_kind != op->master_kind) {
		r->port = values_free(r->port);
		r->port_kind = op->master_kind;
	}
	/* One made in its place starts with the kernel's, too. */
	if (moved || (op->have && r->created && r->ifindex != op->have->ifindex))
		is_port = false;
	note_rows(&r->port, op->link, op->link->port, op->port, is_port ? op->have->port : NULL, actual);
	if (op->master == MASTER_JOIN && !op->link->foreign)
		note_join(r, op, actual);
}

static void note_address(struct ledger *l, const struct op *op)
{
	struct record *r;

	if (diff_address_wanted(op->have, op->address))
		return; /* lost and put back within the plan */
	r = record_of(l, op);
	for (size_t i = 0; i < r->n_addresses; i++)
		if (address_same(&r->addresses[i], op->address))
			return;
	*ARRAY_APPEND(r->addresses, r->n_addresses) = *op->address;
}

void ledger_note_plan(struct ledger *l, const struct plan *p, const struct model *actual)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];

		switch (op->type) {
		case OP_CREATE:
			note_create(l, op, actual);
			break;
		case OP_SET:
		case OP_SYSCTL:
		case OP_HOST:
			note_set(l, op, actual);
			break;
		case OP_ADDRESS_ADD:
			note_address(l, op);
			break;
		case OP_VLAN_ADD:
		case OP_VLAN_DELETE:
			if (!is_guest_again(op->link) && vlans_are_said(op->link))
				vlans_note(record_of(l, op), op, actual);
			break;
		case OP_DELETE:
		case OP_ADDRESS_DELETE:
		case OP_ROUTE_ADD:
		case OP_ROUTE_DELETE:
		case OP_FIREWALL:
		case OP_PUT_BACK:
			break;
		}
	}
}

void ledger_note_made(struct ledger *l, const struct plan *p, const struct model *actual)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		struct record *r = op->type == OP_CREATE ? ledger_find(l, op->link->name) : NULL;

		if (!r || r->ifindex != op->ifindex || model_index(actual, op->ifindex))
			continue;
		r->ifindex = model_index(actual, r->replaces) ? r->replaces : 0;
		r->replaces = 0;
		ledger_note(l, r);
	}
}

bool ledger_note_return(struct ledger *l, const struct ledger_past *past, const struct plan *p)
{
	bool any = false;

	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		const struct record *was = op->type == OP_CREATE ? ledger_find(&past->records, op->link->name) : NULL;
		struct record *r;

		if (!was || !was->created || was->kind != op->link->kind)
			continue;
		ledger_remove(l, was->name);
		r = ledger_get(l, was->name, was->kind);
		r->created = true;
		r->ifindex = op->ifindex;
		any = true;
	}
	return any;
}

bool ledger_adopt(struct ledger *l, const struct effective *e, const struct model *actual)
{
	bool any = false;

	for (size_t i = 0; i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i], *have;
		struct record *r;

		if (!values_num(want->common, LINK_ADOPT, 0) || want->foreign)
			continue;
		have = model_find(actual, want->name);
		if (!have || have->kind != want->kind || ledger_made(l, have))
			continue;
		r = ledger_get(l, want->name, want->kind);
		r->created = true;
		r->ifindex = have->ifindex;
		/* It keeps its address, as one that we made does when its ports change. */
		if (want->kind->flags & KIND_HAS_PORTS)
			r->mac = values_num(have->common, LINK_MAC, 0);
		any = true;
	}
	return any;
}

static bool is_back(const struct values *found, unsigned row, const struct values *want, const struct values *have)
{
	const struct option *o = &found->table->rows[row];

	if (values_has(want, row) &&
	    (values_loc(want, row).file || !o->type->equal(o, values_at(want, row), values_at(found, row))))
		return false;
	return values_has(have, row) && o->type->equal(o, values_at(found, row), values_at(have, row));
}

static void settle_rows(struct values **found, uint64_t keep, const struct values *want, const struct values *have)
{
	for (unsigned row = 0; *found && row < (*found)->table->n; row++)
		if (values_has(*found, row) && !(keep >> row & 1) && have && have->table == (*found)->table &&
		    is_back(*found, row, want && want->table == have->table ? want : NULL, have))
			values_unset(*found, row);
	if (*found && !(*found)->set)
		*found = values_free(*found);
}

static void settle_addresses(struct record *r, const struct link *have)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_addresses; i++)
		if (diff_address_wanted(have, &r->addresses[i]))
			r->addresses[kept++] = r->addresses[i];
	r->n_addresses = kept;
}

/* Whatever settling does to a record, it takes something away from this. */
struct extent {
	uint32_t ifindex, replaces;
	bool joined;
	uint64_t common, own, port;
	size_t n_vlans, n_addresses;
	enum vlans_found vlans_found;
};

static struct extent extent_of(const struct record *r)
{
	return (struct extent){
		.ifindex = r->ifindex,
		.replaces = r->replaces,
		.joined = r->joined,
		.common = r->common ? r->common->set : 0,
		.own = r->own ? r->own->set : 0,
		.port = r->port ? r->port->set : 0,
		.n_vlans = r->n_vlans,
		.n_addresses = r->n_addresses,
		.vlans_found = r->vlans_found,
	};
}

static bool extent_same(const struct extent *a, const struct extent *b)
{
	return a->ifindex == b->ifindex && a->replaces == b->replaces && a->joined == b->joined &&
	       a->common == b->common && a->own == b->own && a->port == b->port && a->n_vlans == b->n_vlans &&
	       a->n_addresses == b->n_addresses && a->vlans_found == b->vlans_found;
}

/* Returns whether there is still something to remember. */
static bool forget_what_is_back(struct record *r, const struct effective *e, const struct model *actual)
{
	const struct link *have = model_find(actual, r->name), *want = model_find(&e->links, r->name);
	const struct link *master;
	uint64_t keep;

	if (!have) {
		r->ifindex = r->replaces = 0;
		return want && r->created;
	}
	if (r->kind != have->kind || !record_fits(r, have))
		return false;
	r->ifindex = have->ifindex;
	r->replaces = 0;
	master = model_master(actual, have);
	if (r->joined && (!master || !streq(master->name, r->master)))
		r->joined = false;
	if (!master || master->kind != r->port_kind)
		r->port = values_free(r->port);
	/* Down is what a bond that someone deletes leaves its ports: what they were counts from before they joined. */
	keep = r->joined ? 1ull << LINK_UP : 0;
	if (r->joined && master->kind->flags & KIND_PORTS_DOWN)
		keep = ROWS_OF_JOIN;
	settle_rows(&r->common, keep, want ? want->common : NULL, have->common);
	settle_rows(&r->own, have->kind->hidden ? have->kind->hidden(have) : 0, want ? want->own : NULL, have->own);
	settle_rows(&r->port, 0, want ? want->port : NULL, have->port);
	vlans_settle(r, want, have);
	settle_addresses(r, have);
	return r->vlans_found != VLANS_UNTOUCHED || r->created || r->joined || r->common || r->own || r->port ||
	       r->n_addresses;
}

static bool settle_record(struct ledger *l, struct record *r, const struct effective *e, const struct model *actual)
{
	const struct extent before = extent_of(r);
	struct extent after;
	bool stays;

	forwarding_settle(l, r, model_find(&e->links, r->name), actual);
	stays = forget_what_is_back(r, e, actual);
	after = extent_of(r);

	if (!extent_same(&before, &after))
		ledger_note(l, r);
	return stays;
}

void ledger_settle(struct ledger *l, const struct effective *e, const struct model *actual)
{
	size_t n;
	_cleanup_free_ struct record **list = scope_records(&e->scope, l, &n);

	for (size_t i = n; i-- > 0;)
		if (!settle_record(l, list[i], e, actual))
			ledger_remove(l, list[i]->name);
}

void ledger_follow(struct ledger_past *past, const struct ledger *now, const struct model *actual)
{
	for (size_t i = 0; i < past->records.n; i++) {
		struct record *r = past->records.list[i];
		const struct link *have = model_find(actual, r->name);

		if (!r->ifindex || !have || have->kind != r->kind)
			continue;
		/* One that others made meanwhile is theirs; who has the number of one of ours now says nothing. */
		if (r->created ? !ledger_made(now, have) : model_index(actual, r->ifindex) != NULL)
			continue;
		r->ifindex = have->ifindex;
		r->replaces = 0;
	}
}
