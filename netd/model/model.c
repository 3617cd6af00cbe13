/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: links and the set of them: ownership, lookup by name and ifindex, relations. */
#include "model.h"

#include <wchar.h>

_Static_assert(sizeof(wchar_t) == sizeof(uint32_t), "next_with()");

/* Each table has at least twice as many slots as links, so that a probe ends soon at an empty one. */
#define TABLE_MIN 64

static size_t hash_name(const char *name)
{
	uint64_t h = 14695981039346656037ull; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 1099511628211ull;
	return (size_t)(h ^ h >> 32);
}

static size_t hash_index(uint32_t ifindex)
{
	return (size_t)(ifindex * 2654435769u >> 7);
}

typedef size_t home_fn(const struct link *l);

static size_t home_name(const struct link *l)
{
	return hash_name(l->name);
}

static size_t home_index(const struct link *l)
{
	return hash_index(l->ifindex);
}

static void table_insert(const struct model *m, uint32_t *table, home_fn *home, const struct link *l)
{
	size_t mask = m->table_size - 1, i = home(l) & mask;

	while (table[i])
		i = (i + 1) & mask;
	table[i] = (uint32_t)l->position + 1;
}

static size_t table_find(const struct model *m, const uint32_t *table, home_fn *home, const struct link *l)
{
	size_t mask = m->table_size - 1, i = home(l) & mask;

	while (table[i] != l->position + 1)
		i = (i + 1) & mask;
	return i;
}

/* Takes l out and moves later entries of its probe chain up, so that no gap cuts them off. */
static void table_remove(const struct model *m, uint32_t *table, home_fn *home, const struct link *l)
{
	size_t mask = m->table_size - 1, gap = table_find(m, table, home, l);

	table[gap] = 0;
	for (size_t i = (gap + 1) & mask; table[i]; i = (i + 1) & mask) {
		size_t want = home(m->links[table[i] - 1]) & mask;

		if (((i - want) & mask) < ((i - gap) & mask))
			continue;
		table[gap] = table[i];
		table[i] = 0;
		gap = i;
	}
}

/* What only models of the kernel have. */
static void insert_index(struct model *m, const struct link *l)
{
	table_insert(m, m->by_index, home_index, l);
	m->masters[l->position] = l->master;
	m->parents[l->position] = l->parent;
}

static void make_index(struct model *m)
{
	free(m->by_index);
	free(m->masters);
	free(m->parents);
	m->by_index = xcalloc(m->table_size, sizeof(*m->by_index));
	m->masters = xcalloc(m->table_size / 2, sizeof(*m->masters));
	m->parents = xcalloc(m->table_size / 2, sizeof(*m->parents));
	for (size_t i = 0; i < m->n_links; i++)
		if (m->links[i]->ifindex)
			insert_index(m, m->links[i]);
}

static void model_resize(struct model *m, size_t size)
{
	free(m->by_name);
	m->table_size = size;
	m->by_name = xcalloc(size, sizeof(*m->by_name));
	for (size_t i = 0; i < m->n_links; i++)
		table_insert(m, m->by_name, home_name, m->links[i]);
	if (m->by_index)
		make_index(m);
}

char *link_section(const struct link *l)
{
	return l->network[0] ? xasprintf("network %s", l->network) : xasprintf("%s %s", l->kind->name, l->name);
}

void model_done(struct model *m)
{
	for (size_t i = 0; i < m->n_links; i++)
		link_free(m->links[i]);
	free(m->links);
	free(m->by_name);
	free(m->by_index);
	free(m->masters);
	free(m->parents);
	free(m->altnamed);
	free(m->nowhere);
	*m = MODEL_NULL;
}

void model_add(struct model *m, struct link *l)
{
	if (m->table_size < (m->n_links + 1) * 2)
		model_resize(m, m->table_size ? m->table_size * 2 : TABLE_MIN);
	if (l->ifindex && !m->by_index)
		make_index(m);
	m->version++;
	if (l->altnames)
		*ARRAY_APPEND(m->altnamed, m->n_altnamed) = l;
	l->position = m->n_links;
	*ARRAY_APPEND(m->links, m->n_links) = l;
	table_insert(m, m->by_name, home_name, l);
	if (l->ifindex)
		insert_index(m, l);
	else if (m->by_index)
		m->masters[l->position] = m->parents[l->position] = 0;
}

