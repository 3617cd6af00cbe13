/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: executes a plan (kernel.h), one send at a time: put together here, sent by a thread (batch.h), its results
 * taken in here again. pace.h says how much a send carries.
 *
 * Of deletions two sends are under way: the end of each waits for RCU without the rtnl lock (net/core/dev.c,
 * netdev_run_todo), and meanwhile the other one has it. Which of two comes first does not matter: a plan deletes what
 * stands on a link before it, but a link whose parent went first is gone as it should be.
 */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "batch.h"
#include "encode.h"
#include "kernel-internal.h"

struct execution {
	struct kernel *k;
	const struct plan *plan; /* with what is to be released */
	struct release release;
	kernel_progress_fn *progress;
	kernel_done_fn *done;
	void *userdata;
	bool spare;
	sd_event_source *source;
	struct execute_result result;
	bool *ok;	      /* owned: for each op, whether it was sent and succeeded */
	size_t next;	      /* op to encode */
	uint64_t told;	      /* when progress was, ns */
	struct model indexes; /* names that this plan gave an ifindex, or 0 when it deleted them */
	struct pace pace;
	struct batch batches[2];
	struct batch *batch; /* the one that is put together */
	uint64_t last_end;   /* when a send came back last, pace_now() */
};

void execute_result_done(struct execute_result *r)
{
	free(r->text);
	*r = (struct execute_result){0};
}

static struct execution *execution_free(struct execution *x)
{
	sd_event_source_disable_unref(x->source);
	for (size_t i = 0; i < ARRAY_SIZE(x->batches); i++)
		batch_close(&x->batches[i]);
	execute_result_done(&x->result);
	release_done(&x->release);
	model_done(&x->indexes);
	free(x->ok);
	free(x);
	return NULL;
}

void execute_abandon(struct kernel *k)
{
	if (k->execution)
		k->execution = execution_free(k->execution);
}

/* Deleting and creating again under one name gives another ifindex, so names are looked up as the plan goes on. */
static uint32_t index_of(const char *name, void *userdata)
{
	struct execution *x = userdata;
	const struct link *l = model_find(&x->indexes, name);

	if (!l)
		l = model_find(&x->k->actual, name);
	return l ? l->ifindex : 0;
}

static void set_index(struct execution *x, const char *name, uint32_t ifindex)
{
	struct link *l = model_find(&x->indexes, name);

	if (l)
		link_free(model_take(&x->indexes, l));
	l = link_new(name, &kind_ethernet);
	l->ifindex = ifindex;
	model_add(&x->indexes, l);
}

static void fail(struct execution *x, size_t op, int error, char *text, const struct option *option)
{
	struct execute_result *r = &x->result;

	if (r->error) {
		free(text);
		return;
	}
	r->error = error;
	r->failed = release_number(&x->release, op);
	r->text = text ? text : xstrdup(strerror(-error));
	r->option = option;
}

static void succeed(struct execution *x, size_t op)
{
	x->ok[op] = true;
	x->result.done++;
}

static bool lacks_driver(const struct op *op, const struct rtnl_result *result)
{
	return op->type == OP_CREATE && result->error == -EOPNOTSUPP && result->text &&
	       streq(result->text, "Unknown device type");
}

/* The kernel's words, where they are good enough. */
static char *error_text(const struct execution *x, size_t number, struct rtnl_result *result)
{
	const struct op *op = &x->plan->ops[number];

	if (release_is_leaving(&x->release, number))
		return xasprintf("%s does not leave it: %s", op->link->name, result->text ?: strerror(-result->error));
	if (op->type != OP_CREATE || result->error != -EOPNOTSUPP)
		return TAKE_PTR(result->text);
	if (lacks_driver(op, result))
		return xasprintf("the running kernel has no driver for '%s' (module %s)", op->link->kind->name,
				 op->link->kind->driver);
	/* Without a word: br_vlan_filter_toggle() of a kernel without CONFIG_BRIDGE_VLAN_FILTERING, for one. */
	if (!result->text)
		return xasprintf("the running kernel's driver (module %s) was built without one of these options",
				 op->link->kind->driver);
	return TAKE_PTR(result->text);
}

/* Something earlier in the plan, or someone else, was quicker: what was to be gone is gone. */
static bool is_gone(const struct execution *x, size_t number, int error)
{
	const struct op *op = &x->plan->ops[number];

	return (op->type == OP_ADDRESS_DELETE && error == -EADDRNOTAVAIL) ||
	       (op->type == OP_ROUTE_DELETE && error == -ESRCH) ||
	       ((op->type == OP_DELETE || release_is_leaving(&x->release, number)) && error == -ENODEV);
}

