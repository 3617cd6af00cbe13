/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the rows that every link has, in the order of enum link_row. */
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "kind.h"

static const char *const mac_words[] = {"inherit", "stable", NULL};
static const char *const ipv6_words[] = {"no", "link-local", "yes", NULL};
static const char *const accept_ra_words[] = {"no", "yes", "always", NULL};
static const char *const required_words[] = {"no", "exists", "carrier", "address", NULL};
static const char *const drift_words[] = {"repair", "report", "ignore", NULL};
static const char *const dhcp_words[] = {"no", "ipv4", "ipv6", "yes", NULL};
static const char *const addr_gen_words[] = {"eui64", "none", "stable_secret", "random", NULL};

/* clang-format off */
static const struct option rows[] = {
	[LINK_MTU] = {
		.key = "mtu", .type = &type_u32, .place = PLACE_LINK, .attr = IFLA_MTU,
		.min = 68, .max = 65535, .initial = 1500,
		.help = "Largest packet in bytes. A bond sets its ports to its own; a VLAN's is at most its parent's.",
	},
	[LINK_MAC] = {
		.key = "mac", .type = &type_mac, .place = PLACE_LINK, .attr = IFLA_ADDRESS, .min = 1, .names = mac_words,
		.help = "MAC address, or inherit (from the first port listed), or stable (from machine-id and name). "
			"A bond or bridge that kvmnetd creates inherits.",
	},
	[LINK_UP] = {
		.key = "up", .type = &type_bool, .place = PLACE_FLAGS, .attr = IFF_UP, .min = 0, .max = 1, .initial = 0,
		.help = "Whether the link is set up. Declared links and ports are, unless this says no.",
	},
	[LINK_TXQLEN] = {
		.key = "txqueuelen", .type = &type_u32, .place = PLACE_LINK, .attr = IFLA_TXQLEN,
		.min = 0, .max = INT32_MAX, .initial = 1000,
		.help = "Length of the transmit queue in packets.",
	},
	[LINK_IPV6] = {
		.key = "ipv6", .type = &type_u8, .place = PLACE_CONFIG, .names = ipv6_words, .initial = IPV6_YES,
		.help = "no: IPv6 is disabled on the link. link-local: it has a link-local address and no router "
			"advertisement is accepted. yes: all of IPv6. Ports have no link-local address unless declared.",
	},
	[LINK_ACCEPT_RA] = {
		.key = "accept_ra", .type = &type_s32, .place = PLACE_SYSCTL6, .attr = DEVCONF_ACCEPT_RA,
		.names = accept_ra_words, .initial = 1,
		.help = "Router advertisements: no, yes (unless forwarding), always (also when forwarding).",
	},
	[LINK_REQUIRED] = {
		.key = "required", .type = &type_u8, .place = PLACE_CONFIG, .names = required_words,
		.initial = REQUIRED_EXISTS,
		.help = "What `netctl wait` without arguments waits for: nothing, the link, its carrier, an address.",
	},
	[LINK_DRIFT] = {
		.key = "drift", .type = &type_u8, .place = PLACE_CONFIG, .names = drift_words, .initial = DRIFT_REPAIR,
		.help = "What happens when someone else changes a declared attribute: put it back, only say so, nothing.",
	},
	[LINK_ADOPT] = {
		.key = "adopt", .type = &type_bool, .place = PLACE_CONFIG, .min = 0, .max = 1, .initial = 0,
		.help = "Whether a bond, bridge or VLAN that was there already becomes kvmnetd's as if it had made it: it is then "
			"deleted when it leaves the configuration. Without this it stays, as it was found.",
	},
	[LINK_DHCP] = {
		.key = "dhcp", .type = &type_u8, .place = PLACE_HOST, .flags = OPTION_HIDDEN_READ, .names = dhcp_words,
		.initial = DHCP_NO,
		.help = "Which addresses are asked of a DHCP server: none, IPv4 ones with their routes, IPv6 ones, both. "
			"See DHCP below.",
	},
	[LINK_DNS] = {
		.key = "dns", .type = &type_server_list, .place = PLACE_HOST, .flags = OPTION_HIDDEN_READ, .max = 32,
		.help = "Name servers that the host asks through this link.",
	},
	[LINK_SEARCH] = {
		.key = "search", .type = &type_domain_list, .place = PLACE_HOST, .flags = OPTION_HIDDEN_READ, .max = 32,
		.help = "Domains in which the host looks for names without a dot.",
	},
	[LINK_ZONE] = {
		.key = "zone", .type = &type_zone, .place = PLACE_HOST, .flags = OPTION_HIDDEN_READ,
		.help = "The zone of firewalld that the link is in.",
	},
	[LINK_DISABLE_IPV6] = {
		.key = "disable_ipv6", .type = &type_s32, .place = PLACE_SYSCTL6, .attr = DEVCONF_DISABLE_IPV6,
		.min = 0, .max = 1, .flags = OPTION_INTERNAL,
		.help = "The kernel's switch behind ipv6.",
	},
	[LINK_ADDR_GEN_MODE] = {
		.key = "addr_gen_mode", .type = &type_u8, .place = PLACE_INET6, .attr = IFLA_INET6_ADDR_GEN_MODE,
		.names = addr_gen_words, .flags = OPTION_INTERNAL,
		.help = "How the kernel makes a link-local address; none keeps ports without one.",
	},
	[LINK_FORWARDING4] = {
		.key = "ipv4.forwarding", .type = &type_s32, .place = PLACE_SYSCTL4, .attr = IPV4_DEVCONF_FORWARDING,
		.min = 0, .max = 1, .flags = OPTION_INTERNAL,
		.help = "Whether what comes in by the link is forwarded.",
	},
	[LINK_FORWARDING6] = {
		.key = "ipv6.forwarding", .type = &type_s32, .place = PLACE_SYSCTL6, .attr = DEVCONF_FORWARDING,
		.min = 0, .max = 1, .flags = OPTION_INTERNAL,
		.help = "The same for IPv6.",
	},
	[LINK_DNSMASQ] = {
		.key = "dnsmasq", .type = &type_words, .place = PLACE_HOST, .flags = OPTION_INTERNAL | OPTION_HIDDEN_READ,
		.help = "What the dnsmasq of the network is told.",
	},
	[LINK_IPTABLES] = {
		.key = "iptables", .type = &type_words, .place = PLACE_HOST, .flags = OPTION_INTERNAL | OPTION_HIDDEN_READ,
		.help = "What other firewalls are made to accept of networks.",
	},
	[LINK_LEGACY] = {
		.key = "iptables-legacy", .type = &type_words, .place = PLACE_HOST, .flags = OPTION_INTERNAL | OPTION_HIDDEN_READ,
		.help = "The same of the iptables that is not on nftables.",
	},
	[LINK_GROUP] = {
		.key = "group", .type = &type_u32, .place = PLACE_LINK, .attr = IFLA_GROUP,
		.max = UINT32_MAX, .flags = OPTION_INTERNAL,
		.help = "The group of links.",
	},
};
/* clang-format on */

const struct option_table link_options = OPTION_TABLE("link option", rows);
