// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/rtp.h"

#include <errno.h>

enum {
	MAX_DROPOUT = 3000,	/* RFC 3550 A.1 */
	MAX_MISORDER = 100,
	SEEN = 64,
	/* a source that was silent so long may be replaced at once */
	QUIET_NS = 100 * 1000000,
};

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

int td_rtp_parse(const void *datagram, size_t n, struct td_rtp_packet *out)
{
	const uint8_t *p = datagram;
	size_t head, pad = 0;
	uint8_t pt;

	if (n < TD_RTP_HEADER || n > TD_RTP_MAX || p[0] >> 6 != 2)
		return -EBADMSG;
	pt = p[1] & 0x7f;
	if (pt >= 64 && pt <= 95)
		return -EBADMSG;
	head = TD_RTP_HEADER + (p[0] & 15) * 4;
	if (p[0] & 0x10) {		/* header extension, 5.3.1 */
		if (n < head + 4)
			return -EBADMSG;
		head += 4 + get16(p + head + 2) * 4;
	}
	if (n < head)
		return -EBADMSG;
	if (p[0] & 0x20) {
		pad = p[n - 1];
		if (!pad || pad > n - head)
			return -EBADMSG;
	}
	n -= head + pad;
	if (n > TD_RTP_MAX_PAYLOAD)
		return -EBADMSG;
	*out = (struct td_rtp_packet){
		.payload_type = pt,
		.marker = p[1] >> 7,
		.seq = get16(p + 2),
		.ts = get32(p + 4),
		.ssrc = get32(p + 8),
		.payload = p + head,
		.n = n,
	};
	return 0;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

void td_rtp_header(uint8_t out[TD_RTP_HEADER], const struct td_rtp_packet *p)
{
	out[0] = 2 << 6;
	out[1] = (p->marker ? 0x80 : 0) | (p->payload_type & 0x7f);
	put16(out + 2, p->seq);
	put32(out + 4, p->ts);
	put32(out + 8, p->ssrc);
}

static enum td_rtp_verdict start(struct td_rtp_source *s,
				 const struct td_rtp_packet *p, int64_t now_ns)
{
	*s = (struct td_rtp_source){
		.started = true,
		.ssrc = p->ssrc,
		.max_seq = p->seq,
		.base_seq = p->seq,
		.seen = 1,
		.received = 1,
		.last_ns = now_ns,
	};
	return TD_RTP_START;
}

/* RFC 3550 A.1's probation, for a source that would replace a running one */
static enum td_rtp_verdict doubt(struct td_rtp_source *s,
				 const struct td_rtp_packet *p, int64_t now_ns)
{
	if (s->has_next && s->next_ssrc == p->ssrc && s->next_seq == p->seq)
		return start(s, p, now_ns);
	s->has_next = true;
	s->next_ssrc = p->ssrc;
	s->next_seq = p->seq + 1;
	return TD_RTP_DOUBTFUL;
}

enum td_rtp_verdict td_rtp_receive(struct td_rtp_source *s,
				   const struct td_rtp_packet *p,
				   int64_t now_ns)
{
	uint16_t ahead, behind;

	if (!s->started)
		return start(s, p, now_ns);
	if (s->ssrc != p->ssrc) {
		if (now_ns - s->last_ns >= QUIET_NS)
			return start(s, p, now_ns);
		return doubt(s, p, now_ns);
	}
	ahead = p->seq - s->max_seq;
	behind = s->max_seq - p->seq;
	if (ahead && ahead < MAX_DROPOUT) {
		if (p->seq < s->max_seq)
			s->cycles += 1 << 16;
		s->max_seq = p->seq;
		s->seen = ahead < SEEN ? s->seen << ahead | 1 : 1;
		s->received++;
		s->has_next = false;
		s->last_ns = now_ns;
		return TD_RTP_NEXT;
	}
	if (behind < SEEN) {
		s->received++;
		if (s->seen >> behind & 1) {
			s->duplicates++;
			return TD_RTP_DUPLICATE;
		}
		s->seen |= 1ull << behind;
		/* one from before the first: it was expected too */
		if (s->cycles + s->max_seq >= behind &&
		    s->cycles + s->max_seq - behind < s->base_seq)
			s->base_seq = s->cycles + s->max_seq - behind;
		return TD_RTP_REORDERED;
	}
	if (behind < MAX_MISORDER) {
		s->received++;
		return TD_RTP_OLD;
	}
	return doubt(s, p, now_ns);
}

void td_rtp_jitter(struct td_rtp_source *s, uint32_t ts, int64_t now_ns)
{
	uint32_t transit = td_rtp_clock(now_ns) - ts;
	int32_t d = transit - s->transit;

	s->transit = transit;
	if (!s->has_transit) {
		s->has_transit = true;
		return;
	}
	if (d < 0)
		d = -d;
	if (d > TD_RTP_HZ)	/* the sender's clock was set: not jitter */
		return;
	s->jitter16 += d - ((s->jitter16 + 8) >> 4);
}

uint32_t td_rtp_lost(const struct td_rtp_source *s)
{
	uint32_t expected, got = s->received - s->duplicates;

	if (!s->started)
		return 0;
	expected = s->cycles + s->max_seq - s->base_seq + 1;
	return expected > got ? expected - got : 0;
}

uint32_t td_rtp_jitter_us(const struct td_rtp_source *s)
{
	return (uint64_t)s->jitter16 * 1000000 / 16 / TD_RTP_HZ;
}

uint32_t td_rtp_clock(int64_t ns)
{
	return ns / (1000000000 / TD_RTP_HZ);
}
