/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the nftables table of guest networks in the kernel: reads it, tells when anybody changes it, and runs the
 * text of a plan in one transaction. Internal to kernel/. Text goes through libnftables, which knows what expressions
 * it becomes; reading needs names and comments only and goes over nfnetlink.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../model/firewall.h"
#include "../model/foreign.h"

struct nftables;

typedef void nftables_changed_fn(void *userdata);

/* Subscribes and reads. Returns 0 or negative errno; -EOPNOTSUPP: the running kernel has no nftables. */
int nftables_open(struct nftables **ret, sd_event *event, nftables_changed_fn *changed, void *userdata);
struct nftables *nftables_close(struct nftables *n);

/* As last read. */
const struct firewall *nftables_actual(const struct nftables *n);
/* Other firewalls, as last read. */
const struct foreign *nftables_foreign(const struct nftables *n);
/* Those of the older iptables. */
const struct foreign *nftables_legacy(const struct nftables *n);
/* Reads again when something may have changed since. 0 or negative errno. */
int nftables_settle(struct nftables *n);
/* Commands as nft -f takes them, all or none. On failure *ret_text says why; the caller frees it. */
int nftables_run(struct nftables *n, const char *commands, char **ret_text);
