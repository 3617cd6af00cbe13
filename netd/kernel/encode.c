/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: link ops to messages (encode.h). Addresses and routes are encode-address.c, VLANs encode-vlan.c. */
#include "encode.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "encode-internal.h"

struct nlmsghdr *encode_begin(struct encoder *e, uint16_t type, uint16_t flags, size_t header, void **payload)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(e->buf);

	m->nlmsg_type = type;
	m->nlmsg_flags = flags;
	*payload = mnl_nlmsg_put_extra_header(m, header);
	return m;
}

uint32_t encode_index(const struct encoder *e, const char *name)
{
	return e->index(name, e->userdata);
}

static uint64_t rows_of(const struct values *v, uint64_t rows, enum place place)
{
	uint64_t found = 0;

	for (unsigned row = 0; v && row < v->table->n; row++)
		if ((rows & v->set) >> row & 1 && v->table->rows[row].place == place)
			found |= 1ull << row;
	return found;
}

/* No attribute of a value is longer than this: a list's items are at most three times as long as in the blob. */
static size_t values_size(const struct values *v, uint64_t rows)
{
	size_t size = 0;

	for (unsigned row = 0; v && row < v->table->n; row++) {
		if (!((rows & v->set) >> row & 1))
			continue;
		size += 64;
		if (v->table->rows[row].type->is_blob && values_at(v, row).blob)
			size += 3 * (size_t)values_at(v, row).blob->len;
	}
	return size;
}

/* The rows that live in one place, names of links among them. */
static int put_rows(const struct encoder *e, struct nlmsghdr *m, const struct values *v, uint64_t rows,
		    enum place place)
{
	if (!v)
		return 0;
	values_encode(v, rows, place, m);
	for (unsigned row = 0; row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];
		const char *name;
		uint32_t index;

		if (!((rows & v->set) >> row & 1) || o->place != place || o->type != &type_ifname ||
		    ifname_index(values_at(v, row)) || !values_at(v, row).blob)
			continue;
		name = (const char *)values_at(v, row).blob->data;
		index = name[0] ? encode_index(e, name) : 0;
		if (name[0] && !index)
			return -ENODEV;
		mnl_attr_put_u32(m, o->attr, index);
	}
	return 0;
}

static int put_linkinfo(const struct encoder *e, struct nlmsghdr *m)
{
	const struct op *op = e->op;
	bool has_own = rows_of(op->link->own, op->own, PLACE_INFO), is_new = op->type == OP_CREATE;
	bool has_port = rows_of(op->link->port, op->port, PLACE_SLAVE);
	struct nlattr *info, *data;
	int error = 0;

	if (!has_own && !has_port && !is_new)
		return 0;
	if (has_port && !op->master_kind)
		return -EINVAL;
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	/* INFO_DATA without INFO_KIND is EOPNOTSUPP (net/core/rtnetlink.c, __rtnl_newlink). */
	if (has_own || is_new)
		mnl_attr_put_strz(m, IFLA_INFO_KIND, op->link->kind->name);
	if (has_own) {
		data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
		error = put_rows(e, m, op->link->own, op->own, PLACE_INFO);
		mnl_attr_nest_end(m, data);
	}
	if (has_port && !error) {
		mnl_attr_put_strz(m, IFLA_INFO_SLAVE_KIND, op->master_kind->name);
		data = mnl_attr_nest_start(m, IFLA_INFO_SLAVE_DATA);
		error = put_rows(e, m, op->link->port, op->port, PLACE_SLAVE);
		mnl_attr_nest_end(m, data);
	}
	mnl_attr_nest_end(m, info);
	return error;
}

static int put_inet6(const struct encoder *e, struct nlmsghdr *m)
{
	struct nlattr *spec, *inet6;
	int error;

	if (!rows_of(e->op->link->common, e->op->common, PLACE_INET6))
		return 0;
	spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(m, AF_INET6);
	error = put_rows(e, m, e->op->link->common, e->op->common, PLACE_INET6);
	mnl_attr_nest_end(m, inet6);
	mnl_attr_nest_end(m, spec);
	return error;
}

static int put_master(const struct encoder *e, struct nlmsghdr *m)
{
	uint32_t index = 0;

	if (e->op->master == MASTER_KEEP)
		return 0;
	if (e->op->master == MASTER_JOIN) {
		index = encode_index(e, e->op->master_name);
		if (!index)
			return -ENODEV;
	}
	mnl_attr_put_u32(m, IFLA_MASTER, index);
	return 0;
}

/*
 * What the kernel does not do in one message. Flags and master: the order in which do_setlink() takes them changed
 * twice (a4abfa627c38, ec4ffd100ffb). Port values of a link that is not a port yet are EOPNOTSUPP; a create ignores
 * them, and IFLA_AF_SPEC.
 */
static bool is_coherent(const struct op *op)
{
	bool has_port = rows_of(op->link->port, op->port, PLACE_SLAVE);

	if (op->master != MASTER_KEEP && (op->flags != FLAGS_KEEP || has_port))
		return false;
	if (op->type != OP_CREATE)
		return true;
	return (op->link->kind->flags & KIND_VIRTUAL) && !has_port && op->master != MASTER_LEAVE &&
	       !rows_of(op->link->common, op->common, PLACE_INET6);
}

