/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the encode-*.c files share with each other and with nobody else. */
#pragma once

#include "encode.h"

struct encoder {
	const struct op *op;
	encode_index_fn *index;
	void *userdata;
	void *buf;
	size_t size;
};

struct nlmsghdr *encode_begin(struct encoder *e, uint16_t type, uint16_t flags, size_t header, void **payload);
uint32_t encode_index(const struct encoder *e, const char *name);

/* Each writes the whole message; 0 or negative errno. */
int encode_address(struct encoder *e);
int encode_route(struct encoder *e);
int encode_vlans(struct encoder *e);
