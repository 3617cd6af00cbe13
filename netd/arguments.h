/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the daemon's command line. Apart from main.c because getopt.h has a `struct option`, too. Leaf. */
#pragma once

#include <stdbool.h>

struct arguments {
	const char *config_dir, *runtime_dir, *state_dir; /* point into argv or to the defaults */
	const char *socket;				  /* NULL: kvmnetd.sock in runtime_dir */
	const char *lib_dir;				  /* scripts of ours */
	bool verbose;
};

/* Returns 0 to go on, 1 when it answered --help or --version, -1 on wrong usage (said on stderr). */
int arguments_parse(int argc, char **argv, struct arguments *ret);
