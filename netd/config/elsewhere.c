/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: elsewhere.h: tables of words that are too far from ours in spelling to be found by suggest.h. */
#include "elsewhere.h"

#include <strings.h>

#include "../util.h"
#include "suggest.h"

static const struct {
	const char *other, *ours;
} words[] = {
	/* clang-format off */
	{"slaves",		 "ports"},
	{"interfaces",		 "ports"},
	{"members",		 "ports"},
	{"hwaddr",		 "mac"},
	{"hwaddress",		 "mac"},
	{"macaddr",		 "mac"},
	{"macaddress",		 "mac"},
	{"ipaddr",		 "address"},
	{"bootproto",		 "dhcp"},
	{"nameservers",		 "dns"},
	{"dns_nameservers",	 "dns"},
	{"dns_search",		 "search"},
	{"domains",		 "search"},
	{"raw_device",		 "parent"},
	{"physdev",		 "parent"},
	{"device",		 "parent"},
	{"link",		 "parent"},
	{"tag",			 "id"},
	{"vlan",		 "id"},
	{"aware",		 "vlan_filtering"},
	{"vids",		 "vlans"},
	{"access",		 "pvid"},
	{"fd",			 "forward_delay"},
	{"hello",		 "hello_time"},
	{"maxage",		 "max_age"},
	{"ageing",		 "ageing_time"},
	{"bridgeprio",		 "priority"},
	{"portprio",		 "priority"},
	{"pathcost",		 "path_cost"},
	{"mii_monitor_interval", "miimon"},
	{"transmit_hash_policy", "xmit_hash_policy"},
	{"fail_over_mac_policy", "fail_over_mac"},
	{"primary_reselect_policy", "primary_reselect"},
	{"learn_packet_interval", "lp_interval"},
	{"gratuitous_arp",	 "num_grat_arp"},
	/* systemd.netdev(5), systemd.network(5) */
	{"TransmitHashPolicy",	 "xmit_hash_policy"},
	{"MIIMonitorSec",	 "miimon"},
	{"LACPTransmitRate",	 "lacp_rate"},
	{"UpDelaySec",		 "updelay"},
	{"DownDelaySec",	 "downdelay"},
	{"ARPIntervalSec",	 "arp_interval"},
	{"ForwardDelaySec",	 "forward_delay"},
	{"HelloTimeSec",	 "hello_time"},
	{"MaxAgeSec",		 "max_age"},
	{"AgeingTimeSec",	 "ageing_time"},
	{"DefaultPVID",		 "vlan_default_pvid"},
	{"MTUBytes",		 "mtu"},
	/* clang-format on */
};

static const struct {
	const char *other, *advice;
} places[] = {
	/* clang-format off */
	{"netmask",	 "the prefix length stands in the address, as in 192.0.2.1/24"},
	{"prefix",	 "the prefix length stands in the address, as in 192.0.2.1/24"},
	{"broadcast",	 "it follows from the address and its prefix length"},
	{"master",	 "the bridge or bond lists its ports: 'ports' in [bridge NAME] or [bond NAME]"},
	{"bridge",	 "the bridge lists its ports: 'ports' in [bridge NAME]"},
	{"bond",	 "the bond lists its ports: 'ports' in [bond NAME]"},
	{"bonding_opts", "each option is a key of its own, as in 'mode = 802.3ad'"},
	{"name",	 "the name stands in the header: [KIND NAME]"},
	{"type",	 "what it is stands in the header: [KIND NAME]"},
	{"confirm",	 "it is asked for with each apply: netctl apply --confirm SECONDS"},
	/* clang-format on */
};

static const char *const prefixes[] = {"bond_", "bond-", "bridge_", "bridge-", "vlan_", "vlan-"};

static bool same_word(const char *a, const char *b)
{
	struct suggest near = SUGGEST(a);

	suggest_try(&near, b);
	return near.best && near.distance == 0;
}

const char *elsewhere_ours(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncasecmp(key, prefixes[i], strlen(prefixes[i])) == 0) {
			key += strlen(prefixes[i]);
			break;
		}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (same_word(key, words[i].other))
			return words[i].ours;
	return key;
}

const char *elsewhere_advice(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (same_word(key, places[i].other))
			return places[i].advice;
	return NULL;
}
