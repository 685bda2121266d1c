/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XCHAN_H
#define TD_XCHAN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/instr/check.h"
#include "tests/instr/prbs.h"
#include "tests/instr/xtone.h"

/** What a channel (a timeslot, an RTP stream) sends, and what it does with
 *  what it hears. Eight octets a turn, in the clock thread. */
enum td_xsource {
	TD_XSRC_IDLE,		/* A-law silence */
	TD_XSRC_TONE,
	TD_XSRC_PATTERN,	/* placed by the clock: td_check_phase */
	TD_XSRC_ECHO,		/* what was heard */
	TD_XSRC_DTMF,		/* the digits that were heard, as tones */
};

struct td_xchan {
	bool open;
	enum td_xsource source;
	const struct td_xtone *tone;
	uint64_t pos;			/* of the tone */
	struct td_prbs tx;
	struct td_check *check;		/* NULL: nobody checks; not ours */
	uint8_t heard[8];		/* silence where nothing came */
	bool silent;			/* nothing came this turn */
	struct td_xdtmf dtmf;
	char digits[32];		/* still to be played */
	uint32_t n_digits, digit_pos;
};

/** Everything off, silence. */
void td_xchan_close(struct td_xchan *c);
void td_xchan_idle(struct td_xchan *c);
void td_xchan_tone(struct td_xchan *c, const struct td_xtone *t);
/** @param state  the register for the next turn (td_prbs_at of
 *                td_check_phase of that turn's time) */
void td_xchan_pattern(struct td_xchan *c, uint32_t state);
void td_xchan_echo(struct td_xchan *c);
void td_xchan_dtmf(struct td_xchan *c);

/** Eight octets heard at @p t_ns. @param came  which of them did, the first
 *  is the lowest bit; 0: none, o may be NULL */
void td_xchan_hear(struct td_xchan *c, const uint8_t o[8], uint8_t came,
		   int64_t t_ns);
/** The next eight to send; after td_xchan_hear of the same turn. */
void td_xchan_say(struct td_xchan *c, uint8_t o[8]);

#endif
