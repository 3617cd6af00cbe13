/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the options of a bond demand of each other. Everything that bond_changelink() and the setters in
 * drivers/net/bonding/bond_options.c would refuse is refused here, in their words, before a message is sent; what they
 * accept and silently change is warned of, and settled so that the read-back compares equal.
 */
#include "kind-bond.h"
#include "rule.h"

#define MIIMON_DEFAULT 100 /* BOND_DEFAULT_MIIMON; also what the kernel takes in modes that need a monitor */
#define TX_QUEUES 16	   /* BOND_DEFAULT_TX_QUEUES */

static const unsigned delays[] = {BOND_UPDELAY, BOND_DOWNDELAY, BOND_PEER_NOTIF_DELAY};

/* "active-backup, balance-tlb"; the caller frees it. */
static char *modes_text(unsigned modes)
{
	const char *separator = "";
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (unsigned mode = 0; bond_modes[mode]; mode++) {
		if (!(modes >> mode & 1))
			continue;
		fprintf(f, "%s%s", separator, bond_modes[mode]);
		separator = ", ";
	}
	fclose(f);
	return text;
}

static unsigned bond_mode(const struct link *l)
{
	return (unsigned)values_num(l->own, BOND_MODE, MODE_RR);
}

static bool mode_legal(const struct option *o, unsigned mode)
{
	return o->modes == 0 || o->modes >> mode & 1;
}

/* " (FILE:LINE)" of the bond's option, or "". The caller frees it. */
static char *place_of(const struct diags *d, const struct link *bond, unsigned row)
{
	return rule_place(d, values_loc(bond->own, row));
}

/* The kernel says "option not supported in mode" (EACCES), even when the value is what it already has. */
static char *mode_refusal(const struct diags *d, const struct link *bond, const struct option *o)
{
	_cleanup_free_ char *legal = modes_text(o->modes), *place = place_of(d, bond, BOND_MODE);
	unsigned mode = bond_mode(bond);

	return xasprintf("option not supported in mode %s(%u)%s; it is in %s", bond_modes[mode], mode,
			 values_has(bond->own, BOND_MODE) ? place : " (the kernel's default)", legal);
}

static void check_modes(const struct link *l, struct diags *d)
{
	for (unsigned row = 0; row < l->own->table->n; row++) {
		const struct option *o = &l->own->table->rows[row];
		_cleanup_free_ char *refusal = NULL;

		if (!values_has(l->own, row) || mode_legal(o, bond_mode(l)))
			continue;
		refusal = mode_refusal(d, l, o);
		rule_own(d, SEVERITY_ERROR, l, row, "%s", refusal);
	}
}

/* The monitors, as declared or as they will be by default. */
struct monitors {
	bool miimon_declared;
	uint64_t miimon, arp_interval;
};

static struct monitors bond_monitors(const struct link *l)
{
	struct monitors mon = {.miimon_declared = values_has(l->own, BOND_MIIMON)};

	if (mode_legal(&kind_bond.own.rows[BOND_ARP_INTERVAL], bond_mode(l)))
		mon.arp_interval = values_num(l->own, BOND_ARP_INTERVAL, 0);
	mon.miimon = values_num(l->own, BOND_MIIMON, mon.arp_interval ? 0 : MIIMON_DEFAULT);
	return mon;
}

