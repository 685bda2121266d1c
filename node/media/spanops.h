/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MEDIA_SPANOPS_H
#define TD_MEDIA_SPANOPS_H

#include "spanctl/lib/span.h"

/** What the media thread asks of a card: the functions of spanctl/lib/span.h
 *  of the same names. A struct, so that tests can put a card in virtual time
 *  in their place. */
struct td_media_span_ops {
	unsigned int (*ports)(const struct td_card *c);
	struct td_port *(*port)(struct td_card *c, unsigned int port);
	int (*wake_fd)(const struct td_card *c);
	int (*wake_every)(struct td_card *c, unsigned int blocks);
	void (*wake_clear)(struct td_card *c);
	void (*position)(const struct td_port *p, uint64_t *rx_block,
			 uint64_t *tx_block);
	int (*rx)(const struct td_port *p, uint64_t block,
		  unsigned int timeslot, uint8_t out[8]);
	int (*tx_open)(struct td_port *p, unsigned int timeslot);
	void (*tx_close)(struct td_port *p, unsigned int timeslot);
	int (*tx)(struct td_port *p, uint64_t block, unsigned int timeslot,
		  const uint8_t in[8]);
	int (*xconn)(struct td_port *from, unsigned int ts_from,
		     struct td_port *to, unsigned int ts_to);
	int (*xconn_off)(struct td_port *to, unsigned int ts_to);
};

/** The real one. */
extern const struct td_media_span_ops td_media_span;

#endif
