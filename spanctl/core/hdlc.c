// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/core/hdlc.h"

#include "spanctl/core/crc.h"

enum { FLAG = 0x7e };

/* ---- receiver ---- */

static void rx_start(struct td_hdlc_rx *rx)
{
	rx->hunt = false;
	rx->bits = 0;
	rx->crc = TD_CRC_INIT;
}

void td_hdlc_rx_init(struct td_hdlc_rx *rx, td_hdlc_frame_fn fn, void *arg)
{
	memset(rx, 0, sizeof(*rx));
	rx->fn = fn;
	rx->arg = arg;
	rx->hunt = true;
}

static void rx_push(struct td_hdlc_rx *rx, unsigned int bit)
{
	uint32_t octets;

	if (rx->hunt)
		return;
	rx->acc = (uint8_t)(rx->acc >> 1 | bit << 7);
	rx->bits++;
	if (rx->bits & 7)
		return;
	octets = rx->bits >> 3;
	if (octets > sizeof(rx->buf)) {
		rx->counters.long_++;
		rx->hunt = true;
		return;
	}
	rx->buf[octets - 1] = rx->acc;
	rx->crc = td_crc_octet(rx->crc, rx->acc);
}

/* The flag's own first bits, 0111111, have been pushed as if they were data,
 * 7 too many; 6 when its zero was taken for a stuffed one (a line with
 * errors), or was the last bit of the flag before. */
static void rx_flag(struct td_hdlc_rx *rx)
{
	uint32_t own = rx->stuffed ? 6 : 7;
	uint32_t n = rx->bits > own ? rx->bits - own : 0;

	if (rx->hunt || !n)
		;	/* first flag, or flags between frames */
	else if (n / 8 < TD_HDLC_FRAME_MIN + TD_HDLC_FCS)
		rx->counters.short_++;
	else if (n % 8 || rx->crc != TD_CRC_GOOD)
		rx->counters.crc++;
	else {
		rx->counters.good++;
		rx->fn(rx->arg, rx->buf, n / 8 - TD_HDLC_FCS);
	}
	rx_start(rx);
}

void td_hdlc_rx_gap(struct td_hdlc_rx *rx)
{
	if (!rx->hunt && rx->bits > 7)
		rx->counters.abort++;
	rx->hunt = true;
	rx->ones = 0;
}

static void rx_bit(struct td_hdlc_rx *rx, unsigned int bit)
{
	if (bit) {
		if (rx->ones == 7)
			return;	/* idle line, counted once */
		if (++rx->ones == 7) {
			if (!rx->hunt && rx->bits > 7)
				rx->counters.abort++;
			rx->hunt = true;
			return;
		}
		rx_push(rx, 1);
		return;
	}
	if (rx->ones == 6)
		rx_flag(rx);
	else if (rx->ones < 5)
		rx_push(rx, 0);
	/* 5: a stuffed zero; 7: the end of an abort */
	rx->stuffed = rx->ones == 5;
	rx->ones = 0;
}

void td_hdlc_rx_octets(struct td_hdlc_rx *rx, const uint8_t *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int b = 7; b >= 0; b--)
			rx_bit(rx, line[i] >> b & 1);
}

/* ---- transmitter ---- */

void td_hdlc_tx_init(struct td_hdlc_tx *tx)
{
	memset(tx, 0, sizeof(*tx));
}

int td_hdlc_tx_load(struct td_hdlc_tx *tx, const uint8_t *data, size_t n)
{
	uint16_t fcs;

	if (n < TD_HDLC_FRAME_MIN || n > TD_HDLC_FRAME_MAX)
		return -EMSGSIZE;
	if (!td_hdlc_tx_ready(tx))
		return -EBUSY;
	memcpy(tx->buf, data, n);
	fcs = td_crc_fcs(tx->buf, n);
	tx->buf[n] = (uint8_t)fcs;
	tx->buf[n + 1] = (uint8_t)(fcs >> 8);
	tx->n = (uint16_t)(n + TD_HDLC_FCS);
	tx->pos = 0;
	return 0;
}

static void tx_bit(struct td_hdlc_tx *tx, uint32_t bit)
{
	tx->acc |= bit << tx->n_acc++;
}

static void tx_stuffed(struct td_hdlc_tx *tx, uint8_t octet)
{
	for (int b = 0; b < 8; b++) {
		uint32_t bit = octet >> b & 1;

		tx_bit(tx, bit);
		tx->ones = bit ? tx->ones + 1 : 0;
		if (tx->ones == 5) {
			tx_bit(tx, 0);
			tx->ones = 0;
		}
	}
}

static void tx_more(struct td_hdlc_tx *tx)
{
	/* a frame's first octet stands after a flag, its last before one */
	if (tx->pos < tx->n && (tx->flagged || tx->pos)) {
		tx_stuffed(tx, tx->buf[tx->pos++]);
		tx->flagged = false;
		return;
	}
	if (tx->pos == tx->n) {
		tx->n = 0;
		tx->pos = 0;
	}
	tx->acc |= (uint32_t)FLAG << tx->n_acc;
	tx->n_acc += 8;
	tx->ones = 0;
	tx->flagged = true;
}

static uint8_t reversed(uint8_t v)
{
	v = (uint8_t)((v & 0xf0) >> 4 | (v & 0x0f) << 4);
	v = (uint8_t)((v & 0xcc) >> 2 | (v & 0x33) << 2);
	return (uint8_t)((v & 0xaa) >> 1 | (v & 0x55) << 1);
}

uint8_t td_hdlc_tx_octet(struct td_hdlc_tx *tx)
{
	uint8_t out;

	while (tx->n_acc < 8)
		tx_more(tx);
	out = reversed((uint8_t)tx->acc);
	tx->acc >>= 8;
	tx->n_acc -= 8;
	return out;
}
