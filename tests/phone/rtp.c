// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/phone/rtp.h"

#include <string.h>

enum {
	HEADER = 12,
	LATE_ROW = 25,		/* late packets in a row: the time has moved */
	JUMP = 8000,		/* octets: 1 s from where it should be */
	MS_NS = 1000000,
};

void td_prtp_init(struct td_prtp *s, int pt, int ptime_ms, uint32_t ssrc,
		  uint64_t turn)
{
	memset(s, 0, sizeof(*s));
	s->pt = pt;
	s->ptime_ms = ptime_ms;
	s->tx_ssrc = ssrc;
	s->tx_ts = ssrc * 2654435761u;
	s->tx_seq = s->tx_ts >> 16;
	s->tx_marker = true;
	s->phase = ssrc % ptime_ms;	/* not all phones at once */
	s->play_pos = turn * 8;
}

static void note_source(struct td_prtp *s, uint32_t addr, uint16_t port)
{
	for (int i = 0; i < TD_PRTP_SOURCES; i++) {
		struct td_prtp_source *q = &s->source[i];

		if (!q->packets) {
			q->addr = addr;
			q->port = port;
		}
		if (q->addr == addr && q->port == port) {
			q->packets++;
			return;
		}
	}
	s->more_sources++;
}

static void anchor(struct td_prtp *s, uint32_t ssrc, uint32_t ts)
{
	if (!s->started || ssrc != s->rx_ssrc)
		s->ssrcs++;
	s->started = true;
	s->rx_ssrc = ssrc;
	s->anchor_ts = ts;
	s->anchor_pos = s->play_pos + TD_PRTP_PLAY_MS * 8;
	s->late_row = 0;
	s->anchors++;
}

static void note_seq(struct td_prtp *s, uint16_t seq)
{
	int16_t d = seq - s->last_seq;

	if (d > 1)
		s->seq_lost += d - 1;
	if (d < 0) {
		s->seq_reordered++;
		s->seq_lost -= s->seq_lost > 0;
		return;
	}
	s->last_seq = seq;
}

/* octets of the payload, 0: not an RTP packet of ours */
static size_t payload(struct td_prtp *s, const uint8_t *p, size_t n,
		      size_t *at)
{
	size_t end = n, x = HEADER + (p[0] & 15) * 4;

	if (n < HEADER || p[0] >> 6 != 2)
		return 0;
	if (p[0] & 0x10) {		/* extension */
		if (x + 4 > n)
			return 0;
		x += 4 + (p[x + 2] << 8 | p[x + 3]) * 4;
	}
	if (p[0] & 0x20) {		/* padding */
		if (!p[n - 1] || p[n - 1] > n)
			return 0;
		end -= p[n - 1];
	}
	if (x >= end || end - x > TD_PRTP_RING / 4)
		return 0;
	*at = x;
	return end - x;
}

/* @return octets that were there already */
static size_t store(struct td_prtp *s, uint64_t pos, const uint8_t *o,
		    size_t n)
{
	size_t twice = 0;

	for (size_t i = 0; i < n; i++, pos++) {
		size_t k = pos % TD_PRTP_RING;

		twice += s->have[k] == (uint32_t)pos + 1;
		s->ring[k] = o[i];
		s->have[k] = pos + 1;
	}
	return twice;
}

void td_prtp_receive(struct td_prtp *s, const uint8_t *p, size_t n,
		     uint32_t addr, uint16_t port)
{
	size_t at, len = n ? payload(s, p, n, &at) : 0;
	uint32_t ts, ssrc;
	uint16_t seq;
	int64_t pos;

	if (!len) {
		s->malformed++;
		return;
	}
	note_source(s, addr, port);
	if ((p[1] & 0x7f) != s->pt) {
		s->other_pt++;
		return;
	}
	s->received++;
	seq = p[2] << 8 | p[3];
	ts = (uint32_t)p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7];
	ssrc = (uint32_t)p[8] << 24 | p[9] << 16 | p[10] << 8 | p[11];
	if (!s->started || ssrc != s->rx_ssrc) {
		anchor(s, ssrc, ts);
		s->last_seq = seq - 1;
	}
	note_seq(s, seq);
	pos = (int64_t)s->anchor_pos + (int32_t)(ts - s->anchor_ts) -
	      (int64_t)s->play_pos;
	if (pos < -JUMP || pos > JUMP) {
		anchor(s, ssrc, ts);
		pos = s->anchor_pos - s->play_pos;
	}
	if (pos < 0) {
		s->late++;
		if (++s->late_row < LATE_ROW)
			return;
		anchor(s, ssrc, ts);
		pos = s->anchor_pos - s->play_pos;
	}
	s->late_row = 0;
	if (store(s, pos + s->play_pos, p + at, len) == len)
		s->duplicate++;
}

static void put_header(struct td_prtp *s)
{
	uint8_t *p = s->tx;

	p[0] = 0x80;
	p[1] = s->pt | (s->tx_marker ? 0x80 : 0);
	p[2] = s->tx_seq >> 8;
	p[3] = s->tx_seq & 0xff;
	for (int i = 0; i < 4; i++) {
		p[4 + i] = s->tx_ts >> (24 - 8 * i);
		p[8 + i] = s->tx_ssrc >> (24 - 8 * i);
	}
}

static size_t say(struct td_prtp *s, uint64_t turn)
{
	int full = s->ptime_ms * 8;
	size_t n = 0;

	td_xchan_say(&s->chan, s->tx + HEADER + s->n_tx);
	s->n_tx += 8;
	if ((int)(turn % s->ptime_ms) == s->phase && s->n_tx < full) {
		/* the first packet may be short of octets: start with the next
		 * whole one, in step */
		s->tx_ts += s->n_tx;
		s->n_tx = 0;
	}
	if (s->n_tx < full)
		return 0;
	if (s->sending) {
		put_header(s);
		s->tx_seq++;
		s->tx_marker = false;
		s->sent++;
		n = HEADER + full;
	} else {
		s->tx_marker = true;
	}
	s->tx_ts += full;
	s->n_tx = 0;
	return n;
}

size_t td_prtp_turn(struct td_prtp *s, uint64_t turn)
{
	size_t k = s->play_pos % TD_PRTP_RING;
	uint8_t came = 0;

	for (int i = 0; i < 8; i++)
		if (s->have[k + i] == (uint32_t)s->play_pos + i + 1)
			came |= 1 << i;
	if (s->started)
		td_xchan_hear(&s->chan, s->ring + k, came,
			      (int64_t)turn * MS_NS);
	s->play_pos += 8;
	return say(s, turn);
}
