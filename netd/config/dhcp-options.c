/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: DHCP options by name: dnsmasq's own names (src/dhcp-common.c, opttab; "dnsmasq --help dhcp"), and what it
 * wants of their values, so that a wrong one is told here and not by a dnsmasq that does not start.
 */
#include "guest-keys.h"
#include "suggest.h"

enum value_sort { VALUE_ANY, VALUE_ADDRESSES, VALUE_NUMBER };

/* clang-format off */
static const struct {
	const char *name;
	enum value_sort sort;
} names[] = {
	{"netmask", VALUE_ADDRESSES},
	{"time-offset", VALUE_NUMBER},
	{"router", VALUE_ADDRESSES},
	{"dns-server", VALUE_ADDRESSES},
	{"log-server", VALUE_ADDRESSES},
	{"lpr-server", VALUE_ADDRESSES},
	{"boot-file-size", VALUE_NUMBER},
	{"domain-name", VALUE_ANY},
	{"swap-server", VALUE_ADDRESSES},
	{"root-path", VALUE_ANY},
	{"extension-path", VALUE_ANY},
	{"ip-forward-enable", VALUE_NUMBER},
	{"non-local-source-routing", VALUE_NUMBER},
	{"policy-filter", VALUE_ADDRESSES},
	{"max-datagram-reassembly", VALUE_NUMBER},
	{"default-ttl", VALUE_NUMBER},
	{"mtu", VALUE_NUMBER},
	{"all-subnets-local", VALUE_NUMBER},
	{"router-discovery", VALUE_NUMBER},
	{"router-solicitation", VALUE_ADDRESSES},
	{"static-route", VALUE_ADDRESSES},
	{"trailer-encapsulation", VALUE_NUMBER},
	{"arp-timeout", VALUE_NUMBER},
	{"ethernet-encap", VALUE_NUMBER},
	{"tcp-ttl", VALUE_NUMBER},
	{"tcp-keepalive", VALUE_NUMBER},
	{"nis-domain", VALUE_ANY},
	{"nis-server", VALUE_ADDRESSES},
	{"ntp-server", VALUE_ADDRESSES},
	{"netbios-ns", VALUE_ADDRESSES},
	{"netbios-dd", VALUE_ADDRESSES},
	{"netbios-nodetype", VALUE_NUMBER},
	{"netbios-scope", VALUE_ANY},
	{"x-windows-fs", VALUE_ADDRESSES},
	{"x-windows-dm", VALUE_ADDRESSES},
	{"T1", VALUE_ANY},
	{"T2", VALUE_ANY},
	{"vendor-class", VALUE_ANY},
	{"nis+-domain", VALUE_ANY},
	{"nis+-server", VALUE_ADDRESSES},
	{"tftp-server", VALUE_ANY},
	{"bootfile-name", VALUE_ANY},
	{"mobile-ip-home", VALUE_ADDRESSES},
	{"smtp-server", VALUE_ADDRESSES},
	{"pop3-server", VALUE_ADDRESSES},
	{"nntp-server", VALUE_ADDRESSES},
	{"irc-server", VALUE_ADDRESSES},
	{"user-class", VALUE_ANY},
	{"rapid-commit", VALUE_ANY},
	{"client-arch", VALUE_ANY},
	{"client-interface-id", VALUE_ANY},
	{"client-machine-id", VALUE_ANY},
	{"posix-timezone", VALUE_ANY},
	{"tzdb-timezone", VALUE_ANY},
	{"ipv6-only", VALUE_ANY},
	{"domain-search", VALUE_ANY},
	{"sip-server", VALUE_ANY},
	{"classless-static-route", VALUE_ANY},
	{"vendor-id-encap", VALUE_ANY},
	{"tftp-server-address", VALUE_ADDRESSES},
};
/* clang-format on */

static char *value_fault(const struct words *w, enum value_sort sort)
{
	uint8_t family, addr[16];
	uint32_t number;

	for (size_t i = 1; i < w->n; i++) {
		if (sort == VALUE_ADDRESSES && !(word_ip(w->list[i], &family, addr) && family == AF_INET))
			return xasprintf("'%.60s' is not an IPv4 address, of which %s is a list", w->list[i],
					 w->list[0]);
		if (sort == VALUE_NUMBER && (i > 1 || !word_number(w->list[i], 0, UINT32_MAX, &number)))
			return xasprintf("'%.60s' is not what %s is: one number", w->list[i], w->list[0]);
	}
	return NULL;
}

char *dhcp_option_fault(const struct words *w)
{
	struct suggest near = SUGGEST(w->list[0]);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(names[i].name, w->list[0]))
			return value_fault(w, names[i].sort);
		suggest_try(&near, names[i].name);
	}
	if (near.best)
		return xasprintf("'%.40s' is no option's name (did you mean '%s'?)", w->list[0], near.best);
	return xasprintf("'%.40s' is not a number from 1 to 254 or a name that dnsmasq --help dhcp lists", w->list[0]);
}
