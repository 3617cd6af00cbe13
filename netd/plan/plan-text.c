/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: a plan in words: one line per op, stable, so that it can be shown, compared and named by a digest. */
#include <inttypes.h>
#include <linux/if_bridge.h>

#include "planner.h"

const char *impact_name(enum impact impact)
{
	switch (impact) {
	case IMPACT_NONE:
		return "none";
	case IMPACT_LIVE:
		return "live";
	case IMPACT_FLAP:
		return "link-flap";
	case IMPACT_GONE:
		return "link-gone";
	case IMPACT_RECREATE:
		return "recreate";
	case IMPACT_GUESTS:
		return "guests-cut-off";
	}
	return "none";
}

/* Starts an item of a list: " a, b" after the colon. */
static void item(FILE *f, bool *first)
{
	fputs(*first ? ": " : ", ", f);
	*first = false;
}

static void print_value(FILE *f, const struct option *o, union value v)
{
	if (o->type->is_blob && !v.blob)
		fputs("none", f);
	else
		o->type->print(o, v, f);
}

static bool has_word(const struct blob *b, const char *word)
{
	for (size_t i = 0; b && i < b->len; i += strlen((const char *)b->data + i) + 1)
		if (streq((const char *)b->data + i, word))
			return true;
	return false;
}

/* What every dnsmasq of ours is told. */
static bool is_usual(const char *word)
{
	static const char *const usual[] = {"interface=", "except-interface=", "bind-dynamic",	     "no-hosts",
					    "local=",	  "expand-hosts",      "dhcp-authoritative", "dhcp-no-override",
					    "quiet-"};

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (startswith(word, usual[i]))
			return true;
	return false;
}

/* Of many words that begin alike these are shown, and of the rest their number, and a digest: the line names the plan.
 */
#define WORDS_SHOWN 4

struct hidden_words {
	const char *kind; /* with its length */
	int len;
	size_t n;
	uint32_t digest; /* FNV-1a */
};

static void print_hidden(FILE *f, struct hidden_words *h, const char *sign)
{
	if (h->n > WORDS_SHOWN)
		fprintf(f, ", %s%zu more %.*s (%08" PRIx32 ")", sign, h->n - WORDS_SHOWN, h->len, h->kind, h->digest);
	*h = (struct hidden_words){.digest = 0x811c9dc5};
}

/* The words of one that the other has not. */
static void print_words(FILE *f, const struct blob *of, const struct blob *without, const char *sign, bool *first)
{
	struct hidden_words h = {.digest = 0x811c9dc5};

	for (size_t i = 0, next; of && i < of->len; i = next) {
		const char *word = (const char *)of->data + i;
		int len = (int)strcspn(word, "=:");

		next = i + strlen(word) + 1;
		if (has_word(without, word) || (!without && is_usual(word)))
			continue;
		if (!h.kind || h.len != len || strncmp(h.kind, word, (size_t)len) != 0)
			print_hidden(f, &h, sign);
		h.kind = word;
		h.len = len;
		if (h.n++ < WORDS_SHOWN)
			fprintf(f, "%s%s%s", *first ? " " : ", ", sign, word);
		for (const char *c = word; h.n > WORDS_SHOWN && *c; c++)
			h.digest = (h.digest ^ (uint8_t)*c) * 0x01000193;
		*first = false;
	}
	print_hidden(f, &h, sign);
}

/* Lists that other programs are told: what is new in them, and what is gone. */
static void print_word_lists(FILE *f, const struct option *o, const struct blob *want, const struct blob *have)
{
	bool first = true;

	fputs(o->key, f);
	if (!want) {
		fputs(" none", f);
		return;
	}
	print_words(f, want, have, have ? "+" : "", &first);
	print_words(f, have, want, "-", &first);
	if (first)
		fputs(" started", f);
}

static void print_rows(FILE *f, const struct values *want, const struct values *have, uint64_t rows, bool *first)
{
	for (unsigned row = 0; want && row < want->table->n; row++) {
		const struct option *o = &want->table->rows[row];

		if (!(rows >> row & 1))
			continue;
		item(f, first);
		if (o->type == &type_words && o->place == PLACE_HOST) {
			print_word_lists(f, o, values_at(want, row).blob,
					 values_has(have, row) ? values_at(have, row).blob : NULL);
			continue;
		}
		fprintf(f, "%s ", o->key);
		if (values_has(have, row) && have->table == want->table && o->type != &type_ifname &&
		    !o->type->equal(o, values_at(want, row), values_at(have, row))) {
			print_value(f, o, values_at(have, row));
			fputs(" -> ", f);
		}
		print_value(f, o, values_at(want, row));
	}
}

