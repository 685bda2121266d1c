// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/core/ring.h"

void td_ring_put(uint8_t *ring, uint32_t size, uint64_t pos, const void *src,
		 uint32_t n)
{
	uint32_t at = td_ring_index(pos, size);
	uint32_t first = n < size - at ? n : size - at;

	memcpy(ring + at, src, first);
	memcpy(ring, (const uint8_t *)src + first, n - first);
}

void td_ring_get(const uint8_t *ring, uint32_t size, uint64_t pos, void *dst,
		 uint32_t n)
{
	uint32_t at = td_ring_index(pos, size);
	uint32_t first = n < size - at ? n : size - at;

	memcpy(dst, ring + at, first);
	memcpy((uint8_t *)dst + first, ring, n - first);
}
