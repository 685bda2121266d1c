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

static void a_call_in_is_answered_and_cleared_by_the_exchange(void **state)
{
	struct rig *r = *state;
	struct room_call *c = &r->room[0];
	struct x_call *x = x_dial(r, 1, "5551000");

	pump(r, 100);
	assert_string_equal(c->setup.called, "5551000");
	assert_string_equal(c->setup.calling, "2012345");
	assert_string_equal(c->setup.span, "s1");
	assert_true(c->setup.complete);
	assert_false(c->setup.calling_restricted);
	assert_int_equal(c->setup.session.kind, TD_MEDIA_SLOT);
	assert_int_equal(c->setup.session.timeslot, 1);
	assert_true(x->proceeding && x->alerting && x->answered);
	assert_int_equal(c->state, 10);		/* CONNECT ACK came */
	assert_int_equal(c->timeslot, 1);
	pri_hangup(r->x, x->c, 16);
	pump(r, 100);
	assert_true(c->cleared);
	assert_int_equal(c->cause, 16);
	assert_true(x->gone);
	rig_all_quiet(r);
}

static void overlap_digits_come_one_by_one(void **state)
{
	struct rig *r = *state;
	struct room_call *c = &r->room[0];
	struct x_call *x;

	r->room_mode = ROOM_ACK;
	x = x_dial_as(r, 2, true, "555", false, PRI_TRANS_CAP_SPEECH);
	pump(r, 100);
	assert_false(c->complete);
	for (const char *d = "1000"; *d; d++) {
		pri_information(r->x, x->c, *d);
		pump(r, 20);
	}
	assert_string_equal(c->digits, "5551000");
	assert_int_equal(c->leg->ops->alerting(c->leg, NULL), 0);
	assert_int_equal(c->leg->ops->answer(c->leg, NULL), 0);
	pump(r, 20000);		/* T302 must not run any more */
	assert_false(c->complete);
	assert_true(x->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void a_caller_who_stops_dialling_has_dialled_all(void **state)
{
	struct rig *r = *state;
	struct room_call *c = &r->room[0];
	struct x_call *x;

	r->room_mode = ROOM_ACK;
	x = x_dial_as(r, 2, true, "", false, PRI_TRANS_CAP_SPEECH);
	pump(r, 10000);
	pri_information(r->x, x->c, '5');
	pump(r, 14000);		/* T302 began again */
	assert_false(c->complete);
	pump(r, 2000);
	assert_true(c->complete);
	assert_string_equal(c->digits, "5");
	room_clear(c, 28);
	pump(r, 100);
	assert_int_equal(x->cause, 28);
	rig_all_quiet(r);
}

static void overlap_digits_go_out_before_and_after_the_acknowledge(void **s)
{
	struct rig *r = *s;
	struct room_call *c;
	struct td_leg *l;

	r->x_mode = X_ACK;
	r->incomplete = true;
	c = room_dial(r, "55", 0);
	l = c->leg;
	assert_int_equal(l->ops->digits(l, "50", false), 0);
	pump(r, 100);
	assert_int_equal(r->xc[0].complete, 0);
	assert_string_equal(r->xc[0].called, "5550");
	assert_int_equal(l->ops->digits(l, "002", true), 0);
	pump(r, 100);
	assert_string_equal(r->xc[0].called, "5550002");
	assert_int_equal(c->state, 2);
	pri_proceeding(r->x, r->xc[0].c, r->xc[0].chan, 0);
	pri_answer(r->x, r->xc[0].c, r->xc[0].chan, 0);
	pump(r, 100);
	assert_true(c->answered);
	assert_int_equal(l->ops->digits(l, "1", false), -EINVAL);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void nobody_answers_overlap_digits_t304(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->x_mode = X_ACK;
	r->incomplete = true;
	c = room_dial(r, "55", 0);
	pump(r, 29000);
	assert_false(c->cleared);
	pump(r, 2000);
	assert_true(c->cleared);
	assert_int_equal(c->cause, 102);
	rig_all_quiet(r);
}

static void a_restricted_number_stays_restricted_both_ways(void **state)
{
	struct rig *r = *state;
	struct x_call *x = x_new(r, pri_new_call(r->x));
	struct pri_sr *sr = pri_sr_new();

	r->restricted = true;
	room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_int_equal(r->xc[1].pres & 0x60, PRI_PRES_RESTRICTED);
	assert_string_equal(r->xc[1].calling, "1000");

	pri_sr_set_channel(sr, 3, 1, 0);
	pri_sr_set_bearer(sr, PRI_TRANS_CAP_SPEECH, PRI_LAYER_1_ALAW);
	pri_sr_set_called(sr, (char *)"5551001", PRI_LOCAL_ISDN, 1);
	pri_sr_set_caller(sr, (char *)"4930123", (char *)"J\xfcrgen",
			  PRI_INTERNATIONAL_ISDN,
			  PRES_PROHIB_USER_NUMBER_PASSED_SCREEN);
	pri_display_options_send(r->x, PRI_DISPLAY_OPTION_NAME_INITIAL);
	assert_int_equal(pri_setup(r->x, x->c, sr), 0);
	pri_sr_free(sr);
	pump(r, 100);
	assert_true(r->room[1].setup.calling_restricted);
	assert_string_equal(r->room[1].setup.calling, "+4930123");
	room_clear(&r->room[0], 16);
	room_clear(&r->room[1], 16);
	rig_all_quiet(r);
}

static void a_data_call_is_incompatible(void **state)
{
	struct rig *r = *state;
	struct x_call *x = x_dial_as(r, 3, true, "5551000", true,
				     PRI_TRANS_CAP_DIGITAL);

	pump(r, 100);
	assert_int_equal(x->cause, 88);
	assert_false(r->room[0].used);
	rig_all_quiet(r);
}

static void thirty_calls_fill_the_line_and_leave_nothing(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 15; i++) {
		x_dial(r, 1 + i, "5551000");
		room_dial(r, "5550002", 0);
	}
	pump(r, 1000);
	assert_int_equal(room_open(r), 30);
	assert_int_equal(x_open(r), 30);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 0);
	for (int i = 0; i < 30; i++)
		assert_int_equal(r->room[i].state, 10);
	room_dial(r, "5550002", -EBUSY);
	x_dial_as(r, 5, true, "5551000", true, PRI_TRANS_CAP_SPEECH);
	x_dial_as(r, 5, false, "5551000", true, PRI_TRANS_CAP_SPEECH);
	pump(r, 100);
	assert_int_equal(r->xc[30].cause, 44);
	assert_int_equal(r->xc[31].cause, 34);
	assert_int_equal(room_open(r), 30);
	for (int i = 0; i < 30; i += 2)
		room_clear(&r->room[i], 16);
	pump(r, 1000);
	assert_int_equal(room_open(r), 15);
	for (int i = 0; i < 30; i++)
		if (!r->xc[i].gone)
			pri_hangup(r->x, r->xc[i].c, 16);
	pump(r, 1000);
	assert_int_equal(room_open(r), 0);
	rig_all_quiet(r);
	assert_int_equal(rig_counter(r, "counters", "calls_in"), 17);
	assert_int_equal(rig_counter(r, "counters", "calls_out"), 15);
}

static void in_band_tones_are_told(void **state)
{
	struct rig *r = *state;
	struct room_call *c;
	struct td_session early = { .kind = TD_MEDIA_RTP };
	struct x_call *x;

	r->x_mode = X_PROGRESS;
	c = room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_true(c->proceeding && c->progress && c->inband);
	assert_int_equal(c->session.timeslot, 31);
	room_clear(c, 16);
	pump(r, 100);
	/* and we tell the exchange: PROCEEDING goes before PROGRESS */
	r->room_mode = ROOM_NOTHING;
	x = x_dial(r, 1, "5551000");
	pump(r, 10);
	c = &r->room[1];
	assert_int_equal(c->leg->ops->progress(c->leg, &early), 0);
	pump(r, 10);
	assert_true(x->proceeding);
	assert_int_equal(x->progress, PRI_PROG_INBAND_AVAILABLE);
	assert_int_equal(c->state, 9);
	assert_int_equal(c->leg->ops->alerting(c->leg, &early), 0);
	pump(r, 10);
	assert_true(x->alerting);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void an_offer_is_agreed_to_later(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);
	struct td_session hold = { .kind = TD_MEDIA_RTP };
	struct td_leg *l = c->leg;

	assert_int_equal(l->ops->offer(l, &hold), -EINVAL);
	pump(r, 100);
	assert_int_equal(l->ops->offer(l, &hold), 0);
	assert_false(c->offered);
	pump(r, 10);
	assert_true(c->offered);
	assert_int_equal(c->session.kind, TD_MEDIA_SLOT);
	assert_int_equal(l->ops->dtmf(l, '1'), -EOPNOTSUPP);
	assert_int_equal(l->ops->answer(l, NULL), -EINVAL);
	assert_int_equal(l->ops->more_digits(l), -EINVAL);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void a_number_that_is_none_is_not_dialled(void **state)
{
	struct rig *r = *state;

	room_dial(r, "alice", -EINVAL);
	room_dial(r, "", -EINVAL);
	room_dial(r, "12345678901234567890123456789012", -EINVAL);
	pump(r, 100);
	assert_int_equal(x_open(r), 0);
	rig_all_quiet(r);
}

static void the_network_side_works_as_well(void **state)
{
	struct rig *r;
	struct room_call *c;
	struct x_call *x;

	rig_setup_down(state);
	r = *state;
	r->conf.side = TD_SIDE_NETWORK;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	rig_exchange(r, PRI_CPE);
	pump(r, 3000);
	c = room_dial(r, "5550002", 0);
	x = x_dial(r, 31, "5551000");
	pump(r, 100);
	assert_true(c->answered && x->answered);
	assert_int_equal(c->timeslot, 1);	/* hunted from the bottom */
	assert_int_equal(r->room[1].state, 10);
	room_clear(c, 16);
	room_clear(&r->room[1], 17);
	pump(r, 100);
	assert_int_equal(x->cause, 17);
	rig_all_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_call_out_is_answered_and_cleared_by_us),
		CASE(a_call_in_is_answered_and_cleared_by_the_exchange),
		CASE(overlap_digits_come_one_by_one),
		CASE(a_caller_who_stops_dialling_has_dialled_all),
		CASE(overlap_digits_go_out_before_and_after_the_acknowledge),
		CASE(nobody_answers_overlap_digits_t304),
		CASE(a_restricted_number_stays_restricted_both_ways),
		CASE(a_data_call_is_incompatible),
		CASE(thirty_calls_fill_the_line_and_leave_nothing),
		CASE(in_band_tones_are_told),
		CASE(an_offer_is_agreed_to_later),
		CASE(a_number_that_is_none_is_not_dialled),
		cmocka_unit_test_teardown(the_network_side_works_as_well,
					  rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
