/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAND_MEM_H
#define TD_SPAND_MEM_H

#include <stdint.h>

#include "spanctl/uapi/td_span.h"

/** The card's shared memory: a sealed memfd, so that nobody who got it can
 *  shrink it under the card. */
struct td_spand_mem;

/** A port's areas in it. */
struct td_spand_areas {
	struct td_span_status *status;
	struct td_span_owner *owner;
	uint64_t *rx;		/* [RING][SLOTS] */
	uint32_t *rx_flags;
	uint64_t *tx;
	uint64_t *tx_stamp;
	uint8_t *frames;
	uint8_t *hdlc_tx;
};

int td_spand_mem_new(unsigned int ports, struct td_spand_mem **out);
/** Writes anew what describes it: an owner may have written over it. */
void td_spand_mem_describe(struct td_spand_mem *m);
void td_spand_mem_free(struct td_spand_mem *m);
/** For the owner: may be mapped for writing. */
int td_spand_mem_fd(const struct td_spand_mem *m);
/** For monitors: can only be mapped for reading. */
int td_spand_mem_fd_ro(const struct td_spand_mem *m);
/** @param port  0 … */
void td_spand_mem_areas(struct td_spand_mem *m, unsigned int port,
			struct td_spand_areas *out);

#endif
