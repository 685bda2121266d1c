// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/calls_private.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/str.h"

/* The exchange's own numbers: what happens to a call from the user side. */

enum {
	ANSWER_MS = 100,	/* of ringing, before most numbers answer */
	HANGUP_MS = 5000,
	T302_MS = 15000,	/* Q.931 9.1: for the next digit */
	CAUSE_UNALLOCATED = 1, CAUSE_NORMAL = 16, CAUSE_BUSY = 17,
	CAUSE_INCOMPLETE = 28, CAUSE_NO_CHANNEL = 34, CAUSE_CHANNEL = 44,
};

static struct td_xchan *chan_of(struct td_xcalls *x, const struct td_xcall *c)
{
	return &x->conf.line[c->line]->chan[c->timeslot];
}

static void ring(struct td_xcalls *x, struct td_xcall *c)
{
	c->state = TD_XCALL_RINGING;
	c->alerting_ms = x->now_ms;
	td_xcalls_lock(x);
	td_xchan_tone(chan_of(x, c), x->ringback);
	td_xcalls_unlock(x);
	td_xpri_alerting(x->line[c->line].pri, c->c, c->timeslot);
	if (c->number->service != TD_XSVC_RING)
		c->deadline_ms = x->now_ms + ANSWER_MS;
}

static void answer(struct td_xcalls *x, struct td_xcall *c)
{
	struct td_xchan *ch = chan_of(x, c);

	c->state = TD_XCALL_ANSWERED;
	c->answer_ms = x->now_ms;
	td_xpri_connect(x->line[c->line].pri, c->c, c->timeslot);
	if (c->number->service == TD_XSVC_PATTERN) {
		td_xcall_pattern(x, c);
		return;
	}
	td_xcalls_lock(x);
	switch (c->number->service) {
	case TD_XSVC_ECHO:
		td_xchan_echo(ch);
		break;
	case TD_XSVC_TONE:
		td_xchan_tone(ch, x->tone);
		break;
	case TD_XSVC_FAX:
		td_xchan_tone(ch, x->fax);
		break;
	case TD_XSVC_DTMF:
		td_xchan_dtmf(ch);
		break;
	default:
		td_xchan_idle(ch);
	}
	td_xcalls_unlock(x);
	if (c->number->service == TD_XSVC_HANGUP)
		c->deadline_ms = x->now_ms + HANGUP_MS;
}

/* the number is complete */
static void serve(struct td_xcalls *x, struct td_xcall *c)
{
	bool asked = c->state == TD_XCALL_DIGITS;

	c->deadline_ms = 0;
	c->number = td_xnumber_find(c->called);
	if (c->number->service == TD_XSVC_NONE && asked) {
		td_xcall_clear(x, c, CAUSE_UNALLOCATED);
		return;
	}
	if (c->number->service == TD_XSVC_NONE) {
		td_xpri_refuse(x->line[c->line].pri, c->c, CAUSE_UNALLOCATED);
		c->cause = CAUSE_UNALLOCATED;
		c->by = TD_XBY_US;
		td_xcall_over(x, c);
		return;
	}
	td_xpri_proceeding(x->line[c->line].pri, c->c, c->timeslot);
	c->proceeding_ms = x->now_ms;
	if (c->number->service == TD_XSVC_BUSY)
		td_xcall_clear(x, c, CAUSE_BUSY);
	else
		ring(x, c);
}

static void take_digits(struct td_xcalls *x, struct td_xcall *c, bool complete)
{
	if (complete || !td_xnumber_partial(c->called)) {
		serve(x, c);
		return;
	}
	if (c->state != TD_XCALL_DIGITS)
		td_xpri_more(x->line[c->line].pri, c->c, c->timeslot);
	c->state = TD_XCALL_DIGITS;
	c->deadline_ms = x->now_ms + T302_MS;
}

/* Q.931 5.2.3.1, 5.7: the timeslot that was asked for, or another */
static int choose_slot(struct td_xcalls *x, int line,
		       const struct td_xpri_event *ev, int *cause)
{
	struct td_xcalls_line *l = &x->line[line];
	int ts = ev->timeslot;

	if (ts && ts != TD_XLINE_DCHAN && !l->slot[ts])
		return ts;
	if (ts)
		l->glares++;
	if (ts && !ev->flexible) {
		*cause = CAUSE_CHANNEL;
		return 0;
	}
	*cause = CAUSE_NO_CHANNEL;
	return td_xcalls_free_slot(x, line);
}

void td_xanswer_setup(struct td_xcalls *x, int line,
		      const struct td_xpri_event *ev)
{
	struct td_xcall *c = td_xcall_new(x, line, false);
	int cause = CAUSE_NO_CHANNEL;
	int ts = c ? choose_slot(x, line, ev, &cause) : 0;

	if (!c) {
		td_xpri_refuse(x->line[line].pri, ev->call, cause);
		return;
	}
	c->c = ev->call;
	c->number = td_xnumber_find("");
	td_str_cut(c->called, sizeof(c->called), ev->called);
	td_str_cut(c->calling, sizeof(c->calling), ev->calling);
	if (!ts) {
		td_xpri_refuse(x->line[line].pri, ev->call, cause);
		c->cause = cause;
		c->by = TD_XBY_US;
		td_xcall_over(x, c);
		return;
	}
	td_xcall_seize(x, c, ts);
	take_digits(x, c, ev->complete);
}

void td_xanswer_digits(struct td_xcalls *x, struct td_xcall *c,
		       const struct td_xpri_event *ev)
{
	size_t n = strlen(c->called);

	if (c->state != TD_XCALL_DIGITS)
		return;
	snprintf(c->called + n, sizeof(c->called) - n, "%s", ev->called);
	take_digits(x, c, ev->complete);
}

void td_xanswer_due(struct td_xcalls *x, struct td_xcall *c)
{
	switch (c->state) {
	case TD_XCALL_DIGITS:
		td_xcall_clear(x, c, CAUSE_INCOMPLETE);
		break;
	case TD_XCALL_RINGING:
		answer(x, c);
		break;
	case TD_XCALL_ANSWERED:
		td_xcall_clear(x, c, CAUSE_NORMAL);
		break;
	default:
		break;
	}
}
