/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_RING_H
#define TD_CORE_RING_H

#include "spanctl/core/compat.h"

/** Arithmetic of rings whose positions are 64-bit counts that only grow; the
 *  size is a power of two. Nothing here trusts a position: what another
 *  process wrote is checked by td_ring_used before it is used. */

static inline uint32_t td_ring_index(uint64_t pos, uint32_t size)
{
	return (uint32_t)pos & (size - 1);
}

/** @return what lies between, or -1: the two positions cannot both be true */
static inline int64_t td_ring_used(uint64_t head, uint64_t tail, uint32_t size)
{
	uint64_t used = head - tail;

	return used > size ? -1 : (int64_t)used;
}

/** Octet rings: copies in and out, across the end of the buffer.
 *  @param n  at most size */
void td_ring_put(uint8_t *ring, uint32_t size, uint64_t pos, const void *src,
		 uint32_t n);
void td_ring_get(const uint8_t *ring, uint32_t size, uint64_t pos, void *dst,
		 uint32_t n);

/** May block be read, when blocks below end are there? The writer may be at
 *  work on the `guard` oldest cells. */
static inline bool td_ring_readable(uint64_t block, uint64_t end,
				    uint32_t size, uint32_t guard)
{
	return block < end && end - block <= size - guard;
}

#endif
