// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/base/log.h"
#include "tests/instr/xg711.h"
#include "tests/unit/exchange/user_side.h"

static json_t *summary(struct world *w)
{
	assert_non_null(w->report);
	return json_object_get(w->report, "summary");
}

static int64_t num(json_t *j, const char *key)
{
	assert_non_null(json_object_get(j, key));
	return json_integer_value(json_object_get(j, key));
}

static json_t *first_call(struct world *w)
{
	return json_array_get(json_object_get(w->report, "calls"), 0);
}

static void nothing_left(struct world *w)
{
	json_t *s = td_xcalls_status(w->x);

	assert_int_equal(num(s, "calls"), 0);
	assert_int_equal(num(s, "ghosts"), 0);
	assert_int_equal(num(json_array_get(json_object_get(s, "lines"), 0),
			     "busy_channels"), 0);
	assert_int_equal(user_ghosts(w), 0);
	for (int ts = 0; ts < 32; ts++)
		assert_false(w->line->chan[ts].open);
	json_decref(s);
}

static void placed_calls_are_held_and_cleared_and_their_echo_is_clean(
	void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551000", .to_last = "5551029",
		.count = 30, .rate = 100, .hold_ms = 3000,
		.patience_ms = 5000, .line = -1, .pattern = true };
	json_t *p;

	assert_true(w->up);
	assert_true(td_xcalls_order(w->x, &o, on_report, w) > 0);
	world_run(w, 6000);
	assert_int_equal(num(summary(w), "placed"), 30);
	assert_int_equal(num(summary(w), "answered"), 30);
	assert_int_equal(num(summary(w), "ghosts"), 0);
	p = json_object_get(summary(w), "pattern");
	assert_int_equal(num(p, "clean"), 30);
	assert_true(num(p, "octets") > 30 * 8 * 2800);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(w->call[i].cause, 16);
		assert_int_equal(w->call[i].channel & 0xff,
				 i < 15 ? i + 1 : i + 2);
	}
	assert_string_equal(w->call[29].called, "5551029");
	/* the way round: play-out delay and the block that turns round */
	p = json_object_get(first_call(w), "pattern");
	assert_int_equal(num(p, "phase"), 0);
	assert_true(fabs(json_real_value(json_object_get(p, "delay_ms")) -
			 TD_XLINE_PLAY_MS - 1) < 1.1);
	nothing_left(w);
	world_free(w);
}

static void a_call_without_a_free_channel_is_blocked(void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551000", .count = 31, .rate = 1000,
		.hold_ms = 1000, .patience_ms = 5000, .line = 0 };

	td_xcalls_order(w->x, &o, on_report, w);
	world_run(w, 3000);
	assert_int_equal(num(summary(w), "answered"), 30);
	assert_int_equal(num(summary(w), "blocked"), 1);
	nothing_left(w);
	world_free(w);
}

static void the_peer_may_clear_first_and_its_cause_is_told(void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551000", .count = 1, .rate = 1,
		.hold_ms = 0, .patience_ms = 5000, .line = -1 };

	td_xcalls_order(w->x, &o, on_report, w);
	world_run(w, 500);
	assert_int_equal(w->call[0].answered, 1);
	pri_hangup(w->pri, w->call[0].c, 16);
	world_run(w, 500);
	assert_int_equal(num(first_call(w), "cause"), 16);
	assert_string_equal(json_string_value(json_object_get(first_call(w),
				"cleared_by")), "peer");
	w->refuse_cause = 1;
	td_xcalls_order(w->x, &o, on_report, w);
	world_run(w, 500);
	assert_int_equal(num(first_call(w), "cause"), 1);
	assert_int_equal(num(summary(w), "failed"), 1);
	nothing_left(w);
	world_free(w);
}

static void an_unanswered_call_is_given_up_with_cause_19(void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551000", .count = 1, .rate = 1,
		.hold_ms = 1000, .patience_ms = 2000, .line = -1 };

	w->ring_only = 1;
	td_xcalls_order(w->x, &o, on_report, w);
	world_run(w, 3000);
	assert_int_equal(num(first_call(w), "cause"), 19);
	assert_int_equal(w->call[0].cause, 19);
	assert_true(num(first_call(w), "alerting_ms") < 100);
	nothing_left(w);
	world_free(w);
}

static void digits_go_one_by_one_in_an_overlap_call(void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551234", .count = 1, .rate = 1,
		.hold_ms = 500, .patience_ms = 5000, .line = -1,
		.overlap = true };

	td_xcalls_order(w->x, &o, on_report, w);
	world_run(w, 2000);
	assert_string_equal(w->call[0].called, "5551234");
	assert_int_equal(num(summary(w), "answered"), 1);
	nothing_left(w);
	world_free(w);
}

