// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "node/call/call.h"

#define ST(s) TD_CALL_##s
#define EV(e) TD_CALL_EV_##e
#define A(a) TD_CALL_##a

static const struct row {
	const char *what;
	enum td_call_state st;
	enum td_call_event ev;
	int rc;
	struct td_call_out out;
} rows[] = {
	{ "a routed call tries its first targets", ST(NULL), EV(ROUTED), 0,
	  { ST(TRYING), A(A_PROCEEDING) | A(START_B) } },
	{ "an incomplete number asks for digits", ST(NULL), EV(ROUTE_MORE), 0,
	  { ST(COLLECTING), A(A_MORE_DIGITS) } },
	{ "digits are asked for once", ST(COLLECTING), EV(ROUTE_MORE), 0,
	  { ST(COLLECTING), 0 } },
	{ "an unknown number is refused", ST(COLLECTING), EV(ROUTE_FAIL), 0,
	  { ST(CLEARING), A(CLEAR_A) } },
	{ "the first answer drops the others", ST(RINGING), EV(B_ANSWERED), 0,
	  { ST(UP), A(DROP_OTHERS) | A(VOICE) | A(A_ANSWER) } },
	{ "the second alerting may bring early media", ST(RINGING),
	  EV(B_ALERTING), 0, { ST(RINGING), A(VOICE) | A(A_PROGRESS) } },
	{ "a full line leads to the next rank", ST(TRYING), EV(B_FAIL_NEXT), 0,
	  { ST(TRYING), A(START_B) } },
	{ "the caller goes while it rings", ST(RINGING), EV(A_CLEARED), 0,
	  { ST(CLEARING), A(CLEAR_B) | A(PART) } },
	{ "the callee hangs up", ST(UP), EV(B_CLEARED), 0,
	  { ST(CLEARING), A(CLEAR_A) | A(PART) } },
	{ "hold is passed on", ST(UP), EV(OFFER), 0,
	  { ST(UP), A(PASS_OFFER) } },
	{ "an offer before the answer is illegal", ST(RINGING), EV(OFFER),
	  -EPROTO, { 0 } },
	{ "a second answer is illegal", ST(UP), EV(B_ANSWERED), -EPROTO,
	  { 0 } },
	{ "nothing happens after the end", ST(ENDED), EV(HANGUP), -EPROTO,
	  { 0 } },
	{ "the last leg gone ends the call", ST(CLEARING), EV(ALL_GONE), 0,
	  { ST(ENDED), A(FREE) } },
};

static void the_table_says_what_each_pair_does(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct td_call_out out = { 0 };

		if (td_call_step(r->st, r->ev, &out) != r->rc ||
		    out.next != r->out.next || out.acts != r->out.acts)
			fail_msg("%s", r->what);
	}
}

static void every_pair_is_swept_and_the_legal_ones_are_counted(void **state)
{
	int legal = 0;

	for (int st = -1; st <= TD_CALL_STATES; st++)
		for (int ev = -1; ev <= TD_CALL_EVENTS; ev++) {
			struct td_call_out out = { 0 };
			int rc = td_call_step(st, ev, &out);

			if (rc) {
				assert_int_equal(rc, -EPROTO);
				assert_int_equal(out.next, 0);
				continue;
			}
			legal++;
			assert_in_range(out.next, TD_CALL_NULL,
					TD_CALL_STATES - 1);
			/* states only go forward */
			assert_true((int)out.next >= st);
		}
	assert_int_equal(legal, 43);
}

/* From every state that can be reached, a hang-up and the legs' ends lead to
 * the end: no call is left over, whatever happened before. */
static void every_call_can_end(void **state)
{
	bool seen[TD_CALL_STATES] = { [TD_CALL_NULL] = true };
	struct td_call_out out;

	for (int round = 0; round < TD_CALL_STATES; round++)
		for (int st = 1; st < TD_CALL_STATES; st++)
			for (int ev = 0; seen[st] && ev < TD_CALL_EVENTS; ev++)
				if (!td_call_step(st, ev, &out))
					seen[out.next] = true;
	for (int st = TD_CALL_COLLECTING; st < TD_CALL_ENDED; st++) {
		assert_true(seen[st]);
		assert_int_equal(td_call_step(st, TD_CALL_EV_HANGUP, &out), 0);
		assert_int_equal(out.next, TD_CALL_CLEARING);
		assert_int_equal(td_call_step(st, TD_CALL_EV_A_CLEARED, &out),
				 0);
		assert_int_equal(out.next, TD_CALL_CLEARING);
	}
	assert_true(seen[TD_CALL_ENDED]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_says_what_each_pair_does),
		cmocka_unit_test(
			every_pair_is_swept_and_the_legal_ones_are_counted),
		cmocka_unit_test(every_call_can_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
