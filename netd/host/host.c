/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: host.h: which resolver there is, and its answers as rows of ACTUAL. */
#include <sys/inotify.h>

#include "host-internal.h"

#include "../log.h"
#include "../plan/assist.h"

/* In this order: the first that works is told. */
static const struct resolver *const resolvers[] = {&resolved, &resolvconf, &resolv_conf};

static const char *const bus_names[] = {RESOLVED_NAME, FIREWALLD_NAME, NULL};

void told_done(struct told_list *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->list[i].dns.blob);
		free(t->list[i].search.blob);
	}
	free(t->list);
	*t = (struct told_list){0};
}

struct told *told_find(const struct told_list *t, const char *name, uint32_t ifindex)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].name[0] ? streq(t->list[i].name, name) : ifindex && t->list[i].ifindex == ifindex)
			return &t->list[i];
	return NULL;
}

struct told *told_get(struct told_list *t, const char *name, uint32_t ifindex)
{
	struct told *found = told_find(t, name, ifindex);

	if (found)
		return found;
	found = ARRAY_APPEND(t->list, t->n);
	snprintf(found->name, sizeof(found->name), "%s", name);
	found->ifindex = ifindex;
	return found;
}

void told_parse(enum link_row row, const char *words, union value *v)
{
	const struct option *o = &link_options.rows[row];
	_cleanup_free_ char *copy = xstrdup(words);
	char *save = NULL;

	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		_cleanup_free_ char *why = NULL;

		o->type->parse(o, word, v, &why);
	}
}

char *told_text(enum link_row row, union value v)
{
	return v.blob ? value_text(&link_options.rows[row], v) : xstrdup("");
}

const char *host_resolver(const struct host *h)
{
	return h->resolver ? h->resolver->name : NULL;
}

static bool is_told(const struct told *t)
{
	return (t->dns.blob && t->dns.blob->len) || (t->search.blob && t->search.blob->len);
}

/* Takes back what a resolver that gives way was told, but for the one that is put into another's place itself. */
static void leave(struct host *h, const struct resolver *old)
{
	struct told_list told = {0};

	if (old == &resolved || old->read(h, &told) < 0)
		return;
	for (size_t i = 0; i < told.n; i++) {
		struct told nothing = {.ifindex = told.list[i].ifindex};
		_cleanup_free_ char *why = NULL;

		memcpy(nothing.name, told.list[i].name, sizeof(nothing.name));
		if (is_told(&told.list[i]) && old->write(h, &nothing, &why) < 0)
			log_warning("%s: what it was told of %s could not be taken back: %s", old->name, nothing.name,
				    why ? why : "it failed");
	}
	told_done(&told);
}

static void choose(struct host *h)
{
	const struct resolver *best = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(resolvers) && !best; i++)
		if (resolvers[i]->works(h))
			best = resolvers[i];
	if (best == h->resolver)
		return;
	if (h->resolver)
		leave(h, h->resolver);
	h->resolver = best;
	h->stale = true;
	if (best)
		log_info("name servers are told to %s", best->name);
}

void host_doubt(struct host *h)
{
	free(TAKE_PTR(h->refused));
	h->n_refused = 0;
	for (size_t i = 0; i < ARRAY_SIZE(h->iptables); i++)
		free(TAKE_PTR(h->iptables[i].trouble));
	h->libvirt_known = false;
	h->stale = true;
	dnsmasqs_doubt(h->dnsmasqs);
	h->zones_stale = true;
}

static bool is_refused(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->n_refused; i++)
		if (streq(h->refused[i], name))
			return true;
	return false;
}

static void on_bus_changed(const char *name _unused_, void *userdata)
{
	struct host *h = userdata;

	host_doubt(h);
	if (h->wanted)
		h->changed(h->userdata);
}

struct host *host_new(sd_event *event, const struct host_setup *setup)
{
	struct host *h = xcalloc(1, sizeof(*h));

	h->event = event;
	h->state_dir = xstrdup(setup->state_dir);
	h->changed = setup->changed;
	h->userdata = setup->userdata;
	h->stale = true;
	h->zones_stale = true;
	if (setup->is_boot)
		resolv_conf_put_back(h);
	h->dhcp = dhcp_new(event, setup->runtime_dir, setup->lib_dir, setup->changed, setup->userdata);
	h->dnsmasqs = dnsmasqs_new(event, setup->runtime_dir, setup->state_dir, setup->changed, setup->userdata);
	h->bus = bus_new(event, bus_names, on_bus_changed, h);
	return h;
}

