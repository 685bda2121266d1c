/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_G711_H
#define TD_G711_H

#include <stddef.h>
#include <stdint.h>

/** ITU-T G.711. Linear samples are 16 bits, A-law's full scale is 32256.
 *  Pure. */

enum { TD_ALAW_IDLE = 0xd5 };	/* the smallest positive value */

int16_t td_alaw_linear(uint8_t alaw);
/** By the decision values of table 1a; clips. */
uint8_t td_linear_alaw(int linear);

/** Octet by octet by tables 3 and 4 of G.711 (in = out is allowed). */
void td_ulaw_to_alaw(uint8_t *out, const uint8_t *in, size_t n);
void td_alaw_to_ulaw(uint8_t *out, const uint8_t *in, size_t n);

#endif
