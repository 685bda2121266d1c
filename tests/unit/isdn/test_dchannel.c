// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

static void an_inactive_line_is_silent_and_refuses(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	rig_exchange(r, PRI_NETWORK);
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s9", true), -ENOENT);
	pump(r, 5000);
	assert_int_equal(r->to_x.tail, 0);
	assert_int_equal(r->hdlc, 0);
	assert_true(r->row_there);
	assert_false(r->row.owner);
	assert_true(r->row.layer1_up);
	room_dial(r, "5550002", -ENETDOWN);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 0);
}

static void a_line_without_a_port_cannot_be_had(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	r->conf.port = 2;
	rig_exchange(r, PRI_NETWORK);
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), -ENODEV);
	assert_false(r->row.layer1_up);
}

static void no_setup_before_the_guard_time_is_over(void **state)
{
	struct rig *r;
	struct room_call *c;

	rig_setup_down(state);
	r = *state;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	assert_int_equal(r->hdlc, 16);
	rig_exchange(r, PRI_NETWORK);
	pump(r, 500);
	assert_true(r->row.dchannel_up);
	room_dial(r, "5550002", -ENETDOWN);
	x_dial(r, 1, "5551000");	/* but calls may come */
	pump(r, 100);
	assert_int_equal(room_open(r), 1);
	pump(r, 2000);
	c = room_dial(r, "5550002", 0);
	room_clear(c, 16);
	room_clear(&r->room[0], 16);
	rig_all_quiet(r);
}

static void a_transmitter_that_is_off_costs_a_second(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	r->tx_on = false;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	rig_exchange(r, PRI_NETWORK);
	pump(r, 100);
	r->tx_on = true;
	pump(r, 2000);
	assert_true(r->x_up && r->row.dchannel_up);
	assert_true(rig_counter(r, "tx", "off") > 0);
}

static void calls_outlive_a_lost_dchannel(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pri_set_timer(r->x, PRI_TIMER_T309, 90000);
	x_dial(r, 1, "5551000");
	pump(r, 100);
	r->cut = true;
	pump(r, 60000);
	assert_false(r->row.dchannel_up);
	room_dial(r, "5550002", -ENETDOWN);
	assert_int_equal(room_open(r), 2);
	r->cut = false;
	pump(r, 10000);
	assert_true(r->row.dchannel_up);
	assert_int_equal(room_open(r), 2);
	assert_int_equal(x_open(r), 2);
	pump(r, 120000);	/* T309 does not strike later */
	assert_int_equal(room_open(r), 2);
	room_clear(c, 16);
	pri_hangup(r->x, r->xc[0].c, 16);
	rig_all_quiet(r);
	assert_int_equal(rig_counter(r, "counters", "dchannel_downs"), 1);
}

static void calls_end_when_the_dchannel_stays_away(void **state)
{
	struct rig *r = *state;
	struct room_call *up = room_dial(r, "5550002", 0), *ringing;

	pump(r, 100);
	r->x_mode = X_RING;
	ringing = room_dial(r, "5550004", 0);
	pump(r, 100);
	r->cut = true;
	pump(r, 50000);
	assert_true(ringing->cleared);	/* Q.931 5.8.9: at once */
	assert_int_equal(ringing->cause, 27);
	assert_false(up->cleared);
	pump(r, 70000);
	assert_true(up->cleared);
	assert_int_equal(up->cause, 27);
	r->cut = false;
	rig_all_quiet(r);
}

static void a_line_that_was_away_for_a_while_has_its_calls(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);
	unsigned int sent;

	pri_set_timer(r->x, PRI_TIMER_T309, 90000);
	pump(r, 100);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", false), 0);
	assert_false(r->row.owner);
	assert_int_equal(r->hdlc, 0);
	pump(r, 10);
	sent = r->to_x.tail;
	room_dial(r, "5550002", -ENETDOWN);
	pump(r, 30000);
	assert_int_equal(r->to_x.tail, sent);	/* not one frame */
	assert_false(c->cleared);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 20000);
	assert_true(r->row.owner && r->row.dchannel_up);
	assert_false(c->cleared);
	room_clear(c, 16);
	pump(r, 100);
	assert_int_equal(r->xc[0].cause, 16);
	rig_all_quiet(r);
}