static void check_arp(const struct link *l, const struct monitors *mon, struct diags *d)
{
	bool validate = values_num(l->own, BOND_ARP_VALIDATE, 0) &&
			mode_legal(&kind_bond.own.rows[BOND_ARP_VALIDATE], bond_mode(l));
	_cleanup_free_ char *place = place_of(d, l, BOND_MIIMON);

	if (mon->arp_interval && mon->miimon)
		rule_own(d, SEVERITY_ERROR, l, BOND_ARP_INTERVAL,
			 "ARP monitoring cannot be used with MII monitoring, miimon = %llu%s: declare one of them",
			 (unsigned long long)mon->miimon, place);
	if (mon->arp_interval && !values_has(l->own, BOND_ARP_IP_TARGET) && !values_has(l->own, BOND_NS_IP6_TARGET))
		rule_own(d, SEVERITY_ERROR, l, BOND_ARP_INTERVAL, "needs arp_ip_target or ns_ip6_target");
	if (!validate || mon->arp_interval)
		return;
	if (mon->miimon)
		rule_own(d, SEVERITY_ERROR, l, BOND_ARP_VALIDATE,
			 "ARP validating cannot be used with MII monitoring, miimon = %llu%s: it needs arp_interval",
			 (unsigned long long)mon->miimon, mon->miimon_declared ? place : " (the default)");
	else
		rule_own(d, SEVERITY_WARNING, l, BOND_ARP_VALIDATE, "does nothing without arp_interval");
}

static void check_delays(const struct link *l, const struct monitors *mon, struct diags *d)
{
	_cleanup_free_ char *miimon = place_of(d, l, BOND_MIIMON), *arp = place_of(d, l, BOND_ARP_INTERVAL);

	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		uint64_t delay = values_num(l->own, delays[i], 0);

		if (!values_has(l->own, delays[i]))
			continue;
		if (!mon->miimon)
			rule_own(d, SEVERITY_ERROR, l, delays[i], "needs miimon: MII monitoring is disabled by %s%s",
				 mon->arp_interval ? "arp_interval" : "miimon = 0", mon->arp_interval ? arp : miimon);
		else if (delay % mon->miimon)
			rule_own(d, SEVERITY_WARNING, l, delays[i],
				 "is not a multiple of miimon, %llums%s: the kernel rounds it to %llums",
				 (unsigned long long)mon->miimon, miimon,
				 (unsigned long long)(delay - delay % mon->miimon));
	}
}

static void check_primary(const struct link *l, struct diags *d)
{
	_cleanup_free_ char *place = rule_ports_place(d, l);
	const char *name;

	if (!values_has(l->own, BOND_PRIMARY) || !values_at(l->own, BOND_PRIMARY).blob)
		return;
	name = (const char *)values_at(l->own, BOND_PRIMARY).blob->data;
	if (!rule_has_port(l, name))
		rule_own(d, SEVERITY_ERROR, l, BOND_PRIMARY, "'%s' is not one of the ports declared for %s%s", name,
			 l->name, place);
}

/* bond_3ad_set_carrier(), drivers/net/bonding/bond_3ad.c; the other modes do not ask. */
static void check_min_links(const struct link *l, struct diags *d)
{
	_cleanup_free_ char *place = rule_ports_place(d, l);

	if (bond_mode(l) == MODE_8023AD && values_num(l->own, BOND_MIN_LINKS, 0) > l->n_ports)
		rule_own(d, SEVERITY_WARNING, l, BOND_MIN_LINKS,
			 "is more than the ports declared for %s, %u%s: with these alone it has no carrier", l->name,
			 l->n_ports, place);
}

void bond_check(const struct model *m _unused_, const struct link *l, struct diags *d)
{
	struct monitors mon = bond_monitors(l);

	check_modes(l, d);
	check_arp(l, &mon, d);
	check_delays(l, &mon, d);
	check_primary(l, d);
	check_min_links(l, d);
	if (!mon.miimon && !mon.arp_interval)
		rule_own(d, SEVERITY_WARNING, l, BOND_MIIMON, "without a monitor the bond never notices a dead port");
}

/* The kernel answers EPERM to a queue that another port has, and to one past the transmit queues. */
static void check_queue_id(const struct model *m, const struct link *master, const struct link *port, struct diags *d)
{
	uint64_t queue = values_num(port->port, BOND_PORT_QUEUE_ID, 0);

	if (queue > TX_QUEUES)
		rule_port(d, SEVERITY_WARNING, port, BOND_PORT_QUEUE_ID,
			  "the kernel refuses more than the bond's transmit queues: %u, unless the bonding module was "
			  "loaded with tx_queues",
			  TX_QUEUES);
	for (size_t i = 0; queue && i < master->n_ports && !streq(master->ports[i].name, port->name); i++) {
		const struct link *other = model_find(m, master->ports[i].name);
		_cleanup_free_ char *place = NULL;

		if (!other || !other->port || other->port->table != port->port->table ||
		    values_num(other->port, BOND_PORT_QUEUE_ID, 0) != queue)
			continue;
		place = rule_place(d, values_loc(other->port, BOND_PORT_QUEUE_ID));
		rule_port(d, SEVERITY_ERROR, port, BOND_PORT_QUEUE_ID, "%llu is already the queue of port %s of %s%s",
			  (unsigned long long)queue, other->name, master->name, place);
	}
}

