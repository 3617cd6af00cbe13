/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: libvirt.h. */
#include "libvirt.h"

#include <dirent.h>

#include "../file.h"
#include "../log.h"

/* Those that are defined, and those that run, of which some are only there while they do. */
static const char *const directories[] = {"/etc/libvirt/qemu/networks", "/run/libvirt/network"};

static void read_directory(const char *directory, struct libvirt_networks *ret)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name), *text = NULL;

		if (len <= 4 || !streq(entry->d_name + len - 4, ".xml"))
			continue;
		text = file_read(path, NULL);
		if (text && libvirt_parse(text, ret) == -EINVAL)
			log_warning("%s: libvirt's network in it is not understood, and not kept clear of", path);
	}
	if (dir)
		closedir(dir);
}

void libvirt_read(struct libvirt_networks *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		read_directory(directories[i], ret);
}
