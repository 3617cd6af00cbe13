/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: reads what foreign-chains.c reads of nftables from the tables of the older iptables (iptables-legacy), which
 * the kernel keeps beside nftables' and tells nobody of when they change. Whole tables come as the kernel has them:
 * entries one after another, each a header, matches and a target (include/uapi/linux/netfilter/x_tables.h).
 */
#include "legacy-tables.h"

/* The C library's, before the kernel's own of the same things. */
#include <arpa/inet.h>

#include <linux/netfilter.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "../plan/assist.h"

/* A table that changed between two questions is asked for again this often. */
#define TRIES 5

/* What is different for IPv6. The types of IPv4 serve both where the layout is the same. */
static const struct layout {
	uint8_t nfproto;
	int domain, level;
	const char *names;   /* the tables that there are */
	size_t entry;	     /* bytes of an entry's header */
	size_t condition;    /* what of it must be zero for the entry to be about every packet */
	size_t links[2];     /* names of links in it */
	size_t target, next; /* 16 bits each, from the entry's begin */
} layouts[] = {
	{NFPROTO_IPV4,
	 AF_INET,
	 SOL_IP,
	 "/proc/net/ip_tables_names",
	 sizeof(struct ipt_entry),
	 sizeof(struct ipt_ip),
	 {offsetof(struct ipt_ip, iniface), offsetof(struct ipt_ip, outiface)},
	 offsetof(struct ipt_entry, target_offset),
	 offsetof(struct ipt_entry, next_offset)},
	{NFPROTO_IPV6,
	 AF_INET6,
	 SOL_IPV6,
	 "/proc/net/ip6_tables_names",
	 sizeof(struct ip6t_entry),
	 sizeof(struct ip6t_ip6),
	 {offsetof(struct ip6t_ip6, iniface), offsetof(struct ip6t_ip6, outiface)},
	 offsetof(struct ip6t_entry, target_offset),
	 offsetof(struct ip6t_entry, next_offset)},
};

struct table {
	const struct layout *layout;
	struct ipt_getinfo info;
	uint8_t *entries; /* owned; info.size bytes */
};

