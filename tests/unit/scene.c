/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: scene.h. */
#include "scene.h"

struct scene *scene_new(const char *before, const char *desired)
{
	struct scene *scene = xcalloc(1, sizeof(*scene));

	world_make(&scene->w, before);
	scene->c = world_config(desired);
	world_look(&scene->w);
	step_make(&scene->w, scene->c, &scene->s);
	return scene;
}

void scene_free(struct scene **scene)
{
	step_done(&(*scene)->s);
	config_free((*scene)->c);
	world_done(&(*scene)->w);
	free(*scene);
}

const struct link *wanted(const struct scene *scene, const char *name)
{
	const struct link *l = model_find(&scene->s.effective.links, name);

	if (!l)
		fail_msg("%s is not wanted", name);
	return l;
}

uint64_t wanted_mac(const struct scene *scene, const char *name)
{
	return values_num(wanted(scene, name)->common, LINK_MAC, 0);
}

void scene_apply(struct scene *scene, const char *desired)
{
	step_done(&scene->s);
	config_free(scene->c);
	scene->c = world_config(desired);
	world_apply(&scene->w, scene->c, 1);
	world_look(&scene->w);
	step_make(&scene->w, scene->c, &scene->s);
}