static void take_result(struct execution *x, const struct batch *b, size_t i, struct rtnl_result *result)
{
	size_t op = b->ops[i];
	const struct nlmsghdr *m = (const struct nlmsghdr *)(b->buffer + b->offsets[i]);

	if (!x->result.error)
		x->result.no_driver = lacks_driver(&x->plan->ops[op], result);
	if (result->error == 0 || is_gone(x, op, result->error))
		succeed(x, op);
	else
		fail(x, op, result->error, error_text(x, op, result),
		     encode_blame(&x->plan->ops[op], m, result->offset));
	rtnl_result_done(result);
}

static void send_off(struct execution *x)
{
	struct batch *b = x->batch;

	/* One link alone needs no group. */
	if (b->deletes && b->n == 1)
		b->len = (size_t)encode_op(&x->plan->ops[b->ops[0]], index_of, x, b->buffer, b->size);
	for (size_t i = 0; b->deletes && i < b->n; i++)
		set_index(x, x->plan->ops[b->ops[i]].link->name, 0);
	batch_send(b);
}

static void take_turn(struct execution *x);

/* While the plan ran, somebody may have attached a guest to what it deletes. */
static void fail_spared(struct execution *x, const struct latecomers *late, int error)
{
	char *text = late->port ? xasprintf("%s has become a port of it since the plan was made, and would be cut off",
					    late->port)
				: NULL;

	fail(x, late->op, error, text, NULL);
}

static void fail_send(struct execution *x, const struct batch *b, int error)
{
	if (b->late.failed) {
		fail_spared(x, &b->late, error);
	} else if (error == -ENOBUFS) {
		/* Which of them were done is not known. */
		x->k->lost = true;
		fail(x, b->ops[0], error, xstrdup("the kernel's answers were lost"), NULL);
	} else {
		fail(x, b->ops[0], error, NULL, NULL);
	}
}

static void on_sent(int error, struct rtnl_result *results, uint64_t begin, uint64_t end, void *userdata)
{
	struct batch *b = userdata;
	struct execution *x = b->owner;

	/* Until the one before it came back, it waited for that one's lock. */
	if (!b->late.failed)
		pace_learn(&x->pace, x->plan, b->ops, b->n, b->expected, end - MIN(MAX(begin, x->last_end), end));
	x->last_end = MAX(x->last_end, end);
	if (error)
		fail_send(x, b, error);
	else
		batch_share_result(b, results);
	x->k->writes += b->late.failed ? 0 : b->messages;
	for (size_t i = 0; i < b->n && !error; i++)
		take_result(x, b, i, &results[i]);
	batch_clear(b);
	take_turn(x);
}

/* A bridge or bond that is deleted lets its ports go one by one, each for as long as a deletion takes. */
static uint64_t time_of(const struct execution *x, const struct op *op)
{
	uint64_t nsec = pace_of(&x->pace, op);
	size_t ports = 0, i = 0;

	if (op->type != OP_DELETE || !(op->link->kind->flags & KIND_HAS_PORTS) ||
	    release_is_rest(&x->release, (size_t)(op - x->plan->ops)))
		return nsec;
	while (model_next_port(&x->k->actual, index_of(op->link->name, (void *)x), &i))
		ports++;
	return nsec * MAX(ports, 1u);
}

/* Adds an op to the send. False: what it refers to may come with what is in the send already, which goes first. */
static bool add_message(struct execution *x, size_t number)
{
	const struct op *op = &x->plan->ops[number];
	struct batch *b = x->batch;
	bool deletes = op->type == OP_DELETE;
	uint32_t ifindex = deletes ? index_of(op->link->name, x) : 0;
	ssize_t len;

	if (op->type == OP_CREATE)
		set_index(x, op->link->name, op->ifindex);
	if (deletes)
		len = ifindex ? (ssize_t)encode_group_member(ifindex, b->group, batch_end(b)) : -ENODEV;
	else
		len = encode_op(op, index_of, x, batch_end(b), b->size - b->len);
	if (len < 0 && b->n)
		return false;
	if (len < 0) {
		fail(x, number, (int)len,
		     len == -ENODEV ? xstrdup("the device, or one that it refers to, is not there") : NULL, NULL);
		return true;
	}
	b->deletes = deletes;
	batch_add(b, number, (size_t)len, time_of(x, op));
	if (deletes && x->spare && op->link->kind->flags & KIND_HAS_PORTS)
		latecomers_add(&b->late, &x->k->actual, ifindex, number);
	if (release_is_leaving(&x->release, number))
		release_add(&b->leaving, op->link, b->offsets[b->n - 1]);
	return true;
}

