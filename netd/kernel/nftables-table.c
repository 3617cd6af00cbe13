/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: reads our own table as the kernel has it: which chains and maps there are, what the maps hold, and of each
 * rule the digest that its comment is.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftables-internal.h"

/* libnftnl's udata.h: the type of a rule's comment among its user data. */
#define UDATA_RULE_COMMENT 0

/* The table's name is the first attribute of every message (NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, ...). */
bool nft_is_ours(const struct nlmsghdr *m)
{
	const struct nfgenmsg *gen = mnl_nlmsg_get_payload(m);
	const char *table;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*gen) || gen->nfgen_family != NFPROTO_INET)
		return false;
	table = nft_text(nft_attr(m, NFTA_TABLE_NAME));
	return table && streq(table, FIREWALL_TABLE);
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

	f->present |= nft_is_ours(m);
	f->dormant |= f->present && nft_be32(nft_attr(m, NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT;
	return MNL_CB_OK;
}

static int take_map(const struct nlmsghdr *m, void *userdata)
{
	const char *name = nft_text(nft_attr(m, NFTA_SET_NAME));

	/* Those without a name of their own belong to rules. */
	if (nft_is_ours(m) && name && !startswith(name, "__"))
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

	if (!nft_is_ours(m) || !name)
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

	if (!nft_is_ours(m) || !name)
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

	if (!nft_is_ours(m) || !list)
		return MNL_CB_OK;
	mnl_attr_for_each_nested (element, list)
		take_element(userdata, element);
	return MNL_CB_OK;
}

int table_read(struct nftables *n, struct firewall *f)
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
