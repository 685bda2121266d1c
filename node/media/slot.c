// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/slot.h"

#include <string.h>

#include "node/media/count.h"
#include "node/media/g711.h"
#include "node/media/stream.h"

enum {
	BLOCK = TD_SPAN_BLOCK,
	RX_BACK = TD_SPAN_RING - 8,	/* oldest that span.h promises */
	BATCH = 20,			/* blocks */
};

static struct td_stream *stream_of(const struct td_slot *s)
{
	if (!s->end.peer || s->end.peer->kind != TD_END_STREAM)
		return NULL;
	return (struct td_stream *)s->end.peer;
}

static void write_block(struct td_slot *s, const struct td_media_span_ops *span,
			const uint8_t *in)
{
	if (span->tx(s->line->port, s->tx_next, s->timeslot, in))
		s->n.tx_refused++;
	else
		s->n.tx_blocks++;
	s->tx_next++;
}

static void write_idle(struct td_slot *s, const struct td_media_span_ops *span,
		       uint64_t until)
{
	uint8_t idle[BLOCK];

	memset(idle, TD_ALAW_IDLE, BLOCK);
	while (s->tx_next < until)
		write_block(s, span, idle);
}

int td_slot_start(struct td_slot *s, const struct td_media_span_ops *span)
{
	int rc;

	if (!s->line->port)
		return 0;
	rc = span->tx_open(s->line->port, s->timeslot);
	if (rc)
		return rc;
	s->open = true;
	memset(&s->n, 0, sizeof(s->n));
	s->rx_next = s->line->rx_block;
	s->tx_next = s->line->tx_block + 1;
	td_plc_init(&s->plc);
	if (s->end.echo)
		write_idle(s, span, s->line->tx_block + TD_SLOT_ECHO);
	return 0;
}

void td_slot_stop(struct td_slot *s, const struct td_media_span_ops *span)
{
	if (s->open)
		span->tx_close(s->line->port, s->timeslot);
	s->open = false;
}

void td_slot_position(const struct td_slot *s, uint64_t *now, uint32_t *lead)
{
	uint64_t tx = s->line->tx_block;

	*now = tx * BLOCK;
	*lead = s->tx_next > tx ? (s->tx_next - tx) * BLOCK : 0;
}

void td_slot_catch_up(struct td_slot *s)
{
	struct td_stream *stream = stream_of(s);
	uint64_t first = s->line->tx_block + 1, missed;

	if (!s->open || s->tx_next >= first)
		return;
	missed = first - s->tx_next;
	s->n.tx_skipped += missed;
	s->tx_next = first;
	if (stream)
		td_jitter_skip(&stream->jitter,
			       (missed < TD_JITTER_CAP ? missed :
							 TD_JITTER_CAP) *
			       BLOCK);
}

/* ---- from the line ---- */

/* reads the next block; what the line lost is concealed */
static void read_block(struct td_slot *s, const struct td_media_span_ops *span,
		       uint8_t out[BLOCK])
{
	int flags = span->rx(s->line->port, s->rx_next++, s->timeslot, out);

	s->n.rx_blocks++;
	if (flags < 0 || flags & TD_BLOCK_LOST) {
		s->n.rx_lost++;
		td_plc_lost(&s->plc, out, BLOCK);
		return;
	}
	if (flags & TD_BLOCK_ALARM) {	/* AIS is not for ears */
		s->n.rx_alarm++;
		memset(out, TD_ALAW_IDLE, BLOCK);
	}
	td_plc_good(&s->plc, out, BLOCK);
}

/* blocks that were overwritten before we came */
static uint64_t overrun(struct td_slot *s)
{
	uint64_t rx = s->line->rx_block, gone;

	if (s->rx_next > rx) {		/* the card began anew */
		s->rx_next = rx;
		return 0;
	}
	if (rx - s->rx_next <= RX_BACK)
		return 0;
	gone = rx - RX_BACK - s->rx_next;
	s->rx_next += gone;
	s->n.rx_overrun += gone;
	return gone;
}

static void to_stream(struct td_slot *s, struct td_turn *t,
		      struct td_stream *stream)
{
	uint8_t octets[BATCH * BLOCK];
	uint64_t gone = overrun(s);

	if (gone)
		td_stream_gap(stream, gone * BLOCK);
	while (s->rx_next < s->line->rx_block) {
		uint64_t n = s->line->rx_block - s->rx_next;

		if (n > BATCH)
			n = BATCH;
		for (uint64_t i = 0; i < n; i++)
			read_block(s, t->span, octets + i * BLOCK);
		td_stream_take(stream, t, octets, n * BLOCK);
	}
}

/* ---- to the line ---- */

/* Octets that came are written at once, as far ahead as they reach: so the
 * line has them, whatever this thread is kept from. Only what is missing
 * waits until the lead is used up. */
static void to_line(struct td_slot *s, struct td_turn *t,
		    struct td_stream *stream)
{
	uint64_t tx = s->line->tx_block, end = tx + TD_SLOT_AHEAD;
	uint8_t octets[BATCH * BLOCK];

	while (s->tx_next < end) {
		uint64_t n = td_jitter_ready(&stream->jitter) / BLOCK;

		if (!n && s->tx_next >= tx + TD_SLOT_LEAD)
			break;
		if (!n)
			n = 1;
		if (n > BATCH)
			n = BATCH;
		if (n > end - s->tx_next)
			n = end - s->tx_next;
		td_jitter_get(&stream->jitter, octets, n * BLOCK);
		for (uint64_t i = 0; i < n; i++)
			write_block(s, t->span, octets + i * BLOCK);
	}
}

static void echo(struct td_slot *s, struct td_turn *t)
{
	uint64_t tx = s->line->tx_block;
	uint8_t octets[BLOCK];

	overrun(s);
	/* after a pause there is nothing ahead: begin the delay anew */
	if (s->tx_next <= tx + 1 && s->rx_next < s->line->rx_block)
		write_idle(s, t->span, tx + TD_SLOT_ECHO);
	while (s->rx_next < s->line->rx_block &&
	       s->tx_next < tx + TD_SLOT_AHEAD) {
		read_block(s, t->span, octets);
		write_block(s, t->span, octets);
	}
}

void td_slot_run(struct td_slot *s, struct td_turn *t)
{
	struct td_stream *stream = stream_of(s);

	if (!s->open)
		return;
	if (s->end.echo) {
		echo(s, t);
	} else if (stream) {
		to_line(s, t, stream);
		to_stream(s, t, stream);
	}
}

void td_slot_publish(struct td_slot *s)
{
	td_publish(&s->pub.rx_packets, s->n.rx_blocks);
	td_publish(&s->pub.tx_packets, s->n.tx_blocks);
	td_publish(&s->pub.rx_lost, s->n.rx_lost + s->n.rx_overrun);
	td_publish(&s->pub.rx_late, s->n.tx_skipped + s->n.tx_refused);
	td_publish(&s->pub.concealed_ms, s->n.rx_lost);
}
