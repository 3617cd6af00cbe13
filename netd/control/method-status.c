/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: Status, streamed in chunks, and Verify. */
#include <malloc.h>

#include "service-internal.h"
#include "status-json.h"

struct status_stream {
	struct manager *manager;
	char **names;
	size_t n, next;
	bool brief, daemon_told;
	bool one;	   /* the first name was asked for by name */
	size_t brief_from; /* then: the names from this one on are of links that are only on it; there may be thousands
			    */
};

#define LINKS_PER_REPLY 64

static void status_stream_free(void *userdata)
{
	struct status_stream *s = userdata;

	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	manager_end_reading(s->manager);
	if (s->n > LINKS_PER_REPLY)
		malloc_trim(0);
	free(s);
}

static struct json_object *status_next(void *userdata, bool *last)
{
	struct status_stream *s = userdata;
	struct json_object *json = json_object_new_object(), *links = json_object_new_array();
	struct status_view view = {.manager = s->manager, .brief = s->brief};

	status_view_open(&view);
	json_object_object_add(json, "daemon", s->daemon_told ? NULL : status_daemon(s->manager));
	s->daemon_told = true;
	for (size_t i = 0; i < LINKS_PER_REPLY && s->next < s->n; i++) {
		const char *name = s->names[s->next++];
		struct json_object *link;

		view.brief = s->brief || (s->one && s->next > s->brief_from);
		link = status_link(&view, name);

		if (link && s->one && s->next == 1 && !s->brief) {
			json_object_object_add(link, "statistics", status_statistics(s->manager, name));
			json_object_object_add(link, "lacp", status_lacp(name));
			json_object_object_add(link, "leases", status_leases(s->manager, name));
		}
		if (link)
			json_object_array_add(links, link);
	}
	status_view_close(&view);
	json_object_object_add(json, "links", links);
	*last = s->next == s->n;
	return json;
}

static void add_name(struct status_stream *s, const char *name)
{
	*ARRAY_APPEND(s->names, s->n) = xstrdup(name);
}

static bool belongs(const struct model *actual, const struct effective *e, const struct link *have)
{
	const struct link *master = model_master(actual, have), *parent = model_parent(actual, have);

	return (master && model_find(&e->links, master->name)) || (parent && model_find(&e->links, parent->name));
}

static void name_links(struct status_stream *s, bool all)
{
	const struct model *actual = kernel_actual(s->manager->kernel);
	const struct effective *e = manager_wanted(s->manager);

	for (size_t i = 0; i < e->links.n_links; i++)
		if (!streq(e->links.links[i]->name, LINK_ALL))
			add_name(s, e->links.links[i]->name);
	for (size_t i = 0; i < actual->n_links; i++) {
		const struct link *have = actual->links[i];

		if (!model_find(&e->links, have->name) && !streq(have->name, LINK_ALL) &&
		    (all || belongs(actual, e, have)))
			add_name(s, have->name);
	}
}

/* That one, then its master, its parent, its ports, and last the VLANs on it. */
static bool name_link_and_neighbours(struct status_stream *s, const char *name)
{
	const struct model *actual = kernel_actual(s->manager->kernel);
	const struct link *have = model_find_any(actual, name);
	const struct link *want = model_find(&manager_wanted(s->manager)->links, have ? have->name : name);
	const struct link *master, *parent, *l;

	if (!have && !want)
		return false;
	add_name(s, have ? have->name : want->name);
	s->brief_from = s->n;
	if (!have)
		return true;
	master = model_master(actual, have);
	parent = model_parent(actual, have);
	if (master)
		add_name(s, master->name);
	if (parent && parent != master)
		add_name(s, parent->name);
	for (size_t i = 0; (l = model_next_port(actual, have->ifindex, &i));)
		if (l != parent)
			add_name(s, l->name);
	s->brief_from = s->n;
	for (size_t i = 0; (l = model_next_upper(actual, have->ifindex, &i));)
		if (l != master && l->master != have->ifindex)
			add_name(s, l->name);
	return true;
}

/*
 * One reply for all: a client that did not ask for `more` wants just that. It is put together in as many turns of the
 * loop as it would be streamed in.
 */
struct whole {
	struct status_stream *stream;
	struct varlink_call *call;
	struct json_object *reply;
	sd_event_source *turn;
};

static void whole_free(struct whole *w)
{
	sd_event_source_disable_unref(w->turn);
	varlink_call_on_gone(w->call, NULL, NULL);
	varlink_call_unref(w->call);
	json_object_put(w->reply);
	status_stream_free(w->stream);
	free(w);
}

static void whole_gone(struct varlink_call *call _unused_, void *userdata)
{
	whole_free(userdata);
}

static int whole_turn(sd_event_source *source _unused_, void *userdata);

/* Adds the next links, and replies when they were the last. */
static void whole_next(struct whole *w)
{
	struct json_object *links = json_object_object_get(w->reply, "links"), *more, *some;
	bool last;

	more = status_next(w->stream, &last);
	some = json_object_object_get(more, "links");
	if (!w->reply) {
		w->reply = json_object_get(more);
	} else {
		for (size_t i = 0; i < json_object_array_length(some); i++)
			json_object_array_add(links, json_object_get(json_object_array_get_idx(some, i)));
	}
	json_object_put(more);
	w->turn = sd_event_source_disable_unref(w->turn);
	if (!last) {
		if (sd_event_add_defer(w->stream->manager->event, &w->turn, whole_turn, w) < 0)
			whole_next(w);
		return;
	}
	varlink_reply(w->call, TAKE_PTR(w->reply));
	whole_free(w);
}

static int whole_turn(sd_event_source *source _unused_, void *userdata)
{
	whole_next(userdata);
	return 0;
}

static void tell_whole(struct varlink_call *call, struct status_stream *s)
{
	struct whole *w = xcalloc(1, sizeof(*w));

	w->stream = s;
	w->call = varlink_call_ref(call);
	varlink_call_on_gone(call, whole_gone, w);
	whole_next(w);
}

void method_status(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *service = userdata;
	const char *link = varlink_get_string(parameters, "link", NULL);
	struct status_stream *s = xcalloc(1, sizeof(*s));

	s->manager = service->manager;
	manager_begin_reading(s->manager);
	s->brief = varlink_get_bool(parameters, "brief", false);
	s->one = link != NULL;
	if (link && !name_link_and_neighbours(s, link)) {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "name", json_object_new_string(link));
		varlink_error(call, INTERFACE ".NoSuchLink", json);
		status_stream_free(s);
		return;
	}
	if (!link)
		name_links(s, varlink_get_bool(parameters, "all", false));
	if (varlink_call_more(call)) {
		varlink_stream(call, status_next, s, status_stream_free);
		return;
	}
	tell_whole(call, s);
}

static void add_line(const char *line, void *userdata)
{
	json_object_array_add(userdata, json_object_new_string(line));
}

void method_verify(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct service *s = userdata;
	struct json_object *json = json_object_new_object(), *differences = json_object_new_array();
	struct model fresh = MODEL_NULL;
	int r;

	if (s->manager->transaction) {
		json_object_put(json);
		json_object_put(differences);
		reply_busy(call, "a change is being made; ask again when it is done");
		return;
	}
	json_object_object_add(json, "differences", differences);
	kernel_drain(s->manager->kernel);
	r = kernel_dump_fresh(s->manager->kernel, &fresh);
	if (r < 0)
		add_line(strerror(-r), differences);
	else
		kernel_compare(kernel_actual(s->manager->kernel), &fresh, add_line, differences);
	model_done(&fresh);
	varlink_reply(call, json);
}
