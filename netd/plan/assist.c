/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: assist.h. */
#include "assist.h"

#include <linux/netfilter.h>

#include "dnsmasq.h"

/* Of iptables' chains alone; a word has at most this many rules. */
#define RULES_MAX 2

/* What each word stands for: what comes before and after the name of the bridge in its rules. */
static const struct accepted {
	const char *what;
	uint8_t family;
	enum foreign_hook hook;
	const char *rules[RULES_MAX]; /* %s: the bridge */
} accepted[] = {
	/* clang-format off */
	{"forward",  NFPROTO_IPV4, FOREIGN_FORWARD, {"-i %s", "-o %s"}},
	{"dhcp",     NFPROTO_IPV4, FOREIGN_INPUT,   {"-i %s -p udp --dport 67"}},
	{"dns",	     NFPROTO_IPV4, FOREIGN_INPUT,   {"-i %s -p udp --dport 53", "-i %s -p tcp --dport 53"}},
	{"tftp",     NFPROTO_IPV4, FOREIGN_INPUT,   {"-i %s -p udp --dport 69"}},
	{"forward6", NFPROTO_IPV6, FOREIGN_FORWARD, {"-i %s", "-o %s"}},
	/* Neighbour and router discovery are no service, but there is none without them. */
	{"dhcp6",    NFPROTO_IPV6, FOREIGN_INPUT,   {"-i %s -p udp --dport 547", "-i %s -p ipv6-icmp"}},
	{"dns6",     NFPROTO_IPV6, FOREIGN_INPUT,   {"-i %s -p udp --dport 53", "-i %s -p tcp --dport 53"}},
	{"tftp6",    NFPROTO_IPV6, FOREIGN_INPUT,   {"-i %s -p udp --dport 69"}},
	/* clang-format on */
};

static unsigned count_rules(const struct accepted *a)
{
	return a->rules[1] ? 2 : 1;
}

static const char *chain_of(enum foreign_hook hook)
{
	return hook == FOREIGN_FORWARD ? ASSIST_FORWARD : ASSIST_INPUT;
}

static const struct accepted *accepted_of(const char *word)
{
	size_t len = strcspn(word, ":");

	for (size_t i = 0; word[len] && i < ARRAY_SIZE(accepted); i++)
		if (strlen(accepted[i].what) == len && strncmp(accepted[i].what, word, len) == 0)
			return &accepted[i];
	return NULL;
}

static bool has_family(const struct link *l, uint8_t nfproto)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if ((l->addresses[i].family == AF_INET) == (nfproto == NFPROTO_IPV4))
			return true;
	return false;
}

static bool needs(const struct network *n, const struct link *l, const struct accepted *a)
{
	if (!has_family(l, a->family))
		return false;
	if (a->hook == FOREIGN_FORWARD)
		return network_forward(n) != FORWARD_OPEN;
	if (startswith(a->what, "dns"))
		return !n->no_dns;
	if (startswith(a->what, "tftp"))
		return network_word(n, NETWORK_TFTP) != NULL;
	/* IPv6 is announced also where nothing is leased. */
	return a->family == NFPROTO_IPV6 ? dnsmasq_is_needed(n) : n->n_ranges || n->n_hosts;
}

struct words {
	char **list;
	size_t n;
};

static int word_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that what is wanted and what is found can be compared. Frees the words. */
static struct blob *to_blob(struct words *w)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	if (w->n)
		qsort(w->list, w->n, sizeof(*w->list), word_compare);
	for (size_t i = 0; i < w->n; i++) {
		fwrite(w->list[i], 1, strlen(w->list[i]) + 1, f);
		free(w->list[i]);
	}
	fclose(f);
	free(w->list);
	return len ? blob_new(text, (uint32_t)len) : NULL;
}

struct blob *assist_wanted(const struct config *c, const struct foreign *f)
{
	struct words w = {0};

	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		const struct foreign_chain *chain = foreign_iptables(f, accepted[i].family, accepted[i].hook);

