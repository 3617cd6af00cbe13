/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: dnsmasq.h. */
#include "dnsmasq.h"

#include <arpa/inet.h>

/* What dnsmasq does by itself, and the most that a guest who asks under many names may make it keep. */
#define LEASES_DEFAULT 1000
#define LEASES_MAX 100000u

struct writer {
	FILE *f;
	const struct network *n;
	const struct link *l;
};

static void word(const struct writer *w, const char *format, ...) _printf_(2, 3);
static void word(const struct writer *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(w->f, format, ap);
	va_end(ap);
	fputc('\0', w->f);
}

static const struct address *subnet_of(const struct link *l, const struct ip *ip)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (ip_in_subnet(ip, &l->addresses[i]))
			return &l->addresses[i];
	return NULL;
}

static const char *netmask_text(unsigned prefix_len, char *buf)
{
	struct in_addr mask = {.s_addr = htonl(prefix_len ? UINT32_MAX << (32 - prefix_len) : 0)};

	return inet_ntop(AF_INET, &mask, buf, INET_ADDRSTRLEN);
}

static void write_dns(const struct writer *w)
{
	const struct network *n = w->n;
	const char *domain = network_word(n, NETWORK_DOMAIN);
	char text[INET6_ADDRSTRLEN];

	if (n->no_dns)
		word(w, "port=0");
	/* The host's own names are none of the guests' business. */
	word(w, "no-hosts");
	/* Nothing is asked of the world for who cannot reach it. */
	if (n->n_forwarders || network_forward(n) == FORWARD_ISOLATED)
		word(w, "no-resolv");
	for (size_t i = 0; i < n->n_forwarders; i++)
		word(w, "server=%s", ip_format(&n->forwarders[i].ip, text));
	for (size_t i = 0; i < n->n_dns_forwards; i++)
		word(w, "server=/%s/%s", n->dns_forwards[i].domain, ip_format(&n->dns_forwards[i].server, text));
	if (domain) {
		word(w, "domain=%s", domain);
		word(w, "local=/%s/", domain);
		word(w, "expand-hosts");
	}
}

static void write_records(const struct writer *w)
{
	for (size_t i = 0; i < w->n->n_dns_srvs; i++) {
		const struct dns_srv *s = &w->n->dns_srvs[i];

		word(w, "srv-host=%s,%s,%u,%u,%u", s->name, s->target, s->port, s->priority, s->weight);
	}
	for (size_t i = 0; i < w->n->n_dns_txts; i++)
		word(w, "txt-record=%s,%s", w->n->dns_txts[i].name, w->n->dns_txts[i].text);
}

#define LEASE_TEXT 24

static const char *lease_text(const struct network *n, char buf[LEASE_TEXT])
{
	uint64_t lease = values_num(n->own, NETWORK_LEASE_TIME, 3600);

	if (lease == LEASE_FOREVER)
		return "infinite";
	snprintf(buf, LEASE_TEXT, "%llus", (unsigned long long)lease);
	return buf;
}

static void write_ranges(const struct writer *w)
{
	char buf[LEASE_TEXT];
	const char *lease = lease_text(w->n, buf);

	for (size_t i = 0; i < w->n->n_ranges; i++) {
		const struct dhcp_range *r = &w->n->ranges[i];
		const struct address *subnet = subnet_of(w->l, &r->from);
		char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN], mask[INET_ADDRSTRLEN];

		if (!subnet)
			continue;
		ip_format(&r->from, from);
		ip_format(&r->to, to);
		if (r->from.family == AF_INET)
			word(w, "dhcp-range=%s,%s,%s,%s", from, to, netmask_text(subnet->prefix_len, mask), lease);
		else
			word(w, "dhcp-range=%s,%s,%u,%s", from, to, subnet->prefix_len, lease);
	}
}

static bool has_range_in(const struct network *n, const struct address *subnet)
{
	for (size_t i = 0; i < n->n_ranges; i++)
		if (ip_in_subnet(&n->ranges[i].from, subnet))
			return true;
	return false;
}

static bool has_host_in(const struct network *n, const struct address *subnet)
{
	for (size_t i = 0; i < n->n_hosts; i++)
		if (ip_in_subnet(subnet->family == AF_INET ? &n->hosts[i].ip4 : &n->hosts[i].ip6, subnet))
			return true;
	return false;
}

/*
 * In a subnet without a range, addresses are leased to known hosts only. Of a prefix of IPv6 guests make their own, if
 * it has 64 bits; another one that is not leased from is not told of, and dnsmasq takes none.
 */
static void write_subnets(const struct writer *w)
{
	char buf[LEASE_TEXT];
	const char *lease = lease_text(w->n, buf);
	bool ra = false;

	for (size_t i = 0; i < w->l->n_addresses; i++) {
		const struct address *a = &w->l->addresses[i];
		struct ip ip = ip_of_address(a);
		bool hosts = has_host_in(w->n, a);
		char text[INET6_ADDRSTRLEN], mask[INET_ADDRSTRLEN];

		if (a->family == AF_INET6 && !has_range_in(w->n, a) && !hosts && a->prefix_len != 64)
			continue;
		ra |= a->family == AF_INET6;
		if (has_range_in(w->n, a))
			continue;
		ip_format(&ip, text);
		if (a->family == AF_INET && hosts)
			word(w, "dhcp-range=%s,static,%s,%s", text, netmask_text(a->prefix_len, mask), lease);
		else if (a->family == AF_INET6 && hosts)
			word(w, "dhcp-range=%s,static,%u,%s", text, a->prefix_len, lease);
		else if (a->family == AF_INET6)
			word(w, "dhcp-range=%s,ra-only,%u", text, a->prefix_len);
	}
	if (ra) {
		word(w, "enable-ra");
		word(w, "quiet-ra");
	}
	/* A router with a lifetime of 0 is none: guests learn their subnet, and no way out. */
	if (ra && network_forward(w->n) == FORWARD_ISOLATED)
		word(w, "ra-param=*,0,0");
}

