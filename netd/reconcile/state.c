/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: state.h: JSON files, written beside and renamed. */
#include "state.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "ledger-json.h"

#define GENERATIONS_KEPT 10

static void put_json(struct json_object **json)
{
	json_object_put(*json);
}
#define _cleanup_json_ _cleanup_(put_json)

/* Which boot and network namespace this is: kernel state, and so the ledger, is of one of each. */
static char *place_of_birth(void)
{
	char boot[64] = "";
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd >= 0 && read(fd, boot, sizeof(boot) - 1) > 0)
		boot[strcspn(boot, "\n")] = '\0';
	/* SO_NETNS_COOKIE is never used twice in a boot (Linux 5.14); the inode may be, which is the best before that.
	 */
	if (s < 0 || getsockopt(s, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		cookie = stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
	return xasprintf("%s %" PRIu64, boot, cookie);
}

/* Writes the text as a new file and renames it over the old one. */
static int write_file(const char *path, const char *text, bool durable)
{
	_cleanup_free_ char *beside = xasprintf("%s.new", path);
	_cleanup_close_ int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	if (durable && fsync(fd) < 0)
		return -errno;
	return rename(beside, path) < 0 ? -errno : 0;
}

static struct json_object *read_json(const char *path)
{
	return json_object_from_file(path);
}

int state_load(const struct state_dirs *dirs, struct ledger *ret, uint32_t *ret_generation)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger.json", dirs->runtime);
	_cleanup_free_ char *here = place_of_birth();
	_cleanup_json_ struct json_object *json = read_json(path);
	const char *born;

	*ret = LEDGER_NULL;
	*ret_generation = 0;
	if (!json_object_is_type(json, json_type_object))
		return 0;
	born = json_object_get_string(json_object_object_get(json, "of"));
	if (!born || !streq(born, here))
		return 0;
	*ret = ledger_from_json(json_object_object_get(json, "links"));
	*ret_generation = (uint32_t)json_object_get_int64(json_object_object_get(json, "generation"));
	return 0;
}

int state_save(const struct state_dirs *dirs, const struct ledger *l, uint32_t generation)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger.json", dirs->runtime);
	_cleanup_free_ char *here = place_of_birth();
	_cleanup_json_ struct json_object *json = json_object_new_object();

	json_object_object_add(json, "of", json_object_new_string(here));
	json_object_object_add(json, "generation", json_object_new_int64(generation));
	json_object_object_add(json, "links", ledger_to_json(l));
	/* Not synced: it describes the kernel of this boot, so a power failure that loses it also ends what it is
	 * about. */
	return write_file(path, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN), false);
}

static int number_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

size_t generations_list(const struct state_dirs *dirs, uint32_t **ret)
{
	_cleanup_free_ char *path = xasprintf("%s/generations", dirs->state);
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint32_t *list = NULL;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		uint32_t number;
		int end = 0;

		if (sscanf(entry->d_name, "%" SCNu32 ".json%n", &number, &end) == 1 && end &&
		    entry->d_name[end] == '\0')
			*ARRAY_APPEND(list, n) = number;
	}
	if (dir)
		closedir(dir);
	if (n)
		qsort(list, n, sizeof(*list), number_order);
	*ret = list;
	return n;
}

static char *generation_path(const struct state_dirs *dirs, uint32_t number)
{
	return xasprintf("%s/generations/%" PRIu32 ".json", dirs->state, number);
}

int generation_load(const struct state_dirs *dirs, uint32_t number, struct config_files *ret, int64_t *ret_when)
{
	_cleanup_free_ char *path = generation_path(dirs, number);
	_cleanup_json_ struct json_object *json = read_json(path);
	struct json_object *files = json ? json_object_object_get(json, "files") : NULL;

	if (!json_object_is_type(files, json_type_array))
		return -ENOENT;
	for (size_t i = 0; i < json_object_array_length(files); i++) {
		struct json_object *file = json_object_array_get_idx(files, i);
		struct json_object *text = json_object_object_get(file, "text");

		if (json_object_is_type(text, json_type_string))
			config_files_add(ret, json_object_get_string(json_object_object_get(file, "name")) ?: "?",
					 json_object_get_string(text), (size_t)json_object_get_string_len(text));
	}
	*ret_when = json_object_get_int64(json_object_object_get(json, "when"));
	return 0;
}

static int ensure_directory(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int64_t generation_store(const struct state_dirs *dirs, const struct config_files *files)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(dirs, &list);
	uint32_t number = n ? list[n - 1] + 1 : 1;
	_cleanup_free_ char *path = generation_path(dirs, number);
	_cleanup_free_ char *directory = xasprintf("%s/generations", dirs->state);
	_cleanup_json_ struct json_object *json = json_object_new_object();
	struct json_object *array = json_object_new_array();
	int r;

	json_object_object_add(json, "when", json_object_new_int64(time(NULL)));
	json_object_object_add(json, "files", array);
	for (size_t i = 0; i < files->n; i++) {
		struct json_object *file = json_object_new_object();

		json_object_object_add(file, "name", json_object_new_string(files->list[i].name));
		json_object_object_add(file, "text",
				       json_object_new_string_len(files->list[i].text, (int)files->list[i].len));
		json_object_array_add(array, file);
	}
	r = ensure_directory(directory);
	if (r == 0)
		r = write_file(path, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN), true);
	if (r < 0)
		return r;
	for (size_t i = 0; n >= GENERATIONS_KEPT && i <= n - GENERATIONS_KEPT; i++) {
		_cleanup_free_ char *old = generation_path(dirs, list[i]);

		unlink(old);
	}
	return number;
}
