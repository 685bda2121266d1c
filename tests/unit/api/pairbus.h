/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_API_PAIRBUS_H
#define TEST_API_PAIRBUS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/bus.h"

/* A bus for nodes 1 and 2 in one loop: one order, delivered to both in the
 * loop's next turn; a member comes with its bus and goes with it. */
struct pair_message {
	struct pair_message *next;
	uint32_t from;
	size_t n;
	uint8_t buf[];
};

struct pair_bus {
	struct td_bus bus;	/* first */
	struct pair *pair;
	uint32_t pid;
};

struct pair {
	struct td_loop *loop;
	struct td_timer timer;
	struct pair_bus *member[3];	/* by id */
	struct pair_message *head, **tail;
	uint64_t ring;
	uint32_t pids;
	bool changed, cut;		/* cut: nobody is quorate */
};

static void pair_members(struct pair *p)
{
	struct td_bus_member m[2];
	unsigned int n = 0;

	p->changed = false;
	p->ring++;
	for (int i = 1; i <= 2; i++)
		if (p->member[i])
			m[n++] = (struct td_bus_member){
				(uint32_t)i, p->member[i]->pid, true };
	for (int i = 1; i <= 2; i++) {
		struct td_bus *b = p->member[i] ? &p->member[i]->bus : NULL;

		if (b)
			b->ev.members(b->ev_arg, p->ring, !p->cut, m, n);
	}
}

static void pair_turn(void *arg)
{
	struct pair *p = arg;
	struct pair_message *m = p->head;

	p->head = NULL;
	p->tail = &p->head;
	if (p->changed)
		pair_members(p);
	while (m) {
		struct pair_message *next = m->next;

		for (int i = 1; i <= 2; i++) {
			struct td_bus *b = p->member[i] ? &p->member[i]->bus
							: NULL;

			if (b)
				b->ev.deliver(b->ev_arg, m->from, m->buf, m->n);
		}
		free(m);
		m = next;
	}
	if (p->head)
		td_timer_start(p->loop, &p->timer, 0, pair_turn, p);
}

static int pair_send(struct td_bus *b, const void *buf, size_t n)
{
	struct pair *p = ((struct pair_bus *)b)->pair;
	struct pair_message *m = malloc(sizeof(*m) + n);

	if (!m)
		return -EAGAIN;
	m->next = NULL;
	m->from = b->node_id;
	m->n = n;
	memcpy(m->buf, buf, n);
	*p->tail = m;
	p->tail = &m->next;
	return td_timer_running(&p->timer) ? 0 :
		       td_timer_start(p->loop, &p->timer, 0, pair_turn, p);
}

static void pair_change(struct pair *p)
{
	p->changed = true;
	td_timer_start(p->loop, &p->timer, 0, pair_turn, p);
}

static void pair_leave(struct td_bus *b)
{
	struct pair_bus *x = (struct pair_bus *)b;

	x->pair->member[b->node_id] = NULL;
	pair_change(x->pair);
	free(x);
}

static inline struct td_bus *pair_join(struct pair *p, uint32_t id)
{
	static const struct td_bus_ops ops = { pair_send, pair_leave };
	struct pair_bus *b = calloc(1, sizeof(*b));

	if (!p->tail)
		p->tail = &p->head;
	b->bus.ops = &ops;
	b->bus.node_id = id;
	b->pair = p;
	b->pid = ++p->pids;
	p->member[id] = b;
	pair_change(p);
	return &b->bus;
}

static inline void pair_end(struct pair *p)
{
	td_timer_stop(&p->timer);
	while (p->head) {
		struct pair_message *m = p->head;

		p->head = m->next;
		free(m);
	}
}

#endif
