/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: claims.h. */
#include "claims.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "../clock.h"

static bool is_ours(const struct link *want)
{
	return want->loc.file && !want->foreign;
}

static char *claim_path(const struct state_dirs *dirs, const char *name)
{
	return xasprintf("%s/links/%s", dirs->runtime, name);
}

void claims_update(const struct state_dirs *dirs, struct names *claimed, const struct effective *e)
{
	_cleanup_free_ char *directory = xasprintf("%s/links", dirs->runtime);
	const struct names *looked = e->scope.partial ? &e->scope.links : claimed;

	if (access("/run/udev/control", F_OK) < 0)
		return;
	mkdir(directory, 0755);
	for (size_t i = 0; i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i];
		_cleanup_free_ char *path = NULL;
		int fd;

		if (!is_ours(want) || names_has(claimed, want->name))
			continue;
		path = claim_path(dirs, want->name);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			continue; /* the mark is a courtesy; the network does not hang on it */
		close(fd);
		names_add(claimed, want->name);
	}
	for (size_t i = looked->n; i-- > 0;) {
		const char *name = looked->list[i];
		const struct link *want = model_find(&e->links, name);
		_cleanup_free_ char *path = NULL;

		if ((want && is_ours(want)) || !names_has(claimed, name))
			continue;
		path = claim_path(dirs, name);
		unlink(path);
		names_remove(claimed, name);
	}
}

/* Does a small file have this line? */
static bool file_has_line(const char *path, const char *line)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char text[256];

	while (f && fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = '\0';
		if (streq(text, line))
			return true;
	}
	return false;
}

/* State files in /run are about the host's namespace; in another one they would be about other links. */
static bool in_host_namespace(void)
{
	struct stat host, here;

	/* Not permitted to look (the sandbox): the unit runs in the host's namespace. */
	if (stat("/proc/1/ns/net", &host) < 0 || stat("/proc/self/ns/net", &here) < 0)
		return true;
	return host.st_ino == here.st_ino;
}

/* Which of them were here in this boot: of thousands of links, each would be looked for in vain three times. */
struct managers {
	bool network_manager, networkd, ifupdown;
};

static struct managers managers_here(void)
{
	return (struct managers){
		.network_manager = access("/run/NetworkManager/devices", F_OK) == 0,
		.networkd = access("/run/systemd/netif/links", F_OK) == 0,
		.ifupdown = access("/run/network/ifstate", F_OK) == 0,
	};
}

static const char *network_manager_of(const struct link *have, const struct managers *here)
{
	char path[64];

	snprintf(path, sizeof(path), "/run/NetworkManager/devices/%u", have->ifindex);
	if (here->network_manager && file_has_line(path, "managed=true"))
		return "NetworkManager";
	snprintf(path, sizeof(path), "/run/systemd/netif/links/%u", have->ifindex);
	if (here->networkd &&
	    (file_has_line(path, "ADMIN_STATE=configured") || file_has_line(path, "ADMIN_STATE=configuring")))
		return "systemd-networkd";
	snprintf(path, sizeof(path), "%s=%s", have->name, have->name);
	if (here->ifupdown && file_has_line("/run/network/ifstate", path))
		return "ifupdown";
	return NULL;
}

static char *cure_of(const char *rival, const char *name)
{
	if (streq(rival, "NetworkManager"))
		return xasprintf("nmcli device set %s managed no", name);
	if (streq(rival, "systemd-networkd"))
		return xasprintf("remove the .network file that matches %s and run networkctl reload", name);
	return xasprintf("remove %s from /etc/network/interfaces and from /run/network/ifstate", name);
}

/* Arguments of a process, NUL-separated; 0 when it cannot be read. */
static size_t read_arguments(const char *pid, char *buf, size_t size)
{
	char path[300];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, buf, size - 1) : -1;
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	return (size_t)n;
}

static bool in_our_namespace(const char *pid)
{
	struct stat there, here;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	if (stat(path, &there) < 0 || stat("/proc/self/ns/net", &here) < 0)
		return in_host_namespace();
	return there.st_ino == here.st_ino;
}

static void look_at_process(struct dhcp_clients *c, const char *pid)
{
	static const char *const programs[] = {"dhclient", "dhcpcd", "udhcpc"};
	char text[4096];
	size_t len = read_arguments(pid, text, sizeof(text)), first = strlen(text) + 1;
	const char *program = strrchr(text, '/');
	struct dhcp_client *client;
	bool found = false;

	program = len && program && program < text + strlen(text) ? program + 1 : text;
	for (size_t i = 0; len && i < ARRAY_SIZE(programs); i++)
		found = found || streq(program, programs[i]);
	if (!found || !in_our_namespace(pid))
		return;
	client = ARRAY_APPEND(c->list, c->n);
	client->name = xasprintf("%s (process %s)", program, pid);
	client->len = len > first ? len - first : 0;
	client->arguments = xcalloc(client->len + 1, 1);
	memcpy(client->arguments, text + first, client->len);
}

void dhcp_clients_done(struct dhcp_clients *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->list[i].name);
		free(c->list[i].arguments);
	}
	free(c->list);
	*c = (struct dhcp_clients){0};
}

void dhcp_clients_look(struct dhcp_clients *c, uint64_t usec)
{
	uint64_t now = boottime();
	struct dirent *entry;
	DIR *dir;

	if (c->looked && now - c->looked < usec)
		return;
	dhcp_clients_done(c);
	dir = opendir("/proc");
	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_process(c, entry->d_name);
	if (dir)
		closedir(dir);
	c->looked = now;
}

static void tell_of_client(const struct dhcp_client *c, const struct effective *e, claims_rival_fn *fn, void *userdata)
{
	for (const char *word = c->arguments; word < c->arguments + c->len; word += strlen(word) + 1) {
		const struct link *want = model_find(&e->links, word);

		/* One that asks for dhcp has a client of ours. */
		if (want && is_ours(want) && !values_num(want->common, LINK_DHCP, DHCP_NO))
			fn(want, c->name, "stop it, and what starts it", userdata);
	}
}

void claims_find_rivals(const struct dhcp_clients *clients, const struct effective *e, const struct model *actual,
			claims_rival_fn *fn, void *userdata)
{
	const struct managers here = managers_here();
	bool host = in_host_namespace() && (here.network_manager || here.networkd || here.ifupdown);

	for (size_t i = 0; host && i < e->links.n_links; i++) {
		const struct link *want = e->links.links[i], *have = model_find(actual, want->name);
		const char *rival = have && is_ours(want) ? network_manager_of(have, &here) : NULL;
		_cleanup_free_ char *cure = rival ? cure_of(rival, want->name) : NULL;

		if (rival)
			fn(want, rival, cure, userdata);
	}
	for (size_t i = 0; i < clients->n; i++)
		tell_of_client(&clients->list[i], e, fn, userdata);
}
