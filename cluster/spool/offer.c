// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "cluster/spool/spool_priv.h"

/* What other members shall know: records that only this disk has (put while
 * alone or cut off, or left from an earlier life), and what is in the
 * database. */

int offer_op(struct td_spool *s, const struct td_spool_key *key,
	     const void *data, size_t n)
{
	Td__SpoolRecord r = TD__SPOOL_RECORD__INIT;
	Td__Op op = TD__OP__INIT;

	r.type = key->type;
	r.key = (ProtobufCBinaryData){ key->n, (uint8_t *)key->octets };
	r.data = (ProtobufCBinaryData){ n, (uint8_t *)data };
	op.what_case = TD__OP__WHAT_SPOOL_PUT;
	op.spool_put = &r;
	return s->env.say(s->env.arg, &op);
}

void offer_done(struct td_spool *s, int64_t now_ms,
		const struct td_spool_key *keys, size_t n)
{
	Td__SpoolKey m[TD_SPOOL_DONE_KEYS], *list[TD_SPOOL_DONE_KEYS];
	Td__SpoolDone d = TD__SPOOL_DONE__INIT;
	Td__Op op = TD__OP__INIT;

	for (size_t i = 0; i < n; i++) {
		td__spool_key__init(&m[i]);
		m[i].type = keys[i].type;
		m[i].key = (ProtobufCBinaryData){
			keys[i].n, (uint8_t *)keys[i].octets };
		list[i] = &m[i];
	}
	d.keys = list;
	d.n_keys = n;
	op.what_case = TD__OP__WHAT_SPOOL_DONE;
	op.spool_done = &d;
	/* else again in a while: they are marked */
	s->env.say(s->env.arg, &op);
}

static unsigned int count(uint32_t mask)
{
	return __builtin_popcount(mask);
}

/* Two disks are enough for safety, but whoever writes next needs it too. */
static bool wants_offer(const struct entry *e, uint32_t in_sync)
{
	return e->state == ENTRY_ON_DISK && !e->written && !e->unreadable &&
	       (e->holders & in_sync) != in_sync;
}

static void on_read(void *arg, struct td_spool_job *job)
{
	struct td_spool *s = arg;
	uint32_t in_sync = s->closing ? 0 : s->env.in_sync(s->env.arg);
	bool stop = false;

	for (unsigned int i = 0; i < job->n_pieces; i++) {
		struct td_spool_piece *p = &job->pieces[i];
		struct td_seg_frame f;
		struct entry *e;

		if (p->status || td_seg_frame_read(p->buf, p->octets, 0, &f))
			continue;	/* take.c finds out and tells */
		e = index_find(s, &f.key);
		if (!e)
			continue;
		e->busy = false;
		if (stop || !in_sync || !wants_offer(e, in_sync))
			continue;
		stop = offer_op(s, &e->key, f.data, f.n) != 0;
		s->stats.offered += !stop;
	}
	td_spool_job_free(job);
}

static void read_for_offer(struct td_spool *s, struct entry *const *list,
			   unsigned int n)
{
	struct td_spool_job *job = calloc(1, sizeof(*job));

	if (!job)
		return;
	job->what = TD_SPOOL_READ;
	job->done = on_read;
	job->arg = s;
	job->pieces = calloc(n, sizeof(*job->pieces));
	if (!job->pieces) {
		free(job);
		return;
	}
	job->n_pieces = n;
	for (unsigned int i = 0; i < n; i++) {
		job->pieces[i].segment = list[i]->segment->number;
		job->pieces[i].at = list[i]->at;
		job->pieces[i].octets = list[i]->octets;
	}
	if (s->disk->ops->submit(s->disk, job))
		td_spool_job_free(job);
}

static int64_t due_ms(const struct entry *e)
{
	/* an op of a new one may be under way; of an old one there is none */
	return e->touched_ms ? e->touched_ms + (e->holders || e->written ?
			SPOOL_OFFER_AGAIN_MS : SPOOL_OFFER_AFTER_MS) : 0;
}

void offer_turn(struct td_spool *s, int64_t now_ms, uint32_t in_sync)
{
	struct td_spool_key done[SPOOL_OFFER_BATCH];
	struct entry *list[SPOOL_OFFER_BATCH];
	unsigned int n = 0, n_done = 0;
	struct entry *e;

	if (!s->scan)
		return;
	if (!s->cursor) {
		s->cursor = s->head;
		s->scan_found = false;
		s->alone_pass = 0;
	}
	e = s->cursor;
	for (int i = 0; e && i < SPOOL_SCAN_BATCH; i++, e = e->next) {
		if (n == SPOOL_OFFER_BATCH || n_done == SPOOL_OFFER_BATCH)
			break;
		if (e->state != ENTRY_ON_DISK) {
			s->scan_found = true;
			continue;
		}
		if (!e->written && !wants_offer(e, in_sync)) {
			s->alone_pass += count(e->holders & in_sync) < 2;
			continue;
		}
		s->scan_found = true;
		if (e->busy || now_ms < due_ms(e))
			continue;
		e->touched_ms = now_ms;
		if (e->written)
			done[n_done++] = e->key;
		else
			list[n++] = e;
	}
	s->cursor = e;
	if (!e) {
		s->scan = s->scan_found;
		s->stats.alone = s->alone_pass;
	}
	if (n_done)
		offer_done(s, now_ms, done, n_done);
	if (n)
		read_for_offer(s, list, n);
}
