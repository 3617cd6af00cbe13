/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: bus.h. */
#include "bus.h"
#include "../clock.h"
#include "../log.h"
#include "../util.h"

#define NAMES_MAX 4
/* A program that does not answer in this time is not to hold up the network. */
#define PATIENCE_USEC 1000000
/* firewalld loads its rules anew for a change, which takes seconds where there are many. */
#define CHANGE_USEC (8 * 1000000ull)
/*
 * Who does not answer is left alone, at first for a short while only: firewalld has its name on the bus before it loads
 * its rules, and guests are not served until it was told of their bridges.
 */
#define AWAY_FIRST_USEC (2 * 1000000ull)
#define AWAY_USEC (30 * 1000000ull)
#define RECONNECT_USEC 1000000

struct bus {
	sd_event *event;
	sd_bus *bus;
	sd_event_source *retry;
	const char *const *names;
	bool here[NAMES_MAX];
	uint64_t silent_at, away; /* when somebody did not answer last, and for how long he was left alone */
	void (*changed)(const char *name, void *userdata);
	void *userdata;
};

static void bus_connect(struct bus *b);

static void set_here(struct bus *b, const char *name, bool here)
{
	for (size_t i = 0; b->names[i]; i++) {
		if (!streq(b->names[i], name) || b->here[i] == here)
			continue;
		b->here[i] = here;
		b->changed(name, b->userdata);
	}
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_)
{
	const char *name, *old, *owner;

	if (sd_bus_message_read(m, "sss", &name, &old, &owner) >= 0)
		set_here(userdata, name, owner[0] != '\0');
	return 0;
}

static int on_reloaded(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_)
{
	struct bus *b = userdata;

	b->changed(sd_bus_message_get_sender(m), b->userdata);
	return 0;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_)
{
	struct bus *b = userdata;
	const char *const *list = b->names;
	_cleanup_free_ char **owned = NULL;

	if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read_strv(m, &owned) < 0)
		return 0;
	for (size_t i = 0; owned && owned[i]; i++) {
		for (size_t n = 0; list[n]; n++)
			if (streq(owned[i], list[n]))
				set_here(b, list[n], true);
		free(owned[i]);
	}
	return 0;
}

/* Signals first, then the question, so that nothing falls between. */
static int on_connected(sd_bus_message *m _unused_, void *userdata, sd_bus_error *e _unused_)
{
	struct bus *b = userdata;

	for (size_t i = 0; b->names[i]; i++) {
		_cleanup_free_ char *match =
			xasprintf("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
				  "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
				  b->names[i]);
		_cleanup_free_ char *reloaded = xasprintf("type='signal',sender='%s',member='Reloaded'", b->names[i]);

		sd_bus_add_match_async(b->bus, NULL, match, on_owner, NULL, b);
		sd_bus_add_match_async(b->bus, NULL, reloaded, on_reloaded, NULL, b);
	}
	sd_bus_call_method_async(b->bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
				 "ListNames", on_answer, b, NULL);
	return 0;
}

static int on_retry(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct bus *b = userdata;

	if (!b->bus)
		bus_connect(b);
	else
		sd_bus_call_method_async(b->bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
					 "org.freedesktop.DBus", "ListNames", on_answer, b, NULL);
	return 0;
}

static void retry_in(struct bus *b, uint64_t usec)
{
	b->retry = sd_event_source_disable_unref(b->retry);
	sd_event_add_time_relative(b->event, &b->retry, CLOCK_MONOTONIC, usec, 1000, on_retry, b);
}

static int on_disconnected(sd_bus_message *m _unused_, void *userdata, sd_bus_error *e _unused_)
{
	struct bus *b = userdata;

	b->bus = sd_bus_close_unref(b->bus);
	for (size_t i = 0; b->names[i]; i++)
		set_here(b, b->names[i], false);
	retry_in(b, RECONNECT_USEC);
	return 0;
}

/* Does not wait: where there is no bus yet, its socket is watched for. */
static int bus_open(struct bus *b)
{
	const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	int r = sd_bus_new(&b->bus);

	if (r >= 0)
		r = sd_bus_set_address(b->bus, address ? address : "unix:path=/run/dbus/system_bus_socket");
	if (r >= 0)
		r = sd_bus_set_bus_client(b->bus, true);
	if (r >= 0)
		r = sd_bus_set_watch_bind(b->bus, true);
	if (r >= 0)
		r = sd_bus_set_connected_signal(b->bus, true);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(b->bus, PATIENCE_USEC);
	if (r >= 0)
		r = sd_bus_start(b->bus);
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(b->bus, false);
	if (r >= 0)
		r = sd_bus_attach_event(b->bus, b->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_match_signal_async(b->bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
					      "org.freedesktop.DBus.Local", "Connected", on_connected, NULL, b);
	if (r >= 0)
		r = sd_bus_match_signal_async(b->bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
					      "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, b);
	return r;
}

static void bus_connect(struct bus *b)
{
	int r = bus_open(b);

	if (r >= 0)
		return;
	log_debug("the system bus: %s", strerror(-r));
	b->bus = sd_bus_close_unref(b->bus);
	retry_in(b, AWAY_USEC);
}

struct bus *bus_new(sd_event *event, const char *const *names, void (*changed)(const char *name, void *userdata),
		    void *userdata)
{
	struct bus *b = xcalloc(1, sizeof(*b));

	b->event = event;
	b->names = names;
	b->changed = changed;
	b->userdata = userdata;
	bus_connect(b);
	return b;
}

struct bus *bus_free(struct bus *b)
{
	if (!b)
		return NULL;
	sd_event_source_disable_unref(b->retry);
	sd_bus_close_unref(b->bus);
	free(b);
	return NULL;
}

bool bus_has(const struct bus *b, const char *name)
{
	for (size_t i = 0; b->names[i]; i++)
		if (streq(b->names[i], name))
			return b->here[i];
	return false;
}

sd_bus *bus_connection(struct bus *b)
{
	return b->bus;
}

int bus_change(struct bus *b, sd_bus_message *m, sd_bus_error *e)
{
	return sd_bus_call(b->bus, m, CHANGE_USEC, e, NULL);
}

bool bus_is_silence(int error, const sd_bus_error *e)
{
	return error == -ETIMEDOUT || (e && sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY));
}

/* Twice as long each time, from the beginning when there was an answer for a while. */
static void leave_alone(struct bus *b, const char *name)
{
	uint64_t now = boottime();

	b->away = b->away && now - b->silent_at <= 2 * AWAY_USEC ? MIN(2 * b->away, AWAY_USEC) : AWAY_FIRST_USEC;
	b->silent_at = now;
	log_warning("%s does not answer; it is left alone for %llu s", name, (unsigned long long)b->away / 1000000);
	for (size_t i = 0; b->names[i]; i++)
		if (streq(b->names[i], name))
			b->here[i] = false;
	retry_in(b, b->away);
}

int bus_failed(struct bus *b, const char *name, int error, sd_bus_error *e, char **why)
{
	if (bus_is_silence(error, e))
		leave_alone(b, name);
	if (why && !*why)
		*why = xasprintf("%s: %s", name, e && e->message ? e->message : strerror(-error));
	return error;
}
