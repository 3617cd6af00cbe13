/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `foreign_firewall = assist`: what iptables' chains are to accept is wanted of all links together, and the
 * zone of firewalld of the bridges that name none. Both are rows like all others: planned, read back, put back.
 */
#include "assist.h"
#include "resolve-link.h"

static void want_iptables(const struct resolve_input *in, struct effective *e, const struct foreign *f,
			  enum link_row row)
{
	const struct config *c = in->config;
	struct blob *words = f ? assist_wanted(c, f) : NULL;
	struct link *all = model_find(&e->links, LINK_ALL);

	if (words && !all && model_find(in->actual, LINK_ALL)) {
		all = resolve_device(in, e, LINK_ALL, c->networks[0]->loc);
		all->foreign = true;
	}
	if (words && all)
		values_put(all->common, row, (union value){.blob = words}, c->networks[0]->loc);
	else
		free(words);
}

static void want_zone(const struct resolve_input *in, struct effective *e, const struct network *n)
{
	struct link *bridge = model_find(&e->links, n->bridge);

	if (bridge && !values_has(bridge->common, LINK_ZONE) && network_forward(n) != FORWARD_OPEN)
		values_put(bridge->common, LINK_ZONE,
			   (union value){.blob = blob_new(in->guest_zone, (uint32_t)strlen(in->guest_zone) + 1)},
			   n->loc);
}

void resolve_foreign(const struct resolve_input *in, struct effective *e)
{
	const struct config *c = in->config;

	if (values_num(c->daemon, DAEMON_FOREIGN_FIREWALL, FOREIGN_FIREWALL_ASSIST) != FOREIGN_FIREWALL_ASSIST)
		return;
	for (size_t i = 0; in->guest_zone && i < c->n_networks; i++)
		want_zone(in, e, c->networks[i]);
	want_iptables(in, e, in->foreign, LINK_IPTABLES);
	want_iptables(in, e, in->legacy, LINK_LEGACY);
}
