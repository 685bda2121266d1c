// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/call/call.h"

#include <errno.h>

#define ST(s) TD_CALL_##s
#define EV(e) [TD_CALL_EV_##e]
#define A(a) TD_CALL_##a

/* clearing by the far end of one side takes the other side with it */
#define TAKE_B (A(CLEAR_B) | A(PART))
#define TAKE_A (A(CLEAR_A) | A(PART))
#define TAKE_ALL (A(CLEAR_A) | A(CLEAR_B) | A(PART))

static const struct td_call_out table[TD_CALL_STATES][TD_CALL_EVENTS] = {
	[ST(NULL)] = {
		EV(ROUTED) = { ST(TRYING), A(A_PROCEEDING) | A(START_B) },
		EV(ROUTE_MORE) = { ST(COLLECTING), A(A_MORE_DIGITS) },
		EV(ROUTE_FAIL) = { ST(CLEARING), A(CLEAR_A) },
	},
	[ST(COLLECTING)] = {
		EV(ROUTED) = { ST(TRYING), A(A_PROCEEDING) | A(START_B) },
		EV(ROUTE_MORE) = { ST(COLLECTING), 0 },
		EV(ROUTE_FAIL) = { ST(CLEARING), A(CLEAR_A) },
		EV(A_CLEARED) = { ST(CLEARING), 0 },
		EV(HANGUP) = { ST(CLEARING), A(CLEAR_A) },
	},
	[ST(TRYING)] = {
		EV(B_PROCEEDING) = { ST(TRYING), 0 },
		EV(B_PROGRESS) = { ST(TRYING), A(VOICE) | A(A_PROGRESS) },
		EV(B_ALERTING) = { ST(RINGING), A(VOICE) | A(A_ALERTING) },
		EV(B_ANSWERED) = { ST(UP), A(DROP_OTHERS) | A(VOICE) |
				   A(A_ANSWER) },
		EV(B_FAIL_SOME) = { ST(TRYING), 0 },
		EV(B_FAIL_NEXT) = { ST(TRYING), A(START_B) },
		EV(B_FAIL_LAST) = { ST(CLEARING), TAKE_A },
		EV(A_CLEARED) = { ST(CLEARING), TAKE_B },
		EV(HANGUP) = { ST(CLEARING), TAKE_ALL },
		/* digits beyond a number that is complete: RFC 3578, Q.931
		 * 5.2.4 let them be dropped; DTMF before answer likewise */
		EV(ROUTE_MORE) = { ST(TRYING), 0 },
		EV(DTMF) = { ST(TRYING), 0 },
	},
	[ST(RINGING)] = {
		EV(B_PROCEEDING) = { ST(RINGING), 0 },
		EV(B_PROGRESS) = { ST(RINGING), A(VOICE) | A(A_PROGRESS) },
		/* another contact, or one more time with a session: what is
		 * new in it is heard */
		EV(B_ALERTING) = { ST(RINGING), A(VOICE) | A(A_PROGRESS) },
		EV(B_ANSWERED) = { ST(UP), A(DROP_OTHERS) | A(VOICE) |
				   A(A_ANSWER) },
		EV(B_FAIL_SOME) = { ST(RINGING), 0 },
		EV(B_FAIL_NEXT) = { ST(RINGING), A(START_B) },
		EV(B_FAIL_LAST) = { ST(CLEARING), TAKE_A },
		EV(A_CLEARED) = { ST(CLEARING), TAKE_B },
		EV(HANGUP) = { ST(CLEARING), TAKE_ALL },
		EV(ROUTE_MORE) = { ST(RINGING), 0 },
		EV(DTMF) = { ST(RINGING), 0 },
	},
	[ST(UP)] = {
		EV(B_FAIL_SOME) = { ST(UP), 0 },	/* a loser is gone */
		EV(B_CLEARED) = { ST(CLEARING), TAKE_A },
		EV(A_CLEARED) = { ST(CLEARING), TAKE_B },
		EV(HANGUP) = { ST(CLEARING), TAKE_ALL },
		EV(OFFER) = { ST(UP), A(PASS_OFFER) },
		EV(OFFER_REPLY) = { ST(UP), A(PASS_REPLY) },
		EV(DTMF) = { ST(UP), A(PASS_DTMF) },
	},
	[ST(CLEARING)] = {
		EV(B_FAIL_SOME) = { ST(CLEARING), 0 },
		EV(B_FAIL_LAST) = { ST(CLEARING), 0 },
		EV(B_CLEARED) = { ST(CLEARING), 0 },
		EV(A_CLEARED) = { ST(CLEARING), 0 },
		EV(HANGUP) = { ST(CLEARING), 0 },
		EV(ALL_GONE) = { ST(ENDED), A(FREE) },
	},
};

int td_call_step(enum td_call_state st, enum td_call_event ev,
		 struct td_call_out *out)
{
	const struct td_call_out *o;

	if (st < TD_CALL_NULL || st >= TD_CALL_STATES ||
	    (unsigned int)ev >= TD_CALL_EVENTS)
		return -EPROTO;
	o = &table[st][ev];
	if (!o->next)		/* states start at 1: a hole is illegal */
		return -EPROTO;
	*out = *o;
	return 0;
}

const char *td_call_state_name(enum td_call_state st)
{
	static const char *const names[TD_CALL_STATES] = {
		[ST(NULL)] = "null", [ST(COLLECTING)] = "collecting",
		[ST(TRYING)] = "trying", [ST(RINGING)] = "ringing",
		[ST(UP)] = "up", [ST(CLEARING)] = "clearing",
		[ST(ENDED)] = "ended",
	};

	return st > 0 && st < TD_CALL_STATES ? names[st] : "?";
}

const char *td_call_event_name(enum td_call_event ev)
{
	static const char *const names[TD_CALL_EVENTS] = {
		EV(ROUTED) = "routed", EV(ROUTE_MORE) = "route-more",
		EV(ROUTE_FAIL) = "route-fail",
		EV(B_PROCEEDING) = "b-proceeding",
		EV(B_PROGRESS) = "b-progress", EV(B_ALERTING) = "b-alerting",
		EV(B_ANSWERED) = "b-answered", EV(B_FAIL_SOME) = "b-fail-some",
		EV(B_FAIL_NEXT) = "b-fail-next",
		EV(B_FAIL_LAST) = "b-fail-last", EV(B_CLEARED) = "b-cleared",
		EV(A_CLEARED) = "a-cleared", EV(HANGUP) = "hangup",
		EV(OFFER) = "offer", EV(OFFER_REPLY) = "offer-reply",
		EV(DTMF) = "dtmf", EV(ALL_GONE) = "all-gone",
	};

	return (unsigned int)ev < TD_CALL_EVENTS ? names[ev] : "?";
}
