// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

static const int causes[] = { 1,  3,  16, 17, 18, 19, 20, 21, 22, 27, 28,
			      31, 34, 38, 41, 42, 44, 65, 88, 102, 127 };
enum { N_CAUSES = sizeof(causes) / sizeof(causes[0]) };

static void the_far_ends_cause_passes_through(void **state)
{
	struct rig *r = *state;

	r->x_mode = X_BUSY;
	for (int i = 0; i < N_CAUSES; i++) {
		struct room_call *c;

		r->x_cause = causes[i];
		c = room_dial(r, "5550003", 0);
		pump(r, 100);
		assert_true(c->cleared);
		assert_int_equal(c->cause, causes[i]);
		assert_false(c->answered);
	}
	rig_all_quiet(r);
}

static void our_cause_passes_through_at_every_stage(void **state)
{
	static const enum room_mode mode[] = { ROOM_REFUSE, ROOM_ACK,
					       ROOM_RING, ROOM_ANSWER };
	struct rig *r = *state;

	for (size_t m = 0; m < 4; m++) {
		r->room_mode = mode[m];
		memset(r->room, 0, sizeof(r->room));
		memset(r->xc, 0, sizeof(r->xc));
		for (int i = 0; i < N_CAUSES; i++) {
			struct x_call *x;

			r->room_cause = causes[i];
			x = x_dial_as(r, 1, true, "5551000", false,
				      PRI_TRANS_CAP_SPEECH);
			pump(r, 50);
			if (mode[m] != ROOM_REFUSE)
				room_clear(&r->room[i], causes[i]);
			pump(r, 100);
			assert_int_equal(x->cause, causes[i]);
			assert_true(x->gone);
			assert_true(r->room[i].cleared);
			assert_int_equal(r->room[i].cause, causes[i]);
		}
	}
	rig_all_quiet(r);
}

static void we_give_up_while_it_rings(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->x_mode = X_RING;
	c = room_dial(r, "5550004", 0);
	pump(r, 5000);
	assert_true(c->alerting);
	assert_false(c->inband);
	room_clear(c, 16);
	pump(r, 100);
	assert_true(c->cleared);
	assert_int_equal(r->xc[0].cause, 16);
	rig_all_quiet(r);
}

static void we_give_up_before_any_answer(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->x_mode = X_NOTHING;
	c = room_dial(r, "5550004", 0);
	room_clear(c, 16);	/* even before SETUP was acknowledged */
	pump(r, 1000);
	assert_true(c->cleared);
	x_forget(r);
	rig_all_quiet(r);
}

static void the_exchange_gives_up_while_it_rings_here(void **state)
{
	struct rig *r = *state;
	struct x_call *x;

	r->room_mode = ROOM_RING;
	x = x_dial(r, 1, "5551000");
	pump(r, 3000);
	pri_hangup(r->x, x->c, 16);
	pump(r, 100);
	assert_true(r->room[0].cleared);
	assert_int_equal(r->room[0].cause, 16);
	rig_all_quiet(r);
}

static void both_clear_at_once(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	pri_hangup(r->x, r->xc[0].c, 31);
	room_clear(c, 16);
	pump(r, 1000);
	assert_int_equal(c->cleared_times, 1);
	assert_int_equal(c->cause, 16);	/* our own, we were first to us */
	rig_all_quiet(r);
}

static void an_exchange_that_says_nothing_is_given_up_t303(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->x_mode = X_NOTHING;
	c = room_dial(r, "5550004", 0);
	pump(r, 30000);
	assert_true(c->cleared);
	assert_int_equal(c->cause, 18);
	x_forget(r);
	rig_all_quiet(r);
}

static void an_exchange_that_proceeds_for_ever_is_given_up_t310(void **s)
{
	struct rig *r = *s;
	struct room_call *c;

	r->x_mode = X_PROCEED;
	c = room_dial(r, "5550004", 0);
	pump(r, 119000);
	assert_false(c->cleared);
	pump(r, 2000);
	assert_true(c->cleared);
	assert_int_equal(c->cause, 102);
	assert_int_equal(r->xc[0].cause, 102);
	rig_all_quiet(r);
}

static void a_setup_is_answered_even_if_the_call_room_says_nothing(void **s)
{
	struct rig *r = *s;
	struct x_call *x;

	r->room_mode = ROOM_NOTHING;
	x = x_dial(r, 1, "5551000");
	pump(r, 10);
	assert_true(x->proceeding);
	assert_int_equal(r->room[0].state, 9);
	pri_hangup(r->x, x->c, 1);
	pump(r, 10);
	assert_true(r->room[0].cleared);
	assert_int_equal(r->room[0].cause, 1);
	x = x_dial_as(r, 1, true, "555", false, PRI_TRANS_CAP_SPEECH);
	pump(r, 10);
	assert_true(x->proceeding);	/* SETUP ACK here */
	assert_int_equal(r->room[1].state, 25);
	pri_hangup(r->x, x->c, 16);
	rig_all_quiet(r);
	assert_int_equal(rig_counter(r, "counters", "swept"), 0);
}

