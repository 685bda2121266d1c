/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_LEASE_NET_H
#define TEST_LEASE_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/lease_priv.h"

/* A seeded world for lease machines, after design/proofs/lease_model.py:
 * machines with a clock, corosync, a daemon, a driver and a guard each; two
 * networks; rings that break, with last words that reach some. This half is
 * time, datagrams and corosync; lease_world.h is what runs on it. */

enum {
	W_MAX = 5,		/* machines, ids from 1; the last is witness */
	W_OPS = 4096,
	W_LOG = 16384,
	W_QUEUE = 4096,
};

enum msg_kind { M_HA, M_UDP, M_OP, M_ACK, M_HELLO, M_SNAP, M_CJOIN, M_CLEAVE,
		M_CONF };

struct opset {
	uint64_t bit[W_OPS / 64];
};
struct msg {
	struct msg *next;	/* all that there ever were */
	enum msg_kind kind;
	uint32_t from, to;
	uint64_t inc;
	uint64_t op, lineage, round;
	bool live, lacks;
	struct rec rec;
	struct ring *ring;	/* M_CONF */
	uint32_t members, left;
	uint64_t incs[W_MAX + 1];
	struct opset *known;
	size_t n;
	uint8_t *buf;
};

struct ring {
	struct ring *next;
	uint64_t id;
	uint32_t members, daemons;
	uint64_t incs[W_MAX + 1];
	struct msg **log;
	unsigned int n;
	unsigned int pos[W_MAX + 1];
	int64_t last[W_MAX + 1];
	bool broken;
	uint32_t holder;
	unsigned int quota;
};

struct queue {
	struct msg *m[W_QUEUE];
	unsigned int n;
};

struct world;
struct machine {
	struct world *w;
	uint32_t id;
	bool up, corosync;
	int64_t frozen_us;	/* 0: it runs */
	double rate;
	int64_t off_us;
	struct ring *ring, *forming;
	uint32_t daemons;	/* as corosync told last */
	uint64_t incs[W_MAX + 1];
	struct queue out;
	struct daemon *d;
	uint8_t *disk;
	size_t n_disk;
	struct driver {
		uint64_t epoch, dead;
		int64_t until_ms;
	} drv[4];
};

struct ev {
	int64_t at_us;
	uint64_t order;
	void (*fn)(struct world *w, struct ev *e);
	uint32_t a, b;
	uint64_t x;
	void *p;
};

struct world {
	uint64_t rng;
	bool calm, trace;
	char failed[160];
	int64_t now_us;
	uint64_t order, incs, rings, ops;
	struct ev *heap;
	unsigned int n_heap, max_heap;
	unsigned int n;		/* machines */
	struct machine m[W_MAX + 1];
	int cuts[2][W_MAX + 1][W_MAX + 1], hb_cuts[W_MAX + 1][W_MAX + 1];
	double loss, slow;
	bool forming;
	struct msg *msgs;
	struct ring *ring_list;
	uint64_t bugs;
	/* what has been seen of the world outside */
	struct opset released;
	struct rec committed;
	struct {
		uint64_t epoch;
		uint32_t owner;
	} air[4];
	struct {
		unsigned int takes, effects, rings, cold, records, events;
	} cover;
};

#define each_machine(w, x)                                                     \
	(struct machine *x = &(w)->m[1]; x <= &(w)->m[(w)->n]; x++)

static inline uint64_t w_rand(struct world *w)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return w->rng * 0x2545f4914f6cdd1dULL >> 16;
}
static inline uint64_t w_below(struct world *w, uint64_t n)
{
	return w_rand(w) % n;
}
static inline double w_real(struct world *w)
{
	return (double)w_below(w, 1 << 30) / (1 << 30);
}

/* --- time --- */

static inline bool ev_before(const struct ev *a, const struct ev *b)
{
	return a->at_us < b->at_us ||
	       (a->at_us == b->at_us && a->order < b->order);
}

