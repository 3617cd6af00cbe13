/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what others set up and the kernel forgets along with a link (kernel/keepsake.h), for who reads a plan: what
 * of it comes back when the change is made, and what does not.
 */
#include "../plan/reach.h"
#include "manager.h"

struct view {
	const struct model *actual;
	const struct effective *effective;
	const struct plan *plan;
};

/* What kernel_put_back() will ask of it then: that it is there, up, and no port. */
static bool will_be_in_use(const struct view *c, const char *name)
{
	const struct link *want = model_find(&c->effective->links, name), *have = model_find(c->actual, name);
	bool is_up = have && have->flags & IFF_UP, is_port = have && have->master;

	if (!want || want->waits_for)
		return is_up && !is_port && !plan_takes_away(c->plan, c->actual, have);
	if (want->master_managed)
		is_port = want->master_name[0];
	return values_num(want->common, LINK_UP, is_up) && !is_port;
}

static bool will_be_there(const struct view *c, const char *name)
{
	const struct link *want = model_find(&c->effective->links, name), *have = model_find(c->actual, name);

	return want && !want->waits_for ? true : have && !plan_takes_away(c->plan, c->actual, have);
}

static bool will_be_bridge(const struct view *c, const char *name)
{
	const struct link *want = model_find(&c->effective->links, name), *have = model_find(c->actual, name);

	return will_be_there(c, name) && (want && !want->waits_for ? want : have)->kind == &kind_bridge;
}

static bool will_be_port(const struct view *c, const char *name, const char *bridge)
{
	const struct link *want = model_find(&c->effective->links, name), *have = model_find(c->actual, name);
	const struct link *master = have ? model_master(c->actual, have) : NULL;

	if (!will_be_there(c, name) || !will_be_bridge(c, bridge))
		return false;
	if (streq(name, bridge))
		return true;
	if (want && want->master_managed)
		return streq(want->master_name, bridge);
	return master && streq(master->name, bridge);
}

static bool comes_back(const struct view *c, const struct keepsake *k)
{
	if (!keepsake_comes_back(k))
		return false;
	if (keepsake_is_of_port(k))
		return will_be_port(c, k->links[0], k->links[1]);
	for (size_t i = 0; i < k->n_links; i++)
		if (!will_be_in_use(c, k->links[i]))
			return false;
	return true;
}

/* With whom it goes: a forwarding entry, when its port stays where it is, with the bridge. */
static const struct link *link_of(const struct view *c, const struct keepsake *k)
{
	bool with_bridge = keepsake_is_of_port(k) && !will_be_there(c, k->links[1]);
	const char *name = k->n_links ? k->links[with_bridge] : NULL;
	const struct link *want = name ? model_find(&c->effective->links, name) : NULL;

	return want || !name ? want : model_find(c->actual, name);
}

typedef void kept_fn(const struct keepsake *k, const struct link *link, void *userdata);

/* Those that come back, or the others. */
static void each_kept(struct manager *m, const struct effective *e, const struct plan *p, bool back, kept_fn *fn,
		      void *userdata)
{
	const struct view c = {.actual = kernel_actual(m->kernel), .effective = e, .plan = p};
	struct keepsakes kept = {0};

	kernel_keep(m->kernel, p, &kept);
	for (size_t i = 0; i < kept.n; i++) {
		const struct link *link = link_of(&c, &kept.list[i]);

		if (link && comes_back(&c, &kept.list[i]) == back)
			fn(&kept.list[i], link, userdata);
	}
	keepsakes_done(&kept);
}

static void add_line(const struct keepsake *k, const struct link *link, void *userdata)
{
	struct plan *p = userdata;
	struct op *op = ARRAY_APPEND(p->ops, p->n);

	op->type = OP_PUT_BACK;
	op->link = link;
	op->text = xstrdup(k->what);
}

void manager_plan_kept(struct manager *m, const struct effective *e, struct plan *p)
{
	each_kept(m, e, p, true, add_line, p);
}

/* Of the same sort. A routing daemon has thousands of routes, and sets them up again; libvirt a thousand entries. */
#define GONE_MAX 8

struct gone {
	struct diags *diags;
	const struct keepsake *last;
	size_t n, left_out;
};

static void warn(struct gone *gone, const char *sort, const char *what, const struct link *link, bool comes_back)
{
	if (gone->n++ >= GONE_MAX)
		gone->left_out++;
	else
		diag_add(gone->diags, SEVERITY_WARNING, LOC_NONE, NULL, NULL,
			 "%s%s will be gone with %s: others set it up, and nothing declares it (a rollback %s it back)",
			 sort, what, link->name, comes_back ? "brings" : "does not bring");
}

static void warn_more(const struct gone *gone, const char *what)
{
	if (gone->left_out)
		diag_add(gone->diags, SEVERITY_WARNING, LOC_NONE, NULL, NULL, "and so will %zu more %s", gone->left_out,
			 what);
}

static void warn_lost(const struct keepsake *k, const struct link *link, void *userdata)
{
	struct gone *gone = userdata;

	if (!gone->last || gone->last->type != k->type || keepsake_is_of_port(gone->last) != keepsake_is_of_port(k))
		gone->n = 0;
	gone->last = k;
	warn(gone, "", k->what, link, keepsake_comes_back(k));
}

/* With what the model has words for. */
static void warn_gone(const struct link *link, const struct address *a, const struct route *r, void *userdata)
{
	_cleanup_free_ char *text = a ? PRINT_TEXT(address_print, a) : PRINT_TEXT(route_print, r);

	warn(userdata, a ? "address " : "route ", text, link, true);
}

void manager_warn_kept(struct manager *m, const struct effective *e, const struct plan *p, struct diags *d)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	struct gone lost = {.diags = d}, gone = {.diags = d};

	each_kept(m, e, p, false, warn_lost, &lost);
	warn_more(&lost, "of these");
	plan_gone(&in, p, warn_gone, &gone);
	warn_more(&gone, "addresses and routes");
}

void manager_warn_cut_off(struct manager *m, const struct effective *e, const struct plan *p, struct diags *d)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *family = families[i] == AF_INET ? "IPv4" : "IPv6";
		const char *what = plan_cuts_off_host(&in, p, m->config ? &m->config->links : NULL, families[i]);

		if (what)
			diag_add(d, SEVERITY_WARNING, LOC_NONE, NULL, NULL,
				 "the host's last %s %s goes, and nothing declares another: it will be unreachable by "
				 "%s%s",
				 family, what, family, streq(what, "address") ? "" : " from beyond its own networks");
	}
}
