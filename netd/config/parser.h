/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the files of the parser share: the section being read. section.c opens and closes it, keys.c says
 * which key is what and stores options, network-keys.c stores addresses, routes and relations. Private to config/.
 */
#pragma once

#include "config.h"

enum section_type {
	SECTION_NONE, /* nothing, or a section that was refused: its keys are passed over */
	SECTION_LINK,
	SECTION_PORT,
	SECTION_DAEMON,
	SECTION_NETWORK, /* `link` is its bridge */
};

/* A key that the section had already. */
struct seen_key {
	const char *canonical; /* borrowed from its table */
	char *spelling;	       /* owned: as written, which may be an alias; NULL: not given, but meant by a typo */
	struct loc loc;
};

/*
 * The section being read. It owns what it builds; at its end that moves into the config, unless the section was
 * refused (a bad name, a second one of its name), so that its keys are checked all the same.
 */
struct section {
	enum section_type type;
	bool refused;
	char *text; /* owned: "bond bond0" */
	struct loc loc;
	struct link *link;	   /* SECTION_LINK, SECTION_NETWORK */
	struct network *network;   /* SECTION_NETWORK */
	struct values *match;	   /* SECTION_LINK: match_options */
	struct port_section *port; /* SECTION_PORT */
	struct values *daemon;	   /* SECTION_DAEMON */
	struct loc gateway[2];	   /* SECTION_LINK: of the IPv4 and the IPv6 gateway */
	struct seen_key *seen;
	size_t n_seen;
};

/* What there is a limit of; see CONFIG_*_MAX. */
enum counted {
	COUNT_LINKS,
	COUNT_PORT_NAMES,
	COUNT_GLOBS,
	COUNT_PORTS,
	COUNT_ADDRESSES,
	COUNT_ROUTES,
	COUNT_ITEMS,
	_COUNTS
};

struct parser {
	struct config *config; /* borrowed */
	struct diags *diags;   /* borrowed */
	struct section section;
	struct loc daemon_loc; /* of the [daemon] section; LOC_NONE: none yet */
	size_t counts[_COUNTS];
};

/* An ini_receiver's two calls, and the end of a file. */
void parser_section(void *userdata, struct loc loc, const char *kind, const char *name);
void parser_key(void *userdata, struct loc loc, const char *key, const char *value);
void parser_end_section(struct parser *p);

void parser_error(struct parser *p, struct loc loc, const char *key, const char *format, ...) _printf_(4, 5);
void parser_warning(struct parser *p, struct loc loc, const char *key, const char *format, ...) _printf_(4, 5);

/* Counts one more. False when it is one too many, which is said once. */
bool parser_count(struct parser *p, enum counted what, struct loc loc, const char *key);

/*
 * Notes that the section has this key. False, with an error, when it had it already under another spelling, or at all
 * and `repeats` is false.
 */
bool parser_first(struct parser *p, struct loc loc, const char *canonical, const char *key, bool repeats);
/* Was the key given, or meant? Then it is not missing. */
bool parser_seen(const struct parser *p, const char *canonical);

/* Keys of links that are objects and not options. */
struct network_key {
	const char *key;
	uint32_t kinds; /* enum kind_flag: only on kinds with it; 0: on all */
	bool repeats;
	void (*take)(struct parser *p, struct loc loc, const char *key, const char *value);
};
extern const struct network_key network_keys[]; /* ends with a NULL key */

/* Keys that only [network] has, which are lists and objects (guest-keys.c). */
extern const struct network_key guest_keys[]; /* ends with a NULL key */

/* How [ethernet] finds its device. */
extern const struct option_table match_options;
enum match_row { MATCH_MAC, MATCH_PATH, MATCH_DRIVER };

/* What values of network keys are made of; network-keys.c. */
bool word_ip(const char *word, uint8_t *family, uint8_t addr[16]);
bool word_number(const char *word, uint32_t min, uint32_t max, uint32_t *ret);
/* What makes it unfit for one host; NULL: nothing. */
const char *host_fault(int family, const uint8_t addr[16]);

/* What makes `name` no name, e.g. "has 17 bytes, and a link's name at most 15"; NULL: nothing. The caller frees it. */
char *name_fault(const char *name, size_t max);
#define ALTNAME_MAX 127
/* What to do about a NIC's name over 15 bytes where only a link's name or label can be; "" for shorter ones. */
const char *long_nic_hint(const char *name);

/* Frees what is in it, not the struct. */
void port_section_done(struct port_section *port);

/* Number of entries of kinds[]. */
size_t kinds_count(void);