struct host *host_free(struct host *h)
{
	if (!h)
		return NULL;
	sd_event_source_disable_unref(h->watch);
	dhcp_free(h->dhcp);
	bus_free(h->bus);
	dnsmasqs_free(h->dnsmasqs);
	told_done(&h->told);
	zones_done(&h->zones);
	free(h->refused);
	for (size_t i = 0; i < ARRAY_SIZE(h->iptables); i++)
		iptables_done(&h->iptables[i]);
	free(h->guest_zone);
	libvirt_networks_done(&h->libvirt);
	free(h->state_dir);
	free(h);
	return NULL;
}

void host_allow_file(struct host *h, bool allowed)
{
	h->file_allowed = allowed;
}

static void put_list(struct link *l, enum link_row row, union value v)
{
	struct blob *b = v.blob && v.blob->len ? blob_new(v.blob->data, v.blob->len) : NULL;

	values_put(l->common, row, (union value){.blob = b}, LOC_NONE);
}

static const struct zone *find_zone(const struct zones *z, const char *link)
{
	for (size_t i = 0; i < z->n; i++)
		if (streq(z->list[i].link, link))
			return &z->list[i];
	return NULL;
}

static void show_zone(const struct host *h, struct link *l)
{
	const struct zone *z = find_zone(&h->zones, l->name);
	struct blob *b = z ? blob_new(z->name, strlen(z->name) + 1) : NULL;

	if (h->zones_known && !is_refused(h, l->name)) {
		values_put(l->common, LINK_ZONE, (union value){.blob = b}, LOC_NONE);
		return;
	}
	free(b);
	values_unset(l->common, LINK_ZONE);
}

/* Ours, which is installed with the program and known after firewalld's next reload, and libvirt's, which is like it.
 */
static const char *const guest_zones[] = {"kvmnetd", "libvirt", NULL};

static void read_zones(struct host *h)
{
	struct zones fresh = {0};

	h->zones_stale = false;
	h->zones_known = bus_has(h->bus, FIREWALLD_NAME) && firewalld_read(h, &fresh) == 0;
	for (size_t i = 0; i < fresh.n; i++) {
		const struct zone *old = find_zone(&h->zones, fresh.list[i].link);

		fresh.list[i].by_us = old && old->by_us;
	}
	zones_done(&h->zones);
	h->zones = fresh;
	free(h->guest_zone);
	h->guest_zone = h->zones_known ? firewalld_choose(h, guest_zones) : NULL;
}

/* A link that we put into a zone and that is gone leaves nothing behind there. */
static void forget_zones(struct host *h, const struct model *actual)
{
	for (size_t i = 0; i < h->zones.n; i++) {
		struct zone *z = &h->zones.list[i];
		_cleanup_free_ char *why = NULL;

		if (!z->by_us || model_find(actual, z->link))
			continue;
		z->by_us = false;
		if (firewalld_write(h, z->link, "", &why) < 0)
			log_warning("%s could not be taken out of zone %s: %s", z->link, z->name, why);
	}
}

static void show_link(const struct host *h, struct link *l)
{
	const struct told *t = told_find(&h->told, l->name, l->ifindex);
	const struct told nothing = {0};

	if (!h->resolver || is_refused(h, l->name)) {
		values_unset(l->common, LINK_DNS);
		values_unset(l->common, LINK_SEARCH);
		return;
	}
	t = t ? t : &nothing;
	put_list(l, LINK_DNS, t->dns);
	put_list(l, LINK_SEARCH, t->search);
}

/* Resolvers that know links by name do not see them go. */
static void forget_gone(struct host *h, const struct model *actual)
{
	for (size_t i = 0; i < h->told.n; i++) {
		struct told *t = &h->told.list[i];
		_cleanup_free_ char *why = NULL;

		if (!t->name[0] || model_find(actual, t->name) || !is_told(t))
			continue;
		free(TAKE_PTR(t->dns.blob));
		free(TAKE_PTR(t->search.blob));
		if (h->resolver->write(h, t, &why) < 0)
			log_warning("%s: what it was told of %s could not be taken back: %s", h->resolver->name,
				    t->name, why ? why : "it failed");
	}
}

static void read_again(struct host *h)
{
	told_done(&h->told);
	h->stale = false;
	if (h->resolver && h->resolver->read(h, &h->told) < 0) {
		told_done(&h->told);
		h->resolver = NULL;
		h->stale = true;
	}
}

static int on_file_changed(sd_event_source *s _unused_, const struct inotify_event *e _unused_, void *userdata)
{
	struct host *h = userdata;

	/* Another file may have its name by now: the next look watches that. */
	h->watch = sd_event_source_disable_unref(h->watch);
	h->changed(h->userdata);
	return 0;
}

static void watch_file(struct host *h)
{
	if (h->resolver != &resolv_conf)
		h->watch = sd_event_source_disable_unref(h->watch);
	else if (!h->watch)
		sd_event_add_inotify(h->event, &h->watch, RESOLV_CONF,
				     IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF, on_file_changed, h);
}