/* The last link takes the place of one that went. */
static void move_last(struct model *m, size_t to)
{
	size_t from = --m->n_links;
	struct link *last = m->links[from];

	if (from == to)
		return;
	m->by_name[table_find(m, m->by_name, home_name, last)] = (uint32_t)to + 1;
	if (last->ifindex)
		m->by_index[table_find(m, m->by_index, home_index, last)] = (uint32_t)to + 1;
	if (m->by_index) {
		m->masters[to] = m->masters[from];
		m->parents[to] = m->parents[from];
	}
	m->links[to] = last;
	last->position = to;
}

struct link *model_take(struct model *m, struct link *l)
{
	m->version++;
	for (size_t i = 0; l->altnames && i < m->n_altnamed; i++)
		if (m->altnamed[i] == l)
			m->altnamed[i] = m->altnamed[--m->n_altnamed];
	table_remove(m, m->by_name, home_name, l);
	if (l->ifindex)
		table_remove(m, m->by_index, home_index, l);
	move_last(m, l->position);
	return l;
}

void model_rename(struct model *m, struct link *l, const char *name)
{
	table_remove(m, m->by_name, home_name, l);
	snprintf(l->name, sizeof(l->name), "%s", name);
	table_insert(m, m->by_name, home_name, l);
}

void model_relate(struct model *m, struct link *l, uint32_t master, uint32_t parent)
{
	l->master = master;
	l->parent = parent;
	if (m->by_index) {
		m->masters[l->position] = master;
		m->parents[l->position] = parent;
	}
}

/* wmemchr() looks at eight numbers at a time: thousands of links take as long as a few lookups by name. */
static struct link *next_with(const struct model *m, const uint32_t *numbers, uint32_t ifindex, size_t *i)
{
	const wchar_t *found;

	if (!m->by_index || !ifindex || *i >= m->n_links)
		return NULL;
	found = wmemchr((const wchar_t *)numbers + *i, (wchar_t)ifindex, m->n_links - *i);
	if (!found)
		return NULL;
	*i = (size_t)(found - (const wchar_t *)numbers) + 1;
	return m->links[*i - 1];
}

struct link *model_next_port(const struct model *m, uint32_t ifindex, size_t *i)
{
	return next_with(m, m->masters, ifindex, i);
}

struct link *model_next_upper(const struct model *m, uint32_t ifindex, size_t *i)
{
	return next_with(m, m->parents, ifindex, i);
}

struct link *model_find(const struct model *m, const char *name)
{
	size_t mask = m->table_size - 1;

	if (m->table_size == 0)
		return NULL;
	for (size_t i = hash_name(name) & mask; m->by_name[i]; i = (i + 1) & mask)
		if (streq(m->links[m->by_name[i] - 1]->name, name))
			return m->links[m->by_name[i] - 1];
	return NULL;
}

struct link *model_index(const struct model *m, uint32_t ifindex)
{
	size_t mask = m->table_size - 1;

	if (!m->by_index || ifindex == 0)
		return NULL;
	for (size_t i = hash_index(ifindex) & mask; m->by_index[i]; i = (i + 1) & mask)
		if (m->links[m->by_index[i] - 1]->ifindex == ifindex)
			return m->links[m->by_index[i] - 1];
	return NULL;
}

static bool link_has_altname(const struct link *l, const char *name)
{
	if (!l->altnames)
		return false;
	for (const char *a = l->altnames; *a; a += strlen(a) + 1)
		if (streq(a, name))
			return true;
	return false;
}

struct link *model_find_any(const struct model *m, const char *name)
{
	struct link *l = model_find(m, name);

	for (size_t i = 0; !l && *name && i < m->n_altnamed; i++)
		if (link_has_altname(m->altnamed[i], name))
			l = m->altnamed[i];
	return l;
}

struct link *model_master(const struct model *m, const struct link *l)
{
	return l->master_name[0] ? model_find(m, l->master_name) : model_index(m, l->master);
}

struct link *model_parent(const struct model *m, const struct link *l)
{
	return l->parent_name[0] ? model_find(m, l->parent_name) : model_index(m, l->parent);
}

