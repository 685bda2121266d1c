// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/stream.h"

#include <string.h>

#include "node/media/count.h"
#include "node/media/g711.h"
#include "node/media/inbox.h"
#include "node/media/slot.h"

enum {
	PCMU = 0,
	PCMA = 8,
	CN = 13,		/* RFC 3389 */
	READS = 8,		/* of TD_INBOX datagrams a turn */
	FRESH = 100,		/* packets in which an older one may come */
};

void td_stream_set(struct td_stream *s, const struct td_voice_rtp *set,
		   const struct td_addr *remote)
{
	bool depth = s->set.jitter_ms != set->jitter_ms;

	s->set = *set;
	td_latch_set(&s->latch, remote, set->symmetric);
	if (depth && !s->jitter.playing)
		td_jitter_reset(&s->jitter, set->jitter_ms * 8);
	if (!set->recv)
		td_jitter_restart(&s->jitter);
}

void td_stream_rejoin(struct td_stream *s)
{
	s->talking = false;
	s->relaying = false;
	s->filled = 0;
	td_jitter_reset(&s->jitter, s->set.jitter_ms * 8);
}

/* ---- out ---- */

uint32_t td_stream_ts(const struct td_stream *s, int64_t now_ns)
{
	if (!s->sent)
		return s->ts_base + td_rtp_clock(now_ns);
	return s->ts_next + td_rtp_clock(now_ns - s->sent_ns);
}

/* where timestamps go on after a pause: by the clock, never back */
static uint32_t resume_ts(const struct td_stream *s, int64_t now_ns)
{
	uint32_t ts = s->ts_base + td_rtp_clock(now_ns);

	if (s->sent && (int32_t)(ts - s->ts_next) < 0)
		ts = s->ts_next;
	return ts;
}

static void send_packet(struct td_stream *s, struct td_turn *t,
			const struct td_addr *to,
			const struct td_rtp_packet *p)
{
	td_outbox_add(t->out, s->fd, to, p);
	s->sent = true;
	s->sent_ns = t->now_ns;
	s->n.tx_packets++;
	s->n.tx_octets += p->n;
}

static void convert(uint8_t *out, uint8_t to, const uint8_t *in, uint8_t from,
		    size_t n)
{
	if (from == to)
		memcpy(out, in, n);
	else if (to == PCMU)
		td_alaw_to_ulaw(out, in, n);
	else
		td_ulaw_to_alaw(out, in, n);
}

static void emit(struct td_stream *s, struct td_turn *t)
{
	const struct td_addr *to = td_latch_to(&s->latch);
	struct td_rtp_packet p = {
		.payload_type = s->set.codec,
		.marker = !s->talking,
		.ssrc = s->ssrc,
		.n = s->filled,
	};

	s->filled = 0;
	if (!to || !s->set.send) {
		s->talking = false;
		return;
	}
	if (!s->talking)
		s->ts_next = resume_ts(s, t->now_ns);
	s->talking = true;
	p.seq = s->seq++;
	p.ts = s->ts_next;
	s->ts_next += p.n;
	convert(td_outbox_room(t->out), s->set.codec, s->packet, PCMA, p.n);
	send_packet(s, t, to, &p);
}

void td_stream_take(struct td_stream *s, struct td_turn *t,
		    const uint8_t *alaw, size_t n)
{
	uint32_t size = s->set.ptime_ms * 8;

	if (s->filled >= size)		/* packets have become shorter */
		emit(s, t);
	while (n) {
		size_t k = size - s->filled < n ? size - s->filled : n;

		memcpy(s->packet + s->filled, alaw, k);
		s->filled += k;
		alaw += k;
		n -= k;
		if (s->filled == size)
			emit(s, t);
	}
}

void td_stream_gap(struct td_stream *s, size_t n)
{
	s->ts_next += s->filled + n;
	s->filled = 0;
}

/* ---- passing on ---- */

static bool audio(uint8_t payload_type)
{
	return payload_type == PCMA || payload_type == PCMU;
}

/* @return the payload type at s for p of from, or -1 */
static int passed_as(const struct td_stream *s, const struct td_stream *from,
		     const struct td_rtp_packet *p)
{
	if (audio(p->payload_type))
		return s->set.codec;
	if (from->set.dtmf_payload &&
	    p->payload_type == from->set.dtmf_payload)
		return s->set.dtmf_payload ? s->set.dtmf_payload : -1;
	return p->payload_type == CN ? CN : -1;
}

/* The holes and the order of what comes are kept: the sequence number differs
 * by a constant, so the receiver sees what was lost. */
static void relay(struct td_stream *s, struct td_turn *t,
		  struct td_stream *from, const struct td_rtp_packet *in)
{
	const struct td_addr *to = td_latch_to(&s->latch);
	int type = passed_as(s, from, in);
	struct td_rtp_packet p = *in;
	uint32_t end;

