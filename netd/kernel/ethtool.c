/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: ethtool's ioctl (ethtool.h): one call each, where genetlink would need a family looked up first. */
#include "ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Words of each of the three link mode masks; the kernel says how many it has when asked with another number. */
#define MASK_WORDS_MAX 127

static int call(int fd, const char *name, void *command)
{
	struct ifreq request = {.ifr_data = command};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCETHTOOL, &request) == 0)
		return 0;
	/* ENODEV and ENOENT stay what they are. */
	return errno == EOPNOTSUPP || errno == EINVAL || errno == EBUSY ? -EOPNOTSUPP : -errno;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int ethtool_speed(const char *name, struct ethtool_speed *ret)
{
	union {
		struct ethtool_link_settings settings;
		uint8_t room[sizeof(struct ethtool_link_settings) + 3 * MASK_WORDS_MAX * sizeof(uint32_t)];
	} u = {.settings.cmd = ETHTOOL_GLINKSETTINGS};
	_cleanup_close_ int fd = open_socket();
	int error;

	if (fd < 0)
		return fd;
	error = call(fd, name, &u);
	if (error)
		return error;
	/* The first call answers with the number of words, negative, and nothing else. */
	if (u.settings.link_mode_masks_nwords >= 0)
		return -EOPNOTSUPP;
	u.settings.cmd = ETHTOOL_GLINKSETTINGS;
	u.settings.link_mode_masks_nwords = (int8_t)-u.settings.link_mode_masks_nwords;
	error = call(fd, name, &u);
	if (error)
		return error;
	if (u.settings.speed == 0 || u.settings.speed == (uint32_t)SPEED_UNKNOWN)
		return -EOPNOTSUPP;
	*ret = (struct ethtool_speed){.mbit = u.settings.speed, .full_duplex = u.settings.duplex == DUPLEX_FULL};
	return 0;
}

int ethtool_driver(const char *name, char **ret)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	_cleanup_close_ int fd = open_socket();
	int error;

	if (fd < 0)
		return fd;
	error = call(fd, name, &info);
	if (error)
		return error;
	info.driver[sizeof(info.driver) - 1] = '\0';
	if (!info.driver[0])
		return -EOPNOTSUPP;
	*ret = xstrdup(info.driver);
	return 0;
}
