/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: firewall.h. A static skeleton looks the packet's bridge up in a map and jumps to that network's own chain,
 * so that a packet costs the same with one network and with thousands.
 *
 * What a guest sends is judged first (from_*), then what a guest receives (to_*), and neither lets the other be
 * skipped: chains return or reject, and only what stays on its own bridge is accepted at once. An accept in this table
 * ends only this table's own chains; a reject is final. Names of links are compared as strings, so that rules stay true
 * when a bridge is made anew. No network's chain holds a set: the kernel switches rules and the elements of sets at
 * slightly different moments, and between them packets of an isolated network would leak.
 */
#include "firewall.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define REJECT "counter reject with icmpx admin-prohibited"

/* Priorities just before those that everybody uses: of several NAT rules for one connection the first one wins. */
#define HOOK_FORWARD "type filter hook forward priority -5; policy accept;"
#define HOOK_INPUT "type filter hook input priority -5; policy accept;"
#define HOOK_PREROUTING "type nat hook prerouting priority -105; policy accept;"
/* After a forwarded port has become a guest's, before anything is routed. */
#define HOOK_EARLY "type filter hook prerouting priority -50; policy accept;"
#define HOOK_OUTPUT "type nat hook output priority -105; policy accept;"
#define HOOK_POSTROUTING "type nat hook postrouting priority 95; policy accept;"
#define HOOK_CHECKSUM "type filter hook postrouting priority -150; policy accept;"

/* What any of the networks needs of the skeleton: conntrack costs every packet of the host, so no NAT without need. */
struct needs {
	bool forward, nat, ports4, ports6, input, dhcp;
	bool refuse, answers, masq, services, only_dhcp, tftp, early;
};

static bool has_dhcp(const struct network *n, const struct link *l)
{
	return l->n_addresses && (n->n_ranges || n->n_hosts);
}

static uint64_t host_access(const struct network *n)
{
	return values_num(n->own, NETWORK_HOST_ACCESS, HOST_ACCESS_ALL);
}

static struct needs needs_of(const struct config *c)
{
	struct needs needs = {0};

	for (size_t i = 0; i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		enum forward_mode forward = network_forward(n);

		needs.forward |= forward != FORWARD_OPEN;
		needs.refuse |= forward == FORWARD_ISOLATED;
		needs.early |= forward == FORWARD_ISOLATED && model_find(&c->links, n->bridge)->n_addresses;
		needs.answers |= forward == FORWARD_NAT;
		needs.masq |= forward == FORWARD_NAT && !n->snat_ports.loc.line &&
			      (!n->snat4.loc.line || (values_num(n->own, NETWORK_NAT6, 0) && !n->snat6.loc.line));
		for (size_t p = 0; p < n->n_forward_ports; p++)
			*(n->forward_ports[p].guest.family == AF_INET ? &needs.ports4 : &needs.ports6) = true;
		needs.nat |= forward == FORWARD_NAT || n->n_forward_ports;
		needs.services |= host_access(n) == HOST_ACCESS_SERVICES;
		needs.tftp |= host_access(n) == HOST_ACCESS_SERVICES && network_word(n, NETWORK_TFTP);
		needs.only_dhcp |= host_access(n) == HOST_ACCESS_NONE;
		needs.dhcp |= has_dhcp(n, model_find(&c->links, n->bridge));
	}
	needs.input = needs.services || needs.only_dhcp;
	return needs;
}

static void add_maps(struct firewall *f, const struct needs *needs)
{
	if (needs->forward) {
		firewall_add_map(f, "fwd_from", "map fwd_from { type ifname : verdict; }");
		firewall_add_map(f, "fwd_to", "map fwd_to { type ifname : verdict; }");
	}
	if (needs->nat)
		firewall_add_map(f, "nat_from", "map nat_from { type ifname : verdict; }");
	if (needs->input)
		firewall_add_map(f, "in_from", "map in_from { type ifname : verdict; }");
	if (needs->early)
		firewall_add_map(f, "early_from", "map early_from { type ifname : verdict; }");
	if (needs->ports4)
		firewall_add_map(f, "pf4", "map pf4 { type inet_proto . inet_service : ipv4_addr . inet_service; }");
	if (needs->ports6)
		firewall_add_map(f, "pf6", "map pf6 { type inet_proto . inet_service : ipv6_addr . inet_service; }");
	if (needs->dhcp)
		firewall_add_map(f, "dhcp_if", "set dhcp_if { type ifname; }");
}

