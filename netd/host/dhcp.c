/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: dhcp.h. Files: LINK.pid, LINK.conf, LINK.dhcp and LINK.dhcp6, the last two by the script dhcp-event. */
#include "dhcp.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

#include "../clock.h"
#include "../file.h"
#include "../log.h"
#include "child.h"
#include "host-internal.h"

/* A server that is there has answered by then. */
#define ANSWER_SECONDS 15

struct client {
	char link[IFNAMSIZ];
	uint32_t ifindex; /* 0: taken over, and not looked at yet */
	enum dhcp_setting families;
	uint64_t since[2]; /* without an address of IPv4, of IPv6; seconds since the boot */
	struct child *child;
};

struct dhcp {
	sd_event *event;
	char *dir, *script;
	void (*changed)(void *userdata);
	void *userdata;
	sd_event_source *watch, *timer;
	struct client *clients;
	size_t n;
	struct leases leases;
	struct names changed_links;
	bool stale; /* the files may say something else than `leases` */
};

static const char *const families_names[] = {
	[DHCP_NO] = "no", [DHCP_IPV4] = "ipv4", [DHCP_IPV6] = "ipv6", [DHCP_YES] = "yes"};

static char *file_of(const struct dhcp *d, const char *link, const char *suffix)
{
	return xasprintf("%s/%s.%s", d->dir, link, suffix);
}

static struct client *find_client(const struct dhcp *d, const char *link)
{
	for (size_t i = 0; i < d->n; i++)
		if (streq(d->clients[i].link, link))
			return &d->clients[i];
	return NULL;
}

/*
 * noipv6rs: router advertisements are left to the kernel, and DHCPv6 begins without one. The link is the operator's
 * choice and its duplicates the kernel's or the server's business: no delay, no ARP, no address made up.
 */
static void write_conf(const struct dhcp *d, const char *link, enum dhcp_setting families)
{
	_cleanup_free_ char *path = file_of(d, link, "conf"), *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);
	int r;

	fprintf(f, "# Made by kvmnetd for each start of the client.\n");
	fprintf(f, "env KVMNETD_DHCP=%s\n", d->dir);
	fputs("duid ll\nnodelay\nnoarp\nnoipv4ll\nnoipv6rs\ntimeout 0\n", f);
	fputs("option domain_name_servers,domain_name,domain_search,classless_static_routes\n", f);
	if (families == DHCP_IPV4)
		fputs("ipv4only\n", f);
	if (families == DHCP_IPV6)
		fputs("ipv6only\n", f);
	if (families & DHCP_IPV6)
		fputs("option dhcp6_name_servers,dhcp6_domain_search\nia_na\n", f);
	fclose(f);
	r = file_write(path, text, len, 0644, false);
	if (r < 0)
		log_warning("%s: %s", path, strerror(-r));
}

static void start_client(struct dhcp *d, struct client *c)
{
	_cleanup_free_ char *conf = file_of(d, c->link, "conf"), *pid = file_of(d, c->link, "pid");
	_cleanup_free_ char *name = xasprintf("the DHCP client of %s", c->link);
	const char *const argv[] = {"dhcpcd", "--nobackground", "--quiet", "--noconfigure", "--config",
				    conf,     "--script",	d->script, c->link,	    NULL};
	const struct child_setup setup = {
		.name = name,
		.argv = argv,
		.path = pid,
		.note = families_names[c->families],
	};

	write_conf(d, c->link, c->families);
	c->since[0] = c->since[1] = boottime() / 1000000;
	c->child = child_new(d->event, &setup);
}

static void forget_leases(struct dhcp *d, const char *link)
{
	static const char *const suffixes[] = {"dhcp", "dhcp6"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *path = file_of(d, link, suffixes[i]);

		unlink(path);
	}
	d->stale = true;
}

/* Its lease is given back to nobody, and good until it runs out: its master may go on with it, or the next client. */
static void end_client(struct dhcp *d, struct client *c)
{
	_cleanup_free_ char *conf = file_of(d, c->link, "conf");

	child_stop(c->child);
	unlink(conf);
	*c = d->clients[--d->n];
}

