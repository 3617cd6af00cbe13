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

/* One that is declared by another name is remembered in vain, and seldom. */
static bool is_foreign_port(const struct link *l, const struct config *config)
{
	size_t n;

	return l->master && !model_find(&config->links, l->name) && !config_mentions(config, l->name, &n);
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
static bool is_kept(struct attachment *a, const struct config *config, const struct model *actual, uint64_t now)
{
	bool lost = attachment_is_lost(a, actual) && !has_expired(a, now);

	return (lost || is_leaving(a, actual, now)) && model_find(&config->links, a->master);
}

static const char *port_of(const void *element)
{
	return ((const struct attachment *)element)->port->name;
}

static size_t place_of(const struct attachments *a, const char *port)
{
	return name_place(a->list, a->n, sizeof(*a->list), port_of, port);
}

static struct attachment *insert(struct attachments *a, size_t place)
{
	ARRAY_APPEND(a->list, a->n);
	memmove(&a->list[place + 1], &a->list[place], (a->n - 1 - place) * sizeof(*a->list));
	a->list[place] = (struct attachment){0};
	return &a->list[place];
}

/* Kernel state that was not read anew since is shared (option.h). */
static bool is_unchanged(const struct attachment *entry, const struct link *l, const struct link *master)
{
	const struct link *was = entry->port;

	return was && was->ifindex == l->ifindex && entry->master_ifindex == master->ifindex && was->port && l->port &&
	       was->port->slots == l->port->slots && was->n_vlans == l->n_vlans &&
	       (!l->n_vlans || memcmp(was->vlans, l->vlans, l->n_vlans * sizeof(*l->vlans)) == 0);
}

static void forget(struct attachments *a, size_t place)
{
	link_free(a->list[place].port);
	a->changed = true;
	a->n--;
	memmove(&a->list[place], &a->list[place + 1], (a->n - place) * sizeof(*a->list));
}

void attachments_note(struct attachments *a, const struct config *config, const struct model *actual, const char *name,
		      uint64_t now)
{
	const struct link *l = model_find(actual, name);
	const struct link *master = l && is_foreign_port(l, config) ? model_master(actual, l) : NULL;
	size_t place = place_of(a, name);
	bool known = place < a->n && streq(a->list[place].port->name, name);
	struct attachment *entry;

	if (!master || !model_find(&config->links, master->name)) {
		if (known && !is_kept(&a->list[place], config, actual, now))
			forget(a, place);
		return;
	}
	entry = known ? &a->list[place] : insert(a, place);
	a->changed |= !is_unchanged(entry, l, master);
	link_free(entry->port);
	memcpy(entry->master, master->name, IFNAMSIZ);
	entry->master_ifindex = master->ifindex;
	entry->port = link_copy(l);
	entry->has_vlans = l->n_vlans || master->n_vlans;
	entry->left = 0;
}

void attachments_update(struct attachments *a, const struct config *config, const struct model *actual, uint64_t now)
{
	for (size_t i = a->n; i-- > 0;) {
		const struct link *l = model_find(actual, a->list[i].port->name);

		if (!l || !l->master || !is_foreign_port(l, config))
			if (!is_kept(&a->list[i], config, actual, now))
				forget(a, i);
	}
	for (size_t i = 0; i < actual->n_links; i++)
		if (actual->links[i]->master)
			attachments_note(a, config, actual, actual->links[i]->name, now);
}
