/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the one model type for what is declared and for what is: links with their options, addresses, routes
 * and bridge VLANs. Plain data; relations between declared links are names, between the kernel's links ifindexes
 * (a link may be heard of before the one it refers to), and model_master()/model_parent() answer for both.
 *
 * Ownership: a model owns its links and everything in them.
 */
#pragma once

#include <net/if.h>

#include "kind.h"

/* Flags of addresses that can be asked for; the others are the kernel's. */
#define IFA_SETTABLE (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

struct address {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t prefix_len;
	uint8_t scope;	    /* RT_SCOPE_* */
	uint8_t proto;	    /* IFA_PROTO; 0 when the kernel has none */
	uint32_t flags;	    /* IFA_F_*; kernel state only */
	uint32_t valid_lft; /* seconds; UINT32_MAX: forever */
	uint8_t addr[16];   /* network order; the first 4 bytes for IPv4 */
	/* Of addresses of others, which are only put back: what the kernel shows. */
	bool has_peer, has_broadcast;
	uint8_t peer[16]; /* the other end, where it is another address */
	uint8_t broadcast[4];
	uint32_t metric; /* of the prefix route; 0: the kernel's */
	char label[IFNAMSIZ];
	struct loc loc;
};

struct route {
	uint8_t family;
	uint8_t dst_len;
	uint8_t protocol; /* RTPROT_* */
	uint8_t scope;
	uint8_t type; /* RTN_* */
	bool has_gateway, has_prefsrc;
	bool by_gateway; /* declared with `gateway`, for messages */
	uint32_t table;	 /* RT_TABLE_MAIN when not declared */
	uint32_t metric; /* as the kernel shows it: 0 for IPv4, 1024 for IPv6 when not declared */
	uint32_t mtu;	 /* 0: none */
	uint32_t flags;	 /* RTNH_F_*; kernel state only */
	uint8_t dst[16], gateway[16], prefsrc[16];
	struct loc loc;
};

/* A bridge VLAN membership of a port (or of the bridge itself), as the kernel keeps it. */
struct bridge_vlan {
	uint16_t vid;
	uint16_t flags; /* BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED */
};

struct name_ref {
	char *name; /* owned; a kernel name, an altname (up to 127 bytes) or the label of an [ethernet] section */
	struct loc loc;
};

/*
 * The settings of all links together (/proc/sys/net/ipv4/conf/all) are those of a link of this name, which no link can
 * have. It is in ACTUAL only when somebody asked for it.
 */
#define LINK_ALL "all"

/* Names of guest networks, with the NUL. */
#define NETWORK_NAME_SIZE 32

/* There are thousands of them, declared and found: the order of the members leaves no gaps. */
struct link {
	char name[IFNAMSIZ];
	char network[NETWORK_NAME_SIZE]; /* the [network] whose bridge it is; "": it has a section of its own, or none
					  */
	const struct kind *kind;
	struct values *common; /* link_options */
	struct values *own;    /* kind->own; NULL when kind->own.n == 0 */
	struct values *port;   /* the master's kind->port; NULL when it is no port */

	struct address *addresses;
	struct route *routes;	   /* routes whose device is this link */
	struct bridge_vlan *vlans; /* sorted by vid */
	uint32_t n_addresses, n_routes, n_vlans;
	struct loc loc; /* its section */

	/* Declared and effective. */
	struct name_ref *ports; /* in the order written */
	uint32_t n_ports;
	struct loc parent_loc;	    /* declared: of `parent` */
	char master_name[IFNAMSIZ]; /* "": not a declared port */
	char parent_name[IFNAMSIZ];

	/* Effective only (plan/resolve.c). */
	char *waits_for;	 /* owned: name of the absent device it needs; NULL: nothing is missing */
	bool foreign : 1;	 /* a port that is not declared: only its port values are wanted */
	bool exact : 1;		 /* rollback: addresses, routes and master not listed are to go */
	bool as_found : 1;	 /* with waits_for: it is there, and only not to be changed; ports may join it */
	bool drifted : 1;	 /* it was as wanted before: what differs is somebody's doing */
	bool has_section : 1;	 /* declared by a section of its own, not only as somebody's port */
	bool master_managed : 1; /* master_name is wanted, "" meaning none */
	bool vlans_managed : 1;	 /* vlans is the exact wanted set */
	bool mac_from_port : 1;	 /* LINK_MAC was inherited from a port */

	/* The kernel's. */
	bool carrier : 1;
	bool order_unknown : 1; /* of the addresses: events do not tell where a new one stands */
	bool names_source : 1;	/* a route of it may name a source address, other than the kernel's own */
	bool has_perm_mac : 1;
	bool has_alias : 1;    /* which says no more than that somebody gave it one */
	bool no_inet6 : 1;     /* the kernel keeps nothing of IPv6 for it */
	bool not_ethernet : 1; /* its frames are others': a tun, an InfiniBand NIC */
	uint8_t operstate;     /* IF_OPER_* */
	uint8_t addr_assign_type;
	uint32_t ifindex;
	uint32_t master;   /* ifindex, 0: none; once it is in a model, by model_relate() */
	uint32_t parent;   /* IFLA_LINK, 0: none; the same */
	uint32_t flags;	   /* IFF_* */
	uint32_t position; /* in the model's links; the model's own */
	uint64_t perm_mac;
	char info_kind[16]; /* IFLA_INFO_KIND as the kernel says it; "" for hardware */
	char *driver;	    /* owned; of hardware links; NULL: unknown */
	char *parent_dev;   /* "pci-0000:02:00.0": bus and device name; NULL for virtual ones */
	char *altnames;	    /* NUL-terminated strings one after another, an empty one last; NULL: none. From before it
			       is added to a model */
};

