/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a set of file texts to a checked config, and what the rest of the program asks a config. The files are one
 * configuration in the order they come in; see ini.c for lines, section.c and keys.c for what is in them.
 */
#include <fnmatch.h>

#include "ini.h"
#include "parser.h"

void config_files_done(struct config_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->list[i].name);
		free(f->list[i].text);
	}
	free(f->list);
	*f = (struct config_files){0};
}

void config_files_add(struct config_files *f, const char *name, const char *text, size_t len)
{
	*ARRAY_APPEND(f->list, f->n) = (struct config_file){
		.name = xstrdup(name),
		.text = xmemdup(text, len),
		.len = len,
	};
}

/* After FNV-1a: tells edits of the same hand from no edits. Files of several hands are compared as they are. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	/* Eight at a time: all of the files go through here at every look at them. */
	for (; len >= sizeof(uint64_t); bytes += sizeof(uint64_t), len -= sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3;
		hash ^= hash >> 32;
	}
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

void config_files_digest(const struct config_files *f, char digest[17])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < f->n; i++) {
		uint64_t len = f->list[i].len;

		hash = hash_bytes(hash, f->list[i].name, strlen(f->list[i].name) + 1);
		hash = hash_bytes(hash, &len, sizeof(len));
		hash = hash_bytes(hash, f->list[i].text, f->list[i].len);
	}
	snprintf(digest, 17, "%016llx", (unsigned long long)hash);
}

bool config_files_equal(const struct config_files *a, const struct config_files *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->list[i].name, b->list[i].name) || a->list[i].len != b->list[i].len ||
		    memcmp(a->list[i].text, b->list[i].text, a->list[i].len) != 0)
			return false;
	return true;
}

struct config_files config_files_copy(const struct config_files *f)
{
	struct config_files copy = {0};

	for (size_t i = 0; i < f->n; i++)
		config_files_add(&copy, f->list[i].name, f->list[i].text, f->list[i].len);
	return copy;
}

struct config *config_new(void)
{
	struct config *c = xcalloc(1, sizeof(*c));

	c->daemon = values_new(&daemon_options);
	c->users = 1;
	return c;
}

struct config *config_use(struct config *c)
{
	c->users++;
	return c;
}

struct config *config_free(struct config *c)
{
	if (!c || --c->users)
		return NULL;
	model_done(&c->links);
	for (size_t i = 0; i < c->n_ports; i++)
		port_section_done(&c->ports[i]);
	free(c->ports);
	free(c->port_names);
	free(c->port_globs);
	for (size_t i = 0; i < c->n_matches; i++) {
		free(c->matches[i].path);
		free(c->matches[i].driver);
	}
	free(c->matches);
	for (size_t i = 0; i < c->n_networks; i++)
		network_free(c->networks[i]);
	free(c->networks);
	free(c->mentions);
	values_free(c->daemon);
	sources_done(&c->sources);
	free(c);
	return NULL;
}

static int by_pattern(const void *a, const void *b)
{
	const struct port_section *x = *(const struct port_section *const *)a;
	const struct port_section *y = *(const struct port_section *const *)b;

	int r = strcmp(x->pattern, y->pattern);

	/* Sections lie in one array in the order written: of one name twice, the first comes first. */
	return r ? r : (x > y) - (x < y);
}

static void index_port_sections(struct config *c)
{
	for (size_t i = 0; i < c->n_ports; i++) {
		if (c->ports[i].is_glob)
			*ARRAY_APPEND(c->port_globs, c->n_port_globs) = &c->ports[i];
		else
			*ARRAY_APPEND(c->port_names, c->n_port_names) = &c->ports[i];
	}
	if (c->n_port_names)
		qsort(c->port_names, c->n_port_names, sizeof(*c->port_names), by_pattern);
}

/* A declared link learns whose port it is; of two who say so (an error), the first. And what is true of any is noted.
 */
static void look_through(struct config *c)
{
	for (size_t i = 0; i < c->links.n_links; i++) {
		const struct link *master = c->links.links[i];

		c->concerns_host |= (master->common->set & LINK_SELF_ROWS) != 0;
		for (size_t j = 0; j < master->n_ports; j++) {
			struct link *port = model_find(&c->links, master->ports[j].name);

			if (port && !*port->master_name)
				memcpy(port->master_name, master->name, sizeof(port->master_name));
		}
	}
}

struct config *config_parse(const struct config_files *f, struct diags *d)
{
	struct config *c = config_new();
	struct parser p = {.config = c, .diags = d};
	const struct ini_receiver receiver = {.section = parser_section, .key = parser_key, .userdata = &p};
	size_t first = d->n, bytes = 0;

	d->sources = &c->sources;
	for (size_t i = 0; i < f->n; i++) {
		const struct config_file *file = &f->list[i];
		int number = sources_add(&c->sources, file->name);

		bytes += file->len;
		if (number < 0) {
			diag_add_file(d, SEVERITY_ERROR, file->name, "is one file too many: at most %d are read",
				      LOC_FILES_MAX);
			break;
		}
		if (bytes > CONFIG_BYTES_MAX) {
			diag_add_file(d, SEVERITY_ERROR, file->name, "makes the configuration larger than %u MiB",
				      CONFIG_BYTES_MAX >> 20);
			break;
		}
		ini_read(file->text, file->len, number, &receiver, d);
		parser_end_section(&p);
	}
	index_port_sections(c);
	look_through(c);
	config_index_mentions(c);
	config_check(c, d);
	c->spotless = d->n == first;
	diags_sort(d, first);
	return c;
}

static size_t kind_number(const struct kind *kind)
{
	size_t i = 0;

	while (kinds[i] && kinds[i] != kind)
		i++;
	return i;
}

static void merge_values(struct values *into, const struct values *from)
{
	for (unsigned row = 0; row < from->table->n; row++)
		if (values_has(from, row))
			values_put(into, row, value_copy(&from->table->rows[row], values_at(from, row)),
				   values_loc(from, row));
}

static const struct port_section *find_port_name(const struct config *c, const char *port)
{
	size_t low = 0, high = c->n_port_names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(c->port_names[middle]->pattern, port) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n_port_names && streq(c->port_names[low]->pattern, port) ? c->port_names[low] : NULL;
}

struct values *config_port_values(const struct config *c, const char *port, const struct kind *master_kind)
{
	const struct port_section *exact = find_port_name(c, port);
	size_t number = kind_number(master_kind);
	struct values *merged;

	if (!kinds[number] || !master_kind->port.n)
		return NULL;
	merged = values_new(&master_kind->port);
	for (size_t i = 0; i < c->n_port_globs; i++)
		/* The pattern's alphabet has neither '[' nor '\': '*' and '?' are all there is. */
		if (fnmatch(c->port_globs[i]->pattern, port, FNM_NOESCAPE) == 0)
			merge_values(merged, c->port_globs[i]->values[number]);
	if (exact)
		merge_values(merged, exact->values[number]);
	return merged->set ? merged : values_free(merged);
}
