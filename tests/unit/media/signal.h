/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_SIGNAL_H
#define TD_TEST_SIGNAL_H

#include <math.h>
#include <stdint.h>

#include "node/media/g711.h"

/* signals that tests send, octet by octet */

/* PRBS 2^23-1 of O.150 (x^23 + x^18 + 1), most significant bit first */
struct prbs {
	uint32_t reg;
};

static inline uint8_t prbs_next(struct prbs *p)
{
	uint8_t octet = 0;

	for (int i = 0; i < 8; i++) {
		uint32_t bit = (p->reg >> 22 ^ p->reg >> 17) & 1;

		p->reg = (p->reg << 1 | bit) & 0x7fffff;
		octet = octet << 1 | bit;
	}
	return octet;
}

static inline uint8_t sine_at(uint64_t i, double hz, double peak)
{
	return td_linear_alaw(lrint(peak * sin(2 * M_PI * hz * i / 8000)));
}

#endif