/* In its place between the messages. */
static void do_sysctl(struct execution *x, size_t number)
{
	const struct op *op = &x->plan->ops[number];
	const struct values *v = op->link->common;

	for (unsigned row = 0; v && row < v->table->n && !x->result.error; row++) {
		const struct option *o = &v->table->rows[row];
		int error;

		if (!((op->common & v->set) >> row & 1))
			continue;
		x->k->writes++;
		error = sysctl_write(op->link->name, o, values_at(v, row).num);
		if (error == -ENOENT && o->place == PLACE_SYSCTL6)
			fail(x, number, error, xstrdup("the running kernel has no IPv6 on this link"), o);
		else if (error)
			fail(x, number, error, NULL, o);
	}
	if (!x->result.error)
		succeed(x, number);
}

/* In its place between the messages, too. */
static void do_host(struct execution *x, size_t number)
{
	const struct op *op = &x->plan->ops[number];
	char *why = NULL;
	int r;

	x->k->writes++;
	r = x->k->host(op, index_of(op->link->name, x), &why, x->k->host_userdata);
	if (r < 0)
		fail(x, number, r, why, NULL);
	else
		succeed(x, number);
}

static int no_nftables(char **ret_text)
{
	*ret_text = xstrdup("the running kernel has no nftables (module nf_tables)");
	return -EOPNOTSUPP;
}

/* All that follow each other are one transaction, so that there is no moment in between. Returns the last op's number.
 */
static size_t do_firewall(struct execution *x, size_t number)
{
	const struct plan *p = x->plan;
	_cleanup_free_ char *commands = NULL;
	char *text = NULL;
	size_t last = number, len;
	FILE *f = xmemstream(&commands, &len);
	int error;

	for (; last < p->n && p->ops[last].type == OP_FIREWALL; last++)
		fputs(p->ops[last].commands, f);
	fclose(f);
	x->k->writes += last - number;
	error = x->k->nftables ? nftables_run(x->k->nftables, commands, &text) : no_nftables(&text);
	if (error)
		fail(x, number, error, text, NULL);
	for (size_t i = number; !error && i < last; i++)
		succeed(x, i);
	return last - 1;
}

/*
 * What has no event: sysctls, changes of a link that is down, the part of a refused change that was done before it was
 * refused (net/core/rtnetlink.c, do_setlink), an address while duplicates of it are searched for.
 */
static void mark_silent(struct execution *x)
{
	for (size_t i = 0; i < x->next; i++) {
		const struct op *op = &x->plan->ops[i];

		if (op->type == OP_SYSCTL || (op->type == OP_SET && !x->ok[i]))
			observe_mark(x->k, index_of(op->link->name, x), MARK_LINK);
		else if (op->type == OP_SET)
			observe_mark(x->k, index_of(op->link->name, x), MARK_LINK_IF_DOWN);
		else if (op->type == OP_ADDRESS_ADD && op->address->family == AF_INET6)
			observe_mark(x->k, index_of(op->link->name, x), MARK_ADDRESSES);
	}
}

static void finish(struct execution *x)
{
	struct kernel *k = x->k;

	mark_silent(x);
	/* From here on, so that nothing falls between the events and the dump. */
	rtnl_refuse_events(k->fd, false);
	/* From here on `done` may drain, and may start the next execution. */
	k->execution = NULL;
	sd_event_source_set_enabled(x->source, SD_EVENT_OFF);
	x->done(&x->result, x->userdata);
	execution_free(x);
	if (!k->execution && !k->held)
		observe_pause(k, false);
}

static bool is_message(const struct op *op)
{
	return op->type != OP_SYSCTL && op->type != OP_HOST && op->type != OP_FIREWALL;
}

/* What is no message is done when all that comes before it is, and some messages are, too. */
static bool send_is_full(const struct execution *x, const struct op *op)
{
	return (x->batch->n && (!is_message(op) || op->apart)) || !batch_takes(x->batch, op, time_of(x, op));
}

