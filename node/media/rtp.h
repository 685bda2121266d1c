/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_RTP_H
#define TD_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** RTP packets and the receiver's account of a source. RFC 3550. Pure. */

enum {
	TD_RTP_HEADER = 12,
	TD_RTP_MAX_PAYLOAD = 1600,	/* 200 ms of G.711, RFC 3551 4.2 */
	TD_RTP_MAX = 2048,		/* octets of a datagram */
	TD_RTP_HZ = 8000,		/* G.711's clock, RFC 3551 table 4 */
};

struct td_rtp_packet {
	uint8_t payload_type;
	bool marker;
	uint16_t seq;
	uint32_t ts, ssrc;
	const uint8_t *payload;	/* in the datagram, without padding */
	size_t n;
};

/** RFC 3550 5.1, 5.3.1, A.1; refuses the payload types that would be RTCP
 *  (RFC 5761 4). @return 0, -EBADMSG */
int td_rtp_parse(const void *datagram, size_t n, struct td_rtp_packet *out);
/** Writes the 12 octets of p's header. */
void td_rtp_header(uint8_t out[TD_RTP_HEADER], const struct td_rtp_packet *p);

/** What a receiver knows of the source it listens to (RFC 3550 A.1, A.3,
 *  A.8). Zeroed: none yet. */
struct td_rtp_source {
	bool started;
	uint32_t ssrc;
	uint16_t max_seq;
	uint32_t cycles;	/* times 2^16 */
	uint32_t base_seq;
	uint64_t seen;		/* bit i: max_seq - i came */
	uint32_t received, duplicates;
	uint32_t expected_prior, received_prior;
	uint32_t jitter16;	/* A.8, times 16, RTP units */
	uint32_t transit;
	bool has_transit;
	int64_t last_ns;
	/* a jump of the sequence or another SSRC waits for its second packet */
	bool has_next;
	uint32_t next_ssrc;
	uint16_t next_seq;
};

enum td_rtp_verdict {
	TD_RTP_NEXT = 1,	/* newer than all before */
	TD_RTP_REORDERED,	/* fills a hole */
	TD_RTP_START,		/* first of a new source: begin afresh */
	TD_RTP_DUPLICATE,
	TD_RTP_OLD,		/* too far behind to tell */
	TD_RTP_DOUBTFUL,	/* jump: dropped unless the next one follows */
};

/** Judges a packet and takes it into the account.
 *  @param now_ns  arrival, any steady clock */
enum td_rtp_verdict td_rtp_receive(struct td_rtp_source *s,
				   const struct td_rtp_packet *p,
				   int64_t now_ns);
/** Interarrival jitter (A.8); only for packets whose timestamp is that of
 *  their own time: audio, not telephone-events. */
void td_rtp_jitter(struct td_rtp_source *s, uint32_t ts, int64_t now_ns);
/** Expected but never received, duplicates taken out; 0 or more. */
uint32_t td_rtp_lost(const struct td_rtp_source *s);
uint32_t td_rtp_jitter_us(const struct td_rtp_source *s);
/** Units of RTP time, 8 kHz. */
uint32_t td_rtp_clock(int64_t ns);

#endif
