/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: diff.h. */
#include "diff.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "../model/kind-bond.h"

void diff_done(struct diff *d)
{
	free(d->list);
	*d = DIFF_NULL;
}

bool diff_row_equal(const struct model *actual, const struct option *o, union value want, const struct values *have,
		    unsigned row)
{
	const struct link *named;

	if (o->place == PLACE_CONFIG || o->place == PLACE_VLANS || (o->flags & OPTION_STATUS))
		return true;
	if (o->type == &type_ifname && want.blob) {
		named = model_find(actual, (const char *)want.blob->data);
		/* A device that is not there cannot be named to the kernel; when it comes, this differs. */
		if (!named)
			return true;
		/* A bond shows its primary only while that is one of its ports. */
		return values_has(have, row) ? ifname_index(values_at(have, row)) == named->ifindex
					     : (o->flags & OPTION_HIDDEN_READ) && !named->master;
	}
	if (o->type == &type_ifname)
		return !values_has(have, row) || ifname_index(values_at(have, row)) == 0;
	if (!values_has(have, row))
		return (o->flags & OPTION_HIDDEN_READ) || (o->type->is_blob && (!want.blob || want.blob->len == 0));
	return o->type->equal(o, want, values_at(have, row));
}

bool diff_mode_allows(const struct link *bond, const struct option *o)
{
	int mode;

	/* First what is true of nearly all rows: thousands of links are asked. */
	if (!o->modes || !bond)
		return true;
	mode = option_find(&bond->kind->own, "mode");
	return mode < 0 || (o->modes >> values_num(bond->own, (unsigned)mode, 0) & 1);
}

uint64_t diff_rows_of_mode(const struct link *l)
{
	uint64_t rows = 0;

	for (unsigned row = 0; l->own && row < l->own->table->n; row++)
		if (diff_mode_allows(l, &l->own->table->rows[row]))
			rows |= 1ull << row;
	return rows;
}

static uint64_t rows_differing(const struct model *actual, const struct values *want, const struct values *have)
{
	uint64_t differing = 0;

	for (uint64_t left = want ? want->set : 0; left; left &= left - 1) {
		unsigned row = (unsigned)__builtin_ctzll(left);

		if (!diff_row_equal(actual, &want->table->rows[row], values_at(want, row), have, row))
			differing |= 1ull << row;
	}
	return differing;
}

/* Rows the kernel is to be told when a link is made. */
static uint64_t sendable(const struct values *want)
{
	uint64_t rows = 0;

	for (unsigned row = 0; want && row < want->table->n; row++) {
		const struct option *o = &want->table->rows[row];

		if (values_has(want, row) && o->place != PLACE_CONFIG && o->place != PLACE_VLANS &&
		    !(o->flags & OPTION_STATUS))
			rows |= 1ull << row;
	}
	return rows;
}

/* Addresses whose order is put back with them: the first of an IPv4 subnet is the one that is sent from. */
static bool is_ordered(const struct address *a)
{
	return a->valid_lft == UINT32_MAX && (a->family == AF_INET || a->scope != RT_SCOPE_LINK);
}

static const struct address *next_found(const struct link *have, uint8_t family, size_t *next)
{
	while (*next < have->n_addresses) {
		size_t i = (*next)++;
		const struct address *a =
			&have->addresses[family == AF_INET ? i : have->n_addresses - 1 - i]; /* the newest first */

		if (a->family == family && is_ordered(a))
			return a;
	}
	return NULL;
}

/*
 * Does an address, wanted or found, stay where it is on a link that is to be exactly as it was? Those do that come
 * before the first difference; what comes after it goes, and is added in its order.
 */
static bool stays(const struct link *want, const struct link *have, const struct address *a)
{
	size_t next = 0;

	for (size_t i = 0; i < want->n_addresses; i++) {
		const struct address *wanted = &want->addresses[i], *found;

		if (wanted->family != a->family || !is_ordered(wanted))
			continue;
		found = next_found(have, a->family, &next);
		if (!found || !address_equal(wanted, found))
			return false;
		if (wanted == a || found == a)
			return true;
	}
	return false;
}

