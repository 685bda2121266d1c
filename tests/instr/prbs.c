// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/prbs.h"

#include <errno.h>
#include <stdlib.h>

enum {
	BITS = 23,
	LOW = 11,		/* a landmark has this many low zeros */
	N = TD_PRBS_PERIOD,
};

struct td_prbs_map {
	/* column j of the matrix that goes 2^i octets on */
	uint32_t jump[BITS][BITS];
	/* bit place of each landmark, by its upper bits. A register is on
	 * average 2^LOW steps before one: a small table, a short walk. */
	uint32_t landmark[1 << (BITS - LOW)];
};

static uint32_t step(uint32_t s)
{
	return (s << 1 | ((s >> 17 ^ s >> 22) & 1)) & TD_PRBS_MASK;
}

uint32_t td_prbs_from_octets(const uint8_t o[3])
{
	uint32_t bits = o[0] << 16 | o[1] << 8 | o[2];
	uint32_t first = bits >> 1;

	if (!first || step(first) != (bits & TD_PRBS_MASK))
		return 0;
	return bits & TD_PRBS_MASK;
}

static uint32_t apply(const uint32_t col[BITS], uint32_t s)
{
	uint32_t r = 0;

	for (int j = 0; s; j++, s >>= 1)
		if (s & 1)
			r ^= col[j];
	return r;
}

int td_prbs_map_new(struct td_prbs_map **out)
{
	struct td_prbs_map *m = calloc(1, sizeof(*m));
	uint32_t s = 1;

	if (!m)
		return -ENOMEM;
	for (int j = 0; j < BITS; j++) {
		s = 1u << j;
		for (int i = 0; i < 8; i++)
			s = step(s);
		m->jump[0][j] = s;
	}
	for (int i = 1; i < BITS; i++)
		for (int j = 0; j < BITS; j++)
			m->jump[i][j] = apply(m->jump[i - 1],
					      m->jump[i - 1][j]);
	s = 1;
	for (uint32_t i = 0; i < N; i++) {
		if (!(s & ((1 << LOW) - 1)))
			m->landmark[s >> LOW] = i;
		s = step(s);
	}
	*out = m;
	return 0;
}

void td_prbs_map_free(struct td_prbs_map *m)
{
	free(m);
}

uint32_t td_prbs_at(const struct td_prbs_map *m, uint64_t place)
{
	uint32_t s = 1;

	place %= N;
	for (int i = 0; place; i++, place >>= 1)
		if (place & 1)
			s = apply(m->jump[i], s);
	return s;
}

uint32_t td_prbs_place(const struct td_prbs_map *m, uint32_t s)
{
	uint32_t walked = 0, bit;

	if (!s)
		return 0;
	while (s & ((1 << LOW) - 1)) {
		s = step(s);
		walked++;
	}
	bit = (m->landmark[s >> LOW] + N - walked % N) % N;
	/* bits to octets: 8 * 2^20 = 2^23 = 1 modulo the period */
	return ((uint64_t)bit << 20) % N;
}

int32_t td_prbs_distance(uint32_t a, uint32_t b)
{
	int32_t d = (int32_t)a - (int32_t)b;

	if (d > N / 2)
		d -= N;
	if (d <= -(N / 2) - 1)
		d += N;
	return d;
}
