// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"

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

/* --- by the records --- */

static uint32_t bit(uint32_t id)
{
	return id && id <= TD_NODE_MAX_ID ? 1U << id : 0;
}

void td_sync_record_read(const Td__Record *r, struct td_sync_record *out)
{
	*out = (struct td_sync_record){ 0 };
	if (!r)
		return;
	out->epoch = r->epoch;
	out->version = r->version;
	for (size_t i = 0; i < r->n_in_sync; i++) {
		uint32_t id = r->in_sync[i]->id;

		if (!bit(id))
			continue;
		out->in_sync |= bit(id);
		out->life[id] = r->in_sync[i]->incarnation;
		out->since[id].epoch = r->in_sync[i]->since_epoch;
		out->since[id].version = r->in_sync[i]->since_version;
	}
	for (size_t i = 0; i < r->n_voters; i++)
		out->voters |= bit(r->voters[i]);
	for (size_t i = 0; i < r->n_voters_next; i++)
		out->voters_next |= bit(r->voters_next[i]);
}

int td_sync_record_cmp(const struct td_sync_record *a,
		       const struct td_sync_record *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return 0;
}

static const struct td_sync_record *newest(const struct td_claim *claims,
					   uint32_t said)
{
	const struct td_sync_record *r = NULL;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (said & bit(i) &&
		    (!r || td_sync_record_cmp(&claims[i].record, r) > 0))
			r = &claims[i].record;
	return r;
}

static bool majority(uint32_t votes, uint32_t of)
{
	return 2 * __builtin_popcount(votes & of) > __builtin_popcount(of);
}

static bool majority_of_all(uint32_t votes, const struct td_sync_record *r)
{
	return majority(votes, r->voters) &&
	       (!r->voters_next || majority(votes, r->voters_next));
}

/* Does a majority of its voters say that there is no newer record? */
static bool stands(const struct td_claim *claims, uint32_t said,
		   const struct td_sync_record *r, bool forced)
{
	bool founding = r->version <= 1;
	uint32_t votes = 0;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (said & bit(i) &&
		    (claims[i].record.epoch || founding || forced))
			votes |= bit(i);
	return majority_of_all(votes, r);
}

static uint32_t holders(const struct td_claim *claims, uint32_t said,
			const struct td_sync_record *r)
{
	uint32_t mask = 0;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (said & bit(i) &&
		    !td_sync_record_cmp(&claims[i].record, r))
			mask |= bit(i);
	return mask;
}

static bool names(const struct td_sync_record *r, uint32_t id, uint64_t life)
{
	return r->in_sync & bit(id) && r->life[id] == life;
}

/* Whom a record that may bind names: those who are here, and those who are
 * neither here nor known to be over. */
static void sort_out(const struct td_claim *claims, uint32_t said,
		     const struct td_sync_record *r, uint32_t *here,
		     uint32_t *missing)
{
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++) {
		if (!(r->in_sync & bit(i)))
			continue;
		if (!(said & bit(i)))
			*missing |= bit(i);
		else if (claims[i].life == r->life[i])
			*here |= bit(i);
	}
}

/* What the record says of i, it can say of itself: it was told of its being
 * added in the one order, with all that came before. */
static bool holds(const struct td_claim *c, const struct td_sync_record *r,
		  uint32_t i)
{
	if (c->lacks || c->record.epoch < r->since[i].epoch)
		return false;
	return c->record.epoch > r->since[i].epoch ||
	       c->record.version >= r->since[i].version;
}

static void go(const struct td_claim *claims, uint32_t who,
	       struct td_verdict *out)
{
	out->mask = td_sync_elect(claims, who, &out->winner);
	out->what = out->mask ? TD_VERDICT_GO : TD_VERDICT_NOBODY;
}

/* By the newest record, which stands. A removal that no majority is seen to
 * hold may not have bound, nor an addition have come to whom it names: then
 * all records that are reported count. */
