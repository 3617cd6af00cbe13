/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the tests of messages share: a small kernel's names, and ops to be encoded. Included, not linked. */
#pragma once

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "../../netd/kernel/encode.h"
#include "rows.h"

#define SHARED _unused_ static

/* The names this test's kernel knows. */
SHARED uint32_t index_of(const char *name, void *userdata _unused_)
{
	static const char *const names[] = {"link0", "bond0", "br0", "eth0", "vlan0"};

	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(name, names[i]))
			return i + 1;
	return 0;
}

SHARED _Alignas(struct nlmsghdr) uint8_t buffer[ENCODE_SIZE];

SHARED struct nlmsghdr *encode(const struct op *op)
{
	ssize_t len;

	memset(buffer, 0xaa, sizeof(buffer));
	len = encode_op(op, index_of, NULL, buffer, sizeof(buffer));
	if (len < 0)
		fail_msg("encode_op: %s", strerror((int)-len));
	assert_int_equal(len % MNL_ALIGNTO, 0);
	assert_true(mnl_nlmsg_ok((struct nlmsghdr *)buffer, (int)len));
	return (struct nlmsghdr *)buffer;
}

SHARED bool is_sent(const struct option *o)
{
	return (o->place == PLACE_INFO || o->place == PLACE_SLAVE || o->place == PLACE_LINK) && o->type->put &&
	       o->type->get && !(o->flags & OPTION_STATUS);
}

/* A value other than the kernel's own. */
SHARED union value sample(const struct option *o)
{
	union value v = {0};

	if (o->type == &type_ip4_list)
		return must_parse(o, "192.0.2.1 198.51.100.7");
	if (o->type == &type_ip6_list)
		return must_parse(o, "2001:db8::1");
	if (o->type == &type_qos_map)
		return must_parse(o, "1:2 3:4");
	if (o->type == &type_ifname)
		return must_parse(o, "eth0");
	if (o->type == &type_mac)
		v.num = 0x025400123456;
	else if (o->type == &type_flag || o->type == &type_bool || o->type == &type_bool32)
		v.num = !o->initial;
	else
		v.num = (uint64_t)(o->max > o->min ? o->max : 1);
	return v;
}

SHARED uint64_t fill(struct values *v)
{
	uint64_t rows = 0;

	for (unsigned row = 0; v && row < v->table->n; row++) {
		if (!is_sent(&v->table->rows[row]))
			continue;
		values_put(v, row, sample(&v->table->rows[row]), LOC_NONE);
		rows |= 1ull << row;
	}
	return rows;
}

SHARED struct address address(const char *text, uint8_t prefix_len)
{
	struct address a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET, .prefix_len = prefix_len};

	assert_int_equal(inet_pton(a.family, text, a.addr), 1);
	a.valid_lft = UINT32_MAX;
	a.loc = (struct loc){.file = 1, .line = 1};
	return a;
}

SHARED struct route route(const char *dst, uint8_t dst_len, const char *gateway)
{
	struct route r = {.family = strchr(dst, ':') ? AF_INET6 : AF_INET, .dst_len = dst_len, .type = RTN_UNICAST};

	assert_int_equal(inet_pton(r.family, dst, r.dst), 1);
	r.has_gateway = gateway && inet_pton(r.family, gateway, r.gateway) == 1;
	r.protocol = KVMNETD_PROTO;
	r.table = RT_TABLE_MAIN;
	return r;
}
