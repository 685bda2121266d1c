// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

/* corosync: one order in a ring. Of a broken ring's last words part of its
 * members get a part; CPG then stands still for all until another ring
 * stands (form.c). A daemon that comes or goes has its place in the order,
 * too. The daemon hears of a ring as bus_cpg.c tells it: in one event, when
 * the ring's quorum is known, and nothing of the ring before. */

struct sim_msg *sim_msg_new(enum sim_kind kind, uint32_t from, uint32_t pid,
			    const void *buf, size_t n)
{
	struct sim_msg *m = malloc(sizeof(*m) + n);

	if (!m)
		abort();
	*m = (struct sim_msg){ .refs = 1, .kind = kind, .from = from,
			       .pid = pid, .n = n };
	if (n)
		memcpy(m->buf, buf, n);
	return m;
}

void sim_msg_unref(struct sim_msg *m)
{
	if (!--m->refs)
		free(m);
}

struct sim_ring *sim_ring_new(struct sim *s, uint32_t members)
{
	struct sim_ring *r = calloc(1, sizeof(*r));
	uint32_t leader = 0;

	if (!r)
		abort();
	for (uint32_t i = 0; i < s->n; i++) {
		struct sim_machine *m = &s->m[i];

		if (!(members >> i & 1))
			continue;
		if (m->ring_seq > r->seq)
			r->seq = m->ring_seq;
		if (!leader || m->id < leader)
			leader = m->id;
		r->was[i] = m->ring;
	}
	/* two parts may come to the same sequence number */
	r->seq += 4;
	r->number = r->seq << 5 | leader;
	for (uint32_t i = 0; i < s->n; i++)
		if (members >> i & 1)
			s->m[i].ring_seq = r->seq;
	r->members = members;
	r->broken = true;
	do {
		r->holder = sim_below(&s->rng, s->n);
	} while (!(members >> r->holder & 1));
	r->next = s->rings;
	s->rings = r;
	s->cover.rings++;
	return r;
}

void sim_rings_clear(struct sim *s)
{
	while (s->rings) {
		struct sim_ring *r = s->rings;

		s->rings = r->next;
		while (r->n)
			sim_msg_unref(r->log[--r->n]);
		free(r->log);
		free(r);
	}
}

/* --- sending --- */

static void deliver(struct sim *s, const struct sim_arg *a)
{
	struct sim_ring *r = a->p;
	struct sim_machine *m = &s->m[a->v];
	uint32_t q = a->w;
	const struct sim_msg *msg = r->log[q];

	/* a later one may have been carried again */
	if (m->ring != r || !sim_runs(m) || m->forming || r->pos[m->i] != q)
		return;
	if (r->broken && msg->from != m->i &&
	    (!sim_linked(s, msg->from, m->i) || sim_below(&s->rng, 2)))
		return;
	r->pos[m->i]++;
	sim_handle(m, r, q);
}

void sim_carry(struct sim *s, struct sim_ring *r, uint32_t to, uint32_t q)
{
	int64_t us = r->log[q]->from == to ?
			     sim_between(&s->rng, 20, 200) :
			     sim_between(&s->rng, 80, s->k.calm ? 400 : 4000);
	int64_t at = s->now_us + us;

	if (at < r->last_us[to])
		at = r->last_us[to];
	r->last_us[to] = at;
	sim_after(s, at - s->now_us, deliver,
		  (struct sim_arg){ .p = r, .v = to, .w = q });
}

static void to_queue(struct sim_machine *m, struct sim_msg *msg)
{
	if (m->n_out == m->out_size) {
		m->out_size = m->out_size ? m->out_size * 2 : 32;
		m->outq = realloc(m->outq, m->out_size * sizeof(*m->outq));
		if (!m->outq)
			abort();
	}
	m->outq[m->n_out++] = msg;
}

void sim_mcast(struct sim_machine *m, struct sim_msg *msg)
{
	struct sim *s = m->s;
	struct sim_ring *r = m->ring;

	if (!m->up) {
		sim_msg_unref(msg);
		return;
	}
	if (!sim_runs(m) || m->forming ||
	    (r->broken && (m->n_out || r->holder != m->i || !r->quota))) {
		to_queue(m, msg);	/* leaves in the next ring */
		return;
	}
	if (r->broken)
		r->quota--;
	if (r->n == r->size) {
		r->size = r->size ? r->size * 2 : 64;
		r->log = realloc(r->log, r->size * sizeof(*r->log));
		if (!r->log)
			abort();
	}
	r->log[r->n++] = msg;
	if (s->trace)
		sim_story_message(m, msg);
	s->cover.messages++;
	for (uint32_t j = 0; j < s->n; j++)
		if (r->members >> j & 1)
			sim_carry(s, r, j, r->n - 1);
}

/* --- what a corosync has for its daemon --- */

static struct sim_word *word_new(struct sim_machine *m)
{
	struct sim_word *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->ready_us = m->s->now_us;
	return w;
}

/* What the daemon is told of its group. fresh: bit machine. */
void sim_tell_members(struct sim_machine *m, bool ring_change, uint32_t fresh)
{
	struct sim *s = m->s;
	struct sim_daemon *d = m->d;
	struct sim_word *w;

	if (!d || m->group[m->i] != d->pid)
		return;
	w = word_new(m);
	w->ring = m->ring->number;
	w->ring_change = ring_change;
	w->quorate = 2 * (unsigned int)__builtin_popcount(m->ring->members) >
		     s->n;
	if (ring_change)
		w->ready_us += sim_between(&s->rng, 0, s->k.quorum_us);
	w->moved = m->ring->members & ~fresh;
	for (uint32_t i = 0; i < s->n; i++)
		if (m->group[i])
			w->m[w->n_members++] = (struct td_bus_member){
				.node_id = s->m[i].id, .pid = m->group[i],
				.fresh = !d->told || (fresh >> i & 1),
			};
	d->told = true;
	sim_daemon_word(d, w);
}

void sim_handle(struct sim_machine *m, struct sim_ring *r, uint32_t q)
{
	struct sim_msg *msg = r->log[q];
	struct sim *s = m->s;
	struct sim_word *w;

	sim_note(s, msg->from << 8 | m->i | (uint64_t)msg->n << 16);
	switch (msg->kind) {
	case SIM_JOIN:
		m->group[msg->from] = msg->pid;
		sim_tell_members(m, false, 1U << msg->from);
		return;
	case SIM_LEAVE:
		if (m->group[msg->from] != msg->pid)
			return;
		m->group[msg->from] = 0;
		sim_tell_members(m, false, 0);
		return;
	case SIM_DATA:
		/* only what a member of the group has sent */
		if (!m->d || m->group[m->i] != m->d->pid)
			return;
		w = word_new(m);
		w->msg = msg;
		w->in = r;
		w->q = q;
		msg->refs++;
		sim_daemon_word(m->d, w);
		return;
	}
}
