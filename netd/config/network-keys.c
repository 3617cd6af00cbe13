/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the keys of a link that are objects and relations: ports, parent, address, gateway, route; and the rows by
 * which [ethernet] finds its device. What such an object must be by itself is checked here, what it must be beside
 * others in check-*.c.
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "check.h"
#include "parser.h"
#include "suggest.h"

/* IP6_RT_PRIO_USER, include/net/ip6_route.h: what the kernel makes of an IPv6 route without metric, or with 0. */
#define ROUTE6_METRIC 1024

/* clang-format off */
static const struct option match_rows[] = {
	[MATCH_MAC] = {
		.key = "match_mac", .type = &type_mac, .place = PLACE_CONFIG, .min = 1,
		.help = "the NIC with this permanent address (its current one when it has none)",
	},
	[MATCH_PATH] = {
		.key = "match_path", .type = &type_string, .place = PLACE_CONFIG,
		.help = "the NIC at this bus address, as in pci-0000:02:00.0; '*' and '?' are wildcards",
	},
	[MATCH_DRIVER] = {
		.key = "match_driver", .type = &type_string, .place = PLACE_CONFIG,
		.help = "the NIC of this driver; narrows the other match keys",
	},
};
/* clang-format on */
const struct option_table match_options = OPTION_TABLE("match key", match_rows);

static void take_ports(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct link *l = p->section.link;
	_cleanup_free_ char *words = xstrdup(value);
	char *save = NULL;

	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		_cleanup_free_ char *fault = name_fault(word, ALTNAME_MAX);

		if (fault) {
			parser_error(p, loc, key, "the name '%.40s' %s", word, fault);
			diag_set_doubt(p->diags, DOUBT_ITEM);
		} else if (parser_count(p, COUNT_PORTS, loc, key))
			*ARRAY_APPEND(l->ports, l->n_ports) = (struct name_ref){.name = xstrdup(word), .loc = loc};
	}
}

static void take_parent(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct link *l = p->section.link;
	_cleanup_free_ char *fault = NULL;

	if (strchr(value, ' ')) {
		parser_error(p, loc, key, "takes one value, and '%.60s' is several", value);
		return;
	}
	fault = name_fault(value, sizeof(l->parent_name) - 1);
	if (fault)
		parser_error(p, loc, key, "the name '%.40s' %s%s", value, fault, long_nic_hint(value));
	else
		snprintf(l->parent_name, sizeof(l->parent_name), "%s", value);
	l->parent_loc = loc;
}

