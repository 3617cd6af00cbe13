/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: one const row per option. A row drives parsing, range check, printing, comparing, the netlink
 * attribute in both directions, the planner (how the kernel lets it change), and the manual. Adding an
 * option is adding a row to its kind's table.
 *
 * A table has at most OPTION_ROWS_MAX rows; a row's index is its bit in `struct values`. Values are plain data: a
 * number, or a blob (owned by the values that hold it).
 */
#pragma once

#include <netinet/in.h>

#include "../util.h"
#include "loc.h"

struct nlattr;
struct nlmsghdr;
struct option;
struct values;

/* Variable-sized value: a packed array of fixed-size items, in canonical order for its type. */
struct blob {
	uint32_t len; /* bytes */
	uint8_t data[];
};

/* Which member is in use follows from the row's type: type->is_blob. */
union value {
	uint64_t num;
	struct blob *blob;
};

/*
 * A value type: how text, numbers and attribute bytes become each other.
 *
 * parse: one word of text (for a list type: one item) to *v. For list types *v holds the items so far (NULL blob at
 *   first) and the item is added; duplicates are refused. Returns 0, or -EINVAL with *why set to what is wrong and what
 *   would be right, e.g. "'fastt' is not one of slow, fast" (the caller frees it).
 * print: the canonical text; parse(print(v)) gives v again.
 * allowed: what would be right, as a phrase that fits after "one of" or "needs": "0..255", "slow, fast".
 * equal: would the kernel show `have` after `want` was written? Knows the kernel's rounding.
 * put: appends the attribute (option->attr). get: reads it into *v (for blobs a new one); -EINVAL when the payload has
 *   the wrong size, -ENOENT when the attribute says that this kernel does not know the option.
 *
 * parse and allowed are NULL for types that are only shown (status), put and get for types the kernel never sees.
 */
struct type {
	const char *name; /* for help: "integer", "time", "address list" */
	bool is_blob;
	bool is_list; /* takes several space-separated words, and repeated keys append */
	bool is_line; /* of a list: an item is all that the line says, words and all */
	int (*parse)(const struct option *o, const char *text, union value *v, char **why);
	void (*print)(const struct option *o, union value v, FILE *f);
	void (*allowed)(const struct option *o, FILE *f);
	bool (*equal)(const struct option *o, union value want, union value have);
	void (*put)(const struct option *o, union value v, struct nlmsghdr *m);
	int (*get)(const struct option *o, const struct nlattr *a, union value *v);
};

extern const struct type type_bool; /* yes/no/true/false/on/off/1/0; u8 */
/*
 * Integers. With names and min == max only the named values are valid (by name or by number); with names and
 * a range both are. A name matches in any case.
 */
extern const struct type type_u8;
extern const struct type type_u16;
extern const struct type type_u32;
extern const struct type type_s32;
extern const struct type type_bool32; /* bool carried as u32 (stp_state) */
extern const struct type type_be16;   /* VLAN protocol: names at option->names by value */
extern const struct type type_ms;     /* u32 milliseconds; a bare number is milliseconds, unless OPTION_UNIT */
/* u32 seconds; a bare number is seconds, unless OPTION_UNIT; option->names[0], if any, is UINT32_MAX */
extern const struct type type_s;
extern const struct type type_cs;   /* u32 of 1/100 s (clock_t); needs a unit; rounded by the kernel's HZ */
extern const struct type type_cs64; /* same, u64 */
/*
 * Six bytes, in num as big endian number. A word of option->names is 1 << (48 + its index). Without option->max the
 * address must be unicast and at least option->min (1 refuses zero); with it, the address lies in min..max.
 */
extern const struct type type_mac;
/*
 * One bit (option->bit) of a {u32 value, u32 mask} pair: VLAN flags, br_boolopt_multi. put writes a pair with this bit
 * alone; several pairs of one attribute in a message would override each other: values_encode() merges them.
 */
extern const struct type type_flag;
/* Nests of be32 / in6_addr, order kept, at most option->max of them. Addresses of one host: no multicast, no zero. */
extern const struct type type_ip4_list;
extern const struct type type_ip6_list;
/*
 * Nest of {u32 from, u32 to}: text "FROM:TO", sorted by from; from is 0..option->min, to is 0..option->max. The kernel
 * takes entries one by one: an entry it should forget must be written with to = 0, which is also what an absent
 * entry means; so `equal` passes over entries with to = 0.
 */
