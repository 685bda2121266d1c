/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_RTCP_H
#define TD_RTCP_H

#include "node/media/rtp.h"

/** RTCP of a stream between two parties: SR, RR, SDES CNAME, BYE.
 *  RFC 3550 6. Pure. */

enum { TD_RTCP_MAX = 256 };	/* octets of what td_rtcp_build writes */

/** A report block, 6.4.1. */
struct td_rtcp_block {
	uint32_t ssrc;
	uint8_t fraction;
	int32_t lost;
	uint32_t highest, jitter, lsr, dlsr;
};

/** What of a received compound packet matters. */
struct td_rtcp_in {
	uint32_t ssrc;		/* its sender */
	bool sr;
	uint64_t ntp;		/* SR: 32.32 s */
	uint32_t ts;
	bool has_block;		/* one was about us */
	struct td_rtcp_block block;
	bool bye;
};

/** Checks the whole compound by A.2, then looks at each packet.
 *  @param ours  our SSRC: which report block to take
 *  @return 0, -EBADMSG: nothing of it is to be believed */
int td_rtcp_parse(const void *datagram, size_t n, uint32_t ours,
		  struct td_rtcp_in *out);

struct td_rtcp_out {
	uint32_t ssrc;
	bool sr;		/* RTP was sent since the last report */
	uint64_t ntp;
	uint32_t ts, packets, octets;
	bool has_block;
	struct td_rtcp_block block;
	const char *cname;
	bool bye;
};

/** Writes a compound packet. @return its octets, 0: cname is too long */
size_t td_rtcp_build(const struct td_rtcp_out *r, uint8_t out[TD_RTCP_MAX]);

/** Fills the report block about s; starts its next interval (A.3). lsr and
 *  dlsr are the caller's. */
void td_rtcp_block(struct td_rtp_source *s, struct td_rtcp_block *out);
/** Middle 32 bits of an NTP timestamp, 4. */
uint32_t td_rtcp_middle(uint64_t ntp);
/** Wall clock to NTP, 32.32 s since 1900. */
uint64_t td_rtcp_ntp(int64_t wall_ns);
/** Round trip by a block about us (6.4.1, figure 2), now as td_rtcp_middle.
 *  @return 0, -ENODATA: none in it, or not believable */
int td_rtcp_rtt_us(const struct td_rtcp_block *b, uint32_t now,
		   uint32_t *out_us);

#endif
