/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: reads which chains of other firewalls judge what guests send, whether they drop what comes to their end, and
 * which rules in them are ours. Of other rules only the outline is looked at.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

#include "../plan/assist.h"
#include "nftables-internal.h"

struct reader {
	struct foreign *foreign;
	struct foreign_chain *chain; /* whose rules are read; NULL: one of ours */
};

static uint8_t family_of(const struct nlmsghdr *m)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(m))->nfgen_family;
}

static bool is_judged(uint8_t family, const char *table)
{
	return (family == NFPROTO_INET || family == NFPROTO_IPV4 || family == NFPROTO_IPV6) && table &&
	       !(family == NFPROTO_INET && streq(table, FIREWALL_TABLE));
}

static bool is_own_chain(uint8_t family, const char *table, const char *name)
{
	return family != NFPROTO_INET && streq(table, "filter") &&
	       (streq(name, ASSIST_FORWARD) || streq(name, ASSIST_INPUT));
}

static int take_chain(const struct nlmsghdr *m, void *userdata)
{
	struct foreign *f = userdata;
	const char *table = nft_text(nft_attr(m, NFTA_CHAIN_TABLE)), *name = nft_text(nft_attr(m, NFTA_CHAIN_NAME));
	const char *type = nft_text(nft_attr(m, NFTA_CHAIN_TYPE));
	const struct nlattr *hook = nft_attr(m, NFTA_CHAIN_HOOK);
	struct foreign_chain *c;
	uint32_t number;

	if (!is_judged(family_of(m), table) || !name)
		return MNL_CB_OK;
	if (is_own_chain(family_of(m), table, name))
		foreign_add_own_chain(f, family_of(m), name);
	number = nft_be32(nft_nested(hook, NFTA_HOOK_HOOKNUM));
	if (!hook || !type || !streq(type, "filter") || (number != NF_INET_FORWARD && number != NF_INET_LOCAL_IN))
		return MNL_CB_OK;
	c = foreign_add_chain(f, family_of(m), table, name);
	c->hook = number == NF_INET_FORWARD ? FOREIGN_FORWARD : FOREIGN_INPUT;
	c->policy_drops = nft_attr(m, NFTA_CHAIN_POLICY) && nft_be32(nft_attr(m, NFTA_CHAIN_POLICY)) == NF_DROP;
	return MNL_CB_OK;
}

/* What a rule does, as far as it matters here. */
struct outline {
	bool drops, judges_some; /* not all packets */
	const char *comment, *jump;
};

/* A match or target of xtables, which iptables' rules are made of where nftables has no expression. */
static void take_xtables(struct outline *o, const struct nlattr *data, bool is_target)
{
	const char *name = nft_text(nft_nested(data, is_target ? NFTA_TARGET_NAME : NFTA_MATCH_NAME));
	const struct nlattr *info = nft_nested(data, NFTA_MATCH_INFO);

	if (name && is_target)
		o->drops |= streq(name, "REJECT");
	else if (name && streq(name, "comment"))
		o->comment = nft_text(info);
	else
		o->judges_some = true;
}

