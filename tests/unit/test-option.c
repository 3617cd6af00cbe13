/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: every row of every option table: its text, its numbers and its bytes become each other without loss, and
 * what is not allowed is refused with a message that says what is. What is special to one type is in test-type.c, what
 * the kernel says of each option in test-table.c.
 */
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <time.h>

#include "../../netd/config/config.h"
#include "../../netd/model/draft.h"
#include "rows.h"

#define RANDOM_VALUES 50

static const struct option_table *tables[32];
static unsigned n_tables;

static int collect_tables(void **state _unused_)
{
	unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);

	print_message("seed %u (SEED=%u repeats)\n", seed, seed);
	srandom(seed);
	tables[n_tables++] = &link_options;
	tables[n_tables++] = &daemon_options;
	for (unsigned i = 0; kinds[i]; i++) {
		assert_true(n_tables + 2 <= ARRAY_SIZE(tables));
		tables[n_tables++] = &kinds[i]->own;
		tables[n_tables++] = &kinds[i]->port;
	}
	return 0;
}

typedef void row_fn(const struct option *o);

static void each_row(row_fn *fn)
{
	for (unsigned t = 0; t < n_tables; t++)
		for (unsigned row = 0; row < tables[t]->n; row++)
			fn(&tables[t]->rows[row]);
}

static bool is_named_only(const struct option *o)
{
	return o->names && o->min == o->max;
}

/* Types whose value is a number in option->min..max. */
static bool is_ranged(const struct option *o)
{
	return o->type->parse && !o->type->is_blob && o->type != &type_bool && o->type != &type_bool32 &&
	       o->type != &type_flag && o->type != &type_mac && !is_named_only(o);
}

static int64_t random_between(int64_t min, int64_t max)
{
	uint64_t r = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random();

	return min + (int64_t)(r % ((uint64_t)(max - min) + 1));
}

typedef void value_fn(const struct option *o, union value v);

static const char *const blob_samples[] = {
	"192.0.2.1",   "192.0.2.1 198.51.100.7 10.0.0.1",
	"2001:db8::1", "2001:db8::2 fe80::1",
	"1:2",	       "0:0 3:5 7:7",
	"5:1 2:3",     "eth0",
	"10",	       "20-29 10 4094 1",
	"admins",      "a b c",
};

/* Calls fn with boundary, named and random values of the row. */
static void each_value(const struct option *o, value_fn *fn)
{
	for (unsigned i = 0; o->names && o->names[i] && o->type != &type_mac; i++)
		fn(o, (union value){.num = o->name_values ? o->name_values[i] : i});
	if (o->type == &type_bool || o->type == &type_bool32 || o->type == &type_flag) {
		fn(o, (union value){.num = 0});
		fn(o, (union value){.num = 1});
	} else if (o->type == &type_mac) {
		fn(o, (union value){.num = o->max ? (uint64_t)o->max : 0x525400abcdef});
		fn(o, (union value){.num = (uint64_t)o->min});
	} else if (is_ranged(o)) {
		fn(o, (union value){.num = (uint64_t)o->min});
		fn(o, (union value){.num = (uint64_t)o->max});
		for (unsigned i = 0; i < RANDOM_VALUES; i++)
			fn(o, (union value){.num = (uint64_t)random_between(o->min, o->max)});
	}
	for (unsigned i = 0; i < ARRAY_SIZE(blob_samples) && o->type->is_blob && o->type->parse; i++) {
		_cleanup_free_ char *why = NULL;
		union value v;

		if (parse_words(o, blob_samples[i], &v, &why) == 0)
			fn(o, v);
		value_free(o, v);
	}
}

static bool same(const struct option *o, union value a, union value b)
{
	return o->type->is_blob ? blob_equal(a.blob, b.blob) : a.num == b.num;
}

static void row_is_complete(const struct option *o)
{
	bool shown_only = o->flags & OPTION_STATUS;

	assert_non_null(o->key);
	assert_non_null(o->type);
	assert_non_null(o->type->name);
	assert_non_null(o->type->print);
	assert_non_null(o->type->equal);
	if (!o->help || strlen(o->help) < 10)
		fail_msg("%s has no help", o->key);
	if (!shown_only && (!o->type->parse || !o->type->allowed))
		fail_msg("%s cannot be parsed", o->key);
	if ((o->place == PLACE_INFO || o->place == PLACE_SLAVE) && (!o->attr || !o->type->get))
		fail_msg("%s cannot be read", o->key);
	if ((o->place == PLACE_INFO || o->place == PLACE_SLAVE) && !shown_only && !o->type->put)
		fail_msg("%s cannot be written", o->key);
	if (o->type == &type_flag && (!o->bit || o->bit & (o->bit - 1)))
		fail_msg("%s is not one bit", o->key);
	if (o->min > o->max && !o->type->is_blob && o->type != &type_mac)
		fail_msg("%s has no range", o->key);
}

