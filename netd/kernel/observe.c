/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: keeps ACTUAL what a dump would show, from events. One turn: take in what is queued; read again what the
 * kernel is known to change without telling (marks); tell `changed`. What cannot be followed is dumped anew. What each
 * event does to the model is observe-event.c.
 */
#include <linux/rtnetlink.h>
#include <malloc.h>
#include <systemd/sd-device.h>

#include "observe-internal.h"

/*
 * Datagrams taken in one turn of the loop, so that a flood of events does not keep other sources waiting. One costs
 * about as much as one link of a dump.
 */
#define DATAGRAMS_PER_TURN 256
/* Reading a link again can mark its masters; a chain is no longer than the nesting of links. */
#define ROUNDS 8
#define RETRY_USEC 200000
/* The kernel numbers new links upwards from its last one; ours keep away from that. */
#define INDEX_DISTANCE 1000

void observe_index(struct kernel *k, uint32_t ifindex)
{
	if (ifindex >= k->next_index && ifindex < INT32_MAX)
		k->next_index = ifindex + 1;
}

void kernel_number(struct kernel *k, struct plan *p)
{
	plan_number(p, &k->next_index);
}

void observe_mark(struct kernel *k, uint32_t ifindex, unsigned what)
{
	if (!ifindex)
		return;
	if (k->n_marks && k->marks[k->n_marks - 1].ifindex == ifindex)
		k->marks[k->n_marks - 1].what |= what;
	else
		*ARRAY_APPEND(k->marks, k->n_marks) = (struct marked){.ifindex = ifindex, .what = what};
}

void observe_changed(struct kernel *k, const char *name)
{
	if (k->n_names && streq(k->names[k->n_names - 1], name))
		return;
	k->names = array_grow(k->names, k->n_names, sizeof(*k->names));
	memcpy(k->names[k->n_names++], name, strlen(name) + 1);
}

static void forget_marks(struct kernel *k)
{
	k->lost = k->routes_lost = false;
	free(k->marks);
	k->marks = NULL;
	k->n_marks = 0;
	observe_forget_routes(k);
}

static int dump_again(struct kernel *k)
{
	struct model fresh;
	int error = dump_all(k->rtnl, &k->actual, &fresh);

	if (error) {
		k->lost = true;
		return error;
	}
	for (size_t i = 0; i < fresh.n_links; i++) {
		const struct link *old = model_index(&k->actual, fresh.links[i]->ifindex);

		if (old)
			observe_inherit_host(fresh.links[i], old);
	}
	if (k->follows_all)
		all_links_read(&fresh);
	fresh.version += k->actual.version;
	model_done(&k->actual);
	k->actual = fresh;
	/* What the old one leaves in the heap is as large as the new one. */
	malloc_trim(0);
	forget_marks(k);
	overlap_lost(k);
	for (size_t i = 0; i < fresh.n_links; i++)
		observe_index(k, fresh.links[i]->ifindex);
	return 0;
}

static int mark_order(const void *a, const void *b)
{
	const struct marked *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

static void merge_marks(struct marked *marks, size_t *n)
{
	size_t kept = 0;

	if (*n)
		qsort(marks, *n, sizeof(*marks), mark_order);
	for (size_t i = 0; i < *n; i++) {
		if (kept && marks[kept - 1].ifindex == marks[i].ifindex)
			marks[kept - 1].what |= marks[i].what;
		else
			marks[kept++] = marks[i];
	}
	*n = kept;
}

static int read_again(struct kernel *k, const struct marked *mark)
{
	struct link *l = model_index(&k->actual, mark->ifindex);
	int error = 0;

	if (mark->what & MARK_LINK || (mark->what & MARK_LINK_IF_DOWN && l && !(l->flags & IFF_UP))) {
		struct link *fresh;

		error = dump_link(k->rtnl, mark->ifindex, &fresh);
		/* Gone: its event is on the way. */
		if (error == -ENODEV)
			return 0;
		if (error)
			return error;
		observe_link(k, fresh);
		l = model_index(&k->actual, mark->ifindex);
	}
	if (!l || !(mark->what & (MARK_ADDRESSES | MARK_ROUTES | MARK_VLANS)))
		return 0;
	observe_changed(k, l->name);
	if (mark->what & MARK_ADDRESSES)
		error = dump_addresses(k->rtnl, &k->actual, mark->ifindex);
	if (!error && mark->what & MARK_ROUTES)
		error = dump_routes(k->rtnl, &k->actual, mark->ifindex);
	if (!error && mark->what & MARK_VLANS)
		error = dump_vlans(k->rtnl, &k->actual, mark->ifindex);
	return error;
}

static int read_all_again(struct kernel *k, struct marked *marks, size_t n)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		error = read_again(k, &marks[i]);
	if (!error && k->routes_lost)
		error = dump_routes(k->rtnl, &k->actual, 0);
	if (!error)
		k->routes_lost = false;
	return error;
}

