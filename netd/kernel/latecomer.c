/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: latecomer.h. */
#include "latecomer.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#define TRIES 20

struct search {
	const struct model *known;
	uint32_t master;
	char *found; /* owned */
};

static bool is_port_of(const struct nlmsghdr *m, uint32_t master)
{
	const struct nlattr *a;

	/* Kernels before 4.5 do not filter. */
	mnl_attr_for_each (a, m, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(a) == IFLA_MASTER)
			return mnl_attr_validate(a, MNL_TYPE_U32) >= 0 && mnl_attr_get_u32(a) == master;
	}
	return false;
}

static const char *name_of(const struct nlmsghdr *m)
{
	const struct nlattr *a;

	mnl_attr_for_each (a, m, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(a) == IFLA_IFNAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(a);
	}
	return "a port";
}

static int take_port(const struct nlmsghdr *m, void *userdata)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(m);
	struct search *s = userdata;
	const struct link *known;

	if (m->nlmsg_type != RTM_NEWLINK || s->found || !is_port_of(m, s->master))
		return 0;
	known = model_index(s->known, (uint32_t)ifi->ifi_index);
	if (!known || known->master != s->master)
		s->found = xstrdup(name_of(m));
	return 0;
}

static int find_port(struct search *s, struct rtnl *r)
{
	_Alignas(struct nlmsghdr) uint8_t request[128] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(request);
	int error = -EAGAIN;

	m->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(m, IFLA_MASTER, s->master);
	mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	for (unsigned i = 0; i < TRIES && !s->found; i++) {
		error = rtnl_dump(r, m, take_port, s);
		if (error != -EINTR && error != -EBUSY && error != -ENOBUFS)
			break;
	}
	return s->found ? -EBUSY : error;
}

void latecomers_add(struct latecomers *l, const struct model *known, uint32_t master, size_t op)
{
	l->known = known;
	l->masters[l->n] = master;
	l->ops[l->n++] = op;
}

int latecomers_look(struct latecomers *l, struct rtnl *r)
{
	int error = 0;

	for (size_t i = 0; i < l->n && !error; i++) {
		struct search s = {.known = l->known, .master = l->masters[i]};

		error = find_port(&s, r);
		l->op = l->ops[i];
		l->port = s.found;
	}
	l->failed = error != 0;
	return error;
}

void latecomers_done(struct latecomers *l)
{
	free(l->port);
	l->port = NULL;
	l->n = 0;
	l->failed = false;
}
