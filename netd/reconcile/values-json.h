/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: option values as JSON and back: one string of lines "key = value", as the configuration would have them. Not
 * an object with a member for each: state files of hosts with thousands of links would mostly be that.
 */
#pragma once

#include <json-c/json.h>

#include "../model/option.h"

/* v may be NULL: an empty string. */
struct json_object *values_to_json(const struct values *v);
/* What cannot be read (another version's option, a damaged entry) is left out. */
struct values *values_from_json(const struct option_table *table, struct json_object *json);
