/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: transaction.h, but for the way back, which is put-back.c. */
#include "transaction-internal.h"

#include "guests.h"

/*
 * A plan that is right leaves no difference; the kernel's own doings (an address that follows a port, a MAC made
 * random) may leave one that a second plan mends. What a third does not mend is not going to be mended.
 */
#define ROUNDS_MAX 3

/* How soon a state that could not be read is read again, and how often. */
#define READ_AGAIN_USEC (500ull * 1000)
#define READS_MAX 10

struct diff_input transaction_input(const struct transaction *t)
{
	return (struct diff_input){
		.effective = t->going_back ? &t->before : &t->wanted,
		.actual = kernel_actual(t->kernel),
		.ledger = t->ledger,
		.firewall = kernel_firewall(t->kernel),
	};
}

struct transaction *transaction_free(struct transaction *t)
{
	if (!t)
		return NULL;
	sd_event_source_disable_unref(t->turn);
	plan_done(&t->plan);
	names_done(&t->guests);
	effective_done(&t->wanted);
	effective_done(&t->before);
	keepsakes_done(&t->keepsakes);
	put_back_done(t);
	ledger_past_done(&t->ledger_before);
	for (size_t i = 0; i < t->outcome.n_differences; i++)
		free(t->outcome.differences[i]);
	free(t->outcome.differences);
	free(t->step);
	free(t->link);
	free(t->text);
	free(t->cut_off);
	free(t);
	return NULL;
}

static int on_turn(sd_event_source *s _unused_, void *userdata)
{
	struct transaction *t = userdata;

	t->turn = sd_event_source_disable_unref(t->turn);
	t->next(t);
	return 0;
}

/*
 * Reading back, planning and what follows a big change take a while each. Between two of them the loop turns, so that
 * clients are answered; a source that is made anew goes behind those that wait already.
 */
void transaction_in_next_turn(struct transaction *t, void (*next)(struct transaction *t))
{
	t->next = next;
	if (sd_event_add_defer(kernel_event(t->kernel), &t->turn, on_turn, t) < 0)
		next(t);
}

static int on_time(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	return on_turn(NULL, userdata);
}

/* Returns false when the loop cannot wait. */
bool transaction_in_a_while(struct transaction *t, uint64_t usec, void (*next)(struct transaction *t))
{
	t->next = next;
	return sd_event_add_time_relative(kernel_event(t->kernel), &t->turn, CLOCK_MONOTONIC, usec, 0, on_time, t) >= 0;
}

/* The first thing that goes wrong is what is told. */
static void note_error(struct transaction *t, int error, const char *what)
{
	if (t->outcome.error)
		return;
	t->outcome.error = error;
	t->text = xasprintf("%s: %s", what, strerror(-error));
}

static void tell_done(struct transaction *t)
{
	t->hooks->done(&t->outcome, t->userdata);
}

void transaction_finish(struct transaction *t)
{
	t->outcome.changed = t->changed;
	t->outcome.step = t->step;
	t->outcome.link = t->link;
	t->outcome.text = t->text;
	t->outcome.cut_off = t->cut_off;
	transaction_in_next_turn(t, tell_done);
}

int transaction_save(struct transaction *t)
{
	int r = t->hooks->save(t->userdata);

	if (r < 0)
		note_error(t, r, "the ledger could not be written");
	return r;
}

static void fail(struct transaction *t)
{
	if (!t->roll_back || !t->changed) {
		transaction_finish(t);
		return;
	}
	t->going_back = true;
	t->outcome.rolled_back = true;
	t->round = 0;
	t->plan_id[0] = '\0';
	put_back_begin(t);
}

static void note_refusal(struct transaction *t, const struct execute_result *result)
{
	const struct op *op = &t->plan.ops[result->failed];

	if (t->outcome.error)
		return;
	t->step = PRINT_TEXT(op_print, op);
	t->outcome.error = result->error;
	t->outcome.no_driver = result->no_driver;
	t->outcome.loc = op->loc;
	t->link = xstrdup(op->link->name);
	t->text = xstrdup(result->text ? result->text : strerror(-result->error));
}

static void note_stubborn(const struct difference *d, void *userdata)
{
	struct transaction *t = userdata;

	if (t->outcome.error)
		return;
	t->outcome.error = -EOPNOTSUPP;
	t->outcome.loc = d->loc;
	t->link = xstrdup(d->link);
	t->text = xasprintf("%s: %s: the kernel (%s) accepted %s without an error; it is %s", d->link, d->key,
			    kernel_release(t->kernel), d->declared, d->found);
}