/*
 * The send that the next op may go into; NULL: what is under way has to come back first, or a second one cannot be had.
 */
static struct batch *next_batch(struct execution *x)
{
	struct batch *first = &x->batches[0], *second = &x->batches[1];
	bool deletes = x->next < x->plan->n && x->plan->ops[x->next].type == OP_DELETE;

	if (!first->under_way && !second->under_way)
		return first;
	if (!deletes || (first->under_way && second->under_way) || !(first->under_way ? first : second)->deletes)
		return NULL;
	if (!first->under_way)
		return first;
	return second->sender || batch_open(second, x->k->event, on_sent, x) == 0 ? second : NULL;
}

/* How long what is no message may keep the loop in one turn. */
#define TURN_NSEC 25000000ull
/* How often it is told how far it is, at most. */
#define PROGRESS_NSEC 100000000ull

static void next_turn(struct execution *x);

/* Returns the number of the op to go on with. */
static size_t do_op(struct execution *x, size_t number)
{
	switch (x->plan->ops[number].type) {
	case OP_SYSCTL:
		do_sysctl(x, number);
		break;
	case OP_HOST:
		do_host(x, number);
		break;
	case OP_FIREWALL:
		number = do_firewall(x, number);
		break;
	default:
		if (!add_message(x, number))
			return number;
	}
	return number + 1;
}

/* Puts a send together and sends it off, or does in this turn what is no message. */
static void fill(struct execution *x)
{
	const struct plan *p = x->plan;
	uint64_t begin = pace_now();

	while (x->next < p->n && !x->result.error) {
		const struct op *op = &p->ops[x->next];
		size_t next;

		if (send_is_full(x, op) || (!is_message(op) && pace_now() - begin > TURN_NSEC))
			break;
		next = do_op(x, x->next);
		if (next == x->next)
			break;
		x->next = next;
	}
	if (x->batch->n)
		send_off(x);
}

static void go_on(struct execution *x)
{
	bool ends = x->next == x->plan->n || x->result.error;
	bool under_way = x->batches[0].under_way || x->batches[1].under_way;
	uint64_t now = pace_now();

	if (x->progress && x->plan->n && ((ends && !under_way) || now - x->told >= PROGRESS_NSEC)) {
		x->told = now;
		x->progress(x->result.done, x->plan->n, x->userdata);
	}
	if (ends && !under_way)
		finish(x);
	else if (!ends && next_batch(x))
		next_turn(x);
}

/* The kernel first: who is told how far it is can be told while it works. */
static void take_turn(struct execution *x)
{
	x->batch = next_batch(x);
	if (x->batch)
		fill(x);
	go_on(x);
}

static int on_turn(sd_event_source *s _unused_, void *userdata)
{
	take_turn(userdata);
	return 0;
}

/*
 * Of what is pending the oldest goes first, and a deferred source is as old as the day it was made (source_dispatch()
 * of sd-event): one for the whole plan would keep clients and the watchdog waiting until its end.
 */
static void next_turn(struct execution *x)
{
	sd_event_source_disable_unref(x->source);
	x->source = NULL;
	if (sd_event_add_defer(x->k->event, &x->source, on_turn, x) < 0)
		abort();
}

/* Where the events of so many ops, three or more each, would cost more than a dump: none is queued, all is read anew.
 */
static void refuse_events(struct kernel *k, size_t ops)
{
	if (ops > MARKS_MAX && ops > k->actual.n_links / 3) {
		rtnl_refuse_events(k->fd, true);
		k->lost = true;
	}
}

int kernel_execute(struct kernel *k, const struct plan *p, bool spare, kernel_progress_fn *progress,
		   kernel_done_fn *done, void *userdata)
{
	struct execution *x;
	int r;

	if (k->execution)
		return -EBUSY;
	x = xcalloc(1, sizeof(*x));
	r = batch_open(&x->batches[0], k->event, on_sent, x);
	if (r < 0) {
		execution_free(x);
		return r;
	}
	x->k = k;
	x->plan = release_plan(p, &k->actual, &x->release);
	x->spare = spare;
	x->progress = progress;
	x->done = done;
	x->userdata = userdata;
	x->ok = xcalloc(x->plan->n + 1, sizeof(*x->ok));
	pace_init(&x->pace);
	next_turn(x);
	k->execution = x;
	observe_pause(k, true);
	refuse_events(k, p->n);
	return 0;
}
