/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the keys of [network] that are lists and objects. What they say ends up in other programs' files (the rules
 * of the firewall, dnsmasq's configuration), so every value is taken apart into numbers, addresses and names of a fixed
 * alphabet here. What such an object must be beside others is checked in check-network.c.
 */
#include <arpa/inet.h>
#include <limits.h>

#include "parser.h"

/* RFC 1035, section 2.3.4 */
#define DOMAIN_MAX 253
#define LABEL_MAX 63
#define OPTION_VALUE_MAX 255
/* Every port is an element of a map: a range that intervals were needed for could not be changed in one step. */
#define FORWARD_RANGE_MAX 1024

#define WORDS_MAX 16

struct words {
	char *text; /* owned */
	char *list[WORDS_MAX];
	size_t n;
	bool more; /* than that */
};

static struct words split(const char *value)
{
	struct words w = {.text = xstrdup(value)};
	char *save = NULL;

	for (char *word = strtok_r(w.text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (w.n < WORDS_MAX)
			w.list[w.n++] = word;
		else
			w.more = true;
	}
	return w;
}

static void words_done(struct words *w)
{
	free(w->text);
}

#define _cleanup_words_ _cleanup_(words_done)

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* What makes it no name of a host or domain; NULL: nothing. */
static const char *domain_fault(const char *name)
{
	size_t label = 0;

	if (strlen(name) > DOMAIN_MAX)
		return "is longer than a name can be (253 characters)";
	for (const char *c = name;; c++) {
		if (*c == '.' || !*c) {
			if (label == 0 || label > LABEL_MAX)
				return "has a part that is empty or longer than 63 characters";
			if (c[-1] == '-' || c[-(ptrdiff_t)label] == '-')
				return "has a part that begins or ends with '-'";
			if (!*c)
				return NULL;
			label = 0;
		} else if (is_label_char(*c)) {
			label++;
		} else {
			return "is not a name of letters, digits, '-' and '.'";
		}
	}
}

/* An address of a host; says what is wrong. */
static bool take_ip(struct parser *p, struct loc loc, const char *key, const char *word, struct ip *ret)
{
	const char *fault;

	if (!word_ip(word, &ret->family, ret->addr)) {
		parser_error(p, loc, key, "'%.60s' is not an address, as in 192.0.2.10 or 2001:db8::10", word);
		return false;
	}
	fault = host_fault(ret->family, ret->addr);
	if (fault)
		parser_error(p, loc, key, "'%s' %s", word, fault);
	return !fault;
}

static void take_bridge(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct link *l = p->section.link;
	const struct link *other = model_find(&p->config->links, value);
	_cleanup_free_ char *fault = name_fault(value, IFNAMSIZ - 1);

	p->section.network->bridge_loc = loc;
	if (fault) {
		parser_error(p, loc, key, "the name '%.40s' %s", value, fault);
		p->section.refused = true;
	} else if (other) {
		_cleanup_free_ char *place = diag_place(p->diags, other->loc);
		_cleanup_free_ char *section = link_section(other);

		parser_error(p, loc, key, "'%s' is [%s] at %s: a network makes its bridge, and its keys go in here",
			     value, section, place);
		p->section.refused = true;
	} else {
		snprintf(l->name, sizeof(l->name), "%s", value);
		snprintf(p->section.network->bridge, IFNAMSIZ, "%s", value);
	}
}

static void take_range(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);
	struct dhcp_range r = {.loc = loc};

	if (w.n == 1 && streq(w.list[0], "auto")) {
		n->auto_range = loc;
		return;
	}
	if (w.n != 2) {
		parser_error(p, loc, key,
			     "takes the first and the last address, as in 192.0.2.100 192.0.2.199, or auto");
		return;
	}
	if (!take_ip(p, loc, key, w.list[0], &r.from) || !take_ip(p, loc, key, w.list[1], &r.to))
		return;
	if (r.from.family != r.to.family)
		parser_error(p, loc, key, "'%s' and '%s' are of two families", w.list[0], w.list[1]);
	else if (ip_compare(&r.from, &r.to) > 0)
		parser_error(p, loc, key, "'%s' is after '%s': the first address comes first", w.list[0], w.list[1]);
	else if (parser_count(p, COUNT_ITEMS, loc, key))
		*ARRAY_APPEND(n->ranges, n->n_ranges) = r;
}

