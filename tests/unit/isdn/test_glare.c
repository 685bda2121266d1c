// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

static void glare_our_call_gives_way_and_moves(void **state)
{
	struct rig *r = *state;
	struct room_call *out;
	struct x_call *in;

	/* the exchange puts our call on 30, since 31 is its own */
	r->x_mode = X_OTHER_CHANNEL;
	r->x_chan = 30;
	out = room_dial(r, "5550002", 0);
	in = x_dial(r, 31, "5551000");
	pump(r, 200);
	assert_true(in->answered);
	assert_true(out->answered);
	assert_int_equal(r->room[1].timeslot, 31);
	assert_int_equal(out->timeslot, 30);
	assert_int_equal(out->session.timeslot, 30);
	assert_int_equal(rig_counter(r, "counters", "glare"), 1);
	room_clear(out, 16);
	pri_hangup(r->x, in->c, 16);
	rig_all_quiet(r);
}

static void glare_our_call_is_refused_and_tried_again(void **state)
{
	struct rig *r = *state;
	struct room_call *out;
	struct x_call *in;

	r->x_mode = X_REFUSE_CHANNEL;
	out = room_dial(r, "5550002", 0);
	in = x_dial(r, 31, "5551000");
	pump(r, 200);
	assert_true(in->answered);
	assert_true(out->answered);	/* the call room saw nothing of it */
	assert_int_equal(out->timeslot, 30);
	assert_int_equal(rig_counter(r, "counters", "retried"), 1);
	room_clear(out, 16);
	room_clear(&r->room[1], 16);
	rig_all_quiet(r);
}

static void a_refused_channel_is_not_offered_again(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->x_mode = X_REFUSE_CHANNEL;
	c = room_dial(r, "5550002", 0);
	pump(r, 200);
	assert_true(c->answered);
	assert_int_equal(c->timeslot, 30);
	assert_int_not_equal(c->cref, 1);
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void a_second_refusal_is_told(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->x_mode = X_REFUSE_CHANNEL;
	r->x_chan = 2;
	c = room_dial(r, "5550002", 0);
	pump(r, 200);
	assert_true(c->cleared);
	assert_int_equal(c->cause, 44);
	rig_all_quiet(r);
}

static void an_answer_on_a_busy_channel_is_released(void **state)
{
	struct rig *r = *state;
	struct room_call *a = room_dial(r, "5550002", 0), *b;

	pump(r, 100);
	assert_int_equal(a->timeslot, 31);
	r->x_mode = X_OTHER_CHANNEL;
	r->x_chan = 31;
	b = room_dial(r, "5550002", 0);	/* twice, then it is given up */
	pump(r, 200);
	assert_true(b->cleared);
	assert_int_equal(b->cause, 44);
	assert_false(a->cleared);
	assert_int_equal(r->xc[1].cause, 6);
	assert_int_equal(r->xc[2].cause, 6);
	room_clear(a, 16);
	rig_all_quiet(r);
}

static void an_incoming_call_prefers_or_insists(void **state)
{
	struct rig *r = *state;
	struct x_call *a = x_dial(r, 5, "5551000"), *b, *c, *d;

	pump(r, 100);
	b = x_dial_as(r, 5, false, "5551001", true, PRI_TRANS_CAP_SPEECH);
	pump(r, 100);
	assert_true(a->answered && b->answered);
	assert_int_equal(b->chan, 31);	/* we chose; it agreed */
	assert_int_equal(r->room[1].timeslot, 31);
	c = x_dial(r, 5, "5551002");
	d = x_dial(r, 16, "5551002");
	pump(r, 100);
	assert_int_equal(c->cause, 44);
	assert_int_equal(d->cause, 82);
	room_clear(&r->room[0], 16);
	room_clear(&r->room[1], 16);
	rig_all_quiet(r);
}

static void a_channel_that_is_busy_in_the_view_is_not_offered(void **state)
{
	struct rig *r = *state;
	struct room_call *c;

	r->view_busy = 1u << 31 | 1u << 30;
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 28);
	c = room_dial(r, "5550002", 0);
	pump(r, 100);
	assert_int_equal(c->timeslot, 29);
	r->view_busy = 0xfffffffe;
	room_dial(r, "5550002", -EBUSY);
	r->view_busy = 0;
	room_clear(c, 16);
	rig_all_quiet(r);
}

static void lines_out_of_service_are_passed_over(void **state)
{
	struct rig *r = *state;
	struct room_call *c = room_new(r);
	struct td_site_line conf[2] = { r->conf, r->conf };
	struct td_site site = { .lines = conf, .n_lines = 2 };

	strcpy(conf[1].name, "s2");	/* its port is not there */
	conf[1].port = 2;
	assert_int_equal(td_isdn_set_site(r->isdn, &site), 0);
	strcpy(c->setup.called, "5550002");
	strcpy(c->setup.calling, "alice");	/* no number: none is sent */
	c->setup.complete = true;
	strcpy(c->setup.lines[0], "s9");
	strcpy(c->setup.lines[1], "s2");
	c->setup.n_lines = 2;
	assert_int_equal(td_isdn_leg_new(r->isdn, &c->leg), 0);
	c->leg->call = c;
	assert_int_equal(c->leg->ops->setup(c->leg, &c->setup), -ENETDOWN);
	strcpy(c->setup.lines[2], "s1");
	c->setup.n_lines = 3;	/* the same leg may be tried again */
	r->view_busy = 0xfffffffe;
	assert_int_equal(c->leg->ops->setup(c->leg, &c->setup), -EBUSY);
	r->view_busy = 0;
	assert_int_equal(c->leg->ops->setup(c->leg, &c->setup), 0);
	assert_int_equal(c->leg->ops->setup(c->leg, &c->setup), -EINVAL);
	pump(r, 100);
	assert_true(c->answered);
	assert_string_equal(c->session.span, "s1");
	assert_string_equal(r->xc[0].calling, "");
	room_clear(c, 16);
	rig_all_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(glare_our_call_gives_way_and_moves),
		CASE(glare_our_call_is_refused_and_tried_again),
		CASE(a_refused_channel_is_not_offered_again),
		CASE(a_second_refusal_is_told),
		CASE(an_answer_on_a_busy_channel_is_released),
		CASE(an_incoming_call_prefers_or_insists),
		CASE(lines_out_of_service_are_passed_over),
		CASE(a_channel_that_is_busy_in_the_view_is_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
