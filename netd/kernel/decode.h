/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: rtnetlink messages to model data. Pure, and safe on any bytes: the message's own length must have been
 * checked against the buffer (mnl_nlmsg_ok), nothing else is believed.
 *
 * All return 0, or -EINVAL for what is malformed or is not such a message at all.
 */
#pragma once

#include "../model/model.h"

struct nlmsghdr;
struct other_route;

/*
 * RTM_NEWLINK of family AF_UNSPEC: everything but addresses, routes and VLANs. The caller owns *ret. -ENODATA: a
 * message that carries only part of a link (wireless events), to be passed over.
 */
int decode_link(const struct nlmsghdr *m, struct link **ret);

/* What a bridge says of one of its ports, or of itself (RTM_NEWLINK of family AF_BRIDGE). */
struct bridge_state {
	uint32_t ifindex, master;  /* equal for the bridge itself */
	struct values *port;	   /* owned; NULL when not told */
	bool has_vlans;		   /* false also when it is a member of none */
	struct bridge_vlan *vlans; /* owned; sorted by vid */
	uint32_t n_vlans;
};

/* -ENODATA: from a NIC with a bridge of its own in hardware. The caller releases *ret. */
int decode_bridge(const struct nlmsghdr *m, struct bridge_state *ret);
void bridge_state_done(struct bridge_state *s);

/* RTM_NEWVLAN and RTM_DELVLAN (RTNLGRP_BRVLAN): brings the VLANs of the link they are about up to date. */
int decode_vlan_event_link(const struct nlmsghdr *m, uint32_t *ifindex);
int decode_vlan_event(const struct nlmsghdr *m, struct link *l);

/* RTM_NEWADDR and RTM_DELADDR. */
int decode_address(const struct nlmsghdr *m, uint32_t *ifindex, struct address *ret);

/* RTM_NEWROUTE and RTM_DELROUTE. */
struct route_state {
	struct route route;
	uint32_t ifindex; /* its device, 0: none */
	/*
	 * A route the model keeps: unicast through one device, without what the model cannot express (several next
	 * hops, next-hop objects, a gateway of the other family, TOS, encapsulation) and not of a routing daemon, which
	 * may have a million of them. The key (family, table, destination, metric) is filled in any case.
	 */
	bool kept;
	bool nowhere; /* one of model->nowhere, which like those kept is not of a routing daemon */
	bool multipath;
	bool of_daemon; /* made by a routing daemon, by its protocol number */
	/* Neither, and yet somebody's route, which a subnet can be in the way of; `ifindex` also when it has several
	 * next hops, of one device. */
	bool other;
	bool leads_on; /* it has a gateway, an encapsulation, or goes nowhere */
	uint8_t tos;
	uint16_t n_hops; /* of multipath */
	uint32_t nhid;	 /* 0: none */
};

int decode_route(const struct nlmsghdr *m, struct route_state *ret);
/* Of one with `other`. */
struct other_route decode_other_route(const struct route_state *s);
/* Is the RTPROT_* one of a routing daemon? */
bool decode_is_routing_daemon(uint8_t protocol);

/* Do VLANs belong to this link as it is: is it a bridge or a port of one? */
bool link_has_vlans(const struct link *l);
