/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XG711_H
#define TD_XG711_H

#include <stdint.h>

/** G.711, straight from its tables 1a/1b (A-law, even bits inverted) and
 *  2a/2b (mu-law). Linear values are on the 16-bit scale: the virtual
 *  decision value at the top is 32768 (A-law: 4096 * 8), the load of a sine
 *  of that peak is +3.14 dBm0. */
uint8_t td_xg711_alaw(int linear);
int td_xg711_from_alaw(uint8_t o);
uint8_t td_xg711_ulaw(int linear);
int td_xg711_from_ulaw(uint8_t o);

/** The peak of a sine of this level, A-law scale: +3.14 dBm0 is 32768. */
double td_xg711_peak(double dbm0);

#endif
