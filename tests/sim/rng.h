/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

/** The one source of chance of a world: the same seed, the same story. */
struct sim_rng {
	uint64_t s;
};

static inline uint64_t sim_rng_next(struct sim_rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/** 0 … below-1 */
static inline uint32_t sim_below(struct sim_rng *r, uint32_t below)
{
	return (uint32_t)((sim_rng_next(r) >> 32) * below >> 32);
}

static inline int64_t sim_between(struct sim_rng *r, int64_t from, int64_t to)
{
	return from >= to ? from :
			    from + (int64_t)(sim_rng_next(r) %
					     (uint64_t)(to - from));
}

/** True in so many of a thousand cases. */
static inline bool sim_permille(struct sim_rng *r, uint32_t n)
{
	return n && sim_below(r, 1000) < n;
}

static inline uint64_t sim_mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0xff51afd7ed558ccdULL;
	return h ^ h >> 32;
}

#define sim_pick(r, ...)                                                       \
	((const int64_t[]){ __VA_ARGS__ }[sim_below(                           \
		r, sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))])

#endif
