/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the way that whoever runs netctl came by, so that kvmnetd does not cut it off. */
#pragma once

#include "netctl.h"

/*
 * Adds `peer` and `local`, both ends of the SSH session, to the parameters of a call; nothing when it is none. Also
 * under sudo and su, which keep nothing of it in the environment: then a process above says it.
 */
void caller_add(struct json_object *parameters);
