/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: state-file.h. */
#include "state-file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../file.h"

char *place_of_birth(void)
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

bool is_born_here(struct json_object *json, const char *here)
{
	struct json_object *of =
		json_object_is_type(json, json_type_object) ? json_object_object_get(json, "of") : NULL;

	return json_object_is_type(of, json_type_string) && streq(json_object_get_string(of), here);
}

int write_json(const char *path, struct json_object *json, bool durable)
{
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);

	return file_write(path, text, strlen(text), 0600, durable);
}

static char *runtime_path(const struct state_dirs *dirs, const char *name)
{
	return xasprintf("%s/%s.json", dirs->runtime, name);
}

int runtime_write(const struct state_dirs *dirs, const char *name, struct json_object *what)
{
	_cleanup_free_ char *path = runtime_path(dirs, name), *here = place_of_birth();
	_cleanup_json_ struct json_object *json = json_object_new_object();

	json_object_object_add(json, "of", json_object_new_string(here));
	json_object_object_add(json, name, what);
	return write_json(path, json, false);
}

struct json_object *runtime_read(const struct state_dirs *dirs, const char *name)
{
	_cleanup_free_ char *path = runtime_path(dirs, name), *here = place_of_birth();
	_cleanup_json_ struct json_object *json = json_object_from_file(path);

	return is_born_here(json, here) ? json_object_get(json_object_object_get(json, name)) : NULL;
}

void runtime_remove(const struct state_dirs *dirs, const char *name)
{
	_cleanup_free_ char *path = runtime_path(dirs, name);

	unlink(path);
}

struct json_object *files_to_json(const struct config_files *files)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < files->n; i++) {
		struct json_object *file = json_object_new_object();

		json_object_object_add(file, "name", json_object_new_string(files->list[i].name));
		json_object_object_add(file, "text",
				       json_object_new_string_len(files->list[i].text, (int)files->list[i].len));
		json_object_array_add(array, file);
	}
	return array;
}

int json_to_files(struct json_object *json, struct config_files *ret)
{
	if (!json_object_is_type(json, json_type_array))
		return -EINVAL;
	for (size_t i = 0; i < json_object_array_length(json); i++) {
		struct json_object *file = json_object_array_get_idx(json, i);
		struct json_object *text = json_object_object_get(file, "text");

		if (json_object_is_type(text, json_type_string))
			config_files_add(ret, json_object_get_string(json_object_object_get(file, "name")) ?: "?",
					 json_object_get_string(text), (size_t)json_object_get_string_len(text));
	}
	return 0;
}

char *json_string_of(struct json_object *json, const char *key)
{
	struct json_object *text = json ? json_object_object_get(json, key) : NULL;

	return json_object_is_type(text, json_type_string) ? xstrdup(json_object_get_string(text)) : NULL;
}
