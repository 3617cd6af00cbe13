/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what an operator asks for: is it right, may it run, and what should be known before; then it is handed to
 * the loop. */
#include "../plan/assist.h"
#include "../plan/stranded.h"
#include "manager.h"
#include "subnets.h"

static void warn_rival(const struct link *want, const char *rival, const char *cure, void *userdata)
{
	_cleanup_free_ char *section = xasprintf("%s %s", want->kind->name, want->name);

	diag_add(userdata, SEVERITY_WARNING, want->loc, section, NULL, "%s is active on it, too (%s)", rival, cure);
}

/* Name servers that nobody takes. */
static void warn_unheard(const struct manager *m, const struct effective *e, struct diags *d)
{
	const uint64_t rows = 1ull << LINK_DNS | 1ull << LINK_SEARCH;

	for (size_t i = 0; i < e->links.n_links && !host_resolver(m->host); i++) {
		const struct link *want = e->links.links[i];
		enum link_row row = values_has(want->common, LINK_DNS) ? LINK_DNS : LINK_SEARCH;
		_cleanup_free_ char *section = NULL;

		if (!(want->common->set & rows))
			continue;
		section = link_section(want);
		diag_add(d, SEVERITY_WARNING, values_loc(want->common, row), section, link_options.rows[row].key,
			 "nobody takes it now: systemd-resolved does not run and resolvconf is not installed "
			 "(or let [daemon] resolv_conf = yes write /etc/resolv.conf)");
	}
}

static void warn_unzoned(const struct manager *m, const struct effective *e, struct diags *d)
{
	for (size_t i = 0; i < e->links.n_links && !host_has_zones(m->host); i++) {
		const struct link *want = e->links.links[i];
		_cleanup_free_ char *section = NULL;

		if (!values_has(want->common, LINK_ZONE) || !values_loc(want->common, LINK_ZONE).file)
			continue;
		section = link_section(want);
		diag_add(d, SEVERITY_WARNING, values_loc(want->common, LINK_ZONE), section, "zone",
			 "firewalld does not run: it is told when it does");
	}
}

static void warn_unanswered(const struct manager *m, const struct effective *e, struct diags *d)
{
	for (size_t i = 0; i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i];
		_cleanup_free_ char *section = NULL, *text = NULL;

		if (!values_num(want->common, LINK_DHCP, DHCP_NO))
			continue;
		text = host_dhcp_trouble(m->host, want->name);
		section = link_section(want);
		if (text)
			diag_add(d, SEVERITY_WARNING, values_loc(want->common, LINK_DHCP), section, "dhcp", "%s", text);
	}
}

static void warn_unserved(const struct manager *m, const struct effective *e, struct diags *d)
{
	for (size_t i = 0; i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i];
		_cleanup_free_ char *text = NULL, *section = NULL;

		if (!want->network[0])
			continue;
		text = host_dnsmasq_trouble(m->host, want->name);
		section = link_section(want);
		if (text)
			diag_add(d, SEVERITY_WARNING, want->loc, section, NULL, "dnsmasq: %s", text);
	}
}

/* Where it is on, packets that a bridge forwards go through all rules of the host, of whoever they are. */
static void warn_bridge_filter(const struct effective *e, struct diags *d)
{
	const char *path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
	_cleanup_fclose_ FILE *f = e->firewall.present ? fopen(path, "re") : NULL;

	if (f && fgetc(f) == '1')
		diag_add(d, SEVERITY_WARNING, LOC_NONE, NULL, NULL,
			 "br_netfilter is on: what guests of one network send each other goes through other firewalls' "
			 "rules, "
			 "too (unless somebody needs that: sysctl net.bridge.bridge-nf-call-iptables=0)");
}

/* Does a route lead beyond the wire of the link? */
static bool leads_on(const struct link *have)
{
	for (size_t i = 0; i < have->n_routes; i++)
		if (have->routes[i].has_gateway)
			return true;
	/* A point-to-point link needs no gateway, only a route. */
	return have->flags & IFF_POINTOPOINT && have->n_routes;
}

