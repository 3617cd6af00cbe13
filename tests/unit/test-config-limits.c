/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the configuration parser on too much and on rubbish: limits, the order of messages, the nearest word, and
 * random mutations of the golden inputs.
 */
#include "parsed.h"

#include "../../netd/config/suggest.h"

static char *repeat(size_t n, const char *format)
{
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < n; i++) {
		for (const char *c = format; *c; c++) {
			if (*c == '%')
				fprintf(f, "%zu", i);
			else
				fputc(*c, f);
		}
	}
	fclose(f);
	return text;
}

static void test_one_object_too_many_is_one_error(void **state _unused_)
{
	static const struct {
		size_t max;
		const char *text;
	} cases[] = {
		{CONFIG_LINKS_MAX, "[bridge b%]\n"},
		{CONFIG_LINKS_MAX, "[port p%]\n"},
		{CONFIG_GLOBS_MAX, "[port p%*]\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *fits = repeat(cases[i].max, cases[i].text);
		_cleanup_free_ char *over = repeat(cases[i].max + 2, cases[i].text);
		_cleanup_parsed_ struct parsed p = parse(fits), q = parse(over);

		assert_int_equal(p.diags.n, 0);
		assert_int_equal(q.diags.n, 1);
		assert_non_null(strstr(q.messages, "that a configuration can have"));
	}
}

static void test_a_file_of_rubbish_ends_after_so_many_messages(void **state _unused_)
{
	_cleanup_free_ char *text = repeat(DIAGS_MAX * 3, "rubbish %\n");
	_cleanup_parsed_ struct parsed p = parse(text);

	assert_int_equal(p.diags.n, DIAGS_MAX + 1);
	assert_true(p.diags.n_errors > DIAGS_MAX);
	assert_int_equal(p.diags.list[DIAGS_MAX].severity, SEVERITY_NOTE);
}

static void test_a_stack_of_thousands_is_refused_and_not_recursed_into(void **state _unused_)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);
	struct parsed p;

	for (unsigned i = 0; i < 50000; i++)
		fprintf(f, "[vlan v%u]\nparent = v%u\nid = 1\n", i, (i + 1) % 50000);
	fclose(f);
	p = parse(text);
	assert_non_null(strstr(p.messages, "closes a cycle"));
	assert_true(strlen(p.messages) < 10000);
	parsed_done(&p);
}

static void test_messages_are_ordered_by_file_and_line(void **state _unused_)
{
	_cleanup_parsed_ struct parsed p =
		parse("[vlan a]\nparent = eth0\nid = 1\n[vlan b]\nparent = eth0\nid = 1\nzz = 1\n");

	assert_int_equal(p.diags.n, 2);
	assert_int_equal(p.diags.list[0].line, 6); /* a rule between objects, found last */
	assert_int_equal(p.diags.list[1].line, 7);
}

static const char *suggested(const char *word, const char *a, const char *b)
{
	struct suggest s = SUGGEST(word);

	suggest_try(&s, a);
	suggest_try(&s, NULL);
	suggest_try(&s, b);
	return s.best;
}

static void test_the_nearest_word_is_suggested(void **state _unused_)
{
	assert_string_equal(suggested("lacprate", "lacp_rate", "lacp_active"), "lacp_rate");
	assert_string_equal(suggested("LACP-Rate", "lacp_active", "lacp_rate"), "lacp_rate");
	assert_string_equal(suggested("prots", "priority", "ports"), "ports"); /* a swap counts one */
	assert_null(suggested("zebra", "mode", "miimon"));
	assert_null(suggested("a_word_longer_than_any_option_there_is_here", "mode", "miimon"));
}

/* Mutations. */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t below(uint64_t *state, size_t n)
{
	return n ? next_random(state) % n : 0;
}

struct text {
	char *bytes;
	size_t len;
};

static void text_splice(struct text *t, size_t at, size_t cut, const char *insert, size_t insert_len)
{
	char *bytes = xcalloc(t->len - cut + insert_len, 1);

	memcpy(bytes, t->bytes, at);
	memcpy(bytes + at, insert, insert_len);
	memcpy(bytes + at + insert_len, t->bytes + at + cut, t->len - at - cut);
	free(t->bytes);
	t->bytes = bytes;
	t->len += insert_len - cut;
}

