// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/calls_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/str.h"

/* Calls that the exchange places. */

enum {
	DIGIT_MS = 50,		/* between two digits of an overlap call */
	CAUSE_NORMAL = 16, CAUSE_NO_ANSWER = 19, CAUSE_NO_CHANNEL = 34,
	RATE_MAX = 1000,
};

static struct td_xorder_run *order_of(struct td_xcalls *x, int id)
{
	for (int i = 0; i < TD_XORDERS; i++)
		if (id && x->order[i].id == id)
			return &x->order[i];
	return NULL;
}

int td_xcalls_order(struct td_xcalls *x, const struct td_xorder *o,
		    td_xorder_fn done, void *arg)
{
	struct td_xorder_run *r = NULL;

	if (!o->to[0] || o->count < 1 || !(o->rate > 0) ||
	    o->rate > RATE_MAX || o->line >= x->conf.n_lines ||
	    strspn(o->to, "0123456789*#") != strlen(o->to) ||
	    strspn(o->to_last, "0123456789") != strlen(o->to_last))
		return -EINVAL;
	if (o->to_last[0] && (strlen(o->to_last) != strlen(o->to) ||
			      strlen(o->to) > 18 ||
			      atoll(o->to_last) < atoll(o->to)))
		return -EINVAL;
	for (int i = 0; i < TD_XORDERS && !r; i++)
		if (!x->order[i].id)
			r = &x->order[i];
	if (!r)
		return -EBUSY;
	memset(r, 0, sizeof(*r));
	r->calls = json_array();
	if (!r->calls)
		return -ENOMEM;
	r->id = ++x->next_order;
	r->o = *o;
	r->done = done;
	r->arg = arg;
	r->next_ms = x->now_ms;
	return r->id;
}

void td_xcalls_abandon(struct td_xcalls *x, int id)
{
	struct td_xorder_run *r = order_of(x, id);

	if (!r)
		return;
	r->done = NULL;
	r->stop = true;
	td_xcalls_hangup(x, id, CAUSE_NORMAL);
}

/* the line that has the most free timeslots; both ends then fill evenly */
static int choose_line(const struct td_xcalls *x, int wanted)
{
	int best = -1, most = 0;

	for (int i = 0; i < x->conf.n_lines; i++) {
		int n = 0;

		if ((wanted >= 0 && wanted != i) || !td_xcalls_ready(x, i))
			continue;
		for (int ts = 1; ts < 32; ts++)
			n += ts != TD_XLINE_DCHAN && !x->line[i].slot[ts];
		if (n > most) {
			most = n;
			best = i;
		}
	}
	return best;
}

static void numbers(const struct td_xorder_run *r, struct td_xcall *c)
{
	if (r->o.to_last[0]) {
		long long a = atoll(r->o.to), n = atoll(r->o.to_last) - a + 1;

		snprintf(c->called, sizeof(c->called), "%0*lld",
			 (int)strlen(r->o.to), a + r->placed % n);
	} else {
		td_str_cut(c->called, sizeof(c->called), r->o.to);
	}
	if (r->o.from[0])
		td_str_cut(c->calling, sizeof(c->calling), r->o.from);
	else
		snprintf(c->calling, sizeof(c->calling), "201%04d",
			 r->placed % 10000);
}

static void place(struct td_xcalls *x, struct td_xorder_run *r)
{
	int line = choose_line(x, r->o.line);
	struct td_xcall *c = td_xcall_new(x, line < 0 ? 0 : line, true);
	struct td_xpri_setup s = {
		.preferred = r->o.preferred, .complete = !r->o.overlap,
	};

	if (!c) {
		r->placed++;
		r->over++;
		return;
	}
	c->order = r->id;
	numbers(r, c);
	r->placed++;
	if (line < 0) {		/* result "blocked": no channel of ours */
		x->line[0].out--;
		c->line = -1;
		td_xcall_over(x, c);
		return;
	}
	td_xcall_seize(x, c, td_xcalls_free_slot(x, line));
	s.timeslot = c->timeslot;
	s.called = r->o.overlap ? "" : c->called;
	s.calling = c->calling;
	if (td_xpri_setup(x->line[line].pri, &s, &c->c)) {
		c->cause = CAUSE_NO_CHANNEL;
		c->by = TD_XBY_US;
		td_xcall_over(x, c);
		return;
	}
	c->state = r->o.overlap ? TD_XCALL_DIGITS : TD_XCALL_SETUP;
	c->deadline_ms = x->now_ms + r->o.patience_ms;
}

