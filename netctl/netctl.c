/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the command line: verbs, options and help from two const tables.
 */
#include "netctl.h"

#include <getopt.h>
#include <limits.h>
#include <locale.h>

#include "../netd/config/suggest.h"

#define RUNTIME_DIR "/run/kvmnetd"
#define SOCKET_NAME "kvmnetd.sock"
#define WAIT_SECONDS 120
#define HOLD_SECONDS 3600

enum option_id {
	OPTION_JSON,
	OPTION_ALL,
	OPTION_CHECK,
	OPTION_PLAN,
	OPTION_FORCE,
	OPTION_CONFIRM,
	OPTION_MAX_IMPACT,
	OPTION_FOR,
	OPTION_TIMEOUT,
	OPTION_SOCKET,
	OPTION_RUNTIME_DIR,
	OPTION_NO_COLOR,
	OPTION_NO_PAGER,
	OPTION_HELP,
	OPTION_VERSION,
	_OPTIONS,
};

#define BIT(id) (1u << (id))
#define EVERY_VERB                                                                                                     \
	(BIT(OPTION_JSON) | BIT(OPTION_SOCKET) | BIT(OPTION_RUNTIME_DIR) | BIT(OPTION_NO_COLOR) |                      \
	 BIT(OPTION_NO_PAGER) | BIT(OPTION_HELP) | BIT(OPTION_VERSION))

/* clang-format off */
static const struct {
	const char *name, *argument, *help;
} option_table[_OPTIONS] = {
	[OPTION_JSON] = {"json", NULL, "print the daemon's replies as JSON, one document each"},
	[OPTION_ALL] = {"all", NULL, "also links that are neither declared nor belong to one that is"},
	[OPTION_CHECK] = {"check", NULL, "exit with 2 on drift, edits not applied, something missing, or a problem"},
	[OPTION_PLAN] = {"plan", "ID", "only if this still is the plan (netctl plan prints the id)"},
	[OPTION_FORCE] = {"force", NULL, "also if ports that are not kvmnetd's are cut off"},
	[OPTION_CONFIRM] = {"confirm", "SECONDS", "undo it after so long, unless netctl confirm is called before"},
	[OPTION_MAX_IMPACT] = {"max-impact", "IMPACT", "refuse if a step costs more than none, live, link-flap, link-gone, recreate"},
	[OPTION_FOR] = {"for", "TIME", "how long to hold: 90s, 10min, 2h (default 1h)"},
	[OPTION_TIMEOUT] = {"timeout", "SECONDS", "wait at most so long (default 120; 0: only look)"},
	[OPTION_SOCKET] = {"socket", "PATH", "where the daemon listens (default " RUNTIME_DIR "/" SOCKET_NAME ")"},
	[OPTION_RUNTIME_DIR] = {"runtime-dir", "DIR", "the same, as the daemon's directory"},
	[OPTION_NO_COLOR] = {"no-color", NULL, "no colours, also on a terminal (as with NO_COLOR set)"},
	[OPTION_NO_PAGER] = {"no-pager", NULL, "do not use a pager"},
	[OPTION_HELP] = {"help", NULL, "this, or with a verb what that does"},
	[OPTION_VERSION] = {"version", NULL, "the version"},
};

struct verb {
	const char *name, *arguments, *help, *more;
	size_t max_args;
	unsigned options; /* BIT() of those it has beyond EVERY_VERB */
	int (*run)(const struct options *o);
};

