// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "node/isdn/room.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* An outgoing leg: SETUP, its channel, a second try. */

static struct td_isdn_leg *leg_of(struct td_leg *l)
{
	return (struct td_isdn_leg *)l;
}

/* libpri's call and ours part; neither knew the other for long. */
static void unmake(struct td_isdn_leg *leg)
{
	td_pri_destroy(leg->line->pri, leg->call);
	leg->call = NULL;
	leg->state = Q931_NULL;
	td_isdn_leg_attach(leg, NULL);
}

/* SETUP on this line and channel.
 * @return 0, -EAGAIN, -ENETDOWN: not checkpointed; -EINVAL */
static int attempt(struct td_isdn_leg *leg, struct td_isdn_line *line,
		   uint32_t channel)
{
	const struct td_leg_up *up = leg->l.up;
	int rc;

	td_line_enter(line);
	td_isdn_leg_attach(leg, line);
	leg->call = td_pri_call_new(line->pri);
	if (!leg->call) {
		td_isdn_leg_attach(leg, NULL);
		td_line_leave(line);
		return -EAGAIN;
	}
	leg->cref = td_pri_cref(line->pri, leg->call);
	leg->ours = true;
	leg->iface = 0;
	leg->confirmed = false;
	leg->progress = 0;
	leg->bearer = TD_BEARER_AUDIO;
	leg->layer1 = TD_LAYER1_ALAW;
	leg->complete = leg->setup.complete;
	td_isdn_leg_numbers(leg, &leg->setup.called, &leg->setup.calling);
	line->last_cref = leg->cref;
	td_isdn_leg_take(leg, channel);
	td_isdn_leg_state(leg, Q931_CALL_INITIATED);
	/* its call reference must be known elsewhere before SETUP leaves */
	rc = up->checkpoint(up->arg, &leg->l);
	if (rc) {
		line->st.checkpoint_failed++;
		rc = rc == -ENOTCONN ? -ENETDOWN : rc;
	} else {
		leg->setup.channel = channel;
		rc = td_pri_setup(line->pri, leg->call, &leg->setup);
	}
	if (rc)
		unmake(leg);
	else
		line->st.calls_out++;
	leg->told = !rc;
	leg->let_go = false;
	td_line_leave(line);
	return rc;
}

/* The first line in order with a free channel that is not `but` on but_line */
static int hunt(struct td_isdn_leg *leg, const char *but_line, uint32_t but)
{
	int rc = -ENETDOWN;

	for (unsigned int i = 0; i < leg->n_lines; i++) {
		struct td_isdn_line *line =
			td_line_find(leg->isdn, leg->lines[i]);
		uint32_t free, channel;

		if (!line || !td_line_ready(line))
			continue;
		free = td_line_free_channels(line);
		if (but_line && !strcmp(but_line, line->conf.name))
			free &= ~but;
		channel = td_isdn_channel_hunt(
			free, line->conf.side == TD_SIDE_NETWORK);
		if (!channel || line->n_legs >= TD_LINE_MAX_LEGS) {
			line->st.no_channel++;
			rc = -EBUSY;
			continue;
		}
		return attempt(leg, line, channel);
	}
	return rc;
}

int td_isdn_call_setup(struct td_leg *l, const struct td_setup *s)
{
	struct td_isdn_leg *leg = leg_of(l);
	struct td_pri_setup *to = &leg->setup;
	int rc;

	if (leg->line || leg->cleared || leg->clearing || !leg->owned ||
	    leg->state != Q931_NULL)
		return -EINVAL;
	*to = (struct td_pri_setup){ .complete = s->complete };
	rc = td_isdn_number_split(s->called, &to->called);
	if (rc || (!to->called.digits[0] && s->complete))
		return -EINVAL;
	/* a caller without a number that ISDN can carry has none here */
	if (td_isdn_number_split(s->calling, &to->calling))
		to->calling = (struct td_isdn_number){ 0 };
	to->calling.restricted = s->calling_restricted;
	to->calling.pres = s->calling_restricted ? TD_PRES_RESTRICTED :
						   TD_PRES_ALLOWED;
	td_str_cut(leg->called, sizeof(leg->called), s->called);
	td_str_cut(leg->calling, sizeof(leg->calling), s->calling);
	td_str_trim_utf8(leg->calling);
	leg->n_lines = 0;
	for (unsigned int i = 0; i < s->n_lines && i < 16; i++)
		if (!td_str_copy(leg->lines[leg->n_lines],
				 sizeof(leg->lines[0]), s->lines[i]))
			leg->n_lines++;
	return hunt(leg, NULL, 0);
}

