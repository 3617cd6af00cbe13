/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: lease.h. */
#include "lease.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "network.h"

/* A server that says more than this says it to no purpose. */
#define LEASE_ROUTES_MAX 64

void lease_done(struct lease *l)
{
	free(l->addresses);
	free(l->routes);
	free(l->dns.blob);
	free(l->search.blob);
	*l = (struct lease){0};
}

void leases_done(struct leases *l)
{
	for (size_t i = 0; i < l->n; i++)
		lease_done(&l->list[i]);
	free(l->list);
	*l = (struct leases){0};
}

/* The value of a line "KEY=VALUE"; NULL: there is none. The caller frees it. */
static char *find_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, len) == 0 && line[len] == '=')
			return xasprintf("%.*s", (int)strcspn(line + len + 1, "\n"), line + len + 1);
	return NULL;
}

static bool find_number(const char *text, const char *key, uint64_t max, uint64_t *ret)
{
	_cleanup_free_ char *value = find_value(text, key);
	char *end;

	if (!value || *value < '0' || *value > '9')
		return false;
	errno = 0;
	*ret = strtoull(value, &end, 10);
	return !errno && (*end == '\0' || *end == '.') && *ret <= max;
}

static bool is_host4(const uint8_t addr[16])
{
	return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
}

static bool parse_ip4(const char *word, uint8_t addr[16])
{
	memset(addr, 0, 16);
	return inet_pton(AF_INET, word, addr) == 1;
}

static void add_list(enum link_row row, const char *words, union value *v)
{
	_cleanup_free_ char *copy = xstrdup(words);
	char *save = NULL;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		_cleanup_free_ char *why = NULL;

		link_options.rows[row].type->parse(&link_options.rows[row], word, v, &why);
	}
}

static void take_lists(struct lease *l, const char *text, const char *dns_key, const char *search_key)
{
	_cleanup_free_ char *dns = find_value(text, dns_key), *search = find_value(text, search_key);

	if (dns)
		add_list(LINK_DNS, dns, &l->dns);
	if (search)
		add_list(LINK_SEARCH, search, &l->search);
}

static struct address *add_address(struct lease *l, const uint8_t addr[16], uint8_t prefix_len)
{
	struct address *a = ARRAY_APPEND(l->addresses, l->n_addresses);

	*a = (struct address){
		.family = l->family,
		.prefix_len = prefix_len,
		.proto = KVMNETD_PROTO,
		.valid_lft = UINT32_MAX,
	};
	memcpy(a->addr, addr, sizeof(a->addr));
	return a;
}

static const uint8_t any4[16];

static bool is_within4(const uint8_t addr[16], const uint8_t subnet[16], uint8_t prefix_len)
{
	const struct ip ip = {.family = AF_INET, .addr = {addr[0], addr[1], addr[2], addr[3]}};
	struct address a = {.family = AF_INET, .prefix_len = prefix_len};

	memcpy(a.addr, subnet, sizeof(a.addr));
	return ip_in_subnet(&ip, &a);
}

/* Has the link a way to it without a gateway? */
static bool is_on_link(const struct lease *l, const uint8_t addr[16])
{
	if (is_within4(addr, l->addresses[0].addr, l->addresses[0].prefix_len))
		return true;
	for (size_t i = 0; i < l->n_routes; i++)
		if (!l->routes[i].has_gateway && is_within4(addr, l->routes[i].dst, l->routes[i].dst_len))
			return true;
	return false;
}

/*
 * A gateway of 0.0.0.0 means that the destination is on the link. One outside the subnet, as where addresses are of
 * length 32, is on it too, or the server would not name it.
 */
static void add_route4(struct lease *l, const uint8_t dst[16], uint8_t dst_len, const uint8_t gateway[16])
{
	bool on_link = gateway[0] == 0;
	struct route *r;

	if (l->n_routes == LEASE_ROUTES_MAX || (!on_link && !is_host4(gateway)) ||
	    memcmp(gateway, l->addresses[0].addr, 4) == 0)
		return;
	if (!on_link && !is_on_link(l, gateway))
		add_route4(l, gateway, 32, any4);
	r = ARRAY_APPEND(l->routes, l->n_routes);
	*r = (struct route){
		.family = AF_INET,
		.dst_len = dst_len,
		.protocol = KVMNETD_PROTO,
		.scope = on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.type = RTN_UNICAST,
		.has_gateway = !on_link,
		.table = RT_TABLE_MAIN,
	};
	memcpy(r->dst, dst, sizeof(r->dst));
	memcpy(r->gateway, gateway, sizeof(r->gateway));
	if (on_link)
		memset(r->gateway, 0, sizeof(r->gateway));
}

/* "DESTINATION/LENGTH GATEWAY ...", bits behind the prefix cleared; false: one of them is none of that. */
static bool take_classless(struct lease *l, const char *words)
{
	_cleanup_free_ char *copy = xstrdup(words);
	char *save = NULL;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *gateway = strtok_r(NULL, " ", &save), *slash = strchr(word, '/');
		unsigned len = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 33;
		uint8_t dst[16], via[16];
		uint32_t bits;

		if (slash)
			*slash = '\0';
		if (!gateway || len > 32 || !parse_ip4(word, dst) || !parse_ip4(gateway, via))
			return false;
		memcpy(&bits, dst, sizeof(bits));
		bits &= len ? htonl(UINT32_MAX << (32 - len)) : 0;
		memcpy(dst, &bits, sizeof(bits));
		add_route4(l, dst, (uint8_t)len, via);
	}
	return true;
}

