// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/isdn/room.h"
#include "proto/base/str.h"

const struct td_isdn_timer_def td_isdn_timers[] = {
	[TD_T302] = { 302, 15000, "overlap receiving: next digit" },
	[TD_T304] = { 304, 30000, "overlap sending: an answer" },
	[TD_T309] = { 309, 90000, "D-channel down, calls kept" },
	[TD_T310] = { 310, 120000, "outgoing proceeding: an answer" },
	[TD_T316] = { 316, 120000, "RESTART: its acknowledgement" },
	[TD_T_GUARD] = { 0, 2000, "D-channel up until the first SETUP" },
};

static struct td_isdn_leg *leg_of(struct td_leg *l)
{
	return (struct td_isdn_leg *)l;
}

/* ---- timers ---- */

static void on_timer(void *arg)
{
	struct td_isdn_leg *leg = arg;
	struct td_isdn_line *line = leg->line;

	if (!line)
		return;
	td_line_enter(line);
	if (leg->state == Q931_OVERLAP_RECEIVING)
		td_isdn_leg_raise(leg, &(struct td_leg_event){
					.type = TD_LEV_DIGITS,
					.complete = true });
	else
		td_isdn_leg_hangup(leg, TD_CAUSE_TIMER);
	td_line_leave(line);
}

void td_isdn_leg_timer(struct td_isdn_leg *leg, enum td_isdn_timer_id id)
{
	const struct td_isdn_env *env = &leg->isdn->env;

	env->timer_start(env->arg, &leg->timer, td_isdn_timers[id].default_ms,
			 on_timer, leg);
}

void td_isdn_leg_timer_stop(struct td_isdn_leg *leg)
{
	leg->isdn->env.timer_stop(leg->isdn->env.arg, &leg->timer);
}

/* ---- life ---- */

static void list_del(struct td_isdn_leg **at, struct td_isdn_leg *leg)
{
	for (; *at; at = &(*at)->next)
		if (*at == leg) {
			*at = leg->next;
			return;
		}
}

void td_isdn_leg_take(struct td_isdn_leg *leg, uint32_t timeslot)
{
	struct td_isdn_line *line = leg->line;

	if (!line)
		return;
	if (leg->timeslot && line->slot[leg->timeslot] == leg)
		line->slot[leg->timeslot] = NULL;
	leg->timeslot = timeslot;
	if (timeslot)
		line->slot[timeslot] = leg;
	leg->dirty = true;
}

void td_isdn_leg_attach(struct td_isdn_leg *leg, struct td_isdn_line *line)
{
	if (leg->line) {
		td_isdn_leg_take(leg, 0);
		list_del(&leg->line->legs, leg);
		leg->line->n_legs--;
	} else {
		list_del(&leg->isdn->idle, leg);
	}
	leg->line = line;
	leg->dirty = false;
	if (line) {
		td_str_cut(leg->span, sizeof(leg->span), line->conf.name);
		leg->next = line->legs;
		line->legs = leg;
		line->n_legs++;
	} else {
		leg->next = leg->isdn->idle;
		leg->isdn->idle = leg;
	}
}

static void undefer(struct td_isdn_leg *leg)
{
	struct td_isdn *isdn = leg->isdn;
	struct td_isdn_leg **at = &isdn->deferred;

	if (!leg->in_deferred)
		return;
	for (; *at; at = &(*at)->deferred_next)
		if (*at == leg) {
			*at = leg->deferred_next;
			if (!*at)
				isdn->deferred_last = at;
			break;
		}
	leg->in_deferred = false;
}

/* Frees what nobody needs: not the call room, not libpri, no event. */
void td_isdn_leg_free(struct td_isdn_leg *leg)
{
	if (leg->owned || leg->call || leg->busy)
		return;
	undefer(leg);
	td_isdn_leg_timer_stop(leg);
	if (leg->line)
		td_isdn_leg_attach(leg, NULL);
	list_del(&leg->isdn->idle, leg);
	free(leg);
}