int slot_compare(const struct link *a, const struct link *b)
{
	if (a->kind != b->kind)
		return strcmp(a->kind->name, b->kind->name);
	for (uint64_t rows = a->kind->slot; rows; rows &= rows - 1) {
		unsigned row = (unsigned)__builtin_ctzll(rows);
		uint64_t initial = (uint64_t)a->kind->own.rows[row].initial;
		uint64_t x = values_num(a->own, row, initial), y = values_num(b->own, row, initial);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

void name_copy(char to[IFNAMSIZ], const char *from)
{
	char name[IFNAMSIZ] = "";

	memcpy(name, from, strnlen(from, IFNAMSIZ - 1));
	memcpy(to, name, IFNAMSIZ);
}

struct link *link_new(const char *name, const struct kind *kind)
{
	struct link *l = xcalloc(1, sizeof(*l));

	name_copy(l->name, name);
	l->kind = kind;
	l->common = values_new(&link_options);
	if (kind->own.n)
		l->own = values_new(&kind->own);
	return l;
}

struct link *link_free(struct link *l)
{
	if (!l)
		return NULL;
	values_free(l->common);
	values_free(l->own);
	values_free(l->port);
	free(l->addresses);
	free(l->routes);
	free(l->vlans);
	for (size_t i = 0; i < l->n_ports; i++)
		free(l->ports[i].name);
	free(l->ports);
	free(l->waits_for);
	free(l->driver);
	free(l->parent_dev);
	free(l->altnames);
	free(l);
	return NULL;
}

static char *altnames_copy(const char *altnames)
{
	size_t len = 0;

	if (!altnames)
		return NULL;
	while (altnames[len])
		len += strlen(altnames + len) + 1;
	return xmemdup(altnames, len + 1);
}

struct link *link_copy(const struct link *l)
{
	struct link *copy = xmemdup(l, sizeof(*l));

	copy->common = values_copy(l->common);
	copy->own = values_copy(l->own);
	copy->port = values_copy(l->port);
	copy->addresses = array_copy(l->addresses, l->n_addresses, sizeof(*l->addresses));
	copy->routes = array_copy(l->routes, l->n_routes, sizeof(*l->routes));
	copy->vlans = array_copy(l->vlans, l->n_vlans, sizeof(*l->vlans));
	copy->ports = array_copy(l->ports, l->n_ports, sizeof(*l->ports));
	for (size_t i = 0; i < l->n_ports; i++)
		copy->ports[i].name = xstrdup(l->ports[i].name);
	copy->waits_for = l->waits_for ? xstrdup(l->waits_for) : NULL;
	copy->driver = l->driver ? xstrdup(l->driver) : NULL;
	copy->parent_dev = l->parent_dev ? xstrdup(l->parent_dev) : NULL;
	copy->altnames = altnames_copy(l->altnames);
	return copy;
}

void link_share(struct link *l, const struct link *like)
{
	values_share(l->common, like->common);
	values_share(l->own, like->own);
	values_share(l->port, like->port);
}

static const struct option_table *port_table(const struct link *l)
{
	return l->port ? l->port->table : NULL;
}

/* How far back one is looked for: links on each other often come in turn. */
#define SHARED_BACK 8

void model_share(const struct model *m, struct link *l)
{
	size_t first = m->n_links - MIN(m->n_links, (size_t)SHARED_BACK);

	for (size_t i = m->n_links; i-- > first;) {
		const struct link *like = m->links[i];

		if (like->kind == l->kind && port_table(like) == port_table(l)) {
			link_share(l, like);
			return;
		}
	}
}

bool value_equal(const struct model *actual, const struct option *o, union value want, union value have)
{
	const struct link *l;

	if (o->type != &type_ifname || !want.blob || ifname_index(want) || !ifname_index(have))
		return o->type->equal(o, want, have);
	l = model_find_any(actual, (const char *)want.blob->data);
	return l && l->ifindex == ifname_index(have);
}

char *value_text_in(const struct model *actual, const struct option *o, union value v)
{
	const struct link *l = o->type == &type_ifname ? model_index(actual, ifname_index(v)) : NULL;

	return l ? xstrdup(l->name) : value_text(o, v);
}