static bool take_host_name(struct parser *p, struct loc loc, const char *key, const char *word, struct dhcp_host *h)
{
	const char *fault = domain_fault(word);

	if (fault)
		parser_error(p, loc, key, "'%.60s' is no address, and as a name it %s", word, fault);
	else if (strchr(word, '.'))
		parser_error(p, loc, key, "'%.60s' has a domain: give the name alone (see 'domain')", word);
	else if (h->name)
		parser_error(p, loc, key, "'%.60s' is a second name, after '%s'", word, h->name);
	if (fault || strchr(word, '.') || h->name)
		return false;
	h->name = xstrdup(word);
	return true;
}

/* One of the words after the MAC. */
static bool take_host_word(struct parser *p, struct loc loc, const char *key, const char *word, struct dhcp_host *h)
{
	struct ip ip, *mine;

	if (!word_ip(word, &ip.family, ip.addr))
		return take_host_name(p, loc, key, word, h);
	mine = ip.family == AF_INET ? &h->ip4 : &h->ip6;
	if (mine->family) {
		parser_error(p, loc, key, "'%s' is a second address of its family", word);
		return false;
	}
	return take_ip(p, loc, key, word, mine);
}

static void take_host(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);
	struct dhcp_host h = {.loc = loc};
	union value mac = {0};
	_cleanup_free_ char *why = NULL;
	const struct option *row = &link_options.rows[LINK_MAC];
	bool good = w.n >= 2 && !w.more;

	if (!good)
		parser_error(p, loc, key, "takes MAC ADDRESS [NAME], as in 52:54:00:aa:bb:cc 192.0.2.10 vm1");
	else if (row->type->parse(row, w.list[0], &mac, &why) < 0 || mac.num >> 48) {
		parser_error(p, loc, key, "'%.60s' is not a MAC address, as in 52:54:00:aa:bb:cc", w.list[0]);
		good = false;
	}
	h.mac = mac.num;
	for (size_t i = 1; good && i < w.n; i++)
		good = take_host_word(p, loc, key, w.list[i], &h);
	if (good && parser_count(p, COUNT_ITEMS, loc, key))
		*ARRAY_APPEND(n->hosts, n->n_hosts) = h;
	else
		free(h.name);
}

static void take_dns(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);

	n->dns_loc = loc;
	if (w.n == 1 && streq(w.list[0], "no")) {
		n->no_dns = true;
		return;
	}
	for (size_t i = 0; i < w.n; i++) {
		struct ip ip;

		if (take_ip(p, loc, key, w.list[i], &ip) && parser_count(p, COUNT_ITEMS, loc, key))
			*ARRAY_APPEND(n->forwarders, n->n_forwarders) = ip;
	}
}

static void take_dns_host(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);
	struct dns_host h = {.loc = loc};

	if (w.n < 2 || w.more) {
		parser_error(p, loc, key, "takes an address and one to %d names, as in 192.0.2.10 vm1 www",
			     WORDS_MAX - 1);
		return;
	}
	if (!take_ip(p, loc, key, w.list[0], &h.ip))
		return;
	for (size_t i = 1; i < w.n; i++) {
		const char *fault = domain_fault(w.list[i]);

		if (fault)
			parser_error(p, loc, key, "'%.60s' %s", w.list[i], fault);
		else
			*ARRAY_APPEND(h.names, h.n_names) = xstrdup(w.list[i]);
	}
	if (parser_count(p, COUNT_ITEMS, loc, key))
		*ARRAY_APPEND(n->dns_hosts, n->n_dns_hosts) = h;
}

static bool is_option_name(const char *word)
{
	size_t i = 0;

	while ((word[i] >= 'a' && word[i] <= 'z') || word[i] == '-' || (i && word[i] >= '0' && word[i] <= '9'))
		i++;
	return i && !word[i];
}

static bool is_option_value(const char *word)
{
	while (is_label_char(*word) || (*word && strchr(".:/_", *word)))
		word++;
	return !*word;
}

