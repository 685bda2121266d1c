/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XCES_H
#define TD_XCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** CESoPSN packets as a lab's lines use them: RFC 5086 over UDP, basic NxDS0,
 *  no RTP header, 8 frames of the timeslots 1 ... 31. */
enum {
	TD_XCES_SLOTS = 31,
	TD_XCES_FRAMES = 8,
	TD_XCES_PAYLOAD = TD_XCES_SLOTS * TD_XCES_FRAMES,
	TD_XCES_PACKET = 4 + TD_XCES_PAYLOAD,
	TD_XCES_IDLE = 0xd5,	/* A-law silence in an unused timeslot */
};

/** The control word, RFC 5086 4.3. */
struct td_xces_word {
	bool l;			/* attachment circuit down: payload invalid */
	bool r;			/* we get no packets */
	uint8_t m;		/* l = 0: 2 is RDI of the attachment circuit */
	uint16_t seq;
};

void td_xces_put_word(uint8_t p[4], const struct td_xces_word *w);

/** @param[out] payload  NULL: the packet has none (only with L)
 *  @return 0, -EINVAL: not such a packet */
int td_xces_parse(const uint8_t *p, size_t n, struct td_xces_word *w,
		  const uint8_t **payload);

/** One timeslot's eight octets out of a payload, and into it.
 *  @param ts 1 ... 31 */
void td_xces_get_slot(const uint8_t *payload, int ts, uint8_t o[8]);
void td_xces_put_slot(uint8_t *payload, int ts, const uint8_t o[8]);

#endif
