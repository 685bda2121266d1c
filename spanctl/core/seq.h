/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_SEQ_H
#define TD_CORE_SEQ_H

#include "spanctl/core/compat.h"

/** From 16-bit sequence numbers, which count through 0 and start anywhere, to
 *  64-bit block numbers that never go back; and the reorder window in front
 *  of their release (RFC 5086 6.2). Pure. A block's low 16 bits are always
 *  the packet's number, after a jump too: two cards that hear the same line
 *  mean the same block by the same low bits.
 *
 *  For each packet:
 *	v = td_seq_check(…, &block);
 *	if (v == TD_SEQ_JUMP) { release all that is held; td_seq_jump(block); }
 *	if (v == TD_SEQ_NEXT || v == TD_SEQ_JUMP) {
 *		while (td_seq_pop(…, block, …)) release;
 *		put the packet into its cell; td_seq_mark(block);
 *		while (td_seq_pop(…, 0, …)) release;
 *	}
 */
enum td_seq_verdict {
	TD_SEQ_NEXT,		/* belongs here */
	TD_SEQ_JUMP,		/* first packet, or the far end restarted */
	TD_SEQ_DUPLICATE,
	TD_SEQ_LATE,		/* its block was released without it */
	TD_SEQ_STRAY,		/* far off, and alone so far */
};

enum {
	TD_SEQ_WINDOW_MAX = 8,	/* blocks: the guard of td_ring_readable */
	TD_SEQ_NEAR = 128,	/* numbers that belong to the same sequence */
	TD_SEQ_BASE = 65536,	/* no block number is less */
};

struct td_seq {
	uint64_t next;		/* to be released next */
	uint64_t top;		/* highest that came, plus 1 */
	uint64_t held;		/* bit i: next + i has come */
	uint64_t past;		/* bit i: next - 1 - i had come */
	uint8_t window;
	bool started;
	bool stray;		/* `cand` is set */
	uint16_t cand;
};

/** @param window  1 … TD_SEQ_WINDOW_MAX: a block is given up when the one
 *  `window` later comes; 1: nothing is reordered */
void td_seq_init(struct td_seq *s, unsigned int window);
/** @param silent  nothing came for long: a jump needs no second packet
 *  @param[out] block  for NEXT and JUMP */
enum td_seq_verdict td_seq_check(struct td_seq *s, uint16_t seq, bool silent,
				 uint64_t *block);
/** Goes on at `block` (rising); what was held before is forgotten. */
void td_seq_jump(struct td_seq *s, uint64_t block);
/** block came. @return true: after a later one (reordered) */
bool td_seq_mark(struct td_seq *s, uint64_t block);
/** The next block that may be released.
 *  @param coming  a block about to be marked, or 0
 *  @param[out] lost  it never came
 *  @return false: none */
bool td_seq_pop(struct td_seq *s, uint64_t coming, uint64_t *block,
		bool *lost);
/** As td_seq_pop, but waits for nothing: all that is held goes. */
bool td_seq_flush(struct td_seq *s, uint64_t *block, bool *lost);

#endif
