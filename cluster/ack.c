// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/ack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- who holds what --- */

void td_holders_need(struct td_holders *h, uint32_t mask,
		     const uint64_t life[TD_NODE_MAX_ID + 1])
{
	h->need = mask;
	memcpy(h->life, life, sizeof(h->life));
}

void td_holders_heard(struct td_holders *h, uint32_t node, uint64_t life,
		      const Td__Ack *a)
{
	struct td_holder *by = &h->by[node];

	if (by->life != life)
		*by = (struct td_holder){ .life = life };
	if (a->index > by->held)
		by->held = a->index;
	if (a->durable > by->on_disk)
		by->on_disk = a->durable;
	if (a->durable_since > by->since)
		by->since = a->durable_since;
}

/* the word of another life is nobody's */
static uint64_t held_by(const struct td_holders *h, uint32_t node)
{
	return h->by[node].life == h->life[node] ? h->by[node].held : 0;
}

uint64_t td_holders_floor(const struct td_holders *h)
{
	uint64_t min = h->need & 1 ? 0 : UINT64_MAX;

	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++)
		if (h->need >> i & 1 && held_by(h, i) < min)
			min = held_by(h, i);
	return min;
}

uint32_t td_holders_behind(const struct td_holders *h, uint64_t n)
{
	uint32_t mask = 0;

	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++)
		if (h->need >> i & 1 && held_by(h, i) < n)
			mask |= 1U << i;
	return mask;
}

unsigned int td_holders_disks(const struct td_holders *h, uint64_t n)
{
	unsigned int disks = 0;

	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++)
		disks += h->need >> i & 1 && held_by(h, i) &&
			 h->by[i].since < n && n <= h->by[i].on_disk;
	return disks;
}

void td_holders_forget(struct td_holders *h)
{
	memset(h->by, 0, sizeof(h->by));
}

/* --- effects that wait --- */

static struct td_effect *at(const struct td_ack *a, uint32_t i)
{
	return &a->ring[(a->head + i) & (a->size - 1)];
}

void td_ack_init(struct td_ack *a, uint32_t limit)
{
	*a = (struct td_ack){ .limit = limit };
}

void td_ack_clear(struct td_ack *a)
{
	free(a->ring);
	a->ring = NULL;
	a->size = a->count = a->delivered = 0;
}

static int grow(struct td_ack *a)
{
	uint32_t size = a->size ? a->size * 2 : 64;
	struct td_effect *ring;

	if (a->count < a->size)
		return 0;
	ring = malloc(size * sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->count; i++)
		ring[i] = *at(a, i);
	free(a->ring);
	a->ring = ring;
	a->size = size;
	a->head = 0;
	return 0;
}

static bool is_delivered(const struct td_ack *a, const struct td_effect *e)
{
	for (int lane = 0; lane < TD_LANES; lane++)
		if (e->need[lane] > a->done[lane])
			return false;
	return true;
}

/* effects keep their order: none is counted before the one ahead of it */
static void count_delivered(struct td_ack *a, int64_t now_ms)
{
	while (a->delivered < a->count &&
	       is_delivered(a, at(a, a->delivered))) {
		struct td_effect *e = at(a, a->delivered++);

		e->n = a->own_n;
		e->since_ms = now_ms;
	}
}

int td_ack_add(struct td_ack *a, const uint64_t need[TD_LANES], uint64_t floor,
	       td_effect_fn fn, void *arg)
{
	struct td_effect e = { .fn = fn, .arg = arg };

	memcpy(e.need, need, sizeof(e.need));
	if (!a->count && is_delivered(a, &e) && floor && floor >= a->own_n)
		return 1;
	if (a->count >= a->limit || grow(a)) {
		a->refused_full++;
		return -EAGAIN;
	}
	*at(a, a->count++) = e;
	/* what is delivered already waits for the others only; its wait
	 * counts from the first look at it */
	count_delivered(a, 0);
	return 0;
}

static void spoil(struct td_ack *a, enum td_lane lane, uint64_t seq,
		  enum td_spoils spoils)
{
	for (uint32_t i = a->delivered;
	     i < a->count && spoils != TD_SPOILS_NOTHING; i++) {
		/* asked for before it was submitted */
		if (at(a, i)->need[lane] < seq)
			continue;
		at(a, i)->status = -ESTALE;
		if (spoils == TD_SPOILS_NEXT)
			break;
	}
}

void td_ack_delivered(struct td_ack *a, enum td_lane lane, uint64_t seq,
		      uint64_t n, enum td_spoils spoils, int64_t now_ms)
{
	a->own_n = n;
	a->done[lane] = seq;
	spoil(a, lane, seq, spoils);
	count_delivered(a, now_ms);
}

static struct td_effect pop(struct td_ack *a)
{
	struct td_effect e = *at(a, 0);

	a->head = (a->head + 1) & (a->size - 1);
	a->count--;
	if (a->delivered)
		a->delivered--;
	return e;
}

const struct td_effect *td_ack_oldest(const struct td_ack *a)
{
	return a->count && a->delivered ? at(a, 0) : NULL;
}

void td_ack_run(struct td_ack *a, int status)
{
	struct td_effect e = pop(a);

	a->released++;
	e.fn(e.arg, e.status ? e.status : status);
}

void td_ack_release(struct td_ack *a, uint64_t floor)
{
	while (a->count && a->delivered && at(a, 0)->n <= floor)
		td_ack_run(a, 0);
}

void td_ack_cancel(struct td_ack *a, const uint64_t last[TD_LANES])
{
	/* fn may ask for another effect; the caller refuses new ones first,
	 * so this ends */
	while (a->count) {
		struct td_effect e = pop(a);

		a->cancelled++;
		e.fn(e.arg, -ECANCELED);
	}
	a->own_n = 0;
	memcpy(a->done, last, sizeof(a->done));
}

uint64_t td_ack_overdue(const struct td_ack *a, uint64_t floor,
			int64_t now_ms)
{
	struct td_effect *e;

	if (!a->count || !a->delivered)
		return 0;
	e = at(a, 0);
	if (!e->since_ms)
		e->since_ms = now_ms;
	if (now_ms - e->since_ms < TD_ACK_SLOW_MS || e->n <= floor)
		return 0;
	return e->n;
}
