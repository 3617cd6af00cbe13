/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what reads our table and what reads those of others share. Internal. */
#pragma once

#include <libmnl/libmnl.h>

#include "nftables.h"

struct nft_ctx;

#define BUFFER (64 * 1024)

struct nftables {
	struct mnl_socket *requests, *events;
	struct nft_ctx *ctx;
	sd_event_source *source;
	nftables_changed_fn *changed;
	void *userdata;
	struct firewall actual;
	struct foreign foreign, legacy;
	sd_event_source *look;
	bool stale, foreign_stale;
	uint32_t seq;
	_Alignas(struct nlmsghdr) uint8_t buffer[BUFFER];
};

/* What is asked of the kernel. */
struct nft_question {
	uint16_t type; /* NFT_MSG_GET* */
	bool dump;
	uint8_t family;
	const char *table, *in; /* a chain or a set; NULL: all of them */
};

/* `take` is called for each answer. 0 or negative errno; -EINTR: a change tore the answers. */
int nft_request(struct nftables *n, const struct nft_question *q, mnl_cb_t take, void *userdata);

const struct nlattr *nft_attr(const struct nlmsghdr *m, uint16_t type);
/* nest: may be NULL. */
const struct nlattr *nft_nested(const struct nlattr *nest, uint16_t type);
/* NULL: it is not there, or no text. */
const char *nft_text(const struct nlattr *a);
uint32_t nft_be32(const struct nlattr *a);

/* nftables-table.c */
/* Is the message about our table? */
bool nft_is_ours(const struct nlmsghdr *m);
/* Adds to *f what there is of our table. 0 or negative errno; -EINTR, -ENOENT: it changed meanwhile. */
int table_read(struct nftables *n, struct firewall *f);

/* foreign-chains.c */
int foreign_read(struct nftables *n, struct foreign *ret);
/* May an event about another table be about what was read? */
bool foreign_is_about(const struct foreign *f, const struct nlmsghdr *m);