void dhcp_ask(struct dhcp *d, const char *link, uint32_t ifindex, enum dhcp_setting families)
{
	struct client *c = find_client(d, link);

	if (c && (c->families != families || c->ifindex != ifindex))
		end_client(d, c);
	else if (c)
		return;
	if (families == DHCP_NO)
		return;
	c = ARRAY_APPEND(d->clients, d->n);
	snprintf(c->link, sizeof(c->link), "%s", link);
	c->ifindex = ifindex;
	c->families = families;
	start_client(d, c);
}

void dhcp_show(struct dhcp *d, struct model *actual)
{
	for (size_t i = d->n; i-- > 0;) {
		struct client *c = &d->clients[i];
		const struct link *l = model_find(actual, c->link);

		if (l && !c->ifindex)
			c->ifindex = l->ifindex;
		if (l && l->ifindex == c->ifindex)
			continue;
		forget_leases(d, c->link);
		end_client(d, c);
	}
	for (size_t i = 0; i < d->leases.n; i++)
		if (!model_find(actual, d->leases.list[i].link))
			forget_leases(d, d->leases.list[i].link);
	for (size_t i = 0; i < actual->n_links; i++) {
		const struct client *c = find_client(d, actual->links[i]->name);

		values_put(actual->links[i]->common, LINK_DHCP, (union value){.num = c ? c->families : DHCP_NO},
			   LOC_NONE);
	}
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct dhcp *d = userdata;

	d->stale = true;
	d->changed(d->userdata);
	return 0;
}

static int lease_order(const void *a, const void *b)
{
	return strcmp(((const struct lease *)a)->link, ((const struct lease *)b)->link);
}

static void read_lease(struct dhcp *d, const char *link, const char *suffix)
{
	_cleanup_free_ char *path = file_of(d, link, suffix), *text = file_read(path, NULL);
	struct client *c = find_client(d, link);
	struct lease lease;

	if (!text || lease_parse(text, &lease) < 0)
		return;
	if (streq(lease.link, link) && lease_end(&lease) > boottime() / 1000000) {
		*ARRAY_APPEND(d->leases.list, d->leases.n) = lease;
		return;
	}
	if (c)
		c->since[lease.family == AF_INET6] = MAX(c->since[lease.family == AF_INET6], lease_end(&lease));
	lease_done(&lease);
}

/* The client may be dead, and nobody else would tell that a lease runs out. */
static void wake_for_the_next_end(struct dhcp *d)
{
	uint64_t end = UINT64_MAX;

	for (size_t i = 0; i < d->leases.n; i++)
		end = MIN(end, lease_end(&d->leases.list[i]));
	d->timer = sd_event_source_disable_unref(d->timer);
	if (end != UINT64_MAX)
		sd_event_add_time(d->event, &d->timer, CLOCK_BOOTTIME, end * 1000000, 1000, on_timer, d);
}

static void note_changed(struct names *changed, const struct leases *those, const struct leases *others)
{
	for (size_t i = 0; i < those->n; i++) {
		const struct lease *l = &those->list[i], *other = leases_find(others, l->link, l->family);

		if (!other || !lease_same(l, other))
			names_add(changed, l->link);
	}
}

/* A lease is one, whether its client runs at the moment or not. */
const struct leases *dhcp_leases(struct dhcp *d)
{
	struct leases before = d->leases;
	DIR *dir;
	struct dirent *entry;

	if (!d->stale && d->watch)
		return &d->leases;
	d->stale = false;
	dir = opendir(d->dir);
	d->leases = (struct leases){0};
	while (dir && (entry = readdir(dir))) {
		char *suffix = strrchr(entry->d_name, '.');

		if (!suffix || (!streq(suffix, ".dhcp") && !streq(suffix, ".dhcp6")))
			continue;
		*suffix++ = '\0';
		read_lease(d, entry->d_name, suffix);
	}
	if (dir)
		closedir(dir);
	if (d->leases.n)
		qsort(d->leases.list, d->leases.n, sizeof(*d->leases.list), lease_order);
	wake_for_the_next_end(d);
	note_changed(&d->changed_links, &d->leases, &before);
	note_changed(&d->changed_links, &before, &d->leases);
	leases_done(&before);
	return &d->leases;
}

struct names *dhcp_changed(struct dhcp *d)
{
	return &d->changed_links;
}

