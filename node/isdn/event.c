// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "node/isdn/room.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* What libpri reports, turned into what happens to legs. Inside a turn. */

static struct td_isdn_leg *find(const struct td_isdn_line *line,
				const void *call)
{
	for (struct td_isdn_leg *leg = line->legs; leg; leg = leg->next)
		if (call && leg->call == call)
			return leg;
	return NULL;
}

/* ---- incoming SETUP ---- */

static int choose(struct td_isdn_line *line, const struct td_pri_event *ev,
		  struct td_isdn_channel *out)
{
	struct td_isdn_channel_ask ask = {
		.network = line->conf.side == TD_SIDE_NETWORK,
		.configured = line->conf.channels,
		.channel = ev->channel,
		.exclusive = ev->exclusive,
		.busy = td_line_shut(line, ev->channel),
	};

	for (uint32_t t = 1; t < TD_LINE_SLOTS; t++) {
		const struct td_isdn_leg *leg = line->slot[t];

		if (leg && leg->ours && !leg->confirmed && !leg->clearing)
			ask.offered |= 1u << t;
		else if (leg)
			ask.busy |= 1u << t;
	}
	return td_isdn_channel_incoming(&ask, out);
}

static void refuse(struct td_isdn_line *line, struct td_isdn_leg *leg,
		   int cause)
{
	line->st.refused_in++;
	leg->owned = false;
	td_isdn_leg_hangup(leg, cause);
}

static void fill_setup(const struct td_isdn_leg *leg,
		       const struct td_pri_event *ev, struct td_setup *s)
{
	memset(s, 0, sizeof(*s));
	td_str_cut(s->called, sizeof(s->called), leg->called);
	td_str_cut(s->calling, sizeof(s->calling), leg->calling);
	td_str_cut(s->calling_name, sizeof(s->calling_name), ev->name);
	td_str_trim_utf8(s->calling_name);
	s->calling_restricted = ev->calling.restricted;
	s->complete = ev->complete;
	td_str_cut(s->span, sizeof(s->span), leg->span);
	td_isdn_leg_session(leg, &s->session);
}

static void on_setup(struct td_isdn_line *line, const struct td_pri_event *ev)
{
	struct td_isdn *isdn = line->isdn;
	struct td_isdn_channel ch;
	struct td_isdn_leg *leg;
	struct td_setup s;
	int rc, cause;

	line->st.calls_in++;
	if (line->n_legs >= TD_LINE_MAX_LEGS ||
	    td_isdn_leg_alloc(isdn, &leg)) {
		line->st.refused_in++;
		td_pri_hangup(line->pri, ev->call, TD_CAUSE_NO_CHANNEL);
		return;
	}
	td_isdn_leg_attach(leg, line);
	leg->call = ev->call;
	leg->cref = td_pri_cref(line->pri, ev->call);
	leg->fresh = leg->told = true;
	leg->iface = ev->iface;
	leg->state = Q931_CALL_PRESENT;
	leg->bearer = ev->bearer;
	leg->layer1 = ev->layer1;
	leg->complete = ev->complete;
	leg->confirmed = true;	/* an answer names the channel, 5.2.3 */
	td_isdn_leg_numbers(leg, &ev->called, &ev->calling);
	td_isdn_number_join(&ev->called, leg->called, sizeof(leg->called));
	td_isdn_number_join(&ev->calling, leg->calling, sizeof(leg->calling));
	cause = line->leaving ? TD_CAUSE_NO_CHANNEL :
		!ev->speech ? TD_CAUSE_INCOMPATIBLE : choose(line, ev, &ch);
	if (cause) {
		refuse(line, leg, cause);
		return;
	}
	if (ch.yield) {
		line->st.glare++;
		td_isdn_leg_take(line->slot[ch.channel], 0);
	}
	td_isdn_leg_take(leg, ch.channel);
	fill_setup(leg, ev, &s);
	leg->owned = true;
	leg->busy++;
	rc = isdn->env.up.incoming(isdn->env.up.arg, &leg->l, &s);
	leg->busy--;
	if (rc) {
		refuse(line, leg, rc == -EAGAIN ? TD_CAUSE_CONGESTION :
						  TD_CAUSE_TEMPORARY);
		return;
	}
	/* libpri loses a call that is cleared before anything was sent for
	 * it, so a SETUP never leaves its turn without an answer */
	if (leg->fresh && ev->complete)
		leg->l.ops->proceeding(&leg->l);
	else if (leg->fresh)
		leg->l.ops->more_digits(&leg->l);
	td_isdn_leg_free(leg);	/* when it was given back already */
}

