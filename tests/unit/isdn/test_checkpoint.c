// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

/* Every test of this room judges each message by the checkpoint (see
 * rig_judge.h); here each transition has a turn of its own and is exact. */

/* 15 bits, without the flag */
static void knows(const struct room_call *c, const char *called,
		  const char *calling, bool ours, bool network)
{
	assert_string_equal(c->ck_called, called);
	assert_string_equal(c->ck_calling, calling);
	assert_true(c->cref > 0 && c->cref < 32768);
	assert_int_equal(c->ck.ours, ours);
	assert_int_equal(c->ck.network, network);
	assert_int_equal(c->timeslot, c->session.timeslot);
}

static bool was(const struct rig *r, uint8_t type)
{
	for (int k = 0; k < JUDGE_ROWS; k++)
		if (judge_rows[k].type == type)
			return r->judged_types >> k & 1;
	return false;
}

static void an_outgoing_call_is_known_at_every_step(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->strict = true;
	r->x_mode = X_NOTHING;
	c = room_dial(r, "+495550004", 0);
	pump(r, 10);
	assert_true(was(r, 0x05));
	assert_int_equal(c->state, 1);
	assert_false(c->ck.confirmed);
	assert_int_equal(c->ck.called_type, 0x11);
	assert_true(c->ck.complete);
	pri_proceeding(r->x, r->xc[0].c, r->xc[0].chan, 0);
	pump(r, 10);
	assert_int_equal(c->state, 3);
	assert_true(c->ck.confirmed);
	assert_int_equal(c->ck.progress, 0);
	knows(c, "+495550004", "1000", true, false);
	pri_acknowledge(r->x, r->xc[0].c, r->xc[0].chan, 1);
	pump(r, 10);
	assert_int_equal(c->state, 4);
	assert_int_equal(c->ck.progress, 1 << 8);
	pri_answer(r->x, r->xc[0].c, r->xc[0].chan, 0);
	pump(r, 10);
	assert_true(was(r, 0x0f));
	assert_int_equal(c->state, 10);
	assert_int_equal(c->ck.cause, 0);
	room_clear(c, 17);
	pump(r, 10);
	assert_true(was(r, 0x45));
	assert_true(c->cleared);
	assert_int_equal(c->ck.cause, 17);
	rig_all_quiet(r);
}

static void an_incoming_call_is_known_at_every_step(void **state)
{
	struct rig *r = *state;
	struct room_call *c = &r->room[0];
	struct td_session slot = { .kind = TD_MEDIA_SLOT };

	r->strict = true;
	r->room_mode = ROOM_NOTHING;
	x_dial(r, 5, "5551000");
	pump(r, 10);
	c->session = c->setup.session;
	assert_true(was(r, 0x02));
	assert_int_equal(c->state, 9);
	assert_int_equal(c->ck.called_type, 0x41);
	assert_int_equal(c->ck.calling_type, 0x21);
	assert_int_equal(c->ck.calling_pres, 0x01);
	assert_int_equal(c->ck.bearer, 0);
	assert_int_equal(c->ck.layer1, 0x23);
	knows(c, "5551000", "2012345", false, false);
	assert_int_equal(c->leg->ops->progress(c->leg, &slot), 0);
	pump(r, 10);
	assert_true(was(r, 0x03));
	assert_int_equal(c->ck.progress, 1 << 8);
	assert_int_equal(c->leg->ops->alerting(c->leg, NULL), 0);
	pump(r, 10);
	assert_true(was(r, 0x01));
	assert_int_equal(c->leg->ops->answer(c->leg, NULL), 0);
	assert_int_equal(c->state, 8);
	pump(r, 10);
	assert_true(was(r, 0x07));
	assert_int_equal(c->state, 10);		/* CONNECT ACK came */
	pri_hangup(r->x, r->xc[0].c, 16);
	pump(r, 10);
	assert_true(c->cleared);
	rig_all_quiet(r);
}

static void digits_are_known_before_they_are_sent(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->strict = true;
	r->x_mode = X_NOTHING;
	r->incomplete = true;
	c = room_dial(r, "555", 0);
	pump(r, 10);
	assert_int_equal(c->leg->ops->digits(c->leg, "00", false), 0);
	assert_string_equal(c->ck_called, "55500");
	assert_string_equal(c->ck_pending, "00");
	assert_false(c->ck.complete);
	pri_need_more_info(r->x, r->xc[0].c, r->xc[0].chan, 0);
	pump(r, 10);
	assert_true(was(r, 0x7b));
	assert_string_equal(c->ck_pending, "");
	assert_int_equal(c->leg->ops->digits(c->leg, "04", true), 0);
	assert_string_equal(c->ck_called, "5550004");
	pump(r, 10);
	assert_string_equal(r->xc[0].called, "5550004");
	room_clear(c, 16);
	rig_node_quiet(r);
	x_forget(r);
}

static void overlap_receiving_is_known_too(void **state)
{
	struct rig *r = *state;
	struct room_call *c = &r->room[0];

	r->strict = true;
	r->room_mode = ROOM_ACK;
	x_dial_as(r, 5, true, "555", false, PRI_TRANS_CAP_3_1K_AUDIO);
	pump(r, 10);
	assert_true(was(r, 0x0d));
	assert_int_equal(c->state, 25);
	assert_int_equal(c->ck.bearer, 0x10);
	pri_information(r->x, r->xc[0].c, '1');
	pump(r, 10);
	assert_string_equal(c->ck_called, "5551");
	pri_hangup(r->x, r->xc[0].c, 16);
	pump(r, 10);
	rig_all_quiet(r);
}

static void a_moved_channel_and_the_network_side_are_known(void **state)
{
	struct rig *r;
	struct room_call *c;

	rig_setup_down(state);
	r = *state;
	r->conf.side = TD_SIDE_NETWORK;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	rig_exchange(r, PRI_CPE);
	pump(r, 3000);
	r->strict = true;
	r->x_mode = X_OTHER_CHANNEL;
	r->x_chan = 20;
	c = room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_true(c->answered);
	knows(c, "5550002", "1000", true, true);
	assert_int_equal(c->timeslot, 20);
	/* our CONNECT makes us active at once there, Q.931 5.2.8 */
	r->x_mode = X_NOTHING;
	x_dial(r, 9, "5551000");
	r->strict = false;
	pump(r, 100);
	assert_true(was(r, 0x07));
	room_clear(c, 16);
	pri_hangup(r->x, r->xc[1].c, 16);
	rig_all_quiet(r);
}

/* Nothing leaves while the view cannot have it. */
static void what_the_view_has_not_got_does_not_leave(void **state)
{
	struct rig *r = *state;
	struct room_call *c;
	unsigned int sent;

	r->hold = true;
	c = room_dial(r, "5550002", 0);
	sent = r->to_x.tail;
	pump(r, 500);
	assert_int_equal(r->to_x.tail, sent);
	assert_false(was(r, 0x05));
	r->hold = false;
	rig_release(r, 0);
	pump(r, 3000);
	assert_true(was(r, 0x05) && c->answered);
	room_clear(c, 16);
	rig_all_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_outgoing_call_is_known_at_every_step),
		CASE(an_incoming_call_is_known_at_every_step),
		CASE(digits_are_known_before_they_are_sent),
		CASE(overlap_receiving_is_known_too),
		cmocka_unit_test_teardown(
			a_moved_channel_and_the_network_side_are_known,
			rig_teardown),
		CASE(what_the_view_has_not_got_does_not_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
