/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the keys of [network] for what its guests are given: addresses by DHCP, and names by DNS. All of it goes
 * into dnsmasq's files; see guest-keys.c.
 */
#include "guest-keys.h"

#define OPTION_VALUE_MAX 255
/* RFC 1035, section 3.3: of one <character-string>. */
#define TXT_MAX 255

void take_range(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
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

/* dnsmasq takes these for something else where it expects a name: a lease time, or that the guest is to get nothing. */
static bool is_word_of_dnsmasq(const char *word)
{
	size_t digits = strspn(word, "0123456789");
	bool unit = digits && word[digits] && strchr("wWdDhHmMsS", word[digits]);

	return streq(word, "ignore") || streq(word, "infinite") || (digits && !word[digits + unit]);
}

static bool take_host_name(struct parser *p, struct loc loc, const char *key, const char *word, struct dhcp_host *h)
{
	const char *fault = domain_fault(word);

	if (!fault && is_word_of_dnsmasq(word))
		fault = "is what dnsmasq takes for a lease time or an order: the name needs another letter";
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

void take_host(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
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
	if (!good)
		diag_set_doubt(p->diags, DOUBT_ITEM);
	if (good && parser_count(p, COUNT_ITEMS, loc, key))
		*ARRAY_APPEND(n->hosts, n->n_hosts) = h;
	else
		free(h.name);
}

void take_dns(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);

	n->dns_loc = loc;
	if (w.n == 1 && streq(w.list[0], "no")) {
		n->no_dns = true;
		return;
	}
	for (size_t i = 0; i < w.n; i++) {
		struct forwarder f = {.loc = loc};

		if (take_ip(p, loc, key, w.list[i], &f.ip) && parser_count(p, COUNT_ITEMS, loc, key))
			*ARRAY_APPEND(n->forwarders, n->n_forwarders) = f;
	}
}

void take_dns_host(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
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

/* Of what labels have, and of `more`. */
static bool is_made_of(const char *text, const char *more)
{
	while (is_label_char(*text) || (*text && strchr(more, *text)))
		text++;
	return !*text;
}

static bool is_option_value(const char *word)
{
	return is_made_of(word, ".:/_");
}

void take_dhcp_option(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
	struct dhcp_option o = {.loc = loc};
	_cleanup_free_ char *fault = NULL;
	uint32_t number = 0;
	char *text = NULL;

	if (w.n < 2 || w.more) {
		parser_error(p, loc, key,
			     "takes a number or name and its values, as in ntp-server 192.0.2.1 192.0.2.2");
		return;
	}
	if (!word_number(w.list[0], 1, 254, &number))
		number = 0;
	fault = dhcp_option_fault(&w, number);
	if (fault) {
		parser_error(p, loc, key, "%s", fault);
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

void take_dns_forward(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
	const char *fault = w.n ? domain_fault(w.list[0]) : NULL;

	if (w.n < 2 || w.more) {
		parser_error(p, loc, key, "takes a domain and its name servers, as in corp.example 192.0.2.53");
		return;
	}
	if (fault) {
		parser_error(p, loc, key, "'%.60s' %s", w.list[0], fault);
		return;
	}
	for (size_t i = 1; i < w.n; i++) {
		struct dns_forward f = {.loc = loc};

		if (!take_ip(p, loc, key, w.list[i], &f.server) || !parser_count(p, COUNT_ITEMS, loc, key))
			return;
		f.domain = xstrdup(w.list[0]);
		*ARRAY_APPEND(n->dns_forwards, n->n_dns_forwards) = f;
	}
}

/* "389 [0 [100]]": port, priority and weight. */
static bool parse_srv_numbers(const struct words *w, struct dns_srv *s)
{
	uint32_t numbers[3] = {0};

	for (size_t i = 2; i < w->n; i++)
		if (!word_number(w->list[i], i == 2, UINT16_MAX, &numbers[i - 2]))
			return false;
	s->port = (uint16_t)numbers[0];
	s->priority = (uint16_t)numbers[1];
	s->weight = (uint16_t)numbers[2];
	return true;
}

void take_srv(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_words_ struct words w = words_split(value);
	struct dns_srv s = {.loc = loc};
	const char *fault;

	if (w.n < 3 || w.n > 5 || !parse_srv_numbers(&w, &s)) {
		parser_error(
			p, loc, key,
			"takes NAME TARGET PORT [PRIORITY [WEIGHT]], as in _ldap._tcp.example.org dc.example.org 389");
		return;
	}
	fault = record_fault(w.list[0]);
	if (fault || w.list[0][0] != '_') {
		parser_error(p, loc, key, "'%.60s' %s", w.list[0],
			     fault ? fault : "is not a service, as in _ldap._tcp.example.org");
		return;
	}
	fault = domain_fault(w.list[1]);
	if (fault)
		parser_error(p, loc, key, "'%.60s' %s", w.list[1], fault);
	if (fault || !parser_count(p, COUNT_ITEMS, loc, key))
		return;
	s.name = xstrdup(w.list[0]);
	s.target = xstrdup(w.list[1]);
	*ARRAY_APPEND(n->dns_srvs, n->n_dns_srvs) = s;
}

/* Nothing in it means something to dnsmasq, which reads it in a line of its file. */
static bool is_record_text(const char *text)
{
	return is_made_of(text, " .:/_=+@*~?");
}

void take_txt(struct parser *p, struct loc loc, const char *key, const char *value)
{
	struct network *n = p->section.network;
	_cleanup_free_ char *name = xstrdup(value);
	char *text = strchr(name, ' ');
	const char *fault;

	if (!text) {
		parser_error(p, loc, key, "takes a name and its text, as in example.org v=spf1 -all");
		return;
	}
	*text++ = '\0';
	text += strspn(text, " ");
	fault = record_fault(name);
	if (fault)
		parser_error(p, loc, key, "'%.60s' %s", name, fault);
	else if (!is_record_text(text))
		parser_error(p, loc, key, "'%.60s' is not made of letters, digits, spaces and '.:/_=+@*~?-'", text);
	else if (strlen(text) > TXT_MAX)
		parser_error(p, loc, key, "the text is longer than %d bytes", TXT_MAX);
	else if (parser_count(p, COUNT_ITEMS, loc, key))
		*ARRAY_APPEND(n->dns_txts, n->n_dns_txts) =
			(struct dns_txt){.name = xstrdup(name), .text = xstrdup(text), .loc = loc};
}
