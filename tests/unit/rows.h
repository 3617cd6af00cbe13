/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the tests of the model share: values from text, links from keys, messages with one attribute. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../netd/model/model.h"

#define BUFFER_SIZE 8192

/* One word after another, as the configuration reader does; for a type that is no list, the first. */
int parse_words(const struct option *o, const char *text, union value *v, char **why);
/* The test fails when the text is refused. The caller frees a blob. */
union value must_parse(const struct option *o, const char *text);
/* The test fails when the text is taken, or refused with a message that does not have these words. */
void must_refuse(const struct option *o, const char *text, const char *message);
/* The row of that key. */
const struct option *find(const struct option_table *table, const char *key);

/* An empty message in buf (BUFFER_SIZE bytes), and the one attribute that was put into it. */
struct nlmsghdr *message(char *buf);
const struct nlattr *only_attribute(const struct nlmsghdr *m);
