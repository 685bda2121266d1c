// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

/* How rings break and others are formed: late, and at each member at a time
 * of its own. What any of those who move together had of the old ring, all of
 * them get before the new one; what they themselves had put in order after
 * that, either all of them get, with holes where others' words are lost, or it
 * goes into the new ring. */

static void form_now(struct sim *s, const struct sim_arg *a);

static bool whole(struct sim *s, const struct sim_ring *r)
{
	for (uint32_t a = 0; a < s->n; a++) {
		if (!(r->members >> a & 1))
			continue;
		if (!sim_runs(&s->m[a]) || s->m[a].ring != r ||
		    s->m[a].forming)
			return false;
		for (uint32_t b = 0; b < s->n; b++)
			if ((r->members >> b & 1) && a != b &&
			    !sim_linked(s, a, b))
				return false;
	}
	return true;
}

static void resume(struct sim *s, struct sim_ring *r)
{
	r->broken = false;
	for (uint32_t j = 0; j < s->n; j++) {
		struct sim_machine *m = &s->m[j];
		uint32_t n = m->n_out;

		if (!(r->members >> j & 1))
			continue;
		for (uint32_t q = r->pos[j]; q < r->n; q++)
			sim_carry(s, r, j, q);
		m->n_out = 0;
		for (uint32_t q = 0; q < n; q++)
			sim_mcast(m, m->outq[q]);
		if (n && m->d)
			sim_daemon_stir(m->d);
	}
}

static bool should_merge(const struct sim *s)
{
	for (uint32_t a = 0; a < s->n; a++)
		for (uint32_t b = 0; b < a; b++)
			if (sim_runs(&s->m[a]) && sim_runs(&s->m[b]) &&
			    s->m[a].ring != s->m[b].ring &&
			    sim_linked(s, a, b))
				return true;
	return false;
}

void sim_topo(struct sim *s)
{
	bool want = false;
	int64_t us;

	for (uint32_t i = 0; i < s->n; i++) {
		struct sim_ring *r = s->m[i].ring;
		bool w;

		if (!s->m[i].up)
			continue;
		w = whole(s, r);
		if (r->broken && w) {
			resume(s, r);
		} else if (!w && !r->broken) {
			r->broken = true;
			do {
				r->holder = sim_below(&s->rng, s->n);
			} while (!(r->members >> r->holder & 1));
			r->quota = sim_below(&s->rng, 3);
		}
		want |= r->broken && sim_runs(&s->m[i]);
	}
	if (s->forming || (!want && !should_merge(s)))
		return;
	s->forming = true;
	us = s->k.form_us ? s->k.form_us :
			    sim_pick(&s->rng, 30, 400, 700, 1500) * SIM_MS;
	sim_after(s, sim_between(&s->rng, us * 3 / 10, us), form_now,
		  (struct sim_arg){ 0 });
}

/* pids in the group when the new ring starts: what will have been delivered
 * of the old one counts */
static uint32_t group_of(const struct sim_machine *m, const struct sim_ring *o)
{
	uint32_t pid = m->group[m->i];

	for (uint32_t q = o->pos[m->i]; q < (m->holes ? o->n : m->top); q++) {
		const struct sim_msg *g = o->log[q];

		if (g->from != m->i)
			continue;
		if (g->kind == SIM_JOIN)
			pid = g->pid;
		else if (g->kind == SIM_LEAVE && pid == g->pid)
			pid = 0;
	}
	return pid;
}

static void install(struct sim *s, const struct sim_arg *a);

static void form_group(struct sim *s, uint32_t group, int64_t skew_us)
{
	bool holes = sim_below(&s->rng, 2);
	struct sim_ring *new, *old = NULL;

	for (uint32_t i = 0; i < s->n; i++)
		if (group >> i & 1)
			old = s->m[i].ring;
	if (!old || (old->members == group && !old->broken))
		return;
	new = sim_ring_new(s, group);
	new->quota = sim_below(&s->rng, 3);
	for (uint32_t i = 0; i < s->n; i++) {
		struct sim_machine *m = &s->m[i];

		if (!(group >> i & 1))
			continue;
		old = m->ring;
		m->top = 0;
		for (uint32_t j = 0; j < s->n; j++)
			if ((group >> j & 1) && s->m[j].ring == old &&
			    old->pos[j] > m->top)
				m->top = old->pos[j];
		m->holes = holes;
		m->forming = new;
		new->group[i] = group_of(m, old);
		sim_after(s, sim_between(&s->rng, 0, skew_us), install,
			  (struct sim_arg){ .p = new, .v = i });
	}
}