static bool is_settled(const struct kernel *k)
{
	return !k->n_marks && !k->lost && !k->routes_lost;
}

/* Makes ACTUAL right where events alone do not. Returns 1 when any link may have changed, 0, or negative errno. */
static int settle(struct kernel *k)
{
	int all = 0;

	observe_mark_routes(k);
	for (unsigned round = 0; round < ROUNDS; round++) {
		_cleanup_free_ struct marked *marks = NULL;
		size_t n = k->n_marks;
		int error;

		if (is_settled(k))
			return all;
		all |= k->routes_lost;
		marks = TAKE_PTR(k->marks);
		k->n_marks = 0;
		merge_marks(marks, &n);
		if (k->lost || n > MARKS_MAX)
			break;
		error = read_all_again(k, marks, n);
		if (error) {
			k->lost = true;
			return error;
		}
	}
	return dump_again(k) < 0 ? -EAGAIN : 1;
}

/* Tells whether the queue is empty now. */
static bool take_datagrams(struct kernel *k)
{
	for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
		ssize_t n = rtnl_receive(k->fd, k->buffer, sizeof(k->buffer));

		if (n == 0)
			return true;
		if (n < 0)
			k->lost = true;
		else if (!k->lost)
			observe_messages(k, k->buffer, (size_t)n);
	}
	return false;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* `changed` may do anything, also make the list grow again. */
static void tell(struct kernel *k, bool all)
{
	_cleanup_free_ char(*names)[IFNAMSIZ] = TAKE_PTR(k->names);
	size_t n = k->n_names;

	k->n_names = 0;
	k->all_changed = false;
	if (all) {
		k->changed(NULL, true, k->userdata);
		return;
	}
	if (n)
		qsort(names, n, sizeof(*names), name_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !streq(names[i], names[i - 1]))
			k->changed(names[i], false, k->userdata);
}

static int on_events(sd_event_source *s, int fd, uint32_t revents, void *userdata);

static int on_later(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct kernel *k = userdata;

	return observe_is_held(k) ? 0 : on_events(NULL, k->fd, 0, k);
}

/* A turn without events. */
static void turn_later(struct kernel *k, uint64_t usec)
{
	k->later = sd_event_source_disable_unref(k->later);
	sd_event_add_time_relative(k->event, &k->later, CLOCK_MONOTONIC, usec, 0, on_later, k);
}

static int on_events(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
	struct kernel *k = userdata;
	bool again = true;
	int r = 0;

	/*
	 * What is read again is as it is after all that held the rtnl lock meanwhile: the deletion of a bridge, say,
	 * whose other events are queued by then. Who is told sees them together.
	 */
	for (unsigned round = 0; again && r >= 0 && round < ROUNDS; round++) {
		int all;

		/* With events still queued, what is read now would be undone by them. */
		if (!take_datagrams(k)) {
			tell(k, r == 1 || k->all_changed);
			return 0;
		}
		again = !is_settled(k);
		all = settle(k);
		r = all ? all : r;
	}
	if (r < 0)
		turn_later(k, RETRY_USEC);
	else
		tell(k, r == 1 || k->all_changed);
	return 0;
}

void observe_read_again(struct kernel *k, uint32_t ifindex)
{
	observe_mark(k, ifindex, MARK_LINK);
	if (!observe_is_held(k))
		turn_later(k, 0);
}

/* Where more is queued than a dump costs, what is left of it is thrown away. */
static void take_all_datagrams(struct kernel *k)
{
	for (size_t taken = 0; !take_datagrams(k); taken += DATAGRAMS_PER_TURN)
		k->lost |= taken > k->actual.n_links;
}

int kernel_drain(struct kernel *k)
{
	int r;

	if (observe_is_held(k))
		return -EBUSY;
	take_all_datagrams(k);
	r = settle(k);
	if (r >= 0 && k->nftables && nftables_settle(k->nftables) < 0)
		r = -EAGAIN;
	k->all_changed |= r == 1;
	if (r < 0 || k->all_changed || k->n_names)
		turn_later(k, r < 0 ? RETRY_USEC : 0);
	return r < 0 ? r : 0;
}

bool kernel_untold(const struct kernel *k, void (*add)(const char *name, void *userdata), void *userdata)
{
	for (size_t i = 0; i < k->n_names; i++)
		add(k->names[i], userdata);
	return !k->all_changed;
}

