// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool better(const struct td_claim *a, const struct td_claim *b)
{
	if (a->lineage != b->lineage)
		return a->lineage > b->lineage;
	return a->n > b->n;
}

uint32_t td_sync_elect(const struct td_claim claims[TD_NODE_MAX_ID + 1],
		       uint32_t members, uint32_t *winner)
{
	uint32_t best = 0, mask;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++) {
		if (!(members >> i & 1))
			continue;
		if (!claims[i].said || claims[i].live)
			return 0;
		if (!best || better(&claims[i], &claims[best]))
			best = i;
	}
	if (!best)
		return 0;
	mask = 1U << best;
	for (uint32_t i = best + 1; i <= TD_NODE_MAX_ID; i++)
		if ((members >> i & 1) && claims[best].lineage &&
		    !better(&claims[best], &claims[i]) &&
		    (claims[best].together >> i & 1) &&
		    (claims[i].together >> best & 1))
			mask |= 1U << i;
	*winner = best;
	return mask;
}

uint32_t td_sync_donor(uint32_t can, uint32_t attempt)
{
	unsigned int n = __builtin_popcount(can);

	if (!n)
		return 0;
	for (attempt %= n; attempt; attempt--)
		can &= can - 1;
	return __builtin_ctz(can);
}

/* --- giving --- */

bool td_sync_give_next(struct td_sync_give *g, Td__SyncChunk *out)
{
	size_t n = g->octets - g->offset;

	if (!g->buf || !n)
		return false;
	if (n > TD_SYNC_CHUNK_OCTETS)
		n = TD_SYNC_CHUNK_OCTETS;
	out->to_node = g->to_node;
	out->to_incarnation = g->to_incarnation;
	out->request = g->request;
	out->lineage = g->lineage;
	out->index = g->n;
	out->total_octets = g->octets;
	out->offset = g->offset;
	out->data.data = g->buf + g->offset;
	out->data.len = n;
	return true;
}

void td_sync_give_stop(struct td_sync_give *g)
{
	free(g->buf);
	*g = (struct td_sync_give){ 0 };
}

/* --- taking --- */

void td_sync_take_stop(struct td_sync_take *t)
{
	while (t->head) {
		struct td_sync_held *h = t->head;

		t->head = h->next;
		free(h);
	}
	free(t->buf);
	*t = (struct td_sync_take){ 0 };
}

void td_sync_take_start(struct td_sync_take *t, uint32_t request)
{
	td_sync_take_stop(t);
	t->tail = &t->head;
	t->waiting = true;
	t->request = request;
}

int td_sync_take_keep(struct td_sync_take *t, uint32_t from, const void *buf,
		      size_t n)
{
	struct td_sync_held *h = NULL;

	if (!t->waiting || t->overrun)
		return 0;
	if (t->held_octets + n <= TD_SYNC_MAX_QUEUE_OCTETS)
		h = malloc(sizeof(*h) + n);
	if (!h) {
		t->overrun = true;
		return -EOVERFLOW;
	}
	h->next = NULL;
	h->from = from;
	h->n = n;
	memcpy(h->buf, buf, n);
	*t->tail = h;
	t->tail = &h->next;
	t->held_octets += n + sizeof(*h);
	return 0;
}

int td_sync_take_piece(struct td_sync_take *t, const Td__SyncChunk *s)
{
	uint8_t *buf;

	if (!t->waiting || t->overrun || !s->data.len)
		return 0;
	if (s->total_octets > TD_SNAPSHOT_MAX_OCTETS)
		return -EMSGSIZE;
	if (!s->offset && !t->got) {
		t->lineage = s->lineage;
		t->total = s->total_octets;
	}
	if (s->offset != t->got || s->lineage != t->lineage ||
	    s->total_octets != t->total || s->data.len > t->total - t->got)
		return 0;
	/* grows with what has come, not with what was announced */
	buf = realloc(t->buf, t->got + s->data.len);
	if (!buf)
		return -ENOMEM;
	t->buf = buf;
	memcpy(buf + t->got, s->data.data, s->data.len);
	t->got += s->data.len;
	return t->got == t->total;
}
