// SPDX-License-Identifier: GPL-2.0-or-later
#include <time.h>

#include "node/media/inbox.h"
#include "node/media/stream.h"

/* RTCP of a stream. RFC 3550 6.2, for two parties: at least 5 s apart, half
 * of it for the first report, each 0.5 to 1.5 times that. */

enum { READS = 2, INTERVAL_MS = 5000 };

static int64_t interval_ns(struct td_stream *s, int64_t ms)
{
	/* xorshift: these need not be hard to guess, only different */
	s->rtcp_seed ^= s->rtcp_seed << 13;
	s->rtcp_seed ^= s->rtcp_seed >> 17;
	s->rtcp_seed ^= s->rtcp_seed << 5;
	return (ms / 2 + s->rtcp_seed % ms) * 1000000;
}

void td_report_start(struct td_stream *s, int64_t now_ns)
{
	s->rtcp_seed = s->ssrc | 1;
	s->rtcp_due_ns = now_ns + interval_ns(s, INTERVAL_MS / 2);
}

/* the RTCP of who sends us RTP; its port when it has shown it, else the usual
 * one above RTP's (RFC 3550 11) */
static bool destination(const struct td_stream *s, struct td_addr *out)
{
	const struct td_addr *rtp = td_latch_to(&s->latch);

	if (!rtp)
		return false;
	if (td_addr_same_host(&s->rtcp_from, rtp)) {
		*out = s->rtcp_from;
		return true;
	}
	*out = *rtp;
	td_addr_port_set(out, td_addr_port(rtp) + 1);
	return true;
}

static uint64_t wall_ntp(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return td_rtcp_ntp(ts.tv_sec * 1000000000ll + ts.tv_nsec);
}

static void send_report(struct td_stream *s, int64_t now_ns, bool bye)
{
	struct td_rtcp_out r = {
		.ssrc = s->ssrc,
		.sr = s->n.tx_packets != s->rtcp_reported,
		.ntp = wall_ntp(),
		.ts = td_stream_ts(s, now_ns),
		.packets = s->n.tx_packets,
		.octets = s->n.tx_octets,
		.cname = s->cname,
		.bye = bye,
	};
	uint8_t buf[TD_RTCP_MAX];
	struct td_addr to;
	size_t n;

	if (!destination(s, &to))
		return;
	if (s->source.started) {
		r.has_block = true;
		td_rtcp_block(&s->source, &r.block);
		if (s->sr_ns) {
			r.block.lsr = td_rtcp_middle(s->sr_ntp);
			r.block.dlsr = (now_ns - s->sr_ns) / 1000 * 65536 /
				       1000000;
		}
	}
	s->rtcp_reported = s->n.tx_packets;
	n = td_rtcp_build(&r, buf);
	if (n && sendto(s->fd_rtcp, buf, n, MSG_DONTWAIT, &to.sa, to.len) > 0)
		s->n.rtcp_out++;
}

void td_report_run(struct td_stream *s, int64_t now_ns)
{
	if (now_ns < s->rtcp_due_ns)
		return;
	s->rtcp_due_ns = now_ns + interval_ns(s, INTERVAL_MS);
	if (s->sent || s->source.started)
		send_report(s, now_ns, false);
}

void td_report_bye(struct td_stream *s, int64_t now_ns)
{
	if (s->sent)		/* 6.3.7: who never sent says no BYE */
		send_report(s, now_ns, true);
}

void td_report_packet(struct td_stream *s, int64_t now_ns,
		      const struct td_addr *from, const uint8_t *p, size_t n)
{
	const struct td_addr *rtp = td_latch_to(&s->latch);
	struct td_rtcp_in in;

	if (td_rtcp_parse(p, n, s->ssrc, &in)) {
		s->n.rtcp_bad++;
		return;
	}
	if (!rtp || (!td_addr_same_host(rtp, from) &&
		     !td_addr_same_host(&s->latch.signalled, from))) {
		s->n.rx_foreign++;
		return;
	}
	s->n.rtcp_in++;
	s->heard_ns = now_ns;
	s->rtcp_from = *from;
	if (in.sr) {
		s->sr_ntp = in.ntp;
		s->sr_ns = now_ns;
	}
	if (in.has_block)
		td_rtcp_rtt_us(&in.block, td_rtcp_middle(wall_ntp()),
			       &s->rtt_us);
	if (in.bye)
		s->bye = true;
}

void td_report_receive(struct td_stream *s, struct td_turn *t)
{
	struct td_addr from;
	unsigned int n;

	for (int reads = 0; reads < READS; reads++) {
		n = td_inbox_read(t->in, s->fd_rtcp);
		for (unsigned int i = 0; i < n; i++) {
			size_t size;
			const uint8_t *d = td_inbox_get(t->in, i, &size,
							&from);

			td_report_packet(s, t->now_ns, &from, d, size);
		}
		if (n < TD_INBOX)
			return;
	}
}
