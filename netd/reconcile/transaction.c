/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: transaction.h. */
#include "transaction.h"

#include "guests.h"

/*
 * A plan that is right leaves no difference; the kernel's own doings (an address that follows a port, a MAC made
 * random) may leave one that a second plan mends. What a third does not mend is not going to be mended.
 */
#define ROUNDS_MAX 3

/* On the way back, what the kernel refuses twice is left out, so that it does not keep the rest from coming back. */
#define LEFT_OUT_MAX 16

/* How long what waits for a carrier is tried again, and how often. */
#define CARRIER_USEC (100ull * 1000)
#define CARRIER_WAITS 30

/* How soon a state that could not be read is read again on the way back. */
#define READ_AGAIN_USEC (500ull * 1000)

struct refusal {
	char *op, *why; /* owned, in words */
};

struct transaction {
	struct kernel *kernel;
	struct ledger *ledger;
	struct ledger_past ledger_before;
	bool roll_back, going_back, changed;
	unsigned round;
	const struct transaction_hooks *hooks;
	void *userdata;
	sd_event_source *turn; /* the next phase waits for its turn of the loop */
	void (*next)(struct transaction *t);

	struct effective wanted;
	struct plan plan;
	char plan_id[17];	 /* of the last round, to see that a round changed nothing */
	struct effective before; /* the way back */
	char **lost;		 /* owned: what of the keepsakes the kernel refused */
	size_t n_lost;
	unsigned carrier_waits;
	struct keepsakes keepsakes; /* what of others the plan takes away along with it */
	struct refusal refused;	    /* of the way back, the last one; again: for the second time */
	bool again;
	struct refusal left_out[LEFT_OUT_MAX];
	size_t n_left_out;

	struct outcome outcome;
	char *step, *link, *text; /* what the outcome points to */
};

static void start_round(struct transaction *t);
static void forget_lost(struct transaction *t);

static void refusal_done(struct refusal *r)
{
	free(r->op);
	free(r->why);
	*r = (struct refusal){0};
}

static struct diff_input input_of(const struct transaction *t)
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
	effective_done(&t->wanted);
	effective_done(&t->before);
	keepsakes_done(&t->keepsakes);
	forget_lost(t);
	ledger_past_done(&t->ledger_before);
	for (size_t i = 0; i < t->outcome.n_differences; i++)
		free(t->outcome.differences[i]);
	free(t->outcome.differences);
	for (size_t i = 0; i < t->n_left_out; i++)
		refusal_done(&t->left_out[i]);
	refusal_done(&t->refused);
	free(t->step);
	free(t->link);
	free(t->text);
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
static void in_next_turn(struct transaction *t, void (*next)(struct transaction *t))
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
static bool in_a_while(struct transaction *t, uint64_t usec, void (*next)(struct transaction *t))
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

static void finish(struct transaction *t)
{
	t->outcome.changed = t->changed;
	t->outcome.step = t->step;
	t->outcome.link = t->link;
	t->outcome.text = t->text;
	in_next_turn(t, tell_done);
}

static int save(struct transaction *t)
{
	int r = t->hooks->save(t->userdata);

	if (r < 0)
		note_error(t, r, "the ledger could not be written");
	return r;
}

static void add_difference(const struct difference *d, void *userdata)
{
	struct transaction *t = userdata;

	*ARRAY_APPEND(t->outcome.differences, t->outcome.n_differences) =
		xasprintf("%s: %s is %s, was %s", d->link, d->key, d->found, d->declared);
}

static void add_lost(const char *what, const char *why, void *userdata)
{
	struct transaction *t = userdata;

	*ARRAY_APPEND(t->lost, t->n_lost) = xasprintf("%s: %s", what, why);
}

static void forget_lost(struct transaction *t)
{
	for (size_t i = 0; i < t->n_lost; i++)
		free(t->lost[i]);
	free(t->lost);
	t->lost = NULL;
	t->n_lost = 0;
}

