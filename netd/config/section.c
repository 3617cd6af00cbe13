/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: section headers: which object one opens, what makes its name no name, that it is not there already; and at
 * its end the move of the object into the config.
 */
#include "parser.h"
#include "suggest.h"

/* What a section can be beside a link of some kind. */
static const char *const other_sections[] = {"port", "network", "daemon"};

size_t kinds_count(void)
{
	size_t n = 0;

	while (kinds[n])
		n++;
	return n;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._-", c));
}

/*
 * Narrower than dev_valid_name() (net/core/dev.c), which takes everything but '/', ':' and white space: names go into
 * sysctl paths, into other tools' command lines and into other tools' configuration.
 */
static char *word_fault(const char *name, size_t max)
{
	size_t len = strlen(name);

	if (len == 0)
		return xstrdup("is empty");
	if (len > max)
		return xasprintf("has %zu bytes, at most %zu are allowed", len, max);
	if (name[0] == '-')
		return xstrdup("starts with '-', which other tools take for an option");
	if (strchr(name, ','))
		return xstrdup("has ',' in it: the words of a list are separated by blanks");
	for (const char *c = name; *c; c++)
		if (!name_char(*c))
			return xasprintf("has '%c' in it: letters, digits, '.', '_' and '-' are allowed", *c);
	return NULL;
}

char *name_fault(const char *name, size_t max)
{
	/* "all" and "default" are directories beside the links' own in /proc/sys/net/ipv{4,6}/conf. */
	static const char *const reserved[] = {".", "..", "all", "default", "lo"};
	char *fault = word_fault(name, max);

	if (fault)
		return fault;
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (streq(name, reserved[i]))
			return xstrdup("is a name the kernel keeps for itself");
	return NULL;
}

const char *long_nic_hint(const char *name)
{
	if (strlen(name) < IFNAMSIZ)
		return "";
	return "; a NIC whose only name is longer gets a label here: [ethernet LABEL] with match_mac or match_path";
}

/* A glob is a name with '*' and '?' in it. */
static char *pattern_fault(const char *pattern)
{
	_cleanup_free_ char *plain = xstrdup(pattern);

	for (char *c = plain; *c; c++)
		if (*c == '*' || *c == '?')
			*c = 'x';
	return name_fault(plain, ALTNAME_MAX);
}

static void section_error(struct parser *p, const char *format, ...) _printf_(2, 3);
static void section_error(struct parser *p, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diag_addv(p->diags, SEVERITY_ERROR, p->section.loc, p->section.text, NULL, format, ap);
	va_end(ap);
	p->section.refused = true;
}

static void check_name(struct parser *p, const char *kind, const char *name, const char *fault, const char *hint)
{
	if (!*name)
		section_error(p, "%s needs a name: [%s NAME]", kind, kind);
	else if (fault)
		section_error(p, "the name '%.40s' %s%s", name, fault, hint);
}

static void open_link(struct parser *p, const struct kind *kind, const char *name)
{
	_cleanup_free_ char *fault = name_fault(name, IFNAMSIZ - 1);
	const struct link *other = model_find(&p->config->links, name);
	_cleanup_free_ char *place = other ? diag_place(p->diags, other->loc) : NULL;

	check_name(p, kind->name, name, fault, kind->flags & KIND_VIRTUAL ? "" : long_nic_hint(name));
	if (!parser_count(p, COUNT_LINKS, p->section.loc, NULL))
		p->section.refused = true;
	if (other && other->network[0])
		section_error(p, "[network %s] at %s makes '%s': its keys go in there", other->network, place, name);
	else if (other && other->kind == kind)
		section_error(p, "the same section is at %s", place);
	else if (other)
		section_error(p, "[%s %s] at %s has that name: one name, one link", other->kind->name, name, place);
	p->section.type = SECTION_LINK;
	p->section.link = link_new(name, kind);
	p->section.link->loc = p->section.loc;
	if (!(kind->flags & KIND_VIRTUAL))
		p->section.match = values_new(&match_options);
}

static void open_port(struct parser *p, const char *pattern)
{
	_cleanup_free_ char *fault = pattern_fault(pattern);
	struct port_section *port = xcalloc(1, sizeof(*port));

	check_name(p, "port", pattern, fault, "");
	port->pattern = xstrdup(pattern);
	port->is_glob = strpbrk(pattern, "*?") != NULL;
	if (!parser_count(p, port->is_glob ? COUNT_GLOBS : COUNT_PORT_NAMES, p->section.loc, NULL))
		p->section.refused = true;
	port->loc = p->section.loc;
	port->values = xcalloc(kinds_count(), sizeof(*port->values));
	for (size_t i = 0; kinds[i]; i++)
		if (kinds[i]->port.n)
			port->values[i] = values_new(&kinds[i]->port);
	p->section.type = SECTION_PORT;
	p->section.port = port;
}

static void open_network(struct parser *p, const char *name)
{
	/* The kernel never sees it: what is called after a network has its bridge's name. */
	_cleanup_free_ char *fault = word_fault(name, NETWORK_NAME_SIZE - 1);

	check_name(p, "network", name, fault, "");
	if (!parser_count(p, COUNT_LINKS, p->section.loc, NULL))
		p->section.refused = true;
	for (size_t i = 0; i < p->config->n_networks; i++) {
		_cleanup_free_ char *place = diag_place(p->diags, p->config->networks[i]->loc);

		if (streq(p->config->networks[i]->name, name))
			section_error(p, "the same section is at %s", place);
	}
	p->section.type = SECTION_NETWORK;
	p->section.network = network_new(name);
	p->section.network->loc = p->section.loc;
	p->section.link = link_new("", &kind_bridge);
	p->section.link->loc = p->section.loc;
	snprintf(p->section.link->network, NETWORK_NAME_SIZE, "%s", name);
}

