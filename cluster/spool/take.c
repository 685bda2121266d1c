// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/spool/spool_priv.h"
#include "proto/base/log.h"

/* What the writer reads, and what it has written. */

static void unreadable(struct td_spool *s, const struct td_spool_piece *p)
{
	struct entry *e;

	/* its frame cannot tell whose it is */
	for (e = s->head; e; e = e->next)
		if (e->segment && e->segment->number == p->segment &&
		    e->at == p->at)
			break;
	if (!e || e->unreadable)
		return;
	e->unreadable = true;
	s->stats.unreadable++;
	td_err("spool", "SPOOL-READ", "segment=%u at=%u: a record cannot be "
	       "read (%s); it is only where another node has it", p->segment,
	       p->at, strerror(-p->status));
}

static void on_read(void *arg, struct td_spool_job *job)
{
	struct td_spool *s = arg;
	struct td_spool_rec *recs = calloc(job->n_pieces, sizeof(*recs));
	td_spool_taken_fn fn = s->taken;
	size_t n = 0;

	for (unsigned int i = 0; recs && i < job->n_pieces; i++) {
		struct td_spool_piece *p = &job->pieces[i];
		struct td_seg_frame f;

		if (p->status || td_seg_frame_read(p->buf, p->octets, 0, &f)) {
			if (p->status != -ENOMEM)
				unreadable(s, p);
			continue;
		}
		recs[n++] = (struct td_spool_rec){ f.key, f.data, f.n };
	}
	s->taken = NULL;
	fn(s->taken_arg, s->closing ? -ECANCELED : n ? 0 : -EIO, recs, n);
	free(recs);
	td_spool_job_free(job);
}

int td_spool_take(struct td_spool *s, unsigned int max, td_spool_taken_fn fn,
		  void *arg)
{
	struct td_spool_job *job;
	unsigned int n = 0;
	size_t octets = 0;
	uint8_t type = 0;

	if (s->taken)
		return -EBUSY;
	if (max > TD_SPOOL_MAX_PIECES)
		max = TD_SPOOL_MAX_PIECES;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -EAGAIN;
	job->what = TD_SPOOL_READ;
	job->done = on_read;
	job->arg = s;
	job->pieces = calloc(max, sizeof(*job->pieces));
	for (struct entry *e = s->head; job->pieces && e && n < max;
	     e = e->next) {
		if (e->state != ENTRY_ON_DISK || e->written || e->unreadable)
			continue;
		if ((type && e->key.type != type) ||
		    (n && octets + e->octets > TD_SPOOL_MAX_READ))
			break;
		type = e->key.type;
		octets += e->octets;
		job->pieces[n++] = (struct td_spool_piece){
			.segment = e->segment->number, .at = e->at,
			.octets = e->octets };
	}
	job->n_pieces = n;
	if (!n || s->disk->ops->submit(s->disk, job)) {
		int rc = !job->pieces || n ? -EAGAIN : -ENOENT;

		td_spool_job_free(job);
		return rc;
	}
	s->taken = fn;
	s->taken_arg = arg;
	return 0;
}

void td_spool_written(struct td_spool *s, int64_t now_ms,
		      const struct td_spool_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct entry *e = index_find(s, &keys[i]);

		if (!e)
			continue;
		e->written = true;
		e->touched_ms = now_ms;
		save_done(s, &e->key);
	}
	s->scan = true;
	while (n) {
		size_t k = n < TD_SPOOL_DONE_KEYS ? n : TD_SPOOL_DONE_KEYS;

		offer_done(s, now_ms, keys, k);
		keys += k;
		n -= k;
	}
}
