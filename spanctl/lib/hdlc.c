// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/lib/card.h"

#include <errno.h>
#include <string.h>

#include "spanctl/core/ring.h"

_Static_assert((int)TD_HDLC_MAX == (int)TD_SPAN_FRAME_MAX, "one size");

static uint32_t padded(size_t n)
{
	return (uint32_t)((n + 7) & ~(size_t)7);
}

int td_port_hdlc(struct td_port *p, unsigned int timeslot)
{
	struct td_span_req req = {
		.op = TD_SPAN_HDLC, .port = p->number, .a = timeslot,
	};

	return td_card_request(p->card, &req);
}

/* Goes on with what comes from now on; how many were missed is not known. */
static void overrun(struct td_port *p)
{
	p->overrun++;
	p->frames_at = __atomic_load_n(&p->status->frames_head,
				       __ATOMIC_ACQUIRE);
}

/* Has the card begun to write over octets from `at` on? */
static bool overwritten(const struct td_port *p, uint64_t at)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&p->status->frames_reserve, __ATOMIC_RELAXED) -
	       at > TD_SPAN_FRAMES;
}

int td_port_frame_recv(struct td_port *p, struct td_span_frame *info,
		       uint8_t *buf, size_t cap, size_t *n)
{
	struct td_span_frame f;
	uint64_t head;

	for (;;) {
		head = __atomic_load_n(&p->status->frames_head,
				       __ATOMIC_ACQUIRE);
		if (head == p->frames_at)
			return -EAGAIN;
		td_ring_get(p->frames, TD_SPAN_FRAMES, p->frames_at, &f,
			    sizeof(f));
		if (overwritten(p, p->frames_at) ||
		    f.len > TD_SPAN_FRAME_MAX ||
		    f.size != padded(sizeof(f) + f.len) ||
		    f.size > head - p->frames_at) {
			overrun(p);
			continue;
		}
		if (f.len > cap) {
			p->frames_at += f.size;
			return -EMSGSIZE;
		}
		td_ring_get(p->frames, TD_SPAN_FRAMES,
			    p->frames_at + sizeof(f), buf, f.len);
		if (!overwritten(p, p->frames_at))
			break;
		overrun(p);
	}
	p->frames_at += f.size;
	*info = f;
	*n = f.len;
	return 0;
}

int td_port_hdlc_recv(struct td_port *p, uint8_t *buf, size_t cap, size_t *n)
{
	struct td_span_frame f;
	int rc;

	do {
		rc = td_port_frame_recv(p, &f, buf, cap, n);
	} while (!rc && f.dir != TD_SPAN_RX);
	return rc;
}

static bool has_room(const struct td_port *p, uint32_t size)
{
	uint64_t tail = __atomic_load_n(&p->status->hdlc_tail,
					__ATOMIC_SEQ_CST);

	return p->hdlc_head - tail + size <= TD_SPAN_HDLC_TX;
}

/* Says that the event is wanted, then looks again: the card may have read
 * the last frame in between. */
static bool wait_for_room(struct td_port *p, uint32_t size)
{
	__atomic_store_n(&p->owner->hdlc_want, 1, __ATOMIC_SEQ_CST);
	return has_room(p, size);
}

int td_port_hdlc_send(struct td_port *p, const void *buf, size_t n)
{
	struct td_span_hdlc_tx rec = {
		.size = padded(sizeof(rec) + n), .len = (uint32_t)n,
	};
	struct td_port_status st;

	if (!p->owner)
		return -EPERM;
	if (n < 2 || n > TD_HDLC_MAX)
		return -EMSGSIZE;
	td_port_status(p, &st);
	if (!st.tx_on || !st.hdlc_timeslot) {
		p->refused++;
		return -ENOLINK;
	}
	if (!has_room(p, rec.size) && !wait_for_room(p, rec.size)) {
		p->refused++;
		return -EAGAIN;
	}
	rec.epoch = st.epoch;
	td_ring_put(p->hdlc_tx, TD_SPAN_HDLC_TX, p->hdlc_head, &rec,
		    sizeof(rec));
	td_ring_put(p->hdlc_tx, TD_SPAN_HDLC_TX, p->hdlc_head + sizeof(rec),
		    buf, (uint32_t)n);
	p->hdlc_head += rec.size;
	__atomic_store_n(&p->owner->hdlc_head, p->hdlc_head,
			 __ATOMIC_RELEASE);
	return 0;
}
