/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: DHCP options: dnsmasq's own numbers and names (src/dhcp-common.c, opttab; "dnsmasq --help dhcp"), and what
 * it wants of their values, so that a wrong one is told here and not by a dnsmasq that does not start.
 */
#include "guest-keys.h"
#include "suggest.h"

enum value_sort { VALUE_ANY, VALUE_ADDRESSES, VALUE_NUMBER };

/* clang-format off */
static const struct {
	uint8_t number;
	const char *name;
	enum value_sort sort;
} names[] = {
	{1, "netmask", VALUE_ADDRESSES},
	{2, "time-offset", VALUE_NUMBER},
	{3, "router", VALUE_ADDRESSES},
	{6, "dns-server", VALUE_ADDRESSES},
	{7, "log-server", VALUE_ADDRESSES},
	{9, "lpr-server", VALUE_ADDRESSES},
	{13, "boot-file-size", VALUE_NUMBER},
	{15, "domain-name", VALUE_ANY},
	{16, "swap-server", VALUE_ADDRESSES},
	{17, "root-path", VALUE_ANY},
	{18, "extension-path", VALUE_ANY},
	{19, "ip-forward-enable", VALUE_NUMBER},
	{20, "non-local-source-routing", VALUE_NUMBER},
	{21, "policy-filter", VALUE_ADDRESSES},
	{22, "max-datagram-reassembly", VALUE_NUMBER},
	{23, "default-ttl", VALUE_NUMBER},
	{26, "mtu", VALUE_NUMBER},
	{27, "all-subnets-local", VALUE_NUMBER},
	{31, "router-discovery", VALUE_NUMBER},
	{32, "router-solicitation", VALUE_ADDRESSES},
	{33, "static-route", VALUE_ADDRESSES},
	{34, "trailer-encapsulation", VALUE_NUMBER},
	{35, "arp-timeout", VALUE_NUMBER},
	{36, "ethernet-encap", VALUE_NUMBER},
	{37, "tcp-ttl", VALUE_NUMBER},
	{38, "tcp-keepalive", VALUE_NUMBER},
	{40, "nis-domain", VALUE_ANY},
	{41, "nis-server", VALUE_ADDRESSES},
	{42, "ntp-server", VALUE_ADDRESSES},
	{44, "netbios-ns", VALUE_ADDRESSES},
	{45, "netbios-dd", VALUE_ADDRESSES},
	{46, "netbios-nodetype", VALUE_NUMBER},
	{47, "netbios-scope", VALUE_ANY},
	{48, "x-windows-fs", VALUE_ADDRESSES},
	{49, "x-windows-dm", VALUE_ADDRESSES},
	{58, "T1", VALUE_ANY},
	{59, "T2", VALUE_ANY},
	{60, "vendor-class", VALUE_ANY},
	{64, "nis+-domain", VALUE_ANY},
	{65, "nis+-server", VALUE_ADDRESSES},
	{66, "tftp-server", VALUE_ANY},
	{67, "bootfile-name", VALUE_ANY},
	{68, "mobile-ip-home", VALUE_ADDRESSES},
	{69, "smtp-server", VALUE_ADDRESSES},
	{70, "pop3-server", VALUE_ADDRESSES},
	{71, "nntp-server", VALUE_ADDRESSES},
	{74, "irc-server", VALUE_ADDRESSES},
	{77, "user-class", VALUE_ANY},
	{80, "rapid-commit", VALUE_ANY},
	{93, "client-arch", VALUE_ANY},
	{94, "client-interface-id", VALUE_ANY},
	{97, "client-machine-id", VALUE_ANY},
	{100, "posix-timezone", VALUE_ANY},
	{101, "tzdb-timezone", VALUE_ANY},
	{108, "ipv6-only", VALUE_ANY},
	{119, "domain-search", VALUE_ANY},
	{120, "sip-server", VALUE_ANY},
	{121, "classless-static-route", VALUE_ANY},
	{125, "vendor-id-encap", VALUE_ANY},
	{150, "tftp-server-address", VALUE_ADDRESSES},
};
/* clang-format on */

/* Bytes as dnsmasq takes them for an option of any sort: "05:dc". */
static bool is_hex(const char *word)
{
	return strchr(word, ':') && !word[strspn(word, "0123456789abcdefABCDEF:")];
}

static char *value_fault(const struct words *w, const char *name, enum value_sort sort)
{
	uint8_t family, addr[16];
	uint32_t number;

	for (size_t i = 1; i < w->n; i++) {
		if (sort == VALUE_ADDRESSES && !(word_ip(w->list[i], &family, addr) && family == AF_INET))
			return xasprintf("'%.60s' is not an IPv4 address, of which %s is a list", w->list[i], name);
		if (sort == VALUE_NUMBER && !is_hex(w->list[i]) &&
		    (i > 1 || !word_number(w->list[i], 0, UINT32_MAX, &number)))
			return xasprintf("'%.60s' is not what %s is: one number", w->list[i], name);
	}
	return NULL;
}

char *dhcp_option_fault(const struct words *w, uint32_t number)
{
	struct suggest near = SUGGEST(w->list[0]);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (number ? names[i].number == number : streq(names[i].name, w->list[0]))
			return value_fault(w, names[i].name, names[i].sort);
		suggest_try(&near, names[i].name);
	}
	if (number)
		return NULL;
	if (near.best)
		return xasprintf("'%.40s' is no option's name (did you mean '%s'?)", w->list[0], near.best);
	return xasprintf("'%.40s' is not a number from 1 to 254 or a name that dnsmasq --help dhcp lists", w->list[0]);
}
