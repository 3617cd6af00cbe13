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

/* Is what is remembered of a port that is not attached still worth it? */
static bool is_kept(struct attachment *a, const struct model *wanted, const struct model *actual, uint64_t now)
{
	bool lost = attachment_is_lost(a, actual) && !has_expired(a, now);

	return (lost || is_leaving(a, actual, now)) && model_find(wanted, a->master);
}

static struct attachment *find(struct attachments *a, const char *port)
{
	for (size_t i = 0; i < a->n; i++)
		if (streq(a->list[i].port->name, port))
			return &a->list[i];
	return NULL;
}

static void forget(struct attachments *a, struct attachment *old)
{
	link_free(old->port);
	*old = a->list[--a->n];
}

void attachments_note(struct attachments *a, const struct model *wanted, const struct model *actual, const char *name,
		      uint64_t now)
{
	const struct link *l = model_find(actual, name);
	const struct link *master = l && is_foreign_port(l, wanted) ? model_master(actual, l) : NULL;
	struct attachment *entry = find(a, name);

	if (!master || !model_find(wanted, master->name)) {
		if (entry && !is_kept(entry, wanted, actual, now))
			forget(a, entry);
		return;
	}
	if (!entry)
		entry = ARRAY_APPEND(a->list, a->n);
	else
		link_free(entry->port);
	memcpy(entry->master, master->name, IFNAMSIZ);
	entry->master_ifindex = master->ifindex;
	entry->port = link_copy(l);
	entry->has_vlans = l->n_vlans || master->n_vlans;
	entry->left = 0;
}

void attachments_update(struct attachments *a, const struct model *wanted, const struct model *actual, uint64_t now)
{
	for (size_t i = a->n; i-- > 0;) {
		const struct link *l = model_find(actual, a->list[i].port->name);

		if (!l || !l->master || !is_foreign_port(l, wanted))
			if (!is_kept(&a->list[i], wanted, actual, now))
				forget(a, &a->list[i]);
	}
	for (size_t i = 0; i < actual->n_links; i++)
		if (actual->links[i]->master)
			attachments_note(a, wanted, actual, actual->links[i]->name, now);
}
