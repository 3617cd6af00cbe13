/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: holds: repair is suspended for work by hand, for a time that ends by itself. They are kept in the runtime
 * directory, so that a restart of the daemon does not write over that work.
 */
#include <inttypes.h>

#include "../clock.h"
#include "../log.h"
#include "manager.h"
#include "state-file.h"

static int hold_ended(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata);

static void set_timer(struct manager *m)
{
	uint64_t first = 0;

	for (size_t i = 0; i < m->n_holds; i++)
		if (!first || m->holds[i].until < first)
			first = m->holds[i].until;
	m->hold_timer = sd_event_source_disable_unref(m->hold_timer);
	if (first)
		sd_event_add_time(m->event, &m->hold_timer, CLOCK_BOOTTIME, first, 1000, hold_ended, m);
}

static void keep(const struct manager *m)
{
	struct json_object *list = json_object_new_array();
	int r;

	for (size_t i = 0; i < m->n_holds; i++) {
		struct json_object *hold = json_object_new_object();

		json_object_object_add(hold, "link", json_object_new_string(m->holds[i].link));
		json_object_object_add(hold, "by", json_object_new_string(m->holds[i].by));
		json_object_object_add(hold, "until", json_object_new_int64((int64_t)m->holds[i].until));
		json_object_array_add(list, hold);
	}
	r = runtime_write(&m->dirs, "holds", list);
	if (r < 0)
		log_warning("%s/holds.json: %s: a restart would forget what is held", m->dirs.runtime, strerror(-r));
}

static void take(struct manager *m, struct json_object *json)
{
	_cleanup_free_ char *link = json_string_of(json, "link"), *by = json_string_of(json, "by");
	uint64_t until = (uint64_t)json_object_get_int64(json_object_object_get(json, "until"));
	struct hold *hold;

	if (!link || !by || until <= boottime())
		return;
	hold = ARRAY_APPEND(m->holds, m->n_holds);
	snprintf(hold->link, sizeof(hold->link), "%s", link);
	snprintf(hold->by, sizeof(hold->by), "%s", by);
	hold->until = until;
	log_notice("%s%s is still held by %s", link[0] ? "" : "everything", link, by);
}

void manager_resume_holds(struct manager *m)
{
	_cleanup_json_ struct json_object *list = runtime_read(&m->dirs, "holds");

	for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++)
		take(m, json_object_array_get_idx(list, i));
	set_timer(m);
}

static void drop(struct manager *m, size_t i)
{
	log_notice("%s%s is no longer held", m->holds[i].link[0] ? "" : "everything", m->holds[i].link);
	m->holds[i] = m->holds[--m->n_holds];
}

static void ended(struct manager *m)
{
	keep(m);
	set_timer(m);
	manager_schedule_repair(m);
	if (m->changed)
		m->changed(m, m->userdata);
}

static int hold_ended(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;

	for (size_t i = m->n_holds; i-- > 0;)
		if (m->holds[i].until <= boottime())
			drop(m, i);
	ended(m);
	return 0;
}

void manager_hold(struct manager *m, const char *link, const char *by, uint64_t seconds)
{
	struct hold *hold = NULL;

	for (size_t i = 0; i < m->n_holds; i++)
		if (streq(m->holds[i].link, link))
			hold = &m->holds[i];
	if (!hold)
		hold = ARRAY_APPEND(m->holds, m->n_holds);
	snprintf(hold->link, sizeof(hold->link), "%s", link);
	snprintf(hold->by, sizeof(hold->by), "%s", by);
	hold->until = boottime() + seconds * 1000000;
	log_notice("%s%s is held by %s for %" PRIu64 " s: differences are shown and not put back",
		   link[0] ? "" : "everything", link, by, seconds);
	keep(m);
	set_timer(m);
}

size_t manager_release(struct manager *m, const char *link)
{
	size_t n = 0;

	for (size_t i = m->n_holds; i-- > 0;) {
		if (link[0] && !streq(m->holds[i].link, link))
			continue;
		drop(m, i);
		n++;
	}
	if (n)
		ended(m);
	return n;
}

bool manager_is_held(const struct manager *m, const char *link)
{
	for (size_t i = 0; i < m->n_holds; i++)
		if (!m->holds[i].link[0] || streq(m->holds[i].link, link))
			return true;
	return false;
}