/* The kernel took every message and still does not show what was asked for. */
static void fail_read_back(struct transaction *t)
{
	struct diff_input in = transaction_input(t);
	struct diff diff;

	diff_models(&in, &diff);
	for (size_t i = 0; i < diff.n; i++)
		diff_describe(&in, &diff.list[i], note_stubborn, t);
	diff_done(&diff);
	fail(t);
}

bool transaction_reads_again(struct transaction *t, int error, void (*next)(struct transaction *t))
{
	if (error < 0 && (t->going_back || t->reads++ < READS_MAX))
		return transaction_in_a_while(t, READ_AGAIN_USEC, next);
	t->reads = 0;
	return false;
}

static void read_back(struct transaction *t)
{
	int r = kernel_drain(t->kernel);

	if (transaction_reads_again(t, r, read_back))
		return;
	/* The state before went with that: of the plan, only what is ours and what it is to be may be looked at. */
	if (r == 0)
		ledger_note_made(t->ledger, &t->plan, kernel_actual(t->kernel));
	plan_done(&t->plan);
	if (r < 0 && !t->outcome.error) {
		note_error(t, r, "the state of the kernel could not be read back");
		t->outcome.unread = true;
	}
	transaction_in_next_turn(t, t->outcome.error && !t->going_back ? fail : transaction_start_round);
}

static void executed(struct execute_result *result, void *userdata)
{
	struct transaction *t = userdata;

	/* What was refused may be done by half, and of what had no answer nobody knows. */
	t->changed = true;
	if (result->error && !t->going_back)
		note_refusal(t, result);
	else if (result->error)
		put_back_note_refusal(t, result);
	read_back(t);
}

static void progressed(size_t done, size_t total, void *userdata)
{
	struct transaction *t = userdata;

	if (t->hooks->progress)
		t->hooks->progress(done, total, t->userdata);
}

/* What came in the meantime has had no round yet: they are counted anew. */
static void count_waiting(struct transaction *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->wanted.links.n_links; i++)
		n += t->wanted.links.links[i]->waits_for != NULL;
	if (n >= t->waiting)
		return;
	t->waiting = n;
	t->round = 0;
}

static void make_wanted(struct transaction *t)
{
	if (t->going_back)
		return;
	effective_done(&t->wanted);
	t->hooks->resolve(&t->wanted, t->userdata);
	if (t->hooks->filter)
		t->hooks->filter(&t->wanted, t->userdata);
	count_waiting(t);
	if (t->roll_back)
		ledger_keep(&t->ledger_before, t->ledger, t->wanted.scope.partial ? &t->wanted.scope.links : NULL);
}

/* Everything that a process which finds this change unfinished needs to know. */
static int note(struct transaction *t, const struct model *actual)
{
	int r;

	if (t->going_back) {
		/* Without it, the way back is still the better way. */
		if (ledger_note_return(t->ledger, &t->ledger_before, &t->plan))
			t->hooks->save(t->userdata);
		return 0;
	}
	r = kernel_keep(t->kernel, &t->plan, &t->keepsakes);
	if (r < 0) {
		note_error(t, r, "routes that this takes away could not be read");
		return r;
	}
	if (t->roll_back) {
		restore_extend(&t->before, actual, &t->plan);
		r = t->hooks->journal(&t->before, &t->ledger_before, &t->keepsakes, t->userdata);
	}
	if (r < 0) {
		note_error(t, r, "the journal could not be written");
		return r;
	}
	ledger_note_plan(t->ledger, &t->plan, actual);
	return transaction_save(t);
}

static bool spares(const struct transaction *t)
{
	return !t->going_back && t->hooks->spare && t->hooks->spare(t->userdata);
}

/* Does the plan cut off what it has to spare? Then it fails. */
static bool is_too_much(struct transaction *t, const struct diff_input *in)
{
	_cleanup_free_ char *who = spares(t) ? guests_cut(in, &t->plan) : NULL;

	if (!who)
		return false;
	plan_done(&t->plan);
	t->outcome.error = -EBUSY;
	t->text = xasprintf("this would now cut off %s", who);
	fail(t);
	return true;
}

static void note_guests(struct transaction *t)
{
	for (size_t i = 0; i < t->plan.n; i++)
		if (t->plan.ops[i].link->foreign)
			names_add(&t->guests, t->plan.ops[i].link->name);
}

/*
 * Guests that start by the hundred bring something new to each round. What is left to be done for those that no round
 * was about is no failure, and nothing to wait for: their events lead to a look of its own.
 */