/* No guest gets what is not for it alone: nobody on the outside would know whom to answer. */
static void add_no_multicast(struct firewall_chain *c)
{
	firewall_add_rule(c, "ip daddr 224.0.0.0/24 return");
	firewall_add_rule(c, "ip daddr 255.255.255.255 return");
	firewall_add_rule(c, "ip6 daddr ff00::/8 return");
}

/* A source port below 1024 is trusted by old services: no guest gets one (as libvirt has it). */
#define GUEST_PORTS "1024-65535"

static void add_masquerade(struct firewall_chain *c, const char *ports)
{
	firewall_add_rule(c, "meta l4proto tcp masquerade to :%s", ports);
	firewall_add_rule(c, "meta l4proto udp masquerade to :%s", ports);
	firewall_add_rule(c, "masquerade");
}

static void add_helpers(struct firewall *f, const struct needs *needs)
{
	struct firewall_chain *c;

	if (needs->refuse) {
		c = firewall_add_chain(f, "refuse", NULL);
		firewall_add_rule(c, REJECT);
	}
	if (needs->early) {
		/* What is for this host, or for all, is no attempt to get out. */
		c = firewall_add_chain(f, "outbound", NULL);
		firewall_add_rule(c, "fib daddr type local return");
		firewall_add_rule(c, "fib daddr type broadcast return");
		firewall_add_rule(c, "fib daddr type multicast return");
		firewall_add_rule(c, "fib daddr type anycast return");
		firewall_add_rule(c, "ip6 daddr fe80::/10 return");
		firewall_add_rule(c, "ip6 daddr ff00::/8 return");
		firewall_add_rule(c, "meta l4proto tcp counter reject with tcp reset");
		firewall_add_rule(c, REJECT);
	}
	if (needs->answers) {
		c = firewall_add_chain(f, "answers", NULL);
		firewall_add_rule(c, "ct state established,related return");
		firewall_add_rule(c, "ct status dnat return");
		firewall_add_rule(c, REJECT);
	}
	if (needs->masq) {
		c = firewall_add_chain(f, "masq", NULL);
		add_no_multicast(c);
		add_masquerade(c, GUEST_PORTS);
	}
	if (needs->services) {
		c = firewall_add_chain(f, "host_services", NULL);
		firewall_add_rule(c, "ct state established,related return");
		firewall_add_rule(c, "udp dport 53 return");
		firewall_add_rule(c, "tcp dport 53 return");
		firewall_add_rule(c, "udp dport 67 return");
		firewall_add_rule(c, "udp dport 547 return");
		/* Of one network, and so of all: nobody listens on the others' bridges. */
		if (needs->tftp)
			firewall_add_rule(c, "udp dport 69 return");
		firewall_add_rule(c, "meta l4proto icmp return");
		firewall_add_rule(c, "meta l4proto ipv6-icmp return");
		firewall_add_rule(c, REJECT);
	}
	if (needs->only_dhcp) {
		c = firewall_add_chain(f, "host_dhcp", NULL);
		firewall_add_rule(c, "ct state established,related return");
		firewall_add_rule(c, "udp dport 67 return");
		firewall_add_rule(c, "udp dport 547 return");
		/* Router and neighbour discovery: without them there is no IPv6 in the network at all. */
		firewall_add_rule(c, "icmpv6 type 133-136 return");
		firewall_add_rule(c, REJECT);
	}
}

static void add_dnat(struct firewall_chain *c, const struct needs *needs)
{
	if (needs->ports4)
		firewall_add_rule(c, "fib daddr type local dnat ip to meta l4proto . th dport map @pf4");
	if (needs->ports6)
		firewall_add_rule(c, "fib daddr type local dnat ip6 to meta l4proto . th dport map @pf6");
}