static void every_row_is_complete(void **state _unused_)
{
	each_row(row_is_complete);
}

static void keys_and_aliases_are_unique(void **state _unused_)
{
	for (unsigned t = 0; t < n_tables; t++) {
		assert_true(tables[t]->n <= OPTION_ROWS_MAX);
		for (unsigned row = 0; row < tables[t]->n; row++) {
			const struct option *o = &tables[t]->rows[row];

			assert_int_equal(option_find(tables[t], o->key), row);
			if (o->alias)
				assert_int_equal(option_find(tables[t], o->alias), row);
		}
		assert_int_equal(option_find(tables[t], "no_such_key"), -ENOENT);
	}
}

static void link_rows_are_in_the_order_of_their_enum(void **state _unused_)
{
	static const char *const keys[_LINK_ROWS] = {
		[LINK_MTU] = "mtu",
		[LINK_MAC] = "mac",
		[LINK_UP] = "up",
		[LINK_TXQLEN] = "txqueuelen",
		[LINK_IPV6] = "ipv6",
		[LINK_ACCEPT_RA] = "accept_ra",
		[LINK_REQUIRED] = "required",
		[LINK_DRIFT] = "drift",
		[LINK_ADOPT] = "adopt",
		[LINK_DHCP] = "dhcp",
		[LINK_DNS] = "dns",
		[LINK_SEARCH] = "search",
		[LINK_ZONE] = "zone",
		[LINK_DISABLE_IPV6] = "disable_ipv6",
		[LINK_ADDR_GEN_MODE] = "addr_gen_mode",
		[LINK_FORWARDING4] = "ipv4.forwarding",
		[LINK_FORWARDING6] = "ipv6.forwarding",
		[LINK_DNSMASQ] = "dnsmasq",
		[LINK_IPTABLES] = "iptables",
		[LINK_LEGACY] = "iptables-legacy",
		[LINK_GROUP] = "group",
	};

	assert_int_equal(link_options.n, _LINK_ROWS);
	for (unsigned row = 0; row < _LINK_ROWS; row++)
		assert_string_equal(link_options.rows[row].key, keys[row]);
}

static void text_round_trip(const struct option *o, union value v)
{
	_cleanup_free_ char *text = value_text(o, v), *again = NULL, *why = NULL;
	union value parsed;

	if (parse_words(o, text, &parsed, &why) < 0)
		fail_msg("%s prints %s, which it does not take: %s", o->key, text, why);
	if (!same(o, v, parsed))
		fail_msg("%s prints %s, which is another value", o->key, text);
	again = value_text(o, parsed);
	assert_string_equal(text, again);
	value_free(o, parsed);
}

static void text_of_row(const struct option *o)
{
	if (o->type->parse)
		each_value(o, text_round_trip);
}

static void printed_values_parse_to_themselves(void **state _unused_)
{
	each_row(text_of_row);
}

static void initial_of_row(const struct option *o)
{
	/* A link's MAC and a required value have no initial one. */
	if (o->type->parse && !o->type->is_blob && !(o->flags & OPTION_REQUIRED) && o != &link_options.rows[LINK_MAC])
		text_round_trip(o, (union value){.num = (uint64_t)o->initial});
}

static void initial_values_are_allowed(void **state _unused_)
{
	each_row(initial_of_row);
}

/* The payload that the kernel's policy asks for, by type; 0: a nest, of any size. */
static size_t payload_size(const struct option *o)
{
	const struct {
		const struct type *type;
		size_t size;
	} sizes[] = {
		{&type_bool, 1},   {&type_u8, 1},   {&type_u16, 2}, {&type_be16, 2}, {&type_hex, 2},
		{&type_bool32, 4}, {&type_u32, 4},  {&type_s32, 4}, {&type_ms, 4},   {&type_s, 4},
		{&type_cs, 4},	   {&type_cs64, 8}, {&type_mac, 6}, {&type_flag, 8}, {&type_ifname, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].type == o->type)
			return sizes[i].size;
	return 0;
}

