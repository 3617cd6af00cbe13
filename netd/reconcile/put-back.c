/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the end of a transaction: what others had and the change took along is put back, and on the way back all is
 * made what it was, or told what is not.
 */
#include "transaction-internal.h"

/*
 * How long what waits for a carrier is tried again, and how often. It was there when the change began. The kernel tells
 * carriers of 100 links a second (net/core/link_watch.c), and some other program may bring up a thousand.
 */
#define CARRIER_USEC (100ull * 1000)
#define CARRIER_WAITS 150

static void refusal_done(struct refusal *r)
{
	free(r->op);
	free(r->why);
	*r = (struct refusal){0};
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

static void forget_lost(struct transaction *t, size_t but)
{
	while (t->n_lost > but)
		free(t->lost[--t->n_lost]);
}

void put_back_done(struct transaction *t)
{
	forget_lost(t, 0);
	free(t->lost);
	guests_done(&t->cut);
	for (size_t i = 0; i < t->n_left_out; i++)
		refusal_done(&t->left_out[i]);
	refusal_done(&t->refused);
}

void put_back_note_guests(struct transaction *t, const struct diff_input *in)
{
	if (!t->cut.n)
		guests_find(in, &t->plan, &t->cut);
}

/* What came onto a bridge that goes again. Of what a bridge that is made anew loses, the plan puts everything back. */
static void tell_cut_off(struct transaction *t, const struct model *actual)
{
	for (size_t i = 0; i < t->cut.n; i++) {
		const struct link *port = model_find(actual, t->cut.list[i].port);
		_cleanup_free_ char *before = NULL, *one = NULL;

		if (!port || model_master(actual, port))
			continue;
		before = t->cut_off;
		one = guest_text(&t->cut.list[i]);
		t->cut_off = xasprintf("%s%s%s", before ? before : "", before ? ", " : "", one);
	}
}

void put_back_finish(struct transaction *t)
{
	struct diff_input in = transaction_input(t);
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
	tell_cut_off(t, in.actual);
	/* What was noted for the change is forgotten, what was there before it is remembered as it was. */
	ledger_follow(&t->ledger_before, t->ledger, in.actual);
	ledger_put_back(&t->ledger_before, t->ledger);
	transaction_save(t);
	transaction_finish(t);
}

static void finish_all(struct transaction *t)
{
	if (t->going_back)
		put_back_finish(t);
	else
		transaction_finish(t);
}

/* Some of it waits for a carrier, which comes a little after the link. */
static void put_back_waiting(struct transaction *t)
{
	forget_lost(t, t->n_lost_for_good);
	if (!kernel_put_back(t->kernel, &t->keepsakes, true, t->going_back, add_lost, t) ||
	    t->carrier_waits++ >= CARRIER_WAITS || !transaction_in_a_while(t, CARRIER_USEC, put_back_waiting))
		finish_all(t);
}

/* What others had there is put back last. */
void put_back_others(struct transaction *t)
{
	forget_lost(t, 0);
	kernel_put_back(t->kernel, &t->keepsakes, false, t->going_back, add_lost, t);
	t->n_lost_for_good = t->n_lost;
	put_back_waiting(t);
}

/*
 * The way back is planned from what the kernel shows, and from nothing else: what an older picture of it calls restored
 * may be half a change that nobody owns any more. So it waits for a whole one, however long that takes.
 */
void put_back_begin(struct transaction *t)
{
	if (!transaction_reads_again(t, kernel_drain(t->kernel), put_back_begin))
		transaction_start_round(t);
}

void put_back_note_refusal(struct transaction *t, const struct execute_result *result)
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

void put_back_leave_out(struct transaction *t)
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
