/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the keys of [network] share: values of several words, names of DNS, addresses. guest-keys.c has the
 * table and the keys of the network itself, service-keys.c those of its DHCP and DNS. Private to config/.
 */
#pragma once

#include "parser.h"

#define WORDS_MAX 16

struct words {
	char *text; /* owned */
	char *list[WORDS_MAX];
	size_t n;
	bool more; /* than that */
};

struct words words_split(const char *value);
void words_done(struct words *w);
#define _cleanup_words_ _cleanup_(words_done)

bool is_label_char(char c);
/* What makes it no name of a host or domain; NULL: nothing. */
const char *domain_fault(const char *name);
/* The same for the name of a record, whose parts may begin with '_', as in _ldap._tcp.example.org. */
const char *record_fault(const char *name);
/* An address of a host; says what is wrong. */
bool take_ip(struct parser *p, struct loc loc, const char *key, const char *word, struct ip *ret);

/* service-keys.c */
void take_range(struct parser *p, struct loc loc, const char *key, const char *value);
void take_host(struct parser *p, struct loc loc, const char *key, const char *value);
void take_dhcp_option(struct parser *p, struct loc loc, const char *key, const char *value);
void take_dns(struct parser *p, struct loc loc, const char *key, const char *value);
void take_dns_host(struct parser *p, struct loc loc, const char *key, const char *value);
void take_dns_forward(struct parser *p, struct loc loc, const char *key, const char *value);
void take_srv(struct parser *p, struct loc loc, const char *key, const char *value);
void take_txt(struct parser *p, struct loc loc, const char *key, const char *value);

/* dhcp-options.c */
/*
 * What is wrong with the values of a DHCP option, or that there is none of that name (the caller frees it), or NULL.
 * w: what it is called by and the values; number: 0 when it is called by its name. A value is still any word.
 */
char *dhcp_option_fault(const struct words *w, uint32_t number);
