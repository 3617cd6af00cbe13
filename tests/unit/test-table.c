/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the option tables against what the kernel says of each option, written down a second time from its sources
 * and from what fresh links show: attribute, type, range, default, modes, and how it may change.
 */
#include "../../netd/model/kind.h"
#include "rows.h"

#define MAX_S32 INT32_MAX
#define MAX_U32 UINT32_MAX
#define ANY "0123456" /* bond modes */

struct fact {
	const char *key;
	unsigned attr;
	const struct type *type;
	int64_t min, max, initial;
	const char *modes; /* NULL: all */
	enum change change;
	const char *names; /* in the order of their numbers; NULL: none */
};

static char *joined_names(const struct option *o)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (unsigned i = 0; o->names[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", o->names[i]);
	fclose(f);
	return text;
}

/* An enum or a boolean: a range would say nothing. */
static bool has_only_names(const struct option *o)
{
	return (o->names && o->min == o->max) || o->type == &type_bool || o->type == &type_bool32 ||
	       o->type == &type_flag;
}

static void check_fact(const struct option *o, const struct fact *fact)
{
	if (o->attr != fact->attr || o->type != fact->type || o->change != fact->change)
		fail_msg("%s: attribute %u, type %s, change %d", o->key, o->attr, o->type->name, o->change);
	if (!has_only_names(o) && (o->min != fact->min || o->max != fact->max))
		fail_msg("%s: %lld..%lld", o->key, (long long)o->min, (long long)o->max);
	if (!o->type->is_blob && o->initial != fact->initial)
		fail_msg("%s: initially %lld", o->key, (long long)o->initial);
	for (int mode = 0; mode < 7; mode++)
		if ((!o->modes || o->modes >> mode & 1) != (!fact->modes || strchr(fact->modes, '0' + mode)))
			fail_msg("%s: mode %d", o->key, mode);
	if (!o->names != !fact->names)
		fail_msg("%s: names", o->key);
	if (fact->names) {
		_cleanup_free_ char *names = joined_names(o);

		assert_string_equal(names, fact->names);
	}
}

/* Every row that can be declared for the kernel has its fact. */
static void check_facts(const struct option_table *table, const struct fact *facts, size_t n)
{
	size_t settable = 0;

	for (unsigned row = 0; row < table->n; row++)
		settable += !(table->rows[row].flags & (OPTION_STATUS | OPTION_REFUSED)) &&
			    table->rows[row].place != PLACE_VLANS;
	assert_int_equal(settable, n);
	for (size_t i = 0; i < n; i++)
		check_fact(find(table, facts[i].key), &facts[i]);
}

/* clang-format off */
static void bond_options(void **state _unused_)
{
	static const struct fact facts[] = {
		{"mode", 1, &type_u8, 0, 6, 0, ANY, CHANGE_DOWN_NO_PORTS,
		 "balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb"},
		{"miimon", 3, &type_ms, 0, MAX_S32, 0, ANY, CHANGE_LIVE, NULL},
		{"updelay", 4, &type_ms, 0, MAX_S32, 0, ANY, CHANGE_LIVE, NULL},
		{"downdelay", 5, &type_ms, 0, MAX_S32, 0, ANY, CHANGE_LIVE, NULL},
		{"peer_notif_delay", 28, &type_ms, 0, 300000, 0, ANY, CHANGE_LIVE, NULL},
		{"arp_interval", 7, &type_ms, 0, MAX_S32, 0, "0123", CHANGE_LIVE, NULL},
		{"arp_ip_target", 8, &type_ip4_list, 0, 16, 0, ANY, CHANGE_LIVE, NULL},
		{"ns_ip6_target", 31, &type_ip6_list, 0, 16, 0, ANY, CHANGE_LIVE, NULL},
		{"arp_validate", 9, &type_u32, 0, 6, 0, "0123", CHANGE_LIVE,
		 "none active backup all filter filter_active filter_backup"},
		{"arp_all_targets", 10, &type_u32, 0, 1, 0, ANY, CHANGE_LIVE, "any all"},
		{"primary", 11, &type_ifname, 0, 0, 0, "156", CHANGE_LIVE, NULL},
		{"primary_reselect", 12, &type_u8, 0, 2, 0, ANY, CHANGE_LIVE, "always better failure"},
		{"fail_over_mac", 13, &type_u8, 0, 2, 0, ANY, CHANGE_NO_PORTS, "none active follow"},
		{"xmit_hash_policy", 14, &type_u8, 0, 5, 0, ANY, CHANGE_LIVE,
		 "layer2 layer3+4 layer2+3 encap2+3 encap3+4 vlan+srcmac"},
		{"resend_igmp", 15, &type_u32, 0, 255, 1, ANY, CHANGE_LIVE, NULL},
		{"num_grat_arp", 16, &type_u8, 0, 255, 1, ANY, CHANGE_LIVE, NULL},
		{"num_unsol_na", 16, &type_u8, 0, 255, 1, ANY, CHANGE_LIVE, NULL},
		{"all_slaves_active", 17, &type_bool, 0, 1, 0, ANY, CHANGE_LIVE, NULL},
		{"min_links", 18, &type_u32, 0, MAX_S32, 0, ANY, CHANGE_LIVE, NULL},
		{"lp_interval", 19, &type_s, 1, MAX_S32, 1, ANY, CHANGE_LIVE, NULL},
		{"packets_per_slave", 20, &type_u32, 0, 65535, 1, "0", CHANGE_LIVE, NULL},
		{"lacp_rate", 21, &type_u8, 0, 1, 0, "4", CHANGE_DOWN, "slow fast"},
		{"ad_select", 22, &type_u8, 0, 2, 0, ANY, CHANGE_DOWN, "stable bandwidth count"},
		{"ad_actor_sys_prio", 24, &type_u16, 1, 65535, 65535, "4", CHANGE_LIVE, NULL},
		{"ad_user_port_key", 25, &type_u16, 0, 1023, 0, "4", CHANGE_DOWN, NULL},
		{"ad_actor_system", 26, &type_mac, 0, 0, 0, "4", CHANGE_LIVE, NULL},
		{"tlb_dynamic_lb", 27, &type_bool, 0, 1, 1, "56", CHANGE_DOWN, NULL},
		{"lacp_active", 29, &type_bool, 0, 1, 1, "4", CHANGE_DOWN, NULL},
		{"arp_missed_max", 30, &type_u8, 1, 255, 2, "0123", CHANGE_LIVE, NULL},
		{"coupled_control", 32, &type_bool, 0, 1, 1, "4", CHANGE_DOWN, NULL},
		{"broadcast_neighbor", 33, &type_bool, 0, 1, 0, "4", CHANGE_LIVE, NULL},
		{"lacp_strict", 34, &type_bool, 0, 1, 0, "4", CHANGE_DOWN, NULL},
	};

	/* One row has its fact under both of its names. */
	assert_int_equal(option_find(&kind_bond.own, "num_unsol_na"), option_find(&kind_bond.own, "num_grat_arp"));
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		check_fact(find(&kind_bond.own, facts[i].key), &facts[i]);
	assert_int_equal(kind_bond.own.n, ARRAY_SIZE(facts) - 1 + 3); /* active_slave, use_carrier, ad_info */
	assert_true(find(&kind_bond.own, "use_carrier")->flags & OPTION_REFUSED);
	assert_true(find(&kind_bond.own, "active_slave")->flags & OPTION_REFUSED);
}

static void bond_port_options(void **state _unused_)
{
	static const struct fact facts[] = {
		{"queue_id", 5, &type_u16, 0, 65535, 0, ANY, CHANGE_LIVE, NULL},
		{"prio", 9, &type_s32, INT32_MIN, MAX_S32, 0, "156", CHANGE_LIVE, NULL},
		{"actor_port_prio", 10, &type_u16, 0, 65535, 255, "4", CHANGE_LIVE, NULL},
	};

	check_facts(&kind_bond.port, facts, ARRAY_SIZE(facts));
}

static void bridge_options(void **state _unused_)
{
	static const struct fact facts[] = {
		{"forward_delay", 1, &type_cs, 0, MAX_U32, 1500, NULL, CHANGE_LIVE, NULL},
		{"hello_time", 2, &type_cs, 100, 1000, 200, NULL, CHANGE_LIVE, NULL},
		{"max_age", 3, &type_cs, 600, 4000, 2000, NULL, CHANGE_LIVE, NULL},
		{"ageing_time", 4, &type_cs, 0, MAX_U32, 30000, NULL, CHANGE_LIVE, NULL},
		{"stp_state", 5, &type_bool32, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"priority", 6, &type_u16, 0, 65535, 32768, NULL, CHANGE_LIVE, NULL},
		{"vlan_filtering", 7, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"vlan_protocol", 8, &type_be16, 0, 0, 0x8100, NULL, CHANGE_LIVE, "802.1q 802.1ad"},
		{"group_fwd_mask", 9, &type_hex, 0, 0xffff, 0, NULL, CHANGE_LIVE, NULL},
		{"group_address", 20, &type_mac, 0x0180c2000000, 0x0180c200000f, 0x0180c2000000, NULL, CHANGE_LIVE, NULL},
		{"mcast_router", 22, &type_u8, 0, 2, 1, NULL, CHANGE_LIVE, NULL},
		{"mcast_snooping", 23, &type_bool, 0, 1, 1, NULL, CHANGE_LIVE, NULL},
		{"mcast_query_use_ifaddr", 24, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_querier", 25, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_hash_max", 27, &type_u32, 0, MAX_U32, 4096, NULL, CHANGE_LIVE, NULL},
		{"mcast_last_member_count", 28, &type_u32, 0, MAX_U32, 2, NULL, CHANGE_LIVE, NULL},
		{"mcast_startup_query_count", 29, &type_u32, 0, MAX_U32, 2, NULL, CHANGE_LIVE, NULL},
		{"mcast_last_member_interval", 30, &type_cs64, 0, MAX_U32, 100, NULL, CHANGE_LIVE, NULL},
		{"mcast_membership_interval", 31, &type_cs64, 0, MAX_U32, 26000, NULL, CHANGE_LIVE, NULL},
		{"mcast_querier_interval", 32, &type_cs64, 0, MAX_U32, 25500, NULL, CHANGE_LIVE, NULL},
		{"mcast_query_interval", 33, &type_cs64, 100, 8640000, 12500, NULL, CHANGE_LIVE, NULL},
		{"mcast_query_response_interval", 34, &type_cs64, 0, MAX_U32, 1000, NULL, CHANGE_LIVE, NULL},
		{"mcast_startup_query_interval", 35, &type_cs64, 100, 8640000, 3125, NULL, CHANGE_LIVE, NULL},
		{"nf_call_iptables", 36, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"nf_call_ip6tables", 37, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"nf_call_arptables", 38, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"vlan_default_pvid", 39, &type_u16, 1, 4094, 1, NULL, CHANGE_LIVE, "none"},
		{"vlan_stats_enabled", 41, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_stats_enabled", 42, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_igmp_version", 43, &type_u8, 2, 3, 2, NULL, CHANGE_LIVE, NULL},
		{"mcast_mld_version", 44, &type_u8, 1, 2, 1, NULL, CHANGE_LIVE, NULL},
		{"vlan_stats_per_port", 45, &type_bool, 0, 1, 0, NULL, CHANGE_NO_PORTS, NULL},
		{"no_linklocal_learn", 46, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_vlan_snooping", 46, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mst_enabled", 46, &type_flag, 0, 1, 0, NULL, CHANGE_NO_PORTS, NULL},
		{"mdb_offload_fail_notification", 46, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"fdb_local_vlan_0", 46, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"fdb_max_learned", 49, &type_u32, 0, MAX_U32, 0, NULL, CHANGE_LIVE, NULL},
	};
	static const char *const bits[] = {
		"no_linklocal_learn", "mcast_vlan_snooping", "mst_enabled", "mdb_offload_fail_notification",
		"fdb_local_vlan_0",
	};

	check_facts(&kind_bridge.own, facts, ARRAY_SIZE(facts));
	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++)
		assert_int_equal(find(&kind_bridge.own, bits[i])->bit, 1u << i);
	assert_int_equal(option_find(&kind_bridge.own, "stp"), option_find(&kind_bridge.own, "stp_state"));
	assert_true(find(&kind_bridge.own, "mcast_hash_elasticity")->flags & OPTION_REFUSED);
}

