/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: rtnetlink sockets: one for requests (dumps, single reads, batches of changes), one for events. Knows the
 * protocol and nothing of what the messages mean.
 */
#pragma once

#include <linux/netlink.h>

#include "../util.h"

/* Bytes a receive buffer must have: the kernel builds dump messages of up to 32 KB when it sees room for them. */
#define RTNL_BUFFER 65536

struct rtnl;

/* One message of an answer, valid during the call. Nonzero (negative errno) ends the reading with that error. */
typedef int rtnl_message_fn(const struct nlmsghdr *m, void *userdata);

/* What became of one message of a batch. */
struct rtnl_result {
	int error;	 /* 0 or negative errno */
	uint32_t offset; /* of the attribute that the kernel names, from the message's start; 0: none */
	char *text;	 /* owned: the kernel's extended-ack text; NULL: none */
};

/* Opens the request socket. 0 or negative errno; the caller closes it. */
int rtnl_open(struct rtnl **ret);
struct rtnl *rtnl_close(struct rtnl *r);

/*
 * Sends a dump request (flags and sequence are filled in) and hands over every message of the answer. Returns 0, or
 * negative errno; -EINTR: the kernel's state changed meanwhile, the answer may lack something and is to be thrown away.
 */
int rtnl_dump(struct rtnl *r, struct nlmsghdr *request, rtnl_message_fn *fn, void *userdata);
/* The same for a read of one object; flags that the request has already stay. */
int rtnl_get(struct rtnl *r, struct nlmsghdr *request, rtnl_message_fn *fn, void *userdata);

/*
 * Sends n messages that stand one after another (aligned, flags complete but for REQUEST and ACK, which are added like
 * the sequence) and fills one result for each; the caller releases them. All are processed, whatever fails. Returns 0
 * when every result is known; with an error there are none to release: -ENOBUFS when answers were lost (read the state
 * again), another negative errno when nothing was sent. At most RTNL_BATCH_MAX messages and rtnl_batch_bytes() bytes.
 */
int rtnl_batch(struct rtnl *r, void *messages, size_t len, struct rtnl_result *results, size_t n);
void rtnl_result_done(struct rtnl_result *result);
size_t rtnl_batch_bytes(const struct rtnl *r);
/* Answers to more messages than this, all refused, overflow a receive buffer of default size (measured: 277). */
#define RTNL_BATCH_MAX 128

/* A non-blocking socket subscribed to RTNLGRP_* groups; 0 ends the list. Descriptor or negative errno. */
int rtnl_open_events(const unsigned *groups);
/* Has the kernel throw events away before they are queued, or queue them again. */
void rtnl_refuse_events(int fd, bool refuse);
/* Adds a group. False: this kernel does not have it. */
bool rtnl_join(int fd, unsigned group);
/*
 * One datagram from the kernel into buf (RTNL_BUFFER bytes), without waiting: its length; 0: nothing queued; -ENOBUFS:
 * something was lost. Datagrams of other senders are dropped.
 */
ssize_t rtnl_receive(int fd, void *buf, size_t size);
