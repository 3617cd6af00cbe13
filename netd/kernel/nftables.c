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
/* libnftnl's udata.h: the type of a rule's comment among its user data. */
#define UDATA_RULE_COMMENT 0

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

/* The table's name is the first attribute of every message (NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, ...). */
static bool is_ours(const struct nlmsghdr *m)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(m);
	const char *table;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*gen) || gen->nfgen_family != NFPROTO_INET)
		return false;
	table = nft_text(nft_attr(m, NFTA_TABLE_NAME));
	return table && streq(table, FIREWALL_TABLE);
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

/* About our table, or of an object in it. */
static int request(struct nftables *n, uint16_t type, bool dump, const char *in, mnl_cb_t take, void *userdata)
{
	const struct nft_question q = {
		.type = type, .dump = dump, .family = NFPROTO_INET, .table = FIREWALL_TABLE, .in = in};

	return nft_request(n, &q, take, userdata);
}

static int take_table(const struct nlmsghdr *m, void *userdata)
{
	struct firewall *f = userdata;

	f->present |= is_ours(m);
	return MNL_CB_OK;
}

static int take_map(const struct nlmsghdr *m, void *userdata)
{
	const char *name = nft_text(nft_attr(m, NFTA_SET_NAME));

	/* Those without a name of their own belong to rules. */
	if (is_ours(m) && name && !startswith(name, "__"))
		firewall_add_map(userdata, name, NULL);
	return MNL_CB_OK;
}

static const char *hook_name(uint32_t hook)
{
	static const char *const names[] = {
		[NF_INET_PRE_ROUTING] = "prerouting",	[NF_INET_LOCAL_IN] = "input",
		[NF_INET_FORWARD] = "forward",		[NF_INET_LOCAL_OUT] = "output",
		[NF_INET_POST_ROUTING] = "postrouting",
	};

	return hook < ARRAY_SIZE(names) ? names[hook] : "?";
}

static int take_chain(const struct nlmsghdr *m, void *userdata)
{
	const char *name = nft_text(nft_attr(m, NFTA_CHAIN_NAME)), *type = nft_text(nft_attr(m, NFTA_CHAIN_TYPE));
	const struct nlattr *hook = nft_attr(m, NFTA_CHAIN_HOOK);
	_cleanup_free_ char *base = NULL;

	if (!is_ours(m) || !name)
		return MNL_CB_OK;
	if (hook)
		base = xasprintf("type %s hook %s priority %d; policy %s;", type ? type : "?",
				 hook_name(nft_be32(nft_nested(hook, NFTA_HOOK_HOOKNUM))),
				 (int)nft_be32(nft_nested(hook, NFTA_HOOK_PRIORITY)),
				 nft_be32(nft_attr(m, NFTA_CHAIN_POLICY)) == NF_ACCEPT ? "accept" : "drop");
	firewall_add_chain(userdata, name, base);
	return MNL_CB_OK;
}

/* Type, length and bytes of each. */
static const char *find_comment(const struct nlattr *a)
{
	const uint8_t *data = a ? mnl_attr_get_payload(a) : NULL;
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	for (size_t i = 0; i + 2 <= len && i + 2 + data[i + 1] <= len; i += 2u + data[i + 1])
		if (data[i] == UDATA_RULE_COMMENT && data[i + 1] && data[i + 1 + data[i + 1]] == '\0')
			return (const char *)data + i + 2;
	return NULL;
}

struct rules {
	struct firewall *firewall;
	size_t chain; /* of the rule before */
};

/* Rules come chain by chain, in the order of the chains (nf_tables_dump_rules()): the next is found where the last was.
 */
static int take_rule(const struct nlmsghdr *m, void *userdata)
{
	struct rules *rules = userdata;
	struct firewall *f = rules->firewall;
	const char *name = nft_text(nft_attr(m, NFTA_RULE_CHAIN));

	if (!is_ours(m) || !name)
		return MNL_CB_OK;
	for (size_t i = 0; i < f->n_chains; i++) {
		size_t at = (rules->chain + i) % f->n_chains;

		if (!streq(f->chains[at].name, name))
			continue;
		firewall_add_found_rule(&f->chains[at], find_comment(nft_attr(m, NFTA_RULE_USERDATA)));
		rules->chain = at;
		break;
	}
	return MNL_CB_OK;
}

struct elements {
	struct firewall *firewall;
	const char *map;
};

