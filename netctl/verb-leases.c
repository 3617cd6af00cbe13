/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: `netctl leases`: the addresses that guests of networks have. */
#include "client.h"
#include "json.h"
#include "term.h"

static const char *const titles[] = {"NETWORK", "ADDRESS", "MAC", "NAME", "UNTIL"};
static const char *const keys[] = {"network", "address", "mac", "name", "expires_at"};
/* As the configuration has it. */
static const char *const absent[] = {"", "", "", "", "infinite"};

int verb_leases(const struct options *o)
{
	_cleanup_(reply_done) struct reply r = {0};
	int status = client_ask(o, "Leases", NULL, &r);
	struct table table = {.titles = titles, .n_columns = ARRAY_SIZE(titles), .drop = "4"};
	struct term t;

	if (status != EXIT_OK || o->json)
		return status;
	term_open(&t, o);
	for (size_t i = 0; i < json_count(r.parameters, "leases"); i++) {
		struct json_object *lease = json_item(r.parameters, "leases", i);
		struct row *row = table_row(&table);

		for (unsigned column = 0; column < ARRAY_SIZE(keys); column++)
			cell_set(row, column, STYLE_PLAIN, "%s", json_text_or(lease, keys[column], absent[column]));
	}
	if (table.n_rows)
		table_print(&table, &t);
	else
		fputs("No guest has a lease.\n", t.out);
	term_close(&t);
	return EXIT_OK;
}