static void add_skeleton(struct firewall *f, const struct needs *needs)
{
	struct firewall_chain *c;

	if (needs->forward) {
		c = firewall_add_chain(f, "forward", HOOK_FORWARD);
		firewall_add_rule(c, "iifname vmap @fwd_from");
		firewall_add_rule(c, "oifname vmap @fwd_to");
	}
	if (needs->input) {
		c = firewall_add_chain(f, "input", HOOK_INPUT);
		firewall_add_rule(c, "iifname vmap @in_from");
	}
	if (needs->early) {
		c = firewall_add_chain(f, "early", HOOK_EARLY);
		firewall_add_rule(c, "iifname vmap @early_from");
	}
	if (needs->ports4 || needs->ports6) {
		c = firewall_add_chain(f, "prerouting", HOOK_PREROUTING);
		add_dnat(c, needs);
		/* The host itself; what it sends to its loopback cannot leave it. */
		c = firewall_add_chain(f, "output", HOOK_OUTPUT);
		if (needs->ports4)
			firewall_add_rule(c, "ip daddr 127.0.0.0/8 return");
		if (needs->ports6)
			firewall_add_rule(c, "ip6 daddr ::1 return");
		add_dnat(c, needs);
	}
	if (needs->nat) {
		c = firewall_add_chain(f, "postrouting", HOOK_POSTROUTING);
		firewall_add_rule(c, "iifname vmap @nat_from");
	}
	if (needs->dhcp) {
		/* A guest's packets have no checksum until they reach a wire, and old DHCP clients insist on one. */
		c = firewall_add_chain(f, "dhcp_csum", HOOK_CHECKSUM);
		firewall_add_rule(c, "oifname @dhcp_if udp sport 67 udp dport 68 udp checksum set 0");
	}
}

/* "ip saddr 192.0.2.0/24", the direction being "saddr": the subnet of an address. */
static void subnet_text(const struct address *a, const char *direction, char *buf, size_t size)
{
	struct ip net = ip_of_address(a);
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < 16; i++) {
		unsigned left = a->prefix_len > i * 8 ? a->prefix_len - i * 8 : 0;

		net.addr[i] &= left >= 8 ? 0xff : (uint8_t)(0xff00 >> left);
	}
	snprintf(buf, size, "%s %s %s/%u", a->family == AF_INET ? "ip" : "ip6", direction, ip_format(&net, text),
		 a->prefix_len);
}

#define SUBNET_TEXT (INET6_ADDRSTRLEN + 16)

struct guests {
	struct firewall *f;
	const struct network *n;
	const struct link *l;
	const char *uplink; /* kernel name; NULL: any */
};

static struct firewall_chain *own_chain(const struct guests *g, const char *prefix)
{
	char name[IFNAMSIZ + 16];

	snprintf(name, sizeof(name), "%s_%s", prefix, g->n->bridge);
	return firewall_add_chain(g->f, name, NULL);
}

static void own_element(const struct guests *g, const char *map, const char *value)
{
	char key[IFNAMSIZ + 2], target[64];

	snprintf(key, sizeof(key), "\"%s\"", g->n->bridge);
	snprintf(target, sizeof(target), "jump %s_%s", value ? value : "", g->n->bridge);
	firewall_add_element(g->f, map, key, value ? target : NULL);
}

static void add_from(const struct guests *g)
{
	struct firewall_chain *c = own_chain(g, "from");

	firewall_add_rule(c, "oifname \"%s\" accept", g->n->bridge);
	if (g->uplink && g->n->n_forward_ports)
		firewall_add_rule(c, "ct status dnat return");
	for (size_t i = 0; network_forward(g->n) != FORWARD_ISOLATED && i < g->l->n_addresses; i++) {
		char subnet[SUBNET_TEXT];

		subnet_text(&g->l->addresses[i], "saddr", subnet, sizeof(subnet));
		if (g->uplink)
			firewall_add_rule(c, "oifname \"%s\" %s return", g->uplink, subnet);
		else
			firewall_add_rule(c, "%s return", subnet);
	}
	firewall_add_rule(c, REJECT);
}

