/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the Varlink service on a path: its socket file, how many may connect, and who they are. */
#include "toy.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int connect_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static void a_path_is_served_to_everyone_and_removed_at_the_end(void **state)
{
	char directory[] = "/tmp/test-varlink-XXXXXX";
	_cleanup_free_ char *path = NULL;
	struct fixture *f = *state;
	struct stat st;

	assert_non_null(mkdtemp(directory));
	path = xasprintf("%s/socket", directory);
	assert_int_equal(varlink_server_listen(f->server, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	close(f->client);
	f->client = connect_path(path);
	send_text(f, "{\"method\":\"org.example.toy.Who\"}");
	json_object_put(reply(f));
	f->server = varlink_server_free(f->server);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(rmdir(directory), 0);
}

static void only_a_socket_that_nobody_answers_on_is_replaced(void **state)
{
	char directory[] = "/tmp/test-varlink-XXXXXX";
	_cleanup_free_ char *path = NULL, *file = NULL, *long_path = NULL;
	_cleanup_(varlink_server_free_ptr) struct varlink_server *second = NULL;
	const struct varlink_service service = {.interfaces = interfaces};
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	assert_non_null(mkdtemp(directory));
	path = xasprintf("%s/socket", directory);
	file = xasprintf("%s/file", directory);
	long_path = xasprintf("%s/%0100d", directory, 0);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(varlink_server_listen(f->server, path), 0);

	varlink_server_new(&second, f->event, &service);
	assert_int_equal(varlink_server_listen(second, path), -EADDRINUSE);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(varlink_server_listen(second, file), -ENOTSOCK);
	assert_int_equal(varlink_server_listen(second, long_path), -ENAMETOOLONG);
	f->server = varlink_server_free(f->server);
	unlink(file);
	assert_int_equal(rmdir(directory), 0);
}

/* Opens connections until one is refused, and ends them. Returns how many there were then, of all. */
static unsigned fill_up(struct fixture *f, unsigned max, unsigned per_uid)
{
	struct varlink_limits limits = varlink_limits_default;
	unsigned found;
	int fds[24][2], i, r = 0;

	limits.connections_max = max;
	limits.connections_per_uid = per_uid;
	limits_set(f, limits);
	for (i = 0; i < 24 && r == 0; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds[i]), 0);
		r = varlink_server_add_connection(f->server, fds[i][1]);
	}
	assert_int_equal(r, -EUSERS);
	found = varlink_server_connections(f->server);
	/* One was there before, the last was refused. */
	assert_int_equal(i, found);
	assert_int_equal(f->logged, 1);
	while (i > 0)
		close(fds[--i][0]);
	settle(f);
	return found;
}

static void connections_are_bounded_in_total(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fill_up(f, 16, 24), geteuid() == 0 ? 16 : 14);
	assert_int_equal(varlink_server_connections(f->server), 1);
}

/* One process of root's is bounded like another user, and leaves room for the operator. */
static void connections_are_bounded_per_user_and_per_process_of_root(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fill_up(f, 16, 4), 4);
	assert_int_equal(varlink_server_connections(f->server), 1);
}

static bool is_among(gid_t group, const gid_t *groups, int n)
{
	for (int i = 0; i < n; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* Root takes another user's place with groups of our choosing; who is not root is known with his own. */
static void the_peer_is_known_with_its_supplementary_groups(void **state)
{
	static const gid_t chosen[] = {4000, TOY_GROUP, 5000};
	char directory[] = "/tmp/test-varlink-XXXXXX";
	_cleanup_free_ char *path = NULL, *expected = NULL;
	struct fixture *f = *state;
	gid_t before[256], groups[256];
	int n_before = getgroups(ARRAY_SIZE(before), before), n;
	bool other = geteuid() == 0 && setgroups(ARRAY_SIZE(chosen), chosen) == 0;

	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	path = xasprintf("%s/socket", directory);
	assert_int_equal(varlink_server_listen(f->server, path), 0);
	close(f->client);
	if (other)
		assert_int_equal(seteuid(65534), 0);
	n = getgroups(ARRAY_SIZE(groups), groups);
	expected = xasprintf("{\"parameters\":{\"uid\":%u,\"groups\":%d,\"member\":%s}}", geteuid(), n,
			     is_among(TOY_GROUP, groups, n) || getegid() == TOY_GROUP ? "true" : "false");
	f->client = connect_path(path);
	if (other) {
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(setgroups((size_t)n_before, before), 0);
		assert_int_equal(n, ARRAY_SIZE(chosen));
		assert_non_null(strstr(expected, "true"));
	}
	send_text(f, "{\"method\":\"org.example.toy.Who\"}");
	expect(f, expected);
	f->server = varlink_server_free(f->server);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_served_to_everyone_and_removed_at_the_end),
		TEST(only_a_socket_that_nobody_answers_on_is_replaced),
		TEST(connections_are_bounded_in_total),
		TEST(connections_are_bounded_per_user_and_per_process_of_root),
		TEST(the_peer_is_known_with_its_supplementary_groups),
	};

	return cmocka_run_group_tests_name("varlink socket", tests, NULL, NULL);
}
