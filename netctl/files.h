/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the configuration files that a command line names, read with the operator's own rights.
 */
#pragma once

#include "../netd/config/config.h"
#include "netctl.h"

/* Reads every DIR or FILE in turn (none: the default directory). Problems are added to d. 0 or the first negative
 * errno. */
int files_read(struct config_files *f, const struct options *o, struct diags *d);
/* As the interface's files: [](name, text). */
struct json_object *files_json(const struct config_files *f);
/* As the interface's []Diagnostic. */
struct json_object *files_diagnostics(const struct diags *d);
