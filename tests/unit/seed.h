/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: random() in tests. */
#pragma once

/* A group's setup: seeds random() with SEED of the environment, else with the time, and prints it. */
int seed_setup(void **state);
