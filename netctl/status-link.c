/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `netctl status LINK`: everything about one link: what it is, its ports and what is on it, and its options,
 * those of the configuration first. The option rows of the core tell which are settings and which are at the
 * kernel's initial value; an option that this netctl does not know is shown all the same.
 */
#include "../netd/model/kind.h"
#include "errors.h"
#include "json.h"
#include "status.h"

enum group { GROUP_DECLARED, GROUP_CHANGED, GROUP_STATE, GROUP_INITIAL, _GROUPS };

static const char *const group_titles[_GROUPS] = {
	[GROUP_DECLARED] = "Options set by the configuration",
	[GROUP_CHANGED] = "Other options, not at the kernel's initial value",
	[GROUP_STATE] = "State",
	[GROUP_INITIAL] = "At the kernel's initial value",
};

static void field(struct table *t, const char *name, const char *value)
{
	struct row *r;

	if (!value || !*value)
		return;
	r = table_row(t);
	cell_set(r, 0, STYLE_DIM, "%s", name);
	cell_set(r, 1, STYLE_PLAIN, "%s", value);
}

/* A list's items: on one line with a separator, or with NULL on a line each. */
static void field_list(struct table *t, const char *name, struct json_object *link, const char *key,
		       const char *separator)
{
	_cleanup_free_ char *joined = NULL;

	for (size_t i = 0; i < json_count(link, key); i++) {
		const char *item = json_item_text(link, key, i);
		char *longer;

		if (!separator) {
			field(t, i ? "" : name, item);
			continue;
		}
		longer = joined ? xasprintf("%s%s%s", joined, separator, item) : xstrdup(item);
		free(joined);
		joined = longer;
	}
	field(t, name, joined);
}

static void print_title(struct term *t, const struct node *n)
{
	_cleanup_free_ char *kind = link_kind(n->link), *speed = link_speed(n->link), *rest = NULL;
	const char *duplex = json_text(n->link, "duplex");
	enum style style;
	_cleanup_free_ char *state = link_state(n->link, &style);

	term_styled(t, STYLE_BOLD, n->name);
	rest = xasprintf(": %s, ", kind);
	print_safe(rest, t->out);
	term_styled(t, style, state);
	if (speed)
		fprintf(t->out, ", %s", speed);
	if (speed && duplex && streq(duplex, "full"))
		fputs(" full duplex", t->out);
	else if (speed && duplex && streq(duplex, "half"))
		fputs(" half duplex", t->out);
	fputc('\n', t->out);
}

/* Where it is declared, and whose it is. The caller frees it. */
static char *origin(struct json_object *link)
{
	_cleanup_free_ char *place = place_text(link);
	bool created = json_flag(link, "created");

	if (!json_flag(link, "declared"))
		return xstrdup(created ? "no more; kvmnetd made it" : "no: it is not kvmnetd's");
	return xasprintf("yes%s%s", place, created ? ", made by kvmnetd" : "");
}

static char *mac_line(struct json_object *link)
{
	const char *mac = json_text(link, "mac"), *permanent = json_text(link, "permanent_mac");

	if (!mac)
		return NULL;
	if (!permanent || streq(mac, permanent))
		return xstrdup(mac);
	return xasprintf("%s, permanent %s", mac, permanent);
}

static int by_number(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* The VLANs on it; of very many only the first. */
static void field_on_it(struct table *t, const struct tree *tree, const struct node *n)
{
	enum { SHOWN = 20 };
	_cleanup_free_ const char **names = xcalloc(tree->n, sizeof(*names));
	_cleanup_free_ char *text = NULL;
	size_t count = 0, len;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < tree->n; i++)
		if (streq(json_text_or(tree->nodes[i].link, "parent", ""), n->name))
			names[count++] = tree->nodes[i].name;
	qsort(names, count, sizeof(*names), by_number);
	for (size_t i = 0; i < MIN(count, SHOWN); i++)
		fprintf(f, "%s%s", i ? " " : "", names[i]);
	if (count > SHOWN)
		fprintf(f, " and %zu more", count - SHOWN);
	fclose(f);
	field(t, "on it", text);
}

/* "192.0.2.100/24, for another 58 min" */
static void field_leases(struct table *t, struct json_object *link)
{
	for (size_t i = 0; i < json_count(link, "leases"); i++) {
		struct json_object *lease = json_item(link, "leases", i);
		const char *address = json_text_or(lease, "address", "?");
		long long left = json_int(lease, "seconds_left", -1);
		_cleanup_free_ char *text = NULL;

		if (left < 0)
			text = xasprintf("%s, for ever", address);
		else if (left < 120)
			text = xasprintf("%s, for another %lld s", address, left);
		else if (left < 7200)
			text = xasprintf("%s, for another %lld min", address, left / 60);
		else
			text = xasprintf("%s, for another %lld h", address, left / 3600);
		field(t, i ? "" : "leased", text);
	}
}

