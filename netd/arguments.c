/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: arguments.h. */
#include "arguments.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
	"Usage: kvmnetd [OPTIONS]\n"
	"Keeps a host's bonds, bridges and VLANs as its configuration says.\n"
	"\n"
	"  --config-dir DIR   configuration, every *.ini in it   (/etc/kvmnetd)\n"
	"  --runtime-dir DIR  socket and state of this boot      (/run/kvmnetd)\n"
	"  --state-dir DIR    applied configurations             (/var/lib/kvmnetd)\n"
	"  --lib-dir DIR      its own scripts                    (" KVMNETD_LIBDIR ")\n"
	"  --socket PATH      where netctl finds it              (RUNTIME_DIR/kvmnetd.sock)\n"
	"  --verbose          log every step\n"
	"  --help, --version\n"
	"\n"
	"SIGHUP applies the configuration; SIGTERM ends the daemon and leaves the network as it is.\n"
	"See kvmnetd(8), kvmnetd.ini(5).\n";

/* clang-format off */
static const struct option options[] = {
	{"config-dir",  required_argument, NULL, 'c'},
	{"runtime-dir", required_argument, NULL, 'r'},
	{"state-dir",   required_argument, NULL, 's'},
	{"lib-dir",     required_argument, NULL, 'l'},
	{"socket",      required_argument, NULL, 'S'},
	{"verbose",     no_argument,       NULL, 'v'},
	{"help",        no_argument,       NULL, 'h'},
	{"version",     no_argument,       NULL, 'V'},
	{NULL, 0, NULL, 0},
};
/* clang-format on */

/* One option; returns as arguments_parse(). */
static int take(int c, struct arguments *a)
{
	switch (c) {
	case 'c':
		a->config_dir = optarg;
		return 0;
	case 'r':
		a->runtime_dir = optarg;
		return 0;
	case 's':
		a->state_dir = optarg;
		return 0;
	case 'l':
		a->lib_dir = optarg;
		return 0;
	case 'S':
		a->socket = optarg;
		return 0;
	case 'v':
		a->verbose = true;
		return 0;
	case 'h':
		fputs(usage, stdout);
		return 1;
	case 'V':
		puts("kvmnetd " KVMNETD_VERSION);
		return 1;
	default:
		fputs("Try 'kvmnetd --help'.\n", stderr);
		return -1;
	}
}

int arguments_parse(int argc, char **argv, struct arguments *ret)
{
	struct arguments a = {.config_dir = "/etc/kvmnetd",
			      .runtime_dir = "/run/kvmnetd",
			      .state_dir = "/var/lib/kvmnetd",
			      .lib_dir = KVMNETD_LIBDIR};
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		r = take(c, &a);
		if (r != 0)
			return r;
	}
	if (optind < argc) {
		fprintf(stderr, "kvmnetd: unexpected argument '%s'\nTry 'kvmnetd --help'.\n", argv[optind]);
		return -1;
	}
	*ret = a;
	return 0;
}
