/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_LEASE_H
#define TD_CORE_LEASE_H

#include "spanctl/core/compat.h"

/** The right to transmit on one line: an epoch and an end on the clock. Pure:
 *  time is an argument (CLOCK_BOOTTIME in ns). What must hold: an epoch that
 *  is over, by its end, by word or by a newer one, is over for good. A plain
 *  value; zeroed means off. */
struct td_lease {
	uint64_t epoch;		/* held, 0: none */
	uint64_t over;		/* epochs up to here are over for good */
	int64_t end_ns;
	uint64_t lapsed;	/* times that the clock ended it */
};

enum { TD_LEASE_MAX_S = 60 };	/* a longer one is a mistake of the caller */

/** Takes or renews. A renewal never shortens: td_lease_end does.
 *  @return 0; -ESTALE: the epoch is over or older than the one held, or
 *  end_ns is past (which ends the epoch); -EINVAL: epoch 0, or longer than
 *  TD_LEASE_MAX_S */
int td_lease_take(struct td_lease *l, uint64_t epoch, int64_t end_ns,
		  int64_t now_ns);
/** Ends this epoch and all before; a newer one that is held stays. */
void td_lease_end(struct td_lease *l, uint64_t epoch);
/** Ends whatever is held: the owner is gone. */
void td_lease_drop(struct td_lease *l);
/** May a block leave now? Ends the epoch when its time is over, so that a
 *  clock read earlier cannot bring it back. */
bool td_lease_held(struct td_lease *l, int64_t now_ns);

#endif
