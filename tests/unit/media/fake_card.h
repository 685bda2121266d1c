/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_FAKE_CARD_H
#define TD_TEST_FAKE_CARD_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "node/media/spanops.h"

/* A card in virtual time behind node/media/spanops.h: nothing moves but by
 * fake_advance. */

enum { FAKE_PORTS = 4, FAKE_RING = TD_SPAN_RING };

struct fake_slot {
	bool open, xconn;
	struct td_port *from;
	unsigned int ts_from;
	uint8_t rx[FAKE_RING][8], tx[FAKE_RING][8];
	uint64_t written[FAKE_RING];	/* block + 1 */
	uint64_t last_written;
	uint64_t underruns;
};

struct td_port {
	struct td_card *card;
	uint64_t rx_block, tx_block;
	uint8_t flags[FAKE_RING];
	int xconn_rc, tx_open_rc;
	struct fake_slot slot[TD_SPAN_SLOTS];
};

struct td_card {
	int wake;
	struct td_port port[FAKE_PORTS];
	/* what the exchange sends in a block, and hears */
	void (*source)(void *arg, unsigned int ts, uint64_t block,
		       uint8_t out[8]);
	void (*sink)(void *arg, unsigned int ts, uint64_t block,
		     const uint8_t in[8]);
	int (*flag)(void *arg, uint64_t block);
	unsigned int ts;	/* the timeslot of interest, port 1 */
	void *arg;
};

static unsigned int fake_ports(const struct td_card *c)
{
	return FAKE_PORTS;
}

static struct td_port *fake_port(struct td_card *c, unsigned int port)
{
	return &c->port[port - 1];
}

static int fake_wake_fd(const struct td_card *c)
{
	return c->wake;
}

static int fake_wake_every(struct td_card *c, unsigned int blocks)
{
	return blocks ? 0 : -EINVAL;
}

static void fake_wake_clear(struct td_card *c)
{
	eventfd_t v;

	eventfd_read(c->wake, &v);
}

static void fake_position(const struct td_port *p, uint64_t *rx_block,
			  uint64_t *tx_block)
{
	*rx_block = p->rx_block;
	*tx_block = p->tx_block;
}

static int fake_rx(const struct td_port *p, uint64_t block, unsigned int ts,
		   uint8_t out[8])
{
	if (block >= p->rx_block || block + FAKE_RING - 8 < p->rx_block)
		return -ERANGE;
	memcpy(out, p->slot[ts].rx[block % FAKE_RING], 8);
	return p->flags[block % FAKE_RING];
}

static int fake_tx_open(struct td_port *p, unsigned int ts)
{
	if (p->tx_open_rc)
		return p->tx_open_rc;
	p->slot[ts].open = true;
	memset(p->slot[ts].written, 0, sizeof(p->slot[ts].written));
	p->slot[ts].last_written = 0;
	return 0;
}

static void fake_tx_close(struct td_port *p, unsigned int ts)
{
	p->slot[ts].open = false;
}

static int fake_tx(struct td_port *p, uint64_t block, unsigned int ts,
		   const uint8_t in[8])
{
	struct fake_slot *s = &p->slot[ts];

	/* in order, once each, into an open slot: or the room is wrong */
	if (!s->open || block < s->last_written)
		abort();
	if (block < p->tx_block || block >= p->tx_block + FAKE_RING / 2)
		return -ERANGE;
	s->last_written = block + 1;
	s->written[block % FAKE_RING] = block + 1;
	memcpy(s->tx[block % FAKE_RING], in, 8);
	return 0;
}

static int fake_xconn(struct td_port *from, unsigned int ts_from,
		      struct td_port *to, unsigned int ts_to)
{
	if (to->xconn_rc)
		return to->xconn_rc;
	to->slot[ts_to].xconn = true;
	to->slot[ts_to].from = from;
	to->slot[ts_to].ts_from = ts_from;
	return 0;
}

static int fake_xconn_off(struct td_port *to, unsigned int ts_to)
{
	to->slot[ts_to].xconn = false;
	return 0;
}

static const struct td_media_span_ops fake_span = {
	.ports = fake_ports, .port = fake_port, .wake_fd = fake_wake_fd,
	.wake_every = fake_wake_every, .wake_clear = fake_wake_clear,
	.position = fake_position, .rx = fake_rx, .tx_open = fake_tx_open,
	.tx_close = fake_tx_close, .tx = fake_tx, .xconn = fake_xconn,
	.xconn_off = fake_xconn_off,
};

static struct td_card *fake_new(void)
{
	struct td_card *c = calloc(1, sizeof(*c));

	c->wake = eventfd(0, EFD_NONBLOCK);
	for (int i = 0; i < FAKE_PORTS; i++) {
		c->port[i].card = c;
		c->port[i].rx_block = c->port[i].tx_block = 1000;
	}
	return c;
}

static void fake_free(struct td_card *c)
{
	close(c->wake);
	free(c);
}

/* n packets of the line are exchanged */
static inline void fake_advance(struct td_card *c, unsigned int n)
{
	static const uint8_t idle[8] = { 0xd5, 0xd5, 0xd5, 0xd5,
					 0xd5, 0xd5, 0xd5, 0xd5 };
	struct td_port *p = &c->port[0];
	struct fake_slot *s = &p->slot[c->ts];

	for (; n; n--, p->rx_block++, p->tx_block++) {
		unsigned int i = p->tx_block % FAKE_RING;
		bool there = s->open && s->written[i] == p->tx_block + 1;

		if (s->open && !there)
			s->underruns++;
		if (c->sink)
			c->sink(c->arg, c->ts, p->tx_block,
				there ? s->tx[i] : idle);
		i = p->rx_block % FAKE_RING;
		p->flags[i] = c->flag ? c->flag(c->arg, p->rx_block) : 0;
		if (c->source)
			c->source(c->arg, c->ts, p->rx_block, s->rx[i]);
	}
}

#endif
