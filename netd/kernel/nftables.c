/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: nftables.h. */
#include "legacy-tables.h"
#include "nftables-internal.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>

/* An answer that was torn by a change is asked for again this often. */
#define TRIES 5
/* The older iptables' tables are looked at this often; where there are none, that is a file that does not open. */
#define LOOK_USEC (5ull * 1000 * 1000)

const struct nlattr *nft_attr(const struct nlmsghdr *m, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each (a, m, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

const struct nlattr *nft_nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

const char *nft_text(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : NULL;
}

uint32_t nft_be32(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_U32) >= 0 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

static struct mnl_socket *open_socket(unsigned groups)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (s && mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	return s;
}

/* What is left of answers that were not read to their end would be taken for those to the next question. */
static void forget_answers(struct nftables *n)
{
	struct mnl_socket *s = open_socket(0);

	if (!s)
		return;
	mnl_socket_close(n->requests);
	n->requests = s;
}

static int ask(struct nftables *n, const struct nft_question *q, mnl_cb_t take, void *userdata)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(n->buffer);
	struct nfgenmsg *gen;
	unsigned port = mnl_socket_get_portid(n->requests);
	ssize_t len;
	int r;

	m->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | q->type);
	m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (q->dump ? NLM_F_DUMP : NLM_F_ACK));
	m->nlmsg_seq = ++n->seq;
	gen = mnl_nlmsg_put_extra_header(m, sizeof(*gen));
	gen->nfgen_family = q->family;
	gen->version = NFNETLINK_V0;
	if (q->table)
		mnl_attr_put_strz(m, NFTA_TABLE_NAME, q->table);
	/* NFTA_SET_ELEM_LIST_SET has the same number. */
	if (q->in)
		mnl_attr_put_strz(m, NFTA_RULE_CHAIN, q->in);
	if (mnl_socket_sendto(n->requests, m, m->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(n->requests, n->buffer, sizeof(n->buffer));
		if (len < 0)
			return -errno;
		r = mnl_cb_run(n->buffer, (size_t)len, n->seq, port, take, userdata);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}

int nft_request(struct nftables *n, const struct nft_question *q, mnl_cb_t take, void *userdata)
{
	int r = ask(n, q, take, userdata);

	if (r < 0 && q->dump)
		forget_answers(n);
	return r;
}

static int read_table(struct nftables *n)
{
	int r = -EINTR;

	/* EINTR: torn by a change. ENOENT: the table went away in between. */
	for (unsigned i = 0; i < TRIES && (r == -EINTR || r == -ENOENT); i++) {
		struct firewall f = FIREWALL_NULL;

		r = table_read(n, &f);
		if (r < 0) {
			firewall_done(&f);
			continue;
		}
		firewall_done(&n->actual);
		n->actual = f;
		n->stale = false;
	}
	return r;
}

static int read_foreign(struct nftables *n)
{
	int r = -EINTR;

	for (unsigned i = 0; i < TRIES && (r == -EINTR || r == -ENOENT); i++) {
		struct foreign f = FOREIGN_NULL;

		r = foreign_read(n, &f);
		if (r < 0) {
			foreign_done(&f);
			continue;
		}
		foreign_done(&n->foreign);
		n->foreign = f;
		n->foreign_stale = false;
	}
	return r;
}

/* Has anything changed since in the tables of the older iptables? They are taken over where ACTUAL may change. */
static bool read_legacy(struct nftables *n, bool take)
{
	struct foreign f = FOREIGN_NULL;
	bool changed = legacy_read(&f) == 0 && !foreign_equal(&f, &n->legacy);

	if (changed && take) {
		foreign_done(&n->legacy);
		n->legacy = f;
		f = FOREIGN_NULL;
	}
	foreign_done(&f);
	return changed;
}

/* Nobody is told of changes there. */
static int on_look(sd_event_source *s, uint64_t usec _unused_, void *userdata)
{
	struct nftables *n = userdata;

	if (read_legacy(n, false))
		n->changed(n->userdata);
	return sd_event_source_set_time_relative(s, LOOK_USEC);
}

/* Notes which of the tables the events that are queued are about, and tells of it. */
static void take_events(struct nftables *n)
{
	bool stale = false, foreign_stale = false;

	for (;;) {
		ssize_t len = recv(mnl_socket_get_fd(n->events), n->buffer, sizeof(n->buffer), MSG_DONTWAIT);
		const struct nlmsghdr *m = (const struct nlmsghdr *)n->buffer;
		int left = (int)len;

		if (len < 0 && errno != ENOBUFS)
			break;
		/* What was lost may have been about any table. */
		stale |= len < 0;
		foreign_stale |= len < 0;
		for (; left > 0 && mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			stale |= nft_is_ours(m);
			foreign_stale |= !nft_is_ours(m) && foreign_is_about(&n->foreign, m);
		}
	}
	n->stale |= stale;
	n->foreign_stale |= foreign_stale;
	if (stale || foreign_stale)
		n->changed(n->userdata);
}

static int on_events(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
	take_events(userdata);
	return 0;
}

static int open_all(struct nftables *n, sd_event *event)
{
	int r;

	n->requests = open_socket(0);
	n->events = open_socket(1u << (NFNLGRP_NFTABLES - 1));
	if (!n->requests || !n->events)
		return errno == EPROTONOSUPPORT ? -EOPNOTSUPP : -errno;
	r = sd_event_add_io(event, &n->source, mnl_socket_get_fd(n->events), EPOLLIN, on_events, n);
	if (r < 0)
		return r;
	n->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!n->ctx || nft_ctx_buffer_error(n->ctx) < 0 || nft_ctx_buffer_output(n->ctx) < 0)
		return -ENOMEM;
	r = read_table(n);
	r = r ? r : read_foreign(n);
	if (r == 0) {
		read_legacy(n, true);
		r = sd_event_add_time_relative(event, &n->look, CLOCK_MONOTONIC, LOOK_USEC, LOOK_USEC, on_look, n);
	}
	if (r == 0)
		r = sd_event_source_set_enabled(n->look, SD_EVENT_ON);
	/* nfnetlink_rcv_msg(): no subsystem of that number, and no module for it. */
	return r == -EINVAL ? -EOPNOTSUPP : r;
}

