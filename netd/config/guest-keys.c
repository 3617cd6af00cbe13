/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the keys of [network] that are lists and objects, but for those of its DHCP and DNS (service-keys.c). What
 * they say ends up in other programs' files (the rules of the firewall, dnsmasq's configuration), so every value is
 * taken apart into numbers, addresses and names of a fixed alphabet here. What such an object must be beside others is
 * checked in check-network.c.
 */
#include <limits.h>

#include "guest-keys.h"

/* RFC 1035, section 2.3.4 */
#define DOMAIN_MAX 253
#define LABEL_MAX 63
/* Every port is an element of a map: a range that intervals were needed for could not be changed in one step. */
#define FORWARD_RANGE_MAX 1024

struct words words_split(const char *value)
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

void words_done(struct words *w)
{
	free(w->text);
}

bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* services: parts may begin with '_', as those do that name a service. */
static const char *name_of_parts_fault(const char *name, bool services)
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
		} else if (is_label_char(*c) || (services && *c == '_' && label == 0)) {
			label++;
		} else {
			return services ? "is not a name of letters, digits, '-', '.' and a leading '_'"
					: "is not a name of letters, digits, '-' and '.'";
		}
	}
}

const char *domain_fault(const char *name)
{
	return name_of_parts_fault(name, false);
}

const char *record_fault(const char *name)
{
	return name_of_parts_fault(name, true);
}

bool take_ip(struct parser *p, struct loc loc, const char *key, const char *word, struct ip *ret)
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
	_cleanup_words_ struct words w = words_split(value);
	struct forward_port f = {.loc = loc};
	_cleanup_free_ char *fault = parse_forward_port(&w, &f);

	if (fault)
		parser_error(p, loc, key, "%s", fault);
	else if (parser_count(p, COUNT_ITEMS, loc, key))
		*ARRAY_APPEND(n->forward_ports, n->n_forward_ports) = f;
}

/* Of whatever address the guests reach out under. */
static void take_snat_ports(struct parser *p, struct loc loc, const char *key, const struct snat *s)
{
	struct network *n = p->section.network;

	if (n->snat_ports.loc.line)
		parser_error(p, loc, key, "the ports are there twice");
	else
		n->snat_ports = *s;
}

static void take_snat(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
	struct snat s = {.loc = loc}, *mine;
	char *dash = w.n ? strchr(w.list[0], '-') : NULL;

	if (w.n < 1 || w.n > 2) {
		parser_error(p, loc, key, "takes ADDRESS[-ADDRESS] [PORT-PORT], as in 192.0.2.7 1024-32767");
		return;
	}
	if (w.n == 1 && parse_ports(w.list[0], &s.port_from, &s.port_to)) {
		take_snat_ports(p, loc, key, &s);
		return;
	}
	if (w.n == 1 && dash && !w.list[0][strspn(w.list[0], "0123456789-")]) {
		parser_error(p, loc, key, "'%.40s' is not a range of ports, as in 1024-32767", w.list[0]);
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
	else if (!value[strspn(value, "/.")])
		parser_error(p, loc, key,
			     "'%.60s' would offer all files of the host that everyone may read: name a "
			     "directory, as in /srv/tftp",
			     value);
	else
		values_put(p->section.network->own, NETWORK_TFTP,
			   (union value){.blob = blob_new(value, (uint32_t)strlen(value) + 1)}, loc);
}

static void take_boot(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
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
	{"dns_forward",	 0, true,  take_dns_forward},
	{"srv",		 0, true,  take_srv},
	{"txt",		 0, true,  take_txt},
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