/* "guests, forward = nat" */
static void field_network(struct table *t, struct json_object *link)
{
	struct json_object *network = json_get(link, "network", json_type_object);
	_cleanup_free_ char *text = NULL;

	if (!network)
		return;
	text = xasprintf("%s, forward = %s", json_text_or(network, "name", "?"), json_text_or(network, "forward", "?"));
	field(t, "network", text);
}

static void print_identity(struct term *t, const struct tree *tree, const struct node *n)
{
	struct table table = {.n_columns = 2, .indent = 2};
	struct json_object *link = n->link;
	_cleanup_free_ char *declared = origin(link), *mac = mac_line(link);
	_cleanup_free_ char *index = xasprintf("%lld", (long long)json_int(link, "ifindex", 0));
	_cleanup_free_ char *mtu = xasprintf("%lld", (long long)json_int(link, "mtu", 0));
	const char *oper = json_text(link, "operstate");

	field(&table, "declared", declared);
	field_network(&table, link);
	field(&table, "ifindex", json_int(link, "ifindex", 0) ? index : NULL);
	field_list(&table, "also called", link, "altnames", " ");
	field(&table, "operstate", oper && !streq(oper, json_text_or(link, "state", "")) ? oper : NULL);
	field(&table, "mac", mac);
	field(&table, "mtu", json_int(link, "mtu", 0) ? mtu : NULL);
	field(&table, "master", json_text(link, "master"));
	field(&table, "parent", json_text(link, "parent"));
	field_list(&table, "ports", link, "ports", " ");
	field_on_it(&table, tree, n);
	field_list(&table, "address", link, "addresses", NULL);
	field_leases(&table, link);
	field_list(&table, "route", link, "routes", NULL);
	field_list(&table, "vlans", link, "vlans", ", ");
	table_print(&table, t);
}

static void print_differences(struct term *t, struct json_object *link)
{
	if (!link_differs(link))
		return;
	term_heading(t, "Not as declared");
	for (size_t i = 0; i < json_count(link, "differences"); i++) {
		_cleanup_free_ char *text = difference_text(json_item(link, "differences", i));

		fputs("  ", t->out);
		term_styled(t, STYLE_WARN, text);
		fputc('\n', t->out);
	}
}

/* What one wants side by side of the ports of a bond or bridge; the rest is in each port's own status. */
static const struct {
	const char *key, *title;
	bool rare; /* 0 says nothing */
} port_columns[] = {
	{"mii_status", "MII", false},
	{"link_failure_count", "FAILURES", false},
	{"perm_hwaddr", "PERMANENT MAC", false},
	{"ad_aggregator_id", "AGGREGATOR", false},
	{"queue_id", "QUEUE", true},
	{"prio", "PRIO", true},
	{"path_cost", "COST", false},
	{"priority", "PRIORITY", false},
	{"isolated", "ISOLATED", false},
};

#define PORT_TITLES (3 + ARRAY_SIZE(port_columns))
_Static_assert(PORT_TITLES <= TABLE_COLUMNS_MAX, "a row has a cell for each");

static void port_row(struct table *table, const struct node *port, const struct node *master _unused_)
{
	struct json_object *options = json_get(port->link, "port_options", json_type_object);
	enum style style;
	_cleanup_free_ char *state = link_state(port->link, &style), *speed = link_speed(port->link);
	const char *as_port = json_text(options, "state");
	struct row *r = table_row(table);

	cell_set(r, 0, STYLE_BOLD, "%s", port->name);
	if (as_port && !strchr(state, ','))
		cell_set(r, 1, style, "%s, %s", state, as_port);
	else
		cell_set(r, 1, style, "%s", state);
	if (speed)
		cell_set(r, 2, STYLE_PLAIN, "%s%s", speed,
			 streq(json_text_or(port->link, "duplex", ""), "half") ? " half duplex" : "");
	for (size_t i = 0; i < ARRAY_SIZE(port_columns); i++) {
		const char *text = json_text(options, port_columns[i].key);

		if (text && !(port_columns[i].rare && streq(text, "0")))
			cell_set(r, (unsigned)(3 + i), STYLE_PLAIN, "%s", text);
	}
}

/* What LACP says of a port, by the bond that it is one of; NULL: nothing. */
static struct json_object *find_lacp(const struct node *bond, const char *port)
{
	for (size_t i = 0; i < json_count(bond->link, "lacp"); i++) {
		struct json_object *lacp = json_item(bond->link, "lacp", i);

		if (streq(json_text_or(lacp, "name", ""), port))
			return lacp;
	}
	return NULL;
}

