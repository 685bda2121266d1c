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

/** Which ops overtake which of the same node; within a lane they keep their
 *  order, so all ops of one object belong into one. */
enum td_lane {
	TD_LANE_URGENT,		/* membership, ownership, calls */
	TD_LANE_USERS,		/* registrations, users' settings */
	TD_LANE_BULK,		/* configuration, records for the disks */
	TD_LANES,
};

/** What a refused op spoils. */
enum td_spoils {
	TD_SPOILS_NOTHING,	/* nobody asked for it, or it is a report */
	TD_SPOILS_NEXT,		/* the first effect asked for after it */
	TD_SPOILS_ALL,		/* all asked for after it, until it came */
};

struct td_op_info {
	const char *name;
	enum td_durability durability;
	bool committed;		/* durable by the database it comes from */
	uint32_t level;		/* feature level that knows it first */
	enum td_lane lane;
	enum td_spoils spoils;
};
/** @return NULL: no such op */
const struct td_op_info *td_op_info(Td__Op__WhatCase what);
const char *td_durability_name(enum td_durability d);
const char *td_lane_name(enum td_lane lane);

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
