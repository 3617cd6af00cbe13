/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: io.kvmnetd.Network on a Varlink server: binds the interface's methods to the manager. What a link looks like
 * in JSON is status-json.c, plans and outcomes are plan-json.c.
 */
#pragma once

#include "../reconcile/manager.h"

struct service;

/* The manager must outlive the service, and has it as its userdata. */
int service_new(struct service **ret, struct manager *m);
int service_listen(struct service *s, const char *path);
struct service *service_free(struct service *s);

/* Status may have changed: pending `Missing` calls are answered. userdata: the service, may be NULL. */
void service_changed(void *userdata);
/* A manager_event_fn: tells those who monitor. */
void service_event(enum manager_event event, const char *link, const char *text, void *userdata);