static int encode_link(struct encoder *e)
{
	const struct op *op = e->op;
	bool is_new = op->type == OP_CREATE;
	struct ifinfomsg *ifi;
	struct nlmsghdr *m =
		encode_begin(e, RTM_NEWLINK, is_new ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*ifi), (void **)&ifi);
	int error;

	if (!is_coherent(op))
		return -EINVAL;
	if (values_size(op->link->common, op->common) + values_size(op->link->own, op->own) +
		    values_size(op->link->port, op->port) + 512 >
	    MIN(e->size, UINT16_MAX))
		return -EMSGSIZE;
	ifi->ifi_index = (int)encode_index(e, op->link->name);
	if (!ifi->ifi_index && !is_new)
		return -ENODEV;
	if (op->flags != FLAGS_KEEP) {
		ifi->ifi_change = IFF_UP;
		ifi->ifi_flags = op->flags == FLAGS_UP ? IFF_UP : 0;
	}
	if (is_new)
		mnl_attr_put_strz(m, IFLA_IFNAME, op->link->name);
	if (is_new && (op->link->kind->flags & KIND_HAS_PARENT)) {
		uint32_t parent = encode_index(e, op->link->parent_name);

		if (!parent)
			return -ENODEV;
		mnl_attr_put_u32(m, IFLA_LINK, parent);
	}
	error = put_rows(e, m, op->link->common, op->common, PLACE_LINK);
	if (!error)
		error = put_linkinfo(e, m);
	if (!error)
		error = put_inet6(e, m);
	return error ? error : put_master(e, m);
}

static int encode_delete(struct encoder *e)
{
	struct ifinfomsg *ifi;

	encode_begin(e, RTM_DELLINK, 0, sizeof(*ifi), (void **)&ifi);
	ifi->ifi_index = (int)encode_index(e, e->op->link->name);
	return ifi->ifi_index ? 0 : -ENODEV;
}

static size_t encode_group(uint16_t type, uint32_t ifindex, uint32_t group, void *buf)
{
	struct encoder e = {.buf = buf};
	struct ifinfomsg *ifi;
	struct nlmsghdr *m = encode_begin(&e, type, 0, sizeof(*ifi), (void **)&ifi);

	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u32(m, IFLA_GROUP, group);
	return MNL_ALIGN(m->nlmsg_len);
}

size_t encode_group_member(uint32_t ifindex, uint32_t group, void *buf)
{
	return encode_group(RTM_NEWLINK, ifindex, group, buf);
}

size_t encode_group_delete(uint32_t group, void *buf)
{
	return encode_group(RTM_DELLINK, 0, group, buf);
}

static int encode(struct encoder *e)
{
	switch (e->op->type) {
	case OP_CREATE:
	case OP_SET:
		return encode_link(e);
	case OP_DELETE:
		return encode_delete(e);
	case OP_VLAN_ADD:
	case OP_VLAN_DELETE:
		return encode_vlans(e);
	case OP_ADDRESS_ADD:
	case OP_ADDRESS_DELETE:
		return encode_address(e);
	case OP_ROUTE_ADD:
	case OP_ROUTE_DELETE:
		return encode_route(e);
	case OP_SYSCTL:
	case OP_HOST:
	case OP_FIREWALL:
	case OP_PUT_BACK:
		break;
	}
	return -EINVAL;
}

ssize_t encode_op(const struct op *op, encode_index_fn *index, void *userdata, void *buf, size_t size)
{
	struct encoder e = {.op = op, .index = index, .userdata = userdata, .buf = buf, .size = size};
	int error;

	if (size < 1024)
		return -EMSGSIZE;
	error = encode(&e);
	if (error)
		return error;
	return (ssize_t)MNL_ALIGN(((struct nlmsghdr *)buf)->nlmsg_len);
}

/* The row of that attribute among those sent; without an attribute the only one sent, when there is only one. */
static const struct option *blamed_row(const struct values *v, uint64_t rows, const struct nlattr *a)
{
	const struct option *found = NULL;

	for (unsigned row = 0; v && row < v->table->n; row++) {
		const struct option *o = &v->table->rows[row];

		if (!((rows & v->set) >> row & 1) || (a && o->attr != mnl_attr_get_type(a)))
			continue;
		if (found)
			return NULL;
		found = o;
	}
	return found;
}

/* The attribute of this nest that lies at or around `at`. */
static const struct nlattr *attr_at(const struct nlattr *nest, const uint8_t *at)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		if (at >= (const uint8_t *)a && at < (const uint8_t *)a + a->nla_len)
			return a;
	}
	return NULL;
}

static const struct option *blamed_in_info(const struct op *op, const struct nlattr *linkinfo, const uint8_t *at)
{
	const struct nlattr *data = attr_at(linkinfo, at), *a = data ? attr_at(data, at) : NULL;

	if (!a)
		return NULL;
	switch (mnl_attr_get_type(data)) {
	case IFLA_INFO_DATA:
		return blamed_row(op->link->own, op->own, a);
	case IFLA_INFO_SLAVE_DATA:
		return blamed_row(op->link->port, op->port, a);
	default:
		return NULL;
	}
}

const struct option *encode_blame(const struct op *op, const struct nlmsghdr *m, uint32_t offset)
{
	const uint8_t *at = (const uint8_t *)m + offset;
	const struct nlattr *a;

	if (op->type != OP_CREATE && op->type != OP_SET)
		return NULL;
	if (!offset) {
		unsigned n = !!op->common + !!op->own + !!op->port;

		if (n != 1 || op->master != MASTER_KEEP || op->flags != FLAGS_KEEP)
			return NULL;
		if (op->common)
			return blamed_row(op->link->common, op->common, NULL);
		return op->own ? blamed_row(op->link->own, op->own, NULL) : blamed_row(op->link->port, op->port, NULL);
	}
	mnl_attr_for_each (a, m, sizeof(struct ifinfomsg)) {
		if (at < (const uint8_t *)a || at >= (const uint8_t *)a + a->nla_len)
			continue;
		if (mnl_attr_get_type(a) == IFLA_LINKINFO)
			return blamed_in_info(op, a, at);
		return blamed_row(op->link->common, op->common, a);
	}
	return NULL;
}
