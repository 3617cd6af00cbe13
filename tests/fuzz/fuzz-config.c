/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: any text as a configuration: parsed, checked, and, when it is right, resolved and planned on a host with a
 * few NICs. Run by tests/fuzz/run.
 */
#include "../../netd/plan/planner.h"

#define NICS 4
#define FILE_END '\f' /* begins another file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_files(struct config_files *files, const char *text, size_t size)
{
	const char *end;

	for (unsigned n = 0; n < 4; n++) {
		_cleanup_free_ char *name = xasprintf("%u.ini", n);

		end = memchr(text, FILE_END, size);
		config_files_add(files, name, text, end ? (size_t)(end - text) : size);
		if (!end)
			break;
		size -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

static void make_host(struct model *actual)
{
	for (unsigned i = 0; i < NICS; i++) {
		char name[IFNAMSIZ];
		struct link *l;

		snprintf(name, sizeof(name), "eth%u", i);
		l = link_new(name, &kind_ethernet);
		l->ifindex = i + 1;
		l->has_perm_mac = true;
		l->perm_mac = 0x525400000000 + i;
		model_add(actual, l);
	}
}

static void print_plan(const struct plan *p)
{
	char *text = NULL, id[17];
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < p->n; i++)
		op_print(&p->ops[i], f);
	fclose(f);
	free(text);
	plan_id(p, id);
}

static void plan_it(const struct config *c)
{
	struct model actual = MODEL_NULL;
	struct ledger ledger = LEDGER_NULL;
	struct effective e;
	struct plan p;

	make_host(&actual);
	resolve(&(struct resolve_input){.config = c, .actual = &actual, .ledger = &ledger}, &e);
	plan_make(&(struct diff_input){.effective = &e, .actual = &actual, .ledger = &ledger}, &p);
	print_plan(&p);
	plan_done(&p);
	effective_done(&e);
	model_done(&actual);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	struct config *c;

	add_files(&files, (const char *)data, size);
	c = config_parse(&files, &d);
	if (!d.n_errors)
		plan_it(c);
	config_free(c);
	diags_done(&d);
	config_files_done(&files);
	return 0;
}
