/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a NIC gets its altnames from udev some time after it appeared, and of a link that is down the kernel does
 * not tell (net/core/rtnetlink.c, rtnl_linkprop: netdev_state_change() only speaks of links that are up). udev says
 * when it is through with a device; then the link is read again. Without udev nothing arrives here.
 */
#include <systemd/sd-device.h>

#include "kernel-internal.h"

static int on_device(sd_device_monitor *monitor _unused_, sd_device *device, void *userdata)
{
	struct kernel *k = userdata;
	const struct link *l;
	int ifindex;

	if (sd_device_get_ifindex(device, &ifindex) < 0)
		return 0;
	l = model_index(&k->actual, (uint32_t)ifindex);
	if (l && !(l->flags & IFF_UP) && !(l->kind->flags & KIND_VIRTUAL))
		observe_read_again(k, l->ifindex);
	return 0;
}

int udev_watch(struct kernel *k)
{
	int error = sd_device_monitor_new(&k->devices);

	if (error >= 0)
		error = sd_device_monitor_filter_add_match_subsystem_devtype(k->devices, "net", NULL);
	if (error >= 0)
		error = sd_device_monitor_attach_event(k->devices, k->event);
	if (error >= 0)
		error = sd_device_monitor_start(k->devices, on_device, k);
	return error < 0 ? error : 0;
}
