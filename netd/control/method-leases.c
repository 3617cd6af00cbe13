/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: Leases: the addresses that guests have, from the files that the dnsmasq of each network writes. */
#include <arpa/inet.h>
#include <inttypes.h>

#include "service-internal.h"
#include "status-json.h"

/* A line is "EXPIRES MAC ADDRESS NAME CLIENT", or "duid ..." before those of IPv6, where the second word is no MAC. */
static struct json_object *lease_of_line(char *line, const struct network *n)
{
	char *save = NULL, *expires = strtok_r(line, " \n", &save), *mac = strtok_r(NULL, " \n", &save);
	char *address = strtok_r(NULL, " \n", &save), *name = strtok_r(NULL, " \n", &save);
	struct json_object *lease;
	uint8_t bytes[16];
	int64_t when;

	if (!name || sscanf(expires, "%" SCNd64, &when) != 1 || when < 0)
		return NULL;
	if (inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, bytes) != 1)
		return NULL;
	lease = json_object_new_object();
	json_object_object_add(lease, "network", json_object_new_string(n->name));
	json_object_object_add(lease, "bridge", json_object_new_string(n->bridge));
	json_object_object_add(lease, "address", json_object_new_string(address));
	json_object_object_add(lease, "mac", strchr(mac, ':') ? json_text(mac) : NULL);
	json_object_object_add(lease, "name", streq(name, "*") ? NULL : json_text(name));
	/* 0: never. */
	json_object_object_add(lease, "expires_at", when ? status_time(when) : NULL);
	return lease;
}

static void add_leases(const struct manager *m, const struct network *n, struct json_object *leases)
{
	_cleanup_free_ char *path = xasprintf("%s/leases/%s", m->dirs.state, n->bridge), *line = NULL;
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		struct json_object *lease = lease_of_line(line, n);

		if (lease)
			json_object_array_add(leases, lease);
	}
}

static struct ip ip_of_lease(struct json_object *lease)
{
	const char *text = json_object_get_string(json_object_object_get(lease, "address"));
	struct ip ip = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	inet_pton(ip.family, text, ip.addr);
	return ip;
}

/* dnsmasq writes them as they come. Those of IPv4 are first; networks have no subnet in common. */
static int by_address(const void *a, const void *b)
{
	struct ip x = ip_of_lease(*(struct json_object *const *)a), y = ip_of_lease(*(struct json_object *const *)b);

	return x.family != y.family ? (x.family == AF_INET ? -1 : 1) : ip_compare(&x, &y);
}

void method_leases(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	struct service *s = userdata;
	const struct config *c = s->manager->config;
	struct json_object *json = json_object_new_object(), *leases = json_object_new_array();

	for (size_t i = 0; i < c->n_networks; i++)
		add_leases(s->manager, c->networks[i], leases);
	json_object_array_sort(leases, by_address);
	json_object_object_add(json, "leases", leases);
	varlink_reply(call, json);
}
