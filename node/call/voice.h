/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_VOICE_H
#define TD_VOICE_H

#include <stdbool.h>
#include <stdint.h>

/** What the call room asks of the media room; a struct of functions so that
 *  the simulator can stand in. Control loop's thread; the media thread does
 *  the work later. An id is never 0. */

/** One end of a voice path on this node. */
struct td_voice_end {
	enum { TD_VOICE_RTP = 1, TD_VOICE_SLOT, TD_VOICE_ECHO } kind;
	uint32_t rtp;		/* RTP: id from rtp_open */
	uint32_t port;		/* SLOT: card's port, 1.. */
	uint32_t timeslot;
};

struct td_voice_rtp {
	char remote[46];	/* "": not known yet, nothing is sent */
	uint16_t remote_port;
	uint8_t codec;		/* payload type: 8 PCMA, 0 PCMU */
	uint8_t dtmf_payload;
	uint8_t ptime_ms;
	bool send, recv;	/* hold: what of the two flows */
	bool symmetric;		/* reply to where packets really come from */
	uint8_t dscp;		/* 46, 44 */
	uint32_t jitter_ms;	/* initial depth */
	uint32_t silence_s;	/* neither RTP nor RTCP for so long: tell; 0:
				 * never. Counts anew when it was 0 before */
};

/** Where a stream's numbers began, for whoever goes on with it. */
struct td_voice_start {
	uint32_t ssrc, ts;	/* ts as of now */
	uint16_t seq;		/* of the first packet */
};

/** Nothing came for silence_s, and each silence_s again while nothing does. */
typedef void (*td_voice_silent_fn)(void *arg, uint32_t rtp, uint32_t silent_ms);

struct td_voice_stats {
	uint64_t rx_packets, tx_packets, rx_lost, rx_late, rx_duplicate,
		rx_malformed, rx_foreign, concealed_ms, slips_ms;
	uint32_t jitter_us, depth_ms, rtt_us;
	uint32_t ssrc;
};

struct td_voice_ops {
	/** Binds an even RTP port and its RTCP port on address.
	 *  @return 0, -EADDRNOTAVAIL, -ENOSPC: no port free */
	int (*rtp_open)(void *m, const char *address, uint32_t *id,
			uint16_t *port);
	int (*rtp_set)(void *m, uint32_t id, const struct td_voice_rtp *p);
	/** The port rests for 60 s. Unknown id: no effect. */
	void (*rtp_close)(void *m, uint32_t id);
	/** Joins two ends both ways (ECHO: what comes goes back). An end that
	 *  was joined is moved. Slot to slot: the card's cross-connect */
	int (*join)(void *m, const struct td_voice_end *a,
		    const struct td_voice_end *b);
	void (*part)(void *m, const struct td_voice_end *a);
	int (*stats)(void *m, const struct td_voice_end *e,
		     struct td_voice_stats *out);
	/** NULL-able, as the next: @return 0, -ENOENT */
	int (*start)(void *m, uint32_t id, struct td_voice_start *out);
	/** Who is told of silence, in the control loop, never from inside one
	 *  of the functions above. */
	void (*watch)(void *m, td_voice_silent_fn fn, void *arg);
	void *m;
};

#endif