static void take_dhcp_option(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);
	struct dhcp_option o = {.loc = loc};
	uint32_t number = 0;
	char *text = NULL;

	if (w.n < 2 || w.more) {
		parser_error(p, loc, key,
			     "takes a number or name and its values, as in ntp-server 192.0.2.1 192.0.2.2");
		return;
	}
	if (!word_number(w.list[0], 1, 254, &number) && !is_option_name(w.list[0])) {
		parser_error(p, loc, key, "'%.40s' is not a number from 1 to 254 or a name as in ntp-server",
			     w.list[0]);
		return;
	}
	for (size_t i = 1; i < w.n; i++) {
		_cleanup_free_ char *before = text;

		if (!is_option_value(w.list[i])) {
			parser_error(p, loc, key, "'%.60s' is not made of letters, digits and '.:/_-'", w.list[i]);
			return;
		}
		text = before ? xasprintf("%s,%s", before, w.list[i]) : xstrdup(w.list[i]);
	}
	o.number = (uint8_t)number;
	o.name = number ? NULL : xstrdup(w.list[0]);
	o.value = text;
	if (strlen(text) > OPTION_VALUE_MAX)
		parser_error(p, loc, key, "is longer than an option can be (%d bytes)", OPTION_VALUE_MAX);
	if (strlen(text) <= OPTION_VALUE_MAX && parser_count(p, COUNT_ITEMS, loc, key)) {
		*ARRAY_APPEND(n->options, n->n_options) = o;
		return;
	}
	free(o.name);
	free(o.value);
}

/* "8080" or "8000-8099". */
static bool parse_ports(const char *word, uint16_t *from, uint16_t *to)
{
	_cleanup_free_ char *text = xstrdup(word);
	char *dash = strchr(text, '-');
	uint32_t a, b;

	if (dash)
		*dash++ = '\0';
	if (!word_number(text, 1, 65535, &a) || !word_number(dash ? dash : text, 1, 65535, &b) || a > b)
		return false;
	*from = (uint16_t)a;
	*to = (uint16_t)b;
	return true;
}

/* What is wrong with it (the caller frees it), or NULL. */
static char *parse_forward_port(const struct words *w, struct forward_port *f)
{
	uint16_t to = 0;
	struct ip ip;

	if (w->n != 4 || w->more)
		return xstrdup("takes PROTOCOL PORT ADDRESS PORT, as in tcp 8080 192.0.2.10 80");
	if (!streq(w->list[0], "tcp") && !streq(w->list[0], "udp"))
		return xasprintf("'%.40s' is not one of tcp, udp", w->list[0]);
	if (!parse_ports(w->list[1], &f->from, &f->to))
		return xasprintf("'%.40s' is not a port of the host from 1 to 65535, or a range as in 8000-8099",
				 w->list[1]);
	if (f->to - f->from >= FORWARD_RANGE_MAX)
		return xasprintf("'%.40s' is more than %d ports", w->list[1], FORWARD_RANGE_MAX);
	if (!word_ip(w->list[2], &ip.family, ip.addr) || host_fault(ip.family, ip.addr))
		return xasprintf("'%.60s' is not an address of a guest", w->list[2]);
	if (!parse_ports(w->list[3], &f->port, &to))
		return xasprintf("'%.40s' is not a port of the guest from 1 to 65535", w->list[3]);
	if (to != f->port && to - f->port != f->to - f->from)
		return xasprintf("'%.40s' is another number of ports than '%.40s'", w->list[3], w->list[1]);
	if (f->port + (f->to - f->from) > 65535)
		return xasprintf("'%.40s': the last port would be over 65535", w->list[3]);
	f->protocol = streq(w->list[0], "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
	f->guest = ip;
	return NULL;
}

static void take_forward_port(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);
	struct forward_port f = {.loc = loc};
	_cleanup_free_ char *fault = parse_forward_port(&w, &f);

	if (fault)
		parser_error(p, loc, key, "%s", fault);
	else if (parser_count(p, COUNT_ITEMS, loc, key))
		*ARRAY_APPEND(n->forward_ports, n->n_forward_ports) = f;
}

