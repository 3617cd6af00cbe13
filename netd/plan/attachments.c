/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: attachments.h. */
#include "attachments.h"

void attachments_done(struct attachments *a)
{
	for (size_t i = 0; i < a->n; i++)
		link_free(a->list[i].port);
	free(a->list);
	*a = ATTACHMENTS_NULL;
}

bool attachment_is_lost(const struct attachment *a, const struct model *actual)
{
	const struct link *port = model_find(actual, a->port->name), *master = model_find(actual, a->master);

	return port && port->ifindex == a->port->ifindex && !port->master &&
	       (!master || master->ifindex != a->master_ifindex);
}

static bool is_foreign_port(const struct link *l, const struct model *wanted)
{
	const struct link *want = model_find(wanted, l->name);

	return l->master && (!want || want->foreign);
}

/* Its master is still there, and the port left it a moment ago. */
static bool is_leaving(struct attachment *a, const struct model *actual, uint64_t now)
{
	const struct link *port = model_find(actual, a->port->name), *master = model_find(actual, a->master);

	if (!port || port->ifindex != a->port->ifindex || port->master || !master ||
	    master->ifindex != a->master_ifindex)
		return false;
	if (!a->left)
		a->left = now;
	return now - a->left < ATTACHMENT_USEC;
}

/* Long gone when its master went. */
static bool has_expired(const struct attachment *a, uint64_t now)
{
	return a->left && now - a->left >= ATTACHMENT_USEC;
}

void attachments_update(struct attachments *a, const struct model *wanted, const struct model *actual, uint64_t now)
{
	struct attachments fresh = ATTACHMENTS_NULL;

	for (size_t i = 0; i < a->n; i++) {
		struct attachment *old = &a->list[i];
		bool lost = attachment_is_lost(old, actual) && !has_expired(old, now);

		if (!(lost || is_leaving(old, actual, now)) || !model_find(wanted, old->master))
			continue;
		*ARRAY_APPEND(fresh.list, fresh.n) = *old;
		old->port = NULL;
	}
	for (size_t i = 0; i < actual->n_links; i++) {
		const struct link *l = actual->links[i];
		const struct link *master = is_foreign_port(l, wanted) ? model_master(actual, l) : NULL;
		struct attachment *new;

		if (!master || !model_find(wanted, master->name))
			continue;
		new = ARRAY_APPEND(fresh.list, fresh.n);
		memcpy(new->master, master->name, IFNAMSIZ);
		new->master_ifindex = master->ifindex;
		new->port = link_copy(l);
		new->left = 0;
		new->has_vlans = l->n_vlans || master->n_vlans;
	}
	attachments_done(a);
	*a = fresh;
}