void kernel_doubt(struct kernel *k, const char *name)
{
	const struct link *l = model_find(&k->actual, name);

	if (l && k->follows_all && streq(name, LINK_ALL))
		all_links_read(&k->actual);
	else if (l)
		observe_mark(k, l->ifindex, MARK_LINK);
}

int kernel_reread(struct kernel *k)
{
	size_t told = k->n_names;
	int r;

	if (observe_is_held(k))
		return -EBUSY;
	r = settle(k);
	k->n_names = told;
	if (r < 0)
		turn_later(k, RETRY_USEC);
	return r < 0 ? r : 0;
}

int kernel_dump(struct kernel *k)
{
	return observe_is_held(k) ? -EBUSY : dump_again(k);
}

int kernel_dump_fresh(struct kernel *k, struct model *ret)
{
	int r = dump_all(k->rtnl, &k->actual, ret);

	if (r == 0 && k->follows_all)
		all_links_read(ret);
	return r;
}

void observe_pause(struct kernel *k, bool pause)
{
	sd_event_source_set_enabled(k->events, pause ? SD_EVENT_OFF : SD_EVENT_ON);
	/* What an execution changed silently waits for no event, and what was put off meanwhile for no other. */
	if (!pause && (k->n_marks || k->lost || k->n_names || k->all_changed))
		turn_later(k, 0);
}

void kernel_hold(struct kernel *k, bool hold)
{
	k->held = hold;
	if (!k->execution)
		observe_pause(k, hold);
}

void observe_all_changed(void *kernel)
{
	struct kernel *k = kernel;

	k->all_changed = true;
	if (!observe_is_held(k))
		turn_later(k, 0);
}

int kernel_follow_firewall(struct kernel *k)
{
	return k->nftables ? 0 : nftables_open(&k->nftables, k->event, observe_all_changed, k);
}

const struct firewall *kernel_firewall(const struct kernel *k)
{
	static const struct firewall none;

	return k->nftables ? nftables_actual(k->nftables) : &none;
}

const struct foreign *kernel_foreign(const struct kernel *k)
{
	static const struct foreign none;

	return k->nftables ? nftables_foreign(k->nftables) : &none;
}

const struct foreign *kernel_legacy(const struct kernel *k)
{
	static const struct foreign none;

	return k->nftables ? nftables_legacy(k->nftables) : &none;
}

static int open_all(struct kernel *k)
{
	static const unsigned groups[] = {
		RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_BRVLAN,	 RTNLGRP_NONE,
	};
	int error = rtnl_open(&k->rtnl);

	if (error)
		return error;
	/* Subscribed before the dump, so that nothing falls between. */
	k->fd = rtnl_open_events(groups);
	if (k->fd < 0)
		return k->fd;
	error = dump_again(k);
	if (error)
		return error;
	k->next_index += INDEX_DISTANCE;
	error = udev_watch(k);
	if (error)
		return error;
	return sd_event_add_io(k->event, &k->events, k->fd, EPOLLIN, on_events, k);
}

int kernel_open(struct kernel **ret, sd_event *event, kernel_changed_fn *changed, void *userdata)
{
	struct kernel *k = xcalloc(1, sizeof(*k));
	int error;

	k->event = sd_event_ref(event);
	k->fd = -1;
	k->changed = changed;
	k->userdata = userdata;
	uname(&k->uts);
	error = open_all(k);
	if (error < 0) {
		kernel_close(k);
		return error;
	}
	*ret = k;
	return 0;
}

struct kernel *kernel_close(struct kernel *k)
{
	if (!k)
		return NULL;
	execute_abandon(k);
	sd_event_source_disable_unref(k->events);
	sd_event_source_disable_unref(k->later);
	sd_event_source_disable_unref(k->overlaps_later);
	overlaps_done(&k->overlaps);
	sd_device_monitor_unref(k->devices);
	sd_event_unref(k->event);
	close_ptr(&k->fd);
	rtnl_close(k->rtnl);
	nftables_close(k->nftables);
	model_done(&k->actual);
	forget_marks(k);
	free(k->names);
	free(k);
	return NULL;
}

sd_event *kernel_event(const struct kernel *k)
{
	return k->event;
}

const struct model *kernel_actual(const struct kernel *k)
{
	return &k->actual;
}

void kernel_set_host(struct kernel *k, kernel_host_fn *fn, void *userdata)
{
	k->host = fn;
	k->host_userdata = userdata;
}

struct model *kernel_host_rows(struct kernel *k)
{
	return &k->actual;
}

const char *kernel_release(const struct kernel *k)
{
	return k->uts.release;
}

uint64_t kernel_writes(const struct kernel *k)
{
	return k->writes;
}