static inline void w_at(struct world *w, double dt_ms,
			void (*fn)(struct world *, struct ev *), uint32_t a,
			uint32_t b, uint64_t x, void *p)
{
	unsigned int i = w->n_heap++;
	struct ev e = { .at_us = w->now_us + (int64_t)(dt_ms * 1000 + .5),
			.order = w->order++, .fn = fn, .a = a, .b = b, .x = x,
			.p = p };

	if (w->n_heap > w->max_heap) {
		w->max_heap = w->max_heap * 2 + 256;
		w->heap = realloc(w->heap, w->max_heap * sizeof(e));
	}
	while (i && ev_before(&e, &w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = e;
}

static inline struct ev w_pop(struct world *w)
{
	struct ev top = w->heap[0], e = w->heap[--w->n_heap];
	unsigned int i = 0, k;

	while ((k = 2 * i + 1) < w->n_heap) {
		if (k + 1 < w->n_heap && ev_before(&w->heap[k + 1],
						   &w->heap[k]))
			k++;
		if (!ev_before(&w->heap[k], &e))
			break;
		w->heap[i] = w->heap[k];
		i = k;
	}
	w->heap[i] = e;
	return top;
}

static inline void w_run(struct world *w, double ms)
{
	int64_t end = w->now_us + (int64_t)(ms * 1000);

	while (w->n_heap && w->heap[0].at_us <= end && !w->failed[0]) {
		struct ev e = w_pop(w);

		w->now_us = e.at_us;
		w->cover.events++;
		e.fn(w, &e);
	}
	w->now_us = end;
}

static inline int64_t m_clock(const struct machine *m)
{
	return (m->off_us + (int64_t)(m->rate * m->w->now_us)) / 1000;
}
static inline bool m_runs(const struct machine *m)
{
	return m->up && !m->frozen_us && m->corosync;
}

#define w_tell(w, ...)                                                         \
	do {                                                                   \
		if ((w)->trace) {                                              \
			printf("%9.1f  ", (double)(w)->now_us / 1000);         \
			printf(__VA_ARGS__);                                   \
			printf("\n");                                          \
		}                                                              \
	} while (0)
#define w_fail(w, ...)                                                         \
	do {                                                                   \
		if (!(w)->failed[0])                                           \
			snprintf((w)->failed, sizeof((w)->failed),             \
				 __VA_ARGS__);                                 \
		w_tell(w, "FAILED %s", (w)->failed);                           \
	} while (0)

static inline struct msg *msg_new(struct world *w, enum msg_kind kind,
				  uint32_t from, uint64_t inc)
{
	struct msg *m = calloc(1, sizeof(*m));

	*m = (struct msg){ .next = w->msgs, .kind = kind, .from = from,
			   .inc = inc };
	return w->msgs = m;
}

static inline void q_add(struct queue *q, struct msg *m)
{
	if (q->n < W_QUEUE)
		q->m[q->n++] = m;
}

/* what the upper half does with what arrives */
static void cpg_in(struct machine *m, struct msg *msg);
static void udp_in(struct world *w, struct ev *e);
static uint64_t joined_inc(const struct machine *m);

/* --- datagrams: either network may carry one, early, late, twice --- */

static inline void w_udp(struct world *w, struct msg *msg)
{
	for (int net = 0; net < 2; net++) {
		double dt = w_real(w) < w->slow ? w_real(w) * w_real(w) * 900 :
			    .1 + w_real(w) * (w->calm ? .4 : 2.9);

		if (w->cuts[net][msg->from][msg->to] ||
		    w->hb_cuts[msg->from][msg->to] || w_real(w) < w->loss)
			continue;
		w_at(w, dt, udp_in, msg->to, 0, 0, msg);
		if (w_real(w) < .8)
			return;
	}
}

/* --- corosync --- */

static inline bool linked(const struct world *w, uint32_t a, uint32_t b)
{
	for (int k = 0; k < 2; k++)
		if (!w->cuts[k][a][b] && !w->cuts[k][b][a])
			return true;
	return false;
}

static inline void deliver_one(struct machine *m, struct msg *msg)
{
	uint32_t b = BIT(msg->from);
	struct msg *conf;

	if (msg->kind == M_CJOIN || msg->kind == M_CLEAVE) {
		bool in = m->daemons & b;

		if (msg->kind == M_CJOIN ? in && m->incs[msg->from] ==
		    msg->inc : !in || m->incs[msg->from] != msg->inc)
			return;
		conf = msg_new(m->w, M_CONF, msg->from, msg->inc);
		conf->left = in ? b : 0;
		m->daemons = msg->kind == M_CJOIN ? m->daemons | b :
			     m->daemons & ~b;
		m->incs[msg->from] = msg->inc;
		conf->ring = m->ring;
		conf->members = m->daemons;
		memcpy(conf->incs, m->incs, sizeof(conf->incs));
		msg = conf;
	}
	cpg_in(m, msg);
}

static inline void w_deliver(struct world *w, struct ev *e)
{
	struct ring *r = e->p;
	struct machine *m = &w->m[e->a];
	struct msg *msg = r->log[e->x];

	if (m->ring != r || !m_runs(m) || r->pos[e->a] != e->x)
		return;
	if (r->broken && msg->from != e->a &&
	    (!linked(w, msg->from, e->a) || w_real(w) < .5))
		return;
	r->pos[e->a]++;
	deliver_one(m, msg);
}

static inline void carry(struct world *w, struct ring *r, uint32_t to,
			 unsigned int q)
{
	int64_t at = w->now_us;

	if (r->log[q]->from != to)
		at += 100 + (int64_t)(w_real(w) * (w->calm ? 300 : 3900));
	if (at < r->last[to])
		at = r->last[to];
	r->last[to] = at;
	w_at(w, (double)(at - w->now_us) / 1000, w_deliver, to, 0, q, r);
}

static inline void w_mcast(struct machine *m, struct msg *msg)
{
	struct ring *r = m->ring;

	if (!m_runs(m) || (r->broken && !(r->holder == m->id && r->quota))) {
		if (m->up)
			q_add(&m->out, msg);
		return;
	}
	r->quota -= r->broken;
	if (r->n == W_LOG) {
		w_fail(m->w, "more than %d messages in ring %llu", W_LOG,
		       (unsigned long long)r->id);
		return;
	}
	r->log[r->n++] = msg;
	for (uint32_t i = 1; i <= m->w->n; i++)
		if (r->members & BIT(i))
			carry(m->w, r, i, r->n - 1);
}

static inline struct ring *ring_new(struct world *w, uint32_t members)
{
	struct ring *r = calloc(1, sizeof(*r));

	r->next = w->ring_list;
	w->ring_list = r;
	r->id = ++w->rings;
	r->members = members;
	r->log = calloc(W_LOG, sizeof(struct msg *));
	r->broken = true;		/* whole once all have installed it */
	r->holder = (uint32_t)__builtin_ctz(members);
	w->cover.rings++;
	return r;
}

static void w_form(struct world *w, struct ev *e);

static inline bool whole(const struct world *w, const struct ring *r)
{
	for (uint32_t a = 1; a <= w->n; a++) {
		if (!(r->members & BIT(a)))
			continue;
		if (!m_runs(&w->m[a]) || w->m[a].ring != r)
			return false;
		for (uint32_t b = 1; b < a; b++)
			if (r->members & BIT(b) && !linked(w, a, b))
				return false;
	}
	return true;
}

static inline void mend_ring(struct world *w, struct ring *r)
{
	r->broken = false;
	for (uint32_t i = 1; i <= w->n; i++) {
		struct queue q;

		if (!(r->members & BIT(i)))
			continue;
		for (unsigned int k = r->pos[i]; k < r->n; k++)
			carry(w, r, i, k);
		q = w->m[i].out;
		w->m[i].out.n = 0;
		for (unsigned int k = 0; k < q.n; k++)
			w_mcast(&w->m[i], q.m[k]);
	}
}

/* after every change: who is whole, broken, to be formed? */
static inline void w_topo(struct world *w)
{
	bool form = false;

	for each_machine(w, m) {
		struct ring *r = m->ring;
		bool ok;

		if (!m->up)
			continue;
		ok = whole(w, r);
		if (r->broken && ok) {
			mend_ring(w, r);
		} else if (!ok && !r->broken) {
			r->broken = true;
			do
				r->holder = 1 + (uint32_t)w_below(w, w->n);
			while (!(r->members & BIT(r->holder)));
			r->quota = (unsigned int)w_below(w, 3);
		}
		form |= r->broken;
		for each_machine(w, o)
			form |= m_runs(m) && m_runs(o) && m->ring != o->ring &&
				linked(w, m->id, o->id);
	}
	if (form && !w->forming) {
		static const int times[] = { 30, 400, 700, 1500 };

		w->forming = true;
		w_at(w, w->calm ? 640 + 40 * w_real(w) :
		     times[w_below(w, 4)] * (.3 + .7 * w_real(w)), w_form, 0,
		     0, 0, NULL);
	}
}

static inline void w_install(struct world *w, struct ev *e)
{
	struct machine *m = &w->m[e->a];
	struct ring *r = e->p, *old = m->ring;
	unsigned int top = (unsigned int)e->x;
	struct queue out = { .n = 0 };
	struct msg *conf;

	if (m->forming != r || !m_runs(m))
		return;
	/* what any of us had of the old ring */
	for (unsigned int k = old->pos[m->id]; k < top; k++)
		deliver_one(m, old->log[k]);
	for (unsigned int k = top > old->pos[m->id] ? top : old->pos[m->id];
	     k < old->n; k++)
		if (old->log[k]->from == m->id)
			q_add(&out, old->log[k]);
	for (unsigned int k = 0; k < m->out.n; k++)
		q_add(&out, m->out.m[k]);
	m->out = out;
	m->ring = r;
	m->forming = NULL;
	m->daemons = r->daemons;
	memcpy(m->incs, r->incs, sizeof(m->incs));
	w_tell(w, "ring %llu of %x stands at %u", (unsigned long long)r->id,
	       r->members, m->id);
	conf = msg_new(w, M_CONF, m->id, 0);
	conf->ring = r;
	conf->members = r->daemons;
	memcpy(conf->incs, r->incs, sizeof(conf->incs));
	cpg_in(m, conf);
	w_topo(w);
}

static inline void form_group(struct world *w, uint32_t group, double skew)
{
	const struct machine *first = &w->m[__builtin_ctz(group)];
	struct ring *r;

	if (first->ring->members == group && !first->ring->broken)
		return;
	r = ring_new(w, group);
	for each_machine(w, m) {
		if (group & BIT(m->id) && m->d && joined_inc(m)) {
			r->daemons |= BIT(m->id);
			r->incs[m->id] = joined_inc(m);
		}
	}
	for each_machine(w, m) {
		unsigned int top = 0;

		if (!(group & BIT(m->id)))
			continue;
		for each_machine(w, o)
			if (group & BIT(o->id) && o->ring == m->ring &&
			    m->ring->pos[o->id] > top)
				top = m->ring->pos[o->id];
		m->forming = r;
		w_at(w, w_real(w) * skew, w_install, m->id, 0, top, r);
	}
}

/* disjoint cliques, any that are possible; x: a group forced */
static void w_form(struct world *w, struct ev *e)
{
	static const int skews[] = { 1, 20, 400 };
	double skew = w->calm ? .5 : skews[w_below(w, 3)];
	uint32_t groups[W_MAX], n = 0, start = (uint32_t)w_below(w, w->n);

	w->forming = false;
	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t i = 1 + (start + k) % w->n, g = 0;

		if (!m_runs(&w->m[i]))
			continue;
		for (g = 0; g < n; g++) {
			bool fits = !e->x || !(e->x & BIT(i)) ==
				    !(e->x & groups[g]);

			for (uint32_t j = 1; j <= w->n; j++)
				if (groups[g] & BIT(j))
					fits &= linked(w, i, j);
			if (fits)
				break;
		}
		if (g == n)
			groups[n++] = 0;
		groups[g] |= BIT(i);
	}
	for (uint32_t g = 0; g < n; g++)
		form_group(w, groups[g], skew);
	w_topo(w);
}

#endif