static void pdu_row(struct table *table, const char *port, const char *side, struct json_object *said)
{
	static const char *const numbers[] = {"system_priority", "key", "port", "port_priority"};
	long long churned = json_int(said, "churned", 0);
	struct row *r = table_row(table);

	cell_set(r, 0, STYLE_BOLD, "%s", port);
	cell_set(r, 1, STYLE_DIM, "%s", side);
	cell_set(r, 2, STYLE_PLAIN, "%s", json_text_or(said, "system", ""));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		cell_set(r, (unsigned)(3 + i), STYLE_PLAIN, "%lld", (long long)json_int(said, numbers[i], 0));
	cell_set(r, 7, STYLE_PLAIN, "%s", json_text_or(said, "churn", ""));
	if (churned)
		cell_set(r, 8, STYLE_PLAIN, "%lld", churned);
}

static void pdu_rows(struct table *table, const struct node *port, const struct node *bond)
{
	struct json_object *lacp = find_lacp(bond, port->name);

	if (!lacp)
		return;
	pdu_row(table, port->name, "ours", json_get(lacp, "actor", json_type_object));
	pdu_row(table, "", "partner's", json_get(lacp, "partner", json_type_object));
}

/* LACP's states are too long for columns beside the others. */
static void lacp_rows(struct table *table, const struct node *port, const struct node *bond _unused_)
{
	struct json_object *options = json_get(port->link, "port_options", json_type_object);
	const char *actor = json_text(options, "ad_actor_oper_port_state");
	const char *partner = json_text(options, "ad_partner_oper_port_state");
	struct row *r;

	if (!actor && !partner)
		return;
	r = table_row(table);
	cell_set(r, 0, STYLE_BOLD, "%s", port->name);
	cell_set(r, 1, STYLE_DIM, "ours");
	cell_set(r, 2, STYLE_PLAIN, "%s", actor ? actor : "not known");
	r = table_row(table);
	cell_set(r, 1, STYLE_DIM, "partner's");
	cell_set(r, 2, STYLE_PLAIN, "%s", partner ? partner : "not known");
}

/* "10 pvid untagged, 20-29" */
static void vlan_row(struct table *table, const struct node *port, const struct node *master _unused_)
{
	field_list(table, port->name, port->link, "vlans", ", ");
}

static bool is_port_of(const struct node *port, const struct node *master)
{
	const char *name = json_text(port->link, "master");

	return name && streq(name, master->name);
}

/* One table about all ports of n; nothing if none has anything to say. */
static void print_port_table(struct term *t, const struct node *n, struct table *table, const char *title,
			     void (*add)(struct table *table, const struct node *port, const struct node *master))
{
	for (size_t i = 0; i < n->n_children; i++)
		if (is_port_of(n->children[i], n))
			add(table, n->children[i], n);
	if (!table->n_rows)
		return;
	term_heading(t, title);
	table_print(table, t);
}

static void print_ports(struct term *t, const struct node *n)
{
	const char *titles[PORT_TITLES] = {"PORT", "STATE", "SPEED"};
	struct table ports = {.titles = titles, .n_columns = PORT_TITLES, .indent = 2};
	static const char *const pdu_titles[] = {"PORT",   "SIDE",	"SYSTEM", "SYS PRIO", "KEY",
						 "NUMBER", "PORT PRIO", "CHURN",  "CHURNED"};
	struct table pdus = {.titles = pdu_titles, .n_columns = ARRAY_SIZE(pdu_titles), .indent = 2};
	struct table lacp = {.n_columns = 3, .indent = 2};
	struct table vlans = {.n_columns = 2, .indent = 2};

	for (size_t i = 0; i < ARRAY_SIZE(port_columns); i++)
		titles[3 + i] = port_columns[i].title;
	print_port_table(t, n, &ports, "Ports", port_row);
	print_port_table(t, n, &pdus, "LACP", pdu_rows);
	print_port_table(t, n, &lacp, "LACP state", lacp_rows);
	print_port_table(t, n, &vlans, "VLANs of the ports", vlan_row);
}

static const struct option *find_row(const struct option_table *table, const char *key)
{
	int row = table ? option_find(table, key) : -ENOENT;

	return row < 0 ? NULL : &table->rows[row];
}

static bool is_declared(struct json_object *link, const char *key)
{
	for (size_t i = 0; i < json_count(link, "declared_keys"); i++)
		if (streq(json_item_text(link, "declared_keys", i), key))
			return true;
	return false;
}

