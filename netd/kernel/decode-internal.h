/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the decode-*.c files share with each other and with nobody else. */
#pragma once

#include <libmnl/libmnl.h>

#include "../model/draft.h"
#include "../model/overlap.h"
#include "decode.h"

/*
 * Is there a family header of this size? Attributes are padded to four bytes, so a message of the kernel has no other
 * length, and libmnl's iterators, which round lengths up, stay within the buffer.
 */
static inline bool message_has(const struct nlmsghdr *m, size_t header)
{
	return m->nlmsg_len % MNL_ALIGNTO == 0 && mnl_nlmsg_get_payload_len(m) >= header;
}

/* The rows of `place` in a nest; NULL: none are set. The caller frees them. */
struct values *decode_values(const struct option_table *table, enum place place, const struct nlattr *nest);
