// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/calls_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/str.h"

enum { IDLE_MS = 1000, CAUSE_TEMPORARY = 41 };

void td_xcalls_lock(struct td_xcalls *x)
{
	if (x->conf.lock)
		x->conf.lock(x->conf.arg);
}

void td_xcalls_unlock(struct td_xcalls *x)
{
	if (x->conf.unlock)
		x->conf.unlock(x->conf.arg);
}

static struct td_xchan *chan_of(struct td_xcalls *x, const struct td_xcall *c)
{
	return &x->conf.line[c->line]->chan[c->timeslot];
}

struct td_xcall *td_xcall_new(struct td_xcalls *x, int line, bool out)
{
	for (int i = 0; i < TD_XCALLS_MAX; i++) {
		struct td_xcall *c = &x->call[i];

		if (c->state != TD_XCALL_FREE)
			continue;
		memset(c, 0, sizeof(*c));
		c->state = TD_XCALL_SETUP;
		c->id = ++x->next_id;
		c->line = line;
		c->out = out;
		c->start_ms = x->now_ms;
		if (out)
			x->line[line].out++;
		else
			x->line[line].in++;
		return c;
	}
	return NULL;
}

void td_xcall_seize(struct td_xcalls *x, struct td_xcall *c, int timeslot)
{
	struct td_xcalls_line *l = &x->line[c->line];

	if (c->timeslot == timeslot)
		return;
	td_xcalls_lock(x);
	if (c->timeslot) {
		td_xchan_close(chan_of(x, c));
		l->slot[c->timeslot] = NULL;
	}
	c->timeslot = timeslot;
	if (timeslot) {
		l->slot[timeslot] = c;
		td_xchan_idle(chan_of(x, c));
		chan_of(x, c)->check = c->check;
	}
	td_xcalls_unlock(x);
}

static void log_call(struct td_xcalls *x, json_t *report)
{
	if (json_array_size(x->log) >= TD_XCALLS_LOG) {
		json_array_remove(x->log, 0);
		x->log_dropped++;
	}
	json_array_append(x->log, report);
}

void td_xcall_over(struct td_xcalls *x, struct td_xcall *c)
{
	json_t *report;

	/* first the channel: from here on nobody else touches the check */
	if (c->timeslot) {
		td_xcalls_lock(x);
		td_xchan_close(chan_of(x, c));
		td_xcalls_unlock(x);
		x->line[c->line].slot[c->timeslot] = NULL;
	}
	if (c->check)
		td_check_end(c->check);
	if (!c->clear_ms)
		c->clear_ms = x->now_ms;
	report = td_xcall_json(x, c);
	td_debug("exchange", "call=%lld over cause=%d", (long long)c->id,
		 c->cause);
	log_call(x, report);
	if (c->out)
		td_xorder_over(x, c, report);
	json_decref(report);
	free(c->check);
	c->check = NULL;
	c->state = TD_XCALL_FREE;
}

void td_xcall_clear(struct td_xcalls *x, struct td_xcall *c, int cause)
{
	if (c->state == TD_XCALL_CLEARING || c->state == TD_XCALL_FREE)
		return;
	c->state = TD_XCALL_CLEARING;
	c->cause = cause;
	c->by = TD_XBY_US;
	c->clear_ms = x->now_ms;
	c->deadline_ms = 0;
	/* what is heard from here on is nobody's fault; what is sent goes on,
	 * since the other end still listens until it is told */
	if (c->timeslot) {
		td_xcalls_lock(x);
		chan_of(x, c)->check = NULL;
		td_xcalls_unlock(x);
	}
	td_xpri_clear(x->line[c->line].pri, c->c, cause);
}

void td_xcall_pattern(struct td_xcalls *x, struct td_xcall *c)
{
	struct td_xline *l = x->conf.line[c->line];
	int phase = x->next_phase++ % (TD_PHASES / 2);
	int64_t t_ns;

	c->check = malloc(sizeof(*c->check));
	if (!c->check)
		return;
	td_xcalls_lock(x);
	t_ns = (int64_t)l->turn * 1000000;
	td_check_init(c->check, x->map, t_ns);
	td_xchan_pattern(chan_of(x, c),
			 td_prbs_at(x->map, td_check_phase(t_ns, phase)));
	chan_of(x, c)->check = c->check;
	td_xcalls_unlock(x);
}

