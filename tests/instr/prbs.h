/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PRBS_H
#define TD_PRBS_H

#include <stdint.h>

/** The test pattern: PRBS 2^23-1 of O.150 5.6, x^23 + x^18 + 1, sent as it
 *  comes out of the register (not inverted), eight bits an octet, the first
 *  bit is the octet's most significant.
 *
 *  Since 2^23-1 is odd, the octets too have the period 2^23-1 (1048.6 s at
 *  64 kbit/s), and 23 bits tell the place. A place is counted in octets. */
enum {
	TD_PRBS_PERIOD = (1 << 23) - 1,
	TD_PRBS_MASK = (1 << 23) - 1,
};

/** The register: the last 23 bits sent, the newest is the lowest. Never 0. */
struct td_prbs {
	uint32_t s;
};

/** The next octet. b[n] = b[n-18] ^ b[n-23]; all eight at once, because the
 *  nearer tap is more than eight bits back. */
static inline uint8_t td_prbs_next(struct td_prbs *p)
{
	uint8_t o = (p->s >> 10) ^ (p->s >> 15);

	p->s = (p->s << 8 | o) & TD_PRBS_MASK;
	return o;
}

/** Takes back the newest octet: what td_prbs_next would say is it again. */
static inline void td_prbs_back(struct td_prbs *p)
{
	/* b[n-23] = b[n] ^ b[n-18] */
	for (int i = 0; i < 8; i++)
		p->s = p->s >> 1 | ((p->s ^ p->s >> 18) & 1) << 22;
}

/** The register after these 24 bits; 0 when they are no piece of the pattern
 *  (all zeros, or the 24th bit does not follow from the 23 before). */
uint32_t td_prbs_from_octets(const uint8_t o[3]);

/** What leads from places to registers and back; read only once it is made,
 *  so one serves all threads. */
struct td_prbs_map;

int td_prbs_map_new(struct td_prbs_map **out);
void td_prbs_map_free(struct td_prbs_map *m);

/** The register from which octet number @p place comes next; any number, it
 *  is taken modulo the period. Place 0 is the register 1. */
uint32_t td_prbs_at(const struct td_prbs_map *m, uint64_t place);
/** The place whose octet comes next. @param s not 0 */
uint32_t td_prbs_place(const struct td_prbs_map *m, uint32_t s);

/** a - b, the short way round: -2^22 < d <= 2^22 octets. */
int32_t td_prbs_distance(uint32_t a, uint32_t b);

#endif