static void a_call_room_that_cannot_says_why(void **state)
{
	struct rig *r = *state;
	struct x_call *x;

	r->room_mode = ROOM_FULL;
	x = x_dial(r, 1, "5551000");
	pump(r, 100);
	assert_int_equal(x->cause, 42);
	r->room_mode = ROOM_BROKEN;
	x = x_dial(r, 1, "5551000");
	pump(r, 100);
	assert_int_equal(x->cause, 41);
	assert_int_equal(rig_counter(r, "counters", "refused_in"), 2);
	rig_all_quiet(r);
}

static void a_leg_that_never_began_is_cleared_too(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_new(r);

	assert_int_equal(td_isdn_leg_new(r->isdn, &c->leg), 0);
	c->leg->call = c;
	room_clear(c, 16);
	room_clear(c, 17);	/* once is enough */
	assert_false(c->cleared);
	pump(r, 1);
	assert_int_equal(c->cleared_times, 1);
	assert_int_equal(c->cause, 16);
	rig_all_quiet(r);
}

static void a_leg_freed_while_up_clears_its_call(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	pump(r, 100);
	c->cleared = true;	/* its row goes with the call */
	c->cleared_times = 1;
	c->leg->ops->free(c->leg);
	pump(r, 100);
	assert_true(r->xc[0].gone);
	assert_int_equal(r->xc[0].cause, 16);
	rig_all_quiet(r);
}

static void a_leg_may_be_kept_after_it_was_cleared(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_dial(r, "5550002", 0);

	r->keep_legs = true;
	pump(r, 100);
	pri_hangup(r->x, r->xc[0].c, 16);
	pump(r, 100);
	assert_true(c->cleared);
	room_clear(c, 17);
	pump(r, 100);
	c->leg->ops->free(c->leg);
	rig_all_quiet(r);
}

static void two_legs_of_a_call_may_free_each_other(void **state)
{
	struct rig *r = *state;
	struct room_call *a = room_new(r), *b = room_new(r);

	for (int i = 0; i < 2; i++) {
		struct room_call *c = i ? b : a;

		assert_int_equal(td_isdn_leg_new(r->isdn, &c->leg), 0);
		c->leg->call = c;
		room_clear(c, 16);
	}
	b->leg->ops->free(b->leg);	/* before its event */
	b->used = false;
	pump(r, 1);
	assert_true(a->cleared);
	assert_false(b->cleared);
	rig_all_quiet(r);
}

static void restart_of_a_channel_clears_its_call(void **state)
{
	struct rig *r = *state;

	room_dial(r, "5550002", 0);
	room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_int_equal(pri_reset(r->x, 31), 0);
	pump(r, 100);
	assert_true(r->room[0].cleared);
	assert_int_equal(r->room[0].cause, 41);
	assert_false(r->room[1].cleared);
	assert_int_equal(r->x_restart_acks, 1);
	/* its channel can be had again */
	pri_destroycall(r->x, r->xc[0].c);
	r->xc[0].gone = true;
	room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_int_equal(r->room[2].timeslot, 31);
	room_clear(&r->room[1], 16);
	room_clear(&r->room[2], 16);
	rig_all_quiet(r);
}

static void restart_of_the_line_clears_every_call(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 5; i++) {
		room_dial(r, "5550002", 0);
		x_dial(r, 1 + i, "5551000");
	}
	r->room_mode = ROOM_RING;
	x_dial(r, 9, "5551000");
	pump(r, 100);
	assert_int_equal(room_open(r), 11);
	x_forget(r);
	assert_int_equal(pri_reset(r->x, -1), 0);
	pump(r, 100);
	assert_int_equal(room_open(r), 0);
	for (int i = 0; i < 11; i++)
		assert_int_equal(r->room[i].cause, 41);
	rig_all_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_far_ends_cause_passes_through),
		CASE(our_cause_passes_through_at_every_stage),
		CASE(we_give_up_while_it_rings),
		CASE(we_give_up_before_any_answer),
		CASE(the_exchange_gives_up_while_it_rings_here),
		CASE(both_clear_at_once),
		CASE(an_exchange_that_says_nothing_is_given_up_t303),
		CASE(an_exchange_that_proceeds_for_ever_is_given_up_t310),
		CASE(a_setup_is_answered_even_if_the_call_room_says_nothing),
		CASE(a_call_room_that_cannot_says_why),
		CASE(a_leg_that_never_began_is_cleared_too),
		CASE(a_leg_freed_while_up_clears_its_call),
		CASE(a_leg_may_be_kept_after_it_was_cleared),
		CASE(two_legs_of_a_call_may_free_each_other),
		CASE(restart_of_a_channel_clears_its_call),
		CASE(restart_of_the_line_clears_every_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
