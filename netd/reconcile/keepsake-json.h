/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: keepsakes of the kernel's (kernel/keepsake.h) as JSON, for the journal. */
#pragma once

#include <json-c/json.h>

#include "../kernel/kernel.h"

struct json_object *keepsakes_to_json(const struct keepsakes *s);
/* What cannot be read is left out. */
struct keepsakes keepsakes_from_json(struct json_object *json);
