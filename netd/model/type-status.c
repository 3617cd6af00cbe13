/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: value types that the kernel reports and nobody sets. */
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>

#include "model.h"
#include "type.h"

struct ad_info {
	uint16_t numbers[IFLA_BOND_AD_INFO_PARTNER_KEY + 1]; /* by IFLA_BOND_AD_INFO_* */
	uint8_t partner_mac[ETH_ALEN];
};

static void ad_info_print(const struct option *o _unused_, union value v, FILE *f)
{
	struct ad_info info;
	uint64_t mac = 0;
	char buf[18];

	if (!v.blob)
		return;
	memcpy(&info, v.blob->data, sizeof(info));
	for (unsigned i = 0; i < ETH_ALEN; i++)
		mac = mac << 8 | info.partner_mac[i];
	fprintf(f, "aggregator %u, %u port%s, actor key %u, partner key %u, partner %s",
		info.numbers[IFLA_BOND_AD_INFO_AGGREGATOR], info.numbers[IFLA_BOND_AD_INFO_NUM_PORTS],
		info.numbers[IFLA_BOND_AD_INFO_NUM_PORTS] == 1 ? "" : "s", info.numbers[IFLA_BOND_AD_INFO_ACTOR_KEY],
		info.numbers[IFLA_BOND_AD_INFO_PARTNER_KEY], mac_text(mac, buf));
}

static int ad_info_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	struct ad_info info = {0};
	const struct nlattr *item;

	mnl_attr_for_each_nested (item, a) {
		uint16_t type = mnl_attr_get_type(item), len = mnl_attr_get_payload_len(item);

		if (type == IFLA_BOND_AD_INFO_PARTNER_MAC && len == ETH_ALEN)
			memcpy(info.partner_mac, mnl_attr_get_payload(item), ETH_ALEN);
		else if (type <= IFLA_BOND_AD_INFO_PARTNER_KEY && len == sizeof(uint16_t))
			info.numbers[type] = mnl_attr_get_u16(item);
	}
	v->blob = blob_new(&info, sizeof(info));
	return 0;
}

/* Bits of the port state in an LACPDU, IEEE 802.1AX 6.4.2.3; LACP_STATE_* of drivers/net/bonding/bond_3ad.c. */
static const char *const lacp_bits[] = {
	"active", "short timeout", "aggregatable", "in sync", "collecting", "distributing", "defaulted", "expired",
};

static void lacp_state_print(const struct option *o _unused_, union value v, FILE *f)
{
	const char *separator = " (";

	fprintf(f, "%llu", (unsigned long long)v.num);
	for (unsigned i = 0; i < ARRAY_SIZE(lacp_bits); i++) {
		if (!(v.num >> i & 1))
			continue;
		fprintf(f, "%s%s", separator, lacp_bits[i]);
		separator = ", ";
	}
	if (v.num & 0xff)
		fputc(')', f);
}

static int lacp_state_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	switch (mnl_attr_get_payload_len(a)) {
	case sizeof(uint8_t):
		v->num = mnl_attr_get_u8(a);
		return 0;
	case sizeof(uint16_t):
		v->num = mnl_attr_get_u16(a);
		return 0;
	}
	return -EINVAL;
}

/* Two bytes of priority, six of address: "8000.52:54:00:12:34:56". */
static void bridge_id_print(const struct option *o _unused_, union value v, FILE *f)
{
	char buf[18];

	fprintf(f, "%04llx.%s", (unsigned long long)(v.num >> 48), mac_text(v.num & 0xffffffffffff, buf));
}

static int bridge_id_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	const uint8_t *bytes = mnl_attr_get_payload(a);

	if (mnl_attr_get_payload_len(a) != sizeof(struct ifla_bridge_id))
		return -EINVAL;
	v->num = 0;
	for (unsigned i = 0; i < sizeof(struct ifla_bridge_id); i++)
		v->num = v->num << 8 | bytes[i];
	return 0;
}

/* clang-format off */
const struct type type_ad_info = {
	.name = "LACP aggregate", .is_blob = true, .print = ad_info_print, .equal = type_blob_equal, .get = ad_info_get,
};
const struct type type_lacp_state = {
	.name = "LACP port state", .print = lacp_state_print, .equal = type_num_equal, .get = lacp_state_get,
};
const struct type type_bridge_id = {
	.name = "bridge id", .print = bridge_id_print, .equal = type_num_equal, .get = bridge_id_get,
};
/* clang-format on */
