/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: probe.h, and the value type of [daemon] probe. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "model.h"
#include "option.h"
#include "probe.h"
#include "type.h"

static const char *const kind_names[] = {
	[PROBE_PING] = "ping",	     [PROBE_ARP] = "arp",   [PROBE_TCP] = "tcp",
	[PROBE_GATEWAY] = "gateway", [PROBE_PATH] = "path",
};

char *probe_text(const struct probe_target *t)
{
	char addr[INET6_ADDRSTRLEN], local[INET6_ADDRSTRLEN];

	inet_ntop(t->family, t->addr, addr, sizeof(addr));
	if (t->kind == PROBE_TCP)
		return xasprintf(t->family == AF_INET6 ? "tcp [%s]:%u" : "tcp %s:%u", addr, t->port);
	if (t->kind == PROBE_PATH)
		return xasprintf("path %s%s%s from %s", addr, t->link[0] ? "%" : "", t->link,
				 inet_ntop(t->family, t->local, local, sizeof(local)));
	return xasprintf("%s %s", kind_names[t->kind], addr);
}

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" (taken as IPv4). */
static int parse_address(const char *text, uint8_t *family, uint8_t addr[16])
{
	struct in6_addr six;

	memset(addr, 0, 16);
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(*family, text, addr) != 1)
		return -EINVAL;
	memcpy(&six, addr, sizeof(six));
	if (*family == AF_INET || !IN6_IS_ADDR_V4MAPPED(&six))
		return 0;
	*family = AF_INET;
	memset(addr, 0, 16);
	memcpy(addr, &six.s6_addr[12], 4);
	return 0;
}

/* "fe80::1%eth0": the same address may be on every link. */
static int parse_end(const char *text, uint8_t *family, uint8_t addr[16], char link[IFNAMSIZ])
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *scope = strchr(copy, '%');

	if (scope)
		*scope++ = '\0';
	if (parse_address(copy, family, addr) < 0 || (scope && (!*scope || strlen(scope) >= IFNAMSIZ)))
		return -EINVAL;
	if (scope && is_link_local(*family, addr))
		memcpy(link, scope, strlen(scope) + 1);
	return 0;
}

int probe_parse_path(const char *peer, const char *local, struct probe_target *ret)
{
	struct probe_target t = {.kind = PROBE_PATH};
	uint8_t family;

	*ret = t;
	if (parse_end(peer, &t.family, t.addr, t.link) < 0 || parse_end(local, &family, t.local, t.link) < 0 ||
	    family != t.family)
		return -EINVAL;
	if (!t.link[0] && (is_link_local(t.family, t.addr) || is_link_local(family, t.local)))
		return -EINVAL;
	*ret = t;
	return 0;
}

/* "192.0.2.1:22", "[2001:db8::1]:22": cuts the port off. */
static int take_port(char *text, char **ret_addr, uint16_t *ret)
{
	char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	int64_t port;

	if (!colon || type_parse_integer(colon + 1, &port) < 0 || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	*colon = '\0';
	*ret = (uint16_t)port;
	*ret_addr = text;
	if (!strchr(text, ':'))
		return 0;
	if (text[0] != '[' || text[len - 1] != ']')
		return -EINVAL;
	text[len - 1] = '\0';
	*ret_addr = text + 1;
	return 0;
}

static const char *address_fault(const struct probe_target *t)
{
	static const uint8_t zero[16];

	if (memcmp(t->addr, zero, sizeof(zero)) == 0)
		return "is the unspecified address: nothing answers there";
	if (t->family == AF_INET ? t->addr[0] >= 224 : t->addr[0] == 0xff)
		return "is not the address of one host";
	/* On which link it is cannot be said, and changes when a NIC becomes a port. */
	if (t->kind <= PROBE_TCP && is_link_local(t->family, t->addr))
		return "is link-local: it needs an address that is the same on every link";
	return NULL;
}

#define PROBE_FORM "ping ADDRESS, arp ADDRESS or tcp ADDRESS:PORT"

static char *fault_of_form(const char *text)
{
	return xasprintf("'%.80s' is not " PROBE_FORM, text);
}

int probe_parse(const char *text, struct probe_target *ret, char **why)
{
	_cleanup_free_ char *words = xstrdup(text);
	struct probe_target t = {0};
	char *rest = NULL, *kind = strtok_r(words, " ", &rest);
	char *addr = strtok_r(NULL, " ", &rest), *from = strtok_r(NULL, " ", &rest);
	char *local = from && streq(from, "from") ? strtok_r(NULL, " ", &rest) : NULL;
	const char *fault;
	int r;

	while (kind && t.kind < ARRAY_SIZE(kind_names) && !streq(kind, kind_names[t.kind]))
		t.kind++;
	*why = NULL;
	if (!addr || t.kind == ARRAY_SIZE(kind_names) || !from != (t.kind != PROBE_PATH) || (from && !local) ||
	    (t.kind == PROBE_TCP && take_port(addr, &addr, &t.port) < 0))
		r = -EINVAL;
	else
		r = local ? probe_parse_path(addr, local, &t) : parse_address(addr, &t.family, t.addr);
	if (r < 0) {
		*why = fault_of_form(text);
		return -EINVAL;
	}
	fault = address_fault(&t);
	if (fault) {
		*why = xasprintf("'%s' %s", addr, fault);
		return -EINVAL;
	}
	*ret = t;
	return 0;
}

static int probes_parse(const struct option *o, const char *text, union value *v, char **why)
{
	struct probe_target t;
	size_t n = type_count(*v, sizeof(t));

	if (probe_parse(text, &t, why) < 0)
		return -EINVAL;
	if (t.kind > PROBE_TCP) {
		*why = fault_of_form(text);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++)
		if (memcmp(v->blob->data + i * sizeof(t), &t, sizeof(t)) == 0) {
			*why = xasprintf("'%s' is listed twice", text);
			return -EINVAL;
		}
	if (o->max && n >= (size_t)o->max) {
		*why = xasprintf("'%s' is one too many: at most %lld", text, (long long)o->max);
		return -EINVAL;
	}
	type_insert(v, n, &t, sizeof(t));
	return 0;
}

static void probes_print(const struct option *o _unused_, union value v, FILE *f)
{
	struct probe_target t;

	for (size_t i = 0; i < type_count(v, sizeof(t)); i++) {
		_cleanup_free_ char *text = NULL;

		memcpy(&t, v.blob->data + i * sizeof(t), sizeof(t));
		text = probe_text(&t);
		fprintf(f, "%s%s", i ? ", " : "", text);
	}
}

static void probes_allowed(const struct option *o _unused_, FILE *f)
{
	fputs(PROBE_FORM, f);
}

/* clang-format off */
const struct type type_probes = {
	.name = "probes", .is_blob = true, .is_list = true, .is_line = true, .parse = probes_parse,
	.print = probes_print, .allowed = probes_allowed, .equal = type_blob_equal,
};
/* clang-format on */
