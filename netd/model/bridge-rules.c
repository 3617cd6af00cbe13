/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the options of a bridge and of its ports demand of each other; see net/bridge/br_netlink.c. */
#include "kind-bridge.h"

#include <linux/if_ether.h>

#include "rule.h"

#define STP_DELAY_MIN 200 /* BR_MIN_FORWARD_DELAY and BR_MAX_FORWARD_DELAY, in 1/100 s */
#define STP_DELAY_MAX 3000
#define FWD_RESTRICTED 0x7 /* BR_GROUPFWD_RESTRICTED: STP, pause, LACP */
#define FWD_PAUSE 0x2	   /* BR_GROUPFWD_MACPAUSE */
#define VLAN_IDS 4095
#define GROUP_CUSTOMER 0x0180c2000000 /* IEEE 802.1Q, table 8-1 and 8-2: bridges, and provider bridges */
#define GROUP_PROVIDER 0x0180c2000008

/* IEEE 802.1D 8.10.2: with other values bridges give each other up too early. The kernel does not check it. */
static void check_stp_timers(const struct link *l, struct diags *d)
{
	uint64_t forward = values_num(l->own, BRIDGE_FORWARD_DELAY, 1500);
	uint64_t hello = values_num(l->own, BRIDGE_HELLO_TIME, 200);
	uint64_t age = values_num(l->own, BRIDGE_MAX_AGE, 2000);
	_cleanup_free_ char *place = rule_place(d, values_loc(l->own, BRIDGE_STP_STATE));

	if (!values_num(l->own, BRIDGE_STP_STATE, 0))
		return;
	if (forward < STP_DELAY_MIN || forward > STP_DELAY_MAX) {
		rule_own(d, SEVERITY_ERROR, l, BRIDGE_FORWARD_DELAY, "must be from 2s to 30s while stp_state is on%s",
			 place);
		return;
	}
	if (2 * (forward - 100) < age)
		rule_own(d, SEVERITY_WARNING, l,
			 values_has(l->own, BRIDGE_FORWARD_DELAY) ? BRIDGE_FORWARD_DELAY : BRIDGE_MAX_AGE,
			 "2 * (forward_delay - 1s) should be at least max_age");
	if (age < 2 * (hello + 100))
		rule_own(d, SEVERITY_WARNING, l,
			 values_has(l->own, BRIDGE_MAX_AGE) ? BRIDGE_MAX_AGE : BRIDGE_HELLO_TIME,
			 "max_age should be at least 2 * (hello_time + 1s)");
}

/* A section and the rows of it that say which VLANs: the bridge's own or a port's. */
struct membership {
	const char *word;
	const struct link *link;
	const struct values *values;
	unsigned pvid, vlans, untagged;
};

static bool set_has(const struct values *v, unsigned row, unsigned vid)
{
	const struct blob *b = values_has(v, row) ? values_at(v, row).blob : NULL;
	struct vlan_range r;

	for (size_t i = 0; b && i < b->len; i += sizeof(r)) {
		memcpy(&r, b->data + i, sizeof(r));
		if (vid >= r.from && vid <= r.to)
			return true;
	}
	return false;
}

static void check_membership(const struct membership *s, const struct link *bridge, struct diags *d)
{
	const unsigned rows[] = {s->pvid, s->vlans, s->untagged};
	_cleanup_free_ char *place = rule_place(d, bridge->loc);
	_cleanup_free_ char *vlans = rule_place(d, values_loc(s->values, s->vlans));

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (values_has(s->values, rows[i]) && !values_num(bridge->own, BRIDGE_VLAN_FILTERING, 0))
			rule_add(d, SEVERITY_WARNING, s->word, s->link, s->values, rows[i],
				 "has no effect while %s%s does not have vlan_filtering = yes", bridge->name, place);
	for (unsigned vid = 1; vid < VLAN_IDS && values_has(s->values, s->untagged); vid++) {
		if (!set_has(s->values, s->untagged, vid) || set_has(s->values, s->vlans, vid) ||
		    values_num(s->values, s->pvid, 0) == vid)
			continue;
		rule_add(d, SEVERITY_ERROR, s->word, s->link, s->values, s->untagged,
			 "VLAN %u is neither in vlans%s nor the pvid", vid, vlans);
		return;
	}
}

void bridge_check(const struct model *m _unused_, const struct link *l, struct diags *d)
{
	const struct membership self = {"bridge", l, l->own, BRIDGE_PVID, BRIDGE_VLANS, BRIDGE_UNTAGGED};
	uint64_t last = values_num(l->own, BRIDGE_GROUP_ADDRESS, 0) & 0xff;

	check_stp_timers(l, d);
	check_membership(&self, l, d);
	if (values_num(l->own, BRIDGE_GROUP_FWD_MASK, 0) & FWD_RESTRICTED)
		rule_own(d, SEVERITY_ERROR, l, BRIDGE_GROUP_FWD_MASK,
			 "bits 0 to 2 (STP, pause, LACP) cannot be forwarded: the mask must not have any of 0x7");
	if (last >= 1 && last <= 3)
		rule_own(d, SEVERITY_ERROR, l, BRIDGE_GROUP_ADDRESS,
			 "01:80:c2:00:00:01 to :03 belong to pause, LACP and 802.1X");
	if (values_num(l->own, BRIDGE_MCAST_VLAN_SNOOPING, 0) && !values_num(l->own, BRIDGE_VLAN_FILTERING, 0))
		rule_own(d, SEVERITY_ERROR, l, BRIDGE_MCAST_VLAN_SNOOPING,
			 "cannot enable multicast vlan snooping with vlan filtering disabled: needs vlan_filtering = "
			 "yes");
}

