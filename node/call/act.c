// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/call/calls_i.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

void call_clear_party(struct party *p, int cause)
{
	if (!p->alive || p->told_clear)
		return;
	p->told_clear = true;
	log_clear(p, cause);
	p->state = TD__LEG_STATE__LEG_CLEARING;
	p->leg->ops->clear(p->leg, cause, cause == 42 ? 5 : 0);
}

static uint32_t up_nodes(const struct td_calls *r)
{
	const struct td_view *v = td_cluster_view(r->cfg.cluster);
	struct td_view_iter it = { 0 };
	const Td__Node *n;
	uint32_t set = 0;

	while ((n = td_view_nodes(v, &it)))
		if (n->state == TD__NODE_STATE__NODE_UP && n->id < 32)
			set |= 1u << n->id;
	return set;
}

/** Asks the dial plan; fills targets, or the cause. */
enum td_call_event call_route(struct call *c)
{
	struct td_calls *r = c->room;
	struct td_route_ask ask = {
		.called = c->setup.called,
		.user = c->setup.user,
		.span = c->setup.span,
		.internal = c->setup.internal,
		.complete = c->setup.complete,
		.node = r->cfg.node_id,
		.up_nodes = up_nodes(r),
	};
	int rc;

	rc = td_route_decide(r->site, td_cluster_view(r->cfg.cluster), &ask,
			     c->targets, &c->n_targets, &c->cause);
	if (!rc) {
		c->next_target = 0;
		c->cause = 0;
		return TD_CALL_EV_ROUTED;
	}
	return rc == -EAGAIN ? TD_CALL_EV_ROUTE_MORE : TD_CALL_EV_ROUTE_FAIL;
}

/* ---- legs B ---- */

static int make_leg(struct call *c, const struct td_target *t,
		    struct td_leg **out)
{
	struct td_calls *r = c->room;

	switch (t->kind) {
	case TD_TARGET_CONTACT:
	case TD_TARGET_NODE:
		return r->sip_new ? r->sip_new(r->sip, out) : -ENETDOWN;
	case TD_TARGET_LINES:
		return r->isdn_new ? r->isdn_new(r->isdn, out) : -ENETDOWN;
	case TD_TARGET_SERVICE:
		return echo_leg_new(r->cfg.loop, &r->up, out);
	}
	return -EINVAL;
}

static int fill_setup(struct call *c, struct party *b, struct td_setup *s)
{
	const struct td_target *t = &b->target;
	const struct td_site_node *n;

	memset(s, 0, sizeof(*s));
	s->call_id = c->id;
	s->complete = true;
	s->calling_restricted = c->setup.calling_restricted;
	memcpy(s->calling, c->setup.calling, sizeof(s->calling));
	memcpy(s->calling_name, c->setup.calling_name,
	       sizeof(s->calling_name));
	memcpy(s->user, c->setup.user, sizeof(s->user));
	memcpy(s->called, t->number, sizeof(s->called));
	switch (t->kind) {
	case TD_TARGET_CONTACT:
		memcpy(s->target, t->uri, sizeof(s->target));
		memcpy(s->route, t->route, sizeof(s->route));
		memcpy(s->received, t->received, sizeof(s->received));
		memcpy(s->transport, t->transport, sizeof(s->transport));
		memcpy(s->address, t->address, sizeof(s->address));
		break;
	case TD_TARGET_NODE:
		n = td_site_node(c->room->site, t->node);
		if (!n)
			return -ENETDOWN;
		snprintf(s->target, sizeof(s->target), "sip:%s@%s:5066",
			 t->number, n->cluster_address);
		s->internal = true;
		break;
	case TD_TARGET_LINES:
		memcpy(s->lines, t->lines, sizeof(s->lines));
		s->n_lines = t->n_lines;
		break;
	case TD_TARGET_SERVICE:
		break;
	}
	return bridge_offer_b(c, b, &s->session);
}

static int cause_of(int err)
{
	switch (err) {
	case -EBUSY:
		return 34;
	case -ENETDOWN:
	case -ENETUNREACH:
		return 27;
	case -EAGAIN:
	case -ENOSPC:
	case -ENOMEM:
		return 42;
	case -EINVAL:
		return 28;	/* a number that cannot be dialled there */
	default:
		return 41;
	}
}