void td_isdn_leg_raise(struct td_isdn_leg *leg, struct td_leg_event *ev)
{
	const struct td_leg_up *up = leg->l.up;

	if (!leg->owned)
		return;
	if (leg->cleared && ev->type != TD_LEV_CLEARED)
		return;
	leg->busy++;
	up->event(up->arg, &leg->l, ev);
	leg->busy--;
	td_isdn_leg_free(leg);
}

uint32_t td_isdn_leg_channel(const struct td_isdn_leg *leg)
{
	return leg->timeslot | leg->iface;
}

void td_isdn_leg_state(struct td_isdn_leg *leg, enum td_q931_state state)
{
	if (leg->state == state)
		return;
	leg->state = state;
	leg->dirty = true;
}

static uint8_t type_of(const struct td_isdn_number *n)
{
	return (uint8_t)(n->ton << 4 | n->npi);
}

void td_isdn_leg_numbers(struct td_isdn_leg *leg,
			 const struct td_isdn_number *called,
			 const struct td_isdn_number *calling)
{
	leg->called_type = type_of(called);
	leg->calling_type = type_of(calling);
	leg->calling_pres = calling->pres;
}

void td_isdn_leg_inband(struct td_isdn_leg *leg)
{
	enum { INBAND = 1 << 8 };

	leg->dirty |= !(leg->progress & INBAND);
	leg->progress |= INBAND;
}

void td_isdn_leg_session(const struct td_isdn_leg *leg,
			 struct td_session *out)
{
	memset(out, 0, sizeof(*out));
	if (!leg->timeslot)
		return;
	out->kind = TD_MEDIA_SLOT;
	out->codecs[0] = TD_CODEC_PCMA;
	out->n_codecs = 1;
	td_str_cut(out->span, sizeof(out->span), leg->span);
	out->timeslot = leg->timeslot;
}

/* ---- commands ---- */

enum { IN_PRESENT = 1 << Q931_CALL_PRESENT,
       IN_OVERLAP = 1 << Q931_OVERLAP_RECEIVING,
       IN_PROCEEDING = 1 << Q931_INCOMING_PROCEEDING,
       IN_RECEIVED = 1 << Q931_CALL_RECEIVED };

/* @return the line, with a turn begun; NULL: the state is none of these */
static struct td_isdn_line *begin(struct td_isdn_leg *leg, uint32_t states)
{
	if (!leg->line || !leg->call || leg->cleared || leg->clearing ||
	    leg->ours || !(states & 1u << leg->state))
		return NULL;
	td_line_enter(leg->line);
	return leg->line;
}

static int more_digits(struct td_leg *l)
{
	struct td_isdn_leg *leg = leg_of(l);
	struct td_isdn_line *line = begin(leg, IN_PRESENT | IN_OVERLAP);
	int rc = 0;

	if (!line)
		return -EINVAL;
	if (leg->fresh)
		rc = td_pri_setup_ack(line->pri, leg->call,
				      td_isdn_leg_channel(leg));
	if (!rc) {
		leg->fresh = false;
		td_isdn_leg_state(leg, Q931_OVERLAP_RECEIVING);
		td_isdn_leg_timer(leg, TD_T302);
	}
	td_line_leave(line);
	return rc;
}

static int proceed(struct td_isdn_line *line, struct td_isdn_leg *leg)
{
	int rc;

	if (leg->state == Q931_INCOMING_PROCEEDING ||
	    leg->state == Q931_CALL_RECEIVED)
		return 0;
	rc = td_pri_proceeding(line->pri, leg->call, td_isdn_leg_channel(leg));
	if (rc)
		return rc;
	leg->fresh = false;
	td_isdn_leg_timer_stop(leg);
	td_isdn_leg_state(leg, Q931_INCOMING_PROCEEDING);
	return 0;
}

static int proceeding(struct td_leg *l)
{
	struct td_isdn_leg *leg = leg_of(l);
	struct td_isdn_line *line = begin(leg, IN_PRESENT | IN_OVERLAP |
					  IN_PROCEEDING | IN_RECEIVED);
	int rc;

	if (!line)
		return -EINVAL;
	rc = proceed(line, leg);
	td_line_leave(line);
	return rc;
}

