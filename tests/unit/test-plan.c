/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: every plan of tests/golden/plan, word for word. NAME.ini is what is declared, NAME.before.ini what is there
 * (world.h says how it is written; without it, nothing is), NAME.plan the plan: impact, "+" where the op must follow
 * the one before in the same send, "|" where it must not, the op, and why. Beyond the text, each plan is executed on
 * the fake kernel: no op is refused, the plan after it is empty, and from every point in it the way back ends in the
 * state before. After a change that is meant: UPDATE=1 writes the .plan files; read the diff. With an argument, the
 * cases of that pattern.
 */
#include "golden.h"
#include "world.h"

#include <dirent.h>
#include <setjmp.h>

#include <cmocka.h>

#define GOLDEN "tests/golden/plan"
#define RUN_MAX 512

static void print_step(const struct step *s, FILE *f)
{
	_cleanup_free_ char *text = plan_text(&s->plan);

	for (size_t i = 0; i < s->effective.problems.n; i++) {
		diag_print(&s->effective.problems.list[i], f);
		fputc('\n', f);
	}
	for (size_t i = 0; i < s->effective.links.n_links; i++) {
		const struct link *want = s->effective.links.links[i];

		if (want->waits_for && !s->effective.problems.n)
			fprintf(f, "%s waits for %s\n", want->name, want->waits_for);
	}
	fputs(*text ? text : "nothing to do\n", f);
}

/* Executes n ops of the first plan in a world of its own, and goes back. */
static void try_back(const char *before_text, const struct config *c, size_t n, FILE *f)
{
	_cleanup_free_ char *from = xasprintf("after %zu ops", n);
	struct effective back = EFFECTIVE_NULL;
	struct model before;
	struct world w;
	struct step s;
	int error;

	world_make(&w, before_text);
	before = fake_dump(&w.kernel);
	world_look(&w);
	step_make(&w, c, &s);
	ledger_note_plan(&w.ledger, &s.plan, w.dump);
	restore_extend(&back, w.dump, &s.plan);
	world_execute(&w, &s.plan, n, &error);
	step_done(&s);
	world_go_back(&w, &back, &before, from, f);
	effective_done(&back);
	model_done(&before);
	world_done(&w);
}

/* The plan in words; executed, it is refused nowhere and leaves nothing to do. */
static size_t try_plan(struct world *w, const struct config *c, FILE *f)
{
	struct step s;
	size_t n;

	world_look(w);
	step_make(w, c, &s);
	print_step(&s, f);
	n = s.plan.n;
	step_done(&s);
	if (w->stop == SIZE_MAX)
		world_apply(w, c, 1);
	return n;
}

static void test_golden(void **state)
{
	_cleanup_free_ char *ini = xasprintf(GOLDEN "/%s.ini", (char *)*state);
	_cleanup_free_ char *before_path = xasprintf(GOLDEN "/%s.before.ini", (char *)*state);
	_cleanup_free_ char *path = xasprintf(GOLDEN "/%s.plan", (char *)*state);
	_cleanup_free_ char *desired = golden_read(ini), *before = golden_read(before_path);
	_cleanup_free_ char *text = NULL;
	struct config *c = world_config(desired);
	struct world w;
	size_t n, stop, len;
	FILE *f = xmemstream(&text, &len);

	world_make(&w, before);
	stop = w.stop;
	n = try_plan(&w, c, f);
	world_done(&w);
	if (stop != SIZE_MAX)
		try_back(before, c, stop, f);
	fclose(f);
	golden_compare(path, text);
	for (size_t i = 1; i <= n; i++)
		try_back(before, c, i, NULL);
	config_free(c);
}

static int is_case(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && streq(entry->d_name + len - 4, ".ini") && !strstr(entry->d_name, ".before.ini");
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[RUN_MAX] = {0};
	struct dirent **entries;
	int n = scandir(GOLDEN, &entries, is_case, alphasort), r;

	if (n <= 0 || n > RUN_MAX) {
		print_error("run from the top of the source tree, where " GOLDEN " is\n");
		return 1;
	}
	for (int i = 0; i < n; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - 4] = '\0';
		tests[i] = (struct CMUnitTest){
			.name = entries[i]->d_name,
			.test_func = test_golden,
			.initial_state = entries[i]->d_name,
		};
	}
	cmocka_set_test_filter(argc > 1 ? argv[1] : NULL);
	r = _cmocka_run_group_tests("plan golden", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return r;
}