static void bridge_port_options(void **state _unused_)
{
	static const struct fact facts[] = {
		{"priority", 2, &type_u16, 0, 63, 32, NULL, CHANGE_LIVE, NULL},
		{"cost", 3, &type_u32, 1, 65535, 100, NULL, CHANGE_LIVE, NULL},
		{"hairpin", 4, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"guard", 5, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"root_block", 6, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"fastleave", 7, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"learning", 8, &type_bool, 0, 1, 1, NULL, CHANGE_LIVE, NULL},
		{"flood", 9, &type_bool, 0, 1, 1, NULL, CHANGE_LIVE, NULL},
		{"proxy_arp", 10, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"proxy_arp_wifi", 12, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_router", 25, &type_u8, 0, 3, 1, NULL, CHANGE_LIVE, NULL},
		{"mcast_flood", 27, &type_bool, 0, 1, 1, NULL, CHANGE_LIVE, NULL},
		{"mcast_to_unicast", 28, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"vlan_tunnel", 29, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"bcast_flood", 30, &type_bool, 0, 1, 1, NULL, CHANGE_LIVE, NULL},
		{"group_fwd_mask", 31, &type_hex, 0, 0xffff, 0, NULL, CHANGE_LIVE, NULL},
		{"neigh_suppress", 32, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"isolated", 33, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"backup_port", 34, &type_ifname, 0, 0, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_eht_hosts_limit", 37, &type_u32, 1, MAX_U32, 512, NULL, CHANGE_LIVE, NULL},
		{"locked", 39, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mab", 40, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mcast_max_groups", 42, &type_u32, 0, MAX_U32, 0, NULL, CHANGE_LIVE, NULL},
		{"neigh_vlan_suppress", 43, &type_bool, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"backup_nhid", 44, &type_u32, 0, MAX_U32, 0, NULL, CHANGE_LIVE, NULL},
	};

	check_facts(&kind_bridge.port, facts, ARRAY_SIZE(facts));
}

static void vlan_options(void **state _unused_)
{
	static const struct fact facts[] = {
		{"id", 1, &type_u16, 1, 4094, 0, NULL, CHANGE_RECREATE, NULL},
		{"reorder_hdr", 2, &type_flag, 0, 1, 1, NULL, CHANGE_LIVE, NULL},
		{"gvrp", 2, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"loose_binding", 2, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"mvrp", 2, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"bridge_binding", 2, &type_flag, 0, 1, 0, NULL, CHANGE_LIVE, NULL},
		{"egress_qos_map", 3, &type_qos_map, MAX_U32, 7, 0, NULL, CHANGE_LIVE, NULL},
		{"ingress_qos_map", 4, &type_qos_map, 7, MAX_U32, 0, NULL, CHANGE_LIVE, NULL},
		{"protocol", 5, &type_be16, 0, 0, 0x8100, NULL, CHANGE_RECREATE, "802.1q 802.1ad"},
	};
	static const char *const bits[] = {"reorder_hdr", "gvrp", "loose_binding", "mvrp", "bridge_binding"};

	check_facts(&kind_vlan.own, facts, ARRAY_SIZE(facts));
	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++)
		assert_int_equal(find(&kind_vlan.own, bits[i])->bit, 1u << i);
}
/* clang-format on */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bond_options),	  cmocka_unit_test(bond_port_options),
		cmocka_unit_test(bridge_options), cmocka_unit_test(bridge_port_options),
		cmocka_unit_test(vlan_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
