/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: devices that cannot be ports of the declared master, which only the device itself tells: br_add_if() takes
 * Ethernet devices only, and bond_enslave() ports of one type (EINVAL, and the bridge gives no reason).
 */
#include "resolve-link.h"

struct loc resolve_port_loc(const struct link *master, const char *port)
{
	for (size_t i = 0; i < master->n_ports; i++)
		if (streq(master->ports[i].name, port))
			return master->ports[i].loc;
	return master->loc;
}

/* The master's first Ethernet port that is there; NULL: it has none. */
static const struct link *ethernet_port(const struct resolve_input *in, const struct link *master)
{
	for (size_t i = 0; i < master->n_ports; i++) {
		const struct link *port = resolve_present(in, master->ports[i].name);

		if (port && !port->not_ethernet)
			return port;
	}
	return NULL;
}

static bool fits_master(const struct resolve_input *in, struct effective *e, const struct link *have,
			const struct link *master)
{
	struct loc loc = resolve_port_loc(master, have->name);
	const struct link *other;

	if (master->kind == &kind_bridge) {
		diag_add(&e->problems, SEVERITY_ERROR, loc, master->name, "ports",
			 "%s is not an Ethernet device, and only those can be ports of a bridge", have->name);
		return false;
	}
	other = ethernet_port(in, master);
	if (!other)
		return true;
	diag_add(&e->problems, SEVERITY_ERROR, loc, master->name, "ports",
		 "%s is not an Ethernet device, and %s is one: ports of a bond are all of one type", have->name,
		 other->name);
	return false;
}

void resolve_check_ports(const struct resolve_input *in, struct effective *e)
{
	for (size_t i = 0; i < e->links.n_links; i++) {
		struct link *want = e->links.links[i];
		const struct link *have = resolve_present(in, want->name), *master;

		if (!have || !have->not_ethernet || want->foreign || !want->master_name[0])
			continue;
		master = model_find(&e->links, want->master_name);
		if (!master || fits_master(in, e, have, master))
			continue;
		free(want->waits_for);
		want->waits_for = xstrdup(want->name);
	}
}
