/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: release.h. */
#include "release.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "../plan/notes.h"

/* So many may be left to the deletion: it takes no longer than some that go together (pace.c). */
#define PORTS_LEFT 3

void release_done(struct release *r)
{
	free(r->plan.ops);
	free(r->part_of);
	*r = (struct release){0};
}

static void add(struct release *r, const struct op *op, size_t number)
{
	r->part_of = array_grow(r->part_of, r->plan.n, sizeof(*r->part_of));
	r->part_of[r->plan.n] = number;
	*ARRAY_APPEND(r->plan.ops, r->plan.n) = *op;
}

/* moved: ports that the plan has taken out of it, or deleted, by position. */
static size_t count_ports(const struct model *actual, const struct link *master, const struct notes *moved)
{
	const struct link *port;
	size_t n = 0;

	for (size_t i = 0; (port = model_next_port(actual, master->ifindex, &i));)
		n += !notes_get(moved, port->position);
	return n;
}

static void add_leaving(struct release *r, const struct model *actual, const struct link *master,
			const struct notes *moved, const struct op *deletion, size_t number)
{
	const struct link *port;

	for (size_t i = 0; (port = model_next_port(actual, master->ifindex, &i));) {
		const struct op leave = {.type = OP_SET,
					 .impact = deletion->impact,
					 .link = port,
					 .have = port,
					 .master = MASTER_LEAVE,
					 .loc = deletion->loc};

		if (!notes_get(moved, port->position))
			add(r, &leave, number);
	}
}

static bool is_many(const struct model *actual, const struct op *op, const struct notes *moved)
{
	const struct link *l;

	if (op->type != OP_DELETE || !(op->link->kind->flags & KIND_HAS_PORTS))
		return false;
	l = model_find(actual, op->link->name);
	return l && count_ports(actual, l, moved) > PORTS_LEFT;
}

static bool is_needed(const struct plan *p, const struct model *actual)
{
	const struct notes none = NOTES_NULL;

	for (size_t i = 0; i < p->n; i++)
		if (is_many(actual, &p->ops[i], &none))
			return true;
	return false;
}

const struct plan *release_plan(const struct plan *p, const struct model *actual, struct release *ret)
{
	_cleanup_(notes_done) struct notes moved = NOTES_NULL;

	*ret = (struct release){0};
	if (!is_needed(p, actual))
		return p;
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];
		bool moves = op->type == OP_DELETE || (op->type == OP_SET && op->master != MASTER_KEEP);
		const struct link *l = moves ? model_find(actual, op->link->name) : NULL;

		if (is_many(actual, op, &moved))
			add_leaving(ret, actual, l, &moved, op, i);
		if (l)
			notes_put(&moved, l->position, 1);
		add(ret, op, i);
	}
	return &ret->plan;
}

static int take_master(const struct nlmsghdr *m, void *userdata)
{
	uint32_t *master = userdata;
	const struct nlattr *a;

	mnl_attr_for_each (a, m, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(a) == IFLA_MASTER && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			*master = mnl_attr_get_u32(a);
	}
	return 0;
}

static int ask_master(struct rtnl *r, uint32_t port, uint32_t *ret)
{
	_Alignas(struct nlmsghdr) uint8_t request[128] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(request);
	struct ifinfomsg *ifi;

	m->nlmsg_type = RTM_GETLINK;
	ifi = mnl_nlmsg_put_extra_header(m, sizeof(*ifi));
	ifi->ifi_index = (int)port;
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	*ret = 0;
	return rtnl_get(r, m, take_master, ret);
}

void release_add(struct leaving *l, const struct link *port, size_t offset)
{
	l->list[l->n].port = port->ifindex;
	l->list[l->n].master = port->master;
	l->list[l->n++].offset = offset;
}

int release_look(const struct leaving *l, struct rtnl *r, uint8_t *messages)
{
	for (size_t i = 0; i < l->n; i++) {
		uint32_t master;
		int error = ask_master(r, l->list[i].port, &master);

		if (error && error != -ENODEV)
			return error;
		if (error || master != l->list[i].master)
			((struct nlmsghdr *)(messages + l->list[i].offset))->nlmsg_type = NLMSG_NOOP;
	}
	return 0;
}
