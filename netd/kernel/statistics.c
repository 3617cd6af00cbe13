/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: statistics.h. */
#include "statistics.h"

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>

static void socket_free_ptr(struct nl_sock **s)
{
	nl_socket_free(*s);
}

static void link_put_ptr(struct rtnl_link **l)
{
	rtnl_link_put(*l);
}

static int to_errno(int error)
{
	return error == -NLE_NODEV || error == -NLE_OBJ_NOTFOUND ? -ENODEV : error == -NLE_NOMEM ? -ENOMEM : -EIO;
}

int statistics_read(uint32_t ifindex, struct statistics *ret)
{
	_cleanup_(socket_free_ptr) struct nl_sock *s = nl_socket_alloc();
	_cleanup_(link_put_ptr) struct rtnl_link *l = NULL;
	int error = s ? nl_connect(s, NETLINK_ROUTE) : -NLE_NOMEM;

	if (error == 0)
		error = rtnl_link_get_kernel(s, (int)ifindex, NULL, &l);
	if (error < 0)
		return to_errno(error);
	*ret = (struct statistics){
		.rx_packets = rtnl_link_get_stat(l, RTNL_LINK_RX_PACKETS),
		.rx_bytes = rtnl_link_get_stat(l, RTNL_LINK_RX_BYTES),
		.rx_errors = rtnl_link_get_stat(l, RTNL_LINK_RX_ERRORS),
		.rx_dropped = rtnl_link_get_stat(l, RTNL_LINK_RX_DROPPED),
		.tx_packets = rtnl_link_get_stat(l, RTNL_LINK_TX_PACKETS),
		.tx_bytes = rtnl_link_get_stat(l, RTNL_LINK_TX_BYTES),
		.tx_errors = rtnl_link_get_stat(l, RTNL_LINK_TX_ERRORS),
		.tx_dropped = rtnl_link_get_stat(l, RTNL_LINK_TX_DROPPED),
	};
	return 0;
}
