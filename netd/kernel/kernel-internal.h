/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what dump.c, observe.c and execute.c share of struct kernel. Internal to kernel/. */
#pragma once

#include <sys/utsname.h>

#include "../model/overlap.h"
#include "decode.h"
#include "kernel.h"
#include "nftables.h"
#include "rtnl.h"

/* What of ACTUAL is to be read again once the queued events are taken in, because the kernel changes it silently. */
enum mark {
	MARK_LINK = 1 << 0,
	MARK_LINK_IF_DOWN = 1 << 1, /* changes of a link that is down are not told */
	MARK_ADDRESSES = 1 << 2,
	MARK_ROUTES = 1 << 3,
	MARK_VLANS = 1 << 4,
};

struct marked {
	uint32_t ifindex;
	unsigned what; /* enum mark */
};

/* A route that replaced others of its key, on whatever link: of those only the last one is left. */
struct replacing {
	struct route route;
	uint32_t ifindex; /* 0: none of those that are kept */
	size_t number;	  /* in the order of the events */
};

struct execution;

struct kernel {
	sd_event *event;
	sd_event_source *events, *later;
	struct sd_device_monitor *devices;
	int fd; /* events */
	struct rtnl *rtnl;
	struct model actual;
	kernel_changed_fn *changed;
	void *userdata;
	kernel_host_fn *host;
	void *host_userdata;

	/* To do before ACTUAL is right again. */
	bool lost, routes_lost;
	bool order_unknown; /* of some link's addresses */
	struct marked *marks;
	size_t n_marks;
	struct address *gone_addresses; /* routes with such a source went along, or lost it */
	size_t n_gone_addresses;
	struct replacing *replacing;
	size_t n_replacing;
	/* Told to `changed` at the end of a turn of the loop; names may repeat. */
	char (*names)[IFNAMSIZ];
	size_t n_names;
	bool all_changed;

	/* overlap.c */
	struct overlaps overlaps;
	sd_event_source *overlaps_later; /* what is known of them is in doubt until then; NULL: it is not */
	uint64_t overlaps_took;		 /* microseconds, the last look */
	bool follows_hops;

	uint32_t next_index; /* for links to be created: above every ifindex seen so far */
	uint64_t writes;
	bool follows_all;	     /* ACTUAL has LINK_ALL */
	bool held;		     /* somebody's plan borrows from ACTUAL */
	struct nftables *nftables;   /* NULL: nobody asked for it */
	struct execution *execution; /* NULL: none is running */
	struct utsname uts;
	_Alignas(struct nlmsghdr) uint8_t buffer[RTNL_BUFFER];
};

/*
 * dump.c: reads that fill a model. All return 0 or negative errno; torn answers are read again a few times (-EAGAIN
 * after that). `known` lends what does not change in the life of a device.
 */
int dump_all(struct rtnl *r, const struct model *known, struct model *ret);
/* -ENODEV: it is gone. The caller owns *ret. */
int dump_link(struct rtnl *r, uint32_t ifindex, struct link **ret);
/* Replace what the model has of one link, or with ifindex 0 of all, by what the kernel has. */
int dump_addresses(struct rtnl *r, struct model *m, uint32_t ifindex);
int dump_routes(struct rtnl *r, struct model *m, uint32_t ifindex);
int dump_vlans(struct rtnl *r, struct model *m, uint32_t ifindex);
typedef void dump_other_fn(const struct route_state *s, void *userdata);
/* Hands over the routes that no model keeps (route_state.other), one by one; some of them twice, perhaps. */
int dump_other_routes(struct rtnl *r, dump_other_fn *fn, void *userdata);
/* Fills in what only ethtool knows, for hardware. */
void dump_driver(struct link *l, const struct link *known);

/* observe-event.c: what other programs keep about a link goes from the link as known to the link as read. */
void observe_inherit_host(struct link *fresh, const struct link *old);
/* observe.c */
/* Where more links than this are to be read again, a full dump costs less. */
#define MARKS_MAX 64
void observe_mark(struct kernel *k, uint32_t ifindex, unsigned what);
/* Keeps k->next_index above this one. */
void observe_index(struct kernel *k, uint32_t ifindex);
/* While an execution runs, events stay in the socket. */
void observe_pause(struct kernel *k, bool pause);

/* Is ACTUAL to stay as it is? */
static inline bool observe_is_held(const struct kernel *k)
{
	return k->held || k->execution;
}

/* Has the link read again in the next turn of the loop, or after the execution that is running. */
void observe_read_again(struct kernel *k, uint32_t ifindex);

/* Tells `changed` in a later turn of the loop that anything may be otherwise. Also for who takes a callback. */
void observe_all_changed(void *kernel);

/* overlap.c: an event about a route; it may be one that overlaps, or take the place of one that did. */
void overlap_event(struct kernel *k, const struct nlmsghdr *m, const struct route_state *s);
/* A route that was found may have gone without an event. */
void overlap_doubt(struct kernel *k);
/* Events were lost: also others may have come. */
void overlap_lost(struct kernel *k);

/* udev.c: has links read again when udev has named them. */
int udev_watch(struct kernel *k);

/* sysctl.c: a row of PLACE_SYSCTL4 or 6, of a link or of LINK_ALL. False: it cannot be read. 0 or negative errno. */
bool sysctl_read(const char *link, const struct option *o, uint64_t *ret);
int sysctl_write(const char *link, const struct option *o, uint64_t value);

/* all-links.c: reads the settings of all links together into that link of the model, which is made when it is not
 * there. */
void all_links_read(struct model *m);
/* A change of one link's settings, or of those of all. */
void all_links_event(struct kernel *k, const struct nlmsghdr *m);

/* execute.c: gives up a running execution without calling its `done`. */
void execute_abandon(struct kernel *k);
