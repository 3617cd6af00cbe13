/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: systemd-resolved as a resolver (org.freedesktop.resolve1(5)). It forgets a link that is gone by itself. */
#include <net/if.h>
#include <sys/socket.h>

#include "host-internal.h"

#define RESOLVED_PATH "/org/freedesktop/resolve1"
#define RESOLVED_MANAGER "org.freedesktop.resolve1.Manager"

static bool resolved_works(const struct host *h)
{
	return bus_has(h->bus, RESOLVED_NAME);
}

/* Its servers, of the host as a whole (ifindex 0) and of all links: a(iiay). */
static int read_servers(sd_bus_message *m, struct told_list *ret)
{
	int r = sd_bus_message_enter_container(m, 'a', "(iiay)");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "iiay")) > 0) {
		struct server s = {0};
		const void *bytes;
		int32_t ifindex, family;
		size_t len;

		r = sd_bus_message_read(m, "ii", &ifindex, &family);
		if (r >= 0)
			r = sd_bus_message_read_array(m, 'y', &bytes, &len);
		if (r < 0)
			return r;
		if (ifindex > 0 && len <= sizeof(s.addr)) {
			struct told *t = told_get(ret, "", (uint32_t)ifindex);
			size_t n = t->dns.blob ? t->dns.blob->len : 0;
			struct blob *b = xrealloc(t->dns.blob, 1, sizeof(*b) + n + sizeof(s));

			s.family = (uint8_t)family;
			memcpy(s.addr, bytes, len);
			memcpy(b->data + n, &s, sizeof(s));
			b->len = (uint32_t)(n + sizeof(s));
			t->dns.blob = b;
		}
		r = sd_bus_message_exit_container(m);
	}
	return r;
}

/* a(isb); the last tells domains that only route questions from those that names are looked for in. */
static int read_domains(sd_bus_message *m, struct told_list *ret)
{
	int r = sd_bus_message_enter_container(m, 'a', "(isb)");
	int32_t ifindex, route_only;
	const char *domain;

	while (r >= 0 && (r = sd_bus_message_read(m, "(isb)", &ifindex, &domain, &route_only)) > 0)
		if (ifindex > 0 && !route_only)
			told_parse(LINK_SEARCH, domain, &told_get(ret, "", (uint32_t)ifindex)->search);
	return r;
}

static int read_property(struct host *h, const char *property, const char *type,
			 int (*read)(sd_bus_message *, struct told_list *), struct told_list *ret)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = sd_bus_get_property(bus_connection(h->bus), RESOLVED_NAME, RESOLVED_PATH, RESOLVED_MANAGER, property,
				    &e, &m, type);

	r = r < 0 ? bus_failed(h->bus, RESOLVED_NAME, r, &e, NULL) : read(m, ret);
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int resolved_read(struct host *h, struct told_list *ret)
{
	int r = read_property(h, "DNS", "a(iiay)", read_servers, ret);

	return r < 0 ? r : read_property(h, "Domains", "a(isb)", read_domains, ret);
}

static int call(struct host *h, sd_bus_message *m, char **why)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = bus_change(h->bus, m, &e);

	if (r < 0)
		r = bus_failed(h->bus, RESOLVED_NAME, r, &e, why);
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

static int append_servers(sd_bus_message *m, union value dns)
{
	size_t n = dns.blob ? dns.blob->len / sizeof(struct server) : 0;
	int r = sd_bus_message_open_container(m, 'a', "(iay)");

	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct server s;

		memcpy(&s, dns.blob->data + i * sizeof(s), sizeof(s));
		r = sd_bus_message_open_container(m, 'r', "iay");
		if (r >= 0)
			r = sd_bus_message_append(m, "i", (int32_t)s.family);
		if (r >= 0)
			r = sd_bus_message_append_array(m, 'y', s.addr, s.family == AF_INET ? 4 : 16);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_domains(sd_bus_message *m, union value search)
{
	const struct blob *b = search.blob;
	int r = sd_bus_message_open_container(m, 'a', "(sb)");

	for (size_t i = 0; r >= 0 && b && i < b->len; i += strlen((const char *)b->data + i) + 1)
		r = sd_bus_message_append(m, "(sb)", (const char *)b->data + i, 0);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int set_list(struct host *h, uint32_t ifindex, const char *method, int (*append)(sd_bus_message *, union value),
		    union value v, char **why)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus_connection(h->bus), &m, RESOLVED_NAME, RESOLVED_PATH,
					       RESOLVED_MANAGER, method);

	if (r >= 0)
		r = sd_bus_message_append(m, "i", (int32_t)ifindex);
	if (r >= 0)
		r = append(m, v);
	if (r >= 0)
		r = call(h, m, why);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int resolved_write(struct host *h, const struct told *t, char **why)
{
	int r = set_list(h, t->ifindex, "SetLinkDNS", append_servers, t->dns, why);

	return r < 0 ? r : set_list(h, t->ifindex, "SetLinkDomains", append_domains, t->search, why);
}

const struct resolver resolved = {
	.name = "systemd-resolved",
	.works = resolved_works,
	.read = resolved_read,
	.write = resolved_write,
};
