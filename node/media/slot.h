/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SLOT_H
#define TD_SLOT_H

#include "node/call/voice.h"
#include "node/media/engine.h"
#include "node/media/plc.h"

/** A timeslot of a line as one end of a voice path. Private to the room; all
 *  but `pub` and `ctl` belongs to the media thread. */

enum {
	TD_SLOT_LEAD = 10,	/* blocks that are always filled ahead: two
				 * wake-ups, so a hole is concealed as late
				 * as possible */
	TD_SLOT_AHEAD = TD_SPAN_RING / 2 - 8,	/* and at most */
	TD_SLOT_ECHO = 64,	/* delay of the echo, blocks */
};

struct td_slot {
	struct td_end end;
	/* constant */
	struct td_line *line;
	uint32_t port, timeslot;
	/* the media thread's */
	struct td_slot *next, **link;	/* of those that run */
	bool open;			/* we write its octets */
	uint64_t rx_next, tx_next;	/* blocks */
	struct td_plc plc;
	struct td_slot_counts {
		uint64_t rx_blocks, tx_blocks, rx_lost, rx_alarm, rx_overrun,
			tx_skipped, tx_refused;
	} n;
	struct td_voice_stats pub;	/* any thread, td_counted() */
	struct {
		struct td_voice_end peer;
		bool xconn;	/* the card joins it to peer */
	} ctl;
};

/** Begins to send and to read, from the blocks of now on. Without a card it
 *  is not open and waits for one.
 *  @return 0 or what the card says */
int td_slot_start(struct td_slot *s, const struct td_media_span_ops *span);
void td_slot_stop(struct td_slot *s, const struct td_media_span_ops *span);
/** To be called when the line's position is new, before packets are read: the
 *  blocks that went by without us. */
void td_slot_catch_up(struct td_slot *s);
/** Moves octets both ways. */
void td_slot_run(struct td_slot *s, struct td_turn *t);
/** For td_jitter_put. */
void td_slot_position(const struct td_slot *s, uint64_t *now, uint32_t *lead);
void td_slot_publish(struct td_slot *s);

#endif
