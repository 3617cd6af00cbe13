/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: comparing kernel state, beside kernel_compare(). Internal to kernel/. */
#pragma once

#include "kernel.h"

/* Does an event tell nothing new of this link, addresses, routes and VLANs apart? Both belong to the same model. */
bool link_unchanged(const struct model *m, const struct link *before, const struct link *after);
