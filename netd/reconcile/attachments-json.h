/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: which guests are attached to what (plan/attachments.h) as JSON, so that a daemon that was killed after their
 * bridge was deleted under them still knows where they belong.
 */
#pragma once

#include <json-c/json.h>

#include "../plan/attachments.h"

struct json_object *attachments_to_json(const struct attachments *a);
/* What cannot be read is left out. The caller calls attachments_done(). */
struct attachments attachments_from_json(struct json_object *json);
