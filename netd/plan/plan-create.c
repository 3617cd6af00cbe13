/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ops that make a new link, and what its create message could not carry. */
#include "planner-internal.h"

#define MTU_MAX 65535 /* ETH_MAX_MTU */

static bool pins_mtu(const struct link *want)
{
	return (want->kind->flags & KIND_MTU_FOLLOWS) && values_has(want->common, LINK_MTU);
}

/*
 * A bridge's MTU stays put only after it was *changed* on the existing link (net/bridge/br_device.c, br_change_mtu);
 * so it is made with a neighbouring value, and set in the message after, before a port comes that it would follow.
 */
static const struct link *with_other_mtu(struct planner *p, const struct link *want)
{
	struct link *scratch = plan_scratch(p, want);
	uint64_t mtu = values_num(want->common, LINK_MTU, 0);

	values_set_num(scratch->common, LINK_MTU, mtu < MTU_MAX ? mtu + 1 : mtu - 1);
	return scratch;
}

static void plan_create(struct planner *p, const struct link_diff *d)
{
	const struct link *want = d->want;
	struct op *op = op_add(p, OP_CREATE, pins_mtu(want) ? with_other_mtu(p, want) : want, NULL);

	op->common = rows_at(want->common, d->common, PLACE_LINK);
	op->own = rows_at(want->own, d->own, PLACE_INFO) & ~rows_naming(want->own, d->own);
	if (d->recreate) {
		op->impact = IMPACT_RECREATE;
		op->have = NULL;
	}
	if (want->master_name[0] && !joins_late(p, d)) {
		op->master = MASTER_JOIN;
		memcpy(op->master_name, want->master_name, IFNAMSIZ);
	}
	if (pins_mtu(want))
		op_add(p, OP_SET, want, NULL)->common = 1ull << LINK_MTU;
}

void plan_create_lower(struct planner *p, const struct link_diff *d)
{
	if (!(d->want->kind->flags & KIND_HAS_PARENT))
		plan_create(p, d);
}

void plan_create_upper(struct planner *p, const struct link_diff *d)
{
	if (d->want->kind->flags & KIND_HAS_PARENT)
		plan_create(p, d);
}

static void plan_sysctls(struct planner *p, const struct link *want, const struct link *have, uint64_t rows)
{
	for (unsigned row = 0; row < link_options.n; row++) {
		if (!(rows >> row & 1) || !place_is_sysctl(link_options.rows[row].place))
			continue;
		op_add(p, OP_SYSCTL, want, have)->common = 1ull << row;
	}
}

void plan_settle_new(struct planner *p, const struct link_diff *d)
{
	const struct link *want = d->want;
	uint64_t common = rows_at(want->common, d->common, PLACE_INET6);
	uint64_t port = joins_late(p, d) ? 0 : d->port & ~rows_naming(want->port, d->port);
	const struct link *master = model_master(&p->in->effective->links, want);

	if (common || port) {
		struct op *op = op_add(p, OP_SET, want, NULL);

		op->common = common;
		op->port = port;
		op->master_kind = master ? master->kind : NULL;
	}
	plan_sysctls(p, want, NULL, d->common);
	if (d->vlans && !joins_late(p, d))
		plan_vlans(p, d);
}

static void plan_host_rows(struct planner *p, const struct link_diff *d, uint64_t which)
{
	uint64_t rows = rows_at(d->want->common, d->common, PLACE_HOST) & which;
	struct op *op;

	if (!rows)
		return;
	op = op_add(p, OP_HOST, d->want, is_new(d) ? NULL : d->have);
	op->common = rows;
	op->loc = plan_loc(d->want->common, rows, d->want->loc);
}

void plan_zone(struct planner *p, const struct link_diff *d)
{
	plan_host_rows(p, d, 1ull << LINK_ZONE);
}

void plan_host(struct planner *p, const struct link_diff *d)
{
	plan_host_rows(p, d, ~(1ull << LINK_ZONE));
}