static void add_to(const struct guests *g)
{
	struct firewall_chain *c = own_chain(g, "to");
	enum forward_mode forward = network_forward(g->n);

	if (g->uplink && forward == FORWARD_ROUTE && g->n->n_forward_ports)
		firewall_add_rule(c, "ct status dnat return");
	/* Of a network with NAT, IPv6 may be routed as it is: nobody reaches in by that either. */
	for (size_t i = 0; forward == FORWARD_ROUTE && i < g->l->n_addresses; i++) {
		char subnet[SUBNET_TEXT];

		subnet_text(&g->l->addresses[i], "daddr", subnet, sizeof(subnet));
		/* Who could not be answered does not reach in. */
		if (g->uplink)
			firewall_add_rule(c, "iifname \"%s\" %s return", g->uplink, subnet);
		else
			firewall_add_rule(c, "%s return", subnet);
	}
	if (forward == FORWARD_ROUTE)
		firewall_add_rule(c, REJECT);
	else
		firewall_add_rule(c, "goto %s", forward == FORWARD_NAT ? "answers" : "refuse");
}

/* "192.0.2.7-192.0.2.9", with brackets where ports follow an IPv6 address. */
static char *range_text(const struct snat *s, const char *open, const char *close)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	if (ip_equal(&s->from, &s->to))
		return xasprintf("%s%s%s", open, ip_format(&s->from, from), close);
	return xasprintf("%s%s%s-%s%s%s", open, ip_format(&s->from, from), close, open, ip_format(&s->to, to), close);
}

static void add_snat_rules(struct firewall_chain *c, const struct snat *s)
{
	bool is6 = s->from.family == AF_INET6;
	_cleanup_free_ char *range = range_text(s, "", ""), *with_ports = range_text(s, is6 ? "[" : "", is6 ? "]" : "");
	const char *family = is6 ? "ip6" : "ip";
	char ports[16] = GUEST_PORTS;

	if (s->port_from)
		snprintf(ports, sizeof(ports), "%u-%u", s->port_from, s->port_to);
	if (!s->from.family) {
		add_masquerade(c, ports);
		return;
	}
	firewall_add_rule(c, "meta l4proto tcp snat %s to %s:%s", family, with_ports, ports);
	firewall_add_rule(c, "meta l4proto udp snat %s to %s:%s", family, with_ports, ports);
	firewall_add_rule(c, "snat %s to %s", family, range);
}

static void add_snat(const struct guests *g)
{
	struct firewall_chain *c = own_chain(g, "snat");

	add_no_multicast(c);
	if (g->n->snat4.loc.line)
		add_snat_rules(c, &g->n->snat4);
	if (g->n->snat6.loc.line)
		add_snat_rules(c, &g->n->snat6);
	/* What is left: `snat ip` judges IPv4 only. */
	if (g->n->snat_ports.loc.line)
		add_snat_rules(c, &g->n->snat_ports);
}

/* Its packets are not even forwarded, which nobody would tell the guest. Only of its own subnet: see br_netfilter. */
static void add_early(const struct guests *g)
{
	struct firewall_chain *c = own_chain(g, "early");

	for (size_t i = 0; i < g->l->n_addresses; i++) {
		char from[SUBNET_TEXT], to[SUBNET_TEXT];

		subnet_text(&g->l->addresses[i], "saddr", from, sizeof(from));
		subnet_text(&g->l->addresses[i], "daddr !=", to, sizeof(to));
		firewall_add_rule(c, "%s %s goto outbound", from, to);
	}
}

static bool refuses_early(const struct guests *g)
{
	return network_forward(g->n) == FORWARD_ISOLATED && g->l->n_addresses;
}

