// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/port.h"

#include <string.h>
#include <time.h>

#include "spanctl/core/ring.h"

static uint32_t padded(size_t n)
{
	return (uint32_t)((n + 7) & ~(size_t)7);
}

void td_spand_frames_put(struct td_spand_port *p, int dir, uint64_t block,
			 const uint8_t *data, size_t n)
{
	struct td_span_status *st = p->mem.status;
	struct td_span_frame f = {
		.size = padded(sizeof(f) + n),
		.len = (uint16_t)n,
		.dir = (uint8_t)dir,
		.timeslot = (uint8_t)p->hdlc_slot,
		.block = block,
	};
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	f.time_ns = t.tv_sec * 1000000000LL + t.tv_nsec;
	/* a reader that is still in the part to be overwritten must know */
	__atomic_store_n(&st->frames_reserve, p->frames_head + f.size,
			 __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	td_ring_put(p->mem.frames, TD_SPAN_FRAMES, p->frames_head, &f,
		    sizeof(f));
	td_ring_put(p->mem.frames, TD_SPAN_FRAMES, p->frames_head + sizeof(f),
		    data, (uint32_t)n);
	p->frames_head += f.size;
	__atomic_store_n(&st->frames_head, p->frames_head, __ATOMIC_RELEASE);
	p->event = true;
}

static void set_tail(struct td_spand_port *p, uint64_t tail)
{
	struct td_span_owner *ow = p->mem.owner;

	p->hdlc_tail = tail;
	__atomic_store_n(&p->mem.status->hdlc_tail, tail, __ATOMIC_SEQ_CST);
	if (__atomic_exchange_n(&ow->hdlc_want, 0, __ATOMIC_SEQ_CST))
		p->event = true;
}

/* Nothing that the owner wrote is believed: a ring that makes no sense is
 * emptied.
 * @return octets of the oldest record before head, 0: there is none */
static size_t take_record(struct td_spand_port *p, uint64_t head,
			  uint64_t *epoch, uint8_t out[TD_SPAN_FRAME_MAX])
{
	struct td_span_hdlc_tx rec;
	int64_t used = td_ring_used(head, p->hdlc_tail, TD_SPAN_HDLC_TX);

	if (!used)
		return 0;
	if (used < (int64_t)sizeof(rec))
		goto nonsense;
	td_ring_get(p->mem.hdlc_tx, TD_SPAN_HDLC_TX, p->hdlc_tail, &rec,
		    sizeof(rec));
	if (rec.len < TD_HDLC_FRAME_MIN || rec.len > TD_SPAN_FRAME_MAX ||
	    rec.size > used || rec.size != padded(sizeof(rec) + rec.len))
		goto nonsense;
	td_ring_get(p->mem.hdlc_tx, TD_SPAN_HDLC_TX,
		    p->hdlc_tail + sizeof(rec), out, rec.len);
	set_tail(p, p->hdlc_tail + rec.size);
	*epoch = rec.epoch;
	return rec.len;
nonsense:
	p->c.hdlc_tx_refused++;
	set_tail(p, head);
	return 0;
}

static uint64_t hdlc_head(const struct td_spand_port *p)
{
	return __atomic_load_n(&p->mem.owner->hdlc_head, __ATOMIC_ACQUIRE);
}

void td_spand_frames_drop(struct td_spand_port *p)
{
	uint64_t head = hdlc_head(p), epoch;
	uint8_t out[TD_SPAN_FRAME_MAX];

	while (take_record(p, head, &epoch, out))
		p->c.hdlc_tx_refused++;
}

size_t td_spand_frames_take(struct td_spand_port *p,
			    uint8_t out[TD_SPAN_FRAME_MAX])
{
	uint64_t head = hdlc_head(p), epoch;
	size_t n;

	while ((n = take_record(p, head, &epoch, out)) > 0) {
		if (epoch == p->lease.epoch)
			return n;
		p->c.hdlc_tx_refused++;	/* queued under one that is over */
	}
	return 0;
}