static void on_digits(struct td_isdn_leg *leg, const struct td_pri_event *ev)
{
	struct td_leg_event out = { .type = TD_LEV_DIGITS,
				    .complete = ev->complete };

	if (leg->state == Q931_ACTIVE && ev->type == TD_PRI_KEYPAD)
		out.type = TD_LEV_DTMF;
	else if (leg->state != Q931_OVERLAP_RECEIVING)
		return;
	td_str_cut(out.digits, sizeof(out.digits), ev->called.digits);
	if (out.type == TD_LEV_DIGITS) {
		size_t n = strlen(leg->called);

		leg->complete |= ev->complete;
		td_str_cut(leg->called + n, sizeof(leg->called) - n,
			   out.digits);
		leg->dirty = true;
		td_isdn_leg_timer(leg, TD_T302);
	}
	td_isdn_leg_raise(leg, &out);
}

/* ---- answers to our SETUP ---- */

static void raise_with_session(struct td_isdn_leg *leg,
			       enum td_leg_event_type type, bool inband,
			       int cause)
{
	struct td_session s;

	td_isdn_leg_session(leg, &s);
	td_isdn_leg_raise(leg, &(struct td_leg_event){ .type = type,
						       .cause = cause,
						       .inband = inband,
						       .session = &s });
}

static void on_setup_ack(struct td_isdn_line *line, struct td_isdn_leg *leg,
			 const struct td_pri_event *ev)
{
	td_isdn_leg_state(leg, Q931_OVERLAP_SENDING);
	if (leg->pending[0])
		td_pri_digits(line->pri, leg->call, leg->pending);
	leg->dirty |= leg->pending[0] != 0;
	leg->pending[0] = 0;
	td_isdn_leg_timer(leg, TD_T304);
	if (ev->inband)
		raise_with_session(leg, TD_LEV_PROGRESS, true, 0);
}

static void on_proceeding(struct td_isdn_leg *leg,
			  const struct td_pri_event *ev)
{
	td_isdn_leg_state(leg, Q931_OUTGOING_PROCEEDING);
	td_isdn_leg_timer(leg, TD_T310);
	leg->busy++;
	raise_with_session(leg, TD_LEV_PROCEEDING, false, 0);
	if (ev->inband)
		raise_with_session(leg, TD_LEV_PROGRESS, true, 0);
	leg->busy--;
	td_isdn_leg_free(leg);
}

static void on_answer(struct td_isdn_line *line, struct td_isdn_leg *leg,
		      const struct td_pri_event *ev)
{
	if (ev->inband)
		td_isdn_leg_inband(leg);
	switch (ev->type) {
	case TD_PRI_SETUP_ACK:
		on_setup_ack(line, leg, ev);
		break;
	case TD_PRI_PROCEEDING:
		on_proceeding(leg, ev);
		break;
	case TD_PRI_PROGRESS:
		/* Q.931 5.1.6: T310 stops; the caller's patience is left */
		td_isdn_leg_timer_stop(leg);
		raise_with_session(leg, TD_LEV_PROGRESS, ev->inband,
				   ev->cause);
		break;
	case TD_PRI_ALERTING:
		td_isdn_leg_timer_stop(leg);
		td_isdn_leg_state(leg, Q931_CALL_DELIVERED);
		raise_with_session(leg, TD_LEV_ALERTING, ev->inband, 0);
		break;
	case TD_PRI_CONNECT:
		td_isdn_leg_timer_stop(leg);
		td_isdn_leg_state(leg, Q931_ACTIVE);
		td_pri_connect_ack(line->pri, leg->call);
		raise_with_session(leg, TD_LEV_ANSWERED, false, 0);
		break;
	default:
		break;
	}
}

/* ---- clearing ---- */

