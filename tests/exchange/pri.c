// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/pri.h"

#include <errno.h>
#include <libpri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "proto/base/log.h"
#include "proto/base/str.h"
#include "tests/instr/xhdlc.h"

enum { FCS = 2, ASK_AGAIN_MS = 1000 };

struct td_xpri {
	struct pri *pri;
	td_xpri_send_fn send;
	td_xpri_event_fn event;
	void *arg;
	uint8_t in[TD_XHDLC_FRAME + FCS];
	size_t n_in;
};

/* LeakSanitizer: libpri has no public way to free a struct pri */
extern void __lsan_ignore_object(const void *p) __attribute__((weak));

static void on_message(struct pri *pri, char *s)
{
	td_debug("libpri", "%s", s);
}

static void on_error(struct pri *pri, char *s)
{
	td_info("libpri", "%s", s);
}

static int read_frame(struct pri *pri, void *buf, int len)
{
	struct td_xpri *p = pri_get_userdata(pri);
	int n = p->n_in;

	if (!n || n + FCS > len)
		return 0;
	memcpy(buf, p->in, n);
	memset((uint8_t *)buf + n, 0, FCS);
	p->n_in = 0;
	return n + FCS;
}

static int write_frame(struct pri *pri, void *buf, int len)
{
	struct td_xpri *p = pri_get_userdata(pri);

	if (len > FCS)
		p->send(p->arg, buf, len - FCS);
	return len;
}

int td_xpri_new(td_xpri_send_fn send, td_xpri_event_fn event, void *arg,
		struct td_xpri **out)
{
	struct td_xpri *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->send = send;
	p->event = event;
	p->arg = arg;
	pri_set_message(on_message);
	pri_set_error(on_error);
	p->pri = pri_new_cb(-1, PRI_NETWORK, PRI_SWITCH_EUROISDN_E1,
			    read_frame, write_frame, p);
	if (!p->pri) {
		free(p);
		return -ENOMEM;
	}
	pri_hangup_fix_enable(p->pri, 1);
	pri_set_overlapdial(p->pri, 1);
	pri_set_debug(p->pri, 0);
	*out = p;
	return 0;
}

void td_xpri_free(struct td_xpri *p)
{
	if (!p)
		return;
	if (__lsan_ignore_object)
		__lsan_ignore_object(p->pri);
	free(p);
}

static int slot_of(int channel)
{
	int ts = channel & 0xff;

	return channel == -1 || ts > 31 ? 0 : ts;
}

/* SETUP and the others that carry more than a call */
static void fill_setup(const pri_event_ring *r, struct td_xpri_event *e)
{
	e->kind = TD_XPRI_SETUP;
	e->call = r->call;
	e->timeslot = slot_of(r->channel);
	e->flexible = r->flexible;
	e->complete = r->complete;
	td_str_cut(e->called, sizeof(e->called), r->callednum);
	td_str_cut(e->calling, sizeof(e->calling), r->callingnum);
}

static void fill_progress(const pri_event_proceeding *pr,
			  enum td_xpri_kind kind, struct td_xpri_event *e)
{
	e->kind = kind;
	e->call = pr->call;
	e->timeslot = slot_of(pr->channel);
	e->inband = pr->progressmask & PRI_PROG_INBAND_AVAILABLE;
}

static void hand_up(struct td_xpri *p, enum td_xpri_kind kind, q931_call *c,
		    int channel)
{
	struct td_xpri_event e = {
		.kind = kind, .call = c, .timeslot = slot_of(channel),
	};

	p->event(p->arg, &e);
}

static void on_hangup(struct td_xpri *p, const pri_event_hangup *h,
		      enum td_xpri_kind kind)
{
	struct td_xpri_event e = {
		.kind = kind, .call = h->call, .cause = h->cause,
		.timeslot = slot_of(h->channel),
	};

	bool gone = h->e == PRI_EVENT_HANGUP_ACK;	/* freed already */

	p->event(p->arg, &e);
	/* answers DISCONNECT by RELEASE, RELEASE by RELEASE COMPLETE */
	if (!gone)
		pri_hangup(p->pri, e.call, e.cause);
}

