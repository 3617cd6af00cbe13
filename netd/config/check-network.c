/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the rules of guest networks: what goes with which way of forwarding, what must lie in a subnet of the
 * network, what may be there once, and that no two links have a subnet in common where one of them is a network's.
 */
#include <arpa/inet.h>

#include "check.h"

struct checker {
	const struct config *c;
	const struct network *n;
	const struct link *l; /* its bridge */
	struct diags *d;
};

static bool has_family(const struct link *l, int family)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (l->addresses[i].family == family)
			return true;
	return false;
}

static const struct address *subnet_of(const struct link *l, const struct ip *ip)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (ip_in_subnet(ip, &l->addresses[i]))
			return &l->addresses[i];
	return NULL;
}

/* A key that its way of forwarding has no use for. */
static void needs_forward(const struct checker *k, struct loc loc, const char *key, bool allowed, const char *which)
{
	static const char *const names[] = {"nat", "route", "isolated", "open"};
	_cleanup_free_ char *place = NULL;

	if (!loc.line || allowed)
		return;
	place = diag_place(k->d,
			   values_has(k->n->own, NETWORK_FORWARD) ? values_loc(k->n->own, NETWORK_FORWARD) : k->n->loc);
	check_error(k->d, k->l, loc, key, "needs forward = %s, and it is %s (%s)", which, names[network_forward(k->n)],
		    place);
}

static void check_forward(const struct checker *k)
{
	const struct network *n = k->n;
	enum forward_mode forward = network_forward(n);
	bool nat = forward == FORWARD_NAT, reaches = nat || forward == FORWARD_ROUTE;

	if (reaches && !k->l->n_addresses && !n->auto_loc.line)
		check_error(k->d, k->l, n->loc, "address",
			    "is missing: with forward = %s the guests need one to reach out by", nat ? "nat" : "route");
	needs_forward(k, n->snat4.loc, "snat", nat, "nat");
	needs_forward(k, n->snat6.loc, "snat", nat, "nat");
	needs_forward(k, n->snat_ports.loc, "snat", nat, "nat");
	if (n->snat6.loc.line && nat && !values_num(n->own, NETWORK_NAT6, 0))
		check_error(k->d, k->l, n->snat6.loc, "snat", "of IPv6 needs nat6 = yes: else IPv6 is routed as it is");
	needs_forward(k, values_loc(n->own, NETWORK_NAT6), "nat6", nat, "nat");
	needs_forward(k, values_loc(n->own, NETWORK_UPLINK), "uplink", reaches, "nat or route");
	/* Guests would tell the host its address and its gateway. */
	if (values_num(k->l->common, LINK_DHCP, DHCP_NO) != DHCP_NO)
		needs_forward(k, values_loc(k->l->common, LINK_DHCP), "dhcp", forward == FORWARD_OPEN, "open");
	if (n->n_forward_ports)
		needs_forward(k, n->forward_ports[0].loc, "forward_port", reaches, "nat or route");
	if (values_num(n->own, NETWORK_NAT6, 0) && !has_family(k->l, AF_INET6))
		check_error(k->d, k->l, values_loc(n->own, NETWORK_NAT6), "nat6",
			    "has nothing to translate: the network has no IPv6 address");
	if (network_word(n, NETWORK_UPLINK) && streq(network_word(n, NETWORK_UPLINK), n->bridge))
		check_error(k->d, k->l, values_loc(n->own, NETWORK_UPLINK), "uplink",
			    "is the network's own bridge, not a link to the outside");
}

/* It must lie in a subnet of the network, be an address of a host there, and not be the network's own address. */
static void check_guest_address(const struct checker *k, const struct ip *ip, struct loc loc, const char *key)
{
	const struct address *subnet = subnet_of(k->l, ip);
	struct address at = {.family = ip->family};
	struct ip own;
	char text[INET6_ADDRSTRLEN];
	const char *fault;

	if (!ip->family)
		return;
	memcpy(at.addr, ip->addr, sizeof(at.addr));
	if (!subnet && k->n->auto_loc.line && ip->family == AF_INET) {
		check_error(
			k->d, k->l, loc, key,
			"%s needs the network's address written: which subnet address = auto gets is not known here",
			ip_format(ip, text));
		return;
	}
	if (!subnet) {
		check_error(k->d, k->l, loc, key, "%s is in no subnet of the network's addresses", ip_format(ip, text));
		return;
	}
	at.prefix_len = subnet->prefix_len;
	fault = subnet_fault(&at);
	if (fault)
		check_error(k->d, k->l, loc, key, "%s %s", ip_format(ip, text), fault);
	own = ip_of_address(subnet);
	if (ip_equal(&own, ip)) {
		_cleanup_free_ char *place = diag_place(k->d, subnet->loc);

		check_error(k->d, k->l, loc, key, "%s is the network's own address (%s)", ip_format(ip, text), place);
	}
}

