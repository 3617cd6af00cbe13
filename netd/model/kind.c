/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the list of kinds; kind.h tells how to add one. */
#include "model.h"

const struct kind *const kinds[] = {
	&kind_ethernet, &kind_bond, &kind_bridge, &kind_vlan, NULL,
};

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; kinds[i]; i++)
		if (streq(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

const struct kind *kind_of_link(const char *info_kind)
{
	const struct kind *kind = kind_find(info_kind);

	return kind ? kind : &kind_ethernet;
}

const struct kind *kind_of_ports(const struct option_table *port)
{
	for (size_t i = 0; kinds[i]; i++)
		if (&kinds[i]->port == port)
			return kinds[i];
	return NULL;
}

bool link_follows_parent(const struct link *l)
{
	return l->kind->follows_parent && l->kind->follows_parent(l);
}
