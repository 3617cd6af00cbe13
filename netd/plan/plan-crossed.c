/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: ports that leave before anything is attached, because their master is to lie under them: on the way from
 * one to the other the kernel would see a loop (__netdev_upper_dev_link(), net/core/dev.c: EBUSY).
 */
#include "planner-internal.h"

/* A walk up the stack, over what is there and what is wanted at once. */
struct climb {
	struct planner *p;
	const char *to;
	struct notes seen; /* wanted links by position, after them those that are only there */
};

static const struct model *wanted(const struct planner *p)
{
	return &p->in->effective->links;
}

static bool climbs_to(struct climb *c, const char *from);

static bool climbs_as_it_is(struct climb *c, const struct link *have)
{
	const struct link *master = model_master(c->p->in->actual, have);
	size_t n;
	const struct link *const *vlans = children_vlans(&c->p->children, have->ifindex, &n);

	if (master && climbs_to(c, master->name))
		return true;
	for (size_t i = 0; i < n; i++)
		if (climbs_to(c, vlans[i]->name))
			return true;
	return false;
}

/* Also of a link that nobody declares: it can be the parent of one that is. */
static bool climbs_as_wanted(struct climb *c, const char *from, const struct link *want)
{
	size_t n;
	const struct relative *relatives = wanted_relatives(c->p, from, &n);

	if (want && want->master_name[0] && climbs_to(c, want->master_name))
		return true;
	for (size_t i = 0; i < n; i++)
		if (streq(relatives[i].link->parent_name, from) && climbs_to(c, relatives[i].link->name))
			return true;
	return false;
}

static bool climbs_to(struct climb *c, const char *from)
{
	const struct link *want = model_find(wanted(c->p), from), *have = model_find(c->p->in->actual, from);
	size_t place;

	if (streq(from, c->to))
		return true;
	if (!want && !have)
		return false;
	place = want ? want->position : wanted(c->p)->n_links + have->position;
	if (notes_get(&c->seen, place))
		return false;
	notes_put(&c->seen, place, true);
	return (have && climbs_as_it_is(c, have)) || climbs_as_wanted(c, from, want);
}

bool is_crossed(struct planner *p, const struct link *have)
{
	const struct link *master = model_master(p->in->actual, have);
	struct climb climb = {.p = p, .to = have->name};
	bool crossed;

	if (!master)
		return false;
	crossed = climbs_to(&climb, master->name);
	notes_done(&climb.seen);
	return crossed;
}

void plan_uncross(struct planner *p, const struct link_diff *d)
{
	const struct link *master = d->have ? model_master(p->in->actual, d->have) : NULL;
	struct op *op;

	if (!d->master || !master || is_deleted(p, d->have) || !is_crossed(p, d->have))
		return;
	op = op_add(p, OP_SET, d->want, d->have);
	op->impact = IMPACT_FLAP;
	op->master = MASTER_LEAVE;
	op->why = xasprintf("%s is to lie under it", master->name);
	plan_left_alone(p, master);
}
