// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/lib/card.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "spanctl/core/ring.h"

enum { GUARD = 8 };	/* cells that the card may be writing */

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

void td_port_status(const struct td_port *p, struct td_port_status *out)
{
	const struct td_span_status *st = p->status;
	struct td_port_status s = {
		.alarms = __atomic_load_n(&st->alarms, __ATOMIC_ACQUIRE),
		.tx_inhibited = __atomic_load_n(&st->inhibited,
						__ATOMIC_RELAXED),
		.hdlc_timeslot = __atomic_load_n(&st->hdlc_slot,
						 __ATOMIC_RELAXED),
		.epoch = load(&st->epoch),
		.lease_end_ns = __atomic_load_n(&st->lease_end_ns,
						__ATOMIC_RELAXED),
		.rx_block = load(&st->rx_block),
		.tx_block = load(&st->tx_block),
		.counters = st->counters,
	};

	s.counters.hdlc_overrun += p->overrun;
	s.counters.hdlc_tx_refused += p->refused;
	/* not the card's word for it: a card that stands still says nothing */
	s.tx_on = !s.tx_inhibited && td_clock_boot_ns() < s.lease_end_ns;
	if (td_card_gone(p->card)) {
		s.alarms = TD_ALARM_LOS;
		s.tx_on = false;
	}
	*out = s;
}

void td_port_position(const struct td_port *p, uint64_t *rx_block,
		      uint64_t *tx_block)
{
	*rx_block = load(&p->status->rx_block);
	*tx_block = load(&p->status->tx_block);
}

int td_port_event_fd(const struct td_port *p)
{
	return p->event;
}

void td_port_event_clear(struct td_port *p)
{
	uint64_t n;

	if (read(p->event, &n, sizeof(n)) < 0)
		return;		/* was clear */
}

int td_port_lease(struct td_port *p, uint64_t epoch, int64_t end_ns)
{
	struct td_span_req req = {
		.op = TD_SPAN_LEASE, .port = p->number,
		.epoch = epoch, .end_ns = end_ns,
	};

	return td_card_request(p->card, &req);
}

int td_port_lease_end(struct td_port *p, uint64_t epoch)
{
	struct td_span_req req = {
		.op = TD_SPAN_LEASE_END, .port = p->number, .epoch = epoch,
	};

	return td_card_request(p->card, &req);
}

int td_port_inhibit(struct td_port *p, bool on)
{
	struct td_span_req req = {
		.op = TD_SPAN_INHIBIT, .port = p->number, .a = on,
	};

	return td_card_request(p->card, &req);
}

/* ---- B-channels ---- */

static bool slot_ok(unsigned int timeslot)
{
	return timeslot >= 1 && timeslot < TD_SPAN_SLOTS;
}

static bool readable(const struct td_port *p, uint64_t block)
{
	return td_ring_readable(block, load(&p->status->rx_block),
				TD_SPAN_RING, GUARD);
}

int td_port_rx(const struct td_port *p, uint64_t block, unsigned int timeslot,
	       uint8_t out[8])
{
	uint32_t at = td_ring_index(block, TD_SPAN_RING);
	uint64_t cell;
	uint32_t flags;

	if (!slot_ok(timeslot) || !readable(p, block))
		return -ERANGE;
	cell = __atomic_load_n(&p->rx[at * TD_SPAN_SLOTS + timeslot],
			       __ATOMIC_RELAXED);
	flags = __atomic_load_n(&p->rx_flags[at], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!readable(p, block))
		return -ERANGE;	/* overwritten meanwhile */
	memcpy(out, &cell, sizeof(cell));
	return (int)flags;
}

int td_port_tx_open(struct td_port *p, unsigned int timeslot)
{
	if (!p->owner)
		return -EPERM;
	if (!slot_ok(timeslot))
		return -EINVAL;
	if (timeslot == __atomic_load_n(&p->status->hdlc_slot,
					__ATOMIC_RELAXED))
		return -EBUSY;
	/* 1 … 255: what the stamps can tell apart, 0 is closed */
	p->gen[timeslot] = p->gen[timeslot] % 255 + 1;
	__atomic_store_n(&p->owner->slot_gen[timeslot], p->gen[timeslot],
			 __ATOMIC_RELEASE);
	return 0;
}

void td_port_tx_close(struct td_port *p, unsigned int timeslot)
{
	if (p->owner && slot_ok(timeslot))
		__atomic_store_n(&p->owner->slot_gen[timeslot], 0,
				 __ATOMIC_RELEASE);
}

int td_port_tx(struct td_port *p, uint64_t block, unsigned int timeslot,
	       const uint8_t in[8])
{
	uint64_t next = load(&p->status->tx_block), cell;
	uint32_t at = td_ring_index(block, TD_SPAN_RING) * TD_SPAN_SLOTS +
		      timeslot;

	if (!p->owner)
		return -EPERM;
	if (!slot_ok(timeslot) ||
	    !__atomic_load_n(&p->owner->slot_gen[timeslot], __ATOMIC_RELAXED))
		return -EINVAL;
	if (block < next || block - next >= TD_SPAN_RING / 2)
		return -ERANGE;
	memcpy(&cell, in, sizeof(cell));
	/* the stamp that may stand there is of a block that is over */
	__atomic_store_n(&p->tx[at], cell, __ATOMIC_RELAXED);
	__atomic_store_n(&p->tx_stamp[at],
			 TD_SPAN_STAMP(block, p->gen[timeslot]),
			 __ATOMIC_RELEASE);
	return 0;
}

/* ---- cross-connect ---- */

int td_port_xconn(struct td_port *from, unsigned int ts_from,
		  struct td_port *to, unsigned int ts_to)
{
	struct td_span_req req = {
		.op = TD_SPAN_XCONN, .port = from->number, .a = ts_from,
		.b = to->number, .c = ts_to,
	};

	if (from->card != to->card)
		return -EXDEV;
	return td_card_request(from->card, &req);
}

int td_port_xconn_off(struct td_port *to, unsigned int ts_to)
{
	struct td_span_req req = {
		.op = TD_SPAN_XCONN_OFF, .b = to->number, .c = ts_to,
	};

	return td_card_request(to->card, &req);
}