		for (size_t n = 0; chain && foreign_drops(chain) && n < c->n_networks; n++) {
			const struct network *net = c->networks[n];

			if (needs(net, model_find(&c->links, net->bridge), &accepted[i]))
				*ARRAY_APPEND(w.list, w.n) = xasprintf("%s:%s", accepted[i].what, net->bridge);
		}
	}
	return to_blob(&w);
}

/* "kvmnetd WORD NUMBER/OF" of a rule where it belongs; word: 64 bytes. Returns the rule's bit; 0: it is none of ours.
 */
static unsigned parse_comment(const struct foreign_rule *r, char *word)
{
	const struct accepted *a;
	unsigned number, of;
	int end = 0;

	if (sscanf(r->comment, ASSIST_JUMP " %63s %u/%u%n", word, &number, &of, &end) != 3 || r->comment[end])
		return 0;
	a = accepted_of(word);
	if (!a || a->family != r->family || !streq(chain_of(a->hook), r->chain) || of != count_rules(a))
		return 0;
	return number >= 1 && number <= of ? 1u << (number - 1) : 0;
}

struct found_rule {
	char word[64];
	unsigned bit;
};

static int found_compare(const void *a, const void *b)
{
	return strcmp(((const struct found_rule *)a)->word, ((const struct found_rule *)b)->word);
}

/* Are these all the rules of their word, each once, and does the chain that they are in lead there? */
static bool is_whole(const struct foreign *f, const struct found_rule *rules, size_t n)
{
	const struct accepted *a = accepted_of(rules->word);
	const struct foreign_chain *chain = foreign_iptables(f, a->family, a->hook);
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		bits |= rules[i].bit;
	return chain && chain->has_jump && n == count_rules(a) && bits == (1u << n) - 1;
}

struct blob *assist_found(const struct foreign *f)
{
	_cleanup_free_ struct found_rule *rules = NULL;
	struct words w = {0};
	size_t n = 0;

	for (size_t i = 0; i < f->n_rules; i++) {
		struct found_rule r;

		r.bit = parse_comment(&f->rules[i], r.word);
		if (r.bit)
			*ARRAY_APPEND(rules, n) = r;
	}
	if (n)
		qsort(rules, n, sizeof(*rules), found_compare);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && streq(rules[i].word, rules[next].word);)
			next++;
		if (is_whole(f, &rules[i], next - i))
			*ARRAY_APPEND(w.list, w.n) = xstrdup(rules[i].word);
	}
	return to_blob(&w);
}

static void print_rules(FILE *out, const char *word, const struct accepted *a)
{
	const char *bridge = strchr(word, ':') + 1;

	for (unsigned i = 0; i < count_rules(a); i++) {
		const char *place = strstr(a->rules[i], "%s");

		fprintf(out, "-A %s %.*s%s%s -m comment --comment \"" ASSIST_JUMP " %s %u/%u\" -j ACCEPT\n",
			chain_of(a->hook), (int)(place - a->rules[i]), a->rules[i], bridge, place + 2, word, i + 1,
			count_rules(a));
	}
}

/* One chain of ours: it, what leads there, and its rules, or none of them. Tells whether there is anything to do. */
static bool print_chain(FILE *out, const struct blob *words, const struct foreign *f, uint8_t family,
			enum foreign_hook hook)
{
	const struct foreign_chain *base = foreign_iptables(f, family, hook);
	const char *chain = chain_of(hook), *name = hook == FOREIGN_FORWARD ? "FORWARD" : "INPUT";
	bool any = false;

	for (size_t i = 0; base && words && i < words->len; i += strlen((const char *)words->data + i) + 1) {
		const char *word = (const char *)words->data + i;
		const struct accepted *a = accepted_of(word);

		if (!a || a->family != family || a->hook != hook)
			continue;
		if (!any)
			fprintf(out, ":%s - [0:0]\n", chain);
		if (!any && !base->has_jump)
			fprintf(out, "-I %s -m comment --comment " ASSIST_JUMP " -j %s\n", name, chain);
		any = true;
		print_rules(out, word, a);
	}
	if (any)
		return true;
	if (base && base->has_jump)
		fprintf(out, "-D %s -m comment --comment " ASSIST_JUMP " -j %s\n", name, chain);
	if (!foreign_has_own_chain(f, family, chain))
		return base && base->has_jump;
	fprintf(out, "-F %s\n-X %s\n", chain, chain);
	return true;
}