static void on_event(struct td_xpri *p, pri_event *ev)
{
	struct td_xpri_event e = { 0 };

	switch (ev->e) {
	case PRI_EVENT_DCHAN_UP:
		return hand_up(p, TD_XPRI_UP, NULL, 0);
	case PRI_EVENT_DCHAN_DOWN:
		return hand_up(p, TD_XPRI_DOWN, NULL, 0);
	case PRI_EVENT_RESTART:
		return hand_up(p, TD_XPRI_RESTART, NULL, ev->restart.channel);
	case PRI_EVENT_RESTART_ACK:
		return hand_up(p, TD_XPRI_RESTART_ACK, NULL,
			       ev->restartack.channel);
	case PRI_EVENT_SETUP_ACK:
		return hand_up(p, TD_XPRI_SETUP_ACK, ev->setup_ack.call,
			       ev->setup_ack.channel);
	case PRI_EVENT_CONNECT_ACK:
		return hand_up(p, TD_XPRI_CONNECT_ACK, ev->connect_ack.call,
			       ev->connect_ack.channel);
	case PRI_EVENT_ANSWER:
		return hand_up(p, TD_XPRI_CONNECT, ev->answer.call,
			       ev->answer.channel);
	case PRI_EVENT_HANGUP_REQ:
		return on_hangup(p, &ev->hangup, TD_XPRI_DISCONNECT);
	case PRI_EVENT_HANGUP:
	case PRI_EVENT_HANGUP_ACK:
		return on_hangup(p, &ev->hangup, TD_XPRI_RELEASED);
	case PRI_EVENT_RING:
		fill_setup(&ev->ring, &e);
		break;
	case PRI_EVENT_INFO_RECEIVED:
		e.kind = TD_XPRI_DIGITS;
		e.call = ev->ring.call;
		e.complete = ev->ring.complete;
		td_str_cut(e.called, sizeof(e.called), ev->ring.callednum);
		break;
	case PRI_EVENT_PROCEEDING:
		fill_progress(&ev->proceeding, TD_XPRI_PROCEEDING, &e);
		break;
	case PRI_EVENT_PROGRESS:
		fill_progress(&ev->proceeding, TD_XPRI_PROGRESS, &e);
		break;
	case PRI_EVENT_RINGING:
		e.kind = TD_XPRI_ALERTING;
		e.call = ev->ringing.call;
		e.timeslot = slot_of(ev->ringing.channel);
		e.inband = ev->ringing.progressmask & PRI_PROG_INBAND_AVAILABLE;
		break;
	default:
		return;
	}
	p->event(p->arg, &e);
}

void td_xpri_input(struct td_xpri *p, const uint8_t *o, size_t n)
{
	pri_event *ev;

	if (n > TD_XHDLC_FRAME)
		return;
	memcpy(p->in, o, n);
	p->n_in = n;
	ev = pri_check_event(p->pri);
	if (ev)
		on_event(p, ev);
}

int td_xpri_run(struct td_xpri *p)
{
	/* a timer that starts another at once must not hold us for ever */
	for (int i = 0; i < 100; i++) {
		struct timeval *t = pri_schedule_next(p->pri), now;
		long long ms;
		pri_event *ev;

		if (!t)
			return ASK_AGAIN_MS;
		gettimeofday(&now, NULL);
		ms = (t->tv_sec - now.tv_sec) * 1000LL +
		     (t->tv_usec - now.tv_usec + 999) / 1000;
		if (ms > 0)
			return ms < ASK_AGAIN_MS ? (int)ms : ASK_AGAIN_MS;
		ev = pri_schedule_run(p->pri);
		if (ev)
			on_event(p, ev);
	}
	return 1;
}

int td_xpri_setup(struct td_xpri *p, const struct td_xpri_setup *s,
		  q931_call **out)
{
	q931_call *c = pri_new_call(p->pri);
	struct pri_sr *sr = c ? pri_sr_new() : NULL;
	char called[64], calling[64];
	int rc;

	if (!sr) {
		if (c)
			pri_destroycall(p->pri, c);
		return -EIO;
	}
	td_str_cut(called, sizeof(called), s->called);
	td_str_cut(calling, sizeof(calling), s->calling);
	pri_sr_set_channel(sr, s->timeslot, !s->preferred, 0);
	pri_sr_set_bearer(sr, PRI_TRANS_CAP_SPEECH, PRI_LAYER_1_ALAW);
	pri_sr_set_called(sr, called, PRI_LOCAL_ISDN, s->complete);
	pri_sr_set_caller(sr, calling, NULL, PRI_LOCAL_ISDN,
			  PRES_ALLOWED_NETWORK_NUMBER);
	rc = pri_setup(p->pri, c, sr);
	pri_sr_free(sr);
	if (rc) {
		pri_destroycall(p->pri, c);
		return -EIO;
	}
	*out = c;
	return 0;
}

void td_xpri_more(struct td_xpri *p, q931_call *c, int timeslot)
{
	pri_setup_ack(p->pri, c, timeslot, 0, 0);
}

void td_xpri_digit(struct td_xpri *p, q931_call *c, char digit)
{
	pri_information(p->pri, c, digit);
}

void td_xpri_proceeding(struct td_xpri *p, q931_call *c, int timeslot)
{
	pri_proceeding(p->pri, c, timeslot, 0);
}

void td_xpri_alerting(struct td_xpri *p, q931_call *c, int timeslot)
{
	pri_acknowledge(p->pri, c, timeslot, 1);
}

void td_xpri_connect(struct td_xpri *p, q931_call *c, int timeslot)
{
	pri_answer(p->pri, c, timeslot, 0);
}

void td_xpri_clear(struct td_xpri *p, q931_call *c, int cause)
{
	pri_hangup(p->pri, c, cause);
}

void td_xpri_refuse(struct td_xpri *p, q931_call *c, int cause)
{
	pri_hangup(p->pri, c, cause);
}

void td_xpri_forget(struct td_xpri *p, q931_call *c)
{
	pri_destroycall(p->pri, c);
}

int td_xpri_restart(struct td_xpri *p, int timeslot)
{
	return pri_reset(p->pri, timeslot) ? -EIO : 0;
}

int td_xpri_calls(struct td_xpri *p)
{
	char *s = pri_dump_info_str(p->pri), *at;
	int n = -1;

	at = s ? strstr(s, "Total active-calls:") : NULL;
	if (at)
		n = atoi(at + strlen("Total active-calls:"));
	free(s);
	return n;
}