static void check_backup(const struct link *master, const struct link *port, struct diags *d)
{
	const struct blob *b =
		values_has(port->port, BRPORT_BACKUP_PORT) ? values_at(port->port, BRPORT_BACKUP_PORT).blob : NULL;
	const char *name = b ? (const char *)b->data : NULL;
	_cleanup_free_ char *place = rule_ports_place(d, master);

	if (!name)
		return;
	if (streq(name, port->name))
		rule_port(d, SEVERITY_ERROR, port, BRPORT_BACKUP_PORT, "a port cannot be its own backup");
	else if (!rule_has_port(master, name))
		rule_port(d, SEVERITY_ERROR, port, BRPORT_BACKUP_PORT, "'%s' is not one of the ports declared for %s%s",
			  name, master->name, place);
}

void bridge_check_port(const struct model *m _unused_, const struct link *master, const struct link *port,
		       struct diags *d)
{
	const struct membership s = {"port", port, port->port, BRPORT_PVID, BRPORT_VLANS, BRPORT_UNTAGGED};

	if (!port->port)
		return;
	check_membership(&s, master, d);
	check_backup(master, port, d);
	if (values_num(port->port, BRPORT_GROUP_FWD_MASK, 0) & FWD_PAUSE)
		rule_port(d, SEVERITY_ERROR, port, BRPORT_GROUP_FWD_MASK,
			  "bit 1 (pause) cannot be forwarded: the mask must not have 0x2");
	if (values_num(port->port, BRPORT_MAB, 0) && !values_num(port->port, BRPORT_LOCKED, 0))
		rule_port(d, SEVERITY_ERROR, port, BRPORT_MAB, "bridge port must be locked when MAB is enabled");
}

uint64_t bridge_chosen_group_address(const struct values *own, const struct values *before)
{
	uint64_t filtering = values_num(own, BRIDGE_VLAN_FILTERING, values_num(before, BRIDGE_VLAN_FILTERING, 0));
	uint64_t protocol = values_num(own, BRIDGE_VLAN_PROTOCOL, values_num(before, BRIDGE_VLAN_PROTOCOL, 0));

	return filtering && protocol == ETH_P_8021AD ? GROUP_PROVIDER : GROUP_CUSTOMER;
}

/* That it was told one once, nothing shows. */
uint64_t bridge_hidden(const struct link *have _unused_)
{
	return 1ull << BRIDGE_GROUP_ADDRESS;
}

/* Told one, a bridge chooses no more: the one found before, if it was the kernel's choice, is chosen for it. */
static void choose_group_address(struct link *want, const struct link *have)
{
	uint64_t found = values_num(want->own, BRIDGE_GROUP_ADDRESS, 0);

	if ((found != GROUP_CUSTOMER && found != GROUP_PROVIDER) || values_loc(want->own, BRIDGE_GROUP_ADDRESS).file)
		return;
	values_set_num(want->own, BRIDGE_GROUP_ADDRESS,
		       bridge_chosen_group_address(want->own, have ? have->own : NULL));
}

/*
 * With STP the kernel shows what it runs with, not what it was given: a bridge that is not the root has the root's
 * timers, and during a topology change it ages twice as fast as forward_delay (br_record_config_timeout_values() and
 * __br_set_topology_change(), net/bridge/br_stp.c). Its own values come back into view, and are compared again, when
 * that is over; writing them meanwhile would end the fast ageing.
 */
void bridge_settle(struct link *want, const struct link *have)
{
	static const unsigned timers[] = {BRIDGE_FORWARD_DELAY, BRIDGE_HELLO_TIME, BRIDGE_MAX_AGE};

	choose_group_address(want, have);
	if (!have || !values_num(have->own, BRIDGE_STP_STATE, 0) || !values_num(want->own, BRIDGE_STP_STATE, 1))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
		if (values_num(have->own, BRIDGE_ROOT_ID, 0) != values_num(have->own, BRIDGE_BRIDGE_ID, 0))
			values_unset(want->own, timers[i]);
	if (values_num(have->own, BRIDGE_TOPOLOGY_CHANGE, 0))
		values_unset(want->own, BRIDGE_AGEING_TIME);
}

/* A port is listening and then learning, forward_delay each (br_port_state_selection(), net/bridge/br_stp.c). */
uint32_t bridge_settling(const struct link *want, const struct link *have, char **why)
{
	const struct values *had = have ? have->own : NULL;
	uint64_t stp = values_num(want->own, BRIDGE_STP_STATE, values_num(had, BRIDGE_STP_STATE, 0));
	uint64_t delay = values_num(want->own, BRIDGE_FORWARD_DELAY, values_num(had, BRIDGE_FORWARD_DELAY, 1500));

	if (!stp)
		return 0;
	*why = xasprintf("spanning tree on %s, twice forward_delay", want->name);
	return (uint32_t)(2 * delay * 10);
}