void bond_check_port(const struct model *m, const struct link *master, const struct link *port, struct diags *d)
{
	uint64_t mtu = values_num(master->common, LINK_MTU, 0);
	_cleanup_free_ char *place = rule_place(d, values_loc(master->common, LINK_MTU));
	_cleanup_free_ char *primary = place_of(d, master, BOND_PRIMARY);

	if (mtu && values_num(port->common, LINK_MTU, mtu) != mtu)
		rule_add(d, SEVERITY_WARNING, port->kind->name, port, port->common, LINK_MTU,
			 "differs from the mtu of %s, %llu%s, which a bond gives to its ports", master->name,
			 (unsigned long long)mtu, place);
	if (!port->port)
		return;
	for (unsigned row = 0; row < port->port->table->n; row++) {
		const struct option *o = &port->port->table->rows[row];
		_cleanup_free_ char *refusal = NULL;

		if (!values_has(port->port, row) || mode_legal(o, bond_mode(master)))
			continue;
		refusal = mode_refusal(d, master, o);
		rule_port(d, SEVERITY_ERROR, port, row, "%s", refusal);
	}
	if (values_has(port->port, BOND_PORT_PRIO) && values_has(master->own, BOND_PRIMARY))
		rule_port(d, SEVERITY_WARNING, port, BOND_PORT_PRIO, "has no effect while %s has a primary%s",
			  master->name, primary);
	check_queue_id(m, master, port, d);
}

/*
 * Is there no monitor unless we state one? A monitor that a taken-over bond has stays, but for one that its new mode
 * does not have. A declared delay asks for MII monitoring by itself. A wanted value of no line is the one found before
 * we wrote ours, and no monitor is nothing to go back to.
 */
static bool needs_miimon(const struct link *want, const struct link *have)
{
	uint64_t arp = have ? values_num(have->own, BOND_ARP_INTERVAL, 0) : 0;
	unsigned mode = (unsigned)values_num(want->own, BOND_MODE, have ? bond_mode(have) : MODE_RR);

	if (values_has(want->own, BOND_MIIMON) &&
	    (values_loc(want->own, BOND_MIIMON).file || values_num(want->own, BOND_MIIMON, 0)))
		return false;
	if (!values_has(want->own, BOND_MIIMON) && have && values_num(have->own, BOND_MIIMON, 0))
		return false;
	if (values_has(want->own, BOND_ARP_INTERVAL))
		return values_num(want->own, BOND_ARP_INTERVAL, 0) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
		if (values_num(want->own, delays[i], 0))
			return true;
	return !arp || !(MODES_ARP >> mode & 1);
}

/* Without MII monitoring a delay is 0, and writing even that is EPERM. */
static void drop_zero_delays(struct link *want)
{
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
		if (values_num(want->own, delays[i], 1) == 0)
			values_unset(want->own, delays[i]);
}

uint64_t bond_port_mac(const struct link *port)
{
	if (!port->port || port->port->table != &kind_bond.port)
		return 0;
	return values_num(port->port, option_row(&kind_bond.port, "perm_hwaddr"), 0);
}

void bond_drop_refused(struct link *want)
{
	if (values_num(want->own, BOND_MIIMON, 1) == 0)
		drop_zero_delays(want);
}