static int progress(struct td_leg *l, const struct td_session *s)
{
	struct td_isdn_leg *leg = leg_of(l);
	struct td_isdn_line *line = begin(leg, IN_PRESENT | IN_OVERLAP |
					  IN_PROCEEDING | IN_RECEIVED);
	int rc;

	if (!line)
		return -EINVAL;
	/* PROGRESS may not be the first answer, Q.931 5.2.4 */
	rc = proceed(line, leg);
	if (!rc)
		td_isdn_leg_inband(leg);
	if (!rc)
		rc = td_pri_progress(line->pri, leg->call,
				     td_isdn_leg_channel(leg));
	td_line_leave(line);
	return rc;
}

static int alerting(struct td_leg *l, const struct td_session *s)
{
	struct td_isdn_leg *leg = leg_of(l);
	struct td_isdn_line *line = begin(leg, IN_PRESENT | IN_OVERLAP |
					  IN_PROCEEDING | IN_RECEIVED);
	int rc = 0;

	if (!line)
		return -EINVAL;
	if (leg->state != Q931_CALL_RECEIVED) {
		rc = proceed(line, leg);
		if (!rc)
			rc = td_pri_alerting(line->pri, leg->call,
					     td_isdn_leg_channel(leg),
					     s && s->kind != TD_MEDIA_NONE);
		if (!rc)
			td_isdn_leg_state(leg, Q931_CALL_RECEIVED);
		if (!rc && s && s->kind != TD_MEDIA_NONE)
			td_isdn_leg_inband(leg);
	}
	td_line_leave(line);
	return rc;
}

static int answer(struct td_leg *l, const struct td_session *s)
{
	struct td_isdn_leg *leg = leg_of(l);
	struct td_isdn_line *line = begin(leg, IN_PRESENT | IN_OVERLAP |
					  IN_PROCEEDING | IN_RECEIVED);
	enum td_q931_state before = leg->state;
	bool dirty = leg->dirty;
	int rc;

	if (!line)
		return -EINVAL;
	/* the network side is active when it has sent CONNECT, Q.931 5.2.8 */
	td_isdn_leg_state(leg, line->conf.side == TD_SIDE_NETWORK ?
				       Q931_ACTIVE : Q931_CONNECT_REQUEST);
	rc = l->up->checkpoint(l->up->arg, l);
	if (rc) {
		leg->state = before;
		leg->dirty = dirty;
		line->st.checkpoint_failed++;
		td_line_leave(line);
		return rc;
	}
	td_isdn_leg_timer_stop(leg);
	rc = td_pri_connect(line->pri, leg->call, td_isdn_leg_channel(leg));
	leg->fresh = false;
	td_line_leave(line);
	return rc;
}

/* A line always takes and gives A-law at 64 kbit/s: any offer is agreed to;
 * hold is done by whoever mixes the voice, Q.931 knows nothing of it. */
static int offer(struct td_leg *l, const struct td_session *s)
{
	struct td_isdn_leg *leg = leg_of(l);

	if (leg->cleared || leg->clearing || leg->state != Q931_ACTIVE)
		return -EINVAL;
	td_isdn_leg_defer(leg, TD_DEFER_OFFER_REPLY);
	return 0;
}

static int offer_reply(struct td_leg *l, int cause,
		       const struct td_session *s)
{
	return -EINVAL;		/* a line makes no offers */
}

static int dtmf(struct td_leg *l, char digit)
{
	return -EOPNOTSUPP;	/* in-band only: the media room plays it */
}

static void clear(struct td_leg *l, int cause, unsigned int retry_after_s)
{
	struct td_isdn_leg *leg = leg_of(l);

	if (leg->cleared || leg->clearing)
		return;
	if (cause <= 0 || cause > 127)
		cause = TD_CAUSE_NORMAL;
	if (leg->call) {
		td_isdn_leg_hangup(leg, cause);
		return;
	}
	leg->clearing = true;
	leg->cause = cause;
	td_isdn_leg_defer(leg, TD_DEFER_CLEARED);
}