bool diff_address_missing(const struct link *want, const struct link *have, const struct address *wanted)
{
	if (want->exact && have && is_ordered(wanted))
		return !stays(want, have, wanted);
	for (size_t i = 0; have && i < have->n_addresses; i++)
		if (address_same(&have->addresses[i], wanted))
			return false;
	return true;
}

bool diff_address_wanted(const struct link *want, const struct address *found)
{
	for (size_t i = 0; want && i < want->n_addresses; i++)
		if (address_same(&want->addresses[i], found))
			return true;
	return false;
}

/* An address that moved with its NIC into a master is declared up there, and goes from the NIC. */
static bool address_moved(const struct diff_input *in, const struct link *want, const struct address *found)
{
	const struct link *master = want;

	while (master && master->master_name[0]) {
		master = model_find(&in->effective->links, master->master_name);
		if (diff_address_wanted(master, found))
			return true;
	}
	return false;
}

bool diff_address_extra(const struct diff_input *in, const struct link *want, const struct link *have,
			const struct address *found)
{
	if (!want)
		return false;
	/* Of a device that is only stood on, nothing but what we added goes. */
	if (want->foreign)
		return ledger_added(in->ledger, have, found);
	if (want->exact && is_ordered(found))
		return !stays(want, have, found);
	if (diff_address_wanted(want, found))
		return false;
	/* What the kernel made before it was told that this port is to have none (IFA_PROTO: IFAPROT_KERNEL_LL). */
	if (found->scope == RT_SCOPE_LINK && found->family == AF_INET6 && found->proto == 3 &&
	    values_num(want->common, LINK_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_EUI64) == IN6_ADDR_GEN_MODE_NONE)
		return true;
	if (want->exact)
		return found->valid_lft == UINT32_MAX && found->scope != RT_SCOPE_LINK;
	return ledger_added(in->ledger, have, found) || address_moved(in, want, found);
}

bool diff_route_missing(const struct link *have, const struct route *wanted)
{
	for (size_t i = 0; have && i < have->n_routes; i++)
		if (route_equal(&have->routes[i], wanted))
			return false;
	return true;
}

/* A route of the same key on another link replaces this one, so nothing is left to delete. */
static bool route_replaced(const struct diff_input *in, const struct link *mine, const struct route *found)
{
	/* Mostly it is the wanted one itself, and there are thousands of links to look at. */
	for (size_t r = 0; mine && !mine->waits_for && r < mine->n_routes; r++)
		if (route_same(&mine->routes[r], found))
			return true;
	for (size_t i = 0; i < in->effective->links.n_links; i++) {
		const struct link *want = in->effective->links.links[i];

		for (size_t r = 0; r < want->n_routes; r++)
			/* Where it is on another link already, nothing is sent that would replace this one. */
			if (!want->waits_for && route_same(&want->routes[r], found) &&
			    (want == mine || diff_route_missing(model_find(in->actual, want->name), &want->routes[r])))
				return true;
	}
	return false;
}

bool diff_route_extra(const struct diff_input *in, const struct link *want, const struct link *have _unused_,
		      const struct route *found)
{
	if (!want || found->protocol == RTPROT_KERNEL || found->protocol == RTPROT_RA)
		return false;
	if ((want->foreign || !want->exact) && found->protocol != KVMNETD_PROTO)
		return false;
	return !route_replaced(in, want, found);
}

bool diff_route_stays(const struct diff_input *in, const struct link *want, const struct link *have,
		      const struct route *found)
{
	for (size_t r = 0; want && r < want->n_routes; r++)
		if (route_equal(&want->routes[r], found))
			return true;
	return !diff_route_extra(in, want, have, found) && !route_replaced(in, want, found);
}

static bool addresses_differ(const struct diff_input *in, const struct link *want, const struct link *have)
{
	for (size_t i = 0; i < want->n_addresses; i++)
		if (diff_address_missing(want, have, &want->addresses[i]))
			return true;
	for (size_t i = 0; have && i < have->n_addresses; i++)
		if (diff_address_extra(in, want, have, &have->addresses[i]))
			return true;
	return false;
}

