/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: batch.h. */
#include "batch.h"

#include <sys/random.h>

#include "encode.h"

static uint32_t draw_group(void)
{
	uint32_t group;

	if (getrandom(&group, sizeof(group), GRND_NONBLOCK) != sizeof(group))
		group = (uint32_t)pace_now();
	return group | 1u << 31;
}

int batch_open(struct batch *b, sd_event *event, sender_done_fn *done, void *owner)
{
	int r = sender_open(&b->sender, event, done, b);

	if (r < 0)
		return r;
	b->size = MIN(sender_bytes(b->sender), 4u * ENCODE_SIZE);
	b->buffer = xrealloc(NULL, b->size, 1);
	b->group = draw_group();
	b->owner = owner;
	return 0;
}

void batch_close(struct batch *b)
{
	sender_close(b->sender);
	free(b->buffer);
	latecomers_done(&b->late);
}

/* Room is left for the message that deletes a group. */
bool batch_takes(const struct batch *b, const struct op *op, uint64_t expected)
{
	bool deletes = op->type == OP_DELETE;

	if (!b->n)
		return true;
	if (deletes != b->deletes || b->n >= RTNL_BATCH_MAX - 1u || b->size - b->len < ENCODE_SIZE)
		return false;
	return op->glued || b->expected + expected <= pace_limit(deletes);
}

void batch_add(struct batch *b, size_t op, size_t len, uint64_t expected)
{
	b->ops[b->n] = op;
	b->offsets[b->n++] = b->len;
	b->len += len;
	b->expected += expected;
}

/* In the sender's thread. */
static int look_at_ports(struct rtnl *r, void *userdata)
{
	struct batch *b = userdata;
	int error = release_look(&b->leaving, r, b->buffer);

	return error ? error : latecomers_look(&b->late, r);
}

void batch_send(struct batch *b)
{
	if (b->deletes && b->n > 1)
		b->len += encode_group_delete(b->group, batch_end(b));
	b->messages = b->deletes && b->n > 1 ? b->n + 1 : b->n;
	b->under_way = true;
	sender_send(b->sender, b->buffer, b->len, b->messages, b->late.n || b->leaving.n ? look_at_ports : NULL);
}

void batch_share_result(const struct batch *b, struct rtnl_result *results)
{
	if (b->messages == b->n)
		return;
	for (size_t i = 0; i < b->n; i++) {
		if (results[i].error)
			continue;
		results[i].error = results[b->n].error;
		results[i].text = results[b->n].text ? xstrdup(results[b->n].text) : NULL;
	}
	rtnl_result_done(&results[b->n]);
}

void batch_clear(struct batch *b)
{
	b->n = b->len = b->messages = b->leaving.n = 0;
	b->expected = 0;
	b->deletes = b->under_way = false;
	latecomers_done(&b->late);
}
