/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_OUTBOX_H
#define TD_OUTBOX_H

#include "node/media/addr.h"
#include "node/media/rtp.h"

/** RTP packets on their way out: collected over one turn of the media thread,
 *  sent with one sendmmsg for each run of packets of one socket. */
struct td_outbox;

int td_outbox_new(struct td_outbox **out);
void td_outbox_free(struct td_outbox *o);

/** Room for a packet's payload, p->n octets at most; td_outbox_add takes it.
 *  Sends what is there first when it is full. */
uint8_t *td_outbox_room(struct td_outbox *o);
/** Adds the packet whose payload was written to td_outbox_room. */
void td_outbox_add(struct td_outbox *o, int fd, const struct td_addr *to,
		   const struct td_rtp_packet *p);
void td_outbox_flush(struct td_outbox *o);
/** Packets that the kernel refused. */
uint64_t td_outbox_refused(const struct td_outbox *o);

#endif
