// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "cluster/spool/spool_priv.h"

/* Which records there are, and in which segments: by key, and in the order
 * in which they came. */

enum { FIRST_BUCKETS = 1024 };

static uint64_t hash_of(const struct td_spool_key *k)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ k->type;

	for (unsigned int i = 0; i < k->n; i++)
		h = (h ^ k->octets[i]) * 0x100000001b3ULL;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

int index_init(struct td_spool *s)
{
	s->bucket = calloc(FIRST_BUCKETS, sizeof(*s->bucket));
	s->n_bucket = FIRST_BUCKETS;
	return s->bucket ? 0 : -ENOMEM;
}

void index_free(struct td_spool *s)
{
	while (s->head)
		index_del(s, s->head);
	while (s->segments) {
		struct segment *g = s->segments;

		s->segments = g->next;
		free(g);
	}
	free(s->bucket);
}

struct entry *index_find(const struct td_spool *s,
			 const struct td_spool_key *key)
{
	uint64_t h = hash_of(key);
	struct entry *e = s->bucket[h & (s->n_bucket - 1)];

	while (e && (e->hash != h || !td_spool_key_equal(&e->key, key)))
		e = e->hash_next;
	return e;
}

/* a failure only makes it slower */
static void grow(struct td_spool *s)
{
	size_t n = s->n_bucket * 2;
	struct entry **b = calloc(n, sizeof(*b));

	if (!b)
		return;
	for (struct entry *e = s->head; e; e = e->next) {
		e->hash_next = b[e->hash & (n - 1)];
		b[e->hash & (n - 1)] = e;
	}
	free(s->bucket);
	s->bucket = b;
	s->n_bucket = n;
}

struct entry *index_add(struct td_spool *s, const struct td_spool_key *key)
{
	struct entry *e = calloc(1, sizeof(*e)), **b;

	if (!e)
		return NULL;
	if (s->stats.records >= s->n_bucket)
		grow(s);
	e->key = *key;
	e->hash = hash_of(key);
	b = &s->bucket[e->hash & (s->n_bucket - 1)];
	e->hash_next = *b;
	*b = e;
	e->prev = s->tail;
	if (s->tail)
		s->tail->next = e;
	else
		s->head = e;
	s->tail = e;
	s->stats.records++;
	s->stats.unsaved++;
	return e;
}

void index_del(struct td_spool *s, struct entry *e)
{
	struct entry **b = &s->bucket[e->hash & (s->n_bucket - 1)];

	while (*b != e)
		b = &(*b)->hash_next;
	*b = e->hash_next;
	if (e->prev)
		e->prev->next = e->next;
	else
		s->head = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		s->tail = e->prev;
	if (s->cursor == e)
		s->cursor = e->next;
	if (e->segment)
		e->segment->live--;
	s->stats.records--;
	s->stats.unsaved -= e->state != ENTRY_ON_DISK;
	free(e);
}

struct segment *index_segment(struct td_spool *s, uint32_t number)
{
	struct segment **at = &s->segments, *g;

	while (*at && (*at)->number < number)
		at = &(*at)->next;
	if (*at && (*at)->number == number)
		return *at;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->number = number;
	g->next = *at;
	*at = g;
	return g;
}

void index_place(struct entry *e, struct segment *g, uint32_t at,
		 uint32_t octets)
{
	e->segment = g;
	e->at = at;
	e->octets = octets;
	e->state = ENTRY_ON_DISK;
	g->live++;
}

static void on_unlinked(void *arg, struct td_spool_job *job)
{
	td_spool_job_free(job);
}

/* the newest one may still be written to */
void index_sweep(struct td_spool *s)
{
	struct segment **at = &s->segments;

	while (*at && (*at)->next) {
		struct segment *g = *at;
		struct td_spool_job *job;

		if (g->live) {
			at = &g->next;
			continue;
		}
		job = calloc(1, sizeof(*job));
		if (!job)
			return;
		job->what = TD_SPOOL_UNLINK;
		job->segment = g->number;
		job->done = on_unlinked;
		if (s->disk->ops->submit(s->disk, job)) {
			free(job);
			return;	/* at the next sweep */
		}
		s->stats.octets -= g->octets;
		*at = g->next;
		free(g);
	}
}