static void add_nat(const struct guests *g)
{
	struct firewall_chain *c;
	bool is_nat = network_forward(g->n) == FORWARD_NAT, nat6 = values_num(g->n->own, NETWORK_NAT6, 0) != 0;

	if (is_nat && (g->n->snat4.loc.line || g->n->snat6.loc.line || g->n->snat_ports.loc.line))
		add_snat(g);
	c = own_chain(g, "nat");
	/* A guest that comes to a guest by the host's address must be answered by way of the host. */
	if (g->n->n_forward_ports)
		firewall_add_rule(c, "oifname \"%s\" ct status dnat masquerade", g->n->bridge);
	firewall_add_rule(c, "oifname \"%s\" return", g->n->bridge);
	for (size_t i = 0; is_nat && i < g->l->n_addresses; i++) {
		const struct address *a = &g->l->addresses[i];
		bool is4 = a->family == AF_INET;
		char subnet[SUBNET_TEXT];

		subnet_text(a, "saddr", subnet, sizeof(subnet));
		if (!is4 && !nat6)
			continue;
		if ((is4 ? &g->n->snat4 : &g->n->snat6)->loc.line || g->n->snat_ports.loc.line)
			firewall_add_rule(c, "%s goto snat_%s", subnet, g->n->bridge);
		else
			firewall_add_rule(c, "%s goto masq", subnet);
	}
}

static void add_network(const struct guests *g)
{
	if (network_forward(g->n) != FORWARD_OPEN) {
		add_from(g);
		add_to(g);
	}
	if (refuses_early(g))
		add_early(g);
	if (network_forward(g->n) == FORWARD_NAT || g->n->n_forward_ports)
		add_nat(g);
}

static void add_ports(const struct guests *g)
{
	for (size_t i = 0; i < g->n->n_forward_ports; i++) {
		const struct forward_port *p = &g->n->forward_ports[i];
		char address[INET6_ADDRSTRLEN];

		ip_format(&p->guest, address);
		for (unsigned port = p->from; port <= p->to; port++) {
			char key[32], value[INET6_ADDRSTRLEN + 16];

			snprintf(key, sizeof(key), "%s . %u", p->protocol == IPPROTO_TCP ? "tcp" : "udp", port);
			snprintf(value, sizeof(value), "%s . %u", address, p->port + (port - p->from));
			firewall_add_element(g->f, p->guest.family == AF_INET ? "pf4" : "pf6", key, value);
		}
	}
}

static void add_elements(const struct guests *g)
{
	char key[IFNAMSIZ + 2];

	if (network_forward(g->n) != FORWARD_OPEN) {
		own_element(g, "fwd_from", "from");
		own_element(g, "fwd_to", "to");
	}
	if (refuses_early(g))
		own_element(g, "early_from", "early");
	if (network_forward(g->n) == FORWARD_NAT || g->n->n_forward_ports)
		own_element(g, "nat_from", "nat");
	snprintf(key, sizeof(key), "\"%s\"", g->n->bridge);
	if (host_access(g->n) != HOST_ACCESS_ALL)
		firewall_add_element(g->f, "in_from", key,
				     host_access(g->n) == HOST_ACCESS_SERVICES ? "jump host_services"
									       : "jump host_dhcp");
	if (has_dhcp(g->n, g->l))
		own_element(g, "dhcp_if", NULL);
	add_ports(g);
}

void firewall_make(const struct config *c, firewall_name_fn *device, void *userdata, struct firewall *ret)
{
	struct needs needs = needs_of(c);
	struct firewall f = FIREWALL_NULL;

	add_maps(&f, &needs);
	add_helpers(&f, &needs);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < c->n_networks; i++) {
			const struct network *n = c->networks[i];
			const char *label = network_word(n, NETWORK_UPLINK);
			const struct guests g = {
				.f = &f,
				.n = n,
				.l = model_find(&c->links, n->bridge),
				.uplink = label ? device(label, userdata) : NULL,
			};

			if (pass == 0)
				add_network(&g);
			else
				add_elements(&g);
		}
		if (pass == 0)
			add_skeleton(&f, &needs);
	}
	*ret = f;
}
