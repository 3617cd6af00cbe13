/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a network of ours keeps clear of libvirt's, also of those that do not run: libvirt refuses to start a
 * network whose bridge or subnet is there already, and guests that want it with it.
 */
#include "resolve-link.h"

#define CURE "to take it over: virsh net-destroy %s; virsh net-undefine %s"

static const struct address *shared_subnet(const struct link *l, const struct libvirt_network *other)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		for (size_t j = 0; j < other->n_addresses; j++)
			if (subnets_overlap(&l->addresses[i], &other->addresses[j]))
				return &l->addresses[i];
	return NULL;
}

static void check_network(struct effective *e, const struct network *n, const struct link *l,
			  const struct libvirt_network *other)
{
	const struct address *a = shared_subnet(l, other);
	_cleanup_free_ char *section = NULL;
	struct ip ip;
	char text[INET6_ADDRSTRLEN];

	if (streq(n->bridge, other->bridge)) {
		section = link_section(l);
		diag_add(&e->problems, SEVERITY_ERROR, n->bridge_loc, section, "bridge",
			 "%s is that of libvirt's network '%s' (" CURE ")", n->bridge, other->name, other->name,
			 other->name);
	} else if (a) {
		section = link_section(l);
		ip = ip_of_address(a);
		diag_add(&e->problems, SEVERITY_ERROR, a->loc, section, "address",
			 "%s/%u overlaps with the subnet of libvirt's network '%s' (" CURE ")", ip_format(&ip, text),
			 a->prefix_len, other->name, other->name, other->name);
	}
}

/* One that runs has two files. */
static bool is_first(const struct libvirt_networks *all, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (streq(all->list[j].name, all->list[i].name))
			return false;
	return true;
}

void resolve_libvirt(const struct resolve_input *in, struct effective *e)
{
	for (size_t i = 0; in->libvirt && i < in->libvirt->n; i++)
		for (size_t n = 0; is_first(in->libvirt, i) && n < in->config->n_networks; n++)
			check_network(e, in->config->networks[n],
				      model_find(&in->config->links, in->config->networks[n]->bridge),
				      &in->libvirt->list[i]);
}
