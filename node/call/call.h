/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CALL_H
#define TD_CALL_H

#include <stdint.h>

/** The call state machine: pure, knows nothing of SIP or ISDN. One leg A (the
 *  caller's) and several legs B, of which one wins. The room (calls.c) turns
 *  leg events into td_call_event, performs the actions in the order of their
 *  bits, and says what is left. */
enum td_call_state {
	TD_CALL_NULL = 1,
	TD_CALL_COLLECTING,	/* overlap: the number is not complete */
	TD_CALL_TRYING,		/* legs B are out, nobody rings */
	TD_CALL_RINGING,
	TD_CALL_UP,
	TD_CALL_CLEARING,	/* some leg's far end is not done yet */
	TD_CALL_ENDED,
	TD_CALL_STATES
};

enum td_call_event {
	TD_CALL_EV_ROUTED,	/* targets are known */
	TD_CALL_EV_ROUTE_MORE,	/* more digits are needed */
	TD_CALL_EV_ROUTE_FAIL,
	TD_CALL_EV_B_PROCEEDING,
	TD_CALL_EV_B_PROGRESS,	/* early media or in-band tones */
	TD_CALL_EV_B_ALERTING,
	TD_CALL_EV_B_ANSWERED,
	TD_CALL_EV_B_FAIL_SOME,	/* a leg B ended, others are still out */
	TD_CALL_EV_B_FAIL_NEXT,	/* the last one out ended, a rank is left */
	TD_CALL_EV_B_FAIL_LAST,	/* nothing is left to try */
	TD_CALL_EV_B_CLEARED,	/* the winner hung up */
	TD_CALL_EV_A_CLEARED,
	TD_CALL_EV_HANGUP,	/* an operator's, or the node's own */
	TD_CALL_EV_OFFER,	/* re-INVITE from A or the winner */
	TD_CALL_EV_OFFER_REPLY,
	TD_CALL_EV_DTMF,
	TD_CALL_EV_ALL_GONE,	/* no leg is left */
	TD_CALL_EVENTS
};

enum td_call_action {
	TD_CALL_A_MORE_DIGITS = 1 << 0,
	TD_CALL_A_PROCEEDING = 1 << 1,
	TD_CALL_START_B = 1 << 2,	/* the next rank of targets */
	TD_CALL_DROP_OTHERS = 1 << 3,	/* clear all B but this one */
	TD_CALL_VOICE = 1 << 4,		/* (re)join the voice path */
	TD_CALL_A_PROGRESS = 1 << 5,
	TD_CALL_A_ALERTING = 1 << 6,
	TD_CALL_A_ANSWER = 1 << 7,
	TD_CALL_PASS_OFFER = 1 << 8,
	TD_CALL_PASS_REPLY = 1 << 9,
	TD_CALL_PASS_DTMF = 1 << 10,
	TD_CALL_CLEAR_A = 1 << 11,
	TD_CALL_CLEAR_B = 1 << 12,	/* all that are left */
	TD_CALL_PART = 1 << 13,		/* voice path off */
	TD_CALL_FREE = 1 << 14,
};

struct td_call_out {
	enum td_call_state next;
	uint32_t acts;
};

/** One transition.
 *  @param[out] out  written only on success
 *  @return 0, or -EPROTO: not a legal pair (count it, drop it) */
int td_call_step(enum td_call_state st, enum td_call_event ev,
		 struct td_call_out *out);

const char *td_call_state_name(enum td_call_state st);
const char *td_call_event_name(enum td_call_event ev);

#endif
