/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: reads the files in which libvirt keeps its own networks. Internal to host/. */
#pragma once

#include "../model/libvirt.h"

void libvirt_read(struct libvirt_networks *ret);
