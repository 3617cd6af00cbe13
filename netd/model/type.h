/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the value types (type-*.c) share with each other and with nobody else. */
#pragma once

#include "option.h"

/* <ctype.h> depends on the locale; configuration does not. */
static inline bool isdigit_ascii(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool isxdigit_ascii(char c)
{
	return isdigit_ascii(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Decimal, or hexadecimal with 0x. -EINVAL: not a number; -ERANGE: beyond 64 bits. */
int type_parse_integer(const char *text, int64_t *ret);
/* Sets *why to "'TEXT' HOW ALLOWED"; returns -EINVAL. */
int type_refuse(const struct option *o, const char *text, const char *how, char **why);
bool type_num_equal(const struct option *o, union value want, union value have);
bool type_blob_equal(const struct option *o, union value want, union value have);
void type_u32_put(const struct option *o, union value v, struct nlmsghdr *m);
int type_u32_get(const struct option *o, const struct nlattr *a, union value *v);

/* Items of one size in a blob (NULL: none), with room for one more at `at`; replaces v->blob. */
void type_insert(union value *v, size_t at, const void *item, size_t size);
size_t type_count(union value v, size_t size);
