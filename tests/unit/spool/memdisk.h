/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_SPOOL_MEMDISK_H
#define TEST_SPOOL_MEMDISK_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/spool/spool.h"

/* A disk in memory that outlives its node. What was not synced when the power
 * fails is there in part, or not at all. */

enum { MEM_SEGMENTS = 4096, MEM_SEGMENT_OCTETS = 2048 };

struct mem_segment {
	uint8_t *buf;
	size_t n, synced;
};
struct memdisk {
	struct td_spool_disk base;
	struct mem_segment seg[MEM_SEGMENTS];
	uint32_t first, next;		/* numbers in use: first..next-1 */
	bool open;			/* next-1 may be appended to */
	struct td_spool_job *head, **tail;
	unsigned int jobs;
	bool dead;			/* the power is off */
	bool failing;			/* ENOSPC */
	uint64_t synced_frames;
	/* told of each record that is safe here */
	void (*safe)(void *arg, const struct td_spool_key *key);
	void *arg;
};

static inline void mem_append(struct memdisk *d, struct td_spool_job *job)
{
	struct mem_segment *g;

	job->status = d->failing ? -ENOSPC : 0;
	if (d->failing)
		return;
	if (!d->open || d->seg[d->next - 1].n >= MEM_SEGMENT_OCTETS) {
		assert_true(d->next < MEM_SEGMENTS);
		if (d->open)	/* one sync is for one file */
			d->seg[d->next - 1].synced = d->seg[d->next - 1].n;
		d->next++;
		d->open = true;
	}
	g = &d->seg[d->next - 1];
	job->segment = d->next - 1;
	job->at = g->n;
	g->buf = realloc(g->buf, g->n + job->n);
	memcpy(g->buf + g->n, job->buf, job->n);
	g->n += job->n;
}

static inline void mem_read(struct memdisk *d, struct td_spool_job *job)
{
	for (unsigned int i = 0; i < job->n_pieces; i++) {
		struct td_spool_piece *p = &job->pieces[i];
		const struct mem_segment *g = &d->seg[p->segment];

		if (!g->buf || p->at + p->octets > g->n) {
			p->status = -EIO;
			continue;
		}
		p->buf = malloc(p->octets);
		memcpy(p->buf, g->buf + p->at, p->octets);
	}
}

static inline void mem_drop(struct memdisk *d, uint32_t number)
{
	free(d->seg[number].buf);
	d->seg[number] = (struct mem_segment){ 0 };
}

static inline struct td_spool_job *mem_get(struct memdisk *d)
{
	struct td_spool_job *job = d->head;

	d->head = job->next;
	if (!d->head)
		d->tail = &d->head;
	d->jobs--;
	return job;
}

static inline void mem_work(struct memdisk *d, struct td_spool_job *job)
{
	job->status = 0;
	if (job->what == TD_SPOOL_APPEND)
		mem_append(d, job);
	else if (job->what == TD_SPOOL_READ)
		mem_read(d, job);
	else
		mem_drop(d, job->segment);
}

/** Up to n jobs, under one sync if `sync`; without it nothing comes back yet
 *  and the work is done anew in the next batch's name. */
static inline void mem_step(struct memdisk *d, unsigned int n)
{
	struct td_spool_job *batch[64];
	unsigned int k = 0;
	bool sync = false;

	while (k < n && k < 64 && d->head) {
		batch[k] = mem_get(d);
		mem_work(d, batch[k]);
		sync |= batch[k++]->sync;
	}
	if (sync && d->open)
		d->seg[d->next - 1].synced = d->seg[d->next - 1].n;
	for (unsigned int i = 0; i < k; i++) {
		struct td_seg_frame f;

		if (batch[i]->sync && !batch[i]->status && d->safe &&
		    !td_seg_frame_read(batch[i]->buf, batch[i]->n, 0, &f))
			d->safe(d->arg, &f.key);
		batch[i]->done(batch[i]->arg, batch[i]);
	}
}

static inline int mem_submit(struct td_spool_disk *b, struct td_spool_job *job)
{
	struct memdisk *d = (struct memdisk *)b;

	if (d->jobs >= 512)
		return -EAGAIN;
	job->next = NULL;
	*d->tail = job;
	d->tail = &job->next;
	d->jobs++;
	return 0;
}

static inline void mem_free(struct td_spool_disk *b)
{
	struct memdisk *d = (struct memdisk *)b;

	while (!d->dead && d->head)
		mem_step(d, 64);
	while (d->head) {
		struct td_spool_job *job = mem_get(d);

		job->status = -EIO;
		for (unsigned int i = 0; i < job->n_pieces; i++)
			job->pieces[i].status = -EIO;
		job->done(job->arg, job);
	}
}

static const struct td_spool_disk_ops mem_ops = { mem_submit, mem_free };

static inline void mem_init(struct memdisk *d)
{
	memset(d, 0, sizeof(*d));
	d->base.ops = &mem_ops;
	d->tail = &d->head;
	d->first = d->next = 1;
}

/** The power fails: some jobs were being written, without a sync. */
static inline void mem_power_off(struct memdisk *d, unsigned int *seed)
{
	struct mem_segment *g;

	for (unsigned int i = rand_r(seed) % 4; i && d->head; i--) {
		struct td_spool_job *job = d->head;
		bool append = job->what == TD_SPOOL_APPEND;

		if (!append)
			break;
		mem_append(d, job);
		if (i == 1)
			break;
		/* written, and lost with the node that wanted it */
		job = mem_get(d);
		job->status = -EIO;
		job->done(job->arg, job);
	}
	d->dead = true;
	if (!d->open)
		return;
	g = &d->seg[d->next - 1];
	if (g->n > g->synced) {
		g->n = g->synced + rand_r(seed) % (g->n - g->synced + 1);
		if (g->n > g->synced && rand_r(seed) % 2)
			g->buf[g->synced + rand_r(seed) %
			       (g->n - g->synced)] ^= 0x55;
	}
}

/** The next life: hands the segments to the spool. */
static inline void mem_power_on(struct memdisk *d, struct td_spool *s)
{
	d->dead = d->open = false;
	for (uint32_t i = 1; i < d->next; i++)
		if (d->seg[i].buf)
			td_spool_load(s, i, d->seg[i].buf, d->seg[i].n);
	td_spool_set_disk(s, &d->base);
}

static inline void mem_clear(struct memdisk *d)
{
	for (uint32_t i = 1; i < d->next; i++)
		mem_drop(d, i);
}

static inline unsigned int mem_segments(const struct memdisk *d)
{
	unsigned int n = 0;

	for (uint32_t i = 1; i < d->next; i++)
		n += d->seg[i].buf != NULL;
	return n;
}

#endif
