/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CHECK_H
#define TD_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/instr/pauses.h"
#include "tests/instr/prbs.h"

/** The checker of the pattern. It finds its place in any 24 good bits that
 *  five more octets confirm, then follows. What does not fit is a gap, which
 *  ends when the pattern is there again: at the place where it should be (the
 *  octets between were altered, or never came), or at another (a slip: octets
 *  were lost or repeated as well).
 *
 *  Time is counted in octets of 125 us; the caller says what never came. */
enum {
	TD_CHECK_GAPS = 64,	/* kept; of more, the longest */
	TD_CHECK_HISTORY = 16,
	TD_CHECK_TAIL_MS = 500,	/* an open gap under this is only the end of
				 * a call: media stops before the word comes */
};

struct td_check_gap {
	int64_t at_ns;		/* of the first bad octet */
	uint32_t span;		/* octets from the first bad to the last bad */
	uint32_t wrong;		/* octets that came and did not fit */
	uint32_t missing;	/* octets that never came */
	uint32_t lost;		/* left out by a slip */
	uint32_t repeated;	/* played again by a slip */
	bool open;		/* the pattern never came back */
};

struct td_check {
	const struct td_prbs_map *map;
	bool synced, bad;
	bool synced_before;	/* td_check_again */
	struct td_prbs here;	/* where we should be */
	struct td_prbs cand;	/* where we may be; 0: no idea */
	uint32_t run;		/* octets that confirmed cand */
	uint32_t fit;		/* octets in a row that fitted here again */
	uint32_t since;		/* octets since the gap began, or from start */
	uint8_t hist[TD_CHECK_HISTORY];	/* last octets, newest last */
	uint32_t n_hist;	/* how many of them are in a row */
	struct td_check_gap now;
	int64_t start_ns, sync_ns, last_ns;

	uint64_t received;	/* octets that came, fitting or not */
	uint64_t checked;	/* fitted, after the first synchronisation */
	uint64_t altered, missing, lost, repeated;
	uint32_t n_gaps;	/* all; the list holds the first ones */
	struct td_check_gap gaps[TD_CHECK_GAPS];
};

/** @param now_ns  from here the time to synchronise is counted */
void td_check_init(struct td_check *c, const struct td_prbs_map *map,
		   int64_t now_ns);
/** @param t_ns  when the first of them is heard, CLOCK_MONOTONIC */
void td_check_feed(struct td_check *c, const uint8_t *o, size_t n,
		   int64_t t_ns);
/** The time of @p n octets went by and none came. */
void td_check_miss(struct td_check *c, size_t n, int64_t t_ns);
/** The sender was told to stop, or starts again: the place is forgotten, the
 *  counts are kept; a gap still open is closed as such. */
void td_check_again(struct td_check *c);
/** The call is over: a gap still open is closed as such. */
void td_check_end(struct td_check *c);

/** How long a gap was for the ear, in octets: the longer of what went by
 *  without the pattern (with what a slip left out), and what was repeated. */
uint32_t td_check_gap_octets(const struct td_check_gap *g);

/** When the sender's place is tied to CLOCK_MONOTONIC (td_check_phase): which
 *  phase it had, and how long ago the octet heard at @p t_ns was sent.
 *  @return 0, -EAGAIN: not synchronised */
int td_check_delay(const struct td_check *c, int *phase, double *delay_ms);

/** The place to send at a time: by the clock, with a phase of its own for
 *  each direction, 10 s of pattern apart, so that a stray octet of another
 *  call is known for what it is. @param phase 0 ... TD_PHASES - 1 */
enum { TD_PHASES = 104, TD_PHASE_OCTETS = 80000 };
uint64_t td_check_phase(int64_t t_ns, int phase);

/** README "Pattern report" describes it. Gaps that a pause of our own
 *  explains are in gaps_machine, not in gaps, and not in gap_ms_max.
 *  @param later_ns  what the buffers on the way hold; @return new reference */
json_t *td_check_json(const struct td_check *c, const struct td_pauses *p,
		      int64_t later_ns);

#endif