/* NFTA_DATA_VALUE of a key or of data: "\"natbr0\"", "tcp . 80", "192.0.2.10 . 80", told apart by length. */
static bool value_text(const struct nlattr *value, char *buf, size_t size)
{
	const uint8_t *data = value ? mnl_attr_get_payload(value) : NULL;
	size_t len = value ? mnl_attr_get_payload_len(value) : 0;
	char address[INET6_ADDRSTRLEN];

	if (len == IFNAMSIZ && data[IFNAMSIZ - 1] == '\0') {
		snprintf(buf, size, "\"%s\"", (const char *)data);
		return true;
	}
	if (len == 20) {
		snprintf(buf, size, "%s . %u", inet_ntop(AF_INET6, data, address, sizeof(address)),
			 data[16] << 8 | data[17]);
		return true;
	}
	if (len != 8)
		return false;
	/* Concatenated: each part in 32 bits of its own, what is shorter in front. No address begins with 6 or 17. */
	if (data[1] == 0 && data[2] == 0 && data[3] == 0)
		snprintf(buf, size, "%s . %u", data[0] == IPPROTO_TCP ? "tcp" : "udp", data[4] << 8 | data[5]);
	else
		snprintf(buf, size, "%s . %u", inet_ntop(AF_INET, data, address, sizeof(address)),
			 data[4] << 8 | data[5]);
	return true;
}

static bool verdict_text(const struct nlattr *verdict, char *buf, size_t size)
{
	int32_t code = (int32_t)nft_be32(nft_nested(verdict, NFTA_VERDICT_CODE));
	const char *chain = nft_text(nft_nested(verdict, NFTA_VERDICT_CHAIN));

	snprintf(buf, size, "%s %s", code == NFT_JUMP ? "jump" : "goto", chain ? chain : "?");
	return true;
}

static void take_element(const struct elements *e, const struct nlattr *element)
{
	const struct nlattr *key = nft_nested(element, NFTA_SET_ELEM_KEY);
	const struct nlattr *data = nft_nested(element, NFTA_SET_ELEM_DATA);
	const struct nlattr *verdict = nft_nested(data, NFTA_DATA_VERDICT);
	char key_buf[64], data_buf[NFT_CHAIN_MAXNAMELEN + 16];
	bool has_data = verdict ? verdict_text(verdict, data_buf, sizeof(data_buf))
				: value_text(nft_nested(data, NFTA_DATA_VALUE), data_buf, sizeof(data_buf));

	if (value_text(nft_nested(key, NFTA_DATA_VALUE), key_buf, sizeof(key_buf)))
		firewall_add_element(e->firewall, e->map, key_buf, has_data ? data_buf : NULL);
}

static int take_elements(const struct nlmsghdr *m, void *userdata)
{
	const struct nlattr *list = nft_attr(m, NFTA_SET_ELEM_LIST_ELEMENTS), *element;

	if (!is_ours(m) || !list)
		return MNL_CB_OK;
	mnl_attr_for_each_nested (element, list)
		take_element(userdata, element);
	return MNL_CB_OK;
}

static int read_once(struct nftables *n, struct firewall *f)
{
	struct rules rules = {.firewall = f};
	int r = request(n, NFT_MSG_GETTABLE, false, NULL, take_table, f);

	if (r == -ENOENT || !f->present)
		return r == -ENOENT ? 0 : r;
	r = r ? r : request(n, NFT_MSG_GETSET, true, NULL, take_map, f);
	r = r ? r : request(n, NFT_MSG_GETCHAIN, true, NULL, take_chain, f);
	r = r ? r : request(n, NFT_MSG_GETRULE, true, NULL, take_rule, &rules);
	for (size_t i = 0; r == 0 && i < f->n_maps; i++) {
		struct elements e = {.firewall = f, .map = f->maps[i].name};

		r = request(n, NFT_MSG_GETSETELEM, true, e.map, take_elements, &e);
	}
	return r;
}

static int read_table(struct nftables *n)
{
	int r = -EINTR;

	/* EINTR: torn by a change. ENOENT: the table went away in between. */
	for (unsigned i = 0; i < TRIES && (r == -EINTR || r == -ENOENT); i++) {
		struct firewall f = FIREWALL_NULL;

		r = read_once(n, &f);
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
			stale |= is_ours(m);
			foreign_stale |= !is_ours(m) && foreign_is_about(&n->foreign, m);
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
	if (startswith(text, "/dev/stdin:") || startswith(text, "<cmdline>:"))
		text = strstr(text, "Error: ") ?: text;
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