int td_xcalls_free_slot(const struct td_xcalls *x, int line)
{
	for (int ts = 1; ts < 32; ts++)
		if (ts != TD_XLINE_DCHAN && !x->line[line].slot[ts])
			return ts;
	return 0;
}

bool td_xcalls_ready(const struct td_xcalls *x, int line)
{
	return x->line[line].up &&
	       x->now_ms - x->line[line].up_ms >= TD_XCALLS_SETTLE_MS;
}

static struct td_xcall *call_of(struct td_xcalls *x, int line, q931_call *q)
{
	for (int i = 0; i < TD_XCALLS_MAX; i++)
		if (x->call[i].state != TD_XCALL_FREE &&
		    x->call[i].line == line && x->call[i].c == q)
			return &x->call[i];
	return NULL;
}

/* RESTART from the user side, or ours acknowledged: the call is no more */
static void restart(struct td_xcalls *x, struct td_xcalls_line *l,
		    int timeslot)
{
	for (int ts = 1; ts < 32; ts++) {
		struct td_xcall *c = l->slot[ts];

		if (!c || (timeslot && ts != timeslot))
			continue;
		td_xpri_forget(l->pri, c->c);
		c->restarted = true;
		if (!c->cause)
			c->cause = CAUSE_TEMPORARY;
		td_xcall_over(x, c);
	}
}

static void link_event(struct td_xcalls *x, struct td_xcalls_line *l,
		       const struct td_xpri_event *ev)
{
	bool up = ev->kind == TD_XPRI_UP;

	td_info("exchange", "span=%s dchannel=%s",
		x->conf.line[l->i]->name, up ? "up" : "down");
	if (up && !l->up) {
		l->up_ms = x->now_ms;
		l->ups++;
	} else if (!up && l->up) {
		l->downs++;
	}
	l->up = up;
}

static void peer_cleared(struct td_xcalls *x, struct td_xcall *c,
			 const struct td_xpri_event *ev)
{
	if (c->state != TD_XCALL_CLEARING) {
		c->state = TD_XCALL_CLEARING;
		c->by = TD_XBY_PEER;
		c->cause = ev->cause;
		c->clear_ms = x->now_ms;
		c->deadline_ms = 0;
		if (c->timeslot) {
			td_xcalls_lock(x);
			chan_of(x, c)->check = NULL;
			td_xcalls_unlock(x);
		}
	}
	if (ev->kind == TD_XPRI_RELEASED)
		td_xcall_over(x, c);
}

static void on_event(void *arg, const struct td_xpri_event *ev)
{
	struct td_xcalls_line *l = arg;
	struct td_xcalls *x = l->x;
	struct td_xcall *c;

	switch (ev->kind) {
	case TD_XPRI_UP:
	case TD_XPRI_DOWN:
		return link_event(x, l, ev);
	case TD_XPRI_RESTART:
		l->restarts++;
		return restart(x, l, ev->timeslot);
	case TD_XPRI_RESTART_ACK:
		return;
	case TD_XPRI_SETUP:
		return td_xanswer_setup(x, l->i, ev);
	default:
		break;
	}
	c = call_of(x, l->i, ev->call);
	if (!c)
		return;
	if (ev->kind == TD_XPRI_DISCONNECT || ev->kind == TD_XPRI_RELEASED)
		peer_cleared(x, c, ev);
	else if (c->out)
		td_xorder_event(x, c, ev);
	else if (ev->kind == TD_XPRI_DIGITS)
		td_xanswer_digits(x, c, ev);
}

static void on_send(void *arg, const uint8_t *o, size_t n)
{
	struct td_xcalls_line *l = arg;

	td_xcalls_lock(l->x);
	td_xline_send(l->x->conf.line[l->i], o, n);
	td_xcalls_unlock(l->x);
}

