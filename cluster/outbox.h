/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_OUTBOX_H
#define TD_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** Our own ops of one lane between submit and delivery: numbered, batched
 *  into bounded envelopes, and kept until they come back, so that they can be
 *  sent again when the lineage changes under them. */

enum {
	TD_OUTBOX_MAX_OCTETS = 32 * 1024 * 1024,
	/* of one envelope; at this much the batch goes at once */
	TD_OUTBOX_BATCH_OCTETS = 64 * 1024,
};

struct td_outbox {
	ProtobufCBinaryData *ring;	/* packed ops; power of two */
	uint32_t size, head, count, limit;
	uint32_t sent;			/* from head on */
	uint64_t first_seq;		/* of the head */
	size_t octets, unsent_octets;
	uint64_t refused_full;
};

void td_outbox_init(struct td_outbox *o, uint32_t limit);
void td_outbox_clear(struct td_outbox *o);	/* drops all ops */
/** Takes buf over. @return 0, -EAGAIN: full, counted, buf stays */
int td_outbox_put(struct td_outbox *o, uint8_t *buf, size_t n);
/** Number of the newest op ever put; 0: none. */
static inline uint64_t td_outbox_last(const struct td_outbox *o)
{
	return o->first_seq + o->count - 1;
}
static inline bool td_outbox_unsent(const struct td_outbox *o)
{
	return o->sent < o->count;
}
/** The next batch: up to max ops, but for one huge op no more octets than
 *  TD_OUTBOX_BATCH_OCTETS. @return how many */
uint32_t td_outbox_batch(const struct td_outbox *o, ProtobufCBinaryData *ops,
			 uint32_t max, uint64_t *first_seq);
void td_outbox_sent(struct td_outbox *o, uint32_t n);
/** All that has not come back goes again. */
void td_outbox_again(struct td_outbox *o);
/** Op seq has come back. @return false: it is none that waits */
bool td_outbox_delivered(struct td_outbox *o, uint64_t seq);

#endif