static int start_leg(struct call *c, const struct td_target *t)
{
	struct party *b = &c->b[c->n_b];
	struct td_setup *s;
	int rc;

	if (c->n_b == CALL_MAX_B)
		return -ENOSPC;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	*b = (struct party){ .call = c, .outgoing = true, .target = *t,
			     .state = TD__LEG_STATE__LEG_TRYING,
			     .since_ms = td_view_now_ms(td_cluster_view(
				     c->room->cfg.cluster)) };
	log_start(b);
	rc = make_leg(c, t, &b->leg);
	if (!rc) {
		b->leg->call = c;
		b->leg->index = ++c->n_b;
		b->alive = true;
		rc = fill_setup(c, b, s);
		if (!rc)
			rc = b->leg->ops->setup(b->leg, s);
		if (rc) {
			b->alive = false;
			b->state = TD__LEG_STATE__LEG_ENDED;
			log_failed(b, cause_of(rc));
			bridge_release(c, b);
		}
	}
	free(s);
	if (rc)
		td_info("call", "call=%016" PRIx64 " target=%s could not be "
			"tried: %s", c->id, t->number, strerror(-rc));
	return rc;
}

/** Starts all targets of the next rank that has one which can be started. */
static void start_next(struct call *c)
{
	bool any = false;

	while (!any && c->next_target < c->n_targets) {
		unsigned int rank = c->targets[c->next_target].rank;

		c->cause = 0;	/* what an earlier rank said is past */
		while (c->next_target < c->n_targets &&
		       c->targets[c->next_target].rank == rank) {
			int rc = start_leg(c, &c->targets[c->next_target++]);

			any |= rc == 0;
			if (rc && !c->cause)
				c->cause = cause_of(rc);
		}
	}
	if (!any)
		call_event(c, TD_CALL_EV_B_FAIL_LAST, NULL, NULL);
}

/* ---- leg A ---- */

static void tell_a(struct call *c, uint32_t act, struct party *b,
		   const struct td_leg_event *lev)
{
	const struct td_leg_ops *ops = c->a.leg->ops;
	struct td_session *s;
	bool with_voice = act == TD_CALL_A_ANSWER || lev->inband ||
			  (lev->session &&
			   lev->session->kind == TD_MEDIA_RTP);
	int rc = 0;

	if (!c->a.alive)
		return;
	s = malloc(sizeof(*s));
	if (!s || (with_voice && bridge_session_a(c, b, s))) {
		free(s);
		c->cause = s ? 88 : 42;		/* incompatible / congestion */
		call_event(c, TD_CALL_EV_HANGUP, &c->a, NULL);
		return;
	}
	if (act == TD_CALL_A_ALERTING) {
		c->a.state = TD__LEG_STATE__LEG_RINGING;
		log_alerting(&c->a);
		rc = ops->alerting(c->a.leg, with_voice ? s : NULL);
	} else if (act == TD_CALL_A_PROGRESS) {
		if (with_voice)
			rc = ops->progress(c->a.leg, s);
	} else {
		rc = ops->answer(c->a.leg, s);
	}
	free(s);
	if (rc && act == TD_CALL_A_ANSWER) {
		c->cause = cause_of(rc);
		call_event(c, TD_CALL_EV_HANGUP, &c->a, NULL);
	}
}

static void join_voice(struct call *c, struct party *b,
		       const struct td_leg_event *lev)
{
	bool voice = lev->type == TD_LEV_ANSWERED || lev->inband ||
		     (lev->session && lev->session->kind == TD_MEDIA_RTP);
	int rc;

	if (voice && lev->type != TD_LEV_ANSWERED)
		voice = bridge_early(c, b);
	rc = voice ? bridge_join(c, b) : 0;

	if (rc)
		td_warn("call", "CALL-NO-VOICE", "call=%016" PRIx64
			" the voice path could not be joined: %s", c->id,
			strerror(-rc));
}

/* ---- re-INVITE ---- */

