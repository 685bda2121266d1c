// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

static const struct td_site none;

static void a_line_taken_out_clears_its_calls_at_both_ends(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0), *ringing;
	struct x_call *x = x_dial(r, 1, "5551000");

	pump(r, 100);
	r->x_mode = X_RING;
	ringing = room_dial(r, "5550004", 0);
	pump(r, 100);
	assert_int_equal(td_isdn_set_site(r->isdn, &none), 0);
	assert_true(td_isdn_retiring(r->isdn));
	assert_false(c->cleared);	/* not from inside of a command */
	room_dial(r, "5550002", -ENETDOWN);
	pump(r, 50);
	assert_true(c->cleared && ringing->cleared && r->room[1].cleared);
	assert_int_equal(c->cause, 31);
	assert_int_equal(ringing->cause, 31);
	assert_int_equal(x->cause, 31);
	assert_int_equal(r->xc[0].cause, 31);
	assert_int_equal(x_open(r), 0);
	assert_int_equal(x_lib_calls(r), 0);
	/* it could still acknowledge until now */
	assert_int_equal(r->retired, 0);
	assert_int_equal(r->hdlc, 16);
	pump(r, 400);
	assert_int_equal(r->retired, 1);
	assert_false(td_isdn_retiring(r->isdn));
	assert_null(r->fd_fn);
	assert_int_equal(r->hdlc, 0);
	assert_false(r->row_there);
	room_dial(r, "5550002", -ENETDOWN);
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 20000);
	assert_true(r->row_there);
	r->x_mode = X_ANSWER;
	c = room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_true(c->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void the_last_release_complete_gets_through_the_gate(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	assert_int_equal(td_isdn_set_site(r->isdn, &none), 0);
	r->hold = true;		/* DISCONNECT has left, no more does */
	pump(r, 1000);
	assert_true(c->cleared);
	assert_int_equal(r->retired, 0);
	assert_int_equal(x_lib_calls(r), 1);
	r->hold = false;
	rig_release(r, 0);
	pump(r, 1000);
	assert_int_equal(r->retired, 1);
	assert_int_equal(x_lib_calls(r), 0);
}

static void a_call_that_comes_meanwhile_is_refused_34(void **state)
{
	struct rig *r = *state;
	struct x_call *x;

	room_dial(r, "5550002", 0);
	pump(r, 100);
	r->hold = true;		/* so that it lasts */
	assert_int_equal(td_isdn_set_site(r->isdn, &none), 0);
	x = x_dial(r, 1, "5551000");
	pump(r, 200);
	r->hold = false;
	rig_release(r, 0);
	pump(r, 2000);
	assert_int_equal(x->cause, 34);
	assert_true(x->gone);
	assert_int_equal(r->retired, 1);
	assert_int_equal(x_open(r), 0);
}

static void a_far_end_that_does_not_clear_is_waited_for_40_s(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	r->x_deaf = true;
	assert_int_equal(td_isdn_set_site(r->isdn, &none), 0);
	pump(r, 37000);		/* T305, twice T308 */
	assert_int_equal(r->retired, 0);
	pump(r, 3100);
	assert_int_equal(r->retired, 1);
	assert_int_equal(c->cleared_times, 1);
	assert_false(r->row_there);
}

static void a_far_end_that_is_not_there_is_not_waited_for_long(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	r->cut = true;
	assert_int_equal(td_isdn_set_site(r->isdn, &none), 0);
	pump(r, 3000);		/* LAPD has not given up yet */
	assert_int_equal(r->retired, 0);
	pump(r, 9000);
	assert_int_equal(r->retired, 1);
	assert_true(c->cleared);
	assert_int_equal(c->cleared_times, 1);
	assert_false(r->row_there);
}

static void an_inactive_line_goes_at_once(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", false), 0);
	assert_int_equal(td_isdn_set_site(r->isdn, &none), 0);
	pump(r, 10);
	assert_int_equal(r->retired, 1);
	assert_true(c->cleared);
	assert_int_equal(c->cleared_times, 1);
}

static void a_line_that_changes_sides_begins_anew(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	r->conf.channels = 0x0000fffe;	/* fewer channels: calls go on */
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	pump(r, 100);
	assert_false(c->cleared);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 15);
	r->conf.channels = 0xfffefffe;
	r->conf.side = TD_SIDE_NETWORK;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	pump(r, 400);
	assert_true(c->cleared);
	assert_int_equal(r->xc[0].cause, 31);
	assert_int_equal(r->retired, 1);
	assert_int_equal(r->hdlc, 16);
	assert_true(r->row_there);
	rig_exchange(r, PRI_CPE);
	pump(r, 20000);
	assert_true(r->row.owner && r->row.dchannel_up);
	memset(r->xc, 0, sizeof(r->xc));
	c = room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_true(c->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void one_that_is_taken_back_meanwhile_begins_anew(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	assert_int_equal(td_isdn_set_site(r->isdn, &none), 0);
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	pump(r, 20000);
	assert_true(c->cleared);
	assert_int_equal(r->retired, 1);
	assert_true(r->row.owner && r->row.dchannel_up);
	c = room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_true(c->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_line_taken_out_clears_its_calls_at_both_ends),
		CASE(the_last_release_complete_gets_through_the_gate),
		CASE(a_call_that_comes_meanwhile_is_refused_34),
		CASE(a_far_end_that_does_not_clear_is_waited_for_40_s),
		CASE(a_far_end_that_is_not_there_is_not_waited_for_long),
		CASE(an_inactive_line_goes_at_once),
		CASE(a_line_that_changes_sides_begins_anew),
		CASE(one_that_is_taken_back_meanwhile_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
