/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the fuzzers begin with, made from the option rows: `seeds dictionary` prints the words of the
 * configuration language for libFuzzer; `seeds messages DIR` writes a message of every kind with all its options, as
 * fuzz-decode.c takes it.
 */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "../../netd/config/parser.h"
#include "../../netd/kernel/encode.h"

static void print_word(const char *word, const char *after)
{
	printf("\"%s%s\"\n", word, after);
}

static void print_table(const struct option_table *t)
{
	for (unsigned row = 0; row < t->n; row++) {
		const struct option *o = &t->rows[row];

		print_word(o->key, " = ");
		if (o->alias)
			print_word(o->alias, " = ");
		for (size_t i = 0; o->names && o->names[i]; i++)
			print_word(o->names[i], "");
	}
}

static int print_dictionary(void)
{
	static const char *const words[] = {
		"[port ",     "[daemon]",    "[network ",      "ports = ", "parent = ", "address = ",
		"gateway = ", "route = ",    " via ",	       " metric ", " table ",	" src ",
		" mtu ",      "10.0.0.1/24", "2001:db8::1/64", "default",  "eth0",	"eth1",
		"br0",	      "bond0",	     "100ms",	       "4s",	   " ;",	"#",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		print_word(words[i], "");
	for (size_t i = 0; kinds[i]; i++) {
		printf("\"[%s \"\n", kinds[i]->name);
		print_table(&kinds[i]->own);
		print_table(&kinds[i]->port);
	}
	print_table(&link_options);
	print_table(&match_options);
	print_table(&daemon_options);
	return 0;
}

static uint32_t any_index(const char *name _unused_, void *userdata _unused_)
{
	return 7;
}

/* Every row of a table, with a value that is not nothing. */
static struct values *all_values(const struct option_table *t)
{
	struct values *v = values_new(t);

	for (unsigned row = 0; row < t->n; row++) {
		const struct option *o = &t->rows[row];
		union value value = {.num = o->type->is_blob ? 0 : (uint64_t)MAX(o->min, 1)};

		if (o->type->is_blob)
			value.blob = blob_new("\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 16);
		values_put(v, row, value, LOC_NONE);
	}
	return v;
}

static int write_message(const char *dir, const char *name, const uint8_t *message, size_t len)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_fclose_ FILE *f = fopen(path, "w");

	if (!f)
		return -errno;
	fputc(0, f); /* RTM_NEWLINK */
	fwrite(message + NLMSG_HDRLEN, 1, len - NLMSG_HDRLEN, f);
	return 0;
}

/* As the kernel would tell of a link of that kind, attached to a master of the other. */
static int write_link(const char *dir, const struct kind *kind, const struct kind *master)
{
	_cleanup_free_ char *name = xasprintf("%s-in-%s", kind->name, master->name);
	uint8_t buf[16384] = {0};
	struct link *l = link_new("eth0", kind);
	struct op op = {.type = OP_SET, .link = l, .common = ~0ull, .own = ~0ull, .port = ~0ull, .master_kind = master};
	ssize_t len;

	values_free(l->common);
	values_free(l->own);
	l->common = all_values(&link_options);
	l->own = all_values(&kind->own);
	l->port = all_values(&master->port);
	len = encode_op(&op, any_index, NULL, buf, sizeof(buf));
	if (len > 0) {
		mnl_attr_put_strz((struct nlmsghdr *)buf, IFLA_IFNAME, "eth0");
		mnl_attr_put_u32((struct nlmsghdr *)buf, IFLA_MASTER, 9);
		len = ((struct nlmsghdr *)buf)->nlmsg_len;
	}
	link_free(l);
	return len < 0 ? (int)len : write_message(dir, name, buf, (size_t)len);
}

static int write_messages(const char *dir)
{
	for (size_t i = 0; kinds[i]; i++)
		for (size_t j = 0; kinds[j]; j++) {
			int r = kinds[j]->port.n ? write_link(dir, kinds[i], kinds[j]) : 0;

			if (r < 0) {
				fprintf(stderr, "%s in %s: %s\n", kinds[i]->name, kinds[j]->name, strerror(-r));
				return 1;
			}
		}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && streq(argv[1], "dictionary"))
		return print_dictionary();
	if (argc == 3 && streq(argv[1], "messages"))
		return write_messages(argv[2]);
	fputs("usage: seeds dictionary | seeds messages DIR\n", stderr);
	return 64;
}
