/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_ISDN_RIG_H
#define TD_TEST_ISDN_RIG_H

/* A whole world for the isdn room, in virtual time:
 *
 *   call room (room_*)  <->  isdn room  <->  two queues of frames  <->  an
 *   exchange: libpri's other side (x_*)
 *
 * The cluster is a gate that the test opens and shuts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libpri.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "node/isdn/env.h"
#include "node/isdn/isdn.h"

#define RIG static __attribute__((unused))

/* libpri cannot free a D-channel: each test leaves one exchange behind */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define rig_no_leak(p) __lsan_ignore_object(p)
#endif
#endif
#ifndef rig_no_leak
#define rig_no_leak(p) ((void)(p))
#endif

enum { RIG_CALLS = 64, RIG_FRAMES = 4096, RIG_TIMERS = 256, RIG_FCS = 2 };

/* ---- clock ---- */

static int64_t rig_us = INT64_C(1000000000) * 1000000;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	tv->tv_sec = rig_us / 1000000;
	tv->tv_usec = rig_us % 1000000;
	return 0;
}

/* ---- frames ---- */

struct rig_frame {
	size_t n;
	uint8_t b[1024];
};
struct rig_queue {
	struct rig_frame *f;
	unsigned int head, tail;
};

RIG void rig_put(struct rig_queue *q, const void *b, size_t n)
{
	assert_true(q->tail - q->head < RIG_FRAMES && n <= 1024);
	memcpy(q->f[q->tail % RIG_FRAMES].b, b, n);
	q->f[q->tail++ % RIG_FRAMES].n = n;
}

/* ---- the two sides ---- */

/* a call as the exchange sees it */
struct x_call {
	q931_call *c;
	bool used, answered, alerting, proceeding, gone;
	bool released;		/* the node asked for it */
	int chan, cause, progress;
	char called[64], calling[64];
	int pres, plan, complete, ctype;
};

/* a call of the call room: one leg */
struct room_call {
	struct td_leg *leg;
	bool used, cleared, answered, alerting, proceeding, progress, offered;
	bool inband;
	int cleared_times, cause, checkpoints, events;
	char digits[64];
	bool complete;
	struct td_setup setup;
	struct td_session session;
	uint32_t state, timeslot, cref;	/* as checkpointed */
};

/* what the exchange does with a SETUP */
enum x_mode { X_ANSWER, X_RING, X_BUSY, X_NOTHING, X_ACK, X_REFUSE_CHANNEL,
	      X_OTHER_CHANNEL, X_PROCEED, X_PROGRESS };
/* what the call room does with one */
enum room_mode { ROOM_ANSWER, ROOM_RING, ROOM_ACK, ROOM_NOTHING, ROOM_FULL,
		 ROOM_BROKEN, ROOM_REFUSE };

struct rig {
	struct td_isdn *isdn;
	struct td_isdn_env env;
	struct td_site site;
	struct td_site_line conf;
	/* port */
	struct rig_queue to_node, to_x;
	bool tx_on, card_full, cut, no_card;
	unsigned int hdlc;
	uint32_t alarms;
	td_fd_fn fd_fn;
	void *fd_arg;
	unsigned int recv_budget;
	/* timers */
	struct {
		struct td_timer *t;
		int64_t at_us;
	} timer[RIG_TIMERS];
	/* cluster */
	bool hold;		/* effects wait */
	int effect_rc, submit_rc, checkpoint_rc;
	struct {
		td_effect_fn fn;
		void *arg;
	} wait[1024];
	unsigned int n_wait, submits;
	Td__Span row;
	bool row_there;
	char row_span[32];
	uint32_t view_busy;
	/* call room */
	enum room_mode room_mode;
	int room_cause;
	bool keep_legs;		/* do not free a leg when it is cleared */
	bool restricted;	/* dial with CLIR */
	bool incomplete;	/* dial with more digits to come */
	struct room_call room[RIG_CALLS];
	/* exchange */
	struct pri *x;
	bool x_up;
	enum x_mode x_mode;
	int x_cause, x_chan, x_restarts, x_restart_acks;
	struct x_call xc[RIG_CALLS];
};

/* ---- environment ---- */