int td_xcalls_new(const struct td_xcalls_conf *conf, struct td_xcalls **out)
{
	struct td_xcalls *x = calloc(1, sizeof(*x));
	int rc;

	if (!x)
		return -ENOMEM;
	x->conf = *conf;
	x->log = json_array();
	rc = x->log ? td_prbs_map_new(&x->map) : -ENOMEM;
	if (!rc)
		rc = td_xtone_new(1004, -10, 0, 0, 0, &x->tone);
	if (!rc)
		rc = td_xtone_new(425, -10, 1000, 4000, 0, &x->ringback);
	/* CED of T.30 5.3.1: 2100 Hz, 2.6 to 4 s, after 1.8 to 2.5 s */
	if (!rc)
		rc = td_xtone_new(2100, -12, 3000, 60000, 2000, &x->fax);
	for (int i = 0; !rc && i < conf->n_lines; i++) {
		x->line[i].x = x;
		x->line[i].i = i;
		rc = td_xpri_new(on_send, on_event, &x->line[i],
				 &x->line[i].pri);
	}
	if (rc) {
		td_xcalls_free(x);
		return rc;
	}
	*out = x;
	return 0;
}

void td_xcalls_free(struct td_xcalls *x)
{
	if (!x)
		return;
	for (int i = 0; i < TD_XCALLS_MAX; i++) {
		struct td_xcall *c = &x->call[i];

		if (c->state != TD_XCALL_FREE && c->timeslot) {
			td_xcalls_lock(x);
			td_xchan_close(chan_of(x, c));
			td_xcalls_unlock(x);
		}
		free(c->check);
	}
	for (int i = 0; i < TD_XORDERS; i++)
		json_decref(x->order[i].calls);
	for (int i = 0; i < TD_XCALLS_LINES; i++)
		td_xpri_free(x->line[i].pri);
	td_xtone_free(x->tone);
	td_xtone_free(x->ringback);
	td_xtone_free(x->fax);
	td_prbs_map_free(x->map);
	json_decref(x->log);
	free(x);
}

static void take_frames(struct td_xcalls *x, int i)
{
	uint8_t o[TD_XHDLC_FRAME];
	size_t n;

	for (int k = 0; k < TD_XLINE_FRAMES; k++) {
		td_xcalls_lock(x);
		n = td_xline_frame(x->conf.line[i], o);
		td_xcalls_unlock(x);
		if (!n)
			return;
		td_xpri_input(x->line[i].pri, o, n);
	}
}

int td_xcalls_run(struct td_xcalls *x, int64_t now_ms)
{
	int64_t next = IDLE_MS, n;

	x->now_ms = now_ms;
	if (!x->start_ms)
		x->start_ms = now_ms;
	for (int i = 0; i < x->conf.n_lines; i++) {
		take_frames(x, i);
		n = td_xpri_run(x->line[i].pri);
		next = n < next ? n : next;
	}
	for (int i = 0; i < TD_XCALLS_MAX; i++) {
		struct td_xcall *c = &x->call[i];

		if (c->state == TD_XCALL_FREE || !c->deadline_ms)
			continue;
		if (c->deadline_ms <= now_ms) {
			c->deadline_ms = 0;
			if (c->out)
				td_xorder_due(x, c);
			else
				td_xanswer_due(x, c);
		}
		n = c->deadline_ms - now_ms;
		if (c->state != TD_XCALL_FREE && c->deadline_ms && n < next)
			next = n;
	}
	td_xorders_run(x);
	n = td_xorders_next(x);
	next = n < next ? n : next;
	return next > 0 ? (int)next : 0;
}

int td_xcalls_hangup(struct td_xcalls *x, int order, int cause)
{
	int n = 0;

	for (int i = 0; i < TD_XCALLS_MAX; i++) {
		struct td_xcall *c = &x->call[i];

		if (c->state == TD_XCALL_FREE ||
		    c->state == TD_XCALL_CLEARING ||
		    (order && c->order != order))
			continue;
		td_xcall_clear(x, c, cause);
		n++;
	}
	return n;
}

int td_xcalls_restart(struct td_xcalls *x, int line, int timeslot)
{
	if (line < 0 || line >= x->conf.n_lines || timeslot < 1 ||
	    timeslot > 31 || timeslot == TD_XLINE_DCHAN)
		return -EINVAL;
	if (!x->line[line].up)
		return -ENOTCONN;
	restart(x, &x->line[line], timeslot);
	return td_xpri_restart(x->line[line].pri, timeslot);
}
