/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_CESOP_H
#define TD_CORE_CESOP_H

#include "spanctl/core/compat.h"

/** CESoPSN, basic NxDS0 service, no RTP header (RFC 5086 4.3, 5.1): a control
 *  word, then 8 frames of timeslots 1 to 31, frame by frame. A packet is 1 ms.
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  |0|0|0|0|L|R| M |FRG|   LEN     |       Sequence number         |   */
enum {
	TD_CESOP_HEADER = 4,
	TD_CESOP_FRAMES = 8,
	TD_CESOP_SLOTS = 31,
	TD_CESOP_PAYLOAD = TD_CESOP_FRAMES * TD_CESOP_SLOTS,
	TD_CESOP_PACKET = TD_CESOP_HEADER + TD_CESOP_PAYLOAD,
};

struct td_cesop {
	uint16_t seq;
	bool l;			/* TDM data is invalid: AIS at the far end */
	bool r;			/* the far end is losing our packets */
	bool rdi;		/* M = 10: remote defect on its circuit */
};

/** Writes the control word. */
void td_cesop_put(const struct td_cesop *h, uint8_t out[TD_CESOP_HEADER]);
/** @param n  octets of the packet; with L = 1 the control word may stand alone
 *  @param[out] payload  NULL when there is none
 *  @return 0, or -EBADMSG: length, first nibble, FRG, LEN, or a combination
 *  of L and M that is reserved or not for data (RFC 5086 4.3) */
int td_cesop_get(const uint8_t *packet, size_t n, struct td_cesop *h,
		 const uint8_t **payload);

/** A block as [timeslot][frame]; row 0 is not part of the packet. */
typedef uint8_t td_cesop_cells[TD_CESOP_SLOTS + 1][TD_CESOP_FRAMES];

void td_cesop_unpack(const uint8_t *payload, td_cesop_cells out);
void td_cesop_pack(td_cesop_cells cells, uint8_t *payload);

#endif
