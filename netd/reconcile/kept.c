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

static bool will_be_port(const struct view *c, const char *name, const char *bridge)
{
	const struct link *want = model_find(&c->effective->links, name), *have = model_find(c->actual, name);
	const struct link *master = have ? model_master(c->actual, have) : NULL;

	if (!will_be_there(c, name) || !will_be_there(c, bridge))
		return false;
	if (want && want->master_managed)
		return streq(want->master_name, bridge);
	return streq(name, bridge) || (master && streq(master->name, bridge));
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

static const struct link *link_of(const struct view *c, const struct keepsake *k)
{
	const struct link *want = k->n_links ? model_find(&c->effective->links, k->links[0]) : NULL;

	return want || !k->n_links ? want : model_find(c->actual, k->links[0]);
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

static void warn(struct diags *d, const char *sort, const char *what, const struct link *link, bool comes_back)
{
	diag_add(d, SEVERITY_WARNING, LOC_NONE, NULL, NULL,
		 "%s%s will be gone with %s: others set it up, and nothing declares it (a rollback %s it back)", sort,
		 what, link->name, comes_back ? "brings" : "does not bring");
}

static void warn_lost(const struct keepsake *k, const struct link *link, void *userdata)
{
	warn(userdata, "", k->what, link, keepsake_comes_back(k));
}

/* Of the same sort, with what the model has words for. A routing daemon has thousands, and sets them up again. */
#define GONE_MAX 8

struct gone {
	struct diags *diags;
	size_t n;
};

static void warn_gone(const struct link *link, const struct address *a, const struct route *r, void *userdata)
{
	struct gone *gone = userdata;
	_cleanup_free_ char *text = NULL;

	if (gone->n++ >= GONE_MAX)
		return;
	text = a ? PRINT_TEXT(address_print, a) : PRINT_TEXT(route_print, r);
	warn(gone->diags, a ? "address " : "route ", text, link, true);
}

void manager_warn_kept(struct manager *m, const struct effective *e, const struct plan *p, struct diags *d)
{
	struct diff_input in = {.effective = e, .actual = kernel_actual(m->kernel), .ledger = &m->ledger};
	struct gone gone = {.diags = d};

	each_kept(m, e, p, false, warn_lost, d);
	plan_gone(&in, p, warn_gone, &gone);
	if (gone.n > GONE_MAX)
		diag_add(d, SEVERITY_WARNING, LOC_NONE, NULL, NULL, "and so will %zu more addresses and routes",
			 gone.n - GONE_MAX);
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