static void bytes_round_trip(const struct option *o, union value v)
{
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);
	const struct nlattr *a;
	union value sent = o->type == &type_ifname ? ifname_from_index(42) : value_copy(o, v), got = {0};

	o->type->put(o, sent, m);
	a = only_attribute(m);
	assert_int_equal(mnl_attr_get_type(a), o->attr);
	if (payload_size(o))
		assert_int_equal(mnl_attr_get_payload_len(a), payload_size(o));
	assert_int_equal(o->type->get(o, a, &got), 0);
	if (!same(o, sent, got))
		fail_msg("%s does not survive the attribute", o->key);
	value_free(o, sent);
	value_free(o, got);
}

static void bytes_of_row(const struct option *o)
{
	bool kernel = o->place == PLACE_INFO || o->place == PLACE_SLAVE || o->place == PLACE_LINK;

	if (kernel && o->type->put && o->type->get)
		each_value(o, bytes_round_trip);
}

static void encoded_values_decode_to_themselves(void **state _unused_)
{
	each_row(bytes_of_row);
}

static void wrong_size_of_row(const struct option *o)
{
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);
	union value v = {0};

	if (!o->type->get || !payload_size(o))
		return;
	mnl_attr_put(m, o->attr, 3, "abc");
	assert_int_equal(o->type->get(o, only_attribute(m), &v), -EINVAL);
}

static void attributes_of_wrong_size_are_refused(void **state _unused_)
{
	each_row(wrong_size_of_row);
}

static void range_of_row(const struct option *o)
{
	_cleanup_free_ char *allowed = option_allowed(o), *below = NULL, *above = NULL;
	bool is_time = o->type == &type_ms || o->type == &type_s || o->type == &type_cs || o->type == &type_cs64;
	const char *unit = o->type == &type_ms ? "ms" : o->type == &type_s ? "s" : is_time ? "0ms" : "";

	if (!is_ranged(o))
		return;
	below = xasprintf("%lld%s", (long long)(o->names ? o->min - 2 : o->min - 1), unit);
	above = xasprintf("%lld%s", (long long)o->max + 1, unit);
	must_refuse(o, below, allowed);
	must_refuse(o, above, allowed);
	must_refuse(o, "99999999999999999999", is_time ? "" : allowed);
	must_refuse(o, "nonsense", allowed);
	must_refuse(o, "1x", allowed);
}

static void values_out_of_range_are_refused_and_the_range_named(void **state _unused_)
{
	each_row(range_of_row);
}

static void names_of_row(const struct option *o)
{
	if (!o->names || !o->type->parse || o->type == &type_mac)
		return;
	for (unsigned i = 0; o->names[i]; i++) {
		uint64_t number = o->name_values ? o->name_values[i] : i;
		_cleanup_free_ char *digits = xasprintf("%" PRIu64, number);
		_cleanup_free_ char *allowed = option_allowed(o);

		assert_int_equal(must_parse(o, o->names[i]).num, number);
		assert_int_equal(must_parse(o, digits).num, number);
		assert_non_null(strstr(allowed, o->names[i]));
		if (is_named_only(o)) {
			must_refuse(o, "nonsense", o->names[i]);
			must_refuse(o, "7777", o->names[i]);
			must_refuse(o, "-1", o->names[i]);
		}
	}
}

static void enums_take_every_name_and_number_and_nothing_else(void **state _unused_)
{
	each_row(names_of_row);
}

static struct values *declared(const struct option_table *table, const char *const *pairs)
{
	struct values *v = values_new(table);

	for (; pairs[0]; pairs += 2) {
		unsigned row = option_row(table, pairs[0]);

		values_put(v, row, must_parse(&table->rows[row], pairs[1]), LOC_NONE);
	}
	return v;
}

/* What a message with just this attribute says of the rows of `place`. */
static struct values *decoded(const struct option_table *table, enum place place, const struct nlattr *a, bool end)
{
	struct attributes as;
	struct draft d;

	attributes_read(&as, a, a ? a->nla_len : 0);
	draft_begin(&d, table);
	draft_decode(&d, place, &as);
	if (end)
		draft_decode_end(&d, place);
	return draft_end(&d);
}

