/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_APPLY_H
#define TD_APPLY_H

#include "cluster/view.h"

/** What must be true of an op before its effect may be seen
 *  (architecture.md, "Three classes"). */
enum td_durability {
	TD_VOLATILE,	/* nothing: losing it costs nothing */
	TD_REPLICATED,	/* held by the in-sync set */
	TD_DURABLE,	/* on disk at two nodes, or in the database */
};

struct td_op_info {
	const char *name;
	enum td_durability durability;
	uint32_t level;		/* feature level that knows it first */
};
/** @return NULL: no such op */
const struct td_op_info *td_op_info(Td__Op__WhatCase what);

enum {
	/** One Tick moves agreed time by so much at most. More is cut, not
	 *  refused: after a longer standstill the next Ticks catch up, and one
	 *  node's jumping clock expires nobody. */
	TD_TICK_MAX_MS = 600 * 1000,
};

/** One step of the replica: deterministic, no clock, no I/O. Every call
 *  takes one index, refused or not, since all nodes refuse alike.
 *  @param from   node id of the sender
 *  @param[out] moved  the op's row is the view's now; the op stays readable
 *  until the next step and is freed by td_apply_release
 *  @return 0; refused, the view is as it was but for the index: -ESTALE (a
 *  stale owner, epoch, generation, or sequence), -EINVAL (not the sender's
 *  to say, or a row without a key), -ENOSPC (a table is full); -ENOMEM: this
 *  replica is lost */
int td_apply(struct td_view *v, Td__Op *op, uint32_t from, bool *moved);
void td_apply_release(Td__Op *op, bool moved);

#endif