/* Links by name, by ifindex and in insertion order. */
struct model {
	struct link **links; /* no holes */
	size_t n_links;
	/* Open addressing: table_size of them, a power of two, each one more than the place in links, 0: none. */
	uint32_t *by_name, *by_index;
	uint32_t *masters, *parents; /* of the links, by place; like by_index only where links have an ifindex */
	size_t table_size;
	struct link **altnamed; /* those that have other names besides */
	size_t n_altnamed;
	/* The kernel's, in no order: routes of no link, for what goes nowhere (blackhole, unreachable, prohibit,
	 * throw). */
	struct route *nowhere;
	size_t n_nowhere;
	uint64_t version; /* another one whenever a link comes or goes: pointers to links live as long as it stays */
};

/* What every IPv6 link carries (RFC 8200, section 5); with less the kernel takes IPv6 off the link. */
#define IPV6_MTU_MIN 1280

void model_done(struct model *m);
#define MODEL_NULL ((struct model){0})

/* Copies a name, cut off where it is too long, and fills up with zeros: names of records are compared as numbers. */
void name_copy(char to[IFNAMSIZ], const char *from);

struct link *link_new(const char *name, const struct kind *kind);
struct link *link_free(struct link *l);
/* Deep copy, relations included. */
struct link *link_copy(const struct link *l);

/* Of what both have the same values of, one copy is enough: of thousands of links of the kernel's nearly all have. */
void link_share(struct link *l, const struct link *like);
/* The same with one of the last links of a model, of a link that is about to be added to it. */
void model_share(const struct model *m, struct link *l);

/* Adds; the model owns it. The name (and a nonzero ifindex) must not be in it yet. */
void model_add(struct model *m, struct link *l);
/* Takes the link out and gives it to the caller; O(1) but for the order of links, which changes. */
struct link *model_take(struct model *m, struct link *l);
/* Renames (kernel rename event). */
void model_rename(struct model *m, struct link *l, const char *name);
struct link *model_find(const struct model *m, const char *name);
struct link *model_index(const struct model *m, uint32_t ifindex);
/*
 * Of a model of the kernel: the next link, from the place *i on, that is a port of the one of this ifindex, or that
 * stands on it (a VLAN, a macvtap). NULL: there is none. *i becomes the place after it.
 */
struct link *model_next_port(const struct model *m, uint32_t ifindex, size_t *i);
struct link *model_next_upper(const struct model *m, uint32_t ifindex, size_t *i);
/* Another master and parent (ifindexes, 0: none) of a link that is in it. */
void model_relate(struct model *m, struct link *l, uint32_t master, uint32_t parent);
/* By name, else altname. */
struct link *model_find_any(const struct model *m, const char *name);
/* The link's master / parent in the same model, by name or ifindex; NULL: none or unknown. */
struct link *model_master(const struct model *m, const struct link *l);
struct link *model_parent(const struct model *m, const struct link *l);

/*
 * An order in which links of one kind have equal places when one parent could have only one of them (kind->slot, which
 * is not 0). Whose parents they have is not looked at.
 */
int slot_compare(const struct link *a, const struct link *b);

bool address_same(const struct address *a, const struct address *b);   /* what the kernel keys it by */
int address_compare(const struct address *a, const struct address *b); /* an order in which the same ones are equal */
bool address_equal(const struct address *a, const struct address *b);  /* all that can be set but lifetimes */
int route_compare(const struct route *a, const struct route *b);
bool route_same(const struct route *a, const struct route *b);	/* what the kernel keys it by */
bool route_equal(const struct route *a, const struct route *b); /* also gateway, source, mtu, protocol */
/* Adds one that the kernel has. */
void link_add_route(struct link *l, const struct route *r);
/* Such addresses are per link: the same may be on every one. addr: 16 bytes, network order. */
static inline bool is_link_local(uint8_t family, const uint8_t *addr)
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}
/* Has the link this address (16 bytes, network order), with whatever prefix? */
bool link_has_address(const struct link *l, uint8_t family, const uint8_t *addr);
void address_print(const struct address *a, FILE *f);	      /* "192.168.1.2/24" */
void route_print(const struct route *r, FILE *f);	      /* "default via 192.168.1.1 metric 100" */
void route_print_destination(const struct route *r, FILE *f); /* "default", "blackhole 192.0.2.0/24" */

/*
 * type->equal that also knows links: a declared name equals the kernel's ifindex when that is the link's index in
 * `actual`. An empty value (NULL blob) equals an empty one.
 */
bool value_equal(const struct model *actual, const struct option *o, union value want, union value have);
/* value_text() with ifindexes shown as names where `actual` knows them. The caller frees it. */
char *value_text_in(const struct model *actual, const struct option *o, union value v);

/* What its section is called: "bond bond0", "network guests". The caller frees it. */
char *link_section(const struct link *l);

/* "52:54:00:12:34:56"; buf has 18 bytes. Returns buf. */
char *mac_text(uint64_t mac, char *buf);

/* Routes and addresses of ours carry this protocol number (rt_protos name "kvmnetd"). */
#define KVMNETD_PROTO 107