static bool routes_differ(const struct diff_input *in, const struct link *want, const struct link *have)
{
	for (size_t i = 0; i < want->n_routes; i++)
		if (diff_route_missing(have, &want->routes[i]))
			return true;
	for (size_t i = 0; have && i < have->n_routes; i++)
		if (diff_route_extra(in, want, have, &have->routes[i]))
			return true;
	return false;
}

static bool vlans_differ(const struct link *want, const struct link *have)
{
	if (!want->vlans_managed)
		return false;
	if (want->n_vlans != have->n_vlans)
		return true;
	for (size_t i = 0; i < want->n_vlans; i++)
		if (want->vlans[i].vid != have->vlans[i].vid || want->vlans[i].flags != have->vlans[i].flags)
			return true;
	return false;
}

static bool has_recreate_row(const struct values *want, uint64_t rows)
{
	for (unsigned row = 0; want && row < want->table->n; row++)
		if ((rows >> row & 1) && want->table->rows[row].change == CHANGE_RECREATE)
			return true;
	return false;
}

static bool parent_differs(const struct diff_input *in, const struct link *want, const struct link *have)
{
	const struct link *parent = model_find(in->actual, want->parent_name);

	/* Of one that is not declared (a port, a link that goes back to what it was) no parent is wanted. */
	if (!want->parent_name[0])
		return false;
	/* A parent that is to be made anew takes its VLANs with it. */
	return !parent || parent->ifindex != have->parent;
}

/* A master that is not there yet because it waits for a device cannot be joined. */
static bool can_be_joined(const struct diff_input *in, const struct link *want)
{
	const struct link *master = want->master_name[0] ? model_find(&in->effective->links, want->master_name) : NULL;

	return !master || !master->waits_for || master->as_found;
}

/*
 * A bond that balances by the MACs of its ports gives its own to the active one, and that one's to another
 * (drivers/net/bonding/bond_alb.c). Which has which is put back no more than which is active: the active one without
 * the bond's would be deaf.
 */
static bool lends_macs(const struct link *master)
{
	return master && bond_lends_macs(master);
}

static uint64_t mtu_of_new(const struct diff_input *in, const struct link *want)
{
	const struct link *parent = model_find(&in->effective->links, want->parent_name);
	const struct link *found = model_find(in->actual, want->parent_name);

	if (values_has(want->common, LINK_MTU) || !(want->kind->flags & KIND_MTU_OF_PARENT))
		return values_num(want->common, LINK_MTU, IPV6_MTU_MIN);
	if (found && !(parent && values_has(parent->common, LINK_MTU)))
		return values_num(found->common, LINK_MTU, IPV6_MTU_MIN);
	return parent ? mtu_of_new(in, parent) : IPV6_MTU_MIN;
}

/* Is, or gets, its MTU too small for IPv6? */
static bool is_too_small(const struct diff_input *in, const struct link *want, const struct link *have)
{
	return mtu_of_new(in, want) < IPV6_MTU_MIN ||
	       values_num(have ? have->common : NULL, LINK_MTU, IPV6_MTU_MIN) < IPV6_MTU_MIN;
}

/* A kernel that was started with ipv6.disable=1 has none, not even for lo. */
static bool has_no_ipv6(const struct model *actual)
{
	const struct link *lo = model_find(actual, "lo");

	return lo && lo->no_inet6;
}

/* Is it a declared one, which such a kernel is to refuse? */
static bool asks_for_ipv6(const struct link *want, unsigned row)
{
	if (row == LINK_ACCEPT_RA)
		return values_loc(want->common, row).line && values_num(want->common, row, 0);
	return row == LINK_DISABLE_IPV6 && values_has(want->common, LINK_IPV6) && !values_num(want->common, row, 0);
}

/*
 * Of a link without IPv6 the kernel has no settings of it, and takes none (net/ipv6/addrconf.c, addrconf_notify(),
 * inet6_validate_link_af()). When the MTU grows they differ again, after that.
 */
