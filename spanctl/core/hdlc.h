/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_HDLC_H
#define TD_CORE_HDLC_H

#include "spanctl/core/compat.h"

/** HDLC framing (ISO/IEC 13239 4; Q.921 2) of a timeslot: flags, bit
 *  stuffing, FCS. A frame's octets are sent least significant bit first, a
 *  line octet most significant bit first (G.711, G.704), so that an aligned
 *  0x31 leaves as 0x8C. Pure; plain structs, no allocation. */
enum {
	TD_HDLC_FRAME_MAX = 1024,	/* octets, FCS not counted */
	TD_HDLC_FRAME_MIN = 2,		/* address and control */
	TD_HDLC_FCS = 2,
};

struct td_hdlc_counters {
	uint64_t good;
	uint64_t crc;		/* wrong FCS, or not whole octets */
	uint64_t abort;		/* 7 ones in a frame, or a lost block */
	uint64_t short_;	/* fewer than MIN octets */
	uint64_t long_;		/* more than MAX octets */
};

/** A good frame, FCS taken off; valid during the call only. */
typedef void (*td_hdlc_frame_fn)(void *arg, const uint8_t *data, size_t n);

struct td_hdlc_rx {
	td_hdlc_frame_fn fn;
	void *arg;
	struct td_hdlc_counters counters;
	uint32_t bits;		/* unstuffed bits since the last flag */
	uint16_t crc;
	uint8_t ones;		/* consecutive, 7: an abort */
	uint8_t acc;
	bool stuffed;		/* the newest zero was taken out */
	bool hunt;		/* nothing is taken until a flag */
	uint8_t buf[TD_HDLC_FRAME_MAX + TD_HDLC_FCS];
};

void td_hdlc_rx_init(struct td_hdlc_rx *rx, td_hdlc_frame_fn fn, void *arg);
void td_hdlc_rx_octets(struct td_hdlc_rx *rx, const uint8_t *line, size_t n);
/** Octets of the line are missing here: the frame they were in is dropped. */
void td_hdlc_rx_gap(struct td_hdlc_rx *rx);

struct td_hdlc_tx {
	uint32_t acc;		/* bits to be sent, first in bit 0 */
	uint8_t n_acc;
	uint8_t ones;
	bool flagged;		/* the last thing sent was a flag */
	uint16_t n, pos;	/* frame with FCS; n = 0: none */
	uint8_t buf[TD_HDLC_FRAME_MAX + TD_HDLC_FCS];
};

/** Sends flags until a frame is loaded. */
void td_hdlc_tx_init(struct td_hdlc_tx *tx);
/** May the next frame be loaded? Asked before every octet, consecutive frames
 *  share one flag. */
static inline bool td_hdlc_tx_ready(const struct td_hdlc_tx *tx)
{
	return tx->n == 0;
}
/** @return 0, -EBUSY: not ready, -EMSGSIZE */
int td_hdlc_tx_load(struct td_hdlc_tx *tx, const uint8_t *data, size_t n);
uint8_t td_hdlc_tx_octet(struct td_hdlc_tx *tx);

#endif
