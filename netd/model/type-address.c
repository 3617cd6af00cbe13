/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: value types that name an address or a link: MAC, lists of IP addresses, a link's name. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <strings.h>

#include "model.h"
#include "type.h"

#define MAC_WORD_SHIFT 48

static int mac_digits(const char *text, uint64_t *ret)
{
	uint64_t mac = 0;

	for (unsigned i = 0; i < ETH_ALEN; i++, text += 3) {
		char pair[3] = {text[0], text[0] ? text[1] : '\0', '\0'};

		if (!isxdigit_ascii(pair[0]) || !isxdigit_ascii(pair[1]))
			return -EINVAL;
		if (text[2] != (i == ETH_ALEN - 1 ? '\0' : ':'))
			return -EINVAL;
		mac = mac << 8 | strtoul(pair, NULL, 16);
	}
	*ret = mac;
	return 0;
}

static bool mac_in_range(const struct option *o, uint64_t mac)
{
	if (o->max)
		return mac >= (uint64_t)o->min && mac <= (uint64_t)o->max;
	return !(mac >> 40 & 1) && mac >= (uint64_t)o->min;
}

static int mac_parse(const struct option *o, const char *text, union value *v, char **why)
{
	uint64_t mac;

	for (unsigned i = 0; o->names && o->names[i]; i++)
		if (strcasecmp(o->names[i], text) == 0) {
			v->num = 1ull << (MAC_WORD_SHIFT + i);
			return 0;
		}
	if (mac_digits(text, &mac) < 0 || !mac_in_range(o, mac))
		return type_refuse(o, text, "is not", why);
	v->num = mac;
	return 0;
}

static void mac_print(const struct option *o, union value v, FILE *f)
{
	char buf[18];

	for (unsigned i = 0; o->names && o->names[i]; i++)
		if (v.num == 1ull << (MAC_WORD_SHIFT + i)) {
			fputs(o->names[i], f);
			return;
		}
	fputs(mac_text(v.num, buf), f);
}

static void mac_allowed(const struct option *o, FILE *f)
{
	char from[18], to[18];

	for (unsigned i = 0; o->names && o->names[i]; i++)
		fprintf(f, "%s or ", o->names[i]);
	if (o->max)
		fprintf(f, "a MAC address in %s..%s", mac_text((uint64_t)o->min, from), mac_text((uint64_t)o->max, to));
	else
		fputs("a unicast MAC address like 52:54:00:12:34:56", f);
}

static void mac_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	uint8_t bytes[ETH_ALEN];

	for (unsigned i = 0; i < ETH_ALEN; i++)
		bytes[i] = (uint8_t)(v.num >> 8 * (ETH_ALEN - 1 - i));
	mnl_attr_put(m, o->attr, sizeof(bytes), bytes);
}

static int mac_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	const uint8_t *bytes = mnl_attr_get_payload(a);

	if (mnl_attr_get_payload_len(a) != ETH_ALEN)
		return -EINVAL;
	v->num = 0;
	for (unsigned i = 0; i < ETH_ALEN; i++)
		v->num = v->num << 8 | bytes[i];
	return 0;
}

/* Both address lists: the item's size tells the family. */
static int family_of(size_t size)
{
	return size == sizeof(struct in_addr) ? AF_INET : AF_INET6;
}

/* What bonding takes as a target: bond_is_ip_target_ok() and bond_is_ip6_target_ok(), include/net/bonding.h. */
static bool target_ok(const void *addr, size_t size)
{
	const struct in6_addr *a6 = addr;
	const uint8_t *bytes = addr;

	if (size == sizeof(*a6))
		return !IN6_IS_ADDR_UNSPECIFIED(a6) && !IN6_IS_ADDR_LOOPBACK(a6) && !IN6_IS_ADDR_MULTICAST(a6);
	return bytes[0] != 0 && memcmp(bytes, "\xff\xff\xff\xff", 4) != 0;
}

static int ip_list_parse(const struct option *o, const char *text, union value *v, size_t size, char **why)
{
	size_t n = type_count(*v, size);
	struct in6_addr addr;

	if (inet_pton(family_of(size), text, &addr) != 1 || !target_ok(&addr, size))
		return type_refuse(o, text, "is not", why);
	for (size_t i = 0; i < n; i++)
		if (memcmp(v->blob->data + i * size, &addr, size) == 0) {
			*why = xasprintf("'%s' is listed twice", text);
			return -EINVAL;
		}
	if (o->max && n >= (size_t)o->max) {
		*why = xasprintf("'%s' is one too many: at most %lld", text, (long long)o->max);
		return -EINVAL;
	}
	type_insert(v, n, &addr, size);
	return 0;
}

static void ip_list_print(union value v, size_t size, FILE *f)
{
	char buf[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < type_count(v, size); i++)
		fprintf(f, "%s%s", i ? " " : "", inet_ntop(family_of(size), v.blob->data + i * size, buf, sizeof(buf)));
}

