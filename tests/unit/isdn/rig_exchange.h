/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_ISDN_EXCHANGE_H
#define TD_TEST_ISDN_EXCHANGE_H

/* The other end of the line: libpri, doing as r->x_mode says. */

#include "isdn/rig_world.h"

RIG int x_read(struct pri *p, void *buf, int len)
{
	struct rig *r = pri_get_userdata(p);
	struct rig_queue *q = &r->to_x;
	struct rig_frame *f = &q->f[q->head % RIG_FRAMES];

	if (q->head == q->tail)
		return 0;
	/* an exchange that knows no RESTART: it becomes a message of another
	 * protocol, since LAPD wants the frame */
	if (r->x_mute && f->n > 8 && !(f->b[2] & 1) && f->b[4] == 8 &&
	    f->b[8] == 0x46)
		f->b[4] = 0;
	memcpy(buf, f->b, f->n);
	q->head++;
	return (int)f->n + RIG_FCS;
}
RIG int x_write(struct pri *p, void *buf, int len)
{
	struct rig *r = pri_get_userdata(p);

	if (!r->cut)
		rig_put(&r->to_node, buf, (size_t)len - RIG_FCS);
	return len;
}
RIG struct x_call *x_new(struct rig *r, q931_call *call)
{
	for (int i = 0; i < RIG_CALLS; i++)
		if (!r->xc[i].used) {
			r->xc[i] = (struct x_call){ .c = call, .used = true };
			return &r->xc[i];
		}
	fail_msg("exchange is full");
	abort();
}
RIG struct x_call *x_find(struct rig *r, q931_call *call)
{
	for (int i = 0; i < RIG_CALLS; i++)
		if (r->xc[i].used && !r->xc[i].gone && r->xc[i].c == call)
			return &r->xc[i];
	return NULL;
}
RIG void x_ring(struct rig *r, pri_event_ring *e)
{
	struct x_call *c = x_new(r, e->call);

	c->chan = e->channel & 0xff;
	strcpy(c->called, e->callednum);
	strcpy(c->calling, e->callingnum);
	c->pres = e->callingpres;
	c->plan = e->calledplan;
	c->complete = e->complete;
	c->ctype = e->ctype;
	switch (r->x_mode) {
	case X_OTHER_CHANNEL:
		c->chan = r->x_chan;
		/* fall through */
	case X_ANSWER:
		pri_proceeding(r->x, c->c, c->chan, 0);
		pri_acknowledge(r->x, c->c, c->chan, 1);
		pri_answer(r->x, c->c, c->chan, 0);
		c->answered = true;
		break;
	case X_RING:
		pri_proceeding(r->x, c->c, c->chan, 0);
		pri_acknowledge(r->x, c->c, c->chan, 0);
		break;
	case X_BUSY:
		pri_proceeding(r->x, c->c, c->chan, 0);
		pri_hangup(r->x, c->c, r->x_cause);
		break;
	case X_ACK:
		pri_need_more_info(r->x, c->c, c->chan, 0);
		break;
	case X_REFUSE_CHANNEL:	/* x_chan times */
		if (--r->x_chan <= 0)
			r->x_mode = X_ANSWER;
		pri_hangup(r->x, c->c, 44);
		c->gone = true;
		break;
	case X_PROCEED:
		pri_proceeding(r->x, c->c, c->chan, 0);
		break;
	case X_PROGRESS:
		pri_proceeding(r->x, c->c, c->chan, 1);
		break;
	case X_NOTHING:
		break;
	}
}
RIG void x_restarted(struct rig *r, int chan)
{
	r->x_restarts++;
	r->x_restarted |= 1u << (chan & 31);
	for (int i = 0; i < RIG_CALLS; i++) {
		struct x_call *c = &r->xc[i];

		if (!c->used || c->gone || c->chan != chan)
			continue;
		pri_destroycall(r->x, c->c);
		c->gone = true;
	}
}
RIG void x_event(struct rig *r, pri_event *e)
{
	struct x_call *c;

	switch (e->e) {
	case PRI_EVENT_DCHAN_UP:
	case PRI_EVENT_DCHAN_DOWN:
		r->x_up = e->e == PRI_EVENT_DCHAN_UP;
		break;
	case PRI_EVENT_RING:
		x_ring(r, &e->ring);
		break;
	case PRI_EVENT_INFO_RECEIVED:
		if ((c = x_find(r, e->ring.call)))
			strcat(c->called, e->ring.callednum);
		break;
	case PRI_EVENT_PROCEEDING:
	case PRI_EVENT_SETUP_ACK:
		if ((c = x_find(r, e->e == PRI_EVENT_PROCEEDING ?
					   e->proceeding.call :
					   e->setup_ack.call))) {
			c->proceeding = true;
			c->chan = (e->e == PRI_EVENT_PROCEEDING ?
					   e->proceeding.channel :
					   e->setup_ack.channel) & 0xff;
		}
		break;
	case PRI_EVENT_PROGRESS:
		if ((c = x_find(r, e->proceeding.call)))
			c->progress = e->proceeding.progressmask;
		break;
	case PRI_EVENT_RINGING:
		if ((c = x_find(r, e->ringing.call))) {
			c->alerting = true;
			c->progress |= e->ringing.progressmask;
		}
		break;
	case PRI_EVENT_ANSWER:
		if ((c = x_find(r, e->answer.call)))
			c->answered = true;
		break;
	case PRI_EVENT_HANGUP_REQ:
		if ((c = x_find(r, e->hangup.call)))
			c->cause = e->hangup.cause;
		if (r->x_deaf)
			break;
		pri_hangup(r->x, e->hangup.call, e->hangup.cause);
		break;
	case PRI_EVENT_HANGUP:
	case PRI_EVENT_HANGUP_ACK:
		if ((c = x_find(r, e->hangup.call))) {
			if (!c->cause)
				c->cause = e->hangup.cause;
			c->gone = true;
		}
		if (e->e == PRI_EVENT_HANGUP && !r->x_deaf)
			pri_hangup(r->x, e->hangup.call, e->hangup.cause);
		break;
	case PRI_EVENT_RESTART:
		x_restarted(r, e->restart.channel & 0xff);
		break;
	case PRI_EVENT_RESTART_ACK:
		r->x_restart_acks++;
		break;
	}
}
RIG struct x_call *x_dial_as(struct rig *r, int chan, bool exclusive,
			     const char *called, bool complete, int bearer)
{
	struct x_call *c = x_new(r, pri_new_call(r->x));
	struct pri_sr *sr = pri_sr_new();

	pri_sr_set_channel(sr, chan, exclusive, 0);
	pri_sr_set_bearer(sr, bearer, PRI_LAYER_1_ALAW);
	pri_sr_set_called(sr, (char *)called, PRI_LOCAL_ISDN, complete);
	pri_sr_set_caller(sr, (char *)"2012345", NULL, PRI_NATIONAL_ISDN,
			  PRES_ALLOWED_USER_NUMBER_PASSED_SCREEN);
	assert_int_equal(pri_setup(r->x, c->c, sr), 0);
	pri_sr_free(sr);
	c->chan = chan;
	return c;
}
RIG struct x_call *x_dial(struct rig *r, int chan, const char *called)
{
	return x_dial_as(r, chan, true, called, true, PRI_TRANS_CAP_SPEECH);
}
/* libpri keeps a call that it never answered; an exchange would not */
RIG void x_forget(struct rig *r)
{
	for (int i = 0; i < RIG_CALLS; i++)
		if (r->xc[i].used && !r->xc[i].gone) {
			pri_destroycall(r->x, r->xc[i].c);
			r->xc[i].gone = true;
		}
}
RIG int x_open(const struct rig *r)
{
	int n = 0;

	for (int i = 0; i < RIG_CALLS; i++)
		n += r->xc[i].used && !r->xc[i].gone;
	return n;
}
RIG int x_lib_calls(struct rig *r)
{
	char *s = pri_dump_info_str(r->x);
	char *at = strstr(s, "Total active-calls:");
	int n = at ? atoi(at + 19) : -1;

	free(s);
	return n;
}

#endif
