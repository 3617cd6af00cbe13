/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the dnsmasq processes of guest networks, one for each bridge that has a value of LINK_DNSMASQ. They outlive
 * kvmnetd: the next one finds them by their files in the runtime directory, which say what they were told. Internal to
 * host/.
 */
#pragma once

#include <systemd/sd-event.h>

#include "../model/model.h"

struct dnsmasqs;

/* Takes over those that run. changed: one has ended. */
struct dnsmasqs *dnsmasqs_new(sd_event *event, const char *runtime_dir, const char *state_dir,
			      void (*changed)(void *userdata), void *userdata);
/* They go on running. */
struct dnsmasqs *dnsmasqs_free(struct dnsmasqs *d);
/*
 * Puts what runs into the rows of bridges, where somebody may want something of it (or one runs); ends those whose
 * bridge is gone.
 */
void dnsmasqs_show(struct dnsmasqs *d, struct model *actual, bool wanted);
/* Starts, tells anew or (with an empty value) ends the one of this bridge. 0, or negative errno with *why. */
int dnsmasqs_write(struct dnsmasqs *d, const char *bridge, union value words, char **why);
/* Why the one of this bridge does not run; NULL: it does, or is not to. The caller frees it. */
char *dnsmasqs_trouble(const struct dnsmasqs *d, const char *bridge);
/* Lets what failed be tried again. */
void dnsmasqs_doubt(struct dnsmasqs *d);
