/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the calls that stay open: Missing, answered at every change, and Monitor. */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <time.h>

#include "service-internal.h"
#include "status-json.h"

/* A call that is answered again at every change. */
struct waiter {
	struct service *service;
	struct varlink_call *call;
	char **links; /* asked for; none: all with `required` */
	size_t n_links;
	uint64_t told; /* digest of what was told last; 0: nothing. The text of many clients would be much to keep */
};

/* The most that one client may name: each costs a search at every change. */
#define LINKS_MAX 256

/* One to be reached by from further than the link itself, and not still looked for on the wire. */
static bool has_usable_address(const struct link *l)
{
	for (size_t i = 0; i < l->n_addresses; i++) {
		const struct address *a = &l->addresses[i];
		bool tentative = a->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) && !(a->flags & IFA_F_OPTIMISTIC);

		if (a->scope < RT_SCOPE_LINK && !tentative)
			return true;
	}
	return false;
}

static const char *missing_reason(const struct service *s, const char *name, bool asked)
{
	const struct model *actual = kernel_actual(s->manager->kernel);
	const struct link *want = model_find(&manager_wanted(s->manager)->links, name),
			  *have = model_find_any(actual, name);
	uint64_t required =
		values_num(want ? want->common : NULL, LINK_REQUIRED, asked || want ? REQUIRED_EXISTS : REQUIRED_NO);
	struct diff_input in = {
		.effective = manager_wanted(s->manager), .actual = actual, .ledger = &s->manager->ledger};
	struct link_diff diff;

	if (!asked && required == REQUIRED_NO)
		return NULL;
	if (!have)
		return want && want->waits_for && !streq(want->waits_for, name) ? "waits for another device"
										: "does not exist";
	if (want && diff_link(&in, want, &diff))
		return "is not configured yet";
	if (required >= REQUIRED_CARRIER && !have->carrier)
		return "has no carrier";
	if (required >= REQUIRED_ADDRESS && !has_usable_address(have))
		return "has no address";
	return NULL;
}

static void add_missing(struct json_object *array, const struct service *s, const char *name, bool asked)
{
	const char *reason = missing_reason(s, name, asked);
	struct json_object *json;

	if (!reason)
		return;
	json = json_object_new_object();
	json_object_object_add(json, "link", json_object_new_string(name));
	json_object_object_add(json, "reason", json_object_new_string(reason));
	json_object_array_add(array, json);
}

static struct json_object *missing_links(const struct service *s, char **links, size_t n_links)
{
	const struct model *wanted = &manager_wanted(s->manager)->links;
	struct json_object *array = json_object_new_array(), *json = json_object_new_object();

	for (size_t i = 0; i < n_links; i++)
		add_missing(array, s, links[i], true);
	for (size_t i = 0; !n_links && i < wanted->n_links; i++)
		/* Of a port without a section nobody said that it is required: a bond does with those that are there.
		 */
		if (wanted->links[i]->has_section)
			add_missing(array, s, wanted->links[i]->name, false);
	json_object_object_add(json, "missing", array);
	return json;
}

static void waiter_free(struct waiter *w)
{
	struct service *s = w->service;

	for (size_t i = 0; i < s->n_waiters; i++)
		if (s->waiters[i] == w) {
			s->waiters[i] = s->waiters[--s->n_waiters];
			break;
		}
	if (w->call) {
		varlink_call_on_gone(w->call, NULL, NULL);
		varlink_call_unref(w->call);
	}
	for (size_t i = 0; i < w->n_links; i++)
		free(w->links[i]);
	free(w->links);
	free(w);
}

static void waiter_gone(struct varlink_call *call, void *userdata)
{
	struct waiter *w = userdata;

	w->call = NULL;
	varlink_call_unref(call);
	waiter_free(w);
}

/* FNV-1a, never 0. */
static uint64_t digest_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash | 1;
}

static void waiter_tell(struct waiter *w)
{
	struct json_object *json = missing_links(w->service, w->links, w->n_links);
	uint64_t digest = digest_of(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	bool nothing = json_object_array_length(json_object_object_get(json, "missing")) == 0;

	if (nothing || !varlink_call_more(w->call)) {
		varlink_reply(w->call, json);
		waiter_free(w);
		return;
	}
	if (w->told == digest) {
		json_object_put(json);
		return;
	}
	/* A client that does not keep up is told at the next change. */
	w->told = varlink_reply_more(w->call, json) == -ENOBUFS ? 0 : digest;
}

static void waiter_add_link(struct waiter *w, const char *name)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (streq(w->links[i], name))
			return;
	*ARRAY_APPEND(w->links, w->n_links) = xstrdup(name);
}

void method_missing(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct service *s = userdata;
	struct json_object *links = json_object_object_get(parameters, "links");
	size_t n = links ? json_object_array_length(links) : 0;
	struct waiter *w;

	if (n > LINKS_MAX) {
		varlink_error_invalid_parameter(call, "links");
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->service = s;
	w->call = varlink_call_ref(call);
	for (size_t i = 0; i < n; i++)
		waiter_add_link(w, json_object_get_string(json_object_array_get_idx(links, i)));
	*ARRAY_APPEND(s->waiters, s->n_waiters) = w;
	varlink_call_on_gone(call, waiter_gone, w);
	waiter_tell(w);
}

void service_changed(void *userdata)
{
	struct service *s = userdata;

	for (size_t i = s ? s->n_waiters : 0; i-- > 0;)
		waiter_tell(s->waiters[i]);
}

static void monitor_gone(struct varlink_call *call, void *userdata)
{
	struct service *s = userdata;

	for (size_t i = 0; i < s->n_monitors; i++)
		if (s->monitors[i] == call) {
			s->monitors[i] = s->monitors[--s->n_monitors];
			break;
		}
	varlink_call_unref(call);
}

void method_monitor(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct service *s = userdata;

	*ARRAY_APPEND(s->monitors, s->n_monitors) = varlink_call_ref(call);
	varlink_call_on_gone(call, monitor_gone, s);
}

void service_event(enum manager_event event, const char *link, const char *text, void *userdata)
{
	static const char *const names[] = {"link", "drift", "repair", "apply", "problem"};
	struct service *s = userdata;
	char when[32] = "";
	time_t at = time(NULL);
	struct tm tm;

	if (!s || !s->n_monitors)
		return;
	if (gmtime_r(&at, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	for (size_t i = 0; i < s->n_monitors; i++) {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "time", json_object_new_string(when));
		json_object_object_add(json, "kind", json_object_new_string(names[event]));
		json_object_object_add(json, "link", json_text(link));
		json_object_object_add(json, "text", json_object_new_string(text));
		varlink_reply_more(s->monitors[i], json);
	}
}

void waiters_done(struct service *s)
{
	free(s->waiters);
	free(s->monitors);
}