static void pass_offer(struct call *c, struct party *p,
		       const struct td_leg_event *lev)
{
	struct td_session *reply = malloc(sizeof(*reply));
	int rc = reply ? bridge_offer(c, p, lev->session, reply) : -ENOMEM;

	if (rc != -EINPROGRESS)
		p->leg->ops->offer_reply(p->leg, rc ? cause_of(rc) : 0,
					 rc ? NULL : reply);
	free(reply);
}

static void pass_reply(struct call *c, struct party *p,
		       const struct td_leg_event *lev)
{
	struct party *o = c->offerer;

	if (!o && c->relayed == p) {	/* it took what the ACK said */
		c->relayed = NULL;
		if (!lev->cause && lev->session && p->sess)
			*p->sess = *lev->session;
		return;
	}
	if (!o) {		/* the answer in an ACK to our own offer */
		if (lev->session && !lev->cause)
			bridge_answered_late(c, p, lev->session);
		return;
	}
	if (o == p)
		return;
	c->offerer = NULL;
	if (!lev->cause && lev->session && p->sess && o->sess) {
		bridge_take(o, c->offered);
		*p->sess = *lev->session;
	}
	if (o->alive)
		o->leg->ops->offer_reply(o->leg, lev->cause, lev->session);
}

static void pass_dtmf(struct call *c, struct party *p,
		      const struct td_leg_event *lev)
{
	struct party *o = call_other(c, p);

	if (!o || !o->alive || !o->leg->ops->dtmf)
		return;
	for (const char *d = lev->digits; *d; d++)
		o->leg->ops->dtmf(o->leg, *d);
}

/* ---- all ---- */

static int cause_for_a(const struct call *c, const struct td_leg_event *lev)
{
	/* what the leg said that ended it; else the best of what B said */
	if (c->winner >= 0 && lev && lev->type == TD_LEV_CLEARED && lev->cause)
		return lev->cause;
	return c->cause ? c->cause : 16;
}

static void is_clearing(struct party *p)
{
	if (p->alive && !p->told_clear)
		p->state = TD__LEG_STATE__LEG_CLEARING;
}

void call_act(struct call *c, uint32_t acts, struct party *p,
	      const struct td_leg_event *lev)
{
	if (acts & TD_CALL_A_MORE_DIGITS && c->a.alive)
		c->a.leg->ops->more_digits(c->a.leg);
	if (acts & TD_CALL_A_PROCEEDING && c->a.alive)
		c->a.leg->ops->proceeding(c->a.leg);
	if (acts & TD_CALL_START_B)
		start_next(c);
	if (acts & TD_CALL_DROP_OTHERS)
		for (unsigned int i = 0; i < c->n_b; i++)
			if (&c->b[i] != p)
				call_clear_party(&c->b[i], 26);
	if (acts & TD_CALL_VOICE)
		join_voice(c, p, lev);
	if (acts & TD_CALL_A_PROGRESS)
		tell_a(c, TD_CALL_A_PROGRESS, p, lev);
	if (acts & TD_CALL_A_ALERTING)
		tell_a(c, TD_CALL_A_ALERTING, p, lev);
	if (acts & TD_CALL_A_ANSWER)
		tell_a(c, TD_CALL_A_ANSWER, p, lev);
	if (acts & TD_CALL_PASS_OFFER)
		pass_offer(c, p, lev);
	if (acts & TD_CALL_PASS_REPLY)
		pass_reply(c, p, lev);
	if (acts & TD_CALL_PASS_DTMF)
		pass_dtmf(c, p, lev);
	if (acts & TD_CALL_PART)
		bridge_part(c);
	/* one op for all of them, before the first is told */
	if (acts & TD_CALL_CLEAR_A)
		is_clearing(&c->a);
	for (unsigned int i = 0; acts & TD_CALL_CLEAR_B && i < c->n_b; i++)
		is_clearing(&c->b[i]);
	if (acts & TD_CALL_CLEAR_A)
		call_clear_party(&c->a, cause_for_a(c, lev));
	if (acts & TD_CALL_CLEAR_B) {
		int cause = lev && lev->cause ? lev->cause : 16;

		for (unsigned int i = 0; i < c->n_b; i++)
			call_clear_party(&c->b[i], cause);
	}
}