bool word_number(const char *word, uint32_t min, uint32_t max, uint32_t *ret)
{
	char *end;
	unsigned long n;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	n = strtoul(word, &end, 10);
	if (errno || *end || n < min || n > max)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static const char *family_name(int family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static unsigned family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

bool word_ip(const char *word, uint8_t *family, uint8_t addr[16])
{
	memset(addr, 0, 16);
	*family = strchr(word, ':') ? AF_INET6 : AF_INET;
	return inet_pton(*family, word, addr) == 1;
}

static bool is_unspecified(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return memcmp(addr, zero, 16) == 0;
}

static bool is_multicast(int family, const uint8_t addr[16])
{
	return family == AF_INET ? addr[0] >= 224 && addr[0] < 240 : addr[0] == 0xff;
}

static bool is_limited_broadcast(int family, const uint8_t addr[16])
{
	return family == AF_INET && addr[0] == 255 && addr[1] == 255 && addr[2] == 255 && addr[3] == 255;
}

const char *host_fault(int family, const uint8_t addr[16])
{
	if (is_unspecified(addr))
		return "is the unspecified address: no host has it";
	if (is_multicast(family, addr))
		return "is a multicast address: no host has it";
	if (is_limited_broadcast(family, addr))
		return "is the broadcast address: no host has it";
	return NULL;
}

/* Clears the bits behind the prefix; true when there were some. */
static bool mask_addr(uint8_t addr[16], unsigned prefix_len)
{
	bool any = false;

	for (unsigned i = 0; i < 16; i++) {
		unsigned left = prefix_len > i * 8 ? prefix_len - i * 8 : 0;
		uint8_t mask = left >= 8 ? 0xff : (uint8_t)(0xff00 >> left);

		any |= (addr[i] & ~mask) != 0;
		addr[i] &= mask;
	}
	return any;
}

/* "A/P". Returns what is wrong (the caller frees it), or NULL. */
static char *parse_prefix(const char *word, uint8_t *family, uint8_t addr[16], uint8_t *prefix_len, uint32_t min)
{
	_cleanup_free_ char *host = xstrdup(word);
	char *slash = strchr(host, '/');
	uint32_t len;

	if (slash)
		*slash++ = '\0';
	if (!word_ip(host, family, addr))
		return xasprintf("'%.60s' is not an address with prefix length, as in 192.0.2.1/24 or 2001:db8::1/64",
				 word);
	if (!slash)
		return xasprintf("'%s' needs its prefix length, as in %s/%d", word, word, *family == AF_INET ? 24 : 64);
	if (!word_number(slash, min, family_bits(*family), &len))
		return xasprintf("'%.60s': the prefix length '%.40s' is not a number from %u to %u", word, slash, min,
				 family_bits(*family));
	*prefix_len = (uint8_t)len;
	return NULL;
}

const char *subnet_fault(const struct address *a)
{
	uint32_t host, bits;

	if (a->family != AF_INET || a->prefix_len > 30)
		return NULL;
	memcpy(&host, a->addr, sizeof(host));
	host = ntohl(host);
	bits = UINT32_MAX >> a->prefix_len;
	if ((host & bits) == 0)
		return "is the address of the subnet itself, not of a host in it";
	return (host & bits) == bits ? "is the broadcast address of the subnet" : NULL;
}

static void take_auto(struct parser *p, struct loc loc, const char *key)
{
	struct network *n = p->section.network;

	if (!n)
		parser_error(p, loc, key, "'auto' is for [network]: which address this link has, its wire decides");
	else if (n->auto_loc.line)
		parser_error(p, loc, key, "'auto' is there twice");
	else
		n->auto_loc = loc;
}

static void take_address_word(struct parser *p, struct loc loc, const char *key, const char *word)
{
	struct link *l = p->section.link;
	struct address a = {.proto = KVMNETD_PROTO, .valid_lft = UINT32_MAX, .loc = loc};
	_cleanup_free_ char *fault = parse_prefix(word, &a.family, a.addr, &a.prefix_len, 1);
	const char *host = fault ? NULL : host_fault(a.family, a.addr);

	if (fault || host) {
		if (fault)
			parser_error(p, loc, key, "%s", fault);
		else
			parser_error(p, loc, key, "'%s' %s", word, host);
		diag_set_doubt(p->diags, DOUBT_ITEM);
		return;
	}
	if (subnet_fault(&a))
		parser_warning(p, loc, key, "'%s' %s", word, subnet_fault(&a));
	if (parser_count(p, COUNT_ADDRESSES, loc, key))
		*ARRAY_APPEND(l->addresses, l->n_addresses) = a;
}

static void take_address(struct parser *p, struct loc loc, const char *key, const char *value)
{
	_cleanup_free_ char *words = xstrdup(value);
	char *save = NULL;

	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (streq(word, "auto"))
			take_auto(p, loc, key);
		else
			take_address_word(p, loc, key, word);
}

/* Fills in what a declared route has unless it says otherwise; family and destination are set. */
static void finish_route(struct route *r)
{
	r->protocol = KVMNETD_PROTO;
	r->type = RTN_UNICAST;
	if (!r->table)
		r->table = RT_TABLE_MAIN;
	if (r->family == AF_INET6 && r->metric == 0)
		r->metric = ROUTE6_METRIC;
	r->scope = r->family == AF_INET && !r->has_gateway ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static void take_gateway_word(struct parser *p, struct loc loc, const char *key, const char *word)
{
	struct link *l = p->section.link;
	struct route r = {.has_gateway = true, .by_gateway = true, .loc = loc};
	struct loc *first;
	const char *fault;

	if (!word_ip(word, &r.family, r.gateway)) {
		parser_error(p, loc, key, "'%.60s' is not an address without prefix length, as in 192.0.2.1", word);
		diag_set_doubt(p->diags, DOUBT_NOTHING);
		return;
	}
	fault = host_fault(r.family, r.gateway);
	if (fault) {
		parser_error(p, loc, key, "'%s' %s", word, fault);
		diag_set_doubt(p->diags, DOUBT_NOTHING);
		return;
	}
	first = &p->section.gateway[r.family == AF_INET6];
	if (first->line) {
		_cleanup_free_ char *place = diag_place(p->diags, *first);

		parser_error(
			p, loc, key,
			"'%s' is a second %s gateway (first at %s); for more use 'route = default via %s metric N'",
			word, family_name(r.family), place, word);
		diag_set_doubt(p->diags, DOUBT_NOTHING);
		return;
	}
	*first = loc;
	finish_route(&r);
	if (parser_count(p, COUNT_ROUTES, loc, key))
		*ARRAY_APPEND(l->routes, l->n_routes) = r;
}

static void take_gateway(struct parser *p, struct loc loc, const char *key, const char *value)
{
	_cleanup_free_ char *words = xstrdup(value);
	char *save = NULL;

	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		take_gateway_word(p, loc, key, word);
}

/* The words after a route's destination. */
enum route_word { ROUTE_VIA, ROUTE_METRIC, ROUTE_TABLE, ROUTE_SRC, ROUTE_MTU, _ROUTE_WORDS };
static const char *const route_words[] = {"via", "metric", "table", "src", "mtu"};
#define ROUTE_FORM "DEST [via GW] [metric N] [table N] [src A] [mtu N]"

static char *unknown_route_word(const char *word)
{
	struct suggest near = SUGGEST(word);

	for (size_t i = 0; i < ARRAY_SIZE(route_words); i++)
		suggest_try(&near, route_words[i]);
	if (near.best)
		return xasprintf("'%.40s' is not one of via, metric, table, src, mtu (did you mean '%s'?)", word,
				 near.best);
	return xasprintf("'%.40s' is not one of via, metric, table, src, mtu; a route is " ROUTE_FORM, word);
}

static char *parse_route_ip(const char *word, const char *value, uint8_t *family, uint8_t addr[16])
{
	uint8_t own;
	const char *fault;

	if (!word_ip(value, &own, addr))
		return xasprintf("'%.60s' after '%s' is not an address", value, word);
	fault = host_fault(own, addr);
	if (fault)
		return xasprintf("'%s' after '%s' %s", value, word, fault);
	if (*family && *family != own)
		return xasprintf("'%s' after '%s' is %s in an %s route", value, word, family_name(own),
				 family_name(*family));
	*family = own;
	return NULL;
}

static char *parse_route_number(const char *word, const char *value, uint32_t min, uint32_t max, uint32_t *ret)
{
	if (word_number(value, min, max, ret))
		return NULL;
	return xasprintf("'%.40s' after '%s' is not a number from %u to %u", value, word, min, max);
}

/* One "WORD VALUE" of a route; what is wrong, or NULL. */
static char *parse_route_word(struct route *r, enum route_word word, const char *value)
{
	const char *name = route_words[word];

	switch (word) {
	case ROUTE_VIA:
		r->has_gateway = true;
		return parse_route_ip(name, value, &r->family, r->gateway);
	case ROUTE_SRC:
		r->has_prefsrc = true;
		return parse_route_ip(name, value, &r->family, r->prefsrc);
	case ROUTE_METRIC:
		return parse_route_number(name, value, 0, UINT32_MAX, &r->metric);
	case ROUTE_TABLE:
		if (streq(value, "main")) {
			r->table = RT_TABLE_MAIN;
			return NULL;
		}
		return parse_route_number(name, value, 1, UINT32_MAX, &r->table);
	case ROUTE_MTU:
		return parse_route_number(name, value, 68, 65535, &r->mtu);
	case _ROUTE_WORDS:
		break;
	}
	return NULL;
}

static char *parse_dest(const char *word, struct route *r)
{
	char *fault;
	uint8_t masked[16];
	char net[INET6_ADDRSTRLEN];

	if (streq(word, "default"))
		return NULL;
	/* Without a length it is a host, mostly; parse_prefix() has the words for a host in its subnet. */
	if (!strchr(word, '/') && word_ip(word, &r->family, r->dst))
		return xasprintf("'%s' needs its prefix length: %s/%u for this one address", word, word,
				 family_bits(r->family));
	fault = parse_prefix(word, &r->family, r->dst, &r->dst_len, 0);
	if (fault)
		return fault;
	memcpy(masked, r->dst, sizeof(masked));
	if (mask_addr(masked, r->dst_len)) {
		inet_ntop(r->family, masked, net, sizeof(net));
		return xasprintf("'%s' has bits set behind its prefix: the network is %s/%u", word, net, r->dst_len);
	}
	if (is_multicast(r->family, r->dst))
		return xasprintf("'%s' is multicast: only unicast routes are declared", word);
	return NULL;
}

/* text is taken apart in place. Returns what is wrong, or NULL. */
static char *parse_route(char *text, struct route *r)
{
	const char *given[_ROUTE_WORDS] = {0};
	char *save = NULL, *word = strtok_r(text, " ", &save);
	char *fault = parse_dest(word ? word : "", r);

	while (!fault && (word = strtok_r(NULL, " ", &save))) {
		const char *value = strtok_r(NULL, " ", &save);
		unsigned i = 0;

		while (i < _ROUTE_WORDS && !streq(word, route_words[i]))
			i++;
		if (i == _ROUTE_WORDS)
			return unknown_route_word(word);
		if (!value)
			return xasprintf("there is nothing after '%s'; a route is " ROUTE_FORM, word);
		if (given[i])
			return xasprintf("'%s' is there twice", word);
		given[i] = value;
		fault = parse_route_word(r, (enum route_word)i, value);
	}
	if (fault)
		return fault;
	if (!r->family)
		return xstrdup("'default' alone does not tell IPv4 from IPv6: add 'via', or write 0.0.0.0/0 or ::/0");
	if (r->family == AF_INET6 && r->mtu && r->mtu < IPV6_MTU_MIN)
		return xasprintf("'%s' after 'mtu' is less than IPv6's least, %d", given[ROUTE_MTU], IPV6_MTU_MIN);
	finish_route(r);
	return NULL;
}

static void take_route(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct link *l = p->section.link;
	struct route r = {.loc = loc};
	_cleanup_free_ char *words = xstrdup(value);
	_cleanup_free_ char *fault = parse_route(words, &r);

	if (fault) {
		parser_error(p, loc, key, "%s", fault);
		/* Only a route without a gateway may be what leads to another's gateway. */
		diag_set_doubt(p->diags, strstr(value, " via ") ? DOUBT_NOTHING : DOUBT_ITEM);
	} else if (parser_count(p, COUNT_ROUTES, loc, key))
		*ARRAY_APPEND(l->routes, l->n_routes) = r;
}

/* clang-format off */
const struct network_key network_keys[] = {
	{"ports",   KIND_HAS_PORTS,  true,  take_ports},
	{"parent",  KIND_HAS_PARENT, false, take_parent},
	{"address", 0,		     true,  take_address},
	{"gateway", 0,		     true,  take_gateway},
	{"route",   0,		     true,  take_route},
	{NULL,	    0,		     false, NULL},
};
/* clang-format on */
