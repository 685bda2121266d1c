/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_STREAM_H
#define TD_STREAM_H

#include "node/call/voice.h"
#include "node/media/engine.h"
#include "node/media/jitter.h"
#include "node/media/latch.h"
#include "node/media/rtcp.h"

/** An RTP stream: one socket pair, one party. Private to the room. Made and
 *  freed by the control thread; between its ADD and its CLOSE command all but
 *  `pub` and `ctl` belongs to the media thread. */

enum {
	TD_STREAM_PACKET = 480,	/* 60 ms */
	TD_PTIME_DEFAULT = 20,
};

struct td_stream_counts {
	uint64_t rx_packets, rx_octets, rx_duplicate, rx_malformed,
		rx_foreign, rx_doubtful, rx_other, rx_events;
	uint64_t tx_packets, tx_octets, rtcp_in, rtcp_out, rtcp_bad;
};

struct td_stream {
	struct td_end end;
	/* constant */
	uint32_t id;
	int fd, fd_rtcp;
	uint32_t ssrc;
	char cname[32];
	struct td_poll poll, poll_rtcp;
	/* the media thread's */
	struct td_stream *next, **link;
	bool in_ticked;		/* its socket is looked at on ticks only */
	struct td_voice_rtp set;
	struct td_latch latch;
	struct td_rtp_source source;
	uint32_t starts;	/* sources seen */
	/* what we send */
	uint16_t seq;
	uint32_t ts_base, ts_next;
	int64_t sent_ns;
	bool sent;		/* anything yet */
	bool talking;		/* timestamps go on from ts_next */
	uint32_t filled;
	uint8_t packet[TD_STREAM_PACKET];	/* A-law, towards one */
	/* passing on packets of another stream (or of this, echoed) */
	bool relaying;
	struct td_stream *relay_from;
	uint32_t relay_starts, relay_count, relay_ts;
	uint16_t relay_seq, relay_first;
	/* RTCP */
	struct td_addr rtcp_from;
	int64_t rtcp_due_ns;
	uint64_t rtcp_reported;	/* tx_packets at the last report */
	uint32_t rtcp_seed;
	uint64_t sr_ntp;	/* newest SR that came */
	int64_t sr_ns;
	uint32_t rtt_us;
	bool bye;
	struct td_stream_counts n;
	struct td_jitter jitter;
	int64_t heard_ns;	/* newest RTP or RTCP of its party */
	/* any thread, td_counted(): */
	struct td_voice_stats pub;
	uint64_t pub_heard_ms;
	/* the control thread's */
	struct {
		struct td_voice_rtp set;
		struct td_voice_end peer;
		struct td_addr local;
		uint16_t port;
		struct td_ports *ports;
		struct td_command *close;	/* kept ready */
		uint16_t seq;			/* of its first packet */
		int64_t quiet_ms;		/* silence counts from here */
	} ctl;
};

void td_stream_set(struct td_stream *s, const struct td_voice_rtp *set,
		   const struct td_addr *remote);
/** Nothing of what was sent before goes on: it is joined anew. */
void td_stream_rejoin(struct td_stream *s);
/** Reads the RTP socket until it is empty, at most a few times. */
void td_stream_receive(struct td_stream *s, struct td_turn *t);
/** A datagram that came. */
void td_stream_packet(struct td_stream *s, struct td_turn *t,
		      const struct td_addr *from, const uint8_t *p, size_t n);
/** Octets of a line that go to the stream's party, in order. */
void td_stream_take(struct td_stream *s, struct td_turn *t,
		    const uint8_t *alaw, size_t n);
/** The line lost n octets for good. */
void td_stream_gap(struct td_stream *s, size_t n);
/** RTP timestamp of now, RFC 3550 6.4.1. */
uint32_t td_stream_ts(const struct td_stream *s, int64_t now_ns);
void td_stream_publish(struct td_stream *s);

/* report.c */
void td_report_start(struct td_stream *s, int64_t now_ns);
/** Sends a report when it is due. */
void td_report_run(struct td_stream *s, int64_t now_ns);
void td_report_bye(struct td_stream *s, int64_t now_ns);
void td_report_receive(struct td_stream *s, struct td_turn *t);
void td_report_packet(struct td_stream *s, int64_t now_ns,
		      const struct td_addr *from, const uint8_t *p, size_t n);

#endif
