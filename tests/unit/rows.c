/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: rows.h. */
#include "rows.h"

#include <libmnl/libmnl.h>

int parse_words(const struct option *o, const char *text, union value *v, char **why)
{
	_cleanup_free_ char *words = xstrdup(text);
	char *rest = NULL;
	int r = 0;

	*v = (union value){0};
	*why = NULL;
	for (char *word = strtok_r(words, " ", &rest); word && r == 0; word = strtok_r(NULL, " ", &rest)) {
		r = o->type->parse(o, word, v, why);
		if (!o->type->is_list)
			break;
	}
	return r;
}

union value must_parse(const struct option *o, const char *text)
{
	_cleanup_free_ char *why = NULL;
	union value v;

	if (parse_words(o, text, &v, &why) < 0)
		fail_msg("%s = %s: %s", o->key, text, why);
	return v;
}

void must_refuse(const struct option *o, const char *text, const char *message)
{
	_cleanup_free_ char *why = NULL;
	union value v;

	if (parse_words(o, text, &v, &why) == 0)
		fail_msg("%s = %s was taken", o->key, text);
	assert_non_null(why);
	if (!strstr(why, message))
		fail_msg("%s = %s: \"%s\" does not say \"%s\"", o->key, text, why, message);
	value_free(o, v);
}

const struct option *find(const struct option_table *table, const char *key)
{
	return &table->rows[option_row(table, key)];
}

struct nlmsghdr *message(char *buf)
{
	memset(buf, 0, BUFFER_SIZE);
	return mnl_nlmsg_put_header(buf);
}

const struct nlattr *only_attribute(const struct nlmsghdr *m)
{
	const struct nlattr *a = mnl_nlmsg_get_payload(m);

	assert_true(mnl_attr_ok(a, (int)mnl_nlmsg_get_payload_len(m)));
	assert_int_equal(MNL_ALIGN(a->nla_len), mnl_nlmsg_get_payload_len(m));
	return a;
}