RIG void *e_port(void *arg, uint32_t number)
{
	return number == 1 && !((struct rig *)arg)->no_card ? arg : NULL;
}
RIG int e_event_fd(void *port)
{
	return 7;
}
RIG void e_event_clear(void *port)
{
}
RIG int e_hdlc(void *port, unsigned int timeslot)
{
	((struct rig *)port)->hdlc = timeslot;
	return 0;
}
RIG int e_recv(void *port, uint8_t *buf, size_t cap, size_t *n)
{
	struct rig *r = port;
	struct rig_queue *q = &r->to_node;
	struct rig_frame *f = &q->f[q->head % RIG_FRAMES];

	if (q->head == q->tail || !r->hdlc)
		return -EAGAIN;
	assert_true(f->n <= cap);
	memcpy(buf, f->b, f->n);
	*n = f->n;
	q->head++;
	return 0;
}
RIG int e_send(void *port, const void *buf, size_t n)
{
	struct rig *r = port;

	if (!r->tx_on)
		return -ENOLINK;
	if (r->card_full)
		return -EAGAIN;
	if (!r->cut)
		rig_put(&r->to_x, buf, n);
	return 0;
}
RIG void e_state(void *port, struct td_isdn_port_state *out)
{
	struct rig *r = port;

	*out = (struct td_isdn_port_state){ r->alarms, r->tx_on, 5 };
}
RIG int e_submit(void *arg, const Td__Op *op)
{
	struct rig *r = arg;

	if (r->submit_rc)
		return r->submit_rc;
	r->submits++;
	assert_int_equal(op->what_case, TD__OP__WHAT_SPAN);
	r->row = *op->span;
	strcpy(r->row_span, op->span->span);
	r->row.span = r->row_span;
	r->row_there = true;
	return 0;
}
RIG int e_effect(void *arg, td_effect_fn fn, void *farg)
{
	struct rig *r = arg;

	if (r->effect_rc)
		return r->effect_rc;
	if (r->hold) {
		assert_true(r->n_wait < 1024);
		r->wait[r->n_wait].fn = fn;
		r->wait[r->n_wait++].arg = farg;
	} else {
		fn(farg, 0);
	}
	return 0;
}
RIG void rig_release(struct rig *r, int status)
{
	unsigned int n = r->n_wait;

	r->n_wait = 0;
	for (unsigned int i = 0; i < n; i++)
		r->wait[i].fn(r->wait[i].arg, status);
}
RIG bool e_busy(void *arg, const char *span, uint32_t t)
{
	return ((struct rig *)arg)->view_busy >> t & 1;
}
RIG const Td__Span *e_row(void *arg, const char *span)
{
	struct rig *r = arg;

	return r->row_there ? &r->row : NULL;
}
RIG int64_t e_now(void *arg)
{
	return rig_us / 1000;
}
RIG void e_timer_stop(void *arg, struct td_timer *t)
{
	struct rig *r = arg;

	for (int i = 0; i < RIG_TIMERS; i++)
		if (r->timer[i].t == t)
			r->timer[i].t = NULL;
}
RIG int e_timer_start(void *arg, struct td_timer *t, uint64_t delay_ms,
		      td_timer_fn fn, void *farg)
{
	struct rig *r = arg;

	e_timer_stop(arg, t);
	for (int i = 0; i < RIG_TIMERS; i++)
		if (!r->timer[i].t) {
			t->fn = fn;
			t->arg = farg;
			r->timer[i].t = t;
			r->timer[i].at_us = rig_us + (int64_t)delay_ms * 1000;
			return 0;
		}
	fail_msg("no timer left");
	return -ENOMEM;
}
RIG int e_watch(void *arg, int fd, td_fd_fn fn, void *farg)
{
	struct rig *r = arg;

	r->fd_fn = fn;
	r->fd_arg = farg;
	return 0;
}
RIG void e_unwatch(void *arg, int fd)
{
	((struct rig *)arg)->fd_fn = NULL;
}

/* ---- call room ---- */