/* dnsmasq does not take them. */
static void check_leases(const struct checker *k, const struct address *subnet, struct loc loc, const char *key)
{
	_cleanup_free_ char *place = NULL;

	if (!subnet || subnet->family != AF_INET6 || subnet->prefix_len >= 64)
		return;
	place = diag_place(k->d, subnet->loc);
	check_error(k->d, k->l, loc, key, "is in a subnet of /%u (%s): IPv6 addresses are leased in /64 to /128 only",
		    subnet->prefix_len, place);
}

static void check_range(const struct checker *k, const struct dhcp_range *r)
{
	const struct address *from = subnet_of(k->l, &r->from), *to = subnet_of(k->l, &r->to);
	struct ip own;
	char text[INET6_ADDRSTRLEN];

	if (!from || from != to) {
		check_error(k->d, k->l, r->loc, "dhcp_range", "does not lie in one subnet of the network's addresses%s",
			    k->n->auto_loc.line ? " (with address = auto: dhcp_range = auto)" : "");
		return;
	}
	check_leases(k, from, r->loc, "dhcp_range");
	own = ip_of_address(from);
	if (ip_compare(&r->from, &own) <= 0 && ip_compare(&own, &r->to) <= 0) {
		_cleanup_free_ char *place = diag_place(k->d, from->loc);

		check_error(k->d, k->l, r->loc, "dhcp_range", "has the network's own address %s in it (%s)",
			    ip_format(&own, text), place);
	}
}

static void check_ranges(const struct checker *k)
{
	bool filled = false;

	for (size_t i = 0; i < k->n->n_ranges; i++)
		filled |= loc_equal(k->n->ranges[i].loc, k->n->auto_range);
	if (k->n->auto_range.line && !filled && !k->n->auto_loc.line)
		check_error(k->d, k->l, k->n->auto_range, "dhcp_range",
			    "'auto' is what an IPv4 address with a subnet has left: the network has none");
	for (size_t i = 0; i < k->n->n_ranges; i++) {
		const struct dhcp_range *r = &k->n->ranges[i];

		check_range(k, r);
		for (size_t j = 0; j < i; j++) {
			const struct dhcp_range *other = &k->n->ranges[j];
			_cleanup_free_ char *place = NULL;

			if (r->from.family != other->from.family || ip_compare(&r->to, &other->from) < 0 ||
			    ip_compare(&other->to, &r->from) < 0)
				continue;
			place = diag_place(k->d, other->loc);
			check_error(k->d, k->l, r->loc, "dhcp_range", "overlaps with the one at %s", place);
			break;
		}
	}
}

/* Hosts by one of the things that no two may share; for sorting. */
typedef int host_compare_fn(const struct dhcp_host *a, const struct dhcp_host *b);

static int by_mac(const struct dhcp_host *a, const struct dhcp_host *b)
{
	return a->mac < b->mac ? -1 : a->mac > b->mac;
}

static int by_ip4(const struct dhcp_host *a, const struct dhcp_host *b)
{
	return ip_compare(&a->ip4, &b->ip4);
}

static int by_ip6(const struct dhcp_host *a, const struct dhcp_host *b)
{
	return ip_compare(&a->ip6, &b->ip6);
}

static int by_name(const struct dhcp_host *a, const struct dhcp_host *b)
{
	return strcasecmp(a->name ? a->name : "", b->name ? b->name : "");
}

static const struct {
	const char *what;
	host_compare_fn *compare;
} host_keys[] = {{"MAC address", by_mac}, {"address", by_ip4}, {"IPv6 address", by_ip6}, {"name", by_name}};

static bool host_has(const struct dhcp_host *h, host_compare_fn *compare)
{
	if (compare == by_ip4)
		return h->ip4.family != 0;
	if (compare == by_ip6)
		return h->ip6.family != 0;
	return compare != by_name || h->name;
}

static int compare_hosts(const void *a, const void *b, void *compare)
{
	const struct dhcp_host *x = *(const struct dhcp_host *const *)a, *y = *(const struct dhcp_host *const *)b;
	host_compare_fn *const *fn = compare;
	int r = (*fn)(x, y);

	return r ? r : loc_compare(x->loc, y->loc);
}