static void on_clearing(struct td_isdn_line *line, struct td_isdn_leg *leg,
			const struct td_pri_event *ev)
{
	void *call = ev->call;
	int cause = ev->cause ? ev->cause : TD_CAUSE_UNSPECIFIED;

	/* RELEASE after DISCONNECT, RELEASE COMPLETE after RELEASE */
	if (ev->type != TD_PRI_GONE)
		td_pri_hangup(line->pri, call, cause);
	if (!leg)
		return;
	if (td_isdn_call_retry(leg, cause))
		return;
	if (!leg->line) {	/* the second try failed at once */
		td_isdn_leg_gone(leg, TD_CAUSE_NO_CHANNEL);
		return;
	}
	if (ev->type != TD_PRI_DISCONNECT) {
		td_isdn_leg_gone(leg, cause);
		return;
	}
	leg->state = Q931_RELEASE_REQUEST;
	td_isdn_leg_cleared(leg, leg->clearing ? leg->cause : cause);
}

static void on_restart(struct td_isdn_line *line,
		       const struct td_pri_event *ev)
{
	struct td_isdn_leg *leg;

	line->st.restarts++;
	td_info("isdn", "span=%s restart timeslot=%u all=%d", line->conf.name,
		ev->channel, ev->all_channels);
	if (ev->channel || ev->all_channels)
		td_restart_by_peer(&line->restart,
				   ev->all_channels ? 0 : ev->channel);
	do {
		for (leg = line->legs; leg; leg = leg->next)
			if (leg->call && (ev->all_channels ||
					  (ev->channel &&
					   leg->timeslot == ev->channel)))
				break;
		if (!leg)
			break;
		td_pri_destroy(line->pri, leg->call);
		leg->let_go = true;
		td_isdn_leg_gone(leg, TD_CAUSE_TEMPORARY);
	} while (leg);
}

/* ---- D-channel ---- */

static void on_dchannel(struct td_isdn_line *line, bool up)
{
	const struct td_isdn_env *env = &line->isdn->env;

	td_line_restart_stop(line);
	if (up == line->lib_up)
		return;
	line->lib_up = up;
	if (up) {
		line->miswired = false;
		if (line->cold)
			td_line_restart_cold(line);
		line->ready_at_ms = env->now_ms(env->arg) +
				    td_isdn_timers[TD_T_GUARD].default_ms;
		td_info("isdn", "span=%s dchannel=up", line->conf.name);
	} else {
		line->st.dchannel_downs++;
		td_warn("isdn", "ISDN-DCHANNEL-DOWN", "span=%s dchannel=down",
			line->conf.name);
	}
}

void td_line_event(struct td_isdn_line *line, const struct td_pri_event *ev)
{
	struct td_isdn_leg *leg = find(line, ev->call);

	switch (ev->type) {
	case TD_PRI_NONE:
		break;
	case TD_PRI_UP:
	case TD_PRI_DOWN:
		on_dchannel(line, ev->type == TD_PRI_UP);
		break;
	case TD_PRI_MISWIRED:
		if (!line->miswired)
			td_err("isdn", "ISDN-SIDE", "span=%s both ends are %s",
			       line->conf.name,
			       line->conf.side == TD_SIDE_NETWORK ? "network" :
								    "user");
		line->miswired = true;	/* it comes every second */
		break;
	case TD_PRI_RESTART:
		on_restart(line, ev);
		break;
	case TD_PRI_RESTART_ACK:
		td_line_restart_acked(line, ev->channel);
		break;
	case TD_PRI_SETUP:
		on_setup(line, ev);
		break;
	case TD_PRI_INFO:
	case TD_PRI_KEYPAD:
		if (leg && !leg->clearing)
			on_digits(leg, ev);
		break;
	case TD_PRI_CONNECT_ACK:
		if (leg && !leg->clearing)
			td_isdn_leg_state(leg, Q931_ACTIVE);
		break;
	case TD_PRI_SETUP_ACK:
	case TD_PRI_PROCEEDING:
	case TD_PRI_PROGRESS:
	case TD_PRI_ALERTING:
	case TD_PRI_CONNECT:
		if (leg && leg->ours && !leg->clearing &&
		    td_isdn_call_channel(leg, ev))
			on_answer(line, leg, ev);
		break;
	case TD_PRI_DISCONNECT:
	case TD_PRI_RELEASED:
	case TD_PRI_GONE:
		on_clearing(line, leg, ev);
		break;
	}
}
