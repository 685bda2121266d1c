/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_SIMBUS_H
#define TEST_SIMBUS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster_priv.h"

/* A bus and a clock that are driven by hand: machines with a vote each, in
 * groups that can be split and joined, one daemon a machine. Like corosync:
 * what was put in order before a change reaches everybody who moves together
 * before the change does, a part that is cut off may miss the newest that
 * others sent, and what was not yet in order goes into the next ring. */

enum { SIM_MACHINES = 3 };

struct sim_event {
	struct sim_event *next;
	uint64_t seq;		/* in its ring; 0: a membership */
	uint32_t from;
	uint64_t ring;
	bool quorate, reform;
	bool skipped;		/* a ring that it never formed lies before */
	struct td_bus_member m[SIM_MACHINES];
	unsigned int n_members;
	size_t n;
	uint8_t buf[];
};
struct sim_queue {
	struct sim_event *head, **tail;
	unsigned int count;
};

struct sim_bus {
	struct td_bus bus;	/* first */
	struct sim_machine *on;
};

struct sim_machine {
	struct sim *sim;
	uint32_t id;
	bool power;
	int group;
	uint64_t ring;
	/* its daemon */
	struct td_cluster *c;	/* NULL: down */
	uint32_t pid;
	struct sim_queue in, out;
	uint64_t delivered;	/* seq in this ring */
	unsigned int out_limit;
};

struct sim {
	struct sim_machine machine[SIM_MACHINES + 1];	/* by id */
	int64_t now_ms;
	uint64_t rings, seq;
	uint32_t pids;
	unsigned int seed;
	int quorum;		/* 0: by votes; 1, -1: always, never */
};

static inline unsigned int sim_rand(struct sim *s, unsigned int below)
{
	return rand_r(&s->seed) % below;
}

static inline void sim_put(struct sim_queue *q, struct sim_event *e)
{
	e->next = NULL;
	*q->tail = e;
	q->tail = &e->next;
	q->count++;
}

static inline struct sim_event *sim_get(struct sim_queue *q)
{
	struct sim_event *e = q->head;

	if (e) {
		q->head = e->next;
		q->count--;
		if (!q->head)
			q->tail = &q->head;
	}
	return e;
}

static inline void sim_empty(struct sim_queue *q)
{
	struct sim_event *e;

	if (!q->tail)
		q->tail = &q->head;
	while ((e = sim_get(q)))
		free(e);
}

static int sim_send(struct td_bus *b, const void *buf, size_t n)
{
	struct sim_machine *m = ((struct sim_bus *)b)->on;
	struct sim_event *e;

	if (m->out.count >= m->out_limit)
		return -EAGAIN;
	e = calloc(1, sizeof(*e) + n);
	e->from = m->id;
	e->n = n;
	memcpy(e->buf, buf, n);
	sim_put(&m->out, e);
	return 0;
}

static void sim_bus_free(struct td_bus *b)
{
	free(b);
}

static const struct td_bus_ops sim_ops = { sim_send, sim_bus_free };

static int64_t sim_boot_ms(void *arg)
{
	return ((struct sim *)arg)->now_ms;
}

static int64_t sim_wall_ms(void *arg)
{
	return 1750000000000 + ((struct sim *)arg)->now_ms;
}

/* What machine m sees from now on. was: rings before; equal ones moved
 * together. */
static inline struct sim_event *sim_tell(struct sim *s, struct sim_machine *m,
					 const uint64_t was[SIM_MACHINES + 1],
					 uint32_t fresh)
{
	struct sim_event *e = calloc(1, sizeof(*e));
	unsigned int votes = 0;

	e->ring = m->ring;
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		struct sim_machine *o = &s->machine[i];

		if (!o->power || o->ring != m->ring)
			continue;
		votes++;
		if (!o->c)
			continue;
		e->m[e->n_members++] = (struct td_bus_member){
			.node_id = i, .pid = o->pid,
			.fresh = was[i] != was[m->id] || (fresh >> i & 1) ||
				 !was[m->id],
		};
	}
	e->quorate = s->quorum ? s->quorum > 0 : votes * 2 > SIM_MACHINES;
	sim_put(&m->in, e);
	return e;
}

/* A machine that was cut off alone may never have formed that ring of one:
 * then it comes from the ring before, and moves together with nobody. */
static inline bool sim_skips(struct sim *s, struct sim_machine *m,
			     const uint64_t was[SIM_MACHINES + 1])
{
	struct sim_queue kept = { .tail = &kept.head };
	struct sim_event *e;
	bool skips = false;

	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		if (i != m->id && was[i] == was[m->id])
			return false;
	while ((e = sim_get(&m->in)))
		if (!m->in.count && e->reform && sim_rand(s, 2)) {
			free(e);
			skips = true;
		} else {
			sim_put(&kept, e);
		}
	while ((e = sim_get(&kept)))
		sim_put(&m->in, e);
	return skips;
}

/* The parts of a ring that is no more: what one part has not received yet
 * and did not send itself, it may never get. */
static inline void sim_lose_tail(struct sim *s, struct sim_machine *m,
				 const uint64_t was[SIM_MACHINES + 1])
{
	uint64_t have = 0, cut;
	struct sim_queue kept = { .tail = &kept.head };
	struct sim_event *e;
	uint32_t part = 0;

	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		if (s->machine[i].ring == m->ring && was[i] == was[m->id]) {
			part |= 1U << i;
			if (s->machine[i].c && s->machine[i].delivered > have)
				have = s->machine[i].delivered;
		}
	/* the same for all of the part: no chance of its own */
	cut = have + (m->ring * 2654435761U >> 7) % 4;
	while ((e = sim_get(&m->in)))
		if (e->seq > cut && !(part >> e->from & 1))
			free(e);
		else
			sim_put(&kept, e);
	while ((e = sim_get(&kept)))
		sim_put(&m->in, e);
}