static void print_vlans(FILE *f, const struct op *op)
{
	for (size_t i = 0; i < op->n_vlans; i++) {
		size_t last = i;

		while (last + 1 < op->n_vlans && op->vlans[last + 1].vid == op->vlans[last].vid + 1 &&
		       op->vlans[last + 1].flags == op->vlans[i].flags)
			last++;
		fprintf(f, " %u", op->vlans[i].vid);
		if (last > i)
			fprintf(f, "-%u", op->vlans[last].vid);
		if (op->type == OP_VLAN_ADD && (op->vlans[i].flags & BRIDGE_VLAN_INFO_PVID))
			fputs(" pvid", f);
		if (op->type == OP_VLAN_ADD && (op->vlans[i].flags & BRIDGE_VLAN_INFO_UNTAGGED))
			fputs(" untagged", f);
		i = last;
	}
}

static void print_set(const struct op *op, FILE *f)
{
	bool first = true;

	fprintf(f, "set %s", op->link->name);
	print_rows(f, op->link->common, op->have ? op->have->common : NULL, op->common, &first);
	print_rows(f, op->link->own, op->have ? op->have->own : NULL, op->own, &first);
	print_rows(f, op->link->port, op->have ? op->have->port : NULL, op->port, &first);
	if (op->master == MASTER_JOIN) {
		item(f, &first);
		fprintf(f, "master %s", op->master_name);
	} else if (op->master == MASTER_LEAVE) {
		item(f, &first);
		fputs("nomaster", f);
	}
	if (op->flags != FLAGS_KEEP) {
		item(f, &first);
		fputs(op->flags == FLAGS_UP ? "up" : "down", f);
	}
}

static void print_create(const struct op *op, FILE *f)
{
	bool first = true;

	fprintf(f, "create %s %s", op->link->kind->name, op->link->name);
	if (op->link->parent_name[0])
		fprintf(f, " on %s", op->link->parent_name);
	print_rows(f, op->link->own, NULL, op->own, &first);
	print_rows(f, op->link->common, NULL, op->common, &first);
	if (op->master == MASTER_JOIN) {
		item(f, &first);
		fprintf(f, "master %s", op->master_name);
	}
}

static void print_sysctl(const struct op *op, FILE *f)
{
	bool first = true;

	fprintf(f, "sysctl %s", op->link->name);
	print_rows(f, op->link->common, op->have ? op->have->common : NULL, op->common, &first);
}

void op_print(const struct op *op, FILE *f)
{
	switch (op->type) {
	case OP_CREATE:
		print_create(op, f);
		break;
	case OP_SET:
	case OP_HOST:
		print_set(op, f);
		break;
	case OP_DELETE:
		fprintf(f, "delete %s %s", op->link->kind->name, op->link->name);
		break;
	case OP_VLAN_ADD:
	case OP_VLAN_DELETE:
		fprintf(f, "%s vlans of %s:", op->type == OP_VLAN_ADD ? "set" : "delete", op->link->name);
		print_vlans(f, op);
		break;
	case OP_ADDRESS_ADD:
	case OP_ADDRESS_DELETE:
		fprintf(f, "%s address of %s: ", op->type == OP_ADDRESS_ADD ? "add" : "delete", op->link->name);
		address_print(op->address, f);
		break;
	case OP_ROUTE_ADD:
	case OP_ROUTE_DELETE:
		fprintf(f, "%s route of %s: ", op->type == OP_ROUTE_ADD ? "add" : "delete", op->link->name);
		route_print(op->route, f);
		break;
	case OP_SYSCTL:
		print_sysctl(op, f);
		break;
	case OP_FIREWALL:
		fprintf(f, "firewall: %s", op->text);
		break;
	case OP_PUT_BACK:
		fprintf(f, "put back %s (of others)", op->text);
		break;
	}
}

char *plan_lines(const struct plan *p)
{
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < p->n; i++) {
		op_print(&p->ops[i], f);
		fputc('\n', f);
	}
	fclose(f);
	return text;
}

void plan_lines_id(const char *lines, char id[17])
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *lines; lines++)
		hash = (hash ^ (uint8_t)*lines) * 0x100000001b3u;
	snprintf(id, 17, "%016" PRIx64, hash);
}

void plan_id(const struct plan *p, char id[17])
{
	_cleanup_free_ char *lines = plan_lines(p);

	plan_lines_id(lines, id);
}
