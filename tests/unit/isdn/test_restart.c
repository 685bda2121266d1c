// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"
#include "node/isdn/restart.h"

/* ---- the decision ---- */

static void one_channel_after_the_other_those_known_wrong_first(void **state)
{
	struct td_restart r;

	td_restart_cold(&r, 0x0000000f);	/* timeslot 0 is no channel */
	td_restart_unsure(&r, 9, 77, true);
	td_restart_unsure(&r, 0, 1, true);
	td_restart_unsure(&r, 32, 1, true);
	assert_int_equal(td_restart_next(&r, 0), 9);
	assert_int_equal(td_restart_next(&r, 0), 0);
	assert_false(td_restart_acked(&r, 1));
	assert_true(td_restart_acked(&r, 9));
	assert_int_equal(td_restart_next(&r, 1u << 2), 1);
	assert_true(td_restart_acked(&r, 0));
	assert_int_equal(td_restart_next(&r, 1u << 2), 3);	/* 2 is alive */
	assert_true(td_restart_acked(&r, 3));
	assert_int_equal(td_restart_next(&r, 0), 0);
	assert_false(td_restart_acked(&r, 3));
}

static void after_the_last_try_a_channel_is_out_of_service(void **state)
{
	struct td_restart r = { 0 };
	uint32_t t = 0;

	assert_int_equal(td_restart_expired(&r, &t), TD_RESTART_NONE);
	td_restart_unsure(&r, 9, 77, true);
	assert_int_equal(td_restart_next(&r, 0), 9);
	assert_int_equal(td_restart_expired(&r, &t), TD_RESTART_AGAIN);
	td_restart_unsure(&r, 4, 78, false);
	assert_int_equal(td_restart_next(&r, 0), 9);	/* it, not another */
	assert_int_equal(td_restart_expired(&r, &t), TD_RESTART_OUT);
	assert_int_equal(t, 9);
	assert_int_equal(td_restart_blocked(&r), 1u << 9 | 1u << 4);
	assert_int_equal(td_restart_next(&r, 0), 4);
	assert_int_equal(td_restart_expired(&r, &t), TD_RESTART_AGAIN);
	assert_int_equal(td_restart_next(&r, 0), 4);
	assert_true(td_restart_acked(&r, 4));
	assert_int_equal(td_restart_next(&r, 0), 0);
	assert_false(td_restart_setup(&r, 9));
	td_restart_down(&r);		/* a D-channel that comes up anew */
	assert_int_equal(td_restart_next(&r, 0), 9);
	td_restart_by_peer(&r, 9);	/* maintenance by the far end */
	assert_true(td_restart_acked(&r, 9));
	assert_int_equal(td_restart_blocked(&r), 0);
}

static void a_far_end_that_knows_no_restart_keeps_its_line(
	void **state)
{
	struct td_restart r;
	uint32_t t = 0;

	td_restart_cold(&r, 0xfffefffe);
	assert_int_equal(td_restart_next(&r, 0), 1);
	assert_int_equal(td_restart_expired(&r, &t), TD_RESTART_AGAIN);
	assert_int_equal(td_restart_next(&r, 0), 1);
	assert_int_equal(td_restart_expired(&r, &t), TD_RESTART_LEFT);
	assert_int_equal(td_restart_next(&r, 0), 0);
	assert_int_equal(td_restart_blocked(&r), 0);
}

static void a_setup_there_proves_that_nothing_is_left(void **state)
{
	struct td_restart r = { 0 };

	td_restart_unsure(&r, 9, 77, true);
	td_restart_unsure(&r, 4, 78, true);
	assert_int_equal(td_restart_next(&r, 0), 4);
	assert_false(td_restart_setup(&r, 4));	/* ours is on its way */
	assert_true(td_restart_setup(&r, 9));
	assert_int_equal(td_restart_blocked(&r), 1u << 4);
	assert_true(td_restart_setup(&r, 0));
	td_restart_released(&r, 78, true);	/* the answer decides */
	assert_int_equal(td_restart_blocked(&r), 1u << 4);
	assert_true(td_restart_acked(&r, 4));
	td_restart_unsure(&r, 5, 79, true);
	td_restart_released(&r, 79, false);	/* another call */
	assert_int_equal(td_restart_blocked(&r), 1u << 5);
	td_restart_released(&r, 79, true);
	assert_int_equal(td_restart_blocked(&r), 0);
}

/* ---- the line ---- */

/* Two calls up, then nothing of ours is released any more: no quorum. */
static void two_calls_then_mute(struct rig *r, struct room_call **a,
				struct room_call **b)
{
	pri_set_timer(r->x, PRI_TIMER_T309, 90000);
	r->x_restarts = 0;
	r->x_restarted = 0;
	*a = room_dial(r, "5550002", 0);
	*b = room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_true((*a)->answered && (*b)->answered);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", false), 0);
}

static void exactly_the_unconfirmed_channel_is_restarted(void **state)
{
	struct rig *r = *state;
	struct room_call *a, *b;
	uint32_t ts;

	two_calls_then_mute(r, &a, &b);
	ts = a->timeslot;
	room_clear(a, 16);		/* DISCONNECT stays here */
	pump(r, 20000);
	assert_true(a->cleared);	/* T200 ran out: libpri lets go */
	assert_int_equal(x_open(r), 2);
	assert_int_equal(r->row.unsure, 1u << ts);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 20000);
	assert_true(r->row.dchannel_up);
	assert_int_equal(r->x_restarted, 1u << ts);
	assert_int_equal(x_open(r), 1);	/* the other call lives */
	assert_false(b->cleared);
	assert_int_equal(r->row.unsure, 0);
	room_clear(b, 16);
	rig_all_quiet(r);
	assert_int_equal(r->x_restarted, 1u << ts);
}

