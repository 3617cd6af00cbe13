/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the one place that talks to the kernel: reads ACTUAL (dump, then kept current from events) and executes
 * plans. Everything is of the network namespace the process runs in.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../model/foreign.h"
#include "../plan/plan.h"
#include "keepsake.h"

struct kernel;
struct overlaps;

/*
 * Called from the event loop after events were taken in. all: the state was dumped anew (lost events), anything
 * may have changed; else `name` is one link that changed, appeared or vanished (called once per link and turn).
 */
typedef void kernel_changed_fn(const char *name, bool all, void *userdata);

/*
 * Opens the request and event sockets, subscribes, and dumps. Returns 0 or negative errno. The caller closes it.
 * Forced receive buffers where permitted.
 */
int kernel_open(struct kernel **ret, sd_event *event, kernel_changed_fn *changed, void *userdata);
struct kernel *kernel_close(struct kernel *k);

/* The loop it was opened on. Borrowed. */
sd_event *kernel_event(const struct kernel *k);
/* ACTUAL: owned by the kernel object; pointers into it live until the next event or dump. */
const struct model *kernel_actual(const struct kernel *k);
/* Puts LINK_ALL into ACTUAL and keeps it and every link's own forwarding current from now on. */
void kernel_follow_all_links(struct kernel *k);
/*
 * Reads the firewall of guest networks, and keeps it current from now on. Nothing is asked of nftables before: that
 * would load its modules on hosts that have no use for them. 0 or negative errno; -EOPNOTSUPP: the kernel has none.
 */
int kernel_follow_firewall(struct kernel *k);
/* Empty unless it is followed. Owned by the kernel object, as ACTUAL is. */
const struct firewall *kernel_firewall(const struct kernel *k);
/* Other firewalls of the host; the same. */
const struct foreign *kernel_foreign(const struct kernel *k);
/* And those in the tables of the older iptables. */
const struct foreign *kernel_legacy(const struct kernel *k);
/*
 * Subnets that routes outside ACTUAL are compared with from now on; those that overlap are kept current. Takes over
 * what is in the list (overlaps_add()), and reads nothing when it is about the same subnets as before.
 */
void kernel_watch_subnets(struct kernel *k, struct overlaps *subnets);
/* Looks now where it would be later. */
void kernel_settle_overlaps(struct kernel *k);
const struct overlaps *kernel_overlaps(const struct kernel *k);
typedef void kernel_route_fn(const struct route *r, void *userdata);
/* Reads the routes that ACTUAL does not keep, and hands them over; some of them twice, perhaps. 0 or negative errno. */
int kernel_each_other_route(struct kernel *k, kernel_route_fn *fn, void *userdata);
/*
 * Takes in all events that are queued; dumps anew when some were lost. 0 or negative errno. `changed` is not called
 * from here, but from a later turn of the loop.
 */
int kernel_drain(struct kernel *k);
/*
 * Leaves ACTUAL as it is from one turn of the loop to another, for a plan that borrows from it: events wait, and what
 * reads anew gives -EBUSY. Also while an execution runs.
 */
void kernel_hold(struct kernel *k, bool hold);
/* Names that are still to be told to `changed`; they may repeat. False: anything may have changed. */
bool kernel_untold(const struct kernel *k, void (*add)(const char *name, void *userdata), void *userdata);
/* Something of this link may have changed without an event: kernel_reread() looks. */
void kernel_doubt(struct kernel *k, const char *name);
/* Reads again what is in doubt. Who asks sees what is found; `changed` is not told. 0 or negative errno. */
int kernel_reread(struct kernel *k);
/* Dumps everything anew. 0 or negative errno. */
int kernel_dump(struct kernel *k);
/* Reads the addresses anew where events did not tell how the kernel orders them. 0 or negative errno. */
int kernel_order_addresses(struct kernel *k);
/* A fresh dump into *ret that leaves ACTUAL alone (to compare with it). The caller calls model_done(). */
int kernel_dump_fresh(struct kernel *k, struct model *ret);
typedef void kernel_difference_fn(const char *line, void *userdata);
/*
 * Lines of what differs between two models of kernel state, for Verify ("br0: mtu: 1500, then 9000"); none when equal.
 * By name throughout. Ignores counters, timers, learned state. Pure.
 */
void kernel_compare(const struct model *a, const struct model *b, kernel_difference_fn *add, void *userdata);

/*
 * Who executes OP_HOST, which is no message to the kernel. ifindex: of the link, also when this plan made it. Returns
 * 0, or negative errno with *why (owned by the caller).
 */
typedef int kernel_host_fn(const struct op *op, uint32_t ifindex, char **why, void *userdata);
void kernel_set_host(struct kernel *k, kernel_host_fn *fn, void *userdata);
/* ACTUAL, to put rows of PLACE_HOST into; they stay with a link as long as it is there. */
struct model *kernel_host_rows(struct kernel *k);

/* How the kernel would send to an address now. */
struct kernel_way {
	uint32_t ifindex;
	bool is_local; /* it is an address of this host */
	bool has_gateway, has_source;
	uint8_t gateway[16], source[16];
};
/*
 * From the address `local`, or with NULL from whichever it takes. -ENETUNREACH, -EHOSTUNREACH and others: there is no
 * way; -EINVAL: also when `local` is no address of this host.
 */
int kernel_way_to(struct kernel *k, uint8_t family, const uint8_t *addr, const uint8_t *local, struct kernel_way *ret);

/* uname release, for messages ("6.1.0-56-amd64"). */
const char *kernel_release(const struct kernel *k);
/* Number of messages written since the start (creates, sets, deletes: everything but reads), for tests and status. */
uint64_t kernel_writes(const struct kernel *k);

struct execute_result {
	int error;		     /* 0, or the first failure as negative errno */
	size_t failed;		     /* its op's number, when error < 0 */
	size_t done;		     /* messages that succeeded */
	char *text;		     /* owned: the kernel's extended-ack text, or strerror; NULL when error == 0 */
	bool no_driver;		     /* the kernel has none for links of that op's kind */
	const struct option *option; /* the row that the kernel refused, when it can be told; else NULL */
};
void execute_result_done(struct execute_result *r);

/* Gives the links that the plan makes their ifindexes, before it is executed. */
void kernel_number(struct kernel *k, struct plan *p);

/* Of the plan's ops, and of the ports that leave before a deletion. */
typedef void kernel_progress_fn(size_t done, size_t total, void *userdata);
typedef void kernel_done_fn(struct execute_result *result,
			    void *userdata); /* owns nothing: result dies after the call */

/*
 * Executes a plan: messages go out in sends of some 100 ms of kernel work, glued ops in one, and while the kernel works
 * on one, the loop turns, so other sources are served. Stops after the send in which an op failed. The plan, and the
 * effective and actual models it borrows from, must live unchanged until `done` was called: while an execution runs,
 * events are queued by the kernel and taken in only after `done`, which therefore sees ACTUAL as it was before; `done`
 * calls kernel_drain() when it wants to see the result.
 *
 * The ports of a bridge or bond that has many leave it before it is deleted (release.h), as a part of that op.
 *
 * spare: the deletion of a bridge or bond fails (EBUSY) when it has got a port since ACTUAL was read.
 */
int kernel_execute(struct kernel *k, const struct plan *p, bool spare, kernel_progress_fn *progress,
		   kernel_done_fn *done, void *userdata);
