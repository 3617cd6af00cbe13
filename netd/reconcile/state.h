/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what outlives the process. In the runtime directory, for this boot and network namespace only: the ledger
 * and which generation is applied. In the state directory: the applied configurations ("generations").
 */
#pragma once

#include "../config/config.h"
#include "../model/ledger.h"

struct state_dirs {
	const char *config, *runtime, *state; /* borrowed */
};

/*
 * Reads the ledger of this boot and namespace. *ret_generation is the one applied then, 0 when there is none. Returns
 * 0, or -ENOENT when nothing was written in this boot: it is the first start of it.
 */
int state_load(const struct state_dirs *dirs, struct ledger *ret, uint32_t *ret_generation);
/*
 * Writes both. Called before and after every change of the kernel, so what changed since the last time is appended; now
 * and then, and the first time, the file is written anew. Negative errno when it cannot be written.
 */
int state_save(const struct state_dirs *dirs, struct ledger *l, uint32_t generation);

/* The numbers of the stored generations, newest last; the caller frees them. */
size_t generations_list(const struct state_dirs *dirs, uint32_t **ret);
/* Reads one. when: seconds since the epoch. -ENOENT when there is none. */
int generation_load(const struct state_dirs *dirs, uint32_t number, struct config_files *ret, int64_t *ret_when);
/*
 * Stores a new one (fsync, rename) after the newest, with the plan's lines and what came of it (both may be NULL),
 * drops all but the last ten, and returns its number or negative errno.
 */
int64_t generation_store(const struct state_dirs *dirs, const struct config_files *files, const char *plan,
			 const char *result);
/* The newest number; 0: there is none. */
uint32_t generation_newest(const struct state_dirs *dirs);
/* Removes those above that number. */
void generations_forget(const struct state_dirs *dirs, uint32_t newest);
/* Plan and result as stored, or NULL; the caller frees them. */
void generation_story(const struct state_dirs *dirs, uint32_t number, char **ret_plan, char **ret_result);

/* An apply that was undone or did not come about. */
struct undone {
	int64_t when; /* seconds since the epoch */
	char *why;    /* owned */
	char *plan;   /* owned; its lines, or NULL */
};
/* Remembers the last ten, oldest first. plan: may be NULL. */
void undone_note(const struct state_dirs *dirs, const char *why, const char *plan);
size_t undone_list(const struct state_dirs *dirs, struct undone **ret);
void undone_list_done(struct undone *list, size_t n);
