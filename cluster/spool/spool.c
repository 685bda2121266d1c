// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/spool/spool_priv.h"
#include "proto/base/log.h"

static const struct td_spool_limits defaults = {
	.disk_octets = 256 * 1024 * 1024,
	.memory_octets = 16 * 1024 * 1024,
};

int td_spool_new(const struct td_spool_env *env,
		 const struct td_spool_limits *limits, struct td_spool **out)
{
	struct td_spool *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->env = *env;
	s->limits = limits ? *limits : defaults;
	if (!s->limits.disk_octets)
		s->limits.disk_octets = defaults.disk_octets;
	if (!s->limits.memory_octets)
		s->limits.memory_octets = defaults.memory_octets;
	if (index_init(s)) {
		free(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void td_spool_set_disk(struct td_spool *s, struct td_spool_disk *disk)
{
	s->disk = disk;
	index_sweep(s);
}

void td_spool_free(struct td_spool *s)
{
	if (!s)
		return;
	s->closing = true;
	if (s->disk)
		s->disk->ops->free(s->disk);
	for (struct entry *e = s->head; e; e = e->next)
		td_spool_job_free(e->job);
	save_cancel(s);
	index_free(s);
	free(s);
}

/* --- the start --- */

struct loading {
	struct td_spool *s;
	struct segment *segment;
};

static void on_frame(void *arg, const struct td_seg_frame *f)
{
	struct loading *l = arg;
	struct td_spool *s = l->s;
	struct entry *e = index_find(s, &f->key);

	if (f->kind == TD_SEG_DONE) {
		if (e)
			index_del(s, e);
		return;
	}
	if (e)
		return;		/* put twice: the first counts */
	e = index_add(s, &f->key);
	if (!e) {
		s->stats.refused_memory++;
		return;
	}
	index_place(e, l->segment, f->at, f->octets);
	s->stats.unsaved--;
}

void td_spool_load(struct td_spool *s, uint32_t segment, const uint8_t *buf,
		   size_t n)
{
	struct loading l = { s, index_segment(s, segment) };
	struct td_seg_scan scan;

	if (!l.segment)
		return;
	l.segment->octets = n;
	s->stats.octets += n;
	td_seg_scan(buf, n, on_frame, &l, &scan);
	s->stats.torn_octets += scan.torn;
	s->stats.bad_octets += scan.bad;
	s->scan = true;
	if (scan.bad)
		td_err("spool", "SPOOL-CORRUPT", "segment=%u octets=%zu: the "
		       "disk has damaged records that were safe; look at it",
		       segment, scan.bad);
}

/* --- onto the disk --- */

static void set_full(struct td_spool *s, bool full)
{
	if (full == s->stats.full)
		return;
	s->stats.full = full;
	if (full)
		td_err("spool", "SPOOL-FULL", "octets=%llu records=%u: new "
		       "records are not kept on this disk; bring the database "
		       "back", (unsigned long long)s->stats.octets,
		       s->stats.records);
	else
		td_info("spool", "there is room again");
}

static void set_stuck(struct td_spool *s, bool stuck, int status)
{
	if (stuck == s->stats.stuck)
		return;
	s->stats.stuck = stuck;
	if (stuck)
		td_err("spool", "SPOOL-DISK", "%s: records wait in memory",
		       status ? strerror(-status) : "the disk does not answer");
	else
		td_info("spool", "the disk takes records again");
}

static void tell_on_disk(struct td_spool *s)
{
	/* full: what was refused is not on it */
	while (s->newest_n > s->told_n && !s->failed && !s->stats.full) {
		if (!s->mark_n) {
			s->mark_n = s->newest_n;
			s->mark_seq = s->append_seq;
		}
		if (s->back_seq < s->mark_seq)
			return;
		s->told_n = s->mark_n;
		s->mark_n = 0;
		if (s->env.on_disk)
			s->env.on_disk(s->env.arg, s->told_n);
	}
}

static void on_appended(void *arg, struct td_spool_job *job);

static void drop_failed(struct td_spool *s, struct entry *e)
{
	s->failed--;
	s->stats.queued_octets -= e->job->n;
	td_spool_job_free(e->job);
	index_del(s, e);
}

static void submit_append(struct td_spool *s, struct entry *e)
{
	s->failed -= e->state == ENTRY_FAILED;
	e->state = ENTRY_QUEUED;
	if (!s->disk || s->disk->ops->submit(s->disk, e->job)) {
		e->state = ENTRY_FAILED;
		s->failed++;
		return;
	}
	s->append_seq++;
}

static void not_appended(struct td_spool *s, struct entry *e, int status)
{
	e->state = ENTRY_FAILED;
	s->failed++;
	s->stats.disk_errors++;
	set_stuck(s, true, status);
	if (e->done)
		drop_failed(s, e);
	else
		save_on_disk(s, &e->key, -EIO);
}

/* The frame's key leads back to the entry: it may be gone meanwhile. */
static void on_appended(void *arg, struct td_spool_job *job)
{
	struct td_spool *s = arg;
	struct td_seg_frame f;
	struct segment *g;
	struct entry *e;

	s->back_seq++;
	if (td_seg_frame_read(job->buf, job->n, 0, &f))
		return;		/* we have written it ourselves */
	e = index_find(s, &f.key);
	if (s->closing || !e || e->job != job) {
		if (!e || e->job != job)
			td_spool_job_free(job);
		return;
	}
	g = job->status ? NULL : index_segment(s, job->segment);
	if (!g) {
		not_appended(s, e, job->status ? job->status : -ENOMEM);
		return;
	}
	if (!s->failed)
		set_stuck(s, false, 0);
	g->octets += job->n;
	s->stats.octets += job->n;
	s->stats.queued_octets -= job->n;
	s->stats.unsaved--;
	index_place(e, g, job->at, job->n);
	e->job = NULL;
	td_spool_job_free(job);
	if (e->done) {
		spool_tombstone(s, &e->key, 1);
		index_del(s, e);
	} else {
		save_on_disk(s, &f.key, 0);
	}
	tell_on_disk(s);
}

/* once full, it stays so until a sixteenth is free */
static bool beyond(const struct td_spool *s, size_t octets)
{
	uint64_t max = s->limits.disk_octets;

	if (s->stats.full)
		max -= max / 16;
	return s->stats.octets + s->stats.queued_octets + octets > max;
}

static int room_for(struct td_spool *s, size_t octets)
{
	if (s->stats.queued_octets + octets > s->limits.memory_octets) {
		set_stuck(s, true, 0);
		s->stats.refused_memory++;
		return -EAGAIN;
	}
	set_full(s, beyond(s, octets));
	s->stats.refused_full += s->stats.full;
	return s->stats.full ? -ENOSPC : 0;
}

static struct td_spool_job *append_job(struct td_spool *s,
				       const struct td_spool_key *key,
				       const void *data, size_t n)
{
	struct td_spool_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->what = TD_SPOOL_APPEND;
	job->sync = true;
	job->done = on_appended;
	job->arg = s;
	job->n = td_seg_frame_octets(key, n);
	job->buf = malloc(job->n);
	if (!job->buf) {
		free(job);
		return NULL;
	}
	td_seg_frame_write(TD_SEG_PUT, key, data, n, job->buf);
	return job;
}

static int put(struct td_spool *s, int64_t now_ms,
	       const struct td_spool_key *key, const void *data, size_t n,
	       struct entry **out)
{
	struct entry *e = index_find(s, key);
	int rc;

	if (e) {
		*out = e;
		return 0;
	}
	if (n > TD_SEG_MAX_DATA)
		return -EINVAL;
	rc = room_for(s, td_seg_frame_octets(key, n));
	if (rc)
		return rc;
	e = index_add(s, key);
	if (!e)
		return -ENOMEM;
	e->job = append_job(s, key, data, n);
	if (!e->job) {
		index_del(s, e);
		return -ENOMEM;
	}
	e->touched_ms = now_ms;
	s->stats.put++;
	s->stats.queued_octets += e->job->n;
	s->scan = true;
	submit_append(s, e);
	*out = e;
	return 0;
}

int td_spool_put(struct td_spool *s, int64_t now_ms, uint32_t type,
		 const void *key, size_t key_n, const void *data, size_t n)
{
	struct td_spool_key k;
	struct entry *e;
	int rc = td_spool_key_make(type, key, key_n, &k);

	return rc ? rc : put(s, now_ms, &k, data, n, &e);
}

/* --- off it again --- */

static void on_tombstone(void *arg, struct td_spool_job *job)
{
	struct td_spool *s = arg;
	struct segment *g = job->status ? NULL :
				index_segment(s, job->segment);

	if (g) {
		g->octets += job->n;
		s->stats.octets += job->n;
	}
	td_spool_job_free(job);
	if (!s->closing)
		index_sweep(s);
}

/* Only spares the next life from offering them again; not waited for. */
void spool_tombstone(struct td_spool *s, const struct td_spool_key *keys,
		     size_t n)
{
	struct td_spool_job *job = calloc(1, sizeof(*job));
	size_t at = 0;

	if (!job)
		return;
	for (size_t i = 0; i < n; i++)
		job->n += td_seg_frame_octets(&keys[i], 0);
	job->what = TD_SPOOL_APPEND;
	job->done = on_tombstone;
	job->arg = s;
	job->buf = malloc(job->n);
	for (size_t i = 0; job->buf && i < n; i++) {
		td_seg_frame_write(TD_SEG_DONE, &keys[i], NULL, 0,
				   job->buf + at);
		at += td_seg_frame_octets(&keys[i], 0);
	}
	if (!job->buf || s->disk->ops->submit(s->disk, job))
		td_spool_job_free(job);
}

void spool_forget(struct td_spool *s, struct entry *e)
{
	s->stats.done++;
	save_done(s, &e->key);
	if (e->state == ENTRY_QUEUED) {
		e->done = true;		/* goes when its append is back */
		return;
	}
	if (e->state == ENTRY_FAILED)
		drop_failed(s, e);
	else
		index_del(s, e);
}

static void apply_done(struct td_spool *s, const Td__SpoolDone *d)
{
	struct td_spool_key keys[TD_SPOOL_DONE_KEYS];
	size_t n = 0;

	for (size_t i = 0; i < d->n_keys; i++) {
		const Td__SpoolKey *m = d->keys[i];
		struct td_spool_key k;
		struct entry *e;

		if (td_spool_key_make(m->type, m->key.data, m->key.len, &k))
			continue;
		e = index_find(s, &k);
		if (!e || e->done)
			continue;
		if (e->state == ENTRY_ON_DISK && n < TD_SPOOL_DONE_KEYS)
			keys[n++] = k;
		spool_forget(s, e);
	}
	if (n)
		spool_tombstone(s, keys, n);
	index_sweep(s);
	if (s->stats.full)
		set_full(s, beyond(s, 0));
}

/* --- what the cluster tells --- */

int td_spool_agreed(struct td_spool *s, int64_t now_ms, uint64_t n,
		    uint32_t type, const void *key, size_t key_n,
		    const void *data, size_t octets)
{
	struct td_spool_key k;
	struct entry *e;
	int rc = td_spool_key_make(type, key, key_n, &k);

	if (n > s->newest_n)
		s->newest_n = n;
	if (!rc)
		rc = put(s, now_ms, &k, data, octets, &e);
	if (!rc)
		e->holders |= s->env.in_sync(s->env.arg);
	tell_on_disk(s);
	return rc;
}

static void agreed_record(struct td_spool *s, int64_t now_ms, uint64_t n,
			  const Td__SpoolRecord *r)
{
	td_spool_agreed(s, now_ms, n, r->type, r->key.data, r->key.len,
			r->data.data, r->data.len);
}

/* Another life of that node, or none: what it had is not known any more. */
static void lost_holder(struct td_spool *s, uint32_t node)
{
	if (node == s->env.node_id)
		return;
	for (struct entry *e = s->head; e; e = e->next)
		e->holders &= ~(1U << node);
	s->scan = true;
}

void td_spool_applied(struct td_spool *s, int64_t now_ms, const Td__Op *op,
		      uint64_t n)
{
	if (!op) {
		/* this node was cut off: who has what is not known */
		for (struct entry *e = s->head; e; e = e->next)
			e->holders = 0;
		s->newest_n = s->told_n = n;
		s->mark_n = 0;
		s->scan = true;
		return;
	}
	switch (op->what_case) {
	case TD__OP__WHAT_CALL_END:
		if (op->call_end->record)
			agreed_record(s, now_ms, n, op->call_end->record);
		break;
	case TD__OP__WHAT_SPOOL_PUT:
		agreed_record(s, now_ms, n, op->spool_put);
		break;
	case TD__OP__WHAT_SPOOL_DONE:
		apply_done(s, op->spool_done);
		break;
	case TD__OP__WHAT_NODE:
		if (op->node->state != TD__NODE_STATE__NODE_UP ||
		    !op->node->synced)
			break;
		lost_holder(s, op->node->id);
		break;
	case TD__OP__WHAT_NODE_GONE:
		lost_holder(s, op->node_gone->id);
		break;
	default:
		break;
	}
}

static void retry(struct td_spool *s, int64_t now_ms)
{
	if (!s->failed) {
		if (s->back_seq == s->append_seq)
			set_stuck(s, false, 0);
		return;
	}
	if (now_ms < s->retry_ms)
		return;
	s->retry_ms = now_ms + SPOOL_RETRY_MS;
	for (struct entry *e = s->head; e; e = e->next) {
		if (e->state != ENTRY_FAILED)
			continue;
		submit_append(s, e);
		if (e->state == ENTRY_FAILED)
			break;
	}
}

void td_spool_turn(struct td_spool *s, int64_t now_ms)
{
	uint32_t in_sync = s->env.in_sync(s->env.arg);

	retry(s, now_ms);
	if (in_sync)
		offer_turn(s, now_ms, in_sync);
}

/* --- telling --- */

void td_spool_stats(const struct td_spool *s, struct td_spool_stats *out)
{
	*out = s->stats;
}

json_t *td_spool_dump(const struct td_spool *s)
{
	const struct td_spool_stats *t = &s->stats;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:I, s:I, s:I, s:b, s:b}",
			 "records", (json_int_t)t->records,
			 "unsaved", (json_int_t)t->unsaved,
			 "alone", (json_int_t)t->alone,
			 "octets", (json_int_t)t->octets,
			 "queued_octets", (json_int_t)t->queued_octets,
			 "put", (json_int_t)t->put,
			 "done", (json_int_t)t->done,
			 "offered", (json_int_t)t->offered,
			 "refused_full", (json_int_t)t->refused_full,
			 "refused_memory", (json_int_t)t->refused_memory,
			 "disk_errors", (json_int_t)t->disk_errors,
			 "torn_octets", (json_int_t)t->torn_octets,
			 "bad_octets", (json_int_t)t->bad_octets,
			 "unreadable", (json_int_t)t->unreadable,
			 "full", (int)t->full, "stuck", (int)t->stuck);
}