static void take_snat(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);
	struct snat s = {.loc = loc}, *mine;
	char *dash = w.n ? strchr(w.list[0], '-') : NULL;

	if (w.n < 1 || w.n > 2) {
		parser_error(p, loc, key, "takes ADDRESS[-ADDRESS] [PORT-PORT], as in 192.0.2.7 1024-32767");
		return;
	}
	if (dash)
		*dash++ = '\0';
	if (!take_ip(p, loc, key, w.list[0], &s.from) || !take_ip(p, loc, key, dash ? dash : w.list[0], &s.to))
		return;
	mine = s.from.family == AF_INET ? &n->snat4 : &n->snat6;
	if (s.from.family != s.to.family || ip_compare(&s.from, &s.to) > 0)
		parser_error(p, loc, key, "'%s-%s' is not a range of addresses", w.list[0], dash);
	else if (mine->loc.line)
		parser_error(p, loc, key, "'%s' is a second one of its family", w.list[0]);
	else if (w.n == 2 && !parse_ports(w.list[1], &s.port_from, &s.port_to))
		parser_error(p, loc, key, "'%.40s' is not a range of ports, as in 1024-32767", w.list[1]);
	else
		*mine = s;
}

static void take_domain(struct parser *p, struct loc loc, const char *key, const char *value)
{
	const char *fault = domain_fault(value);

	if (fault)
		parser_error(p, loc, key, "'%.60s' %s", value, fault);
	else
		values_put(p->section.network->own, NETWORK_DOMAIN,
			   (union value){.blob = blob_new(value, strlen(value) + 1)}, loc);
}

static void take_uplink(struct parser *p, struct loc loc, const char *key, const char *value)
{
	_cleanup_free_ char *fault = name_fault(value, IFNAMSIZ - 1);

	if (fault)
		parser_error(p, loc, key, "the name '%.40s' %s", value, fault);
	else
		values_put(p->section.network->own, NETWORK_UPLINK,
			   (union value){.blob = blob_new(value, strlen(value) + 1)}, loc);
}

/* A path of letters, digits and "._+-", none of its parts ".."; it goes into dnsmasq's configuration as it is. */
static bool is_path(const char *word)
{
	size_t len = strlen(word);

	if (strstr(word, "/../") || startswith(word, "../") || streq(word, "..") ||
	    (len >= 3 && streq(word + len - 3, "/..")))
		return false;
	while (is_label_char(*word) || (*word && strchr("/._+", *word)))
		word++;
	return len && len < PATH_MAX && !*word;
}

static void take_tftp(struct parser *p, struct loc loc, const char *key, const char *value)
{
	if (*value != '/' || !is_path(value))
		parser_error(p, loc, key, "'%.60s' is not a path of letters, digits and '/._+-', as in /srv/tftp",
			     value);
	else
		values_put(p->section.network->own, NETWORK_TFTP,
			   (union value){.blob = blob_new(value, (uint32_t)strlen(value) + 1)}, loc);
}

static void take_boot(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = split(value);
	struct ip server = {0};

	if (w.n < 1 || w.n > 2) {
		parser_error(p, loc, key, "takes a file and its server's address, as in pxelinux.0 192.0.2.1");
		return;
	}
	if (!is_path(w.list[0])) {
		parser_error(p, loc, key, "'%.60s' is not a path of letters, digits and '/._+-', as in pxelinux.0",
			     w.list[0]);
		return;
	}
	if (w.n == 2 && !take_ip(p, loc, key, w.list[1], &server))
		return;
	if (server.family == AF_INET6) {
		parser_error(p, loc, key, "'%s' is not an IPv4 address: DHCP tells of it", w.list[1]);
		return;
	}
	n->boot.file = xstrdup(w.list[0]);
	n->boot.server = server;
	n->boot.loc = loc;
}

/* `domain`, `uplink` and `tftp` have rows, too, for the manual; their values are narrower than any word. */
/* clang-format off */
const struct network_key guest_keys[] = {
	{"bridge",	 0, false, take_bridge},
	{"dhcp_range",	 0, true,  take_range},
	{"host",	 0, true,  take_host},
	{"dns",		 0, true,  take_dns},
	{"dns_host",	 0, true,  take_dns_host},
	{"dhcp_option",	 0, true,  take_dhcp_option},
	{"forward_port", 0, true,  take_forward_port},
	{"snat",	 0, true,  take_snat},
	{"domain",	 0, false, take_domain},
	{"uplink",	 0, false, take_uplink},
	{"tftp",	 0, false, take_tftp},
	{"boot",	 0, false, take_boot},
	{NULL,		 0, false, NULL},
};
/* clang-format on */