static bool is_about_latecomers(const struct transaction *t)
{
	for (size_t i = 0; i < t->plan.n; i++)
		if (!t->plan.ops[i].link->foreign || names_has(&t->guests, t->plan.ops[i].link->name))
			return false;
	return true;
}

/* What has been planned against ACTUAL, which is still as it was then. */
static void carry_out(struct transaction *t)
{
	int r;

	kernel_number(t->kernel, &t->plan);
	r = note(t, kernel_actual(t->kernel));
	for (size_t i = 0; t->hooks->step && i < t->plan.n; i++)
		t->hooks->step(&t->plan.ops[i], t->userdata);
	kernel_hold(t->kernel, false);
	if (r == 0)
		r = kernel_execute(t->kernel, &t->plan, spares(t), progressed, executed, t);
	if (r >= 0)
		return;
	note_error(t, r, "not begun");
	if (t->going_back)
		put_back_finish(t);
	else
		fail(t);
}

void transaction_start_round(struct transaction *t)
{
	struct diff_input in;
	char id[17];

	if (t->roll_back || t->going_back)
		kernel_order_addresses(t->kernel);
	t->hooks->look(t->userdata);
	make_wanted(t);
	in = transaction_input(t);
	if (t->changed && !t->going_back)
		ledger_settle(t->ledger, &t->wanted, in.actual);
	if (!t->going_back && ledger_adopt(t->ledger, &t->wanted, in.actual) && transaction_save(t) < 0) {
		fail(t);
		return;
	}
	plan_make(&in, &t->plan);
	if (t->going_back)
		put_back_leave_out(t);
	if (t->plan.n == 0) {
		put_back_others(t);
		return;
	}
	if (is_too_much(t, &in))
		return;
	plan_id(&t->plan, id);
	if (t->round++ >= (t->going_back ? 2 * ROUNDS_MAX : ROUNDS_MAX) ||
	    (streq(id, t->plan_id) && !(t->going_back && t->refused.op && !t->again))) {
		bool done = t->going_back || is_about_latecomers(t);

		plan_done(&t->plan);
		if (done)
			put_back_others(t);
		else
			fail_read_back(t);
		return;
	}
	note_guests(t);
	if (t->going_back)
		put_back_note_guests(t, &in);
	memcpy(t->plan_id, id, sizeof(id));
	kernel_hold(t->kernel, true);
	transaction_in_next_turn(t, carry_out);
}

static void first_round(struct transaction *t)
{
	int r;

	kernel_hold(t->kernel, false);
	if (t->going_back) {
		put_back_begin(t);
		return;
	}
	r = kernel_drain(t->kernel);
	if (transaction_reads_again(t, r, first_round))
		return;
	if (r < 0) {
		note_error(t, r, "the state of the kernel could not be read");
		t->outcome.unread = true;
		transaction_finish(t);
		return;
	}
	if (t->roll_back)
		t->hooks->before(&t->before, t->userdata);
	transaction_start_round(t);
}

static void begin(struct transaction *t)
{
	if (t->hooks->begin)
		t->hooks->begin(t->userdata);
	transaction_in_next_turn(t, first_round);
}

static struct transaction *transaction_new(struct kernel *k, struct ledger *ledger,
					   const struct transaction_hooks *hooks, void *userdata)
{
	struct transaction *t = xcalloc(1, sizeof(*t));

	t->kernel = k;
	t->ledger = ledger;
	t->hooks = hooks;
	t->userdata = userdata;
	t->waiting = SIZE_MAX;
	kernel_hold(k, true);
	transaction_in_next_turn(t, begin);
	return t;
}

struct transaction *transaction_start_back(struct kernel *k, struct ledger *ledger, struct effective *before,
					   struct ledger_past *ledger_before, struct keepsakes *keepsakes,
					   const struct transaction_hooks *hooks, void *userdata)
{
	struct transaction *t = transaction_new(k, ledger, hooks, userdata);

	t->before = *before;
	t->ledger_before = *ledger_before;
	*before = EFFECTIVE_NULL;
	*ledger_before = LEDGER_PAST_NULL;
	t->keepsakes = *keepsakes;
	*keepsakes = (struct keepsakes){0};
	t->going_back = true;
	t->outcome.rolled_back = true;
	return t;
}

struct transaction *transaction_start(struct kernel *k, struct ledger *ledger, bool roll_back,
				      const struct transaction_hooks *hooks, void *userdata)
{
	struct transaction *t = transaction_new(k, ledger, hooks, userdata);

	t->roll_back = roll_back;
	return t;
}