static void take_verdict(struct outline *o, const struct nlattr *data)
{
	const struct nlattr *verdict = nft_nested(nft_nested(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);

	if (!verdict)
		return;
	o->drops |= nft_be32(nft_nested(verdict, NFTA_VERDICT_CODE)) == NF_DROP;
	o->jump = nft_text(nft_nested(verdict, NFTA_VERDICT_CHAIN));
}

/* A comparison with a name of a link: it is as long as one can be, and ends in zeros. */
static void take_compared(struct foreign_chain *c, const struct nlattr *data)
{
	const struct nlattr *value = nft_nested(nft_nested(data, NFTA_CMP_DATA), NFTA_DATA_VALUE);
	const char *name = value ? mnl_attr_get_payload(value) : NULL;

	if (!c || !name || mnl_attr_get_payload_len(value) != IFNAMSIZ || name[IFNAMSIZ - 1])
		return;
	c->links = array_grow(c->links, c->n_links, sizeof(*c->links));
	memcpy(c->links[c->n_links++], name, IFNAMSIZ);
}

static void take_expression(struct outline *o, struct foreign_chain *c, const struct nlattr *e)
{
	const char *name = nft_text(nft_nested(e, NFTA_EXPR_NAME));
	const struct nlattr *data = nft_nested(e, NFTA_EXPR_DATA);

	if (!name || streq(name, "counter") || streq(name, "log"))
		return;
	if (streq(name, "immediate"))
		take_verdict(o, data);
	else if (streq(name, "reject"))
		o->drops = true;
	else if (streq(name, "match") || streq(name, "target"))
		take_xtables(o, data, streq(name, "target"));
	else
		o->judges_some = true;
	if (streq(name, "cmp"))
		take_compared(c, data);
}

/* Rules come in their order: what the last one says stands. */
static int take_rule(const struct nlmsghdr *m, void *userdata)
{
	const struct reader *r = userdata;
	const struct nlattr *list = nft_attr(m, NFTA_RULE_EXPRESSIONS), *e;
	const char *name = nft_text(nft_attr(m, NFTA_RULE_CHAIN));
	struct outline o = {0};

	if (!name)
		return MNL_CB_OK;
	if (list)
		mnl_attr_for_each_nested (e, list)
			take_expression(&o, r->chain, e);
	if (!r->chain) {
		foreign_add_rule(r->foreign, family_of(m), name, o.comment ? o.comment : "");
		return MNL_CB_OK;
	}
	r->chain->end_drops = o.drops && !o.judges_some;
	if (o.jump && o.comment && streq(o.comment, ASSIST_JUMP) && is_own_chain(family_of(m), "filter", o.jump))
		r->chain->has_jump = true;
	return MNL_CB_OK;
}

static int read_rules(struct nftables *n, struct foreign *f, struct foreign_chain *chain, uint8_t family,
		      const char *table, const char *name)
{
	struct reader reader = {.foreign = f, .chain = chain};
	const struct nft_question q = {
		.type = NFT_MSG_GETRULE, .dump = true, .family = family, .table = table, .in = name};

	return nft_request(n, &q, take_rule, &reader);
}

int foreign_read(struct nftables *n, struct foreign *ret)
{
	static const uint8_t families[] = {NFPROTO_IPV4, NFPROTO_IPV6};
	static const char *const own[] = {ASSIST_FORWARD, ASSIST_INPUT};
	const struct nft_question q = {.type = NFT_MSG_GETCHAIN, .dump = true, .family = NFPROTO_UNSPEC};
	int r = nft_request(n, &q, take_chain, ret);

	for (size_t i = 0; r == 0 && i < ret->n_chains; i++) {
		struct foreign_chain *c = &ret->chains[i];

		r = read_rules(n, ret, c, c->family, c->table, c->name);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families) * ARRAY_SIZE(own); i++)
		if (foreign_has_own_chain(ret, families[i / 2], own[i % 2]))
			r = read_rules(n, ret, NULL, families[i / 2], "filter", own[i % 2]);
	return r;
}

static bool is_known(const struct foreign *f, uint8_t family, const char *table, const char *name)
{
	if (is_own_chain(family, table, name))
		return true;
	for (size_t i = 0; i < f->n_chains; i++)
		if (f->chains[i].family == family && streq(f->chains[i].table, table) && streq(f->chains[i].name, name))
			return true;
	return false;
}

bool foreign_is_about(const struct foreign *f, const struct nlmsghdr *m)
{
	unsigned type = m->nlmsg_type & 0xff;
	bool is_chain = type == NFT_MSG_NEWCHAIN || type == NFT_MSG_DELCHAIN;
	bool is_rule = type == NFT_MSG_NEWRULE || type == NFT_MSG_DELRULE;
	const char *table, *name;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct nfgenmsg))
		return false;
	table = nft_text(nft_attr(m, NFTA_TABLE_NAME));
	if (!is_judged(family_of(m), table))
		return false;
	if (!is_chain && !is_rule)
		return type == NFT_MSG_DELTABLE;
	name = nft_text(nft_attr(m, is_chain ? NFTA_CHAIN_NAME : NFTA_RULE_CHAIN));
	return (is_chain && nft_attr(m, NFTA_CHAIN_HOOK)) || (name && is_known(f, family_of(m), table, name));
}
