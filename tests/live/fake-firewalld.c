/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what kvmnetd uses of firewalld's D-Bus interface, for tests: zones of interfaces, kept in memory. SIGHUP is
 * a reload, which forgets what it was told and says so. The one zone there is not is "nowhere"; "slow" takes 2 s.
 * Its argument: for how many seconds it has its name on the bus before it answers.
 */
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME "org.fedoraproject.FirewallD1"
#define PATH "/org/fedoraproject/FirewallD1"
#define INTERFACES_MAX 16

struct firewall {
	sd_bus *bus;
	struct {
		char link[IFNAMSIZ], zone[32];
	} list[INTERFACES_MAX];
	size_t n;
};

static size_t find(const struct firewall *f, const char *link)
{
	size_t i = 0;

	while (i < f->n && strcmp(f->list[i].link, link) != 0)
		i++;
	return i;
}

static int get_active_zones(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	const struct firewall *f = userdata;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);

	(void)e;
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "{sa{sas}}");
	for (size_t i = 0; r >= 0 && i < f->n; i++)
		r = sd_bus_message_append(reply, "{sa{sas}}", f->list[i].zone, 2, "interfaces", 1, f->list[i].link,
					  "sources", 0);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int get_zones(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	(void)userdata;
	(void)e;
	return sd_bus_reply_method_return(m, "as", 3, "home", "libvirt", "public");
}

static int change_zone(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct firewall *f = userdata;
	const char *zone, *link;
	size_t i;

	if (sd_bus_message_read(m, "ss", &zone, &link) < 0)
		return -EINVAL;
	if (strcmp(zone, "nowhere") == 0)
		return sd_bus_error_set(e, NAME ".Exception", "INVALID_ZONE: nowhere");
	/* As with thousands of rules of its own. */
	if (strcmp(zone, "slow") == 0)
		sleep(2);
	i = find(f, link);
	if (i == INTERFACES_MAX)
		return -ENOSPC;
	f->n += i == f->n;
	strncpy(f->list[i].link, link, sizeof(f->list[i].link) - 1);
	strncpy(f->list[i].zone, zone, sizeof(f->list[i].zone) - 1);
	return sd_bus_reply_method_return(m, "s", zone);
}

static int remove_interface(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct firewall *f = userdata;
	const char *zone, *link;
	size_t i;

	if (sd_bus_message_read(m, "ss", &zone, &link) < 0)
		return -EINVAL;
	i = find(f, link);
	if (i == f->n)
		return sd_bus_error_setf(e, NAME ".Exception", "UNKNOWN_INTERFACE: '%s' is not in any zone", link);
	f->list[i] = f->list[--f->n];
	return sd_bus_reply_method_return(m, "s", zone);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("getActiveZones", "", "a{sa{sas}}", get_active_zones, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("getZones", "", "as", get_zones, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("changeZoneOfInterface", "ss", "s", change_zone, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("removeInterface", "ss", "s", remove_interface, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static int reload(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata)
{
	struct firewall *f = userdata;

	(void)s;
	(void)info;
	f->n = 0;
	return sd_bus_emit_signal(f->bus, PATH, NAME, "Reloaded", NULL);
}

int main(int argc, char **argv)
{
	struct firewall f = {0};
	sd_event *event = NULL;
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	r = sd_event_default(&event);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGHUP, reload, &f);
	if (r >= 0)
		r = sd_bus_open_system(&f.bus);
	if (r >= 0)
		r = sd_bus_attach_event(f.bus, event, 0);
	if (r >= 0)
		r = sd_bus_add_object_vtable(f.bus, NULL, PATH, NAME ".zone", vtable, &f);
	if (r >= 0)
		r = sd_bus_request_name(f.bus, NAME, 0);
	if (r >= 0 && argc > 1)
		sleep((unsigned)atoi(argv[1]));
	if (r >= 0)
		r = sd_event_loop(event);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
