/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PRTP_H
#define TD_PRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/instr/chan.h"

/** One RTP stream of a phone, both ways (RFC 3550, RFC 3551: G.711, 8000 Hz).
 *  No socket and no clock in here: a turn is a millisecond, eight octets are
 *  played and eight are made in it. What arrives is played
 *  TD_PRTP_PLAY_MS after the first packet's arrival, by its time stamp, for as
 *  long as the stream keeps its time; a new SSRC, or a jump, gets a new place.
 */
enum {
	TD_PRTP_PLAY_MS = 100,
	TD_PRTP_RING = 16384,		/* octets; must be a power of 2 */
	TD_PRTP_PTIME_MAX = 60,
	TD_PRTP_PACKET = 12 + TD_PRTP_PTIME_MAX * 8,
	TD_PRTP_SOURCES = 8,
};

struct td_prtp_source {
	uint32_t addr;		/* network order */
	uint16_t port;		/* host order */
	uint64_t packets;
};

struct td_prtp {
	struct td_xchan chan;
	int pt, ptime_ms;
	bool sending;

	/* to send */
	uint32_t tx_ssrc, tx_ts;
	uint16_t tx_seq;
	bool tx_marker;
	int phase;		/* turn % ptime_ms in which packets leave */
	int n_tx;
	uint8_t tx[TD_PRTP_PACKET];

	/* received */
	bool started;
	uint32_t rx_ssrc;
	uint32_t anchor_ts;
	uint64_t anchor_pos, play_pos;
	uint8_t ring[TD_PRTP_RING];
	uint32_t have[TD_PRTP_RING];	/* low bits of the octet's place, +1 */
	int late_row;
	uint16_t last_seq;
	struct td_prtp_source source[TD_PRTP_SOURCES];

	uint64_t sent, received, malformed, other_pt, late, duplicate;
	uint64_t seq_lost, seq_reordered, anchors, ssrcs, more_sources;
};

/** @param turn  the next one: it gives packets their place in time
 *  @param ssrc  of what is sent; the first sequence number and time stamp
 *               are taken from it too */
void td_prtp_init(struct td_prtp *s, int pt, int ptime_ms, uint32_t ssrc,
		  uint64_t turn);
/** A packet; addr in network order, port in host order. */
void td_prtp_receive(struct td_prtp *s, const uint8_t *p, size_t n,
		     uint32_t addr, uint16_t port);
/** @return octets of a packet to send now (s->tx), 0: none */
size_t td_prtp_turn(struct td_prtp *s, uint64_t turn);

#endif