/* RFC 3442: who sends classless routes means them in place of the routers. */
static void take_routes4(struct lease *l, const char *text)
{
	_cleanup_free_ char *classless = find_value(text, "new_classless_static_routes");
	_cleanup_free_ char *routers = find_value(text, "new_routers");
	uint8_t gateway[16];

	if (classless && take_classless(l, classless))
		return;
	l->n_routes = 0;
	if (!routers)
		return;
	routers[strcspn(routers, " ")] = '\0';
	if (parse_ip4(routers, gateway) && gateway[0])
		add_route4(l, any4, 0, gateway);
}

static int parse4(const char *text, struct lease *l)
{
	_cleanup_free_ char *address = find_value(text, "new_ip_address"), *domain = NULL;
	uint64_t prefix_len;
	uint8_t addr[16];

	if (!address || !parse_ip4(address, addr) || !is_host4(addr) ||
	    !find_number(text, "new_subnet_cidr", 32, &prefix_len) || !prefix_len)
		return -EINVAL;
	if (!find_number(text, "new_dhcp_lease_time", UINT32_MAX, &l->length))
		l->length = UINT32_MAX;
	find_number(text, "new_dhcp_renewal_time", UINT32_MAX, &l->renewal);
	add_address(l, addr, (uint8_t)prefix_len);
	take_routes4(l, text);
	take_lists(l, text, "new_domain_name_servers", "new_domain_search");
	domain = l->search.blob ? NULL : find_value(text, "new_domain_name");
	if (domain)
		add_list(LINK_SEARCH, domain, &l->search);
	return 0;
}

/* Its addresses are hosts' alone: which subnet is on the link, and who is a router, routers say themselves. */
static int parse6(const char *text, struct lease *l)
{
	for (unsigned i = 1; i < 16; i++) {
		_cleanup_free_ char *key = xasprintf("new_dhcp6_ia_na1_ia_addr%u", i);
		_cleanup_free_ char *time_key = xasprintf("%s_vltime", key);
		_cleanup_free_ char *address = find_value(text, key);
		struct in6_addr addr;
		uint64_t length;

		if (!address)
			break;
		if (inet_pton(AF_INET6, address, &addr) != 1 || IN6_IS_ADDR_UNSPECIFIED(&addr) ||
		    IN6_IS_ADDR_MULTICAST(&addr) || IN6_IS_ADDR_LOOPBACK(&addr) || IN6_IS_ADDR_LINKLOCAL(&addr) ||
		    !find_number(text, time_key, UINT32_MAX, &length) || !length)
			continue;
		add_address(l, addr.s6_addr, 128);
		l->length = MIN(l->length, length);
	}
	find_number(text, "new_dhcp6_ia_na1_t1", UINT32_MAX, &l->renewal);
	take_lists(l, text, "new_dhcp6_name_servers", "new_dhcp6_domain_search");
	return l->n_addresses ? 0 : -EINVAL;
}

/* What dhcpcd calls the events after which there is a lease; those of DHCPv6 end in 6. */
static bool gives_lease(const char *reason)
{
	static const char *const reasons[] = {"BOUND", "RENEW", "REBIND", "REBOOT"};
	size_t len = strlen(reason);

	if (len && reason[len - 1] == '6')
		len--;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strlen(reasons[i]) == len && strncmp(reason, reasons[i], len) == 0)
			return true;
	return false;
}

int lease_parse(const char *text, struct lease *ret)
{
	_cleanup_free_ char *reason = find_value(text, "reason"), *protocol = find_value(text, "protocol");
	_cleanup_free_ char *link = find_value(text, "interface");
	struct lease l = {.length = UINT32_MAX};
	int r;

	if (!reason || !protocol || !gives_lease(reason))
		return -ENOENT;
	if (!link || strlen(link) >= sizeof(l.link) || !find_number(text, "uptime", UINT32_MAX, &l.begun))
		return -EINVAL;
	memcpy(l.link, link, strlen(link));
	l.family = streq(protocol, "dhcp6") ? AF_INET6 : AF_INET;
	r = l.family == AF_INET ? parse4(text, &l) : parse6(text, &l);
	if (r < 0) {
		lease_done(&l);
		return r;
	}
	*ret = l;
	return 0;
}

uint64_t lease_end(const struct lease *l)
{
	return l->length == UINT32_MAX ? UINT64_MAX : l->begun + l->length;
}

/* RFC 2131, section 4.4.5: at half of it, where the server says nothing else. */
uint64_t lease_due(const struct lease *l)
{
	bool said = l->renewal && l->renewal < l->length;

	return l->length == UINT32_MAX ? UINT64_MAX : l->begun + (said ? l->renewal : l->length / 2);
}

bool lease_same(const struct lease *a, const struct lease *b)
{
	if (a->n_addresses != b->n_addresses || a->n_routes != b->n_routes)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (!address_same(&a->addresses[i], &b->addresses[i]))
			return false;
	for (size_t i = 0; i < a->n_routes; i++)
		if (!route_equal(&a->routes[i], &b->routes[i]))
			return false;
	return link_options.rows[LINK_DNS].type->equal(&link_options.rows[LINK_DNS], a->dns, b->dns) &&
	       link_options.rows[LINK_SEARCH].type->equal(&link_options.rows[LINK_SEARCH], a->search, b->search);
}

const struct lease *leases_find(const struct leases *l, const char *link, uint8_t family)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (l->list[i].family == family && streq(l->list[i].link, link))
			return &l->list[i];
	return NULL;
}