/* The same of one family. */
static char *trouble_of(const struct dhcp *d, const struct client *c, uint8_t family)
{
	const struct lease *lease = leases_find(&d->leases, c->link, family);
	uint64_t now = boottime() / 1000000, since = lease ? lease_due(lease) : c->since[family == AF_INET6];
	const char *name = family == AF_INET ? "IPv4" : "IPv6";

	if (now < since || now - since < ANSWER_SECONDS)
		return NULL;
	if (!lease)
		return xasprintf("no server has given an %s address for %llu s", name,
				 (unsigned long long)(now - since));
	return xasprintf("no server has renewed the lease of the %s address for %llu s; it ends in %llu s", name,
			 (unsigned long long)(now - since), (unsigned long long)(MAX(lease_end(lease), now) - now));
}

char *dhcp_trouble(const struct dhcp *d, const char *link)
{
	const struct client *c = find_client(d, link);
	_cleanup_free_ char *ip4 = NULL, *ip6 = NULL;

	if (!c)
		return NULL;
	if (child_trouble(c->child))
		return xasprintf("dhcpcd: %s", child_trouble(c->child));
	ip4 = c->families & DHCP_IPV4 ? trouble_of(d, c, AF_INET) : NULL;
	ip6 = c->families & DHCP_IPV6 ? trouble_of(d, c, AF_INET6) : NULL;
	return ip4 || ip6 ? xasprintf("%s%s%s", ip4 ? ip4 : "", ip4 && ip6 ? "; " : "", ip6 ? ip6 : "") : NULL;
}

static int on_file(sd_event_source *s _unused_, const struct inotify_event *e, void *userdata)
{
	struct dhcp *d = userdata;
	const char *suffix = e->len ? strrchr(e->name, '.') : NULL;

	/* Events that were lost have no name. */
	if (e->len && (!suffix || (!streq(suffix, ".dhcp") && !streq(suffix, ".dhcp6"))))
		return 0;
	d->stale = true;
	d->changed(d->userdata);
	return 0;
}

static void take_over(struct dhcp *d, const char *link, const char *note)
{
	struct client *c;

	for (unsigned i = DHCP_IPV4; i <= DHCP_YES; i++) {
		if (!streq(note, families_names[i]))
			continue;
		c = ARRAY_APPEND(d->clients, d->n);
		snprintf(c->link, sizeof(c->link), "%s", link);
		c->families = (enum dhcp_setting)i;
		start_client(d, c);
	}
}

/* Clients that a daemon before us started. */
static void find_clients(struct dhcp *d)
{
	DIR *dir = opendir(d->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		_cleanup_free_ char *path = xasprintf("%s/%s", d->dir, entry->d_name);
		_cleanup_free_ char *note = NULL;

		if (len <= 4 || len - 4 >= IFNAMSIZ || !streq(entry->d_name + len - 4, ".pid"))
			continue;
		note = child_note(path);
		entry->d_name[len - 4] = '\0';
		if (note)
			take_over(d, entry->d_name, note);
	}
	if (dir)
		closedir(dir);
}

struct dhcp *dhcp_new(sd_event *event, const char *runtime_dir, const char *lib_dir, void (*changed)(void *userdata),
		      void *userdata)
{
	struct dhcp *d = xcalloc(1, sizeof(*d));

	d->event = event;
	d->dir = xasprintf("%s/dhcp", runtime_dir);
	d->script = xasprintf("%s/dhcp-event", lib_dir);
	d->changed = changed;
	d->userdata = userdata;
	d->stale = true;
	if (mkdir(d->dir, 0755) < 0 && errno != EEXIST)
		log_warning("%s: %s", d->dir, strerror(errno));
	sd_event_add_inotify(event, &d->watch, d->dir, IN_MOVED_TO | IN_DELETE, on_file, d);
	find_clients(d);
	dhcp_leases(d);
	names_done(&d->changed_links);
	return d;
}

struct dhcp *dhcp_free(struct dhcp *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n; i++)
		child_free(d->clients[i].child);
	free(d->clients);
	sd_event_source_disable_unref(d->watch);
	sd_event_source_disable_unref(d->timer);
	leases_done(&d->leases);
	names_done(&d->changed_links);
	free(d->dir);
	free(d->script);
	free(d);
	return NULL;
}