extern const struct type type_qos_map;
/*
 * A link, always as a blob: declared it is the name with its NUL; from the kernel it is an ifindex
 * (ifname_from_index(), told from a name by ifname_index()). put writes an ifindex and nothing for a name: the encoder
 * resolves names. equal compares like with like; value_equal() in model.h resolves.
 */
extern const struct type type_ifname;
extern const struct type type_vlan_set; /* ranges "10 20-29" as struct vlan_range items, sorted and merged */
/* Addresses of hosts, of both families, as struct server items; order kept, at most option->max of them. */
extern const struct type type_server_list;
extern const struct type type_domain_list; /* type_words of DNS domains, in lower case */
extern const struct type type_zone;	   /* one name of a firewalld zone, a blob like type_string's */
extern const struct type type_words;	   /* names, as NUL-terminated strings one after another; order kept */
extern const struct type type_string;	   /* one word, NUL-terminated blob */
/* Lines of probe.h; a blob of struct probe_target. */
extern const struct type type_probes;
extern const struct type type_hex; /* u16 shown and read as 0x4000; also takes decimal */
/* Status only. */
extern const struct type type_ad_info;	  /* IFLA_BOND_AD_INFO nest: "aggregator 1, 2 ports, ..., partner 52:54:..." */
extern const struct type type_lacp_state; /* u8 or u16 of LACP port state bits: "63 (active, short timeout, ...)" */
extern const struct type type_bridge_id;  /* struct ifla_bridge_id: "8000.52:54:00:12:34:56" */

struct vlan_range {
	uint16_t from, to; /* 1..4094, from <= to */
};

struct qos_entry {
	uint32_t from, to;
};

struct server {
	uint8_t family;	  /* AF_INET, AF_INET6 */
	uint8_t addr[16]; /* network order; the first 4 bytes for IPv4, the others zero */
};

/* Where in a message (or elsewhere) the attribute lives. */
enum place {
	PLACE_CONFIG,  /* kvmnetd's own; the kernel never sees it */
	PLACE_LINK,    /* IFLA_* of the link message itself */
	PLACE_FLAGS,   /* ifi_flags; attr is the IFF_ bit */
	PLACE_INFO,    /* IFLA_INFO_DATA of the link's kind */
	PLACE_SLAVE,   /* IFLA_INFO_SLAVE_DATA of the master's kind */
	PLACE_INET6,   /* IFLA_AF_SPEC / AF_INET6, settable over netlink */
	PLACE_SYSCTL4, /* /proc/sys/net/ipv4/conf/LINK/KEY (after a point in it); read from IFLA_INET_CONF[attr - 1] */
	PLACE_SYSCTL6, /* /proc/sys/net/ipv6/conf/LINK/KEY; read from IFLA_INET6_CONF[attr] */
	PLACE_VLANS,   /* AF_BRIDGE bridge VLAN messages (pvid, vlans, untagged) */
	PLACE_HOST,    /* what another program of the host keeps about the link (its resolver); netd/host/ */
};

static inline bool place_is_sysctl(enum place place)
{
	return place == PLACE_SYSCTL4 || place == PLACE_SYSCTL6;
}

/* How the kernel lets the option change on a link that exists. */
enum change {
	CHANGE_LIVE,
	CHANGE_DOWN,	 /* the link must be down */
	CHANGE_NO_PORTS, /* no ports may be attached */
	CHANGE_DOWN_NO_PORTS,
	CHANGE_RECREATE, /* only at creation; the kernel silently ignores it later */
};

enum option_flag {
	OPTION_STATUS =
		1 << 0, /* read from the kernel for `netctl status` only: never a configuration key, never compared */
	OPTION_INTERNAL = 1 << 1, /* not a configuration key: set by lowering another one */
	OPTION_REQUIRED = 1 << 2, /* the section is an error without it */
	OPTION_HIDDEN_READ =
		1 << 3, /* not always reported (needs mode 4, CAP_NET_ADMIN, a present port): absence is not drift */
	OPTION_REFUSED = 1 << 4, /* known, but never to be declared: `help` says why */
	OPTION_ZERO_ABSENT =
		1 << 5, /* the kernel leaves the attribute out when it is zero or empty: absence is that value */
	OPTION_UNIQUE = 1 << 6, /* of ports: no two of one master may have the same, but for 0, also not on the way */
	OPTION_DETAIL = 1 << 7, /* one row of a table: what is said beside a kind ("vlan 10") or a port ("backup") */
	OPTION_UNIT = 1 << 8,	/* of type_ms and type_s: a bare number, but for 0, is refused */
};