static void a_cold_start_restarts_every_channel_once(void **state)
{
	struct rig *r = *state;

	/* one may be sent twice, when both ends began with SABME */
	assert_int_equal(r->x_restarted, 0xfffefffe);
	assert_true(r->x_restarts <= 31);
	r->x_restarts = 0;
	r->x_restarted = 0;
	room_dial(r, "5550002", 0);
	x_dial(r, 1, "5551000");
	pump(r, 100);
	assert_int_equal(x_open(r), 2);
	/* the daemon is gone and comes back, its calls are lost */
	td_isdn_free(r->isdn);
	memset(r->room, 0, sizeof(r->room));
	pump_exchange(r, 1000);
	rig_isdn(r);
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 5000);
	assert_int_equal(r->x_restarted, 0xfffefffe);
	assert_true(r->x_restarts <= 31);
	r->x_restarts = 0;
	assert_int_equal(x_open(r), 0);
	td_isdn_activate(r->isdn, "s1", false);
	td_isdn_activate(r->isdn, "s1", true);
	pump(r, 20000);
	assert_int_equal(r->x_restarts, 0);
	rig_all_quiet(r);
}

static void no_restart_where_the_view_has_a_call(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	r->view_busy = 1u << 7;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	rig_exchange(r, PRI_NETWORK);
	pump(r, 5000);
	assert_true(r->row.dchannel_up);
	assert_int_equal(r->x_restarts, 0);
}

static void a_card_may_go_away_and_come_back(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pri_set_timer(r->x, PRI_TIMER_T309, 90000);
	pump(r, 100);
	td_isdn_unbind(r->isdn);
	r->no_card = true;
	assert_int_equal(td_isdn_bind(r->isdn), 0);
	assert_null(r->fd_fn);
	assert_false(r->row.owner || r->row.layer1_up);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), -ENODEV);
	pump(r, 30000);
	assert_false(c->cleared);
	td_isdn_unbind(r->isdn);
	r->no_card = false;
	assert_int_equal(td_isdn_bind(r->isdn), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	pump(r, 20000);
	assert_true(r->row.dchannel_up);
	assert_false(c->cleared);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void the_row_tells_alarms_and_survives_a_snapshot(void **state)
{
	struct rig *r = *state;
	unsigned int n;

	assert_string_equal(r->row.span, "s1");
	assert_int_equal(r->row.node, 1);
	assert_int_equal(r->row.epoch, 5);
	assert_true(r->row.owner && r->row.layer1_up && r->row.dchannel_up);
	r->alarms = TD_ALARM_AIS;
	r->fd_fn(r->fd_arg, 7, 0);
	assert_false(r->row.layer1_up);
	assert_int_equal(r->row.alarms, TD_ALARM_AIS);
	r->alarms = 0;
	pump(r, 1100);		/* even without an event */
	assert_true(r->row.layer1_up);
	r->row_there = false;	/* the view was replaced */
	pump(r, 3100);
	assert_true(r->row_there);
	n = r->submits;
	pump(r, 60000);
	assert_int_equal(r->submits, n);	/* nothing new, no op */
}

static void the_row_is_tried_again_when_refused(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	r->submit_rc = -ENOTCONN;	/* not joined yet */
	rig_exchange(r, PRI_NETWORK);
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	pump(r, 2000);
	assert_false(r->row_there);
	r->submit_rc = 0;
	pump(r, 1100);
	assert_true(r->row_there);
}

static void the_last_call_reference_is_never_far_behind(void **state)
{
	struct rig *r = *state;
	unsigned int n = r->submits;

	for (int i = 0; i < 50; i++) {
		struct room_call *c = room_dial(r, "5550002", 0);
		uint32_t cref;

		pump(r, 20);
		cref = c->cref;
		room_clear(c, 16);
		pump(r, 20);
		assert_true(cref - r->row.last_cref < 16);
		memset(r->room, 0, sizeof(r->room));
		memset(r->xc, 0, sizeof(r->xc));
	}
	assert_true(r->submits - n <= 5);
	rig_all_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define BARE(f) cmocka_unit_test_teardown(f, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(an_inactive_line_is_silent_and_refuses),
		BARE(a_line_without_a_port_cannot_be_had),
		BARE(no_setup_before_the_guard_time_is_over),
		BARE(a_transmitter_that_is_off_costs_a_second),
		CASE(calls_outlive_a_lost_dchannel),
		CASE(calls_end_when_the_dchannel_stays_away),
		CASE(a_line_that_was_away_for_a_while_has_its_calls),
		CASE(a_cold_start_restarts_every_channel_once),
		BARE(no_restart_where_the_view_has_a_call),
		CASE(a_card_may_go_away_and_come_back),
		CASE(the_row_tells_alarms_and_survives_a_snapshot),
		BARE(the_row_is_tried_again_when_refused),
		CASE(the_last_call_reference_is_never_far_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