/* bond_changelink() counts the attributes of the nest; bond_fill_info() numbers them from 0. */
static void ip_list_put(const struct option *o, union value v, size_t size, struct nlmsghdr *m)
{
	struct nlattr *nest = mnl_attr_nest_start(m, o->attr);

	for (size_t i = 0; i < type_count(v, size); i++)
		mnl_attr_put(m, (uint16_t)i, size, v.blob->data + i * size);
	mnl_attr_nest_end(m, nest);
}

static int ip_list_get(const struct nlattr *a, size_t size, union value *v)
{
	union value list = {0};
	const struct nlattr *item;

	mnl_attr_for_each_nested (item, a) {
		if (mnl_attr_get_payload_len(item) != size) {
			free(list.blob);
			return -EINVAL;
		}
		type_insert(&list, type_count(list, size), mnl_attr_get_payload(item), size);
	}
	*v = list;
	return 0;
}

static int ip4_parse(const struct option *o, const char *text, union value *v, char **why)
{
	return ip_list_parse(o, text, v, sizeof(struct in_addr), why);
}

static void ip4_print(const struct option *o _unused_, union value v, FILE *f)
{
	ip_list_print(v, sizeof(struct in_addr), f);
}

static void ip4_allowed(const struct option *o _unused_, FILE *f)
{
	fputs("the IPv4 address of a host", f);
}

static void ip4_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	ip_list_put(o, v, sizeof(struct in_addr), m);
}

static int ip4_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	return ip_list_get(a, sizeof(struct in_addr), v);
}

static int ip6_parse(const struct option *o, const char *text, union value *v, char **why)
{
	return ip_list_parse(o, text, v, sizeof(struct in6_addr), why);
}

static void ip6_print(const struct option *o _unused_, union value v, FILE *f)
{
	ip_list_print(v, sizeof(struct in6_addr), f);
}

static void ip6_allowed(const struct option *o _unused_, FILE *f)
{
	fputs("the IPv6 address of a host (no multicast)", f);
}

static void ip6_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	ip_list_put(o, v, sizeof(struct in6_addr), m);
}

static int ip6_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	return ip_list_get(a, sizeof(struct in6_addr), v);
}

/* A name never starts with NUL, so an ifindex does. */
union value ifname_from_index(uint32_t ifindex)
{
	uint8_t bytes[1 + sizeof(ifindex)] = {'\0'};

	memcpy(bytes + 1, &ifindex, sizeof(ifindex));
	return (union value){.blob = blob_new(bytes, sizeof(bytes))};
}

uint32_t ifname_index(union value v)
{
	uint32_t ifindex;

	if (!v.blob || v.blob->len != 1 + sizeof(ifindex) || v.blob->data[0])
		return 0;
	memcpy(&ifindex, v.blob->data + 1, sizeof(ifindex));
	return ifindex;
}

static int ifname_parse(const struct option *o, const char *text, union value *v, char **why)
{
	size_t len = strlen(text);

	/* An altname (IFNAMSIZ is for names only) or a label; whether it is a link at all is for the cross check. */
	if (len == 0 || len > 127 || strchr(text, '/'))
		return type_refuse(o, text, "is not", why);
	v->blob = blob_new(text, len + 1);
	return 0;
}

static void ifname_print(const struct option *o _unused_, union value v, FILE *f)
{
	if (ifname_index(v))
		fprintf(f, "ifindex %u", ifname_index(v));
	else if (v.blob)
		fputs((const char *)v.blob->data, f);
}

static void ifname_allowed(const struct option *o _unused_, FILE *f)
{
	fputs("the name of a link", f);
}

static void ifname_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	if (ifname_index(v) || !v.blob)
		mnl_attr_put_u32(m, o->attr, ifname_index(v));
}

static int ifname_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	if (mnl_attr_get_payload_len(a) != sizeof(uint32_t))
		return -EINVAL;
	v->blob = mnl_attr_get_u32(a) ? ifname_from_index(mnl_attr_get_u32(a)).blob : NULL;
	return 0;
}

/* clang-format off */
const struct type type_mac = {
	.name = "MAC address", .parse = mac_parse, .print = mac_print, .allowed = mac_allowed,
	.equal = type_num_equal, .put = mac_put, .get = mac_get,
};
const struct type type_ip4_list = {
	.name = "IPv4 addresses", .is_blob = true, .is_list = true, .parse = ip4_parse, .print = ip4_print,
	.allowed = ip4_allowed, .equal = type_blob_equal, .put = ip4_put, .get = ip4_get,
};
const struct type type_ip6_list = {
	.name = "IPv6 addresses", .is_blob = true, .is_list = true, .parse = ip6_parse, .print = ip6_print,
	.allowed = ip6_allowed, .equal = type_blob_equal, .put = ip6_put, .get = ip6_get,
};
const struct type type_ifname = {
	.name = "link", .is_blob = true, .parse = ifname_parse, .print = ifname_print,
	.allowed = ifname_allowed, .equal = type_blob_equal, .put = ifname_put, .get = ifname_get,
};
/* clang-format on */
