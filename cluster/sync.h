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

/** What of a record (proto/ha.proto) decides who goes on. epoch 0: none. */
struct td_sync_record {
	uint64_t epoch, version;
	uint32_t in_sync;	/* bit id */
	uint64_t life[TD_NODE_MAX_ID + 1];	/* of those: incarnation */
	struct {
		uint64_t epoch, version;	/* named since this record */
	} since[TD_NODE_MAX_ID + 1];
	uint32_t voters, voters_next;	/* next 0: no change on its way */
};
/** r NULL: none. Ids out of range are left out. */
void td_sync_record_read(const Td__Record *r, struct td_sync_record *out);
/** @return <0, 0, >0: a is older, the same, newer */
int td_sync_record_cmp(const struct td_sync_record *a,
		       const struct td_sync_record *b);

/** What a member said of itself in this round. */
struct td_claim {
	bool said;
	bool live;		/* its view goes on */
	uint64_t lineage, n;	/* of its view; lineage 0: it has none */
	uint32_t together;	/* bit id: who moved with it ever since */
	bool witness;		/* has no view and never will */
	bool lacks;		/* does not hold what its record says */
	bool forced;		/* an operator: who is missing is lost */
	uint64_t life;		/* incarnation */
	struct td_sync_record record;
};

/** Pure. When everybody has spoken and nobody's view goes on: who goes on.
 *  The newest view wins, and with the winner everybody whose view is the
 *  same; without any view the lowest id founds an empty one alone.
 *  @param claims  by node id
 *  @param[out] winner  lowest id of the result
 *  @return bit id: these go on; 0: not decided */
uint32_t td_sync_elect(const struct td_claim claims[TD_NODE_MAX_ID + 1],
		       uint32_t members, uint32_t *winner);

enum td_verdict_what {
	TD_VERDICT_WAIT,	/* not everybody has spoken */
	TD_VERDICT_LIVE,	/* somebody's view goes on: take that */
	TD_VERDICT_MINORITY,
	TD_VERDICT_NOBODY,	/* nobody here may: see missing */
	TD_VERDICT_GO,
};
struct td_verdict {
	enum td_verdict_what what;
	uint32_t mask, winner;	/* GO: who goes on */
	bool cold;		/* GO: all who held effects are lost */
	uint32_t missing;	/* NOBODY: bit id: one of these must come */
};
/** Pure: who goes on by the records (failover.md, "In-sync set"): those whom
 *  the newest record names, if a majority of its voters is here to say that
 *  it is the newest. A voter that reports none counts only beside a founding
 *  record (version 1): else it may have lost a newer one.
 *  @param claims  by node id, of this round
 *  @param silent  bit id: not waited for any more; a founding or a cold start
 *  waits for all, unless it is forced
 *  @param quorate  the transport's word: it decides before there is a record */
void td_sync_decide(const struct td_claim claims[TD_NODE_MAX_ID + 1],
		    uint32_t members, uint32_t silent, bool quorate,
		    struct td_verdict *out);
/** The giver for a joiner's attempt: the nth of those who can, in order of
 *  ids. @return 0: nobody */
uint32_t td_sync_donor(uint32_t can, uint32_t attempt);

/* --- giving --- */

enum {
	TD_SYNC_PART_OCTETS = 64 * 1024,
	TD_SYNC_WINDOW_OCTETS = 512 * 1024,	/* sent ahead of its word */
};

struct td_view_cut;
struct td_sync_give {
	uint32_t to_node;
	uint64_t to_incarnation;
	uint32_t request;
	uint64_t lineage, n;
	struct td_view_cut *cut;	/* NULL: idle */
	uint8_t *part;		/* packed, not sent yet */
	size_t part_octets;
	bool last;		/* it is the last one */
	uint32_t offset, acked;
};
/** The next part, data pointing into it, if the joiner's word allows.
 *  @return 1: out is set, td_sync_give_sent follows when it was sent; 0: wait
 *  for its word; -ENOMEM, -EMSGSIZE: give up */
int td_sync_give_next(struct td_sync_give *g, Td__SyncChunk *out);
/** @return true: that was all */
bool td_sync_give_sent(struct td_sync_give *g);
void td_sync_give_stop(struct td_sync_give *g);

/* --- taking --- */

enum {
	TD_SYNC_MAX_QUEUE_OCTETS = 64 * 1024 * 1024,
};

struct td_view;
struct td_sync_held {
	struct td_sync_held *next;
	uint32_t from;
	size_t n;
	uint8_t buf[];
};
struct td_sync_take {
	bool waiting;		/* messages after the agreed place are kept */
	bool overrun;		/* too many: must ask again */
	bool whole;		/* the view is there, what was kept follows */
	bool begun;		/* with that */
	uint32_t request;	/* ours; 0: given by who was elected */
	uint64_t lineage;	/* of the parts that have come */
	struct td_view *view;	/* being built */
	uint32_t got;		/* octets */
	struct td_sync_held *head, **tail;
	size_t held_octets;
};
/** The agreed place is here: what comes from now on is kept. */
void td_sync_take_start(struct td_sync_take *t, uint32_t request);
void td_sync_take_stop(struct td_sync_take *t);
/** @return 0 or -EOVERFLOW: start again */
int td_sync_take_keep(struct td_sync_take *t, uint32_t from, const void *buf,
		      size_t n);
/** The oldest that was kept, for the caller to free. NULL: none. */
struct td_sync_held *td_sync_take_pop(struct td_sync_take *t);
/** One part that is meant for us.
 *  @return 1: the view is whole; 0: more to come, or not the next part
 *  (dropped); <0 as td_view_add_part: ask again */
int td_sync_take_part(struct td_sync_take *t, const Td__SyncChunk *s);

#endif