static Td__LegState state_of(const struct td_isdn_leg *leg)
{
	if (leg->cleared)
		return TD__LEG_STATE__LEG_ENDED;
	switch (leg->state) {
	case Q931_NULL:
		return TD__LEG_STATE__LEG_NULL;
	case Q931_CALL_DELIVERED:
	case Q931_CALL_RECEIVED:
		return TD__LEG_STATE__LEG_RINGING;
	case Q931_CONNECT_REQUEST:
	case Q931_ACTIVE:
		return TD__LEG_STATE__LEG_UP;
	case Q931_DISCONNECT_REQUEST:
	case Q931_RELEASE_REQUEST:
		return TD__LEG_STATE__LEG_CLEARING;
	default:
		return TD__LEG_STATE__LEG_TRYING;
	}
}

static void checkpoint(struct td_leg *l, Td__CallLeg *out)
{
	struct td_isdn_leg *leg = leg_of(l);
	Td__IsdnCall *ck = &leg->ck;

	td__isdn_call__init(ck);
	ck->span = leg->span;
	ck->timeslot = leg->timeslot;
	ck->cref = leg->cref;
	ck->ours = leg->ours;
	ck->called = leg->called;
	ck->calling = leg->calling;
	ck->q931_state = leg->state;
	ck->called_type = leg->called_type;
	ck->calling_type = leg->calling_type;
	ck->calling_pres = leg->calling_pres;
	ck->bearer = leg->bearer;
	ck->layer1 = leg->layer1;
	ck->progress = leg->progress;
	ck->iface = leg->iface;
	ck->network = leg->line && leg->line->conf.side == TD_SIDE_NETWORK;
	ck->confirmed = leg->confirmed;
	ck->complete = leg->complete;
	ck->pending = leg->pending;
	ck->cause = leg->clearing ? (uint32_t)leg->cause : 0;
	out->kind = TD__LEG_KIND__LEG_ISDN;
	out->state = state_of(leg);
	out->peer = leg->ours ? leg->called : leg->calling;
	out->unit = leg->span;
	out->codec = "PCMA";
	out->isdn = leg->line ? ck : NULL;
	leg->dirty = false;
}

static void leg_free(struct td_leg *l)
{
	struct td_isdn_leg *leg = leg_of(l);

	if (!l)
		return;
	leg->l.call = NULL;	/* no checkpoint any more */
	if (leg->call && !leg->cleared && !leg->clearing)
		td_isdn_leg_hangup(leg, TD_CAUSE_NORMAL);
	leg->owned = false;
	undefer(leg);
	td_isdn_leg_free(leg);
}

static const struct td_leg_ops ops = {
	.kind = "isdn",
	.setup = td_isdn_call_setup,
	.digits = td_isdn_call_digits,
	.more_digits = more_digits,
	.proceeding = proceeding,
	.progress = progress,
	.alerting = alerting,
	.answer = answer,
	.offer = offer,
	.offer_reply = offer_reply,
	.dtmf = dtmf,
	.clear = clear,
	.checkpoint = checkpoint,
	.free = leg_free,
};

int td_isdn_leg_alloc(struct td_isdn *isdn, struct td_isdn_leg **out)
{
	struct td_isdn_leg *leg = calloc(1, sizeof(*leg));

	if (!leg)
		return -ENOMEM;
	leg->l.ops = &ops;
	leg->l.up = &isdn->env.up;
	leg->isdn = isdn;
	leg->next = isdn->idle;
	isdn->idle = leg;
	*out = leg;
	return 0;
}

int td_isdn_leg_new(void *room, struct td_leg **out)
{
	struct td_isdn_leg *leg;
	int rc = td_isdn_leg_alloc(room, &leg);

	if (rc)
		return rc;
	leg->owned = true;
	*out = &leg->l;
	return 0;
}
