/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: caller.h. */
#include "caller.h"

#include <arpa/inet.h>
#include <net/if.h>

#include "json.h"

#define VARIABLE "SSH_CONNECTION="
#define ANCESTORS_MAX 64

/* Of /proc/PID/environ or stat: the file's bytes, NUL-terminated. NULL: not there, or not for us. The caller frees it.
 */
static char *read_proc(pid_t pid, const char *what, size_t *len)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/%s", (int)pid, what);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t n = f ? getdelim(&text, &size, EOF, f) : -1;

	if (n < 0) {
		free(text);
		return NULL;
	}
	*len = (size_t)n;
	return text;
}

static pid_t parent_of(pid_t pid)
{
	size_t len;
	_cleanup_free_ char *stat = read_proc(pid, "stat", &len);
	/* The command's name is in parentheses and may have any character in it. */
	const char *rest = stat ? strrchr(stat, ')') : NULL;
	int parent = 0;

	return rest && sscanf(rest + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* The variable's value in the environment that the process was started with. The caller frees it. */
static char *value_of(pid_t pid)
{
	size_t len;
	_cleanup_free_ char *environment = read_proc(pid, "environ", &len);

	for (size_t i = 0; environment && i < len; i += strlen(environment + i) + 1)
		if (startswith(environment + i, VARIABLE))
			return xstrdup(environment + i + strlen(VARIABLE));
	return NULL;
}

static char *find_connection(void)
{
	const char *own = getenv("SSH_CONNECTION");
	pid_t pid = getppid();
	char *value = own ? xstrdup(own) : NULL;

	for (unsigned i = 0; !value && pid > 1 && i < ANCESTORS_MAX; i++) {
		value = value_of(pid);
		pid = parent_of(pid);
	}
	return value;
}

/* The address with the name of its link, if it has any ("fe80::1%eth0"); NULL: it is none. The caller frees it. */
static char *address_of(const char *text)
{
	size_t len = text ? strcspn(text, "%") : 0;
	_cleanup_free_ char *copy = text ? xstrdup(text) : NULL;
	char name[IFNAMSIZ];
	uint8_t addr[16];

	if (!copy)
		return NULL;
	copy[len] = '\0';
	if (inet_pton(strchr(copy, ':') ? AF_INET6 : AF_INET, copy, addr) != 1)
		return NULL;
	/* getnameinfo() gives the number of a link whose name it cannot find out. */
	if (text[len] && if_indextoname((unsigned)strtoul(text + len + 1, NULL, 10), name))
		return xasprintf("%s%%%s", copy, name);
	return xstrdup(text);
}

/* "PEER PORT LOCAL PORT" */
void caller_add(struct json_object *parameters)
{
	_cleanup_free_ char *connection = find_connection();
	char *rest = NULL, *peer = connection ? strtok_r(connection, " ", &rest) : NULL;
	const char *port = peer ? strtok_r(NULL, " ", &rest) : NULL, *local = port ? strtok_r(NULL, " ", &rest) : NULL;
	_cleanup_free_ char *peer_address = address_of(peer), *local_address = address_of(local);

	if (!peer_address || !local_address)
		return;
	json_object_object_add(parameters, "peer", json_object_new_string(peer_address));
	json_object_object_add(parameters, "local", json_object_new_string(local_address));
}
