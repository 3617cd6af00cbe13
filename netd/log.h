/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the daemon's log: to the journal when the service manager gave us one, to stderr otherwise. Only rim files
 * log, and each failure once, where its object is known. Holds the one mutable global: where to log.
 */
#pragma once

#include <syslog.h>

#include "util.h"

/* Looks at JOURNAL_STREAM (systemd.exec(5)) once; call it first. */
void log_open(void);
/* priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG (not written unless verbose). */
void log_print(int priority, const char *format, ...) _printf_(2, 3);
void log_set_verbose(bool verbose);
/* Is LOG_DEBUG written? For texts that are dear to make. */
bool log_is_verbose(void);

#define log_error(...) log_print(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_print(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_print(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)
