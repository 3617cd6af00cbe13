/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: zones of firewalld over D-Bus (firewalld.dbus(5)): of what runs, not of its files, so that a reload forgets
 * them and is followed by telling them again.
 */
#include "host-internal.h"

#define FIREWALLD_PATH "/org/fedoraproject/FirewallD1"
#define FIREWALLD_ZONE "org.fedoraproject.FirewallD1.zone"

void zones_done(struct zones *z)
{
	for (size_t i = 0; i < z->n; i++)
		free(z->list[i].name);
	free(z->list);
	*z = (struct zones){0};
}

static void add_zone(struct zones *zones, const char *link, const char *name)
{
	struct zone *z;

	if (strlen(link) >= IFNAMSIZ)
		return;
	z = ARRAY_APPEND(zones->list, zones->n);
	memcpy(z->link, link, strlen(link));
	z->name = xstrdup(name);
}

/* One zone's {"interfaces": [...], "sources": [...]}. */
static int read_members(sd_bus_message *m, const char *name, struct zones *ret)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sas}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sas")) > 0) {
		const char *what, *member;

		r = sd_bus_message_read(m, "s", &what);
		if (r >= 0)
			r = sd_bus_message_enter_container(m, 'a', "s");
		while (r >= 0 && (r = sd_bus_message_read(m, "s", &member)) > 0)
			if (streq(what, "interfaces"))
				add_zone(ret, member, name);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* a{sa{sas}} */
static int read_zones(sd_bus_message *m, struct zones *ret)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sa{sas}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sas}")) > 0) {
		const char *name;

		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0)
			r = read_members(m, name, ret);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : 0;
}

int firewalld_read(struct host *h, struct zones *ret)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = sd_bus_call_method(bus_connection(h->bus), FIREWALLD_NAME, FIREWALLD_PATH, FIREWALLD_ZONE,
				   "getActiveZones", &e, &m, NULL);

	r = r < 0 ? bus_failed(h->bus, FIREWALLD_NAME, r, &e, NULL) : read_zones(m, ret);
	if (r < 0)
		zones_done(ret);
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	return r;
}

char *firewalld_choose(struct host *h, const char *const *names)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	const char *chosen = NULL;
	char **zones = NULL;
	int r = sd_bus_call_method(bus_connection(h->bus), FIREWALLD_NAME, FIREWALLD_PATH, FIREWALLD_ZONE, "getZones",
				   &e, &m, NULL);

	if (r >= 0)
		r = sd_bus_message_read_strv(m, &zones);
	for (size_t i = 0; r >= 0 && names[i] && !chosen; i++)
		for (char **zone = zones; zone && *zone && !chosen; zone++)
			if (streq(*zone, names[i]))
				chosen = names[i];
	for (char **zone = zones; zone && *zone; zone++)
		free(*zone);
	free(zones);
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	return chosen ? xstrdup(chosen) : NULL;
}

/* Is the link in that zone, "": in none? */
static bool has_zone(struct host *h, const char *link, const char *name)
{
	struct zones zones = {0};
	const char *found = "";
	int r = firewalld_read(h, &zones);
	bool same;

	for (size_t i = 0; i < zones.n; i++)
		if (streq(zones.list[i].link, link))
			found = zones.list[i].name;
	same = r >= 0 && streq(found, name);
	zones_done(&zones);
	return same;
}

static int change_zone(struct host *h, const char *link, const char *name, sd_bus_error *e)
{
	const char *method = *name ? "changeZoneOfInterface" : "removeInterface";
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus_connection(h->bus), &m, FIREWALLD_NAME, FIREWALLD_PATH,
					       FIREWALLD_ZONE, method);

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", name, link);
	if (r >= 0)
		r = bus_change(h->bus, m, e);
	sd_bus_message_unref(m);
	return r;
}

int firewalld_write(struct host *h, const char *link, const char *name, char **why)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = change_zone(h, link, name, &e);

	/* It may have been done all the same. */
	if (r < 0 && bus_is_silence(r, &e) && has_zone(h, link, name))
		r = 0;
	/* Someone else was quicker. */
	if (r < 0 && !*name && e.message && startswith(e.message, "UNKNOWN_INTERFACE"))
		r = 0;
	if (r < 0)
		r = bus_failed(h->bus, FIREWALLD_NAME, r, &e, why);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}