static uint16_t u16_at(const uint8_t *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

/* Asking for a table that is not there would make it. */
static bool is_there(const struct layout *l)
{
	_cleanup_fclose_ FILE *f = fopen(l->names, "re");
	char name[XT_TABLE_MAXNAMELEN];

	while (f && fscanf(f, "%31s", name) == 1)
		if (streq(name, "filter"))
			return true;
	return false;
}

static int read_once(int fd, struct table *t)
{
	socklen_t len = sizeof(t->info);
	struct ipt_get_entries *get;
	int r = 0;

	t->info = (struct ipt_getinfo){.name = "filter"};
	if (getsockopt(fd, t->layout->level, IPT_SO_GET_INFO, &t->info, &len) < 0)
		return -errno;
	len = (socklen_t)(sizeof(*get) + t->info.size);
	get = xcalloc(1, len);
	memcpy(get->name, "filter", sizeof("filter"));
	get->size = t->info.size;
	if (getsockopt(fd, t->layout->level, IPT_SO_GET_ENTRIES, get, &len) < 0) {
		r = -errno;
	} else {
		t->entries = xcalloc(1, t->info.size);
		memcpy(t->entries, get->entrytable, t->info.size);
	}
	free(get);
	return r;
}

static int read_table(struct table *t)
{
	_cleanup_close_ int fd = socket(t->layout->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	int r = fd < 0 ? -errno : -EAGAIN;

	/* EAGAIN: the table has another size than was said a moment ago. */
	for (unsigned i = 0; i < TRIES && r == -EAGAIN; i++)
		r = read_once(fd, t);
	return r;
}

/* An entry, with its parts inside of the table. */
struct entry {
	const uint8_t *at;
	const struct xt_entry_target *target;
	uint32_t offset, len;
	const char *comment; /* NULL: it has none */
	bool judges_some;    /* not all packets */
};

/* The comment among its matches; every other match narrows. */
static void take_matches(const struct layout *l, struct entry *e, uint32_t target)
{
	for (uint32_t i = (uint32_t)l->entry; i + sizeof(struct xt_entry_match) <= target;) {
		const struct xt_entry_match *m = (const void *)(e->at + i);
		uint16_t size = m->u.user.match_size;

		if (size < sizeof(*m) || i + size > target)
			return;
		if (streq(m->u.user.name, "comment") && size >= sizeof(*m) + XT_MAX_COMMENT_LEN)
			e->comment = (const char *)m->data;
		else
			e->judges_some = true;
		i += size;
	}
}

static bool entry_at(const struct table *t, uint32_t offset, struct entry *e)
{
	const struct layout *l = t->layout;
	uint32_t target;

	if (offset + l->entry > t->info.size)
		return false;
	*e = (struct entry){.at = t->entries + offset, .offset = offset};
	target = u16_at(e->at + l->target);
	e->len = u16_at(e->at + l->next);
	if (target < l->entry || target + sizeof(struct xt_entry_target) + sizeof(int) > e->len ||
	    offset + e->len > t->info.size)
		return false;
	e->target = (const void *)(e->at + target);
	for (size_t i = 0; i < l->condition; i++)
		e->judges_some |= e->at[i] != 0;
	take_matches(l, e, target);
	return true;
}

static bool is_target(const struct entry *e, const char *name)
{
	return streq(e->target->u.user.name, name);
}

/* Of a standard target, whose name is "": a verdict as -N - 1, or where a jump leads. */
static int verdict_of(const struct entry *e)
{
	int verdict;

	memcpy(&verdict, e->target->data, sizeof(verdict));
	return verdict;
}

static bool drops(const struct entry *e)
{
	return is_target(e, "REJECT") || (is_target(e, "") && verdict_of(e) == -NF_DROP - 1);
}

/* A chain of somebody's own begins with an entry that has its name. */
static const char *chain_name(const struct entry *e)
{
	return is_target(e, XT_ERROR_TARGET) ? (const char *)e->target->data : NULL;
}

/* Is that entry the first of one of our chains? */
static bool leads_to_ours(const struct table *t, const struct entry *from)
{
	struct entry e;

	for (uint32_t offset = 0; entry_at(t, offset, &e); offset += e.len) {
		const char *name = chain_name(&e);

		if (name && offset + e.len == (uint32_t)verdict_of(from))
			return streq(name, ASSIST_FORWARD) || streq(name, ASSIST_INPUT);
	}
	return false;
}

static void take_links(const struct layout *l, const struct entry *e, struct foreign_chain *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(l->links); i++) {
		const char *name = (const char *)e->at + l->links[i];

		if (!*name || strnlen(name, IFNAMSIZ) == IFNAMSIZ)
			continue;
		c->links = array_grow(c->links, c->n_links, sizeof(*c->links));
		memset(c->links[c->n_links], 0, IFNAMSIZ);
		memcpy(c->links[c->n_links++], name, strlen(name));
	}
}

/* One of the chains that every table has: its rules, and at its end the policy. */
static void take_base(const struct table *t, uint32_t hook, struct foreign *f)
{
	struct foreign_chain *c =
		foreign_add_chain(f, t->layout->nfproto, "filter", hook == NF_INET_FORWARD ? "FORWARD" : "INPUT");
	uint32_t offset = t->info.hook_entry[hook];
	struct entry e;

	c->hook = hook == NF_INET_FORWARD ? FOREIGN_FORWARD : FOREIGN_INPUT;
	for (; offset < t->info.underflow[hook] && entry_at(t, offset, &e); offset += e.len) {
		c->end_drops = drops(&e) && !e.judges_some;
		take_links(t->layout, &e, c);
		if (e.comment && streq(e.comment, ASSIST_JUMP) && is_target(&e, "") && leads_to_ours(t, &e))
			c->has_jump = true;
	}
	if (entry_at(t, t->info.underflow[hook], &e))
		c->policy_drops = drops(&e);
}

static void take_own_chains(const struct table *t, struct foreign *f)
{
	const char *own = NULL;
	struct entry e;

	for (uint32_t offset = 0; entry_at(t, offset, &e); offset += e.len) {
		const char *name = chain_name(&e);

		if (name)
			own = streq(name, ASSIST_FORWARD) || streq(name, ASSIST_INPUT) ? name : NULL;
		if (name && own)
			foreign_add_own_chain(f, t->layout->nfproto, own);
		else if (own && e.comment)
			foreign_add_rule(f, t->layout->nfproto, own, e.comment);
	}
}

int legacy_read(struct foreign *ret)
{
	ret->is_legacy = true;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct table t = {.layout = &layouts[i]};
		int r = is_there(t.layout) ? read_table(&t) : 0;

		if (r == 0 && t.entries) {
			take_base(&t, NF_INET_LOCAL_IN, ret);
			take_base(&t, NF_INET_FORWARD, ret);
			take_own_chains(&t, ret);
		}
		free(t.entries);
		if (r < 0)
			return r;
	}
	return 0;
}
