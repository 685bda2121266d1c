// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct frame {
	struct frame *next;
	size_t n;
	uint8_t octets[];
};

struct fifo {
	struct frame *first, **last;
	uint32_t count;
};

/* What waits for one effect. The effect may outlive the gate (the cluster is
 * freed later): then gate is NULL. */
struct batch {
	struct batch *next, **link;
	struct td_isdn_gate *gate;
	struct fifo frames;
};

struct td_isdn_gate {
	const struct td_isdn_env *env;
	void *port;
	bool open;
	struct fifo turn;	/* of this turn */
	struct batch *batches;
	struct fifo out;	/* released, card full */
	struct td_gate_stats st;
};

static void fifo_init(struct fifo *q)
{
	*q = (struct fifo){ 0 };
	q->last = &q->first;
}

static void fifo_put(struct fifo *q, struct frame *f)
{
	f->next = NULL;
	*q->last = f;
	q->last = &f->next;
	q->count++;
}

static struct frame *fifo_get(struct fifo *q)
{
	struct frame *f = q->first;

	if (!f)
		return NULL;
	q->first = f->next;
	if (!q->first)
		q->last = &q->first;
	q->count--;
	return f;
}

/** @return how many there were */
static uint32_t fifo_drop(struct fifo *q)
{
	uint32_t n = q->count;
	struct frame *f;

	while ((f = fifo_get(q)))
		free(f);
	return n;
}

int td_isdn_gate_new(const struct td_isdn_env *env, void *port,
		     struct td_isdn_gate **out)
{
	struct td_isdn_gate *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->env = env;
	g->port = port;
	fifo_init(&g->turn);
	fifo_init(&g->out);
	*out = g;
	return 0;
}

void td_isdn_gate_free(struct td_isdn_gate *g)
{
	if (!g)
		return;
	fifo_drop(&g->turn);
	fifo_drop(&g->out);
	while (g->batches) {
		struct batch *b = g->batches;

		g->batches = b->next;
		fifo_drop(&b->frames);
		b->gate = NULL;
	}
	free(g);
}

void td_isdn_gate_port(struct td_isdn_gate *g, void *port)
{
	g->port = port;
}

void td_isdn_gate_open(struct td_isdn_gate *g, bool open)
{
	g->open = open;
	if (open)
		return;
	g->st.off += fifo_drop(&g->turn);
	g->st.off += fifo_drop(&g->out);
	/* what still waits must not appear on a line that is taken again */
	for (struct batch *b = g->batches; b; b = b->next)
		g->st.off += fifo_drop(&b->frames);
	g->st.waiting = 0;
}

void td_isdn_gate_put(struct td_isdn_gate *g, const uint8_t *frame, size_t n)
{
	struct frame *f;

	if (!g->open) {
		g->st.off++;
		return;
	}
	if (n > TD_GATE_FRAME ||
	    g->turn.count + g->st.waiting + g->out.count >= TD_GATE_LIMIT ||
	    !(f = malloc(sizeof(*f) + n))) {
		g->st.refused++;
		return;
	}
	f->n = n;
	memcpy(f->octets, frame, n);
	fifo_put(&g->turn, f);
}

/* What the card takes leaves now, in order. */
static void drain(struct td_isdn_gate *g)
{
	while (g->out.first) {
		struct frame *f = g->out.first;
		int rc = g->env->send(g->port, f->octets, f->n);

		if (rc == -EAGAIN)
			return;
		if (rc)
			g->st.off++;
		else
			g->st.sent++;
		free(fifo_get(&g->out));
	}
}

static void on_effect(void *arg, int status)
{
	struct batch *b = arg;
	struct td_isdn_gate *g = b->gate;
	struct frame *f;

	if (!g) {
		free(b);
		return;
	}
	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	g->st.waiting -= b->frames.count;
	/* -ESTALE: apply() refused one of the ops; then the view does not
	 * know what the frames tell, so they must not leave either */
	if (status)
		g->st.cancelled += fifo_drop(&b->frames);
	else if (!g->open)
		g->st.off += fifo_drop(&b->frames);
	while ((f = fifo_get(&b->frames)))
		fifo_put(&g->out, f);
	free(b);
	drain(g);
}

void td_isdn_gate_flush(struct td_isdn_gate *g)
{
	struct batch *b;

	if (!g->turn.count)
		return;
	b = calloc(1, sizeof(*b));
	if (!b) {
		g->st.refused += fifo_drop(&g->turn);
		return;
	}
	b->gate = g;
	fifo_init(&b->frames);
	for (struct frame *f; (f = fifo_get(&g->turn));)
		fifo_put(&b->frames, f);
	g->st.waiting += b->frames.count;
	b->link = &g->batches;
	b->next = g->batches;
	if (b->next)
		b->next->link = &b->next;
	g->batches = b;
	if (!g->env->effect(g->env->arg, on_effect, b))
		return;
	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	g->st.waiting -= b->frames.count;
	g->st.refused += fifo_drop(&b->frames);
	free(b);
}

void td_isdn_gate_retry(struct td_isdn_gate *g)
{
	drain(g);
}

void td_isdn_gate_stats(const struct td_isdn_gate *g,
			struct td_gate_stats *out)
{
	*out = g->st;
	out->queued = g->out.count;
}
