/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: send.h. */
#include "send.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "pace.h"

/* The thread calls nothing that is deep. */
#define STACK_BYTES (256 * 1024)

struct sender {
	struct rtnl *rtnl;
	sd_event_source *source;
	int fd; /* written to when a send is done */
	pthread_t thread;
	bool has_thread;
	sem_t work; /* there is something to send, or the end */
	bool ends;
	sender_done_fn *done;
	void *userdata;

	/* The thread's, from sender_send() until fd is written to. */
	void *messages;
	size_t len, n;
	sender_before_fn *before;
	int error;
	uint64_t begin, end;
	struct rtnl_result results[RTNL_BATCH_MAX];
};

static void send_now(struct sender *s)
{
	s->begin = pace_now();
	s->error = s->before ? s->before(s->rtnl, s->userdata) : 0;
	if (!s->error)
		s->error = rtnl_batch(s->rtnl, s->messages, s->len, s->results, s->n);
	s->end = pace_now();
	eventfd_write(s->fd, 1);
}

static void *work(void *userdata)
{
	struct sender *s = userdata;

	for (;;) {
		while (sem_wait(&s->work) < 0)
			; /* interrupted */
		if (s->ends)
			return NULL;
		send_now(s);
	}
}

static int on_done(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
	struct sender *s = userdata;
	eventfd_t count;

	if (eventfd_read(fd, &count) < 0)
		return 0;
	/* May close us. */
	s->done(s->error, s->results, s->begin, s->end, s->userdata);
	return 0;
}

/* With all signals blocked: they are for the event loop. */
static bool start_thread(struct sender *s)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&s->thread, &attributes, work, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error == 0;
}

static void end_thread(struct sender *s)
{
	if (!s->has_thread)
		return;
	s->ends = true;
	sem_post(&s->work);
	pthread_join(s->thread, NULL);
}

void sender_send(struct sender *s, void *messages, size_t len, size_t n, sender_before_fn *before)
{
	s->messages = messages;
	s->len = len;
	s->n = n;
	s->before = before;
	/* Where no thread can be had, the loop waits. */
	if (s->has_thread)
		sem_post(&s->work);
	else
		send_now(s);
}

size_t sender_bytes(const struct sender *s)
{
	return rtnl_batch_bytes(s->rtnl);
}

int sender_open(struct sender **ret, sd_event *event, sender_done_fn *done, void *userdata)
{
	struct sender *s = xcalloc(1, sizeof(*s));
	int error;

	s->done = done;
	s->userdata = userdata;
	sem_init(&s->work, 0, 0);
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = s->fd < 0 ? -errno : rtnl_open(&s->rtnl);
	if (!error)
		error = sd_event_add_io(event, &s->source, s->fd, EPOLLIN, on_done, s);
	if (error < 0) {
		sender_close(s);
		return error;
	}
	s->has_thread = start_thread(s);
	*ret = s;
	return 0;
}

struct sender *sender_close(struct sender *s)
{
	if (!s)
		return NULL;
	end_thread(s);
	/* Of a send that nobody waits for any more. */
	for (size_t i = 0; i < RTNL_BATCH_MAX; i++)
		rtnl_result_done(&s->results[i]);
	sd_event_source_disable_unref(s->source);
	rtnl_close(s->rtnl);
	if (s->fd >= 0)
		close(s->fd);
	sem_destroy(&s->work);
	free(s);
	return NULL;
}
