// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "node/isdn/room.h"
#include "proto/base/log.h"

/* How a leg ends. Two owners: the call room until free(), the line until
 * libpri has let go. TD_LEV_CLEARED is raised once whatever comes first. */

void td_isdn_leg_defer(struct td_isdn_leg *leg, unsigned int what)
{
	struct td_isdn *isdn = leg->isdn;

	leg->deferred |= what;
	if (leg->in_deferred)
		return;
	leg->in_deferred = true;
	leg->deferred_next = NULL;
	*isdn->deferred_last = leg;
	isdn->deferred_last = &leg->deferred_next;
	isdn->env.timer_start(isdn->env.arg, &isdn->later, 0,
			      td_isdn_run_deferred, isdn);
}

static void run_one(struct td_isdn_leg *leg)
{
	unsigned int what = leg->deferred;
	struct td_isdn_line *line = leg->line;
	struct td_session session;

	leg->deferred = 0;
	if (line)
		td_line_enter(line);
	leg->busy++;
	if (what & TD_DEFER_OFFER_REPLY && !leg->cleared) {
		td_isdn_leg_session(leg, &session);
		td_isdn_leg_raise(leg, &(struct td_leg_event){
					.type = TD_LEV_OFFER_REPLY,
					.session = &session });
	}
	if (what & TD_DEFER_CLEARED)
		td_isdn_leg_cleared(leg, leg->cause);
	leg->busy--;
	td_isdn_leg_free(leg);
	if (line)
		td_line_leave(line);
}

void td_isdn_run_deferred(void *arg)
{
	struct td_isdn *isdn = arg;
	struct td_isdn_leg *leg;
	unsigned int n = 0;

	/* what is deferred meanwhile has a turn of its own; legs may leave
	 * the list while one is being run */
	for (leg = isdn->deferred; leg; leg = leg->deferred_next)
		n++;
	for (; n && (leg = isdn->deferred); n--) {
		isdn->deferred = leg->deferred_next;
		if (!isdn->deferred)
			isdn->deferred_last = &isdn->deferred;
		leg->in_deferred = false;
		run_one(leg);
	}
}

void td_isdn_leg_cleared(struct td_isdn_leg *leg, int cause)
{
	if (leg->cleared)
		return;
	leg->cleared = true;
	td_isdn_leg_timer_stop(leg);
	if (!leg->owned)
		return;
	td_debug("isdn", "span=%s cref=%u cleared cause=%d", leg->span,
		 leg->cref, cause);
	td_isdn_leg_raise(leg, &(struct td_leg_event){
				.type = TD_LEV_CLEARED,
				.cause = cause ? cause :
						 TD_CAUSE_UNSPECIFIED });
}

/* The channel and the call are free from here on. */
static void detach(struct td_isdn_leg *leg)
{
	td_line_part(leg);
	leg->call = NULL;
	leg->state = Q931_NULL;
	td_isdn_leg_timer_stop(leg);
	td_isdn_leg_attach(leg, NULL);
}

void td_isdn_leg_gone(struct td_isdn_leg *leg, int cause)
{
	leg->busy++;
	detach(leg);
	td_isdn_leg_cleared(leg, leg->clearing ? leg->cause : cause);
	leg->busy--;
	td_isdn_leg_free(leg);
}

void td_isdn_leg_gone_later(struct td_isdn_leg *leg, int cause)
{
	detach(leg);
	if (leg->cleared || !leg->owned) {
		td_isdn_leg_free(leg);
		return;
	}
	if (!leg->clearing)
		leg->cause = cause;
	td_isdn_leg_defer(leg, TD_DEFER_CLEARED);
}

void td_isdn_leg_hangup(struct td_isdn_leg *leg, int cause)
{
	struct td_isdn_line *line = leg->line;

	if (!line || !leg->call)
		return;
	leg->cause = cause;
	leg->clearing = true;
	td_isdn_leg_timer_stop(leg);
	td_line_enter(line);
	if (leg->fresh && !td_pri_refusable(cause)) {
		/* libpri sends nothing for a SETUP that was not answered and
		 * forgets it: answer first, then DISCONNECT */
		if (!leg->timeslot)
			cause = TD_CAUSE_NO_CHANNEL;
		else
			td_pri_proceeding(line->pri, leg->call,
					  td_isdn_leg_channel(leg));
	}
	/* RELEASE COMPLETE for a SETUP: nobody confirms that */
	if (leg->fresh && td_pri_refusable(cause))
		leg->told = false;
	leg->fresh = false;
	td_isdn_leg_state(leg, Q931_DISCONNECT_REQUEST);
	td_pri_hangup(line->pri, leg->call, cause);
	/* freed at once: td_line_leave finds that out */
	td_line_leave(line);
}