int nftables_open(struct nftables **ret, sd_event *event, nftables_changed_fn *changed, void *userdata)
{
	struct nftables *n = xcalloc(1, sizeof(*n));
	int r;

	n->changed = changed;
	n->userdata = userdata;
	n->legacy.is_legacy = true;
	r = open_all(n, event);
	if (r < 0)
		nftables_close(n);
	else
		*ret = n;
	return r;
}

struct nftables *nftables_close(struct nftables *n)
{
	if (!n)
		return NULL;
	sd_event_source_disable_unref(n->source);
	sd_event_source_disable_unref(n->look);
	if (n->requests)
		mnl_socket_close(n->requests);
	if (n->events)
		mnl_socket_close(n->events);
	if (n->ctx)
		nft_ctx_free(n->ctx);
	firewall_done(&n->actual);
	foreign_done(&n->foreign);
	foreign_done(&n->legacy);
	free(n);
	return NULL;
}

const struct firewall *nftables_actual(const struct nftables *n)
{
	return &n->actual;
}

const struct foreign *nftables_foreign(const struct nftables *n)
{
	return &n->foreign;
}

const struct foreign *nftables_legacy(const struct nftables *n)
{
	return &n->legacy;
}

int nftables_settle(struct nftables *n)
{
	int r;

	take_events(n);
	r = n->stale ? read_table(n) : 0;
	if (r == 0 && n->foreign_stale)
		r = read_foreign(n);
	read_legacy(n, true);
	return r;
}

/* The first line of what libnftables has to say, which is "Error: ..."; lines with the command follow it. */
static char *first_line(const char *text)
{
	bool has_place = startswith(text, "/dev/stdin:") || startswith(text, "<cmdline>:");
	const char *error = has_place ? strstr(text, "Error: ") : NULL;

	text = error ? error : text;
	return text && *text ? xasprintf("nftables: %.*s", (int)strcspn(text, "\n"), text) : NULL;
}

int nftables_run(struct nftables *n, const char *commands, char **ret_text)
{
	int r;

	errno = 0;
	n->stale = true;
	if (nft_run_cmd_from_buffer(n->ctx, commands) == 0)
		return 0;
	r = errno > 0 ? -errno : -EINVAL;
	*ret_text = first_line(nft_ctx_get_error_buffer(n->ctx));
	return r;
}