void bond_settle(struct link *want, const struct link *have)
{
	uint64_t miimon;

	if (needs_miimon(want, have))
		values_put(want->own, BOND_MIIMON, (union value){.num = MIIMON_DEFAULT}, LOC_NONE);
	miimon = values_num(want->own, BOND_MIIMON, have ? values_num(have->own, BOND_MIIMON, 0) : 0);
	for (size_t i = 0; miimon && i < ARRAY_SIZE(delays); i++)
		if (values_has(want->own, delays[i]))
			values_set_num(want->own, delays[i],
				       values_at(want->own, delays[i]).num -
					       values_at(want->own, delays[i]).num % miimon);
	if (!miimon)
		drop_zero_delays(want);
	/* The bond goes by its ports' addresses: bond_set_mac_address() takes another and ignores it. */
	if (have && values_num(want->own, BOND_FAIL_OVER_MAC, values_num(have->own, BOND_FAIL_OVER_MAC, 0)) &&
	    values_num(want->own, BOND_MODE, bond_mode(have)) == MODE_BACKUP && want->common)
		values_unset(want->common, LINK_MAC);
}

/*
 * bond_option_mode_set() clears arp_validate and broadcast_neighbor, starts miimon in modes without ARP, and forces
 * tlb_dynamic_lb on in balance-alb. The delays are kept as multiples of miimon, so they scale with it.
 */
uint64_t bond_disturbed(const struct link *want, uint64_t changed)
{
	uint64_t rows = 0;

	if (changed >> BOND_MODE & 1)
		rows |= 1ull << BOND_MIIMON | 1ull << BOND_ARP_INTERVAL | 1ull << BOND_ARP_VALIDATE |
			1ull << BOND_TLB_DYNAMIC_LB | 1ull << BOND_BROADCAST_NEIGHBOR;
	if (((changed | rows) >> BOND_MIIMON & 1) && values_num(want->own, BOND_MIIMON, 0))
		rows |= 1ull << BOND_UPDELAY | 1ull << BOND_DOWNDELAY | 1ull << BOND_PEER_NOTIF_DELAY;
	return rows & want->own->set & ~changed;
}

bool bond_lends_macs(const struct link *l)
{
	return l->kind == &kind_bond && MODES_LB >> values_num(l->own, BOND_MODE, MODE_RR) & 1;
}

/* As multiples of a miimon of 0 they are 0, and come back with miimon (bond_fill_info(), bond_netlink.c). */
uint64_t bond_hidden(const struct link *have)
{
	if (values_num(have->own, BOND_MIIMON, 0))
		return 0;
	return 1ull << BOND_UPDELAY | 1ull << BOND_DOWNDELAY | 1ull << BOND_PEER_NOTIF_DELAY;
}

/*
 * A partner is heard of within one period, and an aggregate is formed AD_AGGREGATE_WAIT_TIME later
 * (AD_SLOW_PERIODIC_TIME, AD_FAST_PERIODIC_TIME, drivers/net/bonding/bond_3ad.c).
 */
#define LACP_WAIT_MSEC 2000
#define LACP_SLOW_MSEC 30000
#define LACP_FAST_MSEC 1000

uint32_t bond_settling(const struct link *want, const struct link *have, char **why)
{
	const struct values *had = have ? have->own : NULL;
	bool fast = values_num(want->own, BOND_LACP_RATE, values_num(had, BOND_LACP_RATE, 0));
	uint64_t mode = values_num(want->own, BOND_MODE, values_num(had, BOND_MODE, MODE_RR));
	uint64_t msec = values_num(want->own, BOND_MIIMON, values_num(had, BOND_MIIMON, 0)) +
			values_num(want->own, BOND_UPDELAY, values_num(had, BOND_UPDELAY, 0));

	if (mode == MODE_8023AD)
		msec += LACP_WAIT_MSEC + (fast ? LACP_FAST_MSEC : LACP_SLOW_MSEC);
	if (!msec)
		return 0;
	*why = xasprintf(mode == MODE_8023AD ? "LACP on %s, lacp_rate %s" : "link monitoring on %s", want->name,
			 fast ? "fast" : "slow");
	return (uint32_t)msec;
}
