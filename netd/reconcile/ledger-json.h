/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the ledger as JSON and back, values as the text that the configuration would use. */
#pragma once

#include <json-c/json.h>

#include "../model/ledger.h"

struct json_object *ledger_to_json(const struct ledger *l);
/* What cannot be read (another version's option, a damaged entry) is left out. */
struct ledger ledger_from_json(struct json_object *json);
/* One record of it, which takes the place of one of that name. */
struct json_object *record_to_json(const struct record *r);
void record_from_json(struct ledger *l, struct json_object *json);
