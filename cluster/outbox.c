// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/outbox.h"

#include <errno.h>
#include <stdlib.h>

static ProtobufCBinaryData *at(const struct td_outbox *o, uint32_t i)
{
	return &o->ring[(o->head + i) & (o->size - 1)];
}

void td_outbox_init(struct td_outbox *o, uint32_t limit)
{
	*o = (struct td_outbox){ .limit = limit, .first_seq = 1 };
}

static void pop(struct td_outbox *o)
{
	ProtobufCBinaryData *op = at(o, 0);

	o->octets -= op->len;
	if (o->sent)
		o->sent--;
	else
		o->unsent_octets -= op->len;
	free(op->data);
	o->head = (o->head + 1) & (o->size - 1);
	o->count--;
	o->first_seq++;
}

void td_outbox_clear(struct td_outbox *o)
{
	while (o->count)
		pop(o);
	free(o->ring);
	o->ring = NULL;
	o->size = o->head = 0;
}

static int grow(struct td_outbox *o)
{
	uint32_t size = o->size ? o->size * 2 : 64;
	ProtobufCBinaryData *ring;

	if (o->count < o->size)
		return 0;
	ring = malloc(size * sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->count; i++)
		ring[i] = *at(o, i);
	free(o->ring);
	o->ring = ring;
	o->size = size;
	o->head = 0;
	return 0;
}

int td_outbox_put(struct td_outbox *o, uint8_t *buf, size_t n)
{
	if (o->count >= o->limit || o->octets + n > TD_OUTBOX_MAX_OCTETS ||
	    grow(o)) {
		o->refused_full++;
		return -EAGAIN;
	}
	*at(o, o->count++) = (ProtobufCBinaryData){ .data = buf, .len = n };
	o->octets += n;
	o->unsent_octets += n;
	return 0;
}

uint32_t td_outbox_batch(const struct td_outbox *o, ProtobufCBinaryData *ops,
			 uint32_t max, uint64_t *first_seq)
{
	size_t octets = 0;
	uint32_t n = 0;

	*first_seq = o->first_seq + o->sent;
	while (n < max && o->sent + n < o->count) {
		const ProtobufCBinaryData *op = at(o, o->sent + n);

		if (n && octets + op->len > TD_OUTBOX_BATCH_OCTETS)
			break;
		octets += op->len;
		ops[n++] = *op;
	}
	return n;
}

void td_outbox_sent(struct td_outbox *o, uint32_t n)
{
	while (n--)
		o->unsent_octets -= at(o, o->sent++)->len;
}

void td_outbox_again(struct td_outbox *o)
{
	o->sent = 0;
	o->unsent_octets = o->octets;
}

bool td_outbox_delivered(struct td_outbox *o, uint64_t seq)
{
	if (!o->count || seq < o->first_seq || seq > td_outbox_last(o))
		return false;
	while (o->count && o->first_seq <= seq)
		pop(o);
	return true;
}
