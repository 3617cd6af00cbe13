/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the files of host/ share. Internal. */
#pragma once

#include "bus.h"
#include "dhcp.h"
#include "dnsmasq.h"
#include "host.h"
#include "iptables.h"
#include "libvirt.h"

/* What a resolver has of one link. Owns the lists. */
struct told {
	char name[IFNAMSIZ];
	uint32_t ifindex; /* 0: known by name only */
	union value dns, search;
};

struct told_list {
	struct told *list;
	size_t n;
};

void told_done(struct told_list *t);
/* The entry, by name, or by ifindex where the name is ""; made when there is none. */
struct told *told_get(struct told_list *t, const char *name, uint32_t ifindex);
struct told *told_find(const struct told_list *t, const char *name, uint32_t ifindex);
/* Adds the words of a value to a list of that row; what does not parse is passed over. */
void told_parse(enum link_row row, const char *words, union value *v);
/* The value's words; the caller frees it. */
char *told_text(enum link_row row, union value v);

/* Which zone a link is in. */
struct zone {
	char link[IFNAMSIZ];
	char *name; /* owned */
	bool by_us; /* we put it there */
};

struct zones {
	struct zone *list;
	size_t n;
};

/* firewalld.c */
void zones_done(struct zones *z);
/* Reads which link is in which zone. 0 or negative errno. */
int firewalld_read(struct host *h, struct zones *ret);
/* The first of these zones that firewalld knows, or NULL. The caller frees it. */
char *firewalld_choose(struct host *h, const char *const *names);
/* name: "" for none. 0 or negative errno with *why. */
int firewalld_write(struct host *h, const char *link, const char *name, char **why);

struct host {
	sd_event *event; /* borrowed */
	struct bus *bus;
	struct dhcp *dhcp;
	struct dnsmasqs *dnsmasqs;
	char *state_dir;
	void (*changed)(void *userdata);
	void *userdata;
	const struct resolver *resolver; /* NULL: none */
	bool file_allowed, wanted, stale;
	bool zones_stale, zones_known;
	struct zones zones;	     /* as last read */
	struct told_list told;	     /* what the resolver has, as last read */
	sd_event_source *watch;	     /* of /etc/resolv.conf while we keep it */
	struct iptables iptables[2]; /* the second: the older one */
	struct libvirt_networks libvirt;
	bool libvirt_known;
	char *guest_zone;	   /* owned: firewalld's for guests; NULL: it has none */
	char (*refused)[IFNAMSIZ]; /* links that it would not be told of */
	size_t n_refused;
};

/* A program that takes name servers by link. All functions return 0 or negative errno. */
struct resolver {
	const char *name; /* for messages */
	bool (*works)(const struct host *h);
	/* Adds what it has to *ret. */
	int (*read)(struct host *h, struct told_list *ret);
	/* Both lists of a link become these; two empty ones take it out. *why: the caller frees it. */
	int (*write)(struct host *h, const struct told *t, char **why);
};

extern const struct resolver resolved, resolvconf, resolv_conf;

#define RESOLVED_NAME "org.freedesktop.resolve1"
#define FIREWALLD_NAME "org.fedoraproject.FirewallD1"
#define RESOLV_CONF "/etc/resolv.conf"

/* resolv-conf.c */
/* The file as it was before we first wrote it. */
void resolv_conf_put_back(struct host *h);
