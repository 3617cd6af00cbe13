/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: network.h: the rows of [network], ownership, and what is asked of addresses. */
#include "network.h"

#include <arpa/inet.h>

static const char *const forward_names[] = {"nat", "route", "isolated", "open", NULL};
static const char *const host_access_names[] = {"all", "services", "none", NULL};
static const char *const lease_names[] = {"infinite", NULL};

/* clang-format off */
static const struct option network_rows[] = {
	[NETWORK_FORWARD] = {
		.key = "forward", .type = &type_u8, .place = PLACE_CONFIG, .names = forward_names, .initial = FORWARD_NAT,
		.help = "nat: guests reach out under an address of the host, nobody reaches in. route: they reach out and are reached "
			"under their own addresses. isolated: they reach each other and the host only. open: kvmnetd makes no rules. "
			"Left out: nat.",
	},
	[NETWORK_UPLINK] = {
		.key = "uplink", .type = &type_string, .place = PLACE_CONFIG,
		.help = "the only link that guests reach out through, and are reached by; left out: every link that routes "
			"with a gateway leave by",
	},
	[NETWORK_NAT6] = {
		.key = "nat6", .type = &type_bool, .place = PLACE_CONFIG, .min = 0, .max = 1, .initial = 0,
		.help = "yes: with forward = nat, IPv6 of the guests is translated, too; no: they reach out under "
			"their own, and still nobody reaches in",
	},
	[NETWORK_HOST_ACCESS] = {
		.key = "host_access", .type = &type_u8, .place = PLACE_CONFIG, .names = host_access_names,
		.initial = HOST_ACCESS_ALL,
		.help = "what of the host the guests reach: all: what its own firewall lets them. services: DHCP, DNS and ping. "
			"none: DHCP only.",
	},
	[NETWORK_LEASE_TIME] = {
		.key = "lease_time", .type = &type_s, .place = PLACE_CONFIG, .min = 120, .max = 31536000, .initial = 3600,
		.flags = OPTION_UNIT,
		.names = lease_names, .help = "how long an address is leased to a guest",
	},
	[NETWORK_DOMAIN] = {
		.key = "domain", .type = &type_string, .place = PLACE_CONFIG,
		.help = "the domain of the guests: their names are resolved in it, and questions for it are not asked elsewhere",
	},
	[NETWORK_TFTP] = {
		.key = "tftp", .type = &type_string, .place = PLACE_CONFIG,
		.help = "a directory whose files guests may read by TFTP, with all below it; not /, nor in /home, and readable by everyone",
	},
};
/* clang-format on */

const struct option_table network_options = OPTION_TABLE("network option", network_rows);

struct network *network_new(const char *name)
{
	struct network *n = xcalloc(1, sizeof(*n));

	snprintf(n->name, sizeof(n->name), "%s", name);
	n->own = values_new(&network_options);
	return n;
}

struct network *network_free(struct network *n)
{
	if (!n)
		return NULL;
	for (size_t i = 0; i < n->n_hosts; i++)
		free(n->hosts[i].name);
	for (size_t i = 0; i < n->n_dns_hosts; i++) {
		for (size_t j = 0; j < n->dns_hosts[i].n_names; j++)
			free(n->dns_hosts[i].names[j]);
		free(n->dns_hosts[i].names);
	}
	for (size_t i = 0; i < n->n_dns_forwards; i++)
		free(n->dns_forwards[i].domain);
	for (size_t i = 0; i < n->n_dns_srvs; i++) {
		free(n->dns_srvs[i].name);
		free(n->dns_srvs[i].target);
	}
	for (size_t i = 0; i < n->n_dns_txts; i++) {
		free(n->dns_txts[i].name);
		free(n->dns_txts[i].text);
	}
	for (size_t i = 0; i < n->n_options; i++) {
		free(n->options[i].name);
		free(n->options[i].value);
	}
	free(n->ranges);
	free(n->hosts);
	free(n->forwarders);
	free(n->dns_hosts);
	free(n->dns_forwards);
	free(n->dns_srvs);
	free(n->dns_txts);
	free(n->options);
	free(n->forward_ports);
	free(n->boot.file);
	values_free(n->own);
	free(n);
	return NULL;
}