static const struct verb verbs[] = {
	{"status", "[LINK]", "the topology and what differs, or everything about one link",
	 "Shows links as a tree: ports below their bridge or bond, VLANs below their link or, when\n"
	 "bridged, below that bridge. Lines with ! tell what is not as declared.",
	 1, BIT(OPTION_ALL) | BIT(OPTION_CHECK), verb_status},
	{"check", "[DIR or FILE...]", "are the files right? needs no daemon and no root",
	 "Without arguments, checks /etc/kvmnetd. All that is wrong is told at once.\n"
	 "Exit status: 0 right, 1 not.",
	 SIZE_MAX, 0, verb_check},
	{"plan", "[DIR or FILE...]", "what apply would change, in its order, with its cost",
	 "Without arguments, plans the daemon's own directory.\n"
	 "Costs: none (nothing running is touched), live, link-flap, link-gone, recreate, guests-cut-off.\n"
	 "Exit status: 0 nothing to do, 2 changes to make, 1 the files have errors.",
	 SIZE_MAX, 0, verb_plan},
	{"apply", "", "make the kernel what the daemon's files say",
	 "Shows the plan, runs it, and reads the kernel again. If the kernel refuses, the state\n"
	 "before is put back. Exit status: 0 done, 1 error, 4 refused, 5 not permitted.",
	 0, BIT(OPTION_PLAN) | BIT(OPTION_FORCE) | BIT(OPTION_CONFIRM) | BIT(OPTION_MAX_IMPACT), verb_apply},
	{"confirm", "", "make what was applied with --confirm stay",
	 "From any login. Without it the change is undone when the time is over, also if the client\n"
	 "is gone or the daemon was killed meanwhile.",
	 0, 0, verb_confirm},
	{"rollback", "[GENERATION]", "undo what is not confirmed, or go back to an earlier configuration",
	 "Without an argument: undoes what waits for a confirmation, else goes back to the generation\n"
	 "before. The files stay as they are; a boot does not apply them before the next netctl apply.",
	 1, BIT(OPTION_FORCE), verb_rollback},
	{"history", "", "the last ten applied configurations and what each changed",
	 "Newest first. The number is what rollback takes.",
	 0, 0, verb_history},
	{"hold", "[LINK...]", "do not put differences back for a while: for work by hand",
	 "Without arguments, all links. A held link still shows what differs.",
	 SIZE_MAX, BIT(OPTION_FOR), verb_hold},
	{"release", "[LINK...]", "end a hold: differences are put back again",
	 "Without arguments, all holds.",
	 SIZE_MAX, 0, verb_release},
	{"leases", "", "the addresses that guests of networks have",
	 "Network, address, MAC, name, and until when.",
	 0, 0, verb_leases},
	{"wait", "[LINK...]", "wait until required links, or those named, are there",
	 "What a link must have is its `required` key: exists, carrier or address.\n"
	 "Exit status: 0 all there, 6 timed out; what is missing is named.",
	 SIZE_MAX, BIT(OPTION_TIMEOUT), verb_wait},
	{"monitor", "", "events as they happen",
	 "A line per event: link, drift, repair, apply, problem. Ends when interrupted.",
	 0, 0, verb_monitor},
};
/* clang-format on */

static void print_options(unsigned mask)
{
	for (unsigned i = 0; i < _OPTIONS; i++) {
		_cleanup_free_ char *name = NULL;

		if (!(mask & BIT(i)))
			continue;
		name = xasprintf("--%s%s%s", option_table[i].name, option_table[i].argument ? " " : "",
				 option_table[i].argument ? option_table[i].argument : "");
		printf("  %-20s %s\n", name, option_table[i].help);
	}
}

static int help(const struct verb *verb)
{
	if (verb) {
		printf("netctl %s [OPTION...]%s%s\n\n%s\n\nOptions:\n", verb->name, *verb->arguments ? " " : "",
		       verb->arguments, verb->more);
		print_options(verb->options);
		print_options(EVERY_VERB);
		return EXIT_OK;
	}
	puts("netctl [OPTION...] VERB [ARGUMENT...]\n\n"
	     "Asks kvmnetd about this host's network, and tells it to act.\n\nVerbs:");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		_cleanup_free_ char *left = xasprintf("%s %s", verbs[i].name, verbs[i].arguments);

		printf("  %-24s %s\n", left, verbs[i].help);
	}
	puts("\nOptions of every verb:");
	print_options(EVERY_VERB);
	puts("\nExit status: 0 done or in sync, 1 error, 2 changes pending or drift, 3 daemon not reachable,\n"
	     "4 refused (needs --force, or things have moved), 5 not permitted, 6 timed out, 64 usage.\n"
	     "See netctl(8).");
	return EXIT_OK;
}

static const struct verb *find_verb(const char *name)
{
	struct suggest suggest = SUGGEST(name);

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (streq(verbs[i].name, name))
			return &verbs[i];
		suggest_try(&suggest, verbs[i].name);
	}
	fprintf(stderr, "netctl: there is no verb '%s'", name);
	if (suggest.best)
		fprintf(stderr, "; did you mean '%s'?", suggest.best);
	fputs(" (netctl --help lists them)\n", stderr);
	return NULL;
}

int parse_number(const char *what, const char *text, int min, int max, int *ret)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || end == text || *end || number < min || number > max) {
		fprintf(stderr, "netctl: %s is a number from %d to %d, not '%s'\n", what, min, max, text);
		return -EINVAL;
	}
	*ret = (int)number;
	return 0;
}

static void set_socket(struct options *o, char *path)
{
	free(o->socket);
	o->socket = path;
}