static bool is_initial(const struct option *o, const char *text)
{
	_cleanup_free_ char *initial = NULL;

	if (o->type->is_blob)
		return !*text || streq(text, "none");
	initial = value_text(o, (union value){.num = (uint64_t)o->initial});
	return streq(initial, text);
}

static enum group group_of(struct json_object *link, const struct option *o, const char *key, const char *text)
{
	if (is_declared(link, key))
		return GROUP_DECLARED;
	if (!o)
		return GROUP_CHANGED;
	if (o->flags & (OPTION_STATUS | OPTION_REFUSED | OPTION_INTERNAL))
		return GROUP_STATE;
	return is_initial(o, text) ? GROUP_INITIAL : GROUP_CHANGED;
}

/* `up` is only told when it is declared: the first line says it. */
static bool in_group(struct json_object *link, const struct option_table *rows, enum group group, const char *key,
		     const char *text)
{
	const struct option *o = find_row(rows, key);

	if (!o)
		o = find_row(&link_options, key);
	if (o == &link_options.rows[LINK_UP] && !is_declared(link, key))
		return false;
	return group_of(link, o, key, text) == group;
}

/* The dull ones: many to a line. */
static void print_dense(struct term *t, struct row *rows, size_t n)
{
	size_t limit = t->width ? t->width : 100, column = 0;

	for (size_t i = 0; i < n; i++) {
		struct cell *cells = rows[i].cells;
		size_t width = strlen(cells[0].text) + 1 + text_width(cells[1].text);
		bool fits = column && column + 2 + width <= limit;

		fprintf(t->out, "%s  ", column && !fits ? "\n" : "");
		term_styled(t, STYLE_DIM, cells[0].text);
		fputc('=', t->out);
		term_styled(t, STYLE_PLAIN, cells[1].text);
		column = (fits ? column : 0) + 2 + width;
		free(cells[0].text);
		free(cells[1].text);
	}
	fputc('\n', t->out);
	free(rows);
}

static void print_group(struct term *t, struct json_object *link, const struct option_table *rows,
			struct json_object *options, enum group group, const char *suffix)
{
	struct table table = {.n_columns = 2, .indent = 2};
	_cleanup_free_ char *title = xasprintf("%s%s", group_titles[group], suffix);

	json_object_object_foreach (options, key, value) {
		const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
		struct row *r;

		if (!in_group(link, rows, group, key, text))
			continue;
		r = table_row(&table);
		cell_set(r, 0, group == GROUP_DECLARED ? STYLE_BOLD : STYLE_DIM, "%s", key);
		cell_set(r, 1, STYLE_PLAIN, "%s", text);
	}
	if (!table.n_rows)
		return;
	term_heading(t, title);
	if (group == GROUP_INITIAL)
		print_dense(t, table.rows, table.n_rows);
	else
		table_print(&table, t);
}

static void print_direction(struct term *t, struct json_object *statistics, const char *title, const char *prefix)
{
	static const char *const counters[] = {"packets", "bytes", "errors", "dropped"};

	fprintf(t->out, "  %-9s", title);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		_cleanup_free_ char *key = xasprintf("%s_%s", prefix, counters[i]);

		fprintf(t->out, "%s%lld %s", i ? ", " : "", (long long)json_int(statistics, key, 0), counters[i]);
	}
	fputc('\n', t->out);
}

static void print_statistics(struct term *t, struct json_object *statistics)
{
	if (!statistics)
		return;
	term_heading(t, "Traffic");
	print_direction(t, statistics, "received", "rx");
	print_direction(t, statistics, "sent", "tx");
}

static void print_options(struct term *t, struct json_object *link, const struct option_table *rows, const char *member,
			  const char *suffix)
{
	struct json_object *options = json_get(link, member, json_type_object);

	for (enum group group = 0; options && group < _GROUPS; group++)
		print_group(t, link, rows, options, group, suffix);
}

void status_link(struct term *t, const struct tree *tree, const struct node *n)
{
	const char *master_name = json_text(n->link, "master");
	const struct node *master = tree_find(tree, master_name);
	const struct kind *kind = kind_find(json_text_or(n->link, "kind", ""));
	const struct kind *master_kind = master ? kind_find(json_text_or(master->link, "kind", "")) : NULL;
	_cleanup_free_ char *suffix = xasprintf(" (as a port of %s)", master_name ? master_name : "its master");

	print_title(t, n);
	print_identity(t, tree, n);
	print_differences(t, n->link);
	print_ports(t, n);
	print_statistics(t, json_get(n->link, "statistics", json_type_object));
	print_options(t, n->link, kind ? &kind->own : NULL, "options", "");
	print_options(t, n->link, master_kind ? &master_kind->port : NULL, "port_options", suffix);
}