RIG struct room_call *room_new(struct rig *r)
{
	for (int i = 0; i < RIG_CALLS; i++)
		if (!r->room[i].used) {
			r->room[i].used = true;
			return &r->room[i];
		}
	fail_msg("call room is full");
	abort();
}
RIG int up_checkpoint(void *arg, struct td_leg *l)
{
	struct rig *r = arg;
	struct room_call *c = l->call;
	Td__CallLeg ck = TD__CALL_LEG__INIT;

	if (r->checkpoint_rc)
		return r->checkpoint_rc;
	assert_non_null(c);
	l->ops->checkpoint(l, &ck);
	assert_int_equal(ck.kind, TD__LEG_KIND__LEG_ISDN);
	c->checkpoints++;
	if (ck.isdn) {
		c->state = ck.isdn->q931_state;
		c->timeslot = ck.isdn->timeslot;
		c->cref = ck.isdn->cref;
		assert_string_equal(ck.isdn->span, "s1");
		assert_string_equal(ck.unit, "s1");
	}
	return 0;
}
RIG int up_incoming(void *arg, struct td_leg *l, const struct td_setup *s)
{
	struct rig *r = arg;
	struct room_call *c;

	if (r->room_mode == ROOM_FULL)
		return -EAGAIN;
	if (r->room_mode == ROOM_BROKEN)
		return -ENOMEM;
	c = room_new(r);
	c->leg = l;
	l->call = c;
	c->setup = *s;
	strcpy(c->digits, s->called);
	c->complete = s->complete;
	switch (r->room_mode) {
	case ROOM_ANSWER:
		assert_int_equal(l->ops->proceeding(l), 0);
		assert_int_equal(l->ops->alerting(l, NULL), 0);
		assert_int_equal(l->ops->answer(l, NULL), 0);
		break;
	case ROOM_RING:
		assert_int_equal(l->ops->alerting(l, NULL), 0);
		break;
	case ROOM_ACK:
		assert_int_equal(l->ops->more_digits(l), 0);
		break;
	case ROOM_REFUSE:
		l->ops->clear(l, r->room_cause, 0);
		break;
	default:
		break;
	}
	return 0;
}
RIG void up_event(void *arg, struct td_leg *l, const struct td_leg_event *ev)
{
	struct rig *r = arg;
	struct room_call *c = l->call;

	assert_non_null(c);
	assert_false(c->cleared);
	c->events++;
	if (ev->session)
		c->session = *ev->session;
	switch (ev->type) {
	case TD_LEV_DIGITS:
	case TD_LEV_DTMF:
		strcat(c->digits, ev->digits);
		c->complete |= ev->complete;
		break;
	case TD_LEV_PROCEEDING:
		c->proceeding = true;
		break;
	case TD_LEV_PROGRESS:
		c->progress = true;
		c->inband |= ev->inband;
		break;
	case TD_LEV_ALERTING:
		c->alerting = true;
		c->inband |= ev->inband;
		break;
	case TD_LEV_ANSWERED:
		c->answered = true;
		break;
	case TD_LEV_OFFER_REPLY:
		c->offered = true;
		break;
	case TD_LEV_CLEARED:
		c->cleared = true;
		c->cleared_times++;
		c->cause = ev->cause;
		if (!r->keep_legs) {
			l->ops->free(l);
			c->leg = NULL;
		}
		break;
	default:
		fail_msg("unexpected event %d", ev->type);
	}
}

/* An outgoing leg. @param want what setup() must say */
RIG struct room_call *room_dial(struct rig *r, const char *called, int want)
{
	struct room_call *c = room_new(r);
	struct td_leg *l;

	strcpy(c->setup.called, called);
	if (!c->setup.calling[0])
		strcpy(c->setup.calling, "1000");
	c->setup.complete = !r->incomplete;
	c->setup.calling_restricted = r->restricted;
	strcpy(c->setup.lines[0], "s1");
	c->setup.n_lines = 1;
	assert_int_equal(td_isdn_leg_new(r->isdn, &l), 0);
	c->leg = l;
	l->call = c;
	assert_int_equal(l->ops->setup(l, &c->setup), want);
	if (want) {
		l->ops->free(l);
		memset(c, 0, sizeof(*c));
		return NULL;
	}
	return c;
}
RIG void room_clear(struct room_call *c, int cause)
{
	c->leg->ops->clear(c->leg, cause, 0);
}
RIG int room_open(const struct rig *r)
{
	int n = 0;

	for (int i = 0; i < RIG_CALLS; i++)
		n += r->room[i].used && !r->room[i].cleared;
	return n;
}

/* ---- exchange ---- */

