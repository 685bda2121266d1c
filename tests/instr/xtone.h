/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XTONE_H
#define TD_XTONE_H

#include <stdbool.h>
#include <stdint.h>

/** A tone in A-law octets, one whole period of it in a table. */
struct td_xtone {
	uint8_t *o;
	uint32_t n;
	uint32_t on, off;	/* cadence in octets; off 0: without a break */
	uint32_t wait;		/* silence before the first */
};

/** @param hz whole number below 4000
 *  @return 0 or -ENOMEM */
int td_xtone_new(int hz, double dbm0, int on_ms, int off_ms, int wait_ms,
		 struct td_xtone **out);
void td_xtone_free(struct td_xtone *t);
/** Octet number @p pos of the tone. */
uint8_t td_xtone_at(const struct td_xtone *t, uint64_t pos);

/** DTMF, Q.23: keypad digits from the line, and their tones. Detection by
 *  Goertzel's recursion over blocks of 102 octets (12.75 ms); a digit is
 *  reported once, when it has been there for two blocks (Q.24). */
struct td_xdtmf {
	double coef[8], s1[8], s2[8];
	double energy;
	int fill;
	char last, said;
	int quiet;
};

void td_xdtmf_init(struct td_xdtmf *d);
/** @return a new digit, or 0 */
char td_xdtmf_feed(struct td_xdtmf *d, uint8_t alaw);
/** Octet @p pos of that digit's tone, -8 dBm0 each frequency. */
uint8_t td_xdtmf_tone(char digit, uint32_t pos);

#endif