static void by_record(const struct td_claim *claims, uint32_t said,
		      uint32_t silent, uint32_t able,
		      const struct td_sync_record *r, bool forced,
		      struct td_verdict *out)
{
	bool binds = majority_of_all(holders(claims, said, r), r);
	uint32_t sure = 0, here = 0;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++) {
		if (!(said & bit(i)))
			continue;
		if (able & bit(i) && names(r, i, claims[i].life) &&
		    holds(&claims[i], r, i))
			sure |= bit(i);
		if (!binds)
			sort_out(claims, said, &claims[i].record, &here,
				 &out->missing);
	}
	sort_out(claims, said, r, &here, &out->missing);
	if (sure) {
		out->missing = 0;
		go(claims, sure, out);
	} else if (out->missing && !forced) {
		out->what = TD_VERDICT_NOBODY;
	} else if (silent && !forced) {
		/* it may have the best view of those that are left */
		out->what = TD_VERDICT_WAIT;
	} else {
		/* what only the lost ones held is lost */
		out->cold = true;
		go(claims, here & able ? here & able : able, out);
	}
}

void td_sync_decide(const struct td_claim claims[TD_NODE_MAX_ID + 1],
		    uint32_t members, uint32_t silent, bool quorate,
		    struct td_verdict *out)
{
	uint32_t said = 0, able = 0, live = 0;
	const struct td_sync_record *r;
	bool forced = false;

	*out = (struct td_verdict){ .what = TD_VERDICT_WAIT };
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++) {
		if (!(members & bit(i)) || !claims[i].said)
			continue;
		said |= bit(i);
		forced |= claims[i].forced;
		if (claims[i].witness)
			continue;
		able |= bit(i);
		if (claims[i].live)
			live |= bit(i);
	}
	r = newest(claims, said);
	if (live)
		out->what = TD_VERDICT_LIVE;
	if (live || !r || members & ~said & ~silent)
		return;
	if (r->epoch && !stands(claims, said, r, forced))
		out->what = TD_VERDICT_MINORITY;
	else if (r->epoch)
		by_record(claims, said, members & ~said, able, r, forced, out);
	else if (members & ~said)
		return;		/* a founding waits for all */
	else if (quorate)
		go(claims, able, out);
	else
		out->what = TD_VERDICT_MINORITY;
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

int td_sync_give_next(struct td_sync_give *g, Td__SyncChunk *out)
{
	if (g->offset - g->acked >= TD_SYNC_WINDOW_OCTETS)
		return 0;
	while (!g->part) {
		int rc = td_view_cut_next(g->cut, TD_SYNC_PART_OCTETS,
					  &g->part, &g->part_octets, &g->last);

		if (rc)
			return rc;
		if (g->part_octets > UINT32_MAX - g->offset)
			return -EMSGSIZE;
		if (g->part_octets)
			break;
		free(g->part);
		g->part = NULL;
	}
	out->to_node = g->to_node;
	out->to_incarnation = g->to_incarnation;
	out->request = g->request;
	out->lineage = g->lineage;
	out->index = g->n;
	out->offset = g->offset;
	out->total_octets = g->last ? g->offset + g->part_octets : 0;
	out->data.data = g->part;
	out->data.len = g->part_octets;
	return 1;
}

bool td_sync_give_sent(struct td_sync_give *g)
{
	g->offset += g->part_octets;
	free(g->part);
	g->part = NULL;
	return g->last;
}

void td_sync_give_stop(struct td_sync_give *g)
{
	td_view_cut_free(g->cut);
	free(g->part);
	*g = (struct td_sync_give){ 0 };
}

/* --- taking --- */

struct td_sync_held *td_sync_take_pop(struct td_sync_take *t)
{
	struct td_sync_held *h = t->head;

	if (!h)
		return NULL;
	t->head = h->next;
	if (!t->head)
		t->tail = &t->head;
	t->held_octets -= h->n + sizeof(*h);
	return h;
}

void td_sync_take_stop(struct td_sync_take *t)
{
	struct td_sync_held *h;

	while ((h = td_sync_take_pop(t)))
		free(h);
	td_view_free(t->view);
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

int td_sync_take_part(struct td_sync_take *t, const Td__SyncChunk *s)
{
	int rc;

	if (!t->waiting || t->overrun || t->whole || !s->data.len)
		return 0;
	if (!s->offset && !t->got)
		t->lineage = s->lineage;
	if (s->offset != t->got || s->lineage != t->lineage ||
	    s->data.len > UINT32_MAX - t->got)
		return 0;
	if (!t->view && td_view_new(&t->view))
		return -ENOMEM;
	rc = td_view_add_part(t->view, s->data.data, s->data.len);
	if (rc < 0)
		return rc;
	t->got += s->data.len;
	/* both say where it ends, or it is damaged */
	if (s->total_octets != (rc ? t->got : 0))
		return -EBADMSG;
	t->whole = rc;
	return rc;
}