/* Guests of a network that names its uplink get no further than that leads. */
static void warn_uplinks(const struct manager *m, const struct config *c, const struct effective *e, struct diags *d)
{
	for (size_t i = 0; i < c->n_networks; i++) {
		const struct network *n = c->networks[i];
		const char *uplink = network_word(n, NETWORK_UPLINK);
		const struct link *have = uplink ? model_find_any(kernel_actual(m->kernel), uplink) : NULL;
		const struct link *want = uplink ? model_find(&e->links, uplink) : NULL;
		_cleanup_free_ char *section = NULL;

		if (!uplink || (have && leads_on(have)) || (want && leads_on(want)))
			continue;
		/* The label of an [ethernet] section is no name that the kernel knows. */
		if (!have && !want && c->n_matches)
			continue;
		section = xasprintf("network %s", n->name);
		diag_add(d, SEVERITY_WARNING, values_loc(n->own, NETWORK_UPLINK), section, "uplink",
			 have || want ? "%s has no route with a gateway: guests reach no further than the link itself"
				      : "%s is not there: guests reach nothing outside until it is",
			 uplink);
	}
}

static void add_warning(const char *text, void *userdata)
{
	diag_add(userdata, SEVERITY_WARNING, LOC_NONE, NULL, NULL, "%s", text);
}

static void warn_foreign(struct manager *m, const struct config *c, struct diags *d)
{
	const struct foreign *const both[] = {kernel_foreign(m->kernel), kernel_legacy(m->kernel)};

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		const char *trouble = host_iptables_trouble(m->host, i > 0);

		assist_warn(c, both[i], add_warning, d);
		if (trouble)
			diag_add(d, SEVERITY_WARNING, LOC_NONE, NULL, NULL,
				 "another firewall drops what guests send, and could not be told to let it pass: %s",
				 trouble);
	}
}

/* A process that begins meanwhile is told of by a later status; a plan looks anew. */
#define CLIENTS_USEC (5ull * 1000 * 1000)

void manager_warn_rivals(struct manager *m, const struct config *c, const struct effective *e, struct diags *d)
{
	dhcp_clients_look(&m->clients, CLIENTS_USEC);
	claims_find_rivals(&m->clients, e, kernel_actual(m->kernel), warn_rival, d);
	warn_unheard(m, e, d);
	warn_unanswered(m, e, d);
	warn_unserved(m, e, d);
	warn_bridge_filter(e, d);
	warn_unzoned(m, e, d);
	if (!c || !c->n_networks)
		return;
	warn_uplinks(m, c, e, d);
	warn_foreign(m, c, d);
}

static void warn_stranded(const struct stranded *s, void *userdata)
{
	_cleanup_free_ char *section = xasprintf("%s %s", s->master->kind->name, s->master->name);

	diag_add(userdata, SEVERITY_WARNING, s->port->loc, section, NULL,
		 "%s has %s%s, which stops working when it becomes a port, and which nothing declares (add here: %s)",
		 s->port->name, s->found, s->leased ? " (leased)" : "", s->line);
}

void manager_warn(struct manager *m, const struct config *c, const struct effective *e, const struct plan *p,
		  struct diags *d)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};

	dhcp_clients_done(&m->clients);
	manager_warn_rivals(m, c, e, d);
	plan_stranded(&in, p, warn_stranded, d);
	manager_warn_kept(m, e, p, d);
	manager_warn_cut_off(m, e, p, d);
}

void manager_guests(struct manager *m, const struct effective *e, const struct plan *p, struct guests *ret)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};

	guests_find(&in, p, ret);
}

struct port_names {
	char **list;
	size_t n;
};

/* Ports that are cut off, and whose they are. */
static struct port_names name_guests(const struct guests *guests)
{
	struct port_names names = {0};

	for (size_t i = 0; i < guests->n; i++)
		*ARRAY_APPEND(names.list, names.n) = guest_text(&guests->list[i]);
	return names;
}

static void add_lost_default(const struct stranded *s, void *userdata)
{
	struct port_names *names = userdata;

	if (s->default_route)
		*ARRAY_APPEND(names->list, names->n) =
			xasprintf("%s of %s (to keep it, add to [%s %s]: %s)", s->found, s->port->name,
				  s->master->kind->name, s->master->name, s->line);
}

