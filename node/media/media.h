/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MEDIA_H
#define TD_MEDIA_H

#include <jansson.h>

#include "node/call/voice.h"

/** The media room: RTP streams, timeslots and what joins them, in a thread of
 *  its own. All functions here are for the control loop's thread. */

struct td_media;
struct td_loop;
struct td_card;
struct td_media_span_ops;

struct td_media_cfg {
	struct td_loop *loop;
	struct td_card *card;	/* NULL: no timeslots. Outlives the room */
	unsigned int max_streams;	/* 0: 2048 */
	int priority;		/* SCHED_FIFO; 0: an ordinary thread. Not being
				 * allowed to is a warning */
	unsigned int wake_blocks;	/* ms between wake-ups, 0: 5 */
	const struct td_media_span_ops *span;	/* NULL: spanctl/lib */
};

/** Starts the thread. */
int td_media_new(const struct td_media_cfg *cfg, struct td_media **out);
/** The card, NULL: it went away. The old one may be closed after this. Slots
 *  stay joined meanwhile: they are silent, and go on by themselves with the
 *  new card, cross-connects too. What comes for them until then is dropped.
 *  @return 0, -ENOMEM, or what the new card says: then all is as before */
int td_media_set_card(struct td_media *m, struct td_card *card);
/** Stops it; closes every stream, parts every slot. */
void td_media_free(struct td_media *m);
/** Fills out with the room's functions (node/call/voice.h). Beyond what is
 *  said there:
 *  rtp_set: -EINVAL: codec, or an address that is not one host's;
 *    ptime_ms other than 10, 20 .. 60 means 20; jitter_ms 0 means 60, at most
 *    200; remote 0.0.0.0 (old-style hold) is as "".
 *  rtp_open, rtp_set, join: -EAGAIN: the thread is behind, counted.
 *  join: -ENODEV: no such port or timeslot, -ENOENT: no such stream; of slot
 *    to slot what the card says (waits for its answer). A slot that the card
 *    refuses to a stream later is logged (MEDIA-SLOT) and counted.
 *  stats of a slot: packets are blocks of 1 ms, of this join or the last;
 *    rx_late are blocks that were sent without us. */
void td_media_ops(struct td_media *m, struct td_voice_ops *out);
json_t *td_media_dump(struct td_media *m);

#endif
