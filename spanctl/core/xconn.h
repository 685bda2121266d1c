/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_XCONN_H
#define TD_CORE_XCONN_H

#include "spanctl/core/compat.h"

/** Which received block of one span goes out in a block of another. Their
 *  numbers have nothing to do with each other, so an offset is kept; between
 *  what came and what is read stands a reserve, for the reorder window and
 *  for packets of one tick that come in any order. Pure.
 *
 *  Two clocks that differ eat the reserve or let it grow: of each window of
 *  blocks the lowest and the highest level are looked at, and when the whole
 *  window was out of bounds the offset is put back to the middle, which is
 *  one slip (G.822's word, here blocks of 1 ms). A source that only stalls
 *  and then catches up causes none. */
enum {
	TD_XCONN_RESERVE = 8,	/* blocks */
	TD_XCONN_LOW = 4,
	TD_XCONN_HIGH = 14,
	TD_XCONN_WINDOW = 512,	/* blocks between two looks */
	TD_XCONN_FAR = 128,	/* one of the two has jumped */
	TD_XCONN_STALL = 64,	/* dry blocks one after the other: start anew */
};

struct td_xconn {
	bool on, locked;
	int64_t offset;		/* source's block = own block + offset */
	uint32_t seen;		/* blocks of this window */
	int32_t lowest, highest;
	uint32_t dry;
	uint64_t dry_end;	/* where the source stood then */
	uint64_t slips;
};

/** @param block  to be sent, rising
 *  @param end    blocks of the source below this may be read
 *  @param[out] from  the source's block
 *  @return 0; -EAGAIN: it has not come, send idle */
int td_xconn_step(struct td_xconn *x, uint64_t block, uint64_t end,
		  uint64_t *from);

#endif
