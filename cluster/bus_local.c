// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One node alone: its own messages in the order in which it sent them. */

enum { MAX_OCTETS = 64 * 1024 * 1024 };	/* under way */

struct message {
	struct message *next;
	size_t n;
	uint8_t buf[];
};

struct local {
	struct td_bus bus;	/* first */
	struct td_loop *loop;
	struct td_timer timer;
	bool told;		/* membership */
	struct message *head, **tail;
	size_t octets;
};

static void on_turn(void *arg)
{
	struct local *l = arg;
	struct td_bus *b = &l->bus;
	struct message *m = l->head;

	if (!l->told) {
		struct td_bus_member me = { b->node_id, (uint32_t)getpid(),
					    true };

		l->told = true;
		b->ev.members(b->ev_arg, 1, true, &me, 1);
	}
	/* what is sent from now on comes in the next turn */
	l->head = NULL;
	l->tail = &l->head;
	l->octets = 0;
	while (m) {
		struct message *next = m->next;

		b->ev.deliver(b->ev_arg, b->node_id, m->buf, m->n);
		free(m);
		m = next;
	}
}

static int local_send(struct td_bus *b, const void *buf, size_t n)
{
	struct local *l = (struct local *)b;
	struct message *m;

	if (l->octets + n > MAX_OCTETS)
		return -EAGAIN;
	m = malloc(sizeof(*m) + n);
	if (!m)
		return -EAGAIN;
	m->next = NULL;
	m->n = n;
	memcpy(m->buf, buf, n);
	*l->tail = m;
	l->tail = &m->next;
	l->octets += n;
	if (!td_timer_running(&l->timer))
		return td_timer_start(l->loop, &l->timer, 0, on_turn, l);
	return 0;
}

static void local_free(struct td_bus *b)
{
	struct local *l = (struct local *)b;

	td_timer_stop(&l->timer);
	while (l->head) {
		struct message *m = l->head;

		l->head = m->next;
		free(m);
	}
	free(l);
}

static const struct td_bus_ops local_ops = { local_send, local_free };

int td_bus_local_new(struct td_loop *loop, uint32_t node_id,
		     struct td_bus **out)
{
	struct local *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->bus.ops = &local_ops;
	l->bus.node_id = node_id;
	l->loop = loop;
	l->tail = &l->head;
	rc = td_timer_start(loop, &l->timer, 0, on_turn, l);
	if (rc) {
		free(l);
		return rc;
	}
	*out = &l->bus;
	return 0;
}