static void flags_of_one_attribute_travel_together(void **state _unused_)
{
	static const char *const pairs[] = {"id", "10", "gvrp", "yes", "reorder_hdr", "no", "mvrp", "yes", NULL};
	struct values *v = declared(&kind_vlan.own, pairs), *back;
	uint64_t rows = v->set & ~(1ull << option_row(v->table, "id"));
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);
	uint32_t pair[2];

	values_encode(v, rows, PLACE_INFO, m);
	assert_int_equal(mnl_attr_get_payload_len(only_attribute(m)), sizeof(pair));
	memcpy(pair, mnl_attr_get_payload(only_attribute(m)), sizeof(pair));
	assert_int_equal(pair[0], 2 | 8);
	assert_int_equal(pair[1], 1 | 2 | 8);
	back = decoded(&kind_vlan.own, PLACE_INFO, only_attribute(m), false);
	assert_int_equal(back->set, rows);
	assert_int_equal(values_num(back, option_row(v->table, "reorder_hdr"), 9), 0);
	assert_int_equal(values_num(back, option_row(v->table, "mvrp"), 9), 1);
	values_free(v);
	values_free(back);
}

static void only_the_asked_rows_of_the_place_are_encoded(void **state _unused_)
{
	static const char *const pairs[] = {"vlan_filtering", "yes", "priority", "7", "vlans", "10", NULL};
	struct values *v = declared(&kind_bridge.own, pairs);
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);

	values_encode(v, UINT64_MAX & ~(1ull << option_row(v->table, "priority")), PLACE_INFO, m);
	assert_int_equal(mnl_attr_get_type(only_attribute(m)), find(v->table, "vlan_filtering")->attr);
	m = message(buf);
	values_encode(v, UINT64_MAX, PLACE_SLAVE, m);
	assert_int_equal(mnl_nlmsg_get_payload_len(m), 0);
	values_free(v);
}

/* Attribute numbers mean something else in every nest. */
static void attributes_go_to_rows_of_their_place(void **state _unused_)
{
	const struct option *o = &link_options.rows[LINK_ADDR_GEN_MODE];
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);
	struct values *v;

	o->type->put(o, (union value){.num = 1}, m);
	v = decoded(&link_options, PLACE_LINK, only_attribute(m), false);
	assert_int_equal(v->set, 0);
	values_free(v);
	v = decoded(&link_options, PLACE_INET6, only_attribute(m), false);
	assert_int_equal(v->set, 1ull << LINK_ADDR_GEN_MODE);
	assert_int_equal(values_num(v, LINK_ADDR_GEN_MODE, 9), 1);
	values_free(v);
}

static void what_the_kernel_leaves_out_is_zero_or_unknown(void **state _unused_)
{
	struct values *vlan = decoded(&kind_vlan.own, PLACE_INFO, NULL, true);
	struct values *bond = decoded(&kind_bond.own, PLACE_INFO, NULL, true), *bridge;
	const uint32_t known[2] = {0, 1};
	char buf[BUFFER_SIZE];
	struct nlmsghdr *m = message(buf);

	assert_true(values_has(vlan, option_row(vlan->table, "reorder_hdr")));
	assert_int_equal(values_num(vlan, option_row(vlan->table, "reorder_hdr"), 9), 0);
	assert_true(values_has(vlan, option_row(vlan->table, "egress_qos_map")));
	assert_false(values_has(vlan, option_row(vlan->table, "id")));
	assert_true(values_has(bond, option_row(bond->table, "arp_ip_target")));
	assert_false(values_has(bond, option_row(bond->table, "primary")));
	/* A kernel that knows the first boolean option only: the others are not "no" but absent. */
	mnl_attr_put(m, find(&kind_bridge.own, "no_linklocal_learn")->attr, sizeof(known), known);
	bridge = decoded(&kind_bridge.own, PLACE_INFO, only_attribute(m), true);
	assert_true(values_has(bridge, option_row(bridge->table, "no_linklocal_learn")));
	assert_false(values_has(bridge, option_row(bridge->table, "mst_enabled")));
	values_free(vlan);
	values_free(bond);
	values_free(bridge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(keys_and_aliases_are_unique),
		cmocka_unit_test(link_rows_are_in_the_order_of_their_enum),
		cmocka_unit_test(printed_values_parse_to_themselves),
		cmocka_unit_test(initial_values_are_allowed),
		cmocka_unit_test(encoded_values_decode_to_themselves),
		cmocka_unit_test(attributes_of_wrong_size_are_refused),
		cmocka_unit_test(values_out_of_range_are_refused_and_the_range_named),
		cmocka_unit_test(enums_take_every_name_and_number_and_nothing_else),
		cmocka_unit_test(flags_of_one_attribute_travel_together),
		cmocka_unit_test(only_the_asked_rows_of_the_place_are_encoded),
		cmocka_unit_test(attributes_go_to_rows_of_their_place),
		cmocka_unit_test(what_the_kernel_leaves_out_is_zero_or_unknown),
	};

	return cmocka_run_group_tests(tests, collect_tables, NULL);
}
