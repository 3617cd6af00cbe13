/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what other programs of the host keep about links, as rows (PLACE_HOST) of ACTUAL: the name servers that its
 * resolver asks, its firewall's zones, and the DHCP client that asks for its addresses. They are read, compared,
 * written, read back and put back like the kernel's own.
 *
 * Calls of the bus wait for their answer, a second at most; who does not answer is not asked again for a while.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../model/foreign.h"
#include "../model/lease.h"
#include "../model/libvirt.h"
#include "../model/names.h"
#include "../plan/plan.h"

struct host;

struct host_setup {
	const char *state_dir;	 /* where what was found in /etc/resolv.conf is kept */
	const char *runtime_dir; /* where leases are, in dhcp/, and the files of dnsmasq, in dnsmasq/ */
	const char *lib_dir;	 /* where our own scripts are */
	/* Nothing that was told before is known any more: what is left of it in files is taken back. */
	bool is_boot;
	/* Somebody came, went, or forgot; called from the event loop. */
	void (*changed)(void *userdata);
	void *userdata;
};

/* Never fails: who is not there now may come later. */
struct host *host_new(sd_event *event, const struct host_setup *setup);
struct host *host_free(struct host *h);

/* May /etc/resolv.conf be written? [daemon] resolv_conf. */
void host_allow_file(struct host *h, bool allowed);
/* What was read may be out of date: host_show() reads it again. */
void host_doubt(struct host *h);
/*
 * Puts what the programs have into the rows of every link of ACTUAL; where there is nobody to ask, the rows are not
 * set. wanted: somebody may want something of them; until then nobody is asked. Takes back what was told of links that
 * are gone.
 */
void host_show(struct host *h, struct model *actual, bool wanted);
/* The same for the dnsmasq of bridges. Ends those whose bridge is gone. wanted: there are, or were, networks. */
void host_show_dnsmasq(struct host *h, struct model *actual, bool wanted);
/* And what both kinds of iptables are made to accept, into the rows of LINK_ALL. They live until others are shown. */
void host_show_iptables(struct host *h, struct model *actual, const struct foreign *f, const struct foreign *legacy);
/* Why that, or the older, iptables does not accept what it was asked to; NULL: it does. Borrowed. */
const char *host_iptables_trouble(const struct host *h, bool legacy);
/*
 * Executes an OP_HOST about the link with that ifindex. Where there is nobody to tell, it is done: when somebody comes,
 * what differs is told. Returns 0, or negative errno with *why (the caller frees it); after that the link's rows are
 * not set, as if nobody were there, until host_doubt() or another change of who is there.
 */
int host_write(struct host *h, const struct op *op, uint32_t ifindex, char **why);
/* Does firewalld run? As host_show() found it. */
bool host_has_zones(const struct host *h);
/* Its zone for networks that name none; NULL: it does not run, or has neither ours nor libvirt's. Borrowed. */
const char *host_guest_zone(const struct host *h);
/* libvirt's own networks, read again after host_doubt(). They live until then. */
const struct libvirt_networks *host_libvirt(struct host *h);
/* What DHCP servers gave. It lives until the next call. NULL: nobody wants anything of the host. */
const struct leases *host_leases(const struct host *h);
/* Links of which they gave something else since the caller cleared the list. */
struct names *host_changed_leases(struct host *h);
/* What is wrong with the DHCP client of a link, or that nobody answers it; NULL: nothing. The caller frees it. */
char *host_dhcp_trouble(const struct host *h, const char *link);
/* The same of the dnsmasq of a network's bridge. */
char *host_dnsmasq_trouble(const struct host *h, const char *bridge);
/* Who takes name servers, for messages; NULL: nobody. */
const char *host_resolver(const struct host *h);
