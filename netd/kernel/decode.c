/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: link messages to model data (decode.h). Addresses and routes are decode-address.c, VLANs decode-vlan.c. */
#include "decode-internal.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

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

struct values *decode_values(const struct option_table *table, enum place place, const struct nlattr *nest)
{
	struct attributes as;
	struct draft d;

	if (!nest)
		return values_new(table);
	attributes_read_nested(&as, nest);
	draft_begin(&d, table);
	draft_decode(&d, place, &as);
	draft_decode_end(&d, place);
	return draft_end(&d);
}

/* The array of the device's sysctls, indexed by what is DEVCONF_* for IPv6 and, from 1 on, IPV4_DEVCONF_* for IPv4. */
static void read_sysctls(struct draft *common, enum place place, const struct nlattr *conf, unsigned first)
{
	size_t n = conf ? mnl_attr_get_payload_len(conf) / sizeof(int32_t) : 0;

	for (unsigned row = 0; row < common->table->n; row++) {
		const struct option *o = &common->table->rows[row];
		int32_t value;

		if (o->place != place || o->attr - first >= n)
			continue;
		memcpy(&value, (const uint8_t *)mnl_attr_get_payload(conf) + (o->attr - first) * sizeof(value),
		       sizeof(value));
		draft_put(common, row, (union value){.num = (uint64_t)(int64_t)value});
	}
}

static void read_flags(struct draft *common, uint32_t flags)
{
	for (unsigned row = 0; row < common->table->n; row++) {
		const struct option *o = &common->table->rows[row];

		if (o->place == PLACE_FLAGS)
			draft_put(common, row, (union value){.num = (flags & o->attr) != 0});
	}
}

/*
 * The event of an MTU that is too small for IPv6 still has the settings that go with it (net/ipv6/addrconf.c,
 * addrconf_notify()), and no other event tells of that.
 */
static bool keeps_inet6(const struct nlattr *mtu, uint32_t flags)
{
	return !mtu || get_u32(mtu) >= IPV6_MTU_MIN || flags & IFF_LOOPBACK;
}

static struct values *read_common(const struct attributes *as, struct link *l)
{
	const struct nlattr *found;
	struct attributes families, inet, inet6;
	struct draft common;

	attributes_read_nested(&families, as->by_number[IFLA_AF_SPEC]);
	attributes_read_nested(&inet, families.by_number[AF_INET]);
	found = families.by_number[AF_INET6];
	l->no_inet6 = !found;
	attributes_read_nested(&inet6, keeps_inet6(as->by_number[IFLA_MTU], l->flags) ? found : NULL);
	draft_begin(&common, &link_options);
	draft_decode(&common, PLACE_LINK, as);
	draft_decode(&common, PLACE_INET6, &inet6);
	read_flags(&common, l->flags);
	read_sysctls(&common, PLACE_SYSCTL4, inet.by_number[IFLA_INET_CONF], 1);
	read_sysctls(&common, PLACE_SYSCTL6, inet6.by_number[IFLA_INET6_CONF], 0);
	return draft_end(&common);
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

static void read_attributes(const struct attributes *as, struct link *l)
{
	const struct nlattr *const *a = as->by_number;

	if (a[IFLA_IFNAME])
		copy_string(a[IFLA_IFNAME], l->name, sizeof(l->name));
	if (a[IFLA_MASTER])
		l->master = get_u32(a[IFLA_MASTER]);
	if (a[IFLA_OPERSTATE])
		l->operstate = get_u8(a[IFLA_OPERSTATE]);
	/* The carrier of a link that is down means nothing, and its changes are not told (net/core/link_watch.c). */
	if (a[IFLA_CARRIER] && l->flags & IFF_UP)
		l->carrier = get_u8(a[IFLA_CARRIER]);
	l->has_alias = a[IFLA_IFALIAS] != NULL;
	if (a[IFLA_PERM_ADDRESS])
		read_perm_mac(a[IFLA_PERM_ADDRESS], l);
	if (a[IFLA_PROP_LIST])
		l->altnames = read_altnames(a[IFLA_PROP_LIST]);
	read_parent_dev(a[IFLA_PARENT_DEV_BUS_NAME], a[IFLA_PARENT_DEV_NAME], l);
}

/* IFLA_LINK of these names the other end of a pair, not a device below; with a namespace id it is not ours to see. */
static bool parent_is_below(const struct attributes *as, const char *kind)
{
	static const char *const pairs[] = {"veth", "vxcan", "netkit"};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (streq(kind, pairs[i]))
			return false;
	return !as->by_number[IFLA_LINK_NETNSID];
}

/* The kinds decide which rows the rest of the message is read with. */
static void read_kinds(const struct attributes *as, struct link *l)
{
	const struct kind *master_kind;
	char slave_kind[sizeof(l->info_kind)];
	struct attributes info;

	attributes_read_nested(&info, as->by_number[IFLA_LINKINFO]);
	if (info.by_number[IFLA_INFO_KIND])
		copy_string(info.by_number[IFLA_INFO_KIND], l->info_kind, sizeof(l->info_kind));
	l->kind = kind_of_link(l->info_kind);
	if (as->by_number[IFLA_LINK] && parent_is_below(as, l->info_kind))
		l->parent = get_u32(as->by_number[IFLA_LINK]);
	l->own = values_free(l->own);
	if (l->kind->own.n)
		l->own = decode_values(&l->kind->own, PLACE_INFO, info.by_number[IFLA_INFO_DATA]);
	if (!l->master || !info.by_number[IFLA_INFO_SLAVE_KIND] ||
	    !copy_string(info.by_number[IFLA_INFO_SLAVE_KIND], slave_kind, sizeof(slave_kind)))
		return;
	master_kind = kind_find(slave_kind);
	if (master_kind && master_kind->port.n)
		l->port = decode_values(&master_kind->port, PLACE_SLAVE, info.by_number[IFLA_INFO_SLAVE_DATA]);
}

int decode_link(const struct nlmsghdr *m, struct link **ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(m);
	struct attributes as;
	struct link *l;

	if (!message_has(m, sizeof(*ifi)) || ifi->ifi_family != AF_UNSPEC || ifi->ifi_index <= 0)
		return -EINVAL;
	attributes_read(&as, mnl_nlmsg_get_payload_offset(m, sizeof(*ifi)),
			mnl_nlmsg_get_payload_len(m) - MNL_ALIGN(sizeof(*ifi)));
	l = link_new("", &kind_ethernet);
	l->ifindex = (uint32_t)ifi->ifi_index;
	l->flags = ifi->ifi_flags;
	l->not_ethernet = ifi->ifi_type != ARPHRD_ETHER;
	read_attributes(&as, l);
	if (!l->name[0]) {
		link_free(l);
		return -ENODATA;
	}
	read_kinds(&as, l);
	values_free(l->common);
	l->common = read_common(&as, l);
	*ret = l;
	return 0;
}
