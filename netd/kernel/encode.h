/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: one op of a plan to one rtnetlink message. Pure. What the kernel would refuse or silently ignore because of
 * how a message is put together is refused here with -EINVAL: a plan with such an op is a mistake of the planner.
 */
#pragma once

#include "../plan/plan.h"

struct nlmsghdr;

/* The ifindex for a link's name; 0: there is none. */
typedef uint32_t encode_index_fn(const char *name, void *userdata);

/* Bytes that suffice for any message but one with huge lists: every VLAN of a port apart from its neighbours. */
#define ENCODE_SIZE 49152

/*
 * Writes the message into buf (aligned for nlmsghdr) without sequence and without REQUEST and ACK flags. Returns its
 * aligned length; -ENODEV when a name has no ifindex, -EMSGSIZE, -EINVAL. The index of a link to be created is the one
 * it shall get, 0 lets the kernel choose. OP_SYSCTL, OP_HOST and OP_FIREWALL are no messages: -EINVAL.
 */
ssize_t encode_op(const struct op *op, encode_index_fn *index, void *userdata, void *buf, size_t size);

/*
 * Many links are deleted together by putting each into a group and deleting that (net/core/rtnetlink.c,
 * rtnl_group_dellink), which costs one of RCU's waits where each link by itself costs one. Length of the message; 64
 * bytes suffice.
 */
#define ENCODE_GROUP_SIZE 64
size_t encode_group_member(uint32_t ifindex, uint32_t group, void *buf);
size_t encode_group_delete(uint32_t group, void *buf);

/*
 * The option whose attribute lies at `offset` of a message that encode_op() made of this op (an extended ack names
 * places so), or the only one the message carries when offset is 0; NULL: none or not told.
 */
const struct option *encode_blame(const struct op *op, const struct nlmsghdr *m, uint32_t offset);
