/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: value types that are a set or list: VLAN ids, QoS maps, names; and the single string. */
#include <libmnl/libmnl.h>
#include <linux/if_link.h>

#include "option.h"
#include "type.h"

#define VLAN_ID_MAX 4094

size_t type_count(union value v, size_t size)
{
	return v.blob ? v.blob->len / size : 0;
}

void type_insert(union value *v, size_t at, const void *item, size_t size)
{
	size_t len = v->blob ? v->blob->len : 0;
	struct blob *b = xrealloc(v->blob, 1, sizeof(*b) + len + size);

	memmove(b->data + (at + 1) * size, b->data + at * size, len - at * size);
	memcpy(b->data + at * size, item, size);
	b->len = (uint32_t)(len + size);
	v->blob = b;
}

static void type_remove(union value *v, size_t at, size_t size)
{
	struct blob *b = v->blob;

	memmove(b->data + at * size, b->data + (at + 1) * size, b->len - (at + 1) * size);
	b->len -= (uint32_t)size;
}

bool type_blob_equal(const struct option *o _unused_, union value want, union value have)
{
	return blob_equal(want.blob, have.blob);
}

static struct vlan_range range_at(union value v, size_t i)
{
	struct vlan_range r;

	memcpy(&r, v.blob->data + i * sizeof(r), sizeof(r));
	return r;
}

/* "10" or "20-29" */
static int range_parse(const char *text, struct vlan_range *ret)
{
	_cleanup_free_ char *from = xstrdup(text);
	char *to = strchr(from, '-');
	int64_t a, b;

	if (to)
		*to++ = '\0';
	if (type_parse_integer(from, &a) < 0 || type_parse_integer(to ? to : from, &b) < 0)
		return -EINVAL;
	if (a < 1 || b > VLAN_ID_MAX || a > b)
		return -EINVAL;
	*ret = (struct vlan_range){(uint16_t)a, (uint16_t)b};
	return 0;
}

static int vlan_set_parse(const struct option *o, const char *text, union value *v, char **why)
{
	struct vlan_range add, old;
	size_t at = 0;

	if (range_parse(text, &add) < 0)
		return type_refuse(o, text, "is not", why);
	for (; at < type_count(*v, sizeof(add)); at++) {
		old = range_at(*v, at);
		if (add.from <= old.to && old.from <= add.to) {
			*why = xasprintf("'%s' is listed twice", text);
			return -EINVAL;
		}
		if (add.to < old.from)
			break;
	}
	/* Neighbours that touch become one range, so that one set has one spelling. */
	if (at < type_count(*v, sizeof(add)) && range_at(*v, at).from == add.to + 1) {
		add.to = range_at(*v, at).to;
		type_remove(v, at, sizeof(add));
	}
	if (at > 0 && range_at(*v, at - 1).to + 1 == add.from) {
		add.from = range_at(*v, at - 1).from;
		type_remove(v, --at, sizeof(add));
	}
	type_insert(v, at, &add, sizeof(add));
	return 0;
}

static void vlan_set_print(const struct option *o _unused_, union value v, FILE *f)
{
	for (size_t i = 0; i < type_count(v, sizeof(struct vlan_range)); i++) {
		struct vlan_range r = range_at(v, i);

		fprintf(f, "%s%u", i ? " " : "", r.from);
		if (r.to > r.from)
			fprintf(f, "-%u", r.to);
	}
}

static void vlan_set_allowed(const struct option *o _unused_, FILE *f)
{
	fprintf(f, "a VLAN id 1..%d or a range like 20-29", VLAN_ID_MAX);
}

static struct qos_entry qos_at(union value v, size_t i)
{
	struct qos_entry e;

	memcpy(&e, v.blob->data + i * sizeof(e), sizeof(e));
	return e;
}

/* Where `from` is or belongs; *found tells which. */
static size_t qos_find(union value v, uint32_t from, bool *found)
{
	size_t i = 0, n = type_count(v, sizeof(struct qos_entry));

	while (i < n && qos_at(v, i).from < from)
		i++;
	*found = i < n && qos_at(v, i).from == from;
	return i;
}

static int qos_parse(const struct option *o, const char *text, union value *v, char **why)
{
	_cleanup_free_ char *from = xstrdup(text);
	char *to = strchr(from, ':');
	struct qos_entry e;
	int64_t a, b;
	bool found;
	size_t at;

	if (to)
		*to++ = '\0';
	if (!to || type_parse_integer(from, &a) < 0 || type_parse_integer(to, &b) < 0 || a < 0 || a > o->min || b < 0 ||
	    b > o->max)
		return type_refuse(o, text, "is not", why);
	e = (struct qos_entry){(uint32_t)a, (uint32_t)b};
	at = qos_find(*v, e.from, &found);
	if (found) {
		*why = xasprintf("'%s': %u is mapped already, to %u", text, e.from, qos_at(*v, at).to);
		return -EINVAL;
	}
	type_insert(v, at, &e, sizeof(e));
	return 0;
}

