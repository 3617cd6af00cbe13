/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the server: its socket, who may connect, and which method a call means. varlink-connection.c has the I/O,
 * varlink-call.c the calls, varlink-message.c the bytes.
 */
#include "varlink-internal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>

/* Together they say how long a flood of connections keeps others waiting: 0.2 s. */
#define ACCEPT_USEC (100 * 1000)
#define ACCEPTS_AT_ONCE 200
#define BACKLOG 256
/* What is logged is about clients, and any user is one: they must not be able to push other messages out of the
 * journal. */
#define LOG_LINES 10u
#define LOG_USEC 60000000ull

const struct varlink_limits varlink_limits_default = {
	.message_max = VARLINK_MESSAGE_MAX,
	.message_elements_max = 1u << 16,
	.input_total_max = 3 * (size_t)VARLINK_MESSAGE_MAX,
	.output_max = 256u << 10,
	.input_usec = 30 * 1000000ull,
	.output_usec = 60 * 1000000ull,
	.connections_max = 128,
	.connections_per_uid = 16,
};

static const char service_description[] =
	"# Every Varlink service has this interface: what it is, and what else it can do.\n"
	"interface org.varlink.service\n"
	"\n"
	"# The service and the names of its interfaces.\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"# The definition of an interface, comments included.\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"# The interface has the method, but this service does not implement it.\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"# The method needs `more`.\n"
	"error ExpectedMore ()\n";

void server_log(struct varlink_server *s, int priority, const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *last = NULL;
	uint64_t now = 0;
	va_list ap;

	if (!s->service.log)
		return;
	sd_event_now(s->event, CLOCK_MONOTONIC, &now);
	if (now - s->log_since >= LOG_USEC) {
		s->log_since = now;
		s->log_count = 0;
	}
	if (s->log_count++ >= LOG_LINES)
		return;
	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	last = xasprintf("%s (no more about clients for a minute)", text);
	s->service.log(priority, s->log_count == LOG_LINES ? last : text, s->service.userdata);
}

bool varlink_peer_in_group(const struct varlink_peer *peer, gid_t gid)
{
	if (peer->gid == gid)
		return true;
	for (size_t i = 0; i < peer->n_groups; i++)
		if (peer->groups[i] == gid)
			return true;
	return false;
}

static void get_info(struct varlink_call *call, struct json_object *parameters _unused_, void *userdata)
{
	const struct varlink_service *service = &((struct varlink_server *)userdata)->service;
	struct json_object *info = json_object_new_object(), *names = json_object_new_array();

	json_object_object_add(info, "vendor", json_object_new_string(service->vendor));
	json_object_object_add(info, "product", json_object_new_string(service->product));
	json_object_object_add(info, "version", json_object_new_string(service->version));
	json_object_object_add(info, "url", json_object_new_string(service->url));
	json_object_array_add(names, json_object_new_string("org.varlink.service"));
	for (const struct varlink_interface *const *i = service->interfaces; *i; i++)
		json_object_array_add(names, json_object_new_string((*i)->name));
	json_object_object_add(info, "interfaces", names);
	varlink_reply(call, info);
}

static void get_interface_description(struct varlink_call *call, struct json_object *parameters, void *userdata);

static const struct varlink_field description_fields[] = {
	{"interface", VARLINK_STRING, .required = true},
	{0},
};

static const struct varlink_method service_methods[] = {
	{"GetInfo", .handler = get_info},
	{"GetInterfaceDescription", .fields = description_fields, .handler = get_interface_description},
};

static const struct varlink_interface service_interface = {
	.name = "org.varlink.service",
	.description = service_description,
	.methods = service_methods,
	.n_methods = ARRAY_SIZE(service_methods),
};

static const struct varlink_interface *find_interface(const struct varlink_server *s, const char *name, size_t len)
{
	if (len == strlen(service_interface.name) && !strncmp(name, service_interface.name, len))
		return &service_interface;
	for (const struct varlink_interface *const *i = s->service.interfaces; *i; i++)
		if (len == strlen((*i)->name) && !strncmp(name, (*i)->name, len))
			return *i;
	return NULL;
}

static void error_named(struct varlink_call *call, const char *error, const char *key, const char *value, size_t len)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, key, json_object_new_string_len(value, (int)len));
	varlink_error(call, error, o);
}

static void get_interface_description(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	const char *name = varlink_get_string(parameters, "interface", "");
	const struct varlink_interface *i = find_interface(userdata, name, strlen(name));
	struct json_object *reply;

	if (!i) {
		error_named(call, "org.varlink.service.InterfaceNotFound", "interface", name, strlen(name));
		return;
	}
	reply = json_object_new_object();
	json_object_object_add(reply, "description", json_object_new_string(i->description));
	varlink_reply(call, reply);
}

static const struct varlink_method *find_method(const struct varlink_interface *i, const char *name)
{
	for (size_t n = 0; n < i->n_methods; n++)
		if (streq(i->methods[n].name, name))
			return &i->methods[n];
	return NULL;
}