static void digits_are_collected_from_an_overlap_caller(void **state)
{
	struct world *w = world_new();
	struct user_call *u = user_dial(w, 3, "555", 0);

	world_run(w, 100);
	assert_int_equal(u->more, 1);
	for (const char *d = "0001"; *d; d++) {
		pri_information(w->pri, u->c, *d);
		world_run(w, 50);
	}
	world_run(w, 300);
	assert_int_equal(u->answered, 1);
	u = user_dial(w, 4, "5559", 0);
	world_run(w, 100);
	assert_int_equal(u->cause, 1);
	pri_hangup(w->pri, w->call[0].c, 16);
	world_run(w, 500);
	nothing_left(w);
	world_free(w);
}

static void the_numbers_do_what_the_list_says(void **state)
{
	static const struct {
		const char *to;
		int cause, alerted, answered;
	} table[] = {
		{ "5550001", 0, 1, 1 }, { "5550002", 0, 1, 1 },
		{ "5550003", 17, 0, 0 }, { "5550004", 0, 1, 0 },
		{ "5550005", 0, 1, 1 }, { "5550006", 16, 1, 1 },
		{ "5550007", 1, 0, 0 }, { "5550008", 0, 1, 1 },
		{ "5550009", 0, 1, 1 }, { "5551234", 1, 0, 0 },
		{ "12015550001", 0, 1, 1 }, { "", 1, 0, 0 },
	};
	enum { N = sizeof(table) / sizeof(table[0]) };
	struct world *w = world_new();

	for (int i = 0; i < N; i++)
		user_dial(w, i + 1, table[i].to, 1);
	world_run(w, 6000);
	for (int i = 0; i < N; i++) {
		struct user_call *u = &w->call[i];

		assert_int_equal(u->cause, table[i].cause);
		assert_int_equal(u->alerted, table[i].alerted);
		assert_int_equal(u->inband, table[i].alerted);
		assert_int_equal(u->answered, table[i].answered);
		if (!u->over)
			pri_hangup(w->pri, u->c, 16);
	}
	world_run(w, 500);
	nothing_left(w);
	world_free(w);
}

/* power of one frequency in the octets of a timeslot, dBm0 */
static double level(struct world *w, int ts, int hz, int ms)
{
	double re = 0, im = 0;
	uint8_t o[8];

	for (int t = 0; t < ms; t++) {
		world_run(w, 1);
		td_xces_get_slot(w->heard, ts, o);
		for (int i = 0; i < 8; i++) {
			double a = 2 * M_PI * hz * (t * 8 + i) / 8000;

			re += td_xg711_from_alaw(o[i]) * cos(a);
			im += td_xg711_from_alaw(o[i]) * sin(a);
		}
	}
	return 20 * log10(sqrt(re * re + im * im) / (ms * 4) / 32768) + 3.14;
}

static void number_2_sends_1004_hz_at_minus_10_dbm0(void **state)
{
	struct world *w = world_new();

	user_dial(w, 1, "5550002", 1);
	world_run(w, 50);
	assert_true(fabs(level(w, 1, 425, 40) + 10) < 1);	/* ringing */
	world_run(w, 500);
	assert_true(fabs(level(w, 1, 1004, 250) + 10) < 0.1);
	assert_true(level(w, 1, 2008, 250) < -45);
	world_free(w);
}

static void number_5_checks_what_it_hears(void **state)
{
	struct world *w = world_new();
	json_t *r, *p, *c;

	user_dial(w, 9, "5550005", 1);
	world_run(w, 2000);
	w->silent = 1;
	world_run(w, 30);
	w->silent = 0;
	world_run(w, 1000);
	pri_hangup(w->pri, w->call[0].c, 16);
	world_run(w, 500);
	r = td_xcalls_report(w->x, 0);
	c = json_array_get(json_object_get(r, "calls"), 0);
	assert_string_equal(json_string_value(json_object_get(c, "service")),
			    "pattern");
	p = json_object_get(c, "pattern");
	assert_int_equal(num(p, "gaps_total"), 1);
	assert_int_equal(num(p, "missing"), 30 * 8);
	assert_true(json_real_value(json_object_get(p, "gap_ms_max")) == 30);
	json_decref(r);
	nothing_left(w);
	world_free(w);
}

