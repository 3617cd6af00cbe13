/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: any bytes as an rtnetlink message. The first byte says which decoder, the rest is what follows the netlink
 * header. What was read is also copied and printed, as status does. Run by tests/fuzz/run.
 */
#include "../../netd/kernel/decode.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#define BYTES_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_values(const struct values *v)
{
	for (unsigned row = 0; v && row < v->table->n; row++)
		if (values_has(v, row))
			free(value_text(&v->table->rows[row], values_at(v, row)));
}

static void try_link(const struct nlmsghdr *m)
{
	struct link *l, *copy;

	if (decode_link(m, &l) < 0)
		return;
	copy = link_copy(l);
	link_has_vlans(copy);
	print_values(copy->common);
	print_values(copy->own);
	print_values(copy->port);
	link_free(l);
	link_free(copy);
}

static void try_bridge(const struct nlmsghdr *m)
{
	struct bridge_state s;

	if (decode_bridge(m, &s) < 0)
		return;
	print_values(s.port);
	bridge_state_done(&s);
}

static void try_vlan_event(const struct nlmsghdr *m)
{
	struct link *l = link_new("br0", &kind_bridge);
	uint32_t ifindex;

	if (decode_vlan_event_link(m, &ifindex) == 0)
		decode_vlan_event(m, l);
	link_free(l);
}

static void try_address_and_route(const struct nlmsghdr *m)
{
	struct address a;
	struct route_state r;
	uint32_t ifindex;
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	if (decode_address(m, &ifindex, &a) == 0)
		address_print(&a, f);
	if (decode_route(m, &r) == 0)
		route_print(&r.route, f);
	fclose(f);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {RTM_NEWLINK,  RTM_DELLINK,  RTM_NEWADDR, RTM_DELADDR,
					 RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWVLAN, RTM_DELVLAN};
	struct nlmsghdr *m;

	if (size < 1 || size > BYTES_MAX)
		return 0;
	/* Exactly as long as the message, so that a byte read beyond it is seen. */
	m = xcalloc(1, NLMSG_HDRLEN + size - 1);
	m->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size - 1);
	m->nlmsg_type = types[data[0] % ARRAY_SIZE(types)];
	memcpy(mnl_nlmsg_get_payload(m), data + 1, size - 1);
	try_link(m);
	try_bridge(m);
	try_vlan_event(m);
	try_address_and_route(m);
	free(m);
	return 0;
}
