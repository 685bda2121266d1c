// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"
#include "tests/sim/oracle.h"

/* Views are the same at the same index, octet by octet; agreed time never goes
 * back nor runs ahead. Who is cut off may apply what nobody else ever gets, so
 * what a node has applied counts when it has reached everybody, or when its
 * node has moved on in a majority. */

enum { SEEN = 4096, SLACK_MS = 20, LINEAGES = 64 };

struct seen {
	uint64_t lineage, n, hash;
	uint32_t machine;
};
struct sim_views {
	struct seen seen[SEEN];		/* open addressing */
	unsigned int count;
	struct {
		uint64_t lineage;
		int64_t now_ms;		/* agreed time's furthest */
		int64_t from_ms, from_us;	/* and its start */
	} time[LINEAGES];
};
struct sim_doubt {
	struct sim_doubt *next;
	struct sim_ring *ring;
	uint32_t q;
	struct seen seen;
};

void sim_views_free(struct sim *s)
{
	free(s->views);
}

void sim_views_reset(struct sim *s)
{
	if (!s->views)
		s->views = malloc(sizeof(*s->views));
	if (!s->views)
		abort();
	memset(s->views, 0, sizeof(*s->views));
}

static uint64_t hash(const uint8_t *p, size_t n)
{
	uint64_t h = n, x;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&x, p, 8);
		h = sim_mix(h, x);
	}
	for (x = 0; n; n--)
		x = x << 8 | *p++;
	return sim_mix(h, x);
}

static uint64_t view_hash(const struct td_view *v)
{
	uint8_t *buf;
	uint64_t h;
	size_t n;

	if (td_view_pack(v, &buf, &n))
		abort();
	h = hash(buf, n);
	free(buf);
	return h;
}

static void compare(struct sim *s, const struct seen *x)
{
	struct sim_views *v = s->views;
	uint32_t at = (uint32_t)sim_mix(x->lineage, x->n) % SEEN;

	for (; v->seen[at].lineage; at = (at + 1) % SEEN) {
		const struct seen *o = &v->seen[at];

		if (o->lineage != x->lineage || o->n != x->n)
			continue;
		s->cover.views_compared++;
		if (o->hash != x->hash)
			sim_fail(s, "views of %s and %s differ at %llx/%llu",
				 s->m[o->machine].name, s->m[x->machine].name,
				 (unsigned long long)x->lineage,
				 (unsigned long long)x->n);
		return;
	}
	if (v->count >= SEEN / 2)
		return;
	v->count++;
	v->seen[at] = *x;
}

static void commit(struct sim_daemon *d)
{
	struct sim_doubt *x = d->doubts;

	d->doubts = x->next;
	if (!d->doubts)
		d->doubts_tail = &d->doubts;
	compare(d->m->s, &x->seen);
	free(x);
}

void sim_views_drop(struct sim_daemon *d)
{
	while (d->doubts) {
		struct sim_doubt *x = d->doubts;

		d->doubts = x->next;
		free(x);
	}
	d->doubts_tail = &d->doubts;
}

void sim_views_delivered(struct sim_daemon *d, struct sim_ring *ring,
			 uint32_t q)
{
	struct sim *s = d->m->s;
	const struct td_view *v = td_cluster_view(d->c);
	struct td_index i = td_view_index(v);
	struct sim_doubt *x;

	if (d->m->witness || i.n == d->seen_n ||
	    td_cluster_state(d->c) != TD_CLUSTER_RUNNING)
		return;
	d->seen_n = i.n;
	if (sim_mix(i.lineage, i.n) % s->k.compare)
		return;
	x = malloc(sizeof(*x));
	if (!x)
		abort();
	*x = (struct sim_doubt){
		.ring = ring, .q = q,
		.seen = { i.lineage, i.n, view_hash(v), d->m->i },
	};
	*d->doubts_tail = x;
	d->doubts_tail = &x->next;
}

void sim_views_ring(struct sim_daemon *d, bool majority)
{
	while (majority && d->doubts)
		commit(d);
	sim_views_drop(d);
}

static bool everywhere(const struct sim *s, const struct sim_doubt *x)
{
	for (uint32_t i = 0; i < s->n; i++)
		if ((x->ring->members >> i & 1) && x->ring->pos[i] <= x->q)
			return false;
	return true;
}

/* Where this lineage's time starts from, and when that was first seen. */
static void anchor(struct sim_daemon *d, unsigned int k, uint64_t lineage,
		   int64_t was_ms, int64_t was_us)
{
	struct sim_views *v = d->m->s->views;

	v->time[k].lineage = lineage;
	v->time[k].from_ms = was_ms;
	v->time[k].from_us = was_us;
	for (unsigned int i = 0; i < k; i++)
		/* an older one goes on */
		if (was_ms && v->time[i].now_ms == was_ms &&
		    v->time[i].from_us <= v->time[k].from_us) {
			v->time[k].from_ms = v->time[i].from_ms;
			v->time[k].from_us = v->time[i].from_us;
		}
}

/* Agreed time leans by a tenth at most, beside clocks that differ. What was
 * held up comes all at once, so it is measured from the lineage's start. */
static void look_at_time(struct sim_daemon *d)
{
	struct sim *s = d->m->s;
	struct sim_views *v = s->views;
	int64_t now = td_view_now_ms(td_cluster_view(d->c));
	uint64_t lineage = td_view_index(td_cluster_view(d->c)).lineage;
	int64_t was_ms = d->now_ms, was_us = d->now_us, gone;
	unsigned int k = 0;

	if (now < was_ms && d->now_lineage == lineage)
		sim_fail(s, "%s: agreed time goes back by %lld ms",
			 d->m->name, (long long)(was_ms - now));
	if (now != was_ms)
		d->now_us = s->now_us;
	d->now_ms = now;
	d->now_lineage = lineage;
	while (k < LINEAGES && v->time[k].lineage &&
	       v->time[k].lineage != lineage)
		k++;
	if (k == LINEAGES || !now || now <= v->time[k].now_ms)
		return;
	if (!v->time[k].lineage)
		anchor(d, k, lineage, was_ms, was_us);
	v->time[k].now_ms = now;
	if (!v->time[k].from_ms) {	/* founded now */
		v->time[k].from_ms = now;
		v->time[k].from_us = d->now_us;
	}
	gone = (s->now_us - v->time[k].from_us) / SIM_MS;
	if (now > v->time[k].from_ms + gone * 1102 / 1000 + SLACK_MS)
		sim_fail(s, "%s: agreed time runs ahead: %lld ms in %lld",
			 d->m->name, (long long)(now - v->time[k].from_ms),
			 (long long)gone);
}

void sim_views_look(struct sim_daemon *d)
{
	while (d->doubts && d->doubts->ring == d->m->ring &&
	       everywhere(d->m->s, d->doubts))
		commit(d);
	look_at_time(d);
}

void sim_views_end(struct sim *s)
{
	const struct sim_daemon *first = NULL;
	uint64_t h = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		struct sim_daemon *d = s->m[i].d;
		uint64_t x;

		if (s->m[i].witness)
			continue;
		x = view_hash(td_cluster_view(d->c));
		if (!first) {
			first = d;
			h = x;
		} else if (x != h) {
			sim_fail(s, "in the end %s and %s hold different "
				 "views", first->m->name, d->m->name);
		}
	}
	sim_note(s, h);
}
