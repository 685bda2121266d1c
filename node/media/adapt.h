/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ADAPT_H
#define TD_ADAPT_H

#include "node/media/jitter.h"

/** The part of the jitter buffer that judges its delay and corrects it; for
 *  jitter.c and its tests. */

/** Evidence so far is void. */
void td_adapt_restart(struct td_jitter *j, uint64_t now);
/** A packet came with this slack. */
void td_adapt_note(struct td_jitter *j, uint64_t now, int32_t slack);
/** A packet came `by` octets too late to be played. */
void td_adapt_late(struct td_jitter *j, uint64_t now, uint32_t by);
/** The slack of what comes from now on differs by this. */
void td_adapt_shift(struct td_jitter *j, int32_t by);
/** Corrects the octets that go out next, when wanted and they suit it. */
void td_adapt_apply(struct td_jitter *j);
/** True: n octets are too few to correct, let them wait for more. */
bool td_adapt_waits(const struct td_jitter *j, size_t n);

/* jitter.c's ring, from `next` on */
size_t td_jitter_run(const struct td_jitter *j, size_t max);
void td_jitter_copy_in(struct td_jitter *j, uint32_t ts, const uint8_t *in,
		       size_t n);
void td_jitter_copy_out(const struct td_jitter *j, uint32_t ts, uint8_t *out,
			size_t n);
void td_jitter_forget(struct td_jitter *j, size_t n);

#endif
