/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: link messages to model data (decode.h). Addresses and routes are decode-address.c, VLANs decode-vlan.c. */
#include "decode-internal.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

/* What of a link message has to be known before the rest can be read. */
struct link_attrs {
	const struct ifinfomsg *ifi;
	const struct nlattr *kind, *data, *slave_kind, *slave_data;
	const struct nlattr *inet, *inet6;
};

static bool copy_string(const struct nlattr *a, char *to, size_t size)
{
	const char *s = mnl_attr_get_payload(a);
	size_t len = strnlen(s, mnl_attr_get_payload_len(a));

	if (len == 0 || len == mnl_attr_get_payload_len(a) || len >= size)
		return false;
	memcpy(to, s, len + 1);
	return true;
}

static uint32_t get_u32(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

static uint8_t get_u8(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) >= sizeof(uint8_t) ? mnl_attr_get_u8(a) : 0;
}

static void read_linkinfo(const struct nlattr *nest, struct link_attrs *as)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_INFO_KIND:
			as->kind = a;
			break;
		case IFLA_INFO_DATA:
			as->data = a;
			break;
		case IFLA_INFO_SLAVE_KIND:
			as->slave_kind = a;
			break;
		case IFLA_INFO_SLAVE_DATA:
			as->slave_data = a;
			break;
		default:
			break;
		}
	}
}

static const struct nlattr *find_nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

static struct values *read_values(const struct option_table *table, enum place place, const struct nlattr *nest)
{
	struct values *v = values_new(table);

	if (!nest)
		return v;
	values_decode_all(v, place, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest));
	values_decode_end(v, place);
	return v;
}

/* The array of the device's sysctls, indexed by what is DEVCONF_* for IPv6 and, from 1 on, IPV4_DEVCONF_* for IPv4. */
static void read_sysctls(enum place place, const struct nlattr *conf, unsigned first, struct values *common)
{
	size_t n = conf ? mnl_attr_get_payload_len(conf) / sizeof(int32_t) : 0;

	for (unsigned row = 0; row < common->table->n; row++) {
		const struct option *o = &common->table->rows[row];
		int32_t value;

		if (o->place != place || o->attr - first >= n)
			continue;
		memcpy(&value, (const uint8_t *)mnl_attr_get_payload(conf) + (o->attr - first) * sizeof(value),
		       sizeof(value));
		values_put(common, row, (union value){.num = (uint64_t)(int64_t)value}, LOC_NONE);
	}
}

static void read_inet6(const struct nlattr *inet6, struct values *common)
{
	values_decode_all(common, PLACE_INET6, mnl_attr_get_payload(inet6), mnl_attr_get_payload_len(inet6));
	read_sysctls(PLACE_SYSCTL6, find_nested(inet6, IFLA_INET6_CONF), 0, common);
}

static void read_flags(uint32_t flags, struct values *common)
{
	for (unsigned row = 0; row < common->table->n; row++) {
		const struct option *o = &common->table->rows[row];

		if (o->place == PLACE_FLAGS)
			values_put(common, row, (union value){.num = (flags & o->attr) != 0}, LOC_NONE);
	}
}

static void read_perm_mac(const struct nlattr *a, struct link *l)
{
	const uint8_t *mac = mnl_attr_get_payload(a);

	if (mnl_attr_get_payload_len(a) != 6)
		return;
	l->perm_mac = 0;
	for (unsigned i = 0; i < 6; i++)
		l->perm_mac = l->perm_mac << 8 | mac[i];
	l->has_perm_mac = true;
}

/* NUL-terminated names one after another, an empty one last. */
static char *read_altnames(const struct nlattr *nest)
{
	const struct nlattr *a;
	size_t len = 0;
	char *names;

	names = xcalloc(1, (size_t)mnl_attr_get_payload_len(nest) + 2);
	mnl_attr_for_each_nested (a, nest) {
		size_t room = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) == IFLA_ALT_IFNAME && copy_string(a, names + len, room))
			len += strlen(names + len) + 1;
	}
	if (len == 0) {
		free(names);
		return NULL;
	}
	return names;
}

static void read_parent_dev(const struct nlattr *bus, const struct nlattr *name, struct link *l)
{
	char bus_name[64], dev_name[64];

	if (bus && name && copy_string(bus, bus_name, sizeof(bus_name)) &&
	    copy_string(name, dev_name, sizeof(dev_name)))
		l->parent_dev = xasprintf("%s-%s", bus_name, dev_name);
}

