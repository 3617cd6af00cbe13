/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a guest network as data: what [network NAME] says beside what it says of its bridge. The bridge itself, with
 * its addresses, is an ordinary link of the model whose `network` is the network's name. Values are parsed: a name in
 * here is a name, a domain is a domain; nothing of the operator's text goes further.
 */
#pragma once

#include "model.h"

enum forward_mode { FORWARD_NAT, FORWARD_ROUTE, FORWARD_ISOLATED, FORWARD_OPEN };
#define LEASE_FOREVER UINT32_MAX
enum host_access { HOST_ACCESS_ALL, HOST_ACCESS_SERVICES, HOST_ACCESS_NONE };

/* Rows of [network] beside those of its bridge. */
extern const struct option_table network_options;
enum network_row {
	NETWORK_FORWARD,     /* enum forward_mode */
	NETWORK_UPLINK,	     /* name of a link */
	NETWORK_NAT6,	     /* bool */
	NETWORK_HOST_ACCESS, /* enum host_access */
	NETWORK_LEASE_TIME,  /* s; LEASE_FOREVER */
	NETWORK_DOMAIN,
	NETWORK_TFTP, /* absolute path of a directory */
	_NETWORK_ROWS,
};

/* An address in network order; IPv4 in the first 4 bytes, the rest zero. */
struct ip {
	uint8_t family; /* AF_INET, AF_INET6; 0: not given */
	uint8_t addr[16];
};

struct dhcp_range {
	struct ip from, to; /* of one family, from <= to */
	struct loc loc;
};

/* A guest that always gets the same address. */
struct dhcp_host {
	uint64_t mac;
	struct ip ip4, ip6;
	char *name; /* owned; NULL: not given */
	struct loc loc;
};

struct forwarder {
	struct ip ip;
	struct loc loc;
};

struct dns_host {
	struct ip ip;
	char **names; /* owned */
	size_t n_names;
	struct loc loc;
};

/* Who is asked about a domain, in the place of the other forwarders. */
struct dns_forward {
	char *domain; /* owned */
	struct ip server;
	struct loc loc;
};

struct dns_srv {
	char *name, *target; /* owned; "_ldap._tcp.example.org" and the host that serves it */
	uint16_t port, priority, weight;
	struct loc loc;
};

struct dns_txt {
	char *name, *text; /* owned; text: letters, digits, blanks and ".:/_=+@*~?-" */
	struct loc loc;
};

struct dhcp_option {
	uint8_t number; /* 0: by name */
	char *name;	/* owned; of dnsmasq's --help dhcp; NULL: by number */
	char *value;	/* owned: words of letters, digits and ".:/_-", separated by commas */
	struct loc loc;
};

/* Connections to ports of the host go to a guest. */
struct forward_port {
	uint8_t protocol;  /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t from, to; /* of the host, from <= to */
	struct ip guest;
	uint16_t port; /* of the guest, for `from`; those after it follow */
	struct loc loc;
};

struct snat {
	struct ip from, to;	     /* of one family, from <= to */
	uint16_t port_from, port_to; /* 0: not given */
	struct loc loc;		     /* line 0: not given */
};

/* What guests without a disk of their own are told to load. */
struct boot {
	char *file;	  /* owned; NULL: not given */
	struct ip server; /* family 0: this host */
	struct loc loc;
};

struct network {
	char name[NETWORK_NAME_SIZE];
	char bridge[IFNAMSIZ];
	struct loc loc;
	struct loc bridge_loc;
	struct values *own;  /* network_options */
	struct loc auto_loc; /* of `address = auto`; line 0: not given. What was chosen is an address of the bridge */

	struct dhcp_range *ranges;
	size_t n_ranges;
	struct loc auto_range; /* of `dhcp_range = auto`, whose range is among the others once there is an address */
	struct dhcp_host *hosts;
	size_t n_hosts;
	struct forwarder *forwarders;
	size_t n_forwarders;
	bool no_dns;
	struct loc dns_loc;
	struct dns_host *dns_hosts;
	size_t n_dns_hosts;
	struct dns_forward *dns_forwards;
	size_t n_dns_forwards;
	struct dns_srv *dns_srvs;
	size_t n_dns_srvs;
	struct dns_txt *dns_txts;
	size_t n_dns_txts;
	struct dhcp_option *options;
	size_t n_options;
	struct forward_port *forward_ports;
	size_t n_forward_ports;
	struct snat snat4, snat6;
	struct snat snat_ports; /* without addresses: for the families that have no other */
	struct boot boot;
};

/*
 * Words of LINK_DNSMASQ of these beginnings go to files that dnsmasq reads again when told to: "dhcp-host=MAC,IP,NAME"
 * and "addn-host=IP,NAME,NAME". All others need a new dnsmasq when they change.
 */
#define DNSMASQ_HOST "dhcp-host="
#define DNSMASQ_NAME "addn-host="

struct network *network_new(const char *name);
/* Frees; accepts NULL, returns NULL. */
struct network *network_free(struct network *n);

enum forward_mode network_forward(const struct network *n);
/* The value of a row that is a word; NULL: not given. Borrowed. */
const char *network_word(const struct network *n, enum network_row row);

/* The address that was chosen for `address = auto`; NULL: none yet, or none is wanted. Borrowed from the bridge. */
const struct address *network_chosen(const struct network *n, const struct link *bridge);
/* Gives the bridge this address for `address = auto`. */
void network_choose(struct network *n, struct link *bridge, const struct address *a);
/* Adds the range of `dhcp_range = auto`: what of the first IPv4 subnet lies on the wider side of the host's address. */
void network_fill_range(struct network *n, const struct link *bridge);

/* "192.0.2.1" into a buffer of INET6_ADDRSTRLEN bytes; returns it. */
const char *ip_format(const struct ip *ip, char *buf);
bool ip_equal(const struct ip *a, const struct ip *b);
/* Same family; as numbers. */
int ip_compare(const struct ip *a, const struct ip *b);
struct ip ip_of_address(const struct address *a);
bool ip_in_subnet(const struct ip *ip, const struct address *subnet);
/* Have the subnets of the two an address in common? */
bool subnets_overlap(const struct address *a, const struct address *b);
/* Orders subnets by their first address, the wider one first: what lies in it follows it. */
int subnet_compare(const struct address *a, const struct address *b);