static void a_gap_beside_a_pause_of_our_own_is_told_apart(void **state)
{
	struct world *w = world_new();
	json_t *r, *p;

	user_dial(w, 9, "5550005", 1);
	world_run(w, 2000);
	td_pauses_add(&w->pauses, (int64_t)w->turn * 1000000, 45000000);
	w->silent = 1;
	world_run(w, 30);
	w->silent = 0;
	world_run(w, 1000);
	pri_hangup(w->pri, w->call[0].c, 16);
	world_run(w, 500);
	r = td_xcalls_report(w->x, 0);
	p = json_object_get(json_array_get(json_object_get(r, "calls"), 0),
			    "pattern");
	assert_true(json_is_true(json_object_get(p, "clean")));
	assert_int_equal(json_array_size(json_object_get(p, "gaps_machine")),
			 1);
	json_decref(r);
	world_free(w);
}

static void a_taken_channel_is_refused_with_cause_44(void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551000", .count = 1, .rate = 1,
		.patience_ms = 5000, .line = -1 };
	struct user_call *u;

	td_xcalls_order(w->x, &o, on_report, w);
	/* both at once: neither has seen the other's SETUP yet */
	u = user_dial(w, 1, "5550001", 1);
	world_run(w, 500);
	assert_int_equal(u->cause, 44);
	assert_int_equal(td_xcalls_hangup(w->x, 0, 16), 1);
	world_run(w, 500);
	nothing_left(w);
	world_free(w);
}

static void restart_ends_the_call_on_the_channel(void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551000", .count = 2, .rate = 100,
		.patience_ms = 5000, .line = -1 };

	td_xcalls_order(w->x, &o, on_report, w);
	world_run(w, 500);
	assert_int_equal(td_xcalls_restart(w->x, 0, 16), -EINVAL);
	assert_int_equal(td_xcalls_restart(w->x, 0, 2), 0);
	world_run(w, 500);
	assert_int_equal(w->restarts, 1);
	pri_destroycall(w->pri, w->call[1].c);
	pri_reset(w->pri, 1);		/* and theirs of channel 1 */
	pri_destroycall(w->pri, w->call[0].c);
	world_run(w, 500);
	assert_int_equal(num(summary(w), "restarted"), 2);
	nothing_left(w);
	world_free(w);
}

static void an_abandoned_order_clears_its_calls(void **state)
{
	struct world *w = world_new();
	struct td_xorder o = { .to = "5551000", .count = 20, .rate = 10,
		.patience_ms = 5000, .line = -1 };
	int id = td_xcalls_order(w->x, &o, on_report, w);

	world_run(w, 1000);
	td_xcalls_abandon(w->x, id);
	world_run(w, 1000);
	assert_null(w->report);
	nothing_left(w);
	world_free(w);
}

static void nonsense_orders_are_refused(void **state)
{
	static const struct td_xorder bad[] = {
		{ .to = "", .count = 1, .rate = 1, .line = -1 },
		{ .to = "1x", .count = 1, .rate = 1, .line = -1 },
		{ .to = "1", .count = 0, .rate = 1, .line = -1 },
		{ .to = "1", .count = 1, .rate = 0, .line = -1 },
		{ .to = "1", .count = 1, .rate = 1, .line = 1 },
		{ .to = "20", .to_last = "10", .count = 1, .rate = 1,
		  .line = -1 },
		{ .to = "20", .to_last = "100", .count = 1, .rate = 1,
		  .line = -1 },
	};
	struct world *w = world_new();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(td_xcalls_order(w->x, &bad[i], NULL, NULL),
				 -EINVAL);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		placed_calls_are_held_and_cleared_and_their_echo_is_clean),
		cmocka_unit_test(a_call_without_a_free_channel_is_blocked),
		cmocka_unit_test(
			the_peer_may_clear_first_and_its_cause_is_told),
		cmocka_unit_test(an_unanswered_call_is_given_up_with_cause_19),
		cmocka_unit_test(digits_go_one_by_one_in_an_overlap_call),
		cmocka_unit_test(digits_are_collected_from_an_overlap_caller),
		cmocka_unit_test(the_numbers_do_what_the_list_says),
		cmocka_unit_test(number_2_sends_1004_hz_at_minus_10_dbm0),
		cmocka_unit_test(number_5_checks_what_it_hears),
		cmocka_unit_test(a_gap_beside_a_pause_of_our_own_is_told_apart),
		cmocka_unit_test(a_taken_channel_is_refused_with_cause_44),
		cmocka_unit_test(restart_ends_the_call_on_the_channel),
		cmocka_unit_test(an_abandoned_order_clears_its_calls),
		cmocka_unit_test(nonsense_orders_are_refused),
	};


	td_log_level_set(TD_LOG_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