static void read_attributes(const struct nlmsghdr *m, struct link_attrs *as, struct link *l)
{
	const struct nlattr *a, *bus = NULL, *dev = NULL, *af_spec = NULL;

	values_decode_all(l->common, PLACE_LINK, mnl_nlmsg_get_payload_offset(m, sizeof(*as->ifi)),
			  mnl_nlmsg_get_payload_len(m) - MNL_ALIGN(sizeof(*as->ifi)));
	mnl_attr_for_each (a, m, sizeof(*as->ifi)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			copy_string(a, l->name, sizeof(l->name));
			break;
		case IFLA_MASTER:
			l->master = get_u32(a);
			break;
		case IFLA_LINK:
			l->parent = get_u32(a);
			break;
		case IFLA_OPERSTATE:
			l->operstate = get_u8(a);
			break;
		case IFLA_CARRIER:
			l->carrier = get_u8(a);
			break;
		case IFLA_LINKINFO:
			read_linkinfo(a, as);
			break;
		case IFLA_AF_SPEC:
			af_spec = a;
			break;
		case IFLA_IFALIAS:
			l->has_alias = true;
			break;
		case IFLA_PERM_ADDRESS:
			read_perm_mac(a, l);
			break;
		case IFLA_PROP_LIST:
			if (!l->altnames)
				l->altnames = read_altnames(a);
			break;
		case IFLA_PARENT_DEV_BUS_NAME:
			bus = a;
			break;
		case IFLA_PARENT_DEV_NAME:
			dev = a;
			break;
		default:
			break;
		}
	}
	read_parent_dev(bus, dev, l);
	as->inet = af_spec ? find_nested(af_spec, AF_INET) : NULL;
	as->inet6 = af_spec ? find_nested(af_spec, AF_INET6) : NULL;
}

/* IFLA_LINK of these names the other end of a pair, not a device below; with a namespace id it is not ours to see. */
static bool parent_is_below(const struct nlmsghdr *m, const char *kind)
{
	static const char *const pairs[] = {"veth", "vxcan", "netkit"};
	const struct nlattr *a;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (streq(kind, pairs[i]))
			return false;
	mnl_attr_for_each (a, m, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(a) == IFLA_LINK_NETNSID)
			return false;
	}
	return true;
}

/* The kinds decide which rows the rest of the message is read with. */
static void read_kinds(const struct nlmsghdr *m, const struct link_attrs *as, struct link *l)
{
	const struct kind *master_kind;
	char slave_kind[sizeof(l->info_kind)];

	if (as->kind)
		copy_string(as->kind, l->info_kind, sizeof(l->info_kind));
	l->kind = kind_of_link(l->info_kind);
	if (!parent_is_below(m, l->info_kind))
		l->parent = 0;
	l->own = values_free(l->own);
	if (l->kind->own.n)
		l->own = read_values(&l->kind->own, PLACE_INFO, as->data);
	if (!l->master || !as->slave_kind || !copy_string(as->slave_kind, slave_kind, sizeof(slave_kind)))
		return;
	master_kind = kind_find(slave_kind);
	if (master_kind && master_kind->port.n)
		l->port = read_values(&master_kind->port, PLACE_SLAVE, as->slave_data);
}

int decode_link(const struct nlmsghdr *m, struct link **ret)
{
	struct link_attrs as = {.ifi = mnl_nlmsg_get_payload(m)};
	struct link *l;

	if (!message_has(m, sizeof(*as.ifi)) || as.ifi->ifi_family != AF_UNSPEC || as.ifi->ifi_index <= 0)
		return -EINVAL;
	l = link_new("", &kind_ethernet);
	l->ifindex = (uint32_t)as.ifi->ifi_index;
	l->flags = as.ifi->ifi_flags;
	l->not_ethernet = as.ifi->ifi_type != ARPHRD_ETHER;
	read_attributes(m, &as, l);
	if (!l->name[0]) {
		link_free(l);
		return -ENODATA;
	}
	read_kinds(m, &as, l);
	read_flags(l->flags, l->common);
	if (as.inet)
		read_sysctls(PLACE_SYSCTL4, find_nested(as.inet, IFLA_INET_CONF), 1, l->common);
	if (as.inet6)
		read_inet6(as.inet6, l->common);
	/* The carrier of a link that is down means nothing, and its changes are not told (net/core/link_watch.c). */
	if (!(l->flags & IFF_UP))
		l->carrier = 0;
	*ret = l;
	return 0;
}
