// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/port.h"

#include <errno.h>
#include <string.h>

#include "proto/base/clock.h"
#include "spanctl/core/cesop.h"
#include "spanctl/core/ring.h"

static void off(struct td_spand_port *p)
{
	/* frames of this epoch must not appear in a later one */
	td_spand_frames_drop(p);
	td_hdlc_tx_init(&p->hdlc_tx);
	p->touched = true;
}

bool td_spand_port_tx_on(struct td_spand_port *p, int64_t now_ns)
{
	uint64_t before = p->lease.epoch;
	bool held = td_lease_held(&p->lease, now_ns);

	if (before && !held)
		off(p);
	return held && !p->inhibited;
}

int td_spand_port_lease(struct td_spand_port *p, uint64_t epoch,
			int64_t end_ns)
{
	uint64_t before = p->lease.epoch;
	int rc = td_lease_take(&p->lease, epoch, end_ns, td_clock_boot_ns());

	if (before && before != p->lease.epoch)
		off(p);
	p->touched = true;
	return rc;
}

void td_spand_port_lease_end(struct td_spand_port *p, uint64_t epoch)
{
	uint64_t before = p->lease.epoch;

	td_lease_end(&p->lease, epoch);
	if (before && !p->lease.epoch)
		off(p);
	p->touched = true;
}

void td_spand_port_inhibit(struct td_spand_port *p, bool on)
{
	if (on && !p->inhibited)
		off(p);
	p->inhibited = on;
	p->touched = true;
}

void td_spand_port_orphan(struct td_spand_port *p)
{
	struct td_span_owner *ow = p->mem.owner;
	struct td_span_status *st = p->mem.status;

	td_lease_drop(&p->lease);
	off(p);
	for (unsigned int ts = 0; ts < TD_SPAN_SLOTS; ts++) {
		p->xconn[ts].x = (struct td_xconn){ 0 };
		__atomic_store_n(&ow->slot_gen[ts], 0, __ATOMIC_RELAXED);
	}
	/* the next owner counts its openings from 1 again */
	memset(p->mem.tx_stamp, 0, TD_SPAN_RING * TD_SPAN_SLOTS * 8);
	/* and finds the truth where this one may have written over it */
	__atomic_store_n(&st->rx_block, p->seq.next, __ATOMIC_RELAXED);
	__atomic_store_n(&st->frames_reserve, p->frames_head,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&st->frames_head, p->frames_head, __ATOMIC_RELEASE);
	__atomic_store_n(&st->hdlc_tail, p->hdlc_tail, __ATOMIC_RELEASE);
}

static bool slot_ok(unsigned int ts)
{
	return ts >= 1 && ts < TD_SPAN_SLOTS;
}

int td_spand_port_xconn(struct td_spand_port *from, unsigned int ts_from,
			struct td_spand_port *to, unsigned int ts_to)
{
	struct td_spand_xconn *x;

	if (!slot_ok(ts_from) || !slot_ok(ts_to))
		return -EINVAL;
	x = &to->xconn[ts_to];
	if (x->x.on || to->hdlc_slot == ts_to)
		return -EBUSY;
	*x = (struct td_spand_xconn){
		.x = { .on = true },
		.from = from,
		.ts_from = (uint8_t)ts_from,
	};
	to->touched = true;
	return 0;
}

int td_spand_port_xconn_off(struct td_spand_port *to, unsigned int ts_to)
{
	if (!slot_ok(ts_to))
		return -EINVAL;
	to->xconn[ts_to].x = (struct td_xconn){ 0 };
	to->touched = true;
	return 0;
}

static void d_channel(struct td_spand_port *p, uint64_t block, uint8_t out[8])
{
	uint8_t frame[TD_SPAN_FRAME_MAX];
	size_t n;

	for (int i = 0; i < 8; i++) {
		if (td_hdlc_tx_ready(&p->hdlc_tx)) {
			n = td_spand_frames_take(p, frame);
			if (n && !td_hdlc_tx_load(&p->hdlc_tx, frame, n)) {
				p->c.hdlc_tx++;
				td_spand_frames_put(p, TD_SPAN_TX, block,
						    frame, n);
			}
		}
		out[i] = td_hdlc_tx_octet(&p->hdlc_tx);
	}
}

