/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: any bytes as what a client sends, in pieces of any size. The first byte is the size of the pieces. Run by
 * tests/fuzz/run.
 */
#include "../../netd/control/varlink-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct varlink_limits limits = {.message_max = 65536, .message_elements_max = 1000};

/* Returns how many bytes were taken; 0: it is over. */
static size_t take_piece(struct message_reader *r, const char *data, size_t n)
{
	_cleanup_free_ char *why = NULL;
	struct json_object *message = NULL;
	size_t used = 0, len;
	int ret = message_read(r, &limits, data, n, &used, &message, &why);

	if (ret == 1)
		free(message_reply(message, "io.kvmnetd.Network.Error", true, &len));
	return ret < 0 ? 0 : used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_reader r = {0};
	size_t at = 1, piece = size ? data[0] + 1u : 1, used;

	while (at < size) {
		used = take_piece(&r, (const char *)data + at, MIN(piece, size - at));
		/* A part of a character waits for the rest. */
		if (!used && piece < size)
			used = take_piece(&r, (const char *)data + at, size - at);
		if (!used)
			break;
		at += used;
	}
	message_reader_done(&r);
	return 0;
}
