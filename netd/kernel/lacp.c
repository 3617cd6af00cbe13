/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: lacp.h. */
#include "lacp.h"

/* "KEY: VALUE", with blanks before it where it is of a LACPDU. */
struct line {
	const char *key, *value;
};

static bool split_line(char *text, struct line *ret)
{
	char *colon;

	text[strcspn(text, "\n")] = '\0';
	ret->key = text + strspn(text, " ");
	colon = strstr(ret->key, ":");
	if (!colon)
		return false;
	*colon = '\0';
	ret->value = colon + 1 + strspn(colon + 1, " ");
	return true;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void take_churn(struct lacp_port *p, const struct line *l)
{
	if (streq(l->key, "Actor Churn State"))
		snprintf(p->actor.churn, sizeof(p->actor.churn), "%s", l->value);
	else if (streq(l->key, "Partner Churn State"))
		snprintf(p->partner.churn, sizeof(p->partner.churn), "%s", l->value);
	else if (streq(l->key, "Actor Churned Count"))
		p->actor.churned = number(l->value);
	else if (streq(l->key, "Partner Churned Count"))
		p->partner.churned = number(l->value);
}

static void take_pdu(struct lacp_side *side, const struct line *l)
{
	if (streq(l->key, "system mac address"))
		snprintf(side->system, sizeof(side->system), "%s", l->value);
	else if (streq(l->key, "system priority"))
		side->system_priority = number(l->value);
	else if (streq(l->key, "port key") || streq(l->key, "oper key"))
		side->key = number(l->value);
	else if (streq(l->key, "port priority"))
		side->port_priority = number(l->value);
	else if (streq(l->key, "port number"))
		side->port = number(l->value);
}

int lacp_parse(FILE *f, struct lacp_port **ret)
{
	_cleanup_free_ struct lacp_port *ports = NULL;
	_cleanup_free_ char *text = NULL;
	struct lacp_side *side = NULL;
	struct lacp_port *port = NULL;
	size_t size = 0, n = 0;
	struct line l;

	while (getline(&text, &size, f) >= 0) {
		if (!split_line(text, &l))
			continue;
		if (streq(l.key, "Slave Interface")) {
			/* One without an aggregator has said nothing, and is no LACP port. */
			port = port && !port->actor.churn[0] ? port : ARRAY_APPEND(ports, n);
			*port = (struct lacp_port){0};
			side = NULL;
			name_copy(port->name, l.value);
		} else if (port && streq(l.key, "details actor lacp pdu")) {
			side = &port->actor;
		} else if (port && streq(l.key, "details partner lacp pdu")) {
			side = &port->partner;
		} else if (side) {
			take_pdu(side, &l);
		} else if (port) {
			take_churn(port, &l);
		}
	}
	if (port && !port->actor.churn[0])
		n--;
	*ret = TAKE_PTR(ports);
	return (int)n;
}

int lacp_read(const char *bond, struct lacp_port **ret)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/net/bonding/%s", bond);
	FILE *f = fopen(path, "re");
	int r;

	if (!f)
		return -errno;
	r = lacp_parse(f, ret);
	fclose(f);
	return r;
}