static void mutate(struct text *t, const struct text *pool, size_t n_pool, uint64_t *random)
{
	static const char *const words[] = {
		"[",
		"]",
		"=",
		":",
		"\n",
		"\r\n",
		" ",
		"\t",
		";",
		" ;",
		"#",
		"\n[bond bond0]\n",
		"\n[bridge br0]\n",
		"\n[port *]\n",
		"ports = ",
		"parent = ",
		"address = ",
		"route = default via ",
		"0",
		"-1",
		"4294967296",
		"18446744073709551616",
		"::",
		"fe80::1",
		"/0",
		"/129",
		"default",
		"inherit",
		"br0",
		"bond0",
		"vlans = 1-4094 ",
		"arp_ip_target = ",
		"ingress_qos_map = 1:1 ",
		"\xef\xbb\xbf",
		"100ms",
		"mac = ",
		"match_mac = ",
		"*",
		"?",
	};
	size_t at = below(random, t->len + 1), left = t->len - at;
	const struct text *other = &pool[below(random, n_pool)];
	const char *word = words[below(random, ARRAY_SIZE(words))];
	size_t from = below(random, other->len), copied = below(random, 64), cut = below(random, 40);
	char byte = (char)next_random(random);

	switch (below(random, 6)) {
	case 0:
		text_splice(t, at, MIN(left, 1u), &byte, 1);
		break;
	case 1:
		text_splice(t, at, 0, &byte, 1);
		break;
	case 2:
		text_splice(t, at, MIN(left, cut), "", 0);
		break;
	case 3:
		text_splice(t, at, 0, word, strlen(word));
		break;
	case 4:
		text_splice(t, at, MIN(left, cut), other->bytes + from, MIN(copied, other->len - from));
		break;
	default:
		text_splice(t, t->len, 0, other->bytes, MIN(other->len, 2000u));
		break;
	}
}

static void check_mutant(const struct text *t)
{
	_cleanup_parsed_ struct parsed p = parse_bytes(t->bytes, t->len);
	size_t errors = 0;

	for (size_t i = 0; i < p.diags.n; i++) {
		assert_true(*p.diags.list[i].text);
		errors += p.diags.list[i].severity == SEVERITY_ERROR;
	}
	assert_int_equal(errors, p.diags.n_errors);
	/* Whatever the input, a message can go to a terminal and into JSON. */
	for (const char *c = p.messages; *c; c++)
		assert_true(*c == '\n' || *c == '\t' || (*c >= ' ' && *c < 0x7f));
	for (size_t i = 0; i < p.config->links.n_links; i++) {
		const struct link *l = p.config->links.links[i];

		values_free(config_port_values(p.config, l->name, &kind_bridge));
		values_free(config_port_values(p.config, l->name, &kind_bond));
	}
}

static size_t number_from_environment(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

/* SEED and MUTATIONS change what is tried. */
static void test_random_mutations_of_the_golden_inputs(void **state _unused_)
{
	uint64_t seed = number_from_environment("SEED", 1), random = seed * 0x9e3779b97f4a7c15 + 1;
	size_t n = number_from_environment("MUTATIONS", 20000);
	struct config_files pool = {0};
	struct diags d = DIAGS_NULL;
	struct text *texts;

	assert_int_equal(config_files_read(&pool, "tests/golden/config", &d), 0);
	texts = xcalloc(pool.n, sizeof(*texts));
	for (size_t i = 0; i < pool.n; i++)
		texts[i] = (struct text){pool.list[i].text, pool.list[i].len};
	print_message("# SEED=%llu MUTATIONS=%zu\n", (unsigned long long)seed, n);
	for (size_t i = 0; i < n; i++) {
		const struct text *base = &texts[below(&random, pool.n)];
		struct text t = {xmemdup(base->bytes, base->len), base->len};

		for (size_t j = below(&random, 8); j < 8; j++)
			mutate(&t, texts, pool.n, &random);
		check_mutant(&t);
		free(t.bytes);
	}
	free(texts);
	config_files_done(&pool);
	diags_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_object_too_many_is_one_error),
		cmocka_unit_test(test_a_file_of_rubbish_ends_after_so_many_messages),
		cmocka_unit_test(test_a_stack_of_thousands_is_refused_and_not_recursed_into),
		cmocka_unit_test(test_messages_are_ordered_by_file_and_line),
		cmocka_unit_test(test_the_nearest_word_is_suggested),
		cmocka_unit_test(test_random_mutations_of_the_golden_inputs),
	};

	return cmocka_run_group_tests_name("config limits", tests, NULL, NULL);
}
