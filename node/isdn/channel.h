/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_CHANNEL_H
#define TD_ISDN_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

/** Choice of B-channels, Q.931 5.1.2, 5.2.3.1 and 5.7. Pure. Sets of
 *  channels are bit sets: bit t is timeslot t, 1..31. */

/** Picks one to offer. The user side hunts from the top, the network side
 *  from the bottom, so that they meet only when the line is full.
 *  @return the timeslot, 0: none is free */
uint32_t td_isdn_channel_hunt(uint32_t free, bool network);

struct td_isdn_channel_ask {
	bool network;		/* we are the network side */
	uint32_t configured;
	uint32_t busy;		/* in use, known to both ends */
	uint32_t offered;	/* in a SETUP of ours, not answered yet */
	uint32_t channel;	/* what an incoming SETUP asks; 0: any */
	bool exclusive;
};

struct td_isdn_channel {
	uint32_t channel;
	bool yield;		/* glare: our call that offered it gives way */
};

/** Answer to an incoming SETUP.
 *  @return 0; else the cause to refuse with: 34 none is free, 44 the one
 *  asked for is busy, 82 it does not exist */
int td_isdn_channel_incoming(const struct td_isdn_channel_ask *ask,
			     struct td_isdn_channel *out);

/** What the far end's first answer to our SETUP says of the channel. */
enum td_isdn_channel_reply {
	TD_CHANNEL_KEEP,	/* the one offered */
	TD_CHANNEL_MOVE,	/* another, free one: take it */
	TD_CHANNEL_CONFLICT,	/* one that cannot be used: clear, cause 6 */
};
/** @param held the call's channel, 0 when it had to yield
 *  @param free channels that may be taken */
enum td_isdn_channel_reply td_isdn_channel_answer(uint32_t held,
						  uint32_t free,
						  uint32_t channel);

#endif
