/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAN_LIB_CARD_H
#define TD_SPAN_LIB_CARD_H

#include <pthread.h>
#include <stdatomic.h>

#include "spanctl/lib/span.h"

/* Private to lib/: what card.c opens and port.c, hdlc.c use. */

struct td_port {
	struct td_card *card;
	unsigned int number;
	int event;
	const struct td_span_status *status;
	struct td_span_owner *owner;		/* NULL: monitor */
	const uint64_t *rx;
	const uint32_t *rx_flags;
	uint64_t *tx;
	uint64_t *tx_stamp;
	const uint8_t *frames;
	uint8_t *hdlc_tx;
	/* control loop */
	uint64_t frames_at;	/* this reader's place */
	uint64_t hdlc_head;
	_Atomic uint64_t overrun, refused;
	/* media thread */
	uint32_t gen[TD_SPAN_SLOTS];	/* of the newest opening */
};

struct td_card {
	enum td_card_mode mode;
	pthread_mutex_t lock;	/* the socket: a request and its reply */
	int fd, life, wake;
	uint32_t next_id;
	uint32_t unanswered;	/* id of a request that timed out, 0: none */
	void *base;
	size_t length;
	unsigned int n_ports;
	struct td_port port[TD_SPAN_PORTS_MAX];
};

/** Sends a request and waits for its reply, at most TD_CARD_WAIT_MS.
 *  @return the reply's status, or -ETIMEDOUT, -ENOTCONN */
enum { TD_CARD_WAIT_MS = 250 };
int td_card_request(struct td_card *c, struct td_span_req *req);
/** Has the card process ended? */
bool td_card_gone(const struct td_card *c);

#endif