static void finish(struct td_xcalls *x, struct td_xorder_run *r)
{
	struct td_xorder_run done = *r;
	json_t *report;

	r->id = 0;
	r->calls = NULL;
	if (done.done) {
		report = td_xreport(x, done.calls);
		done.done(done.arg, done.id, report);
		json_decref(report);
	}
	json_decref(done.calls);
}

void td_xorders_run(struct td_xcalls *x)
{
	for (int i = 0; i < TD_XORDERS; i++) {
		struct td_xorder_run *r = &x->order[i];

		if (!r->id)
			continue;
		while (!r->stop && r->placed < r->o.count &&
		       r->next_ms <= x->now_ms) {
			place(x, r);
			r->next_ms += 1000 / r->o.rate;
		}
		if (r->over == r->placed &&
		    (r->stop || r->placed == r->o.count))
			finish(x, r);
	}
}

int64_t td_xorders_next(const struct td_xcalls *x)
{
	int64_t next = 1000;

	for (int i = 0; i < TD_XORDERS; i++) {
		const struct td_xorder_run *r = &x->order[i];

		if (!r->id || r->stop || r->placed == r->o.count)
			continue;
		if (r->next_ms - x->now_ms < next)
			next = r->next_ms - x->now_ms;
	}
	return next;
}

static void answered(struct td_xcalls *x, struct td_xcall *c,
		     const struct td_xorder_run *r)
{
	c->state = TD_XCALL_ANSWERED;
	c->answer_ms = x->now_ms;
	c->deadline_ms = r && r->o.hold_ms ? x->now_ms + r->o.hold_ms : 0;
	if (r && r->o.pattern)
		td_xcall_pattern(x, c);
}

void td_xorder_event(struct td_xcalls *x, struct td_xcall *c,
		     const struct td_xpri_event *ev)
{
	struct td_xorder_run *r = order_of(x, c->order);

	if (c->state == TD_XCALL_CLEARING)
		return;
	if (ev->timeslot && ev->timeslot != c->timeslot &&
	    ev->timeslot != TD_XLINE_DCHAN &&
	    !x->line[c->line].slot[ev->timeslot])
		td_xcall_seize(x, c, ev->timeslot);
	c->inband |= ev->inband;
	switch (ev->kind) {
	case TD_XPRI_SETUP_ACK:
		if (c->state == TD_XCALL_DIGITS)
			c->deadline_ms = x->now_ms + DIGIT_MS;
		break;
	case TD_XPRI_PROCEEDING:
		if (!c->proceeding_ms)
			c->proceeding_ms = x->now_ms;
		break;
	case TD_XPRI_ALERTING:
		if (!c->alerting_ms)
			c->alerting_ms = x->now_ms;
		if (c->state == TD_XCALL_DIGITS && r)
			c->deadline_ms = x->now_ms + r->o.patience_ms;
		c->state = TD_XCALL_RINGING;
		break;
	case TD_XPRI_CONNECT:
		answered(x, c, r);
		break;
	default:
		break;
	}
}

void td_xorder_due(struct td_xcalls *x, struct td_xcall *c)
{
	struct td_xorder_run *r = order_of(x, c->order);
	char d = c->called[c->digits_sent];

	if (c->state == TD_XCALL_DIGITS && !c->proceeding_ms && d &&
	    x->now_ms - c->start_ms < (r ? r->o.patience_ms : 0)) {
		td_xpri_digit(x->line[c->line].pri, c->c, d);
		c->digits_sent++;
		c->deadline_ms = c->called[c->digits_sent] ?
			x->now_ms + DIGIT_MS :
			c->start_ms + r->o.patience_ms;
		return;
	}
	td_xcall_clear(x, c, c->state == TD_XCALL_ANSWERED ? CAUSE_NORMAL :
							      CAUSE_NO_ANSWER);
}

void td_xorder_over(struct td_xcalls *x, struct td_xcall *c, json_t *report)
{
	struct td_xorder_run *r = order_of(x, c->order);

	if (!r)
		return;
	json_array_append(r->calls, report);
	r->over++;
}
