/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MEDIA_COUNT_H
#define TD_MEDIA_COUNT_H

#include <stdint.h>

/* Counters with one writer that other threads read. */

static inline void td_count(uint64_t *c, uint64_t n)
{
	__atomic_store_n(c, __atomic_load_n(c, __ATOMIC_RELAXED) + n,
			 __ATOMIC_RELAXED);
}

static inline void td_publish(uint64_t *c, uint64_t v)
{
	__atomic_store_n(c, v, __ATOMIC_RELAXED);
}

static inline void td_publish32(uint32_t *c, uint32_t v)
{
	__atomic_store_n(c, v, __ATOMIC_RELAXED);
}

static inline uint64_t td_counted(const uint64_t *c)
{
	return __atomic_load_n(c, __ATOMIC_RELAXED);
}

static inline uint32_t td_counted32(const uint32_t *c)
{
	return __atomic_load_n(c, __ATOMIC_RELAXED);
}

#endif