static void a_clearing_that_gets_through_late_needs_no_restart(void **state)
{
	struct rig *r = *state;
	struct room_call *a, *b;

	two_calls_then_mute(r, &a, &b);
	room_clear(a, 16);
	pump(r, 1500);		/* LAPD has it still */
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 5000);
	assert_true(a->cleared);
	assert_int_equal(x_open(r), 1);
	assert_int_equal(r->x_restarts, 0);
	room_clear(b, 16);
	rig_all_quiet(r);
	assert_int_equal(rig_counter(r, "counters", "unsure"), 0);
}

static void a_call_that_outlived_t309_is_restarted(void **state)
{
	struct rig *r = *state;
	struct room_call *a, *b;

	two_calls_then_mute(r, &a, &b);
	pri_set_timer(r->x, PRI_TIMER_T309, 1000000);
	pump(r, 120000);
	assert_true(a->cleared && b->cleared);
	assert_int_equal(x_open(r), 2);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 20000);
	assert_int_equal(x_open(r), 0);
	assert_int_equal(r->x_restarted, 1u << a->timeslot | 1u << b->timeslot);
	rig_all_quiet(r);
}

static void no_restart_when_another_node_had_the_line(void **state)
{
	struct rig *r = *state;
	struct room_call *a, *b;

	two_calls_then_mute(r, &a, &b);
	room_clear(a, 16);
	pump(r, 20000);
	assert_true(a->cleared);
	r->taken = true;
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 20000);
	assert_int_equal(r->x_restarts, 0);
	assert_int_equal(r->row.unsure, 0);
	x_forget(r);
	room_clear(b, 16);
	rig_node_quiet(r);
}

static void an_unanswered_restart_takes_the_channel_out(void **state)
{
	struct rig *r = *state;
	struct room_call *a, *b;
	uint32_t ts;
	json_int_t sent;
	struct x_call *x;

	two_calls_then_mute(r, &a, &b);
	ts = a->timeslot;
	room_clear(a, 16);
	pump(r, 20000);
	r->x_mute = true;
	sent = rig_counter(r, "counters", "restarts_sent");
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 20000);
	/* under way: nobody gets this channel */
	x = x_dial(r, (int)ts, "5551000");
	pump(r, 100);
	assert_true(x->gone);
	assert_int_equal(x->cause, 44);
	x = x_dial_as(r, (int)ts, false, "5551000", true, PRI_TRANS_CAP_SPEECH);
	pump(r, 100);
	assert_int_equal(room_open(r), 2);
	assert_int_not_equal(x->chan, (int)ts);	/* another one */
	pri_hangup(r->x, x->c, 16);
	pump(r, 240000);
	assert_int_equal(r->row.out_of_service, 1u << ts);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 28);
	assert_int_equal(rig_counter(r, "counters", "restarts_failed"), 1);
	assert_int_equal(rig_counter(r, "counters", "restarts_sent") - sent,
			 TD_RESTART_TRIES);
	x = x_dial(r, (int)ts, "5551000");
	pump(r, 100);
	assert_int_equal(x->cause, 44);
	/* the far end's maintenance brings it back */
	r->x_mute = false;
	pri_reset(r->x, (int)ts);
	pump(r, 1000);
	assert_int_equal(r->row.out_of_service, 0);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 29);
	x_forget(r);
	room_clear(b, 16);
	rig_node_quiet(r);
}

static void what_a_sabme_has_washed_away_is_sent_again(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	r->x_mute = true;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	rig_exchange(r, PRI_NETWORK);
	pump(r, 3000);
	assert_int_equal(r->x_restarts, 0);
	r->x_mute = false;
	rig_exchange(r, PRI_NETWORK);	/* begins with SABME */
	pump(r, 3000);
	assert_int_equal(r->x_restarted, 0xfffefffe);
	rig_all_quiet(r);
}

static void a_setup_on_an_unsure_channel_is_taken(void **state)
{
	struct rig *r = *state;
	struct room_call *a, *b;
	struct x_call *x;
	int ts;

	two_calls_then_mute(r, &a, &b);
	ts = (int)a->timeslot;
	room_clear(a, 16);
	pump(r, 20000);
	/* the exchange found out by itself, and has given the channel away
	 * before we are back */
	for (int i = 0; i < RIG_CALLS; i++)
		if (r->xc[i].used && !r->xc[i].gone && r->xc[i].chan == ts) {
			pri_destroycall(r->x, r->xc[i].c);
			r->xc[i].gone = true;
		}
	x = x_dial(r, ts, "5551000");
	pump(r, 100);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 30000);
	/* either its SETUP came first, then no RESTART; or it met our RESTART
	 * and was refused: never both */
	if (x->answered)
		assert_int_equal(r->x_restarts, 0);
	else
		assert_true(x->gone);
	if (x->answered)
		pri_hangup(r->x, x->c, 16);
	room_clear(b, 16);
	rig_all_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			one_channel_after_the_other_those_known_wrong_first),
		cmocka_unit_test(
			after_the_last_try_a_channel_is_out_of_service),
		cmocka_unit_test(
			a_far_end_that_knows_no_restart_keeps_its_line),
		cmocka_unit_test(a_setup_there_proves_that_nothing_is_left),
		CASE(exactly_the_unconfirmed_channel_is_restarted),
		CASE(a_clearing_that_gets_through_late_needs_no_restart),
		CASE(a_call_that_outlived_t309_is_restarted),
		CASE(no_restart_when_another_node_had_the_line),
		CASE(an_unanswered_restart_takes_the_channel_out),
		CASE(a_setup_on_an_unsure_channel_is_taken),
		cmocka_unit_test_teardown(
			what_a_sabme_has_washed_away_is_sent_again,
			rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