struct option {
	const char *key;
	const char *alias; /* other spelling in common use, or NULL; both in one section are an error */
	const struct type *type;
	enum place place;
	uint16_t attr;
	uint32_t bit;		  /* type_flag: the bit in the pair */
	int64_t min, max;	  /* for numbers and times, in the kernel's unit */
	const char *const *names; /* NULL-terminated; index is the number unless name_values says otherwise */
	const uint32_t *name_values;
	uint16_t modes; /* bond: bit per mode where the kernel accepts it; 0: everywhere */
	enum change change;
	uint32_t flags;	   /* enum option_flag */
	int64_t initial;   /* the kernel's value on a fresh link (numbers); blobs: empty */
	const char *needs; /* human note appended to help: "needs miimon" */
	const char *help;
};

#define OPTION_ROWS_MAX 64

/* A named set of rows, OPTION_ROWS_MAX at most. what: for messages, "bond option". */
struct option_table {
	const char *what;
	const struct option *rows;
	unsigned n;
};

#define OPTION_TABLE(text, array)                                                                                      \
	{                                                                                                              \
		.what = (text), .rows = (array), .n = ARRAY_SIZE(array)                                                \
	}

/*
 * The values of one table on one link: present bits, values, and where each was written. There are thousands of links,
 * each four times over (as declared, as wanted, as it is, as it was), that mostly say little and the same: so only set
 * rows have a slot, and copies share their slots until one of them is written to.
 */
struct values {
	const struct option_table *table;
	uint64_t set;
	struct slots *slots; /* option.c's own; NULL: none is set */
};

/* Of the set rows, in their order. */
struct slots {
	uint32_t owners; /* values that share them */
	uint8_t room, used;
	bool has_locs;	 /* room of them follow v; else none is known (kernel state) */
	union value v[]; /* room of them */
};

struct values *values_new(const struct option_table *table);
/* Of these rows, each at its place in `rows`; takes over their blobs. */
struct values *values_of(const struct option_table *table, uint64_t set, const union value *rows);
/* Frees; accepts NULL, returns NULL. */
struct values *values_free(struct values *v);
struct values *values_copy(const struct values *v);
/* Do both set the same rows to the same? Where that was written does not count. Either may be NULL. */
bool values_same(const struct values *a, const struct values *b);
/* Where both are the same and know nothing of where they were written, v has the slots of the other from now on. */
void values_share(struct values *v, const struct values *like);
static inline bool values_has(const struct values *v, unsigned row)
{
	return v && (v->set >> row & 1);
}
/* Zero when it is not set. A blob stays v's. */
static inline union value values_at(const struct values *v, unsigned row)
{
	if (!values_has(v, row))
		return (union value){0};
	return v->slots->v[__builtin_popcountll(v->set & ((1ull << row) - 1))];
}
/* Stores; takes over a blob and frees the one that was there. */
void values_put(struct values *v, unsigned row, union value value, struct loc loc);
void values_unset(struct values *v, unsigned row);
/* Unsets, and gives the value, zero when there is none, to the caller. */
union value values_take(struct values *v, unsigned row);
/* Another number where one is set; where it was written stays. */
void values_set_num(struct values *v, unsigned row, uint64_t num);
struct loc values_loc(const struct values *v, unsigned row);
/* The number of a set row, or `otherwise`. v may be NULL. */
uint64_t values_num(const struct values *v, unsigned row, uint64_t otherwise);

/* Row index by key or alias, or -ENOENT. */
int option_find(const struct option_table *table, const char *key);
/* Row index by key; a programmer's name for it, so it must exist. */
unsigned option_row(const struct option_table *table, const char *key);

/*
 * Appends the attributes of the set rows among `rows` that live in `place`, in the table's order, one attribute for all
 * flags that share one. The caller opens and ends the nest.
 */
void values_encode(const struct values *v, uint64_t rows, enum place place, struct nlmsghdr *m);
/* type_ifname: the value for an ifindex, and the ifindex of a value (0: it is a name or empty). */
union value ifname_from_index(uint32_t ifindex);
uint32_t ifname_index(union value v);

union value value_copy(const struct option *o, union value v);
void value_free(const struct option *o, union value v);
/* Canonical text the caller frees. */
char *value_text(const struct option *o, union value v);
/* "0..255", "slow, fast", "time from 2s to 30s": what would be right. The caller frees it. */
char *option_allowed(const struct option *o);

struct blob *blob_new(const void *data, size_t len);
bool blob_equal(const struct blob *a, const struct blob *b);
