/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: value types that are one integer: numbers, enums, booleans, single flags. Times are in type-time.c. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <strings.h>

#include "option.h"
#include "type.h"

int type_parse_integer(const char *text, int64_t *ret)
{
	bool hex = startswith(text, "0x") || startswith(text, "0X");
	const char *digits = text + (text[0] == '-');
	char *end;
	long long n;

	/* strtoll() alone would take leading space and "+", and "0x" without digits. */
	if (hex ? !isxdigit_ascii(text[2]) : !isdigit_ascii(digits[0]))
		return -EINVAL;
	errno = 0;
	n = strtoll(text, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	if (*end)
		return -EINVAL;
	*ret = n;
	return 0;
}

int type_refuse(const struct option *o, const char *text, const char *how, char **why)
{
	_cleanup_free_ char *allowed = option_allowed(o);

	*why = xasprintf("'%s' %s %s", text, how, allowed);
	return -EINVAL;
}

static uint64_t name_value(const struct option *o, unsigned i)
{
	return o->name_values ? o->name_values[i] : i;
}

/* Only the named values are valid. */
static bool is_enum(const struct option *o)
{
	return o->names && o->min == o->max;
}

static const char *find_name(const struct option *o, uint64_t num)
{
	for (unsigned i = 0; o->names && o->names[i]; i++)
		if (name_value(o, i) == num)
			return o->names[i];
	return NULL;
}

static int number_parse(const struct option *o, const char *text, union value *v, char **why)
{
	int64_t n;
	int r;

	for (unsigned i = 0; o->names && o->names[i]; i++)
		if (strcasecmp(o->names[i], text) == 0) {
			v->num = name_value(o, i);
			return 0;
		}
	r = type_parse_integer(text, &n);
	if (is_enum(o) && (r < 0 || !find_name(o, (uint64_t)n)))
		return type_refuse(o, text, "is not one of", why);
	if (r == -EINVAL)
		return type_refuse(o, text, "is not a number; allowed:", why);
	if (!is_enum(o) && (r < 0 || ((n < o->min || n > o->max) && !find_name(o, (uint64_t)n))))
		return type_refuse(o, text, "is out of range", why);
	v->num = (uint64_t)n;
	return 0;
}

static void number_print(const struct option *o, union value v, FILE *f)
{
	const char *name = find_name(o, v.num);

	if (name)
		fputs(name, f);
	else
		fprintf(f, "%lld", (long long)v.num);
}

static void names_allowed(const struct option *o, FILE *f)
{
	for (unsigned i = 0; o->names && o->names[i]; i++)
		fprintf(f, "%s%s", i ? ", " : "", o->names[i]);
}

static void number_allowed(const struct option *o, FILE *f)
{
	names_allowed(o, f);
	if (is_enum(o))
		return;
	fprintf(f, "%s%lld..%lld", o->names ? ", " : "", (long long)o->min, (long long)o->max);
}

bool type_num_equal(const struct option *o _unused_, union value want, union value have)
{
	return want.num == have.num;
}

static void u8_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	mnl_attr_put_u8(m, o->attr, (uint8_t)v.num);
}

static void u16_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	mnl_attr_put_u16(m, o->attr, (uint16_t)v.num);
}

static void be16_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	mnl_attr_put_u16(m, o->attr, htons((uint16_t)v.num));
}

void type_u32_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	mnl_attr_put_u32(m, o->attr, (uint32_t)v.num);
}

static int u8_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	if (mnl_attr_get_payload_len(a) != sizeof(uint8_t))
		return -EINVAL;
	v->num = mnl_attr_get_u8(a);
	return 0;
}

static int u16_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	if (mnl_attr_get_payload_len(a) != sizeof(uint16_t))
		return -EINVAL;
	v->num = mnl_attr_get_u16(a);
	return 0;
}

static int be16_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	if (mnl_attr_get_payload_len(a) != sizeof(uint16_t))
		return -EINVAL;
	v->num = ntohs(mnl_attr_get_u16(a));
	return 0;
}

int type_u32_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	if (mnl_attr_get_payload_len(a) != sizeof(uint32_t))
		return -EINVAL;
	v->num = mnl_attr_get_u32(a);
	return 0;
}

static int s32_get(const struct option *o, const struct nlattr *a, union value *v)
{
	int r = type_u32_get(o, a, v);

	if (r == 0)
		v->num = (uint64_t)(int64_t)(int32_t)v->num;
	return r;
}

static const char *const bool_words[] = {"no", "yes", "false", "true", "off", "on", "0", "1", NULL};

static int bool_parse(const struct option *o, const char *text, union value *v, char **why)
{
	for (unsigned i = 0; bool_words[i]; i++)
		if (strcasecmp(bool_words[i], text) == 0) {
			v->num = i & 1;
			return 0;
		}
	return type_refuse(o, text, "is not one of", why);
}

static void bool_print(const struct option *o _unused_, union value v, FILE *f)
{
	fputs(v.num ? "yes" : "no", f);
}

static void bool_allowed(const struct option *o _unused_, FILE *f)
{
	fputs("yes, no", f);
}

/* stp_state reads back 2 where a user space daemon does the protocol; it is on all the same. */
static bool bool_equal(const struct option *o _unused_, union value want, union value have)
{
	return !want.num == !have.num;
}

static void hex_print(const struct option *o _unused_, union value v, FILE *f)
{
	fprintf(f, "0x%llx", (unsigned long long)v.num);
}

static void hex_allowed(const struct option *o, FILE *f)
{
	fprintf(f, "0x%llx..0x%llx", (unsigned long long)o->min, (unsigned long long)o->max);
}

/* struct ifla_vlan_flags and struct br_boolopt_multi have one layout. */
static void flag_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	uint32_t pair[2] = {v.num ? o->bit : 0, o->bit};

	mnl_attr_put(m, o->attr, sizeof(pair), pair);
}

static int flag_get(const struct option *o, const struct nlattr *a, union value *v)
{
	uint32_t pair[2];

	if (mnl_attr_get_payload_len(a) != sizeof(pair))
		return -EINVAL;
	memcpy(pair, mnl_attr_get_payload(a), sizeof(pair));
	/* The mask names the options that the kernel knows. */
	if (!(pair[1] & o->bit))
		return -ENOENT;
	v->num = !!(pair[0] & o->bit);
	return 0;
}

/* clang-format off */
#define NUMBER(type_name, put_fn, get_fn) {                                                                            \
	.name = (type_name), .parse = number_parse, .print = number_print, .allowed = number_allowed,                  \
	.equal = type_num_equal, .put = (put_fn), .get = (get_fn) }

const struct type type_u8 = NUMBER("number", u8_put, u8_get);
const struct type type_u16 = NUMBER("number", u16_put, u16_get);
const struct type type_u32 = NUMBER("number", type_u32_put, type_u32_get);
const struct type type_s32 = NUMBER("number", type_u32_put, s32_get);
const struct type type_be16 = NUMBER("word", be16_put, be16_get);

#define BOOL(put_fn, get_fn) {                                                                                         \
	.name = "yes or no", .parse = bool_parse, .print = bool_print, .allowed = bool_allowed, .equal = bool_equal,   \
	.put = (put_fn), .get = (get_fn) }

const struct type type_bool = BOOL(u8_put, u8_get);
const struct type type_bool32 = BOOL(type_u32_put, type_u32_get);
const struct type type_flag = BOOL(flag_put, flag_get);

const struct type type_hex = {
	.name = "bit mask", .parse = number_parse, .print = hex_print, .allowed = hex_allowed,
	.equal = type_num_equal, .put = u16_put, .get = u16_get,
};
/* clang-format on */
