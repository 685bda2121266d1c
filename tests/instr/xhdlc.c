// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/xhdlc.h"

#include <errno.h>
#include <string.h>

enum {
	FLAG = 0x7e,
	FCS_GOOD = 0xf0b8,	/* the register after a frame and its FCS */
	SHORTEST = 4,		/* an address, a control octet, the FCS */
};

static uint16_t fcs_register(const uint8_t *o, size_t n)
{
	uint16_t r = 0xffff;

	for (size_t i = 0; i < n; i++) {
		r ^= o[i];
		for (int b = 0; b < 8; b++)
			r = r & 1 ? r >> 1 ^ 0x8408 : r >> 1;
	}
	return r;
}

uint16_t td_xhdlc_fcs(const uint8_t *o, size_t n)
{
	return ~fcs_register(o, n);
}

void td_xhdlc_tx_init(struct td_xhdlc_tx *t)
{
	memset(t, 0, sizeof(*t));
	t->flag = 8;
}

int td_xhdlc_tx_put(struct td_xhdlc_tx *t, const uint8_t *o, size_t n)
{
	uint32_t i = t->tail % TD_XHDLC_QUEUE;
	uint16_t fcs;

	if (n < SHORTEST - 2 || n + 2 > TD_XHDLC_FRAME)
		return -EMSGSIZE;
	if (t->tail - t->head >= TD_XHDLC_QUEUE) {
		t->refused++;
		return -ENOSPC;
	}
	memcpy(t->q[i].o, o, n);
	fcs = td_xhdlc_fcs(o, n);
	t->q[i].o[n] = fcs & 0xff;
	t->q[i].o[n + 1] = fcs >> 8;
	t->q[i].len = n + 2;
	t->tail++;
	return 0;
}

static int next_bit(struct td_xhdlc_tx *t)
{
	uint32_t i = t->head % TD_XHDLC_QUEUE;
	int bit;

	if (!t->flag && !t->in_frame) {
		if (t->head == t->tail) {
			t->flag = 8;
		} else {
			t->in_frame = true;
			t->octet = t->bit = 0;
			t->ones = 0;
		}
	}
	if (t->flag)
		return FLAG >> --t->flag & 1;
	if (t->ones == 5) {
		t->ones = 0;
		bit = 0;
	} else {
		bit = t->q[i].o[t->octet] >> t->bit & 1;
		t->ones = bit ? t->ones + 1 : 0;
		if (++t->bit == 8) {
			t->bit = 0;
			t->octet++;
		}
	}
	if (t->octet == t->q[i].len && t->ones < 5) {
		t->in_frame = false;
		t->flag = 8;
		t->head++;
		t->frames++;
	}
	return bit;
}

void td_xhdlc_tx_fill(struct td_xhdlc_tx *t, uint8_t *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t v = 0;

		for (int b = 0; b < 8; b++)
			v = v << 1 | next_bit(t);
		o[i] = v;
	}
}

void td_xhdlc_rx_init(struct td_xhdlc_rx *r, td_xhdlc_fn fn, void *arg)
{
	memset(r, 0, sizeof(*r));
	r->hunting = true;
	r->fn = fn;
	r->arg = arg;
}

/* The bits since the last flag are the frame and 0111111 of this one. */
static void at_flag(struct td_xhdlc_rx *r)
{
	uint32_t n = r->nbits / 8;

	if (r->hunting || r->nbits < 8)
		return;			/* idle: flags, or a shared zero */
	if (r->nbits % 8 != 7)
		r->unaligned++;
	else if (n < SHORTEST)
		r->too_short++;
	else if (fcs_register(r->o, n) != FCS_GOOD)
		r->crc++;
	else {
		r->frames++;
		r->fn(r->arg, r->o, n - 2);
	}
}

static void store_bit(struct td_xhdlc_rx *r, int bit)
{
	uint32_t i = r->nbits / 8;

	if (i >= sizeof(r->o)) {
		r->too_long++;
		r->hunting = true;
		return;
	}
	if (r->nbits % 8 == 0)
		r->o[i] = 0;
	r->o[i] |= bit << r->nbits % 8;
	r->nbits++;
}

static void take_bit(struct td_xhdlc_rx *r, int bit)
{
	if (bit) {
		if (r->ones < 8)
			r->ones++;
		if (r->ones == 7 && !r->hunting) {
			r->aborted++;
			r->hunting = true;
		} else if (r->ones < 7 && !r->hunting) {
			store_bit(r, 1);
		}
		return;
	}
	if (r->ones == 6) {
		at_flag(r);
		r->hunting = false;
		r->nbits = 0;
	} else if (r->ones != 5 && !r->hunting) {
		store_bit(r, 0);
	}
	r->ones = 0;
}

void td_xhdlc_rx_feed(struct td_xhdlc_rx *r, const uint8_t *o, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int b = 7; b >= 0; b--)
			take_bit(r, o[i] >> b & 1);
}