static void add_text(const char *text, void *userdata)
{
	struct port_names *texts = userdata;

	*ARRAY_APPEND(texts->list, texts->n) = xstrdup(text);
}

static void port_names_done(struct port_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
}

static void refuse(const struct apply_request *request, const char *why, const struct diags *d,
		   const struct port_names *ports, const char *id)
{
	request->refused(why, d, ports ? (const char *const *)ports->list : NULL, ports ? ports->n : 0, id,
			 request->userdata);
}

const char *refused_text(const char *why)
{
	static const struct {
		const char *why, *text;
	} words[] = {
		/* clang-format off */
		{REFUSED_INVALID,    "the configuration has errors"},
		{REFUSED_FORCE,	     "ports that kvmnetd did not attach would be cut off"},
		{REFUSED_PLAN,	     "files or kernel have moved since that plan was made"},
		{REFUSED_BUSY,	     "another change is being made"},
		{REFUSED_STRANDED,   "a default route would be lost"},
		{REFUSED_IMPACT,     "a step costs more than is allowed ([daemon] max_impact)"},
		{REFUSED_CONFIRM,    "an apply waits for its confirmation"},
		{REFUSED_GENERATION, "there is no such generation"},
		{REFUSED_PATH,	     "your own connection would be cut off"},
		{REFUSED_SHORT,	     "the time to confirm is too short for this change"},
		/* clang-format on */
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(words[i].why, why))
			return words[i].text;
	return why;
}

static int max_impact(const struct manager *m, const struct apply_request *request)
{
	if (request->max_impact >= 0)
		return request->max_impact;
	return (int)values_num(m->candidate->daemon, DAEMON_MAX_IMPACT, IMPACT_GUESTS);
}

/* Is the confirmation given the time that the change itself may take? Answers the request when not. */
static bool confirm_is_long_enough(struct manager *m, const struct apply_request *request, const struct effective *e,
				   const struct plan *p, const struct diags *d)
{
	struct port_names waits = {0};
	_cleanup_free_ char *seconds = NULL;
	unsigned least;

	if (!request->confirm)
		return true;
	least = manager_least_confirm(m, m->candidate, &request->path, e, p, add_text, &waits);
	seconds = xasprintf("%u", least);
	if (request->confirm < least)
		refuse(request, REFUSED_SHORT, d, &waits, seconds);
	port_names_done(&waits);
	return request->confirm >= least;
}

/*
 * Who renumbers the host from afar and gives the new address a time to prove itself knows what happens; who does not
 * may have mistyped.
 */
static bool path_is_given_up(const struct apply_request *request, enum path_fate fate)
{
	return fate <= PATH_STAYS || request->force || (fate == PATH_RENUMBERED && request->confirm);
}

static void warn_path(const struct port_names *path, unsigned confirm, struct diags *d)
{
	for (size_t i = 0; confirm && i < path->n; i++)
		diag_add(d, SEVERITY_WARNING, LOC_NONE, NULL, NULL,
			 "your own connection ends with this: %s; it is undone unless you come in anew and call "
			 "`netctl confirm` within %u s",
			 path->list[i], confirm);
}

/* May this plan run? Answers the request when not. */
static bool plan_is_allowed(struct manager *m, const struct apply_request *request, struct prepared *prepared)
{
	const struct effective *e = &prepared->effective;
	const struct plan *p = &prepared->plan;
	struct diags *d = &prepared->diags;
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	struct port_names ports = name_guests(&prepared->guests), routes = {0}, path = {0};
	enum path_fate fate = manager_path_fate(m, &request->path, e, p, add_text, &path);
	bool allowed = false;
	char id[17];

	plan_lines_id(m->candidate_plan, id);
	plan_stranded(&in, p, add_lost_default, &routes);
	if (d->n_errors || e->problems.n_errors)
		refuse(request, REFUSED_INVALID, d->n_errors ? d : &e->problems, NULL, id);
	else if (request->plan_id[0] && !streq(request->plan_id, id))
		refuse(request, REFUSED_PLAN, d, NULL, id);
	else if (ports.n && !request->force)
		refuse(request, REFUSED_FORCE, d, &ports, id);
	else if (routes.n && !request->force)
		refuse(request, REFUSED_STRANDED, d, &routes, id);
	else if (!path_is_given_up(request, fate))
		refuse(request, fate == PATH_RENUMBERED ? REFUSED_RENUMBERED : REFUSED_PATH, d, &path, id);
	else if ((int)plan_impact(p) > max_impact(m, request))
		refuse(request, REFUSED_IMPACT, d, NULL, impact_name(plan_impact(p)));
	else
		allowed = confirm_is_long_enough(m, request, e, p, d);
	warn_path(&path, request->confirm, d);
	port_names_done(&ports);
	port_names_done(&routes);
	port_names_done(&path);
	return allowed;
}

