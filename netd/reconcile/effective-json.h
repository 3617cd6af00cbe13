/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the way back (plan/restore.h) as JSON, so that it survives the process. */
#pragma once

#include <json-c/json.h>

#include "../plan/resolve.h"

struct json_object *effective_to_json(const struct effective *e);
/* The caller calls effective_done(). -EINVAL when it is damaged: half a way back is none. */
int effective_from_json(struct json_object *json, struct effective *ret);
