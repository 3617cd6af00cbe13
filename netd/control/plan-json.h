/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: plans, messages about files and outcomes as the interface's types Step, Diagnostic, Refused. */
#pragma once

#include <json-c/json.h>

#include "../reconcile/manager.h"

/* lines: its plan_lines(). */
struct json_object *plan_steps(const struct plan *p, const char *lines, const struct guests *guests,
			       const struct sources *sources);
struct json_object *plan_diagnostics(const struct diags *d);
/* Parameters of the error Refused. */
struct json_object *plan_refused(const struct outcome *o, const struct sources *sources);