static void check_hosts(const struct checker *k)
{
	_cleanup_free_ const struct dhcp_host **sorted = xcalloc(k->n->n_hosts, sizeof(*sorted));

	for (size_t i = 0; i < k->n->n_hosts; i++) {
		check_guest_address(k, &k->n->hosts[i].ip4, k->n->hosts[i].loc, "host");
		check_guest_address(k, &k->n->hosts[i].ip6, k->n->hosts[i].loc, "host");
		check_leases(k, subnet_of(k->l, &k->n->hosts[i].ip6), k->n->hosts[i].loc, "host");
		sorted[i] = &k->n->hosts[i];
	}
	for (size_t key = 0; key < ARRAY_SIZE(host_keys); key++) {
		host_compare_fn *fn = host_keys[key].compare;

		qsort_r(sorted, k->n->n_hosts, sizeof(*sorted), compare_hosts, &fn);
		for (size_t i = 1; i < k->n->n_hosts; i++) {
			_cleanup_free_ char *place = NULL;

			if (!host_has(sorted[i], fn) || fn(sorted[i - 1], sorted[i]) != 0)
				continue;
			place = diag_place(k->d, sorted[i - 1]->loc);
			check_error(k->d, k->l, sorted[i]->loc, "host", "has the same %s as the one at %s",
				    host_keys[key].what, place);
		}
	}
}

/* A key that says something to guests who ask for names. */
static void needs_dns(const struct checker *k, struct loc loc, const char *key)
{
	if (loc.line && k->n->no_dns)
		check_error(k->d, k->l, loc, key, "needs the network's DNS, and dns is 'no'");
	if (loc.line && !k->l->n_addresses && !k->n->auto_loc.line)
		check_error(k->d, k->l, loc, key, "needs an address of the network, at which guests ask");
}

/* A name server that questions are passed on to. */
static void check_forwarder(const struct checker *k, const struct ip *ip, struct loc loc, const char *key)
{
	char text[INET6_ADDRSTRLEN];

	if (link_has_address(k->l, ip->family, ip->addr))
		check_error(k->d, k->l, loc, key,
			    "%s is the network's own address: dnsmasq would ask itself (name the servers that it is to "
			    "ask, or leave the key out for those of the host)",
			    ip_format(ip, text));
	if (is_link_local(ip->family, ip->addr))
		check_error(k->d, k->l, loc, key,
			    "%s is a link-local address, which dnsmasq cannot ask without a link (name another address "
			    "of the server, or leave the key out for those of the host)",
			    ip_format(ip, text));
}

static void check_forwarders(const struct checker *k)
{
	for (size_t i = 0; i < k->n->n_forwarders; i++)
		check_forwarder(k, &k->n->forwarders[i].ip, k->n->forwarders[i].loc, "dns");
	for (size_t i = 0; i < k->n->n_dns_forwards; i++)
		check_forwarder(k, &k->n->dns_forwards[i].server, k->n->dns_forwards[i].loc, "dns_forward");
}

static void check_dhcp(const struct checker *k)
{
	bool leases = k->n->n_ranges || k->n->n_hosts || k->n->auto_range.line;

	if (values_has(k->n->own, NETWORK_LEASE_TIME) && !leases)
		check_warning(k->d, k->l, values_loc(k->n->own, NETWORK_LEASE_TIME), "lease_time",
			      "nothing is leased without dhcp_range or host");
	if (k->n->n_options && !leases)
		check_warning(k->d, k->l, k->n->options[0].loc, "dhcp_option",
			      "nobody is told without dhcp_range or host");
	if (k->n->boot.file && !leases)
		check_error(k->d, k->l, k->n->boot.loc, "boot", "nobody is told without dhcp_range or host");
	if (network_word(k->n, NETWORK_TFTP) && !k->l->n_addresses && !k->n->auto_loc.line)
		check_error(k->d, k->l, values_loc(k->n->own, NETWORK_TFTP), "tftp",
			    "needs an address of the network, at which guests ask");
	if (k->n->no_dns && k->n->n_forwarders)
		check_error(k->d, k->l, k->n->dns_loc, "dns", "is 'no' or addresses, not both");
	check_forwarders(k);
	needs_dns(k, k->n->n_dns_hosts ? k->n->dns_hosts[0].loc : LOC_NONE, "dns_host");
	needs_dns(k, k->n->n_dns_forwards ? k->n->dns_forwards[0].loc : LOC_NONE, "dns_forward");
	needs_dns(k, k->n->n_dns_srvs ? k->n->dns_srvs[0].loc : LOC_NONE, "srv");
	needs_dns(k, k->n->n_dns_txts ? k->n->dns_txts[0].loc : LOC_NONE, "txt");
}