static uint64_t without_inet6(const struct diff_input *in, const struct link *want, const struct link *have,
			      uint64_t rows)
{
	bool none = has_no_ipv6(in->actual);

	if (!rows || (!none && !is_too_small(in, want, have)))
		return rows;
	for (unsigned row = 0; row < want->common->table->n; row++) {
		enum place place = want->common->table->rows[row].place;

		if ((place == PLACE_INET6 || place == PLACE_SYSCTL6) && !(none && asks_for_ipv6(want, row)))
			rows &= ~(1ull << row);
	}
	return rows;
}

static void diff_existing(const struct diff_input *in, struct link_diff *d)
{
	const struct link *want = d->want, *have = d->have;
	const struct link *master = model_master(in->actual, have);
	const char *master_name = master ? master->name : "";

	d->recreate = have->kind != want->kind && !want->foreign;
	if (d->recreate)
		return;
	d->common = without_inet6(in, want, have, rows_differing(in->actual, want->common, have->common));
	if (want->exact && (lends_macs(master) || lends_macs(model_find(&in->effective->links, want->master_name))))
		d->common &= ~(1ull << LINK_MAC);
	/* On the way back, what only the mode that is left allows is set before it is left. */
	d->own = rows_differing(in->actual, want->own, have->own);
	if (d->own)
		d->own &= diff_rows_of_mode(want) | diff_rows_of_mode(have);
	d->master = want->master_managed && !streq(want->master_name, master_name) && can_be_joined(in, want);
	if (!d->master && master_name[0]) {
		d->port = rows_differing(in->actual, want->port, have->port);
	} else if (d->master) {
		d->port = sendable(want->port);
	}
	d->recreate = has_recreate_row(want->own, d->own) || parent_differs(in, want, have);
	d->vlans = !d->master && vlans_differ(want, have);
	d->addresses = addresses_differ(in, want, have);
	d->routes = routes_differ(in, want, have);
}

void diff_as_new(const struct diff_input *in, struct link_diff *d)
{
	const struct link *want = d->want;

	d->common = without_inet6(in, want, NULL, sendable(want->common));
	d->own = sendable(want->own) & diff_rows_of_mode(want);
	d->port = sendable(want->port);
	d->master = want->master_name[0] != '\0';
	d->vlans = want->vlans_managed;
	d->addresses = want->n_addresses > 0;
	d->routes = want->n_routes > 0;
}

bool diff_link(const struct diff_input *in, const struct link *want, struct link_diff *ret)
{
	struct link_diff d = {.want = want, .have = model_find(in->actual, want->name)};

	if (want->waits_for || names_has(&in->effective->scope.context, want->name))
		return false;
	if (d.have)
		diff_existing(in, &d);
	if (!d.have || d.recreate)
		diff_as_new(in, &d);
	*ret = d;
	return !d.have || d.recreate || d.common || d.own || d.port || d.master || d.vlans || d.addresses || d.routes;
}

/*
 * What we made, by the number it was given, or by that of one that we made in its place since. Another link that has
 * its name now is of others.
 */
static const struct link *find_removed(const struct diff_input *in, const struct link *removed)
{
	const struct link *have = model_find(in->actual, removed->name);

	return have && (have->ifindex == removed->ifindex || ledger_made(in->ledger, have)) ? have : NULL;
}

void diff_models(const struct diff_input *in, struct diff *ret)
{
	struct diff result = DIFF_NULL;
	struct link_diff d;

	for (size_t i = 0; i < in->effective->links.n_links; i++)
		if (diff_link(in, in->effective->links.links[i], &d))
			*ARRAY_APPEND(result.list, result.n) = d;
	for (size_t i = 0; i < in->effective->removed.n_links; i++) {
		const struct link *have = find_removed(in, in->effective->removed.links[i]);
		const struct link *want = have ? model_find(&in->effective->links, have->name) : NULL;

		/* Of a link that is replaced by one of another kind, the wanted one already says so. */
		if (have && (!want || want->waits_for))
			*ARRAY_APPEND(result.list, result.n) = (struct link_diff){.have = have};
	}
	*ret = result;
}
