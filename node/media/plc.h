/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PLC_H
#define TD_PLC_H

#include <stddef.h>
#include <stdint.h>

/** Packet loss concealment for A-law, after the idea of G.711 appendix I:
 *  what is missing is filled with the last pitch periods, faded to silence
 *  between 10 and 60 ms; the first 4 ms after a gap are cross-faded. No
 *  delay; without a loss no octet is touched. Pure.
 *
 *  What is played goes through this in order, since the past is what a gap is
 *  filled from. */

enum {
	TD_PLC_PAST = 512,	/* octets remembered */
	TD_PLC_WORK = 400,	/* samples that a gap is made from */
};

struct td_plc {
	uint8_t past[TD_PLC_PAST];	/* ring */
	uint32_t at;			/* next place in it */
	uint32_t filled;		/* up to TD_PLC_PAST */
	/* a gap: */
	uint32_t gone;			/* samples of it so far */
	uint32_t merging;		/* samples of cross-fade to come */
	int16_t work[TD_PLC_WORK];
	int pitch;			/* samples; 0: fill with silence */
	int pos;			/* next sample, back from work's end */
	int loop;			/* where it goes on at the seam */
	int step;			/* jump at the seam, faded out */
};

void td_plc_init(struct td_plc *p);
/** Octets that came. After a gap their first 4 ms are changed in place. */
void td_plc_good(struct td_plc *p, uint8_t *alaw, size_t n);
/** Octets that did not. */
void td_plc_lost(struct td_plc *p, uint8_t *alaw, size_t n);
/** The next good octets do not continue the past: cross-fade to them. */
void td_plc_break(struct td_plc *p);
/** The last n octets played, oldest first, linear; silence before the first.
 *  n <= TD_PLC_PAST */
void td_plc_past(const struct td_plc *p, int16_t *out, size_t n);

/** Lag in lo..hi at which x[0 .. w) resembles x[-lag ..] best; x has hi
 *  samples before it. @param[out] likeness -1..1, may be NULL */
int td_pitch_find(const int16_t *x, int w, int lo, int hi, float *likeness);

#endif
