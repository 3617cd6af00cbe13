/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the files of ownership.h share. */
#pragma once

#include "ownership.h"

/* Does a section say which VLANs the port, or the bridge itself, is to have? */
bool vlans_are_said(const struct link *want);
/* Before they are changed: what there was, unless that is known, and which keys said so. */
void vlans_note(struct record *r, const struct op *op, const struct model *actual);
/* Forgets what there was when the link has it again and no section says anything of it; want: NULL, nothing is wanted.
 */
void vlans_settle(struct record *r, const struct link *want, const struct link *have);
void vlans_forget(struct record *r);
/* Before all links are given forwarding: which have it of their own. */
void forwarding_note_all(struct ledger *l, const struct op *op, const struct model *actual);
/* Values found of a link that are only those we gave to all links become what it had before. */
void forwarding_note_lent(const struct ledger *l, struct values *found);
/* Forgets what is not put back any more, see forwarding_is_others(); want: NULL, nothing is wanted. */
void forwarding_settle(const struct ledger *l, struct record *r, const struct link *want, const struct model *actual);
