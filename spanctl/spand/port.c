// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "spanctl/core/cesop.h"
#include "spanctl/core/ring.h"

static uint64_t *rx_cells(struct td_spand_port *p, uint64_t block)
{
	return p->mem.rx + td_ring_index(block, TD_SPAN_RING) * TD_SPAN_SLOTS;
}

static void set_flags(struct td_spand_port *p, uint64_t block, uint32_t flags)
{
	__atomic_store_n(&p->mem.rx_flags[td_ring_index(block, TD_SPAN_RING)],
			 flags, __ATOMIC_RELAXED);
}

static void fill(struct td_spand_port *p, uint64_t block, int octet,
		 uint32_t flags)
{
	memset(rx_cells(p, block), octet, TD_SPAN_SLOTS * 8);
	set_flags(p, block, flags);
}

static void on_frame(void *arg, const uint8_t *data, size_t n)
{
	struct td_spand_port *p = arg;

	td_spand_frames_put(p, TD_SPAN_RX, p->seq.next - 1, data, n);
}

int td_spand_port_new(unsigned int number,
		      const struct td_spand_port_conf *conf,
		      struct td_spand_mem *mem, struct td_spand_port **out)
{
	struct td_spand_port *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	p->number = number;
	p->conf = *conf;
	p->c.size = sizeof(p->c);
	td_spand_mem_areas(mem, number - 1, &p->mem);
	td_seq_init(&p->seq, conf->window);
	td_alarm_init(&p->alarm, conf->los_ms, td_clock_boot_ns());
	td_hdlc_rx_init(&p->hdlc_rx, on_frame, p);
	td_hdlc_tx_init(&p->hdlc_tx);
	rc = td_spand_line_new(&conf->local, &conf->peer, &p->line);
	if (rc) {
		free(p);
		return rc;
	}
	p->touched = true;
	td_spand_port_publish(p);
	*out = p;
	return 0;
}

void td_spand_port_free(struct td_spand_port *p)
{
	if (!p)
		return;
	td_spand_line_free(p->line);
	free(p);
}

int td_spand_port_hdlc(struct td_spand_port *p, unsigned int timeslot)
{
	if (timeslot >= TD_SPAN_SLOTS)
		return -EINVAL;
	if (timeslot == p->hdlc_slot)
		return 0;
	if (p->xconn[timeslot].x.on)
		return -EBUSY;
	td_spand_frames_drop(p);
	p->hdlc_slot = timeslot;
	td_hdlc_rx_gap(&p->hdlc_rx);
	td_hdlc_tx_init(&p->hdlc_tx);
	p->touched = true;
	return 0;
}

/* Readers see the block from here on. */
static void release(struct td_spand_port *p, uint64_t block, bool lost)
{
	const uint64_t *cells = rx_cells(p, block);

	if (lost)
		fill(p, block, p->conf.idle, TD_SPAN_BLOCK_LOST);
	if (lost)
		td_hdlc_rx_gap(&p->hdlc_rx);
	else if (p->hdlc_slot)
		td_hdlc_rx_octets(&p->hdlc_rx,
				  (const uint8_t *)&cells[p->hdlc_slot], 8);
	p->c.rx_lost += lost;
	td_alarm_block(&p->alarm, lost);
	p->released++;
	__atomic_store_n(&p->mem.status->rx_block, block + 1,
			 __ATOMIC_RELEASE);
}

static void release_ready(struct td_spand_port *p, uint64_t coming)
{
	uint64_t block;
	bool lost;

	while (td_seq_pop(&p->seq, coming, &block, &lost))
		release(p, block, lost);
}

static void release_all(struct td_spand_port *p)
{
	uint64_t block;
	bool lost;

	while (td_seq_flush(&p->seq, &block, &lost))
		release(p, block, lost);
}

/* At most one a second: a peer that jumps all the time is in the counters. */
static void log_jump(struct td_spand_port *p, uint64_t from, uint64_t to)
{
	int64_t now_ms = td_clock_boot_ms();

	if (now_ms - p->jump_logged_ms < 1000)
		return;
	p->jump_logged_ms = now_ms;
	td_warn("span", "SPAN-RESYNC", "port=%u block=%llu>%llu", p->number,
		(unsigned long long)from, (unsigned long long)to);
}

/* The sequence goes on elsewhere: what lies between never existed, but a
 * reader must not find old octets there. */
static void jump(struct td_spand_port *p, uint64_t block)
{
	uint64_t from;

	release_all(p);
	from = p->seq.next;
	if (p->seq.started) {
		p->c.rx_resync++;
		log_jump(p, from, block);
	}
	if (from + TD_SPAN_RING < block)
		from = block - TD_SPAN_RING;
	for (; from < block; from++)
		fill(p, from, p->conf.idle, TD_SPAN_BLOCK_LOST);
	td_hdlc_rx_gap(&p->hdlc_rx);
	td_seq_jump(&p->seq, block);
	__atomic_store_n(&p->mem.status->rx_block, block, __ATOMIC_RELEASE);
}