/* Two forwarded ports of all networks, for finding those that are the same. */
struct forwarded {
	const struct link *link;
	const struct forward_port *port;
};

static int forwarded_compare(const void *a, const void *b)
{
	const struct forward_port *x = ((const struct forwarded *)a)->port, *y = ((const struct forwarded *)b)->port;

	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	if (x->guest.family != y->guest.family)
		return x->guest.family < y->guest.family ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return loc_compare(x->loc, y->loc);
}

static void check_forward_ports(const struct config *c, struct diags *d)
{
	_cleanup_free_ struct forwarded *list = NULL;
	size_t n = 0, widest = 0;

	for (size_t i = 0; i < c->n_networks; i++) {
		const struct network *net = c->networks[i];

		for (size_t j = 0; j < net->n_forward_ports; j++)
			*ARRAY_APPEND(list, n) = (struct forwarded){.link = model_find(&c->links, net->bridge),
								    .port = &net->forward_ports[j]};
	}
	if (n)
		qsort(list, n, sizeof(*list), forwarded_compare);
	for (size_t i = 1; i < n; i++) {
		const struct forward_port *p = list[i].port, *other = list[widest].port;
		_cleanup_free_ char *place = NULL;
		bool alike = p->protocol == other->protocol && p->guest.family == other->guest.family;

		if (alike && p->from <= other->to) {
			place = diag_place(d, other->loc);
			check_error(d, list[i].link, p->loc, "forward_port",
				    "the %s port %u is forwarded at %s already",
				    p->protocol == IPPROTO_TCP ? "tcp" : "udp", p->from, place);
		}
		if (!alike || p->to > other->to)
			widest = i;
	}
}

/* An address of any link, for finding overlaps by sorting. */
struct placed {
	const struct link *link;
	const struct address *address;
};

static int placed_compare(const void *a, const void *b)
{
	const struct address *x = ((const struct placed *)a)->address, *y = ((const struct placed *)b)->address;
	int r = subnet_compare(x, y);

	return r ? r : loc_compare(x->loc, y->loc);
}

static void report_overlap(const struct placed *a, const struct placed *b, struct diags *d)
{
	const struct placed *at = a->link->network[0] ? a : b, *other = at == a ? b : a;
	_cleanup_free_ char *section = link_section(other->link), *place = NULL;
	struct ip ip = ip_of_address(at->address), other_ip = ip_of_address(other->address);
	char text[INET6_ADDRSTRLEN], other_text[INET6_ADDRSTRLEN];

	if (a->link->network[0] && b->link->network[0] && loc_compare(at->address->loc, other->address->loc) < 0) {
		report_overlap(b, a, d);
		return;
	}
	/* One address twice is said by the rule for all links. */
	if (ip_equal(&ip, &other_ip))
		return;
	place = diag_place(d, other->address->loc);
	check_error(d, at->link, at->address->loc, "address", "%s/%u overlaps with %s/%u of [%s] (%s)",
		    ip_format(&ip, text), at->address->prefix_len, ip_format(&other_ip, other_text),
		    other->address->prefix_len, section, place);
}

void config_check_subnets(const struct config *c, struct diags *d)
{
	_cleanup_free_ struct placed *list = NULL;
	size_t n = 0, widest = 0;

	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *l = c->links.links[i];

		for (size_t j = 0; j < l->n_addresses; j++)
			if (!is_link_local(l->addresses[j].family, l->addresses[j].addr))
				*ARRAY_APPEND(list, n) = (struct placed){.link = l, .address = &l->addresses[j]};
	}
	if (n)
		qsort(list, n, sizeof(*list), placed_compare);
	for (size_t i = 1; i < n; i++) {
		if (!subnets_overlap(list[widest].address, list[i].address)) {
			widest = i;
			continue;
		}
		if (list[widest].link != list[i].link && (list[widest].link->network[0] || list[i].link->network[0]))
			report_overlap(&list[widest], &list[i], d);
	}
}

void check_networks(const struct config *c, struct diags *d)
{
	if (!c->n_networks)
		return;
	for (size_t i = 0; i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		const struct checker k = {.c = c, .n = n, .l = model_find(&c->links, n->bridge), .d = d};

		check_forward(&k);
		check_ranges(&k);
		check_hosts(&k);
		check_dhcp(&k);
		for (size_t j = 0; j < n->n_forward_ports; j++)
			check_guest_address(&k, &n->forward_ports[j].guest, n->forward_ports[j].loc, "forward_port");
	}
	check_forward_ports(c, d);
	config_check_subnets(c, d);
}