/* New rings after groups or power have changed. */
static inline void sim_reform(struct sim *s)
{
	uint64_t was[SIM_MACHINES + 1], ring_of[SIM_MACHINES + 1] = { 0 };

	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		was[i] = s->machine[i].ring;
		if (!s->machine[i].power)
			was[i] = 0;
	}
	s->rings += 4;
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		struct sim_machine *m = &s->machine[i];

		if (!m->power) {
			m->ring = 0;
			continue;
		}
		if (!ring_of[m->group])
			ring_of[m->group] = s->rings << 5 | i;
		m->ring = ring_of[m->group];
	}
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		struct sim_machine *m = &s->machine[i];

		struct sim_event *e;
		bool skipped;

		if (!m->power || !m->c)
			continue;
		sim_lose_tail(s, m, was);
		skipped = sim_skips(s, m, was);
		e = sim_tell(s, m, was, skipped ? ~0U : 0);
		e->reform = true;
		e->skipped = skipped;
	}
}

/* A daemon came (fresh) or went in its ring. */
static inline void sim_group_change(struct sim *s, uint64_t ring,
				    uint32_t fresh)
{
	uint64_t was[SIM_MACHINES + 1];

	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		was[i] = s->machine[i].ring;
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		if (s->machine[i].c && s->machine[i].ring == ring) {
			if (fresh >> i & 1)
				was[i] = 0;	/* all are new to it */
			sim_tell(s, &s->machine[i], was, fresh);
			was[i] = ring;
		}
}

static inline void sim_daemon_start(struct sim *s, uint32_t id)
{
	struct sim_machine *m = &s->machine[id];
	struct sim_bus *b = calloc(1, sizeof(*b));
	const struct td_cluster_env env = {
		.boot_ms = sim_boot_ms, .wall_ms = sim_wall_ms, .arg = s,
	};
	char name[8];
	struct td_cluster_cfg cfg = {
		.node_id = id, .name = name, .version = "sim",
		.incarnation = ++s->pids, .bus = &b->bus,
	};

	snprintf(name, sizeof(name), "n%u", id);
	b->bus.ops = &sim_ops;
	b->bus.node_id = id;
	b->on = m;
	sim_empty(&m->in);
	sim_empty(&m->out);
	m->pid = s->pids;
	m->delivered = s->seq;
	if (td_cluster_new_in(&env, &cfg, &m->c))
		abort();
	sim_group_change(s, m->ring, 1U << id);
}

static inline void sim_daemon_stop(struct sim *s, uint32_t id)
{
	struct sim_machine *m = &s->machine[id];
	struct td_cluster *c = m->c;

	m->c = NULL;
	td_cluster_free(c);
	sim_empty(&m->in);
	sim_empty(&m->out);
	if (m->power)
		sim_group_change(s, m->ring, 0);
}

static inline void sim_power(struct sim *s, uint32_t id, bool on)
{
	struct sim_machine *m = &s->machine[id];

	if (m->c && !on) {
		m->power = false;
		sim_daemon_stop(s, id);
	}
	m->power = on;
	sim_reform(s);
}

static inline void sim_init(struct sim *s, unsigned int seed)
{
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->now_ms = 100000;
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		s->machine[i].sim = s;
		s->machine[i].id = i;
		s->machine[i].power = true;
		s->machine[i].out_limit = 64;
		sim_empty(&s->machine[i].in);
		sim_empty(&s->machine[i].out);
	}
	sim_reform(s);
}

static inline void sim_end(struct sim *s)
{
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		if (s->machine[i].c)
			sim_daemon_stop(s, i);
}

/* The oldest unsent message of this machine takes its place in the order. */
static inline void sim_order(struct sim *s, struct sim_machine *m)
{
	struct sim_event *e = sim_get(&m->out);

	if (!e)
		return;
	e->seq = ++s->seq;
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		struct sim_machine *o = &s->machine[i];
		struct sim_event *copy;

		if (!o->c || o->ring != m->ring)
			continue;
		copy = malloc(sizeof(*copy) + e->n);
		memcpy(copy, e, sizeof(*e) + e->n);
		sim_put(&o->in, copy);
	}
	free(e);
}

/* @return false: nothing was there */
static inline bool sim_deliver(struct sim_machine *m)
{
	struct sim_event *e = m->c ? sim_get(&m->in) : NULL;

	if (!e)
		return false;
	if (e->seq) {
		m->delivered = e->seq;
		td_cluster_on_deliver(m->c, e->from, e->buf, e->n);
	} else {
		td_cluster_on_members(m->c, e->ring, e->quorate, e->m,
				      e->n_members);
	}
	free(e);
	return true;
}

/* One random thing happens at one machine. */
static inline struct sim_machine *sim_step(struct sim *s)
{
	struct sim_machine *m = &s->machine[1 + sim_rand(s, SIM_MACHINES)];

	if (!m->c)
		return NULL;
	switch (sim_rand(s, 4)) {
	case 0:
		sim_order(s, m);
		return NULL;
	case 1:
		td_cluster_turn(m->c);
		return NULL;
	default:
		return sim_deliver(m) ? m : NULL;
	}
}

/* Everything that can happen without the clock happens. */
static inline void sim_drain(struct sim *s)
{
	bool busy = true;

	while (busy) {
		busy = false;
		for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
			struct sim_machine *m = &s->machine[i];

			if (!m->c)
				continue;
			td_cluster_turn(m->c);
			for (; m->out.count; busy = true)
				sim_order(s, m);
			while (sim_deliver(m))
				busy = true;
		}
	}
}

#endif
