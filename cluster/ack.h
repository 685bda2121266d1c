/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ACK_H
#define TD_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"

/** Which member holds which op, and the effects that wait for it
 *  (failover.md, "Every effect waits for its op"). Pure but for the callbacks
 *  that it runs; time is an argument. */

enum {
	TD_ACK_SLOW_MS = 300,
	TD_ACK_CAUGHT_UP = 256,	/* ops behind, to be taken back */
};

struct td_effect {
	uint64_t seq;		/* own op that it waits for */
	uint64_t n;		/* index of that op, 0: not delivered yet */
	int64_t since_ms;	/* of delivery here */
	int status;
	td_effect_fn fn;
	void *arg;
};

struct td_ack {
	struct td_effect *ring;	/* power of two */
	uint32_t size, head, count, limit;
	uint32_t delivered;	/* effects from head on whose n is known */
	uint64_t own_n;		/* index of our newest delivered op */
	uint64_t released_n;
	uint64_t held[17];	/* by node id: applied up to here */
	uint32_t in_sync;	/* bit id: whose word is needed, but for slow */
	uint32_t slow;
	uint64_t refused_full, cancelled, released;
};

void td_ack_init(struct td_ack *a, uint32_t limit);
void td_ack_clear(struct td_ack *a);	/* frees; runs nothing */

/** @param seq  our newest submitted op
 *  @param pending  it is not delivered yet
 *  @return 1: nothing to wait for, the caller runs fn; 0: queued; -EAGAIN */
int td_ack_add(struct td_ack *a, uint64_t seq, bool pending, td_effect_fn fn,
	       void *arg);
/** What a refused op spoils. */
enum td_ack_spoils {
	TD_SPOILS_NOTHING,	/* it was not refused, or nobody asked for it */
	TD_SPOILS_NEXT,		/* the first effect asked for after it */
	TD_SPOILS_ALL,		/* all asked for after it, until it came */
};
/** Our op seq has index n. */
void td_ack_delivered(struct td_ack *a, uint64_t seq, uint64_t n,
		      enum td_ack_spoils spoils, int64_t now_ms);
/** @return true: it was slow and has caught up */
bool td_ack_held(struct td_ack *a, uint32_t node, uint64_t n);
void td_ack_in_sync(struct td_ack *a, uint32_t mask);
/** Runs what may run now. */
void td_ack_release(struct td_ack *a);
/** Runs all with -ECANCELED. */
void td_ack_cancel(struct td_ack *a);
/** Forgets what the others hold: another lineage. */
void td_ack_forget(struct td_ack *a);

/** Has the oldest effect waited too long since its delivery?
 *  @return its index, 0: no */
uint64_t td_ack_overdue(const struct td_ack *a, int64_t now_ms);
/** Takes out whoever does not hold n. @return who was taken out now */
uint32_t td_ack_take_out(struct td_ack *a, uint64_t n);

#endif