static int take_option(struct options *o, unsigned id, const char *argument)
{
	switch ((enum option_id)id) {
	case OPTION_JSON:
		o->json = true;
		break;
	case OPTION_ALL:
		o->all = true;
		break;
	case OPTION_CHECK:
		o->check = true;
		break;
	case OPTION_PLAN:
		o->plan = argument;
		break;
	case OPTION_FORCE:
		o->force = true;
		break;
	case OPTION_TIMEOUT:
		return parse_number("--timeout (seconds)", argument, 0, INT_MAX / 1000, &o->timeout);
	case OPTION_CONFIRM:
		return parse_number("--confirm (seconds)", argument, 1, 86400, &o->confirm);
	case OPTION_FOR:
		return parse_time_option("--for", argument, 30 * 86400, &o->hold_for);
	case OPTION_MAX_IMPACT:
		return parse_impact(argument, &o->max_impact);
	case OPTION_SOCKET:
		set_socket(o, xstrdup(argument));
		break;
	case OPTION_RUNTIME_DIR:
		set_socket(o, xasprintf("%s/%s", argument, SOCKET_NAME));
		break;
	case OPTION_NO_COLOR:
		o->no_color = true;
		break;
	case OPTION_NO_PAGER:
		o->no_pager = true;
		break;
	case OPTION_HELP:
	case OPTION_VERSION:
	case _OPTIONS:
		break;
	}
	return 0;
}

/* Returns the options that were given, or 0 with a message: none is left out of the mask. */
static int parse_options(struct options *o, int argc, char **argv, unsigned *given)
{
	struct option long_options[_OPTIONS + 1] = {0};
	int id;

	for (unsigned i = 0; i < _OPTIONS; i++)
		long_options[i] = (struct option){
			.name = option_table[i].name,
			.has_arg = option_table[i].argument ? required_argument : no_argument,
			.val = (int)i + 1,
		};
	while ((id = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (id == '?')
			return -EINVAL;
		id = id == 'h' ? OPTION_HELP : id - 1;
		*given |= BIT(id);
		if (take_option(o, (unsigned)id, optarg) < 0)
			return -EINVAL;
	}
	return 0;
}

/* Whether the verb takes what it was given. */
static bool fits(const struct verb *verb, unsigned given, const struct options *o)
{
	unsigned extra = given & ~(verb->options | EVERY_VERB);

	for (unsigned i = 0; i < _OPTIONS; i++) {
		if (!(extra & BIT(i)))
			continue;
		fprintf(stderr, "netctl: %s has no option --%s\n", verb->name, option_table[i].name);
		return false;
	}
	/* `netctl release "$LINK"` without that variable is not `netctl release`. */
	for (size_t i = 0; i < o->n_args; i++) {
		if (o->args[i][0])
			continue;
		fprintf(stderr, "netctl: %s: argument %zu is empty\n", verb->name, i + 1);
		return false;
	}
	if (o->n_args <= verb->max_args)
		return true;
	fprintf(stderr, "netctl: %s takes %s\n", verb->name, verb->max_args ? "one argument" : "no arguments");
	return false;
}

static int run(struct options *o, int argc, char **argv)
{
	const struct verb *verb = NULL;
	unsigned given = 0;

	if (parse_options(o, argc, argv, &given) < 0)
		return EXIT_USAGE;
	if (given & BIT(OPTION_VERSION)) {
		puts("netctl (kvmnetd) " KVMNETD_VERSION);
		return EXIT_OK;
	}
	if (optind < argc) {
		verb = find_verb(argv[optind]);
		if (!verb)
			return EXIT_USAGE;
	}
	if (given & BIT(OPTION_HELP))
		return help(verb);
	if (!verb) {
		fputs("netctl: what shall it do? (netctl --help lists the verbs)\n", stderr);
		return EXIT_USAGE;
	}
	o->args = argv + optind + 1;
	o->n_args = (size_t)(argc - optind - 1);
	return fits(verb, given, o) ? verb->run(o) : EXIT_USAGE;
}

void netctl_end(int status)
{
	if ((fflush(stdout) == EOF || ferror(stdout)) && (status == EXIT_OK || status == EXIT_PENDING)) {
		perror("netctl: cannot write");
		status = EXIT_ERROR;
	}
	exit(status);
}

int main(int argc, char **argv)
{
	struct options o = {
		.socket = xstrdup(RUNTIME_DIR "/" SOCKET_NAME), .timeout = WAIT_SECONDS, .hold_for = HOLD_SECONDS};
	int status;

	setlocale(LC_CTYPE, "");
	setlocale(LC_TIME, "");
	status = run(&o, argc, argv);
	free(o.socket);
	netctl_end(status);
}