bool td_isdn_call_retry(struct td_isdn_leg *leg, int cause)
{
	struct td_isdn_line *line = leg->line;
	char name[TD_NAME_MAX];
	uint32_t lost = leg->timeslot;

	if (!leg->ours || leg->confirmed || leg->retried || leg->clearing ||
	    leg->cleared || (cause != TD_CAUSE_CHANNEL_UNAVAILABLE &&
			     cause != TD_CAUSE_CHANNEL_UNACCEPTABLE))
		return false;
	leg->retried = true;
	leg->call = NULL;	/* what is left of it clears by itself */
	leg->state = Q931_NULL;
	td_str_cut(name, sizeof(name), line->conf.name);
	td_isdn_leg_attach(leg, NULL);
	line->st.retried++;
	td_debug("isdn", "span=%s timeslot=%u cause=%d trying another", name,
		 lost, cause);
	return !hunt(leg, name, lost ? 1u << lost : 0);
}

bool td_isdn_call_channel(struct td_isdn_leg *leg,
			  const struct td_pri_event *ev)
{
	struct td_isdn_line *line = leg->line;
	uint32_t free = line->conf.channels;
	void *call = leg->call;

	if (leg->confirmed)
		return true;
	for (uint32_t t = 1; t < TD_LINE_SLOTS; t++)
		if (line->slot[t])
			free &= ~(1u << t);
	switch (td_isdn_channel_answer(leg->timeslot, free, ev->channel)) {
	case TD_CHANNEL_MOVE:
		td_isdn_leg_take(leg, ev->channel);
		break;
	case TD_CHANNEL_CONFLICT:
		/* Q.931 5.1.2: RELEASE with cause 6 */
		td_pri_hangup(line->pri, call, TD_CAUSE_CHANNEL_UNACCEPTABLE);
		if (!td_isdn_call_retry(leg, TD_CAUSE_CHANNEL_UNACCEPTABLE))
			td_isdn_leg_gone(leg, TD_CAUSE_CHANNEL_UNAVAILABLE);
		return false;
	case TD_CHANNEL_KEEP:
		break;
	}
	leg->iface = ev->iface;
	leg->confirmed = leg->dirty = true;
	return true;
}

int td_isdn_call_digits(struct td_leg *l, const char *digits, bool complete)
{
	struct td_isdn_leg *leg = leg_of(l);
	char clean[TD_ISDN_DIGITS_MAX];
	int rc;

	if (!leg->line || !leg->ours || leg->cleared || leg->clearing ||
	    leg->setup.complete ||
	    (leg->state != Q931_CALL_INITIATED &&
	     leg->state != Q931_OVERLAP_SENDING))
		return -EINVAL;
	td_isdn_digits(digits, clean, sizeof(clean));
	if (strlen(leg->called) + strlen(clean) >= TD_ISDN_DIGITS_MAX)
		return -EINVAL;
	strcat(leg->called, clean);
	leg->complete |= complete;
	leg->dirty = true;
	td_line_enter(leg->line);
	if (leg->state == Q931_CALL_INITIATED) {
		strcat(leg->pending, clean);
		rc = 0;
	} else {
		rc = td_pri_digits(leg->line->pri, leg->call, clean);
		td_isdn_leg_timer(leg, TD_T304);
	}
	td_line_leave(leg->line);
	return rc;
}
