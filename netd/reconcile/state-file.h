/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: how state is put into files: JSON, written beside and renamed, marked with where it belongs. Internal. */
#pragma once

#include <json-c/json.h>

#include "state.h"

static inline void put_json(struct json_object **json)
{
	json_object_put(*json);
}
#define _cleanup_json_ _cleanup_(put_json)

/* Which boot and network namespace this is: kernel state, and so the ledger, is of one of each. The caller frees it. */
char *place_of_birth(void);
/* Does the object's "of" say this place? */
bool is_born_here(struct json_object *json, const char *here);
/* file_write() of it. */
int write_json(const char *path, struct json_object *json, bool durable);

/*
 * State of this boot and namespace alone: RUNTIME_DIR/NAME.json says what, and of which. Writing takes the object over;
 * what is read is NULL where nothing of here was written, else the caller's to put.
 */
int runtime_write(const struct state_dirs *dirs, const char *name, struct json_object *what);
struct json_object *runtime_read(const struct state_dirs *dirs, const char *name);
void runtime_remove(const struct state_dirs *dirs, const char *name);

/* Of them: what a boot had to say that only an apply ends. */
#define BOOT_PROBLEM "boot-problem"

/* A string member, NULL: there is none. The caller frees it. */
char *json_string_of(struct json_object *json, const char *key);

/* Of each, the last so many are kept. */
#define GENERATIONS_KEPT 10

struct json_object *files_to_json(const struct config_files *files);
/* Adds to *ret; -EINVAL when it is no list of files. */
int json_to_files(struct json_object *json, struct config_files *ret);
