// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

/* "Every effect waits for its op" (failover.md). */

static void no_frame_leaves_before_the_op_is_held(void **state)
{
	struct rig *r = *state;
	unsigned int sent = r->to_x.tail;
	struct room_call *c;

	r->hold = true;
	c = room_dial(r, "5550002", 0);
	assert_int_equal(c->checkpoints, 1);	/* before SETUP */
	assert_int_equal(c->state, 1);
	assert_int_equal(c->timeslot, 31);
	assert_true(c->cref > 0);
	pump(r, 10);
	assert_int_equal(r->to_x.tail, sent);
	assert_int_equal(rig_counter(r, "tx", "waiting"), 1);
	rig_release(r, 0);
	assert_int_equal(r->to_x.tail, sent + 1);
	r->hold = false;
	pump(r, 100);
	assert_true(c->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void layer_2_acknowledgements_wait_too(void **state)
{
	struct rig *r = *state;
	unsigned int sent = r->to_x.tail;

	r->hold = true;
	x_dial(r, 1, "5551000");
	pump(r, 10);
	/* the SETUP is known to the call room, and nothing says so outside */
	assert_true(r->room[0].used);
	assert_int_equal(r->room[0].state, 8);
	assert_int_equal(r->to_x.tail, sent);
	rig_release(r, 0);
	assert_true(r->to_x.tail > sent);
	r->hold = false;
	pump(r, 2000);
	assert_true(r->xc[0].answered);
	room_clear(&r->room[0], 16);
	rig_all_quiet(r);
}

static void the_peers_steps_are_checkpointed_before_they_are_acked(void **s)
{
	struct rig *r = *s;
	struct room_call *c;
	unsigned int sent;

	r->x_mode = X_NOTHING;
	c = room_dial(r, "5550002", 0);
	pump(r, 10);
	sent = r->to_x.tail;
	r->hold = true;
	pri_proceeding(r->x, r->xc[0].c, 31, 0);
	pump(r, 1);
	assert_int_equal(c->state, 3);
	pri_acknowledge(r->x, r->xc[0].c, 31, 0);
	pump(r, 1);
	assert_int_equal(c->state, 4);
	pri_answer(r->x, r->xc[0].c, 31, 0);
	pump(r, 1);
	assert_int_equal(c->state, 10);
	assert_int_equal(r->to_x.tail, sent);
	rig_release(r, 0);
	r->hold = false;
	pump(r, 3000);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void a_cancelled_batch_is_dropped_and_lapd_repairs(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->hold = true;
	c = room_dial(r, "5550002", 0);
	rig_release(r, -ECANCELED);
	r->hold = false;
	assert_int_equal(rig_counter(r, "tx", "cancelled"), 1);
	pump(r, 5000);
	assert_true(c->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void batches_keep_their_order(void **state)
{
	struct rig *r = *state;
	struct rig_frame *f;
	unsigned int sent = r->to_x.tail, n = 0;

	r->hold = true;
	for (int i = 0; i < 5; i++)
		room_dial(r, "5550002", 0);
	rig_release(r, 0);
	for (unsigned int i = sent; i < r->to_x.tail; i++) {
		f = &r->to_x.f[i % RIG_FRAMES];
		assert_int_equal(f->b[2] & 1, 0);
		if (n++)
			assert_int_equal(f->b[2], (uint8_t)
					 (r->to_x.f[(i - 1) % RIG_FRAMES].b[2]
					  + 2));
	}
	assert_int_equal(n, 5);
	r->hold = false;
	pump(r, 100);
	for (int i = 0; i < 5; i++)
		room_clear(&r->room[i], 16);
	rig_all_quiet(r);
}

static void without_a_checkpoint_there_is_no_setup_and_no_connect(void **s)
{
	struct rig *r = *s;
	unsigned int sent = r->to_x.tail;
	struct room_call *c;

	r->checkpoint_rc = -EAGAIN;
	room_dial(r, "5550002", -EAGAIN);
	r->checkpoint_rc = -ENOTCONN;
	room_dial(r, "5550002", -ENETDOWN);
	assert_int_equal(r->to_x.tail, sent);
	r->checkpoint_rc = 0;
	r->room_mode = ROOM_RING;
	x_dial(r, 1, "5551000");
	pump(r, 10);
	c = &r->room[0];
	r->checkpoint_rc = -EAGAIN;
	assert_int_equal(c->leg->ops->answer(c->leg, NULL), -EAGAIN);
	pump(r, 100);
	assert_false(r->xc[0].answered);
	r->checkpoint_rc = 0;
	assert_int_equal(c->leg->ops->answer(c->leg, NULL), 0);
	pump(r, 100);
	assert_true(r->xc[0].answered);
	assert_int_equal(rig_counter(r, "counters", "checkpoint_failed"), 3);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void a_full_card_delays_and_loses_nothing(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->card_full = true;
	c = room_dial(r, "5550002", 0);
	room_dial(r, "5550002", 0);
	assert_int_equal(rig_counter(r, "tx", "queued"), 2);
	r->card_full = false;
	r->fd_fn(r->fd_arg, 7, 0);	/* space came back */
	assert_int_equal(rig_counter(r, "tx", "queued"), 0);
	pump(r, 100);
	assert_true(c->answered);
	room_clear(c, 16);
	room_clear(&r->room[1], 16);
	rig_all_quiet(r);
}

static void a_cluster_that_takes_no_effect_costs_only_frames(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->effect_rc = -EAGAIN;
	c = room_dial(r, "5550002", 0);
	r->effect_rc = 0;
	assert_int_equal(rig_counter(r, "tx", "refused"), 1);
	assert_int_equal(rig_counter(r, "tx", "waiting"), 0);
	pump(r, 5000);
	assert_true(c->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void what_waits_is_bounded(void **state)
{
	struct rig *r = *state;

	pri_set_timer(r->x, PRI_TIMER_T309, 900000);
	r->hold = true;
	x_dial(r, 1, "5551000");
	for (int i = 0; i < 100; i++) {	/* SABMEs and polls, unanswered */
		uint8_t sabme[] = { 2, 1, 0x7f };

		for (int k = 0; k < 4; k++)
			rig_put(&r->to_node, sabme, 3);
		pump(r, 1);
	}
	assert_int_equal(rig_counter(r, "tx", "waiting"), 256);
	assert_true(rig_counter(r, "tx", "refused") > 100);
	rig_release(r, -ECANCELED);
	r->hold = false;
	pump(r, 60000);		/* no CONNECT ACK: it ends by itself */
	assert_true(r->room[0].cleared);
	x_forget(r);
	rig_all_quiet(r);
}

static void what_waits_when_the_line_is_lost_never_leaves(void **state)
{
	struct rig *r = *state;
	unsigned int sent;

	pump(r, 100);
	sent = r->to_x.tail;
	r->hold = true;
	room_dial(r, "5550002", 0);
	td_isdn_activate(r->isdn, "s1", false);
	td_isdn_activate(r->isdn, "s1", true);	/* at a new epoch */
	rig_release(r, 0);
	assert_int_equal(r->to_x.tail, sent);
	r->hold = false;
	pump(r, 10000);		/* T200: it is sent again */
	assert_true(r->room[0].answered);
	room_clear(&r->room[0], 16);
	rig_all_quiet(r);
}

static void effects_may_come_after_the_room_is_gone(void **state)
{
	struct rig *r = *state;

	r->hold = true;
	room_dial(r, "5550002", 0);
	x_dial(r, 1, "5551000");
	pump(r, 10);
	assert_true(r->n_wait > 0);
	/* rig_teardown frees the room first, then cancels */
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_frame_leaves_before_the_op_is_held),
		CASE(layer_2_acknowledgements_wait_too),
		CASE(the_peers_steps_are_checkpointed_before_they_are_acked),
		CASE(a_cancelled_batch_is_dropped_and_lapd_repairs),
		CASE(batches_keep_their_order),
		CASE(without_a_checkpoint_there_is_no_setup_and_no_connect),
		CASE(a_full_card_delays_and_loses_nothing),
		CASE(a_cluster_that_takes_no_effect_costs_only_frames),
		CASE(what_waits_is_bounded),
		CASE(what_waits_when_the_line_is_lost_never_leaves),
		CASE(effects_may_come_after_the_room_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