	if (!to || !s->set.send || type < 0) {
		if (!s->set.send)
			s->relaying = false;
		return;
	}
	if (!s->relaying || s->relay_from != from ||
	    s->relay_starts != from->starts) {
		s->relaying = true;
		s->relay_from = from;
		s->relay_starts = from->starts;
		s->relay_count = 0;
		s->relay_first = in->seq;
		s->relay_seq = s->seq - in->seq;
		s->relay_ts = resume_ts(s, t->now_ns) - in->ts;
		p.marker = true;
	}
	/* older than the first one passed on: its number is taken */
	if (s->relay_count < FRESH && (int16_t)(in->seq - s->relay_first) < 0)
		return;
	s->relay_count++;
	p.seq += s->relay_seq;
	p.ts += s->relay_ts;
	p.ssrc = s->ssrc;
	p.payload_type = type;
	if ((int16_t)(p.seq - s->seq) >= 0)
		s->seq = p.seq + 1;
	end = p.ts + (audio(type) ? p.n : 0);
	if (!s->sent || (int32_t)(end - s->ts_next) > 0)
		s->ts_next = end;
	if (audio(type))
		convert(td_outbox_room(t->out), type, in->payload,
			in->payload_type, in->n);
	else
		memcpy(td_outbox_room(t->out), in->payload, in->n);
	send_packet(s, t, to, &p);
}

/* ---- in ---- */

static void play(struct td_stream *s, struct td_slot *slot,
		 const struct td_rtp_packet *p)
{
	uint8_t alaw[TD_RTP_MAX_PAYLOAD];
	uint64_t now;
	uint32_t lead;

	if (!audio(p->payload_type) || !slot->open)
		return;
	convert(alaw, PCMA, p->payload, p->payload_type, p->n);
	td_slot_position(slot, &now, &lead);
	td_jitter_put(&s->jitter, now, lead, p->ts, alaw, p->n);
}

/* @return false: not for playing */
static bool judge(struct td_stream *s, const struct td_rtp_packet *p,
		  int64_t now_ns)
{
	switch (td_rtp_receive(&s->source, p, now_ns)) {
	case TD_RTP_START:
		s->starts++;
		td_jitter_restart(&s->jitter);
		break;
	case TD_RTP_DUPLICATE:
		s->n.rx_duplicate++;
		return false;
	case TD_RTP_DOUBTFUL:
		s->n.rx_doubtful++;
		return false;
	case TD_RTP_NEXT:
	case TD_RTP_REORDERED:
	case TD_RTP_OLD:
		break;
	}
	s->n.rx_packets++;
	s->n.rx_octets += p->n;
	return true;
}

void td_stream_packet(struct td_stream *s, struct td_turn *t,
		      const struct td_addr *from, const uint8_t *d, size_t n)
{
	struct td_rtp_packet p;
	bool moved;

	if (td_rtp_parse(d, n, &p)) {
		s->n.rx_malformed++;
		return;
	}
	if (!td_latch_accept(&s->latch, from, t->now_ns, &moved)) {
		s->n.rx_foreign++;
		return;
	}
	s->heard_ns = t->now_ns;
	if (moved)
		memset(&s->source, 0, sizeof(s->source));
	if (!judge(s, &p, t->now_ns))
		return;
	if (audio(p.payload_type))
		td_rtp_jitter(&s->source, p.ts, t->now_ns);
	else if (s->set.dtmf_payload && p.payload_type == s->set.dtmf_payload)
		s->n.rx_events++;
	else
		s->n.rx_other++;
	if (!s->set.recv)
		return;
	if (s->end.echo)
		relay(s, t, s, &p);
	else if (s->end.peer && s->end.peer->kind == TD_END_SLOT)
		play(s, (struct td_slot *)s->end.peer, &p);
	else if (s->end.peer)
		relay((struct td_stream *)s->end.peer, t, s, &p);
}

void td_stream_receive(struct td_stream *s, struct td_turn *t)
{
	struct td_addr from;
	unsigned int n;

	for (int reads = 0; reads < READS; reads++) {
		n = td_inbox_read(t->in, s->fd);
		for (unsigned int i = 0; i < n; i++) {
			size_t size;
			const uint8_t *d = td_inbox_get(t->in, i, &size,
							&from);

			td_stream_packet(s, t, &from, d, size);
		}
		if (n < TD_INBOX)
			return;
	}
}

void td_stream_publish(struct td_stream *s)
{
	const struct td_jitter_counts *j = &s->jitter.n;
	struct td_voice_stats *p = &s->pub;

	td_publish(&p->rx_packets, s->n.rx_packets);
	td_publish(&p->tx_packets, s->n.tx_packets);
	td_publish(&p->rx_lost, td_rtp_lost(&s->source));
	td_publish(&p->rx_late, j->late);
	td_publish(&p->rx_duplicate, s->n.rx_duplicate + j->duplicate);
	td_publish(&p->rx_malformed, s->n.rx_malformed + s->n.rtcp_bad);
	td_publish(&p->rx_foreign, s->n.rx_foreign + s->n.rx_doubtful);
	td_publish(&p->concealed_ms, j->concealed / 8);
	td_publish(&p->slips_ms, (j->inserted + j->removed + j->dropped) / 8);
	td_publish32(&p->jitter_us, td_rtp_jitter_us(&s->source));
	td_publish32(&p->depth_ms, s->jitter.playing && s->jitter.slack > 0 ?
				   s->jitter.slack / 8 : 0);
	td_publish32(&p->rtt_us, s->rtt_us);
	td_publish32(&p->ssrc, s->ssrc);
	td_publish(&s->pub_heard_ms, s->heard_ns / 1000000);
}
