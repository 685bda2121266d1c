/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_JITTER_H
#define TD_JITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/media/plc.h"

/** Adaptive jitter buffer from RTP to a line: A-law octets by timestamp in,
 *  a gapless run of octets out. Pure; all times are counts of octets of the
 *  line (125 us).
 *
 *  The line asks for octets some time before it sends them; that lead counts
 *  as part of the buffer. The slack of a packet is how long before its time on
 *  the line it came.
 *
 *  - The first packet gets a slack of `depth`. As long as packets come in time
 *    and the slack stays within its band, the octets are those that came.
 *  - A hole that later packets have shown is concealed in its place.
 *  - When the buffer runs empty it waits (concealing): if the missing octets
 *    come after all they are played, and the delay has grown; if later ones
 *    come they are played at their own time.
 *  - Delay that 30 s of evidence show to be too long or too short (more than
 *    band from depth: clock drift, a burst long ago) is corrected by taking
 *    out or repeating a pitch period; in silence already after 8 s and 10 ms.
 */

enum {
	TD_JITTER_CAP = 4096,		/* octets held: 512 ms */
	TD_JITTER_DEPTH_MAX = 1600,	/* 200 ms */
	TD_JITTER_BUCKETS = 30,		/* of 1 s */
};

struct td_jitter_counts {
	uint64_t late;			/* packets that came too late */
	uint64_t duplicate;
	uint64_t jumps;			/* the timestamps began anew */
	uint64_t concealed;		/* octets */
	uint64_t inserted, removed;	/* octets, corrections */
	uint64_t corrections;
	uint64_t grown;			/* octets, by waiting */
	uint64_t dropped;		/* octets, buffer too full */
};

struct td_jitter {
	uint32_t depth;
	bool playing;
	uint32_t next;			/* timestamp that goes out next */
	uint32_t end;			/* after the newest octet */
	uint32_t hold;			/* silence before next + hold */
	uint32_t stall;			/* octets waited, buffer empty */
	bool jumped;
	uint32_t jump_next;
	/* corrections wanted: octets to insert, < 0: to remove */
	int32_t hard, soft;
	uint32_t tries;			/* packets that did not suit it */
	uint32_t late_max, late_n;	/* since late_since */
	uint64_t late_since;
	/* evidence */
	uint64_t bucket_end;
	uint32_t buckets;		/* complete ones */
	bool bucket_empty;
	int32_t lo, hi;			/* of the one under way */
	int32_t los[TD_JITTER_BUCKETS];
	int32_t his[TD_JITTER_BUCKETS];
	int32_t slack;			/* newest packet's */
	struct td_jitter_counts n;
	struct td_plc plc;
	uint64_t have[TD_JITTER_CAP / 64];
	uint8_t ring[TD_JITTER_CAP];
};

/** Empties it; counts stay. */
void td_jitter_reset(struct td_jitter *j, uint32_t depth);
void td_jitter_init(struct td_jitter *j, uint32_t depth);
/** Another source comes: what is held goes, the next packet begins anew. */
void td_jitter_restart(struct td_jitter *j);
/** @param now  position of the line, never goes back
 *  @param lead  octets handed out but not yet sent on the line
 *  @param n  at most TD_RTP_MAX_PAYLOAD */
void td_jitter_put(struct td_jitter *j, uint64_t now, uint32_t lead,
		   uint32_t ts, const uint8_t *alaw, size_t n);
/** Octets that can be had now without concealing anything. */
size_t td_jitter_ready(const struct td_jitter *j);
/** Always n octets. */
void td_jitter_get(struct td_jitter *j, uint8_t *out, size_t n);
/** The line went on by n octets without asking. */
void td_jitter_skip(struct td_jitter *j, size_t n);
/** Octets it holds, holes included. */
uint32_t td_jitter_level(const struct td_jitter *j);

#endif