static void open_daemon(struct parser *p, const char *name)
{
	if (*name)
		section_error(p, "[daemon] takes no name");
	if (p->daemon_loc.line) {
		_cleanup_free_ char *place = diag_place(p->diags, p->daemon_loc);

		section_error(p, "the same section is at %s", place);
	} else {
		p->daemon_loc = p->section.loc;
	}
	p->section.type = SECTION_DAEMON;
	p->section.daemon = values_new(&daemon_options);
}

/* "bridge:br0", "bridge.br0": written together, as other formats have it. */
static bool is_kind_and_name(const char *word)
{
	_cleanup_free_ char *kind = xstrdup(word);
	size_t len = strcspn(word, ":.=/-_");

	kind[len] = '\0';
	return word[len] && word[len + 1] && kind_find(kind);
}

static void refuse_kind(struct parser *p, const char *kind)
{
	struct suggest near = SUGGEST(kind);
	_cleanup_free_ char *all = NULL;
	size_t len;
	FILE *f = xmemstream(&all, &len);

	for (size_t i = 0; kinds[i]; i++) {
		suggest_try(&near, kinds[i]->name);
		fprintf(f, "%s, ", kinds[i]->name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(other_sections); i++) {
		suggest_try(&near, other_sections[i]);
		fprintf(f, "%s%s", i ? ", " : "", other_sections[i]);
	}
	fclose(f);
	if (is_kind_and_name(kind))
		section_error(p, "the header is [KIND NAME], with a blank between them");
	else if (near.best)
		section_error(p, "'%.40s' is not one of %s (did you mean '%s'?)", kind, all, near.best);
	else
		section_error(p, "'%.40s' is not one of %s", kind, all);
}

void parser_section(void *userdata, struct loc loc, const char *kind, const char *name)
{
	struct parser *p = userdata;

	parser_end_section(p);
	p->section.loc = loc;
	p->section.text = xasprintf("%s%s%s", kind, *name ? " " : "", name);
	if (streq(kind, "port"))
		open_port(p, name);
	else if (streq(kind, "daemon"))
		open_daemon(p, name);
	else if (streq(kind, "network"))
		open_network(p, name);
	else if (kind_find(kind))
		open_link(p, kind_find(kind), name);
	else
		refuse_kind(p, kind);
}

/* Keys that must be there. Asked here and not of the finished config: a key whose value was wrong is not missing. */
static void check_required(struct parser *p, const struct link *l)
{
	if (l->kind->flags & KIND_HAS_PARENT && !parser_seen(p, "parent"))
		parser_error(p, p->section.loc, "parent", "is missing: a %s is made on another link", l->kind->name);
	for (unsigned row = 0; row < l->kind->own.n; row++) {
		const struct option *o = &l->kind->own.rows[row];
		_cleanup_free_ char *allowed = NULL;

		if (!(o->flags & OPTION_REQUIRED) || parser_seen(p, o->key))
			continue;
		allowed = option_allowed(o);
		parser_error(p, p->section.loc, o->key, "is missing: a %s needs it (%s)", l->kind->name, allowed);
	}
}

static char *take_string(struct values *v, unsigned row)
{
	return values_has(v, row) ? xstrdup((const char *)values_at(v, row).blob->data) : NULL;
}

static void keep_match(struct parser *p)
{
	struct section *s = &p->section;
	struct match *m;

	if (!s->match || !s->match->set)
		return;
	m = ARRAY_APPEND(p->config->matches, p->config->n_matches);
	snprintf(m->label, sizeof(m->label), "%s", s->link->name);
	m->loc = s->loc;
	m->mac = values_num(s->match, MATCH_MAC, 0);
	m->path = take_string(s->match, MATCH_PATH);
	m->driver = take_string(s->match, MATCH_DRIVER);
}

void port_section_done(struct port_section *port)
{
	for (size_t i = 0; kinds[i]; i++)
		values_free(port->values[i]);
	free(port->values);
	free(port->pattern);
}

static void section_done(struct section *s)
{
	link_free(s->link);
	network_free(s->network);
	if (s->port)
		port_section_done(s->port);
	free(s->port);
	values_free(s->match);
	values_free(s->daemon);
	for (size_t i = 0; i < s->n_seen; i++)
		free(s->seen[i].spelling);
	free(s->seen);
	free(s->text);
	*s = (struct section){0};
}

void parser_end_section(struct parser *p)
{
	struct section *s = &p->section;

	if (s->type == SECTION_LINK)
		check_required(p, s->link);
	if (s->type == SECTION_NETWORK && !parser_seen(p, "bridge")) {
		parser_error(p, s->loc, "bridge", "is missing: it names the bridge that the network makes");
		s->refused = true;
	}
	if (!s->refused && s->type == SECTION_LINK) {
		keep_match(p);
		model_add(&p->config->links, s->link);
		s->link = NULL;
	} else if (!s->refused && s->type == SECTION_NETWORK) {
		network_fill_range(s->network, s->link);
		model_add(&p->config->links, s->link);
		*ARRAY_APPEND(p->config->networks, p->config->n_networks) = s->network;
		s->link = NULL;
		s->network = NULL;
	} else if (!s->refused && s->type == SECTION_PORT) {
		*ARRAY_APPEND(p->config->ports, p->config->n_ports) = *s->port;
		free(s->port);
		s->port = NULL;
	} else if (!s->refused && s->type == SECTION_DAEMON) {
		values_free(p->config->daemon);
		p->config->daemon = s->daemon;
		s->daemon = NULL;
	}
	section_done(s);
}