/* disjoint groups, any that are possible */
static void form_now(struct sim *s, const struct sim_arg *a)
{
	uint32_t left = 0, groups[SIM_MACHINES];
	unsigned int n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (sim_runs(&s->m[i]))
			left |= 1U << i;
	while (left) {
		uint32_t j = sim_below(&s->rng, s->n);
		unsigned int k;

		if (!(left >> j & 1))
			continue;
		left &= ~(1U << j);
		for (k = 0; k < n; k++) {
			bool fits = true;

			for (uint32_t i = 0; i < s->n; i++)
				if (groups[k] >> i & 1 &&
				    !sim_linked(s, i, j))
					fits = false;
			if (fits)
				break;
		}
		if (k == n)
			groups[n++] = 0;
		groups[k] |= 1U << j;
	}
	s->forming = false;
	sim_regroup(s, groups, n);
}

void sim_regroup(struct sim *s, const uint32_t *groups, unsigned int n)
{
	int64_t skew = s->k.calm ? 500 : s->k.skew_us;

	for (unsigned int k = 0; k < n; k++)
		form_group(s, groups[k], skew);
	sim_topo(s);
}

/* --- a machine leaves a ring for the next --- */

static uint32_t fresh_of(const struct sim_machine *m,
			 const struct sim_ring *new,
			 const struct sim_ring *old)
{
	uint32_t fresh = 0;

	for (uint32_t i = 0; i < m->s->n; i++)
		if (new->was[i] != old || new->group[i] != m->group[i])
			fresh |= 1U << i;
	return fresh & ~(1U << m->i);
}

/* A ring that was given up before its quorum was known is not told. */
static bool give_up(struct sim_machine *m, uint32_t *fresh)
{
	struct sim *s = m->s;
	struct sim_daemon *d = m->d;
	struct sim_word *w, **at;

	if (!d || !d->words)
		return false;
	for (at = &d->words; (*at)->next; at = &(*at)->next)
		;
	w = *at;
	if (w->msg || !w->ring_change || w->ready_us <= s->now_us ||
	    sim_below(&s->rng, 2))
		return false;
	for (unsigned int k = 0; k < w->n_members; k++)
		for (uint32_t i = 0; i < s->n; i++)
			if (s->m[i].id == w->m[k].node_id && w->m[k].fresh)
				*fresh |= 1U << i;
	if (w->n_members && *fresh >> m->i & 1)
		d->told = false;	/* its first */
	*at = NULL;
	d->words_tail = at;
	free(w);
	s->cover.rings_given_up++;
	return true;
}

static void leave_ring(struct sim_machine *m, struct sim_ring *old)
{
	struct sim_msg **kept = m->outq;
	uint32_t n = m->n_out, size = m->out_size;

	for (uint32_t q = old->pos[m->i]; q < m->top; q++)
		sim_handle(m, old, q);
	m->outq = NULL;
	m->n_out = m->out_size = 0;
	for (uint32_t q = m->top; q < old->n; q++) {
		struct sim_msg *g = old->log[q];

		if (m->holes && m->forming->was[g->from] == old &&
		    (m->forming->members >> g->from & 1)) {
			m->s->cover.holes += q > m->top;
			sim_handle(m, old, q);
		} else if (g->from == m->i) {
			g->refs++;
			sim_mcast(m, g);
		}
	}
	for (uint32_t q = 0; q < n; q++)
		sim_mcast(m, kept[q]);
	if (size)
		free(kept);
}

static void install(struct sim *s, const struct sim_arg *a)
{
	struct sim_ring *new = a->p, *old;
	struct sim_machine *m = &s->m[a->v];
	uint32_t fresh = 0;

	if (m->forming != new || !sim_runs(m))
		return;
	old = m->ring;
	leave_ring(m, old);	/* forming: what it sends is queued */
	m->forming = NULL;
	m->ring = new;
	give_up(m, &fresh);
	fresh |= fresh_of(m, new, old);
	for (uint32_t i = 0; i < s->n; i++)
		m->group[i] = new->members >> i & 1 ? new->group[i] : 0;
	sim_tell(s, "ring %llu of %x stands at %s",
		 (unsigned long long)new->seq, new->members, m->name);
	sim_tell_members(m, true, fresh);
	sim_topo(s);
}
