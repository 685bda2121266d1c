/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_ISDN_ROOM_H
#define TD_TEST_ISDN_ROOM_H

/* A call room that does as r->room_mode says. */

#include "isdn/rig_world.h"

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
		c->ck = *ck.isdn;
		strcpy(c->ck_called, ck.isdn->called);
		strcpy(c->ck_calling, ck.isdn->calling);
		strcpy(c->ck_pending, ck.isdn->pending);
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

#endif
