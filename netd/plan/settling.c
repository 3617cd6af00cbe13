/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: settling.h. */
#include "settling.h"

/* The other end of a cable takes this long to negotiate speed and duplex anew (IEEE 802.3, 28.3 and 40.4). */
#define NEGOTIATION_MSEC 4000

/* A client asks, is answered, and looks whether somebody has the address already (RFC 2131, 4.4; RFC 5227, 2.1.1). */
#define DHCP_MSEC 10000

/* Cables, leases, and the kinds of links. */
enum sort { SORT_CABLE, SORT_LEASE, SORT_KINDS, SORTS_MAX = 10 };

struct settling {
	const struct diff_input *in;
	/* The longest of each sort; those of masters in the order of kinds[]. */
	struct {
		uint32_t msec;
		char *what; /* owned */
	} longest[SORTS_MAX];
};

static void note(struct settling *s, size_t sort, uint32_t msec, char *what)
{
	if (msec <= s->longest[sort].msec) {
		free(what);
		return;
	}
	free(s->longest[sort].what);
	s->longest[sort].msec = msec;
	s->longest[sort].what = what;
}

static void note_master(struct settling *s, const char *name)
{
	const struct link *have = model_find(s->in->actual, name);
	const struct link *want = model_find(&s->in->effective->links, name);
	const struct kind *kind = want ? want->kind : have ? have->kind : NULL;
	char *what = NULL;
	size_t sort = 0;
	uint32_t msec;

	if (!kind || !kind->settling)
		return;
	msec = kind->settling(want ? want : have, have, &what);
	while (kinds[sort] && kinds[sort] != kind)
		sort++;
	if (SORT_KINDS + sort < SORTS_MAX)
		note(s, SORT_KINDS + sort, msec, what);
	else
		free(what);
}

static bool goes_up_and_down(const struct op *op)
{
	return op->flags != FLAGS_KEEP || op->master != MASTER_KEEP;
}

static void note_lease(struct settling *s, const struct link *want)
{
	if (want && values_num(want->common, LINK_DHCP, DHCP_NO))
		note(s, SORT_LEASE, DHCP_MSEC, xasprintf("DHCP on %s", want->name));
}

static void note_op(struct settling *s, const struct op *op)
{
	const struct link *have = model_find(s->in->actual, op->link->name);
	const struct link *want = model_find(&s->in->effective->links, op->link->name), *master;

	if (op->type == OP_HOST && op->common >> LINK_DHCP & 1)
		note_lease(s, want);
	if (op->type != OP_CREATE && (op->type != OP_SET || !goes_up_and_down(op)))
		return;
	if (op->master == MASTER_JOIN)
		note_master(s, op->master_name);
	master = want ? model_master(&s->in->effective->links, want) : NULL;
	if (master)
		note_master(s, master->name);
	note_master(s, op->link->name);
	note_lease(s, master ? master : want);
	if (have && have->parent_dev && op->flags != FLAGS_KEEP)
		note(s, SORT_CABLE, NEGOTIATION_MSEC, xasprintf("negotiation of %s with its other end", have->name));
}

uint32_t plan_settling(const struct diff_input *in, const struct plan *p, settling_fn *fn, void *userdata)
{
	struct settling s = {.in = in};
	uint32_t msec = 0;

	for (size_t i = 0; i < p->n; i++)
		note_op(&s, &p->ops[i]);
	for (size_t i = 0; i < SORTS_MAX; i++) {
		if (fn && s.longest[i].msec)
			fn(s.longest[i].msec, s.longest[i].what, userdata);
		msec += s.longest[i].msec;
		free(s.longest[i].what);
	}
	return msec;
}