char *assist_commands(const struct blob *words, const struct foreign *f, uint8_t family)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = xmemstream(&text, &len);
	bool any;

	fputs("*filter\n", out);
	any = print_chain(out, words, f, family, FOREIGN_FORWARD);
	any |= print_chain(out, words, f, family, FOREIGN_INPUT);
	fputs("COMMIT\n", out);
	fclose(out);
	return any ? TAKE_PTR(text) : NULL;
}

/* Do its rules name the bridge? Then somebody has thought of it. */
static bool names_link(const struct foreign_chain *chain, const char *link)
{
	for (size_t i = 0; i < chain->n_links; i++)
		if (streq(chain->links[i], link))
			return true;
	return false;
}

/* The first network that the chain is in the way of; NULL: none. */
static const struct network *first_blocked(const struct config *c, const struct foreign_chain *chain)
{
	for (size_t n = 0; n < c->n_networks; n++) {
		const struct network *net = c->networks[n];
		const struct link *l = model_find(&c->links, net->bridge);

		for (size_t i = 0; i < ARRAY_SIZE(accepted) && !names_link(chain, net->bridge); i++)
			if (accepted[i].hook == chain->hook &&
			    (chain->family == NFPROTO_INET || chain->family == accepted[i].family) &&
			    needs(net, l, &accepted[i]))
				return net;
	}
	return NULL;
}

static const char *family_word(uint8_t family)
{
	if (family == NFPROTO_INET)
		return "inet";
	return family == NFPROTO_IPV4 ? "ip" : "ip6";
}

/* What an operator would say to it. */
static char *cure_of(const struct foreign *f, const struct foreign_chain *chain, const char *bridge)
{
	_cleanup_free_ char *program = xasprintf("%s%s", chain->family == NFPROTO_IPV4 ? "iptables" : "ip6tables",
						 f->is_legacy ? "-legacy" : "");
	const char *family = family_word(chain->family);

	if (foreign_is_iptables(chain) && chain->hook == FOREIGN_FORWARD)
		return xasprintf("%s -I FORWARD -i %s -j ACCEPT; %s -I FORWARD -o %s -j ACCEPT", program, bridge,
				 program, bridge);
	if (foreign_is_iptables(chain))
		return xasprintf("%s -I INPUT -i %s -p udp -m multiport --dports 53,67,547 -j ACCEPT", program, bridge);
	if (chain->hook == FOREIGN_FORWARD)
		return xasprintf(
			"nft insert rule %s %s %s iifname %s accept; nft insert rule %s %s %s oifname %s accept",
			family, chain->table, chain->name, bridge, family, chain->table, chain->name, bridge);
	return xasprintf("nft insert rule %s %s %s iifname %s udp dport '{ 53, 67, 547 }' accept", family, chain->table,
			 chain->name, bridge);
}

void assist_warn(const struct config *c, const struct foreign *f, void (*add)(const char *text, void *userdata),
		 void *userdata)
{
	uint64_t setting = values_num(c->daemon, DAEMON_FOREIGN_FIREWALL, FOREIGN_FIREWALL_ASSIST);

	for (size_t i = 0; setting != FOREIGN_FIREWALL_OFF && i < f->n_chains; i++) {
		const struct foreign_chain *chain = &f->chains[i];
		const struct network *n = foreign_drops(chain) ? first_blocked(c, chain) : NULL;
		_cleanup_free_ char *cure = n ? cure_of(f, chain, n->bridge) : NULL, *text = NULL;

		/* Its zones are judged by what it says itself. */
		if (!n || streq(chain->table, "firewalld") ||
		    (setting == FOREIGN_FIREWALL_ASSIST && foreign_is_iptables(chain)))
			continue;
		text = xasprintf("another firewall drops what guests %s: chain %s of %s table %s %s (%s)",
				 chain->hook == FOREIGN_FORWARD ? "send and receive" : "ask of the host", chain->name,
				 f->is_legacy ? "iptables-legacy's" : "nftables'", family_word(chain->family),
				 chain->table, cure);
		add(text, userdata);
	}
}
