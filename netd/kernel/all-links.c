/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the settings of all links together, which rtnetlink does not show, as those of a link named LINK_ALL; and
 * the events that tell of sysctls: the kernel has them for forwarding, of one link and of all.
 */
#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "kernel-internal.h"
#include "observe-internal.h"

static const enum link_row rows[] = {LINK_FORWARDING4, LINK_FORWARDING6};

void all_links_read(struct model *m)
{
	struct link *all = model_find(m, LINK_ALL);
	uint64_t value;

	if (!all) {
		all = link_new(LINK_ALL, &kind_ethernet);
		model_add(m, all);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (sysctl_read(LINK_ALL, &link_options.rows[rows[i]], &value))
			values_put(all->common, rows[i], (union value){.num = value}, LOC_NONE);
}

void all_links_event(struct kernel *k, const struct nlmsghdr *m)
{
	const struct nlattr *a;
	int32_t ifindex = 0;
	bool forwarding = false;

	mnl_attr_for_each (a, m, sizeof(struct netconfmsg)) {
		if (mnl_attr_get_type(a) == NETCONFA_IFINDEX && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			ifindex = (int32_t)mnl_attr_get_u32(a);
		forwarding |= mnl_attr_get_type(a) == NETCONFA_FORWARDING;
	}
	if (!forwarding)
		return;
	if (ifindex > 0) {
		observe_mark(k, (uint32_t)ifindex, MARK_LINK);
	} else if (ifindex == NETCONFA_IFINDEX_ALL) {
		all_links_read(&k->actual);
		observe_changed(k, LINK_ALL);
	}
}

void kernel_follow_all_links(struct kernel *k)
{
	static const int groups[] = {RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};

	if (k->follows_all || observe_is_held(k))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		setsockopt(k->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i]));
	k->follows_all = true;
	all_links_read(&k->actual);
}
