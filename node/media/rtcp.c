// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/rtcp.h"

#include <errno.h>
#include <string.h>

enum { SR = 200, RR, SDES, BYE, BLOCK = 24, CNAME = 1 };

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = v >> (24 - 8 * i);
	return p + 4;
}

/* RFC 3550 A.2: version, no padding but in the last, first is SR or RR, and
 * the lengths add up */
static int check(const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	bool first = true;

	if (n < 8 || n % 4)
		return -EBADMSG;
	while (p < end) {
		size_t len = ((p[2] << 8 | p[3]) + 1) * 4;

		if (p[0] >> 6 != 2 || len > (size_t)(end - p))
			return -EBADMSG;
		if (first && ((p[1] != SR && p[1] != RR) || p[0] & 0x20))
			return -EBADMSG;
		if (p[0] & 0x20 && p + len != end)
			return -EBADMSG;
		first = false;
		p += len;
	}
	return 0;
}

static void get_block(const uint8_t *p, struct td_rtcp_block *b)
{
	/* 24 bits, signed */
	int32_t lost = (int32_t)(get32(p + 4) << 8) >> 8;

	*b = (struct td_rtcp_block){
		.ssrc = get32(p),
		.fraction = p[4],
		.lost = lost,
		.highest = get32(p + 8),
		.jitter = get32(p + 12),
		.lsr = get32(p + 16),
		.dlsr = get32(p + 20),
	};
}

/* one SR or RR of len octets; n_blocks of the header may lie */
static int get_report(const uint8_t *p, size_t len, uint32_t ours,
		      struct td_rtcp_in *in)
{
	size_t at = p[1] == SR ? 28 : 8, count = p[0] & 31;

	if (at + count * BLOCK > len)
		return -EBADMSG;
	in->ssrc = get32(p + 4);
	if (p[1] == SR) {
		in->sr = true;
		in->ntp = (uint64_t)get32(p + 8) << 32 | get32(p + 12);
		in->ts = get32(p + 16);
	}
	for (; count; count--, at += BLOCK) {
		struct td_rtcp_block b;

		get_block(p + at, &b);
		if (b.ssrc != ours)
			continue;
		in->has_block = true;
		in->block = b;
	}
	return 0;
}

int td_rtcp_parse(const void *datagram, size_t n, uint32_t ours,
		  struct td_rtcp_in *out)
{
	const uint8_t *p = datagram, *end = p + n;
	struct td_rtcp_in in = { 0 };

	if (check(p, n))
		return -EBADMSG;
	while (p < end) {
		size_t len = ((p[2] << 8 | p[3]) + 1) * 4;

		if ((p[1] == SR || p[1] == RR) &&
		    (len < 8 || get_report(p, len, ours, &in)))
			return -EBADMSG;
		if (p[1] == BYE && (p[0] & 31) * 4u + 4 > len)
			return -EBADMSG;
		if (p[1] == BYE)
			in.bye = true;
		p += len;
	}
	*out = in;
	return 0;
}

static uint8_t *head(uint8_t *p, int count, int type)
{
	p[0] = 2 << 6 | count;
	p[1] = type;
	return p + 4;		/* length comes by length() */
}

static void length(uint8_t *packet, const uint8_t *end)
{
	size_t words = (end - packet) / 4 - 1;

	packet[2] = words >> 8;
	packet[3] = words;
}

static uint8_t *put_report(uint8_t *p, const struct td_rtcp_out *r)
{
	const struct td_rtcp_block *b = &r->block;
	uint8_t *packet = p;

	p = head(p, r->has_block, r->sr ? SR : RR);
	p = put32(p, r->ssrc);
	if (r->sr) {
		p = put32(p, r->ntp >> 32);
		p = put32(p, r->ntp);
		p = put32(p, r->ts);
		p = put32(p, r->packets);
		p = put32(p, r->octets);
	}
	if (r->has_block) {
		p = put32(p, b->ssrc);
		p = put32(p, (uint32_t)b->fraction << 24 |
			     (b->lost & 0xffffff));
		p = put32(p, b->highest);
		p = put32(p, b->jitter);
		p = put32(p, b->lsr);
		p = put32(p, b->dlsr);
	}
	length(packet, p);
	return p;
}

size_t td_rtcp_build(const struct td_rtcp_out *r, uint8_t out[TD_RTCP_MAX])
{
	size_t n = strlen(r->cname);
	uint8_t *p, *packet;

	if (n > 64)
		return 0;
	p = packet = put_report(out, r);
	p = head(p, 1, SDES);
	p = put32(p, r->ssrc);
	*p++ = CNAME;
	*p++ = n;
	memcpy(p, r->cname, n);
	p += n;
	do			/* a null item, up to the next 32 bits */
		*p++ = 0;
	while ((p - packet) % 4);
	length(packet, p);
	if (r->bye) {
		packet = p;
		p = put32(head(p, 1, BYE), r->ssrc);
		length(packet, p);
	}
	return p - out;
}

void td_rtcp_block(struct td_rtp_source *s, struct td_rtcp_block *out)
{
	uint32_t highest = s->cycles + s->max_seq;
	uint32_t expected = highest - s->base_seq + 1;
	uint32_t due = expected - s->expected_prior;
	uint32_t got = s->received - s->received_prior;
	int32_t lost = expected - s->received;

	s->expected_prior = expected;
	s->received_prior = s->received;
	if (lost > 0x7fffff)
		lost = 0x7fffff;
	if (lost < -0x800000)
		lost = -0x800000;
	*out = (struct td_rtcp_block){
		.ssrc = s->ssrc,
		.fraction = due && due > got ? ((due - got) << 8) / due : 0,
		.lost = lost,
		.highest = highest,
		.jitter = s->jitter16 >> 4,
	};
}

uint32_t td_rtcp_middle(uint64_t ntp)
{
	return ntp >> 16;
}

uint64_t td_rtcp_ntp(int64_t wall_ns)
{
	uint64_t s = wall_ns / 1000000000 + 2208988800ull;
	uint64_t ns = wall_ns % 1000000000;

	return s << 32 | (ns << 32) / 1000000000;
}

int td_rtcp_rtt_us(const struct td_rtcp_block *b, uint32_t now,
		   uint32_t *out_us)
{
	int32_t d = now - b->lsr - b->dlsr;

	/* clocks that run apart may give a little less than nothing */
	if (!b->lsr || d < -655 || d > 60 << 16)
		return -ENODATA;
	*out_us = d < 0 ? 0 : (uint64_t)d * 1000000 >> 16;
	return 0;
}
