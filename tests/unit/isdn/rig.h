/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_ISDN_RIG_H
#define TD_TEST_ISDN_RIG_H

#include "isdn/rig_exchange.h"
#include "isdn/rig_judge.h"
#include "isdn/rig_room.h"
#include "isdn/rig_world.h"

/* ---- time goes by ---- */

RIG int x_step(struct rig *r)
{
	pri_event *e;
	struct timeval *t;
	int did = 0;

	while (r->to_x.head != r->to_x.tail) {
		did++;
		if ((e = pri_check_event(r->x)))
			x_event(r, e);
	}
	while ((t = pri_schedule_next(r->x)) &&
	       t->tv_sec * INT64_C(1000000) + t->tv_usec <= rig_us) {
		did++;
		if ((e = pri_schedule_run(r->x)))
			x_event(r, e);
	}
	return did;
}
RIG int timers_step(struct rig *r)
{
	int did = 0;

	for (int i = 0; i < RIG_TIMERS; i++) {
		struct td_timer *t = r->timer[i].t;

		if (!t || r->timer[i].at_us > rig_us)
			continue;
		r->timer[i].t = NULL;
		did++;
		t->fn(t->arg);
	}
	return did;
}
RIG int64_t rig_next(struct rig *r, int64_t end)
{
	struct timeval *t = pri_schedule_next(r->x);
	int64_t at = t ? t->tv_sec * INT64_C(1000000) + t->tv_usec : end;

	for (int i = 0; i < RIG_TIMERS; i++)
		if (r->timer[i].t && r->timer[i].at_us < at)
			at = r->timer[i].at_us;
	return at < end ? at : end;
}
RIG void pump(struct rig *r, int64_t ms)
{
	int64_t end = rig_us + ms * 1000;

	for (;;) {
		int did = x_step(r);

		if (r->to_node.head != r->to_node.tail && r->hdlc) {
			did++;
			r->fd_fn(r->fd_arg, 7, 0);
		}
		did += timers_step(r);
		if (did)
			continue;
		if (rig_us >= end)
			return;
		rig_us = rig_next(r, end);
	}
}

/* The node is not there. */
RIG void pump_exchange(struct rig *r, int64_t ms)
{
	int64_t end = rig_us + ms * 1000;

	for (;;) {
		if (x_step(r))
			continue;
		if (rig_us >= end)
			return;
		rig_us = rig_next(r, end);
	}
}

RIG void x_silent(struct pri *p, char *s)
{
}

/* ---- set-up ---- */

RIG void rig_isdn(struct rig *r)
{
	r->env = (struct td_isdn_env){
		.arg = r,
		.node_id = 1,
		.up = { up_incoming, up_event, up_checkpoint, r },
		.port = e_port,
		.event_fd = e_event_fd,
		.event_clear = e_event_clear,
		.hdlc = e_hdlc,
		.recv = e_recv,
		.send = e_send,
		.state = e_state,
		.submit = e_submit,
		.effect = e_effect,
		.busy = e_busy,
		.row = e_row,
		.next_row = e_next_row,
		.taken = e_taken,
		.retired = e_retired,
		.agreed_ms = e_now,
		.now_ms = e_now,
		.timer_start = e_timer_start,
		.timer_stop = e_timer_stop,
		.watch = e_watch,
		.unwatch = e_unwatch,
	};
	r->conf = (struct td_site_line){
		.name = "s1",
		.port = 1,
		.nodes = { 1, 2 },
		.n_nodes = 2,
		.channels = 0xfffefffe,
		.dchannel = 16,
		.overlap = true,
	};
	r->site = (struct td_site){ .lines = &r->conf, .n_lines = 1 };
	assert_int_equal(td_isdn_new_env(&r->env, &r->isdn), 0);
}

RIG int rig_setup_down(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->to_node.f = calloc(RIG_FRAMES, sizeof(struct rig_frame));
	r->to_x.f = calloc(RIG_FRAMES, sizeof(struct rig_frame));
	r->tx_on = true;
	r->judge = judge_frame;
	rig_us += INT64_C(3600) * 1000000;
	rig_isdn(r);
	*state = r;
	return 0;
}
RIG void rig_exchange(struct rig *r, int side)
{
	r->x = pri_new_cb(-1, side, PRI_SWITCH_EUROISDN_E1, x_read, x_write,
			  r);
	rig_no_leak(r->x);
	pri_set_overlapdial(r->x, 1);
	pri_hangup_fix_enable(r->x, 1);
	pri_set_message(x_silent);
	pri_set_error(x_silent);
}
RIG int rig_setup(void **state)
{
	struct rig *r;

	rig_setup_down(state);
	r = *state;
	assert_int_equal(td_isdn_set_site(r->isdn, &r->site), 0);
	assert_int_equal(td_isdn_activate(r->isdn, "s1", true), 0);
	rig_exchange(r, PRI_NETWORK);
	pump(r, 3000);
	assert_true(r->x_up);
	assert_true(r->row.dchannel_up);
	return 0;
}
RIG int rig_teardown(void **state)
{
	struct rig *r = *state;

	td_isdn_free(r->isdn);
	rig_release(r, -ECANCELED);
	free(r->to_node.f);
	free(r->to_x.f);
	free(r);
	return 0;
}

/* Nothing may be left over: in the node, on either side. */
RIG void rig_node_quiet(struct rig *r)
{
	json_t *d, *l;

	pump(r, 60000);
	d = td_isdn_dump(r->isdn);
	l = json_array_get(json_object_get(d, "lines"), 0);
	assert_int_equal(room_open(r), 0);
	assert_int_equal(json_integer_value(json_object_get(
				 l, "libpri_calls")), 0);
	assert_int_equal(json_integer_value(json_object_get(l, "legs")), 0);
	assert_int_equal(json_array_size(json_object_get(l, "busy")), 0);
	assert_int_equal(td_isdn_idle_channels(r->isdn, "s1"), 30);
	json_decref(d);
	for (int i = 0; i < RIG_CALLS; i++)
		if (r->room[i].used)
			assert_int_equal(r->room[i].cleared_times, 1);
}
RIG void rig_all_quiet(struct rig *r)
{
	rig_node_quiet(r);
	assert_int_equal(x_open(r), 0);
	assert_int_equal(x_lib_calls(r), 0);
}

RIG json_int_t rig_counter(struct rig *r, const char *group, const char *name)
{
	json_t *d = td_isdn_dump(r->isdn);
	json_t *l = json_array_get(json_object_get(d, "lines"), 0);
	json_t *v = json_object_get(json_object_get(l, group), name);
	json_int_t n = json_integer_value(v);

	assert_non_null(v);
	json_decref(d);
	return n;
}

#endif