static void finish_all(struct transaction *t);

/* What others had there is put back last. Some of it waits for a carrier, which comes a little after the link. */
static void put_back(struct transaction *t)
{
	forget_lost(t);
	if (!kernel_put_back(t->kernel, &t->keepsakes, t->going_back, add_lost, t) ||
	    t->carrier_waits++ >= CARRIER_WAITS || !in_a_while(t, CARRIER_USEC, put_back))
		finish_all(t);
}

/* The way back has ended: says honestly what it reached. */
static void finish_going_back(struct transaction *t)
{
	struct diff_input in = input_of(t);
	struct diff diff;

	for (size_t i = 0; i < t->n_lost; i++)
		*ARRAY_APPEND(t->outcome.differences, t->outcome.n_differences) = TAKE_PTR(t->lost[i]);
	diff_models(&in, &diff);
	for (size_t i = 0; i < diff.n; i++)
		diff_describe(&in, &diff.list[i], add_difference, t);
	/* Why, in the kernel's words; what was refused and is as before all the same needs no word. */
	for (size_t i = 0; i < t->n_left_out && diff.n; i++)
		*ARRAY_APPEND(t->outcome.differences, t->outcome.n_differences) =
			xasprintf("%s: %s", t->left_out[i].op, t->left_out[i].why);
	diff_done(&diff);
	t->outcome.restored = t->outcome.n_differences == 0;
	/* What was noted for the change is forgotten, what was there before it is remembered as it was. */
	ledger_follow(&t->ledger_before, t->ledger, in.actual);
	ledger_put_back(&t->ledger_before, t->ledger);
	save(t);
	finish(t);
}

static void finish_all(struct transaction *t)
{
	if (t->going_back)
		finish_going_back(t);
	else
		finish(t);
}

/*
 * The way back is planned from what the kernel shows, and from nothing else: what an older picture of it calls restored
 * may be half a change that nobody owns any more. So it waits for a whole one, however long that takes.
 */
static void look_back(struct transaction *t)
{
	if (kernel_drain(t->kernel) >= 0 || !in_a_while(t, READ_AGAIN_USEC, look_back))
		start_round(t);
}

static void fail(struct transaction *t)
{
	if (!t->roll_back || !t->changed) {
		finish(t);
		return;
	}
	t->going_back = true;
	t->outcome.rolled_back = true;
	t->round = 0;
	t->plan_id[0] = '\0';
	look_back(t);
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
	struct diff_input in = input_of(t);
	struct diff diff;

	diff_models(&in, &diff);
	for (size_t i = 0; i < diff.n; i++)
		diff_describe(&in, &diff.list[i], note_stubborn, t);
	diff_done(&diff);
	fail(t);
}

static void note_refusal_of_return(struct transaction *t, const struct execute_result *result)
{
	_cleanup_free_ char *text = PRINT_TEXT(op_print, &t->plan.ops[result->failed]);

	t->again = t->refused.op && streq(t->refused.op, text);
	refusal_done(&t->refused);
	t->refused.op = TAKE_PTR(text);
	t->refused.why = xstrdup(result->text ? result->text : strerror(-result->error));
}

static bool is_left_out(const struct transaction *t, const struct op *op)
{
	_cleanup_free_ char *text = PRINT_TEXT(op_print, op);

	for (size_t i = 0; i < t->n_left_out; i++)
		if (streq(t->left_out[i].op, text))
			return true;
	return false;
}

/* Takes what was refused twice out of the plan of the way back. */
static void leave_out_refused(struct transaction *t)
{
	size_t kept = 0;

	if (t->again && t->n_left_out < LEFT_OUT_MAX) {
		t->left_out[t->n_left_out++] = t->refused;
		t->refused = (struct refusal){0};
		t->again = false;
		t->plan_id[0] = '\0';
		t->round = 0;
	}
	for (size_t i = 0; t->n_left_out && i < t->plan.n; i++) {
		struct op *op = &t->plan.ops[i];

		if (!is_left_out(t, op)) {
			t->plan.ops[kept++] = *op;
			continue;
		}
		op_done(op);
	}
	if (t->n_left_out)
		t->plan.n = kept;
}