void server_dispatch(struct varlink_server *s, struct varlink_call *call)
{
	const char *name = call->method, *dot = strrchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : strlen(name);
	const struct varlink_interface *i = find_interface(s, name, len);
	const struct varlink_method *m = i && dot ? find_method(i, dot + 1) : NULL;
	bool ours = i == &service_interface;
	_cleanup_free_ char *bad = NULL;

	if (!i) {
		error_named(call, "org.varlink.service.InterfaceNotFound", "interface", name, len);
		return;
	}
	if (!m || !m->handler) {
		error_named(call, m ? "org.varlink.service.MethodNotImplemented" : "org.varlink.service.MethodNotFound",
			    "method", name, strlen(name));
		return;
	}
	if (!ours && s->service.authorize &&
	    !s->service.authorize(varlink_call_peer(call), m->right, s->service.userdata)) {
		varlink_error_permission_denied(call);
		return;
	}
	if (call->upgrade) {
		varlink_error_invalid_parameter(call, "upgrade");
		return;
	}
	if (m->needs_more && !call->more) {
		varlink_error(call, "org.varlink.service.ExpectedMore", NULL);
		return;
	}
	bad = varlink_check(call->parameters, m->fields);
	if (bad) {
		varlink_error_invalid_parameter(call, bad);
		return;
	}
	m->handler(call, call->parameters, ours ? s : s->service.userdata);
}

static int peer_read(int fd, struct varlink_peer *ret)
{
	struct varlink_peer peer = {0};
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	peer.uid = cred.uid;
	peer.gid = cred.gid;
	peer.pid = cred.pid;
	/* The kernel says by ERANGE how much room it needs. */
	for (len = 0; getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer.groups, &len) < 0;) {
		if (errno != ERANGE) {
			free(peer.groups);
			return -errno;
		}
		peer.groups = xrealloc(peer.groups, len, 1);
	}
	peer.n_groups = len / sizeof(gid_t);
	*ret = peer;
	return 0;
}

/* NULL, or why this client may not have one more connection. */
static char *refusal(const struct varlink_server *s, const struct varlink_peer *peer)
{
	const struct varlink_limits *l = &s->limits;
	unsigned of_uid = 0, of_pid = 0;

	for (const struct connection *c = s->connections; c; c = c->next) {
		of_uid += c->peer.uid == peer->uid;
		of_pid += c->peer.uid == peer->uid && c->peer.pid == peer->pid;
	}
	/* Whatever others do, root gets in. */
	if (s->n_connections >= l->connections_max - (peer->uid ? l->connections_max / 8 : 0))
		return xasprintf("%u connections are open", s->n_connections);
	if (peer->uid && of_uid >= l->connections_per_uid)
		return xasprintf("%u connections of this user are open", of_uid);
	/* One program of root's that forgets to close its own must not keep the operator out. */
	if (of_pid >= l->connections_per_uid)
		return xasprintf("%u connections of this process are open", of_pid);
	return NULL;
}

int varlink_server_add_connection(struct varlink_server *s, int fd)
{
	struct varlink_peer peer = {0};
	_cleanup_free_ char *why = NULL;
	int r = peer_read(fd, &peer);

	if (r < 0) {
		close(fd);
		return r;
	}
	why = refusal(s, &peer);
	if (!why) {
		s->refusing = false;
		return connection_new(s, fd, &peer);
	}
	if (!s->refusing)
		server_log(s, LOG_WARNING, "connection of uid %u, pid %d refused: %s", (unsigned)peer.uid,
			   (int)peer.pid, why);
	s->refusing = true;
	free(peer.groups);
	close(fd);
	return -EUSERS;
}

static int on_connect(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
	struct varlink_server *s = userdata;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client >= 0)
		varlink_server_add_connection(s, client);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED && !s->refusing) {
		server_log(s, LOG_ERR, "cannot accept a connection: %s", strerror(errno));
		s->refusing = true;
	}
	return 0;
}

int varlink_server_listen_fd(struct varlink_server *s, int fd)
{
	int r;

	if (s->listen) {
		close(fd);
		return -EBUSY;
	}
	r = sd_event_add_io(s->event, &s->listen, fd, EPOLLIN, on_connect, s);
	if (r < 0) {
		close(fd);
		return r;
	}
	sd_event_source_set_io_fd_own(s->listen, true);
	sd_event_source_set_description(s->listen, "varlink-listen");
	/* Bounds a flood of connections, and the turns lost to accept() failing while descriptors are short. */
	return sd_event_source_set_ratelimit(s->listen, ACCEPT_USEC, ACCEPTS_AT_ONCE);
}

/* Removes a socket file that no process answers on. Returns 0, or why the path cannot be had. */
static int remove_stale(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

int varlink_server_listen(struct varlink_server *s, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	r = remove_stale(&address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0666) < 0 ||
	    lstat(path, &st) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	r = varlink_server_listen_fd(s, fd);
	if (r < 0)
		return r;
	s->path = xstrdup(path);
	s->path_dev = st.st_dev;
	s->path_ino = st.st_ino;
	return 0;
}

int varlink_server_new(struct varlink_server **ret, sd_event *event, const struct varlink_service *service)
{
	struct varlink_server *s = xcalloc(1, sizeof(*s));

	s->event = sd_event_ref(event);
	s->service = *service;
	s->limits = varlink_limits_default;
	*ret = s;
	return 0;
}

void varlink_server_set_limits(struct varlink_server *s, const struct varlink_limits *limits)
{
	s->limits = *limits;
}

unsigned varlink_server_connections(const struct varlink_server *s)
{
	return s->n_connections;
}

struct varlink_server *varlink_server_free(struct varlink_server *s)
{
	struct stat st;

	if (!s)
		return NULL;
	while (s->connections)
		connection_free(s->connections);
	sd_event_source_disable_unref(s->listen);
	/* Not the socket of a server that has taken over the path in the meantime. */
	if (s->path && lstat(s->path, &st) == 0 && st.st_dev == s->path_dev && st.st_ino == s->path_ino)
		unlink(s->path);
	free(s->path);
	sd_event_unref(s->event);
	free(s);
	return NULL;
}
