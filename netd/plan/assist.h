/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: `[daemon] foreign_firewall`: what other firewalls of the host must accept so that guests work, as the words
 * of LINK_IPTABLES, and for the older iptables of LINK_LEGACY, of LINK_ALL. iptables' chains (Docker's, ufw's) get two
 * chains of ours, KVMNETD-FWD and KVMNETD-IN, which accept what our bridges forward and the services that guests are
 * given; our own table goes on judging both. Every rule there carries the comment "kvmnetd WORD NUMBER/OF", so that it
 * is known whose it is and that all are there. Pure; host/iptables.c runs the text.
 *
 * A word is WHAT:BRIDGE, WHAT being one of forward, dhcp, dns, tftp, or for IPv6 forward6, dhcp6, dns6, tftp6.
 */
#pragma once

#include "../config/config.h"
#include "../model/foreign.h"

#define ASSIST_FORWARD "KVMNETD-FWD"
#define ASSIST_INPUT "KVMNETD-IN"
/* The comment of what leads there. */
#define ASSIST_JUMP "kvmnetd"

/* What iptables' chains are to accept; NULL: nothing. The caller frees it. */
struct blob *assist_wanted(const struct config *c, const struct foreign *f);
/* What they accept: words whose rules are all there, and lead somewhere. */
struct blob *assist_found(const struct foreign *f);
/*
 * What makes the chains of one family those of the words, as iptables-restore --noflush reads it; NULL: there is
 * nothing to do there. f: as it is. The caller frees it.
 */
char *assist_commands(const struct blob *words, const struct foreign *f, uint8_t family);
/* What is in the way and is not mended by us, one call for each chain, with what would help. */
void assist_warn(const struct config *c, const struct foreign *f, void (*add)(const char *text, void *userdata),
		 void *userdata);