static void qos_print(const struct option *o _unused_, union value v, FILE *f)
{
	for (size_t i = 0; i < type_count(v, sizeof(struct qos_entry)); i++)
		fprintf(f, "%s%u:%u", i ? " " : "", qos_at(v, i).from, qos_at(v, i).to);
}

static void qos_allowed(const struct option *o, FILE *f)
{
	fprintf(f, "FROM:TO with FROM 0..%lld and TO 0..%lld", (long long)o->min, (long long)o->max);
}

/* vlan_fill_info(), net/8021q/vlan_netlink.c, leaves out entries that map to 0. */
static bool qos_equal(const struct option *o _unused_, union value want, union value have)
{
	size_t i = 0, j = 0, n = type_count(want, sizeof(struct qos_entry)),
	       k = type_count(have, sizeof(struct qos_entry));

	for (;;) {
		while (i < n && qos_at(want, i).to == 0)
			i++;
		while (j < k && qos_at(have, j).to == 0)
			j++;
		if (i == n || j == k)
			return i == n && j == k;
		if (qos_at(want, i).from != qos_at(have, j).from || qos_at(want, i).to != qos_at(have, j).to)
			return false;
		i++;
		j++;
	}
}

static void qos_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	struct nlattr *nest = mnl_attr_nest_start(m, o->attr);

	for (size_t i = 0; i < type_count(v, sizeof(struct qos_entry)); i++) {
		struct qos_entry e = qos_at(v, i);

		mnl_attr_put(m, IFLA_VLAN_QOS_MAPPING, sizeof(e), &e);
	}
	mnl_attr_nest_end(m, nest);
}

static int qos_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	union value map = {0};
	const struct nlattr *item;

	mnl_attr_for_each_nested (item, a) {
		struct qos_entry e;
		bool found;
		size_t at;

		if (mnl_attr_get_payload_len(item) != sizeof(e)) {
			free(map.blob);
			return -EINVAL;
		}
		memcpy(&e, mnl_attr_get_payload(item), sizeof(e));
		at = qos_find(map, e.from, &found);
		if (!found)
			type_insert(&map, at, &e, sizeof(e));
	}
	*v = map;
	return 0;
}

static int words_parse(const struct option *o, const char *text, union value *v, char **why)
{
	size_t len = v->blob ? v->blob->len : 0, add = strlen(text) + 1;
	struct blob *b;

	if (add == 1)
		return type_refuse(o, text, "is not", why);
	for (size_t i = 0; i < len; i += strlen((const char *)v->blob->data + i) + 1)
		if (streq((const char *)v->blob->data + i, text)) {
			*why = xasprintf("'%s' is listed twice", text);
			return -EINVAL;
		}
	b = xrealloc(v->blob, 1, sizeof(*b) + len + add);
	memcpy(b->data + len, text, add);
	b->len = (uint32_t)(len + add);
	v->blob = b;
	return 0;
}

static void words_print(const struct option *o _unused_, union value v, FILE *f)
{
	for (size_t i = 0; v.blob && i < v.blob->len; i += strlen((const char *)v.blob->data + i) + 1)
		fprintf(f, "%s%s", i ? " " : "", (const char *)v.blob->data + i);
}

static void words_allowed(const struct option *o _unused_, FILE *f)
{
	fputs("a word", f);
}

static int string_parse(const struct option *o, const char *text, union value *v, char **why)
{
	if (!*text)
		return type_refuse(o, text, "is not", why);
	v->blob = blob_new(text, strlen(text) + 1);
	return 0;
}

/* clang-format off */
const struct type type_vlan_set = {
	.name = "VLAN ids", .is_blob = true, .is_list = true, .parse = vlan_set_parse, .print = vlan_set_print,
	.allowed = vlan_set_allowed, .equal = type_blob_equal,
};
const struct type type_qos_map = {
	.name = "QoS map", .is_blob = true, .is_list = true, .parse = qos_parse, .print = qos_print,
	.allowed = qos_allowed, .equal = qos_equal, .put = qos_put, .get = qos_get,
};
const struct type type_words = {
	.name = "words", .is_blob = true, .is_list = true, .parse = words_parse, .print = words_print,
	.allowed = words_allowed, .equal = type_blob_equal,
};
const struct type type_string = {
	.name = "word", .is_blob = true, .parse = string_parse, .print = words_print,
	.allowed = words_allowed, .equal = type_blob_equal,
};
/* clang-format on */
