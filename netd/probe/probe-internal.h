/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the files of one sort of question each share. Internal to probe/. */
#pragma once

#include "probe.h"

struct probe {
	struct probe_target target;
	struct kernel *kernel; /* borrowed */
	probe_answered_fn *answered;
	void *userdata;
	int fd; /* -1: not open */
	sd_event_source *io;
	bool asked;	     /* since the last probe_forget() */
	uint16_t seq, first; /* ICMP echo: the last question, and the first one whose answer is told */
	unsigned age;	     /* TCP: questions that this connection stands for */
	/* Neighbours: who was asked last, and on which link. */
	uint32_t ifindex;
	uint8_t neighbour[16];
};

/* Takes over the descriptor. Returns 0 or negative errno, with everything closed. */
int probe_open(struct probe *p, int fd, uint32_t events, sd_event_io_handler_t handler);
void probe_close(struct probe *p);
void probe_tell(struct probe *p);

void ping_ask(struct probe *p);
void tcp_ask(struct probe *p);
/* ARP or neighbour discovery. source: of this host, 4 bytes, for ARP. */
void neighbour_ask(struct probe *p, const struct link *link, const uint8_t *addr, const uint8_t *source);
