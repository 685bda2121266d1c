// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

static void a_call_out_is_answered_and_cleared_by_us(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);
	struct x_call *x = &r->xc[0];

	pump(r, 100);
	assert_true(c->proceeding && c->alerting && c->answered);
	assert_true(c->inband);
	assert_string_equal(x->called, "5550002");
	assert_string_equal(x->calling, "1000");
	assert_int_equal(x->complete, 1);
	assert_int_equal(x->ctype, PRI_TRANS_CAP_3_1K_AUDIO);
	assert_int_equal(x->chan, 31);	/* hunted from the top */
	assert_int_equal(c->session.kind, TD_MEDIA_SLOT);
	assert_int_equal(c->session.timeslot, 31);
	assert_string_equal(c->session.span, "s1");
	assert_int_equal(c->state, 10);
	assert_int_equal(c->timeslot, 31);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 29);
	room_clear(c, 16);
	assert_false(c->cleared);	/* no event inside a command */
	pump(r, 100);
	assert_true(c->cleared);
	assert_int_equal(x->cause, 16);
	rig_all_quiet(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_call_out_is_answered_and_cleared_by_us, rig_setup,
			rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
