/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: libvirt.h. */
#include "libvirt.h"

#include <arpa/inet.h>

/* Longer than any that is looked at. */
#define WORD_SIZE 64
#define ATTRIBUTES_MAX 8

struct element {
	char name[WORD_SIZE];
	struct {
		char name[WORD_SIZE], value[WORD_SIZE];
	} attributes[ATTRIBUTES_MAX];
	size_t n;
	bool closes, is_empty; /* </x>, <x/> */
};

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* Copies up to one of the stops; NULL: there is none. What is too long is cut off. */
static const char *take_word(const char *at, const char *stops, char word[WORD_SIZE])
{
	size_t len = strcspn(at, stops);

	snprintf(word, WORD_SIZE, "%.*s", (int)MIN(len, WORD_SIZE - 1u), at);
	return at[len] ? at + len : NULL;
}

/* ' name="value"' */
static const char *take_attribute(const char *at, struct element *e)
{
	char name[WORD_SIZE], value[WORD_SIZE], stop[2] = "";

	at = take_word(at, "=", name);
	if (!at || (at[1] != '\'' && at[1] != '"'))
		return NULL;
	stop[0] = at[1];
	at = take_word(at + 2, stop, value);
	if (at && e->n < ATTRIBUTES_MAX) {
		memcpy(e->attributes[e->n].name, name, sizeof(name));
		memcpy(e->attributes[e->n++].value, value, sizeof(value));
	}
	return at ? at + 1 : NULL;
}

/* at: behind the '<'. Returns what follows the '>'; NULL: it does not end. */
static const char *take_element(const char *at, struct element *e)
{
	*e = (struct element){0};
	e->closes = *at == '/';
	at = take_word(at + e->closes, " \t\r\n/>", e->name);
	while (at) {
		at = skip_blanks(at);
		if (*at == '>')
			return at + 1;
		if (*at == '/') {
			e->is_empty = true;
			at++;
		} else {
			at = *at ? take_attribute(at, e) : NULL;
		}
	}
	return NULL;
}

/* The next one from `at` on, over text, comments and declarations. */
static const char *next_element(const char *at, struct element *e)
{
	while ((at = strchr(at, '<'))) {
		if (startswith(at, "<!--"))
			at = strstr(at, "-->");
		else if (at[1] == '?' || at[1] == '!')
			at = strchr(at, '>');
		else
			return take_element(at + 1, e);
		if (!at)
			return NULL;
	}
	return NULL;
}

static const char *attribute(const struct element *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (streq(e->attributes[i].name, name))
			return e->attributes[i].value;
	return NULL;
}

/* Either is the length of the subnet's prefix. */
static unsigned prefix_of(const char *prefix, const char *netmask)
{
	struct in_addr mask;

	if (prefix)
		return (unsigned)strtoul(prefix, NULL, 10);
	if (!netmask || inet_pton(AF_INET, netmask, &mask) != 1)
		return 0;
	return (unsigned)__builtin_popcount(mask.s_addr);
}

static void take_address(struct libvirt_network *n, const struct element *e)
{
	const char *address = attribute(e, "address");
	unsigned len = prefix_of(attribute(e, "prefix"), attribute(e, "netmask"));
	struct address a = {.family = address && strchr(address, ':') ? AF_INET6 : AF_INET};

	if (!address || inet_pton(a.family, address, a.addr) != 1 || len > (a.family == AF_INET ? 32 : 128))
		return;
	/* libvirt's own: what is left out is the whole class, or the address alone. */
	a.prefix_len = (uint8_t)(len ? len : a.family == AF_INET ? 24 : 128);
	*ARRAY_APPEND(n->addresses, n->n_addresses) = a;
}

/* The bridges of others, which a network may also use, are none of libvirt's making. */
static bool makes_bridge(const char *mode)
{
	return !mode || streq(mode, "nat") || streq(mode, "route") || streq(mode, "open");
}

/* A child of <network>; at: behind it. */
static void take_child(struct libvirt_network *n, const struct element *e, const char *at, bool *ours)
{
	const char *name = attribute(e, "name");

	if (streq(e->name, "name"))
		take_word(at, "<", n->name);
	else if (streq(e->name, "forward"))
		*ours = makes_bridge(attribute(e, "mode") ?: "nat");
	else if (streq(e->name, "bridge") && name && strlen(name) < sizeof(n->bridge))
		memcpy(n->bridge, name, strlen(name) + 1);
	else if (streq(e->name, "ip"))
		take_address(n, e);
}

int libvirt_parse(const char *text, struct libvirt_networks *ret)
{
	struct libvirt_network n = {0};
	unsigned depth = 0, inside = 0; /* of <network>; a status file has it inside of another */
	bool ours = true, is_whole = false;
	struct element e;

	for (const char *at = next_element(text, &e); at; at = next_element(at, &e)) {
		depth -= e.closes && depth;
		if (e.closes && inside && depth + 1 == inside) {
			is_whole = true;
			break;
		}
		if (!e.closes && inside && depth == inside)
			take_child(&n, &e, at, &ours);
		depth += !e.closes && !e.is_empty;
		if (!inside && !e.closes && streq(e.name, "network"))
			inside = depth;
	}
	if (is_whole && ours && n.name[0] && n.bridge[0]) {
		*ARRAY_APPEND(ret->list, ret->n) = n;
		return 0;
	}
	free(n.addresses);
	return inside && !is_whole ? -EINVAL : -ENOENT;
}

void libvirt_networks_done(struct libvirt_networks *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->list[i].addresses);
	free(n->list);
	*n = (struct libvirt_networks){0};
}
