/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XHDLC_H
#define TD_XHDLC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** HDLC of a D-channel as the exchange does it (ISO/IEC 13239, Q.921 2):
 *  flags between frames, a zero after five ones, FCS-16. A frame's octets
 *  leave least significant bit first, while a timeslot's first bit is its
 *  octet's most significant: 0x31 is 0x8C on the line. */
enum { TD_XHDLC_FRAME = 300, TD_XHDLC_QUEUE = 256 };

/** FCS-16 over these octets, as it is sent (low octet first). */
uint16_t td_xhdlc_fcs(const uint8_t *o, size_t n);

struct td_xhdlc_tx {
	struct {
		uint16_t len;
		uint8_t o[TD_XHDLC_FRAME];
	} q[TD_XHDLC_QUEUE];
	uint32_t head, tail;
	uint32_t octet, bit;	/* where in the frame at the head */
	int ones;
	int flag;		/* bits of a flag still to send */
	bool in_frame;
	uint64_t frames, refused;
};

void td_xhdlc_tx_init(struct td_xhdlc_tx *t);
/** @param o address, control, information; the FCS is added
 *  @return 0, -ENOSPC (counted), -EMSGSIZE */
int td_xhdlc_tx_put(struct td_xhdlc_tx *t, const uint8_t *o, size_t n);
/** Octets for the timeslot; flags when there is nothing to say. */
void td_xhdlc_tx_fill(struct td_xhdlc_tx *t, uint8_t *o, size_t n);

typedef void (*td_xhdlc_fn)(void *arg, const uint8_t *frame, size_t n);

struct td_xhdlc_rx {
	uint8_t o[TD_XHDLC_FRAME + 2];
	uint32_t nbits;		/* since the last flag */
	int ones;
	bool hunting;		/* nothing counts until a flag */
	td_xhdlc_fn fn;
	void *arg;
	uint64_t frames, crc, aborted, too_short, too_long, unaligned;
};

/** @param fn called with each good frame, without its FCS */
void td_xhdlc_rx_init(struct td_xhdlc_rx *r, td_xhdlc_fn fn, void *arg);
void td_xhdlc_rx_feed(struct td_xhdlc_rx *r, const uint8_t *o, size_t n);

#endif
