/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_ISDN_WORLD_H
#define TD_TEST_ISDN_WORLD_H

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
	/* as checkpointed; ck's strings are the three below */
	uint32_t state, timeslot, cref;
	Td__IsdnCall ck;
	char ck_called[64], ck_calling[64], ck_pending[64];
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
	/* looks at each frame that leaves the node, or NULL */
	void (*judge)(struct rig *r, const uint8_t *f, size_t n);
	bool strict;		/* one message a turn: states are equal */
	int judged;
	uint32_t judged_types;	/* bit: see rig_judge.h */
	unsigned int next_ns;	/* of the next new I-frame */
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
	int retired;
	bool taken;		/* another node had the line meanwhile */
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
	uint32_t x_restarted;	/* these channels */
	bool x_deaf;		/* to clearing */
	bool x_mute;		/* RESTARTs are lost on their way */
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
	if (r->judge)
		r->judge(r, buf, n);
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
	if (op->what_case == TD__OP__WHAT_SPAN_DEL) {
		assert_int_equal(op->span_del->node, 1);
		assert_string_equal(op->span_del->span, r->row_span);
		r->row_there = false;
		return 0;
	}
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
RIG const Td__Span *e_next_row(void *arg, size_t *pos)
{
	struct rig *r = arg;

	return r->row_there && !(*pos)++ ? &r->row : NULL;
}
RIG void e_retired(void *arg)
{
	((struct rig *)arg)->retired++;
}
RIG bool e_taken(void *arg, const char *span, uint64_t epoch)
{
	return ((struct rig *)arg)->taken;
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

#endif
