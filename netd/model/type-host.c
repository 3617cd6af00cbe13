/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: value types of what other programs of the host are told: name servers of both families, DNS domains. */
#include <arpa/inet.h>

#include "option.h"
#include "type.h"

#define DOMAIN_MAX 253 /* RFC 1035, without the last dot */
#define LABEL_MAX 63
#define ZONE_MAX 17

static struct server server_at(union value v, size_t i)
{
	struct server s;

	memcpy(&s, v.blob->data + i * sizeof(s), sizeof(s));
	return s;
}

/* An address that a question can be sent to. */
static bool is_host(const struct server *s)
{
	static const uint8_t zero[16];

	if (memcmp(s->addr, zero, sizeof(zero)) == 0)
		return false;
	return s->family == AF_INET ? s->addr[0] != 0 && s->addr[0] < 224 : s->addr[0] != 0xff;
}

static int server_parse(const struct option *o, const char *text, union value *v, char **why)
{
	struct server s = {.family = strchr(text, ':') ? AF_INET6 : AF_INET}, other;
	size_t n = type_count(*v, sizeof(s));

	if (inet_pton(s.family, text, s.addr) != 1 || !is_host(&s))
		return type_refuse(o, text, "is not", why);
	for (size_t i = 0; i < n; i++) {
		other = server_at(*v, i);
		if (memcmp(&other, &s, sizeof(s)) == 0) {
			*why = xasprintf("'%s' is listed twice", text);
			return -EINVAL;
		}
	}
	if (o->max && n >= (size_t)o->max) {
		*why = xasprintf("'%s' is one too many: at most %lld", text, (long long)o->max);
		return -EINVAL;
	}
	type_insert(v, n, &s, sizeof(s));
	return 0;
}

static void server_print(const struct option *o _unused_, union value v, FILE *f)
{
	char buf[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < type_count(v, sizeof(struct server)); i++) {
		struct server s = server_at(v, i);

		fprintf(f, "%s%s", i ? " " : "", inet_ntop(s.family, s.addr, buf, sizeof(buf)));
	}
}

static void server_allowed(const struct option *o _unused_, FILE *f)
{
	fputs("the address of a host (without a port or prefix length)", f);
}

/* Letters, digits, '-' and '_' in labels that begin and end with none of the two marks but '_'. */
static bool is_domain(const char *text)
{
	size_t label = 0, len = strlen(text);

	if (len == 0 || len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i <= len; i++) {
		char c = text[i];
		bool letter = isdigit_ascii(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (c == '.' || c == '\0') {
			if (label == 0 || label > LABEL_MAX || text[i - 1] == '-')
				return false;
			label = 0;
		} else if (letter || (c == '-' && label)) {
			label++;
		} else {
			return false;
		}
	}
	return true;
}

/* One spelling for one domain: lower case, no dot at the end. */
static int domain_parse(const struct option *o, const char *text, union value *v, char **why)
{
	_cleanup_free_ char *plain = xstrdup(text);
	size_t len = strlen(plain), n = 0;

	if (len > 1 && plain[len - 1] == '.')
		plain[len - 1] = '\0';
	for (char *c = plain; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (!is_domain(plain))
		return type_refuse(o, text, "is not", why);
	for (size_t i = 0; v->blob && i < v->blob->len; i++)
		n += v->blob->data[i] == '\0';
	if (o->max && n >= (size_t)o->max) {
		*why = xasprintf("'%s' is one too many: at most %lld", text, (long long)o->max);
		return -EINVAL;
	}
	return type_words.parse(o, plain, v, why);
}

static void domain_print(const struct option *o, union value v, FILE *f)
{
	type_words.print(o, v, f);
}

static void domain_allowed(const struct option *o _unused_, FILE *f)
{
	fputs("a domain, as in example.org", f);
}

/* As long as firewalld lets a zone be (its Zone.check_name()), of what its own zones are made of. */
static int zone_parse(const struct option *o, const char *text, union value *v, char **why)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t len = strlen(text);

	if (!len || len > ZONE_MAX || strspn(text, letters) != len)
		return type_refuse(o, text, "is not", why);
	v->blob = blob_new(text, len + 1);
	return 0;
}

static void zone_allowed(const struct option *o _unused_, FILE *f)
{
	fprintf(f, "the name of a zone (at most %d letters, digits, '_' and '-')", ZONE_MAX);
}

/* clang-format off */
const struct type type_zone = {
	.name = "zone", .is_blob = true, .parse = zone_parse, .print = domain_print,
	.allowed = zone_allowed, .equal = type_blob_equal,
};
const struct type type_server_list = {
	.name = "addresses", .is_blob = true, .is_list = true, .parse = server_parse, .print = server_print,
	.allowed = server_allowed, .equal = type_blob_equal,
};
const struct type type_domain_list = {
	.name = "domains", .is_blob = true, .is_list = true, .parse = domain_parse, .print = domain_print,
	.allowed = domain_allowed, .equal = type_blob_equal,
};
/* clang-format on */