RIG int x_read(struct pri *p, void *buf, int len)
{
	struct rig *r = pri_get_userdata(p);
	struct rig_queue *q = &r->to_x;
	struct rig_frame *f = &q->f[q->head % RIG_FRAMES];

	if (q->head == q->tail)
		return 0;
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
		pri_hangup(r->x, e->hangup.call, e->hangup.cause);
		break;
	case PRI_EVENT_HANGUP:
	case PRI_EVENT_HANGUP_ACK:
		if ((c = x_find(r, e->hangup.call))) {
			if (!c->cause)
				c->cause = e->hangup.cause;
			c->gone = true;
		}
		if (e->e == PRI_EVENT_HANGUP)
			pri_hangup(r->x, e->hangup.call, e->hangup.cause);
		break;
	case PRI_EVENT_RESTART:
		r->x_restarts++;
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

/* ---- time goes by ---- */

RIG int x_step(struct rig *r)
{
	pri_event *e;
	struct timeval *t;
	int did = 0;

	while (r->to_x.head != r->to_x.tail) {
		did++;
		if ((e = pri_check_event(r->x)))
			x_event(r, e);
	}
	while ((t = pri_schedule_next(r->x)) &&
	       t->tv_sec * INT64_C(1000000) + t->tv_usec <= rig_us) {
		did++;
		if ((e = pri_schedule_run(r->x)))
			x_event(r, e);
	}
	return did;
}
RIG int timers_step(struct rig *r)
{
	int did = 0;

	for (int i = 0; i < RIG_TIMERS; i++) {
		struct td_timer *t = r->timer[i].t;

		if (!t || r->timer[i].at_us > rig_us)
			continue;
		r->timer[i].t = NULL;
		did++;
		t->fn(t->arg);
	}
	return did;
}
RIG int64_t rig_next(struct rig *r, int64_t end)
{
	struct timeval *t = pri_schedule_next(r->x);
	int64_t at = t ? t->tv_sec * INT64_C(1000000) + t->tv_usec : end;

	for (int i = 0; i < RIG_TIMERS; i++)
		if (r->timer[i].t && r->timer[i].at_us < at)
			at = r->timer[i].at_us;
	return at < end ? at : end;
}
RIG void pump(struct rig *r, int64_t ms)
{
	int64_t end = rig_us + ms * 1000;

	for (;;) {
		int did = x_step(r);

		if (r->to_node.head != r->to_node.tail && r->hdlc) {
			did++;
			r->fd_fn(r->fd_arg, 7, 0);
		}
		did += timers_step(r);
		if (did)
			continue;
		if (rig_us >= end)
			return;
		rig_us = rig_next(r, end);
	}
}

RIG void x_silent(struct pri *p, char *s)
{
}

/* ---- set-up ---- */

RIG void rig_isdn(struct rig *r)
{
	r->env = (struct td_isdn_env){
		.arg = r,
		.node_id = 1,
		.up = { up_incoming, up_event, up_checkpoint, r },
		.port = e_port,
		.event_fd = e_event_fd,
		.event_clear = e_event_clear,
		.hdlc = e_hdlc,
		.recv = e_recv,
		.send = e_send,
		.state = e_state,
		.submit = e_submit,
		.effect = e_effect,
		.busy = e_busy,
		.row = e_row,
		.agreed_ms = e_now,
		.now_ms = e_now,
		.timer_start = e_timer_start,
		.timer_stop = e_timer_stop,
		.watch = e_watch,
		.unwatch = e_unwatch,
	};
	r->conf = (struct td_site_line){
		.name = "s1",
		.port = 1,
		.nodes = { 1, 2 },
		.n_nodes = 2,
		.channels = 0xfffefffe,
		.dchannel = 16,
		.overlap = true,
	};
	r->site = (struct td_site){ .lines = &r->conf, .n_lines = 1 };
	assert_int_equal(td_isdn_new_env(&r->env, &r->isdn), 0);
}

RIG int rig_setup_down(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->to_node.f = calloc(RIG_FRAMES, sizeof(struct rig_frame));
	r->to_x.f = calloc(RIG_FRAMES, sizeof(struct rig_frame));
	r->tx_on = true;
	rig_us += INT64_C(3600) * 1000000;
	rig_isdn(r);
	*state = r;
	return 0;
}
RIG void rig_exchange(struct rig *r, int side)
{
	r->x = pri_new_cb(-1, side, PRI_SWITCH_EUROISDN_E1, x_read, x_write,
			  r);
	rig_no_leak(r->x);
	pri_set_overlapdial(r->x, 1);
	pri_hangup_fix_enable(r->x, 1);
	pri_set_message(x_silent);
	pri_set_error(x_silent);
}
RIG int rig_setup(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	rig_exchange(r, PRI_NETWORK);
	pump(r, 3000);
	assert_true(r->x_up);
	assert_true(r->row.dchannel_up);
	return 0;
}
RIG int rig_teardown(void **state)
{
	struct rig *r = *state;

	td_isdn_free(r->isdn);
	rig_release(r, -ECANCELED);
	free(r->to_node.f);
	free(r->to_x.f);
	free(r);
	return 0;
}

/* Nothing may be left over: in the node, on either side. */
RIG void rig_node_quiet(struct rig *r)
{
	json_t *d, *l;

	pump(r, 60000);
	d = td_isdn_dump(r->isdn);
	l = json_array_get(json_object_get(d, "lines"), 0);
	assert_int_equal(room_open(r), 0);
	assert_int_equal(json_integer_value(json_object_get(
				 l, "libpri_calls")), 0);
	assert_int_equal(json_integer_value(json_object_get(l, "legs")), 0);
	assert_int_equal(json_array_size(json_object_get(l, "busy")), 0);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 30);
	json_decref(d);
	for (int i = 0; i < RIG_CALLS; i++)
		if (r->room[i].used)
			assert_int_equal(r->room[i].cleared_times, 1);
}
RIG void rig_all_quiet(struct rig *r)
{
	rig_node_quiet(r);
	assert_int_equal(x_open(r), 0);
	assert_int_equal(x_lib_calls(r), 0);
}

RIG json_int_t rig_counter(struct rig *r, const char *group, const char *name)
{
	json_t *d = td_isdn_dump(r->isdn);
	json_t *l = json_array_get(json_object_get(d, "lines"), 0);
	json_t *v = json_object_get(json_object_get(l, group), name);
	json_int_t n = json_integer_value(v);

	assert_non_null(v);
	json_decref(d);
	return n;
}

#endif