/* "FILE,SERVER'S NAME,SERVER": without a server it is the one that answers. */
static void write_boot(const struct writer *w)
{
	const struct boot *b = &w->n->boot;
	char text[INET6_ADDRSTRLEN];

	if (b->file && b->server.family)
		word(w, "dhcp-boot=%s,,%s", b->file, ip_format(&b->server, text));
	else if (b->file)
		word(w, "dhcp-boot=%s", b->file);
}

/* Addresses in a range, but no more than LEASES_MAX. */
static uint32_t range_size(const struct dhcp_range *r)
{
	unsigned at = r->from.family == AF_INET ? 0 : 12;
	uint32_t from, to;

	if (memcmp(r->from.addr, r->to.addr, at) != 0)
		return LEASES_MAX;
	memcpy(&from, r->from.addr + at, sizeof(from));
	memcpy(&to, r->to.addr + at, sizeof(to));
	return MIN(ntohl(to) - ntohl(from), LEASES_MAX - 1) + 1;
}

/* dnsmasq gives no more leases than it is told, however many addresses there are. */
static void write_lease_max(const struct writer *w)
{
	uint64_t n = w->n->n_hosts;

	for (size_t i = 0; i < w->n->n_ranges; i++)
		n += range_size(&w->n->ranges[i]);
	if (n > LEASES_DEFAULT)
		word(w, "dhcp-lease-max=%llu", (unsigned long long)MIN(n, LEASES_MAX));
}

static void write_options(const struct writer *w)
{
	uint64_t mtu = values_num(w->l->common, LINK_MTU, 0);

	word(w, "dhcp-no-override");
	word(w, "dhcp-authoritative");
	/* A guest that asks without end would push everything else out of the journal. */
	word(w, "quiet-dhcp");
	word(w, "quiet-dhcp6");
	write_lease_max(w);
	write_boot(w);
	if (network_forward(w->n) == FORWARD_ISOLATED)
		word(w, "dhcp-option=3");
	if (mtu)
		word(w, "dhcp-option=option:mtu,%llu", (unsigned long long)mtu);
	for (size_t i = 0; i < w->n->n_options; i++) {
		const struct dhcp_option *o = &w->n->options[i];

		if (o->name)
			word(w, "dhcp-option=option:%s,%s", o->name, o->value);
		else
			word(w, "dhcp-option=%u,%s", o->number, o->value);
	}
}

static void write_hosts(const struct writer *w)
{
	for (size_t i = 0; i < w->n->n_hosts; i++) {
		const struct dhcp_host *h = &w->n->hosts[i];
		char mac[18], ip4[INET6_ADDRSTRLEN + 1] = "", ip6[INET6_ADDRSTRLEN + 3] = "", text[INET6_ADDRSTRLEN];

		if (h->ip4.family)
			snprintf(ip4, sizeof(ip4), ",%s", ip_format(&h->ip4, text));
		if (h->ip6.family)
			snprintf(ip6, sizeof(ip6), ",[%s]", ip_format(&h->ip6, text));
		word(w, DNSMASQ_HOST "%s%s%s%s%s", mac_text(h->mac, mac), ip4, ip6, h->name ? "," : "",
		     h->name ? h->name : "");
	}
	for (size_t i = 0; i < w->n->n_dns_hosts; i++) {
		const struct dns_host *h = &w->n->dns_hosts[i];
		char text[INET6_ADDRSTRLEN];

		fprintf(w->f, DNSMASQ_NAME "%s", ip_format(&h->ip, text));
		for (size_t j = 0; j < h->n_names; j++)
			fprintf(w->f, ",%s", h->names[j]);
		fputc('\0', w->f);
	}
}

bool dnsmasq_is_needed(const struct network *n)
{
	return !n->no_dns || n->n_ranges || n->n_hosts || network_word(n, NETWORK_TFTP);
}

struct blob *dnsmasq_make(const struct network *n, const struct link *l)
{
	bool dhcp = n->n_ranges || n->n_hosts;
	struct blob *b;
	struct writer w = {.n = n, .l = l};
	char *text = NULL;
	size_t len;

	if (!l->n_addresses || !dnsmasq_is_needed(n))
		return NULL;
	w.f = xmemstream(&text, &len);
	/* To listen on the bridge alone, also when its address goes and comes; not on its address, see CVE-2012-3411.
	 */
	word(&w, "interface=%s", n->bridge);
	word(&w, "except-interface=lo");
	word(&w, "bind-dynamic");
	write_dns(&w);
	write_records(&w);
	if (network_word(n, NETWORK_TFTP)) {
		word(&w, "enable-tftp");
		word(&w, "tftp-root=%s", network_word(n, NETWORK_TFTP));
	}
	write_ranges(&w);
	write_subnets(&w);
	if (dhcp)
		write_options(&w);
	write_hosts(&w);
	fclose(w.f);
	b = blob_new(text, (uint32_t)len);
	free(text);
	return b;
}
