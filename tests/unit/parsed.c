/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: parsed.h. */
#include "parsed.h"

struct parsed parse_files(const struct config_files *files)
{
	struct parsed p = {.diags = DIAGS_NULL};
	size_t len;
	FILE *f = xmemstream(&p.messages, &len);

	p.config = config_parse(files, &p.diags);
	for (size_t i = 0; i < p.diags.n; i++) {
		diag_print(&p.diags.list[i], f);
		fputc('\n', f);
	}
	fclose(f);
	return p;
}

struct parsed parse_bytes(const char *text, size_t len)
{
	struct config_files files = {0};
	struct parsed p;

	config_files_add(&files, "x", text, len);
	p = parse_files(&files);
	config_files_done(&files);
	return p;
}

struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

void parsed_done(struct parsed *p)
{
	config_free(p->config);
	diags_done(&p->diags);
	free(p->messages);
}

const struct link *link_of(const struct parsed *p, const char *name)
{
	const struct link *l = model_find(&p->config->links, name);

	if (!l)
		fail_msg("there is no link '%s'", name);
	return l;
}
