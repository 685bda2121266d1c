/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ACK_H
#define TD_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/apply.h"
#include "cluster/cluster.h"

/** Which member holds which op, and the effects that wait for it
 *  (failover.md, "Every effect waits for its op"). Pure but for the callbacks
 *  that it runs; time is an argument. */

enum { TD_ACK_SLOW_MS = 300 };

/* --- who holds what --- */

struct td_holders {
	uint32_t need;			/* bit id: whose word is needed; bit 0:
					 * nobody's is enough */
	uint64_t life[TD_NODE_MAX_ID + 1];	/* of the needed, that counts */
	struct td_holder {
		uint64_t life;		/* whose word this is */
		uint64_t held;		/* applied up to here */
		/* on its disk are all durable ones of (since, on_disk] */
		uint64_t since, on_disk;
	} by[TD_NODE_MAX_ID + 1];
};
/** Whose word is needed, and of which life: another one's never counts. */
void td_holders_need(struct td_holders *h, uint32_t mask,
		     const uint64_t life[TD_NODE_MAX_ID + 1]);
/** A member's word; never goes back within a life. */
void td_holders_heard(struct td_holders *h, uint32_t node, uint64_t life,
		      const Td__Ack *a);
/** Held by everybody whose word is needed; UINT64_MAX: nobody's is. */
uint64_t td_holders_floor(const struct td_holders *h);
/** Bit id: needed, and does not hold n. */
uint32_t td_holders_behind(const struct td_holders *h, uint64_t n);
/** At how many of the needed is n on disk? */
unsigned int td_holders_disks(const struct td_holders *h, uint64_t n);
/** Forgets what the others hold: another history. */
void td_holders_forget(struct td_holders *h);

/* --- effects that wait --- */

struct td_effect {
	uint64_t need[TD_LANES];	/* own ops that it waits for */
	uint64_t n;		/* index of the last of them, once delivered */
	int64_t since_ms;	/* of delivery here */
	int status;
	td_effect_fn fn;
	void *arg;
};

struct td_ack {
	struct td_effect *ring;	/* power of two */
	uint32_t size, head, count, limit;
	uint32_t delivered;	/* effects from head on whose n is known */
	uint64_t done[TD_LANES];	/* own ops delivered up to here */
	uint64_t own_n;		/* index of our newest delivered op */
	uint64_t refused_full, cancelled, released;
};

void td_ack_init(struct td_ack *a, uint32_t limit);
void td_ack_clear(struct td_ack *a);	/* frees; runs nothing */

/** @param need  by lane, our newest op that it waits for; 0: none
 *  @param floor  what may be released now: all up to this index
 *  @return 1: nothing to wait for, the caller runs fn; 0: queued; -EAGAIN */
int td_ack_add(struct td_ack *a, const uint64_t need[TD_LANES], uint64_t floor,
	       td_effect_fn fn, void *arg);
/** Our op seq of this lane has index n. */
void td_ack_delivered(struct td_ack *a, enum td_lane lane, uint64_t seq,
		      uint64_t n, enum td_spoils spoils, int64_t now_ms);
/** The oldest effect, if its op was delivered. NULL: none. */
const struct td_effect *td_ack_oldest(const struct td_ack *a);
/** Runs the oldest with this status, or with its own if that is an error. */
void td_ack_run(struct td_ack *a, int status);
/** Runs what waits for no more than this index. */
void td_ack_release(struct td_ack *a, uint64_t floor);
/** Runs all with -ECANCELED; the ops up to `last` of each lane will not come
 *  any more. */
void td_ack_cancel(struct td_ack *a, const uint64_t last[TD_LANES]);

/** Has the oldest effect waited too long since its delivery?
 *  @return its index, 0: no */
uint64_t td_ack_overdue(const struct td_ack *a, uint64_t floor,
			int64_t now_ms);

#endif