enum forward_mode network_forward(const struct network *n)
{
	return (enum forward_mode)values_num(n->own, NETWORK_FORWARD, FORWARD_NAT);
}

const char *network_word(const struct network *n, enum network_row row)
{
	return values_has(n->own, row) ? (const char *)values_at(n->own, row).blob->data : NULL;
}

const struct address *network_chosen(const struct network *n, const struct link *bridge)
{
	for (size_t i = 0; n->auto_loc.line && i < bridge->n_addresses; i++)
		if (loc_equal(bridge->addresses[i].loc, n->auto_loc) && bridge->addresses[i].family == AF_INET)
			return &bridge->addresses[i];
	return NULL;
}

void network_choose(struct network *n, struct link *bridge, const struct address *a)
{
	struct address *mine = ARRAY_APPEND(bridge->addresses, bridge->n_addresses);

	*mine = *a;
	mine->loc = n->auto_loc;
	network_fill_range(n, bridge);
}

static struct ip ip4_of_number(uint32_t number)
{
	struct ip ip = {.family = AF_INET};

	number = htonl(number);
	memcpy(ip.addr, &number, sizeof(number));
	return ip;
}

void network_fill_range(struct network *n, const struct link *bridge)
{
	for (size_t i = 0; n->auto_range.line && i < bridge->n_addresses; i++) {
		const struct address *a = &bridge->addresses[i];
		uint32_t own, first, last;

		if (a->family != AF_INET || a->prefix_len > 30)
			continue;
		memcpy(&own, a->addr, sizeof(own));
		own = ntohl(own);
		last = (own | UINT32_MAX >> a->prefix_len) - 1;
		first = (own & ~(UINT32_MAX >> a->prefix_len)) + 1;
		if (last - own >= own - first)
			first = own + 1;
		else
			last = own - 1;
		*ARRAY_APPEND(n->ranges, n->n_ranges) = (struct dhcp_range){
			.from = ip4_of_number(first), .to = ip4_of_number(last), .loc = n->auto_range};
		return;
	}
}

const char *ip_format(const struct ip *ip, char *buf)
{
	return inet_ntop(ip->family, ip->addr, buf, INET6_ADDRSTRLEN);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}

struct ip ip_of_address(const struct address *a)
{
	struct ip ip = {.family = a->family};

	memcpy(ip.addr, a->addr, sizeof(ip.addr));
	return ip;
}

static bool same_prefix(const uint8_t a[16], const uint8_t b[16], unsigned len)
{
	unsigned bytes = len / 8, bits = len % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return bits == 0 || ((a[bytes] ^ b[bytes]) & (0xff00 >> bits) & 0xff) == 0;
}

bool ip_in_subnet(const struct ip *ip, const struct address *subnet)
{
	return ip->family == subnet->family && same_prefix(ip->addr, subnet->addr, subnet->prefix_len);
}

bool subnets_overlap(const struct address *a, const struct address *b)
{
	return a->family == b->family && same_prefix(a->addr, b->addr, MIN(a->prefix_len, b->prefix_len));
}

int subnet_compare(const struct address *a, const struct address *b)
{
	unsigned shorter = MIN(a->prefix_len, b->prefix_len), bytes = shorter / 8, bits = shorter % 8;
	int r = a->family - b->family;

	r = r ? r : memcmp(a->addr, b->addr, bytes);
	if (!r && bits)
		r = (a->addr[bytes] >> (8 - bits)) - (b->addr[bytes] >> (8 - bits));
	return r ? r : a->prefix_len - b->prefix_len;
}