/* @return true: out holds what the cross-connect's source received */
static bool crossed(struct td_spand_port *p, unsigned int ts, uint64_t block,
		    uint64_t *out)
{
	struct td_spand_xconn *x = &p->xconn[ts];
	uint64_t from, before = x->x.slips;
	int rc;

	rc = td_xconn_step(&x->x, block, x->from->seq.next, &from);
	p->c.slips += x->x.slips - before;
	if (rc)
		return false;
	*out = x->from->mem.rx[td_ring_index(from, TD_SPAN_RING) *
			       TD_SPAN_SLOTS + x->ts_from];
	return true;
}

/* @return true: out holds what the owner wrote for this block in time */
static bool written(struct td_spand_port *p, unsigned int ts, uint32_t gen,
		    uint64_t block, uint64_t *out)
{
	uint32_t at = td_ring_index(block, TD_SPAN_RING) * TD_SPAN_SLOTS + ts;

	if (gen != p->slot_gen[ts]) {
		p->slot_gen[ts] = gen;
		p->slot_begun[ts] = false;
	}
	if (__atomic_load_n(&p->mem.tx_stamp[at], __ATOMIC_ACQUIRE) ==
	    TD_SPAN_STAMP(block, gen)) {
		*out = __atomic_load_n(&p->mem.tx[at], __ATOMIC_RELAXED);
		p->slot_begun[ts] = true;
		return true;
	}
	/* an opened slot is not short of anything before its first block */
	if (p->slot_begun[ts])
		p->c.tx_underrun++;
	return false;
}

static void build(struct td_spand_port *p, uint64_t block, uint8_t *packet)
{
	const struct td_cesop h = {
		.seq = (uint16_t)block,
		.r = td_alarm_send_r(&p->alarm),
		.rdi = td_alarm_send_rdi(&p->alarm),
	};
	uint64_t cells[TD_SPAN_SLOTS], idle;
	uint32_t gen;

	memset(&idle, p->conf.idle, sizeof(idle));
	for (unsigned int ts = 1; ts < TD_SPAN_SLOTS; ts++) {
		gen = __atomic_load_n(&p->mem.owner->slot_gen[ts],
				      __ATOMIC_RELAXED);
		cells[ts] = idle;
		if (ts == p->hdlc_slot)
			d_channel(p, block, (uint8_t *)&cells[ts]);
		else if (p->xconn[ts].x.on)
			p->c.tx_underrun += !crossed(p, ts, block, &cells[ts]);
		else if (gen)
			written(p, ts, gen, block, &cells[ts]);
	}
	td_cesop_put(&h, packet);
	td_cesop_pack((void *)cells, packet + TD_CESOP_HEADER);
}

/* The clock is asked again here: this process may have stood still since the
 * packets were built. */
static void send_built(struct td_spand_port *p)
{
	unsigned int n = p->n_out, took;

	p->n_out = 0;
	if (!n)
		return;
	if (!td_spand_port_tx_on(p, td_clock_boot_ns())) {
		p->c.tx_blocked += n;
		return;
	}
	took = td_spand_line_send(p->line, n, TD_CESOP_PACKET);
	p->c.tx_packets += took;
	p->c.tx_errors += n - took;
}

static void one_block(struct td_spand_port *p, uint64_t block)
{
	if (!td_spand_port_tx_on(p, td_clock_boot_ns())) {
		if (p->lease.epoch)
			p->c.tx_inhibited++;
		else
			p->c.tx_blocked++;
		return;
	}
	build(p, block, td_spand_line_out(p->line, p->n_out++));
	if (p->n_out == TD_LINE_BURST)
		send_built(p);
}

void td_spand_port_answer(struct td_spand_port *p)
{
	for (unsigned int i = 0; i < p->n_answer; i++) {
		uint64_t block = p->answer[i], first = block;

		if (block < p->tx_next)
			continue;	/* reordered, answered in its gap */
		if (p->tx_next && block - p->tx_next <= TD_SPAND_GAP)
			first = p->tx_next;
		else if (p->tx_next && block - p->tx_next <= TD_SEQ_NEAR)
			p->c.tx_skipped += block - p->tx_next;
		for (; first <= block; first++)
			one_block(p, first);
		p->tx_next = block + 1;
	}
	p->n_answer = 0;
	send_built(p);
}
