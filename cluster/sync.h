/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SYNC_H
#define TD_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** Bringing a joiner up: who may give a view, its way in pieces, and what is
 *  kept until it is whole. The contract is corosync's (exec/sync.c): init at
 *  each change of membership, process in pieces, activate at once, abort at
 *  any point. */

/** What a member said of itself in this round. */
struct td_claim {
	bool said;
	bool live;		/* its view goes on */
	uint64_t lineage, n;	/* of its view; lineage 0: it has none */
	uint32_t together;	/* bit id: who moved with it ever since */
};

/** Pure. When everybody has spoken and nobody's view goes on: who goes on.
 *  The newest view wins, and with the winner everybody whose view is the
 *  same; without any view the lowest id founds an empty one alone.
 *  @param claims  by node id
 *  @param[out] winner  lowest id of the result
 *  @return bit id: these go on; 0: not decided */
uint32_t td_sync_elect(const struct td_claim claims[TD_NODE_MAX_ID + 1],
		       uint32_t members, uint32_t *winner);
/** The giver for a joiner's attempt: the nth of those who can, in order of
 *  ids. @return 0: nobody */
uint32_t td_sync_donor(uint32_t can, uint32_t attempt);

/* --- giving --- */

enum {
	TD_SYNC_CHUNK_OCTETS = 128 * 1024,
	TD_SYNC_CHUNKS_A_TURN = 4,
};

struct td_sync_give {
	uint32_t to_node;	/* 0: whoever waits */
	uint64_t to_incarnation;
	uint32_t request;
	uint64_t lineage, n;
	uint8_t *buf;		/* NULL: idle */
	size_t octets, offset;
};
/** The next piece, data pointing into buf. @return false: all is sent */
bool td_sync_give_next(struct td_sync_give *g, Td__SyncChunk *out);
void td_sync_give_stop(struct td_sync_give *g);

/* --- taking --- */

enum {
	TD_SYNC_MAX_QUEUE_OCTETS = 64 * 1024 * 1024,
};

struct td_sync_held {
	struct td_sync_held *next;
	uint32_t from;
	size_t n;
	uint8_t buf[];
};
struct td_sync_take {
	bool waiting;		/* messages after the agreed place are kept */
	bool overrun;		/* too many: must ask again */
	uint32_t request;	/* ours; 0: the founder's, for all */
	uint64_t lineage;	/* of the pieces that have come */
	uint8_t *buf;
	size_t total, got;
	struct td_sync_held *head, **tail;
	size_t held_octets;
};
/** The agreed place is here: what comes from now on is kept. */
void td_sync_take_start(struct td_sync_take *t, uint32_t request);
void td_sync_take_stop(struct td_sync_take *t);
/** @return 0 or -EOVERFLOW: start again */
int td_sync_take_keep(struct td_sync_take *t, uint32_t from, const void *buf,
		      size_t n);
/** One piece that is meant for us.
 *  @return 1: the snapshot is whole, in buf; 0: more to come, or not the
 *  next piece (dropped); -EMSGSIZE, -ENOMEM */
int td_sync_take_piece(struct td_sync_take *t, const Td__SyncChunk *s);

#endif
