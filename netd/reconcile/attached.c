/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: keeps which guests are attached to what (plan/attachments.h) in the runtime directory. A bridge may be
 * deleted under its guests when the daemon is not there, or the daemon be killed before it has put them back.
 */
#include "../clock.h"
#include "../log.h"
#include "attachments-json.h"
#include "manager.h"
#include "state-file.h"

/* Guests start and stop in bunches: so long after the first change they are written down ... */
#define GUESTS_USEC (100ull * 1000)
/* ... or, when there are many of them, so that writing takes no more than a twentieth of the time. */
#define GUESTS_SHARE 20

static void write_guests(struct manager *m)
{
	uint64_t begun = boottime();
	int r = runtime_write(&m->dirs, "guests", attachments_to_json(&m->attachments));

	m->attachments.changed = false;
	if (r < 0)
		log_error("%s/guests.json: %s", m->dirs.runtime, strerror(-r));
	m->guests_took = boottime() - begun;
}

static int waited(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	write_guests(userdata);
	return 0;
}

void manager_flush_guests(struct manager *m)
{
	if (m->attachments.changed)
		write_guests(m);
}

void manager_keep_guests(struct manager *m)
{
	uint64_t wait = MAX(GUESTS_USEC, m->guests_took * GUESTS_SHARE);

	if (!m->attachments.changed)
		return;
	if (!m->guests_timer) {
		sd_event_add_time_relative(m->event, &m->guests_timer, CLOCK_MONOTONIC, wait, 1000, waited, m);
	} else if (sd_event_source_get_enabled(m->guests_timer, NULL) == 0) {
		sd_event_source_set_time_relative(m->guests_timer, wait);
		sd_event_source_set_enabled(m->guests_timer, SD_EVENT_ONESHOT);
	}
}

void manager_load_guests(struct manager *m)
{
	_cleanup_json_ struct json_object *list = runtime_read(&m->dirs, "guests");

	if (list)
		m->attachments = attachments_from_json(list);
}