/* Returns why not, or NULL. */
static const char *read_candidate(struct manager *m, const struct apply_request *request, struct diags *d)
{
	int64_t when;
	bool again;
	int r;

	manager_drop_candidate(m);
	config_files_done(&m->candidate_files);
	if (request->generation)
		r = generation_load(&m->dirs, request->generation, &m->candidate_files, &when);
	else
		r = config_files_read_dir(&m->candidate_files, m->dirs.config, d);
	if (r < 0 && request->generation)
		return REFUSED_GENERATION;
	/* It begins anew when it is known which probes answer. */
	again = request->confirm || request->path.family;
	m->candidate = manager_config_of(m, &m->candidate_files, again, d);
	return r < 0 || d->n_errors ? REFUSED_INVALID : NULL;
}

struct prepared *prepared_free(struct prepared *p)
{
	if (!p)
		return NULL;
	guests_done(&p->guests);
	plan_done(&p->plan);
	effective_done(&p->effective);
	diags_done(&p->diags);
	free(p);
	return NULL;
}

void manager_begin(void *userdata)
{
	struct manager *m = userdata;
	struct prepared *p = m->prepared;

	if (p && m->apply.planned)
		m->apply.planned(&p->plan, m->candidate_plan, &p->guests, m->candidate, &p->diags, m->apply.userdata);
	m->prepared = prepared_free(p);
}

/* Finds out what is to be done, and what is to be known before. May it be done? Answers the request when not. */
static bool prepare(struct manager *m, const struct apply_request *request, struct prepared *p)
{
	const char *why = read_candidate(m, request, &p->diags);

	if (why) {
		refuse(request, why, &p->diags, NULL, NULL);
		return false;
	}
	manager_preview(m, m->candidate, &p->effective, &p->plan);
	manager_warn(m, m->candidate, &p->effective, &p->plan, &p->diags);
	manager_guests(m, &p->effective, &p->plan, &p->guests);
	free(m->candidate_plan);
	m->candidate_plan = plan_lines(&p->plan);
	return plan_is_allowed(m, request, p);
}

/* Telling of the plan, and carrying it out, each have a turn of the loop: a plan of thousands takes a while. */
static void begin(struct manager *m, const struct apply_request *request, struct prepared *p)
{
	struct effective e = EFFECTIVE_NULL;

	subnets_keep(&m->dirs, m->config, m->candidate);
	m->apply = *request;
	m->applying = true;
	m->prepared = p;
	if (p->plan.n) {
		manager_run(m);
		return;
	}
	e = p->effective;
	p->effective = EFFECTIVE_NULL;
	manager_begin(m);
	manager_run_nothing(m, &e);
	effective_done(&e);
}

void manager_apply(struct manager *m, const struct apply_request *request)
{
	struct prepared *p;

	if (m->applying || m->apply_waits || m->asking) {
		refuse(request, REFUSED_BUSY, NULL, NULL, NULL);
		return;
	}
	if (m->confirm_deadline || m->going_back) {
		refuse(request, REFUSED_CONFIRM, NULL, NULL, NULL);
		return;
	}
	if (m->transaction) {
		m->apply = *request;
		m->apply_waits = true;
		return;
	}
	p = xcalloc(1, sizeof(*p));
	if (!prepare(m, request, p)) {
		manager_drop_guard(m);
	} else if (!p->plan.n || request->probed || !manager_ask_probes(m, request, &p->effective, &p->plan)) {
		begin(m, request, p);
		return;
	}
	prepared_free(p);
	manager_drop_candidate(m);
}
