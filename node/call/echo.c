// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/call/calls_i.h"

/* The echo service: the first leg without a wire. It answers at once and
 * sends back what it hears; the media room does that in its own thread. */
struct echo_leg {
	struct td_leg leg;
	struct td_loop *loop;
	struct td_timer later;	/* events come in a turn of their own */
	bool up, over;
	int cause;
	char number[64];
};

static void on_answer(void *arg)
{
	struct echo_leg *e = arg;
	struct td_session *s = calloc(1, sizeof(*s));
	struct td_leg_event ev = { .type = TD_LEV_ANSWERED, .session = s };

	if (!s) {
		ev.type = TD_LEV_CLEARED;
		ev.cause = 42;
		e->over = true;
	} else {
		s->kind = TD_MEDIA_ECHO;
		e->up = true;
	}
	e->leg.up->event(e->leg.up->arg, &e->leg, &ev);
	free(s);
}

static void on_cleared(void *arg)
{
	struct echo_leg *e = arg;
	struct td_leg_event ev = { .type = TD_LEV_CLEARED, .cause = e->cause };

	e->over = true;
	e->leg.up->event(e->leg.up->arg, &e->leg, &ev);
}

static int echo_setup(struct td_leg *l, const struct td_setup *s)
{
	struct echo_leg *e = (struct echo_leg *)l;

	memcpy(e->number, s->called, sizeof(e->number));
	return td_timer_start(e->loop, &e->later, 0, on_answer, e);
}

static void echo_clear(struct td_leg *l, int cause, unsigned int retry_after_s)
{
	struct echo_leg *e = (struct echo_leg *)l;

	if (e->over)
		return;
	e->cause = cause;
	td_timer_start(e->loop, &e->later, 0, on_cleared, e);
}

static int echo_offer(struct td_leg *l, const struct td_session *s)
{
	return -EOPNOTSUPP;	/* voice to it is anchored: nobody asks */
}

static int echo_dtmf(struct td_leg *l, char digit)
{
	return 0;
}

static void echo_checkpoint(struct td_leg *l, Td__CallLeg *out)
{
	struct echo_leg *e = (struct echo_leg *)l;

	out->kind = TD__LEG_KIND__LEG_ECHO;
	out->peer = e->number;
}

static void echo_free(struct td_leg *l)
{
	struct echo_leg *e = (struct echo_leg *)l;

	td_timer_stop(&e->later);
	free(e);
}

static const struct td_leg_ops echo_ops = {
	.kind = "echo",
	.setup = echo_setup,
	.offer = echo_offer,
	.dtmf = echo_dtmf,
	.clear = echo_clear,
	.checkpoint = echo_checkpoint,
	.free = echo_free,
};

int echo_leg_new(struct td_loop *loop, const struct td_leg_up *up,
		 struct td_leg **out)
{
	struct echo_leg *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->leg.ops = &echo_ops;
	e->leg.up = up;
	e->loop = loop;
	*out = &e->leg;
	return 0;
}