static void executed(struct execute_result *result, void *userdata)
{
	struct transaction *t = userdata;
	int r;

	/* What was refused may be done by half, and of what had no answer nobody knows. */
	t->changed = true;
	if (result->error && !t->going_back)
		note_refusal(t, result);
	else if (result->error)
		note_refusal_of_return(t, result);
	r = kernel_drain(t->kernel);
	/* The state before went with that: of the plan, only what is ours and what it is to be may be looked at. */
	if (r == 0)
		ledger_note_made(t->ledger, &t->plan, kernel_actual(t->kernel));
	plan_done(&t->plan);
	if (r < 0)
		note_error(t, r, "the state of the kernel could not be read back");
	if (t->going_back)
		in_next_turn(t, r < 0 ? look_back : start_round);
	else
		in_next_turn(t, t->outcome.error ? fail : start_round);
}

static void progressed(size_t done, size_t total, void *userdata)
{
	struct transaction *t = userdata;

	if (t->hooks->progress)
		t->hooks->progress(done, total, t->userdata);
}

static void make_wanted(struct transaction *t)
{
	if (t->going_back)
		return;
	effective_done(&t->wanted);
	t->hooks->resolve(&t->wanted, t->userdata);
	if (t->hooks->filter)
		t->hooks->filter(&t->wanted, t->userdata);
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
	return save(t);
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
		finish_going_back(t);
	else
		fail(t);
}

static void start_round(struct transaction *t)
{
	struct diff_input in;
	char id[17];

	if (t->roll_back || t->going_back)
		kernel_order_addresses(t->kernel);
	t->hooks->look(t->userdata);
	make_wanted(t);
	in = input_of(t);
	if (t->changed && !t->going_back)
		ledger_settle(t->ledger, &t->wanted, in.actual);
	if (!t->going_back && ledger_adopt(t->ledger, &t->wanted, in.actual) && save(t) < 0) {
		fail(t);
		return;
	}
	plan_make(&in, &t->plan);
	if (t->going_back)
		leave_out_refused(t);
	if (t->plan.n == 0) {
		put_back(t);
		return;
	}
	if (is_too_much(t, &in))
		return;
	plan_id(&t->plan, id);
	if (t->round++ >= (t->going_back ? 2 * ROUNDS_MAX : ROUNDS_MAX) ||
	    (streq(id, t->plan_id) && !(t->going_back && t->refused.op && !t->again))) {
		plan_done(&t->plan);
		if (t->going_back)
			put_back(t);
		else
			fail_read_back(t);
		return;
	}
	memcpy(t->plan_id, id, sizeof(id));
	kernel_hold(t->kernel, true);
	in_next_turn(t, carry_out);
}

static void first_round(struct transaction *t)
{
	int r;

	kernel_hold(t->kernel, false);
	if (t->going_back) {
		look_back(t);
		return;
	}
	r = kernel_drain(t->kernel);
	if (r < 0) {
		note_error(t, r, "the state of the kernel could not be read");
		t->outcome.unread = true;
		finish(t);
		return;
	}
	if (t->roll_back)
		t->hooks->before(&t->before, t->userdata);
	start_round(t);
}

static void begin(struct transaction *t)
{
	if (t->hooks->begin)
		t->hooks->begin(t->userdata);
	in_next_turn(t, first_round);
}

static struct transaction *transaction_new(struct kernel *k, struct ledger *ledger,
					   const struct transaction_hooks *hooks, void *userdata)
{
	struct transaction *t = xcalloc(1, sizeof(*t));

	t->kernel = k;
	t->ledger = ledger;
	t->hooks = hooks;
	t->userdata = userdata;
	kernel_hold(k, true);
	in_next_turn(t, begin);
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