void host_show(struct host *h, struct model *actual, bool wanted)
{
	h->wanted = h->wanted || wanted;
	if (!h->wanted)
		return;
	choose(h);
	watch_file(h);
	if (h->stale || h->resolver == &resolv_conf)
		read_again(h);
	if (h->zones_stale)
		read_zones(h);
	forget_zones(h, actual);
	if (h->resolver)
		forget_gone(h, actual);
	for (size_t i = 0; i < actual->n_links; i++) {
		show_link(h, actual->links[i]);
		show_zone(h, actual->links[i]);
	}
	dhcp_show(h->dhcp, actual);
}

const struct leases *host_leases(const struct host *h)
{
	return h->wanted ? dhcp_leases(h->dhcp) : NULL;
}

struct names *host_changed_leases(struct host *h)
{
	return dhcp_changed(h->dhcp);
}

char *host_dnsmasq_trouble(const struct host *h, const char *bridge)
{
	return dnsmasqs_trouble(h->dnsmasqs, bridge);
}

char *host_dhcp_trouble(const struct host *h, const char *link)
{
	return dhcp_trouble(h->dhcp, link);
}

void host_show_dnsmasq(struct host *h, struct model *actual, bool wanted)
{
	dnsmasqs_show(h->dnsmasqs, actual, wanted);
}

/* Tells the resolver both lists; what the op does not say stays as it is. */
static int tell_resolver(struct host *h, const struct op *op, uint32_t ifindex, char **why)
{
	const struct link *l = op->link;
	struct told told = {.ifindex = ifindex};
	const struct told *old;
	int r;

	choose(h);
	if (h->resolver && h->stale)
		read_again(h);
	if (!h->resolver)
		return 0;
	old = told_find(&h->told, l->name, ifindex);
	memcpy(told.name, l->name, sizeof(told.name));
	/* Borrowed. */
	if (op->common >> LINK_DNS & 1)
		told.dns = values_at(l->common, LINK_DNS);
	else if (old)
		told.dns = old->dns;
	if (op->common >> LINK_SEARCH & 1)
		told.search = values_at(l->common, LINK_SEARCH);
	else if (old)
		told.search = old->search;
	r = h->resolver->write(h, &told, why);
	h->stale = true;
	return r;
}

static int tell_firewalld(struct host *h, const struct link *l, char **why)
{
	const struct blob *b = values_at(l->common, LINK_ZONE).blob;
	struct zone *z;
	int r;

	if (!bus_has(h->bus, FIREWALLD_NAME))
		return 0;
	r = firewalld_write(h, l->name, b ? (const char *)b->data : "", why);
	h->zones_stale = true;
	if (r < 0 || !b)
		return r;
	z = (struct zone *)(uintptr_t)find_zone(&h->zones, l->name);
	if (!z) {
		z = ARRAY_APPEND(h->zones.list, h->zones.n);
		memcpy(z->link, l->name, sizeof(z->link));
		z->name = xstrdup((const char *)b->data);
	}
	z->by_us = true;
	return 0;
}

int host_write(struct host *h, const struct op *op, uint32_t ifindex, char **why)
{
	const struct link *l = op->link;
	int r = 0;

	if (op->common >> LINK_DHCP & 1)
		dhcp_ask(h->dhcp, l->name, ifindex, (enum dhcp_setting)values_num(l->common, LINK_DHCP, DHCP_NO));
	if (op->common >> LINK_DNSMASQ & 1)
		r = dnsmasqs_write(h->dnsmasqs, l->name, values_at(l->common, LINK_DNSMASQ), why);
	if (op->common >> LINK_IPTABLES & 1)
		iptables_tell(h, false, values_at(l->common, LINK_IPTABLES));
	if (op->common >> LINK_LEGACY & 1)
		iptables_tell(h, true, values_at(l->common, LINK_LEGACY));
	if (r == 0 && op->common >> LINK_ZONE & 1)
		r = tell_firewalld(h, l, why);
	if (r == 0 && op->common & LINK_RESOLVER_ROWS)
		r = tell_resolver(h, op, ifindex, why);
	if (r < 0) {
		h->refused = array_grow(h->refused, h->n_refused, sizeof(*h->refused));
		memcpy(h->refused[h->n_refused++], l->name, IFNAMSIZ);
	}
	return r;
}

const struct libvirt_networks *host_libvirt(struct host *h)
{
	if (!h->libvirt_known) {
		libvirt_networks_done(&h->libvirt);
		libvirt_read(&h->libvirt);
		h->libvirt_known = true;
	}
	return &h->libvirt;
}

const char *host_guest_zone(const struct host *h)
{
	return h->guest_zone;
}

bool host_has_zones(const struct host *h)
{
	return h->zones_known;
}