static void place(struct td_spand_port *p, uint64_t block,
		  const struct td_cesop *h, const uint8_t *payload)
{
	if (h->l || !payload) {
		fill(p, block, 0xff, TD_SPAN_BLOCK_ALARM);
	} else {
		td_cesop_unpack(payload, (void *)rx_cells(p, block));
		set_flags(p, block, 0);
	}
	if (td_seq_mark(&p->seq, block))
		p->c.rx_reordered++;
}

static void count_bits(struct td_spand_port *p, const struct td_cesop *h)
{
	p->c.rx_packets++;
	p->c.rx_lbit += h->l;
	p->c.rx_rbit += h->r;
	p->c.rx_mbits += h->rdi;
}

static void one_packet(struct td_spand_port *p,
		       const struct td_spand_packet *packet)
{
	int64_t now = td_clock_boot_ns();
	const uint8_t *payload;
	struct td_cesop h;
	uint64_t block;

	if (packet->foreign) {
		p->c.rx_foreign++;
		return;
	}
	if (td_cesop_get(packet->data, packet->n, &h, &payload)) {
		p->c.rx_malformed++;
		return;
	}
	count_bits(p, &h);
	switch (td_seq_check(&p->seq, h.seq, td_alarm_silent(&p->alarm, now),
			     &block)) {
	case TD_SEQ_JUMP:
		jump(p, block);
		break;
	case TD_SEQ_NEXT:
		release_ready(p, block);
		break;
	case TD_SEQ_DUPLICATE:
		p->c.rx_duplicate++;
		return;
	case TD_SEQ_LATE:
		p->c.rx_late++;
		return;
	case TD_SEQ_STRAY:
		p->c.rx_stray++;
		return;
	}
	td_alarm_packet(&p->alarm, h.l, h.rdi, h.r, now);
	place(p, block, &h, payload);
	release_ready(p, 0);
	p->answer[p->n_answer++] = block;
}

void td_spand_port_recv(struct td_spand_port *p)
{
	struct td_spand_packet in[TD_LINE_BATCH];
	int n = td_spand_line_recv(p->line, in);

	p->n_answer = 0;
	for (int i = 0; i < n; i++)
		one_packet(p, &in[i]);
	p->touched = true;
}

void td_spand_port_tick(struct td_spand_port *p)
{
	int64_t now = td_clock_boot_ns();

	if (td_alarm_tick(&p->alarm, now)) {
		release_all(p);	/* nothing more will push them out */
		td_hdlc_rx_gap(&p->hdlc_rx);
	}
	p->touched = true;
}

static void log_alarms(const struct td_spand_port *p, uint32_t alarms)
{
	td_warn("span", "SPAN-ALARM", "port=%u alarms=%s%s%s%s%s", p->number,
		alarms & TD_ALARM_LOS ? "LOS," : "",
		alarms & TD_ALARM_AIS ? "AIS," : "",
		alarms & TD_ALARM_RAI ? "RAI," : "",
		alarms & TD_ALARM_RDI ? "RDI," : "", alarms ? "" : "none");
}

static void collect(struct td_spand_port *p)
{
	const struct td_hdlc_counters *h = &p->hdlc_rx.counters;

	p->c.los = p->alarm.los_count;
	p->c.lease_lapsed = p->lease.lapsed;
	p->c.hdlc_rx = h->good;
	p->c.hdlc_crc = h->crc;
	p->c.hdlc_abort = h->abort;
	p->c.hdlc_short = h->short_;
	p->c.hdlc_long = h->long_;
}

void td_spand_port_publish(struct td_spand_port *p)
{
	struct td_span_status *st = p->mem.status;
	uint32_t alarms = td_alarm_bits(&p->alarm), xconns = 0;
	bool on;

	if (!p->touched)
		return;
	p->touched = false;
	on = td_spand_port_tx_on(p, td_clock_boot_ns());
	for (unsigned int ts = 1; ts < TD_SPAN_SLOTS; ts++)
		xconns |= (uint32_t)p->xconn[ts].x.on << ts;
	collect(p);
	st->size = sizeof(*st);
	memcpy(&st->counters, &p->c, sizeof(p->c));
	__atomic_store_n(&st->hdlc_slot, p->hdlc_slot, __ATOMIC_RELAXED);
	__atomic_store_n(&st->inhibited, p->inhibited, __ATOMIC_RELAXED);
	__atomic_store_n(&st->xconn_slots, xconns, __ATOMIC_RELAXED);
	__atomic_store_n(&st->epoch, p->lease.epoch ? p->lease.epoch :
			 p->lease.over, __ATOMIC_RELAXED);
	__atomic_store_n(&st->lease_end_ns, p->lease.end_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&st->tx_block, p->tx_next, __ATOMIC_RELEASE);
	__atomic_store_n(&st->alarms, alarms, __ATOMIC_RELEASE);
	if (alarms != p->alarms_shown) {
		log_alarms(p, alarms);
		p->alarms_shown = alarms;
		p->event = true;
	}
	if (on != p->tx_shown) {
		td_info("span", "port=%u tx=%s epoch=%llu", p->number,
			on ? "on" : "off",
			(unsigned long long)p->lease.epoch);
		p->tx_shown = on;
		p->event = true;
	}
}
