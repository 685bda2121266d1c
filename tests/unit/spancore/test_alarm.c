// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "spanctl/core/alarm.h"
#include "spanctl/uapi/td_span.h"

static const int64_t MS = 1000000;

static int64_t good(struct td_alarm *a, int64_t now, int n)
{
	while (n--) {
		td_alarm_packet(a, false, false, false, now += MS);
		td_alarm_block(a, false);
	}
	return now;
}

static void it_starts_in_los_and_ten_packets_clear_it(void **state)
{
	struct td_alarm a;
	int64_t now = 0;

	td_alarm_init(&a, TD_ALARM_LOS_MS, now);
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_LOS);
	assert_true(td_alarm_silent(&a, now));
	now = good(&a, now, 9);
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_LOS);
	td_alarm_block(&a, true);	/* a loss starts the count again */
	now = good(&a, now, 9);
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_LOS);
	good(&a, now, 1);
	assert_int_equal(td_alarm_bits(&a), 0);
	assert_int_equal(a.los_count, 0);
}

static void silence_of_the_set_length_is_los(void **state)
{
	struct td_alarm a;
	int64_t now;

	td_alarm_init(&a, 100, 0);
	now = good(&a, 0, 300);
	assert_false(td_alarm_tick(&a, now + 100 * MS - 1));
	assert_int_equal(td_alarm_bits(&a), 0);
	assert_true(td_alarm_tick(&a, now + 100 * MS));
	assert_false(td_alarm_tick(&a, now + 101 * MS));
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_LOS);
	assert_int_equal(a.los_count, 1);
	/* one packet in 50 ms is no line */
	for (int i = 1; i < 100; i++) {
		td_alarm_tick(&a, now + i * 150 * MS - 1);
		good(&a, now + i * 150 * MS, 1);
	}
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_LOS);
}

static void bits_are_integrated_both_ways(void **state)
{
	struct td_alarm a;
	int64_t now;

	td_alarm_init(&a, 100, 0);
	now = good(&a, 0, 300);
	for (int i = 0; i < 9; i++)
		td_alarm_packet(&a, true, false, false, now);
	assert_int_equal(td_alarm_bits(&a), 0);
	good(&a, now, 1);
	for (int i = 0; i < 10; i++)
		td_alarm_packet(&a, true, false, false, now);
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_AIS);
	assert_true(td_alarm_send_rdi(&a));
	for (int i = 0; i < 10; i++)
		td_alarm_packet(&a, false, true, true, now);
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_RAI | TD_ALARM_RDI);
	assert_false(td_alarm_send_rdi(&a));
	good(&a, now, 9);
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_RAI | TD_ALARM_RDI);
	good(&a, now, 1);
	assert_int_equal(td_alarm_bits(&a), 0);
}

static void los_says_more_than_the_others(void **state)
{
	struct td_alarm a;
	int64_t now;

	td_alarm_init(&a, 100, 0);
	now = good(&a, 0, 300);
	for (int i = 0; i < 10; i++)
		td_alarm_packet(&a, true, false, true, now);
	assert_true(td_alarm_tick(&a, now + 200 * MS));
	assert_int_equal(td_alarm_bits(&a), TD_ALARM_LOS);
	good(&a, now + 200 * MS, 10);
	assert_int_equal(td_alarm_bits(&a), 0);
}

static void only_loss_in_a_row_is_told_to_the_far_end(void **state)
{
	struct td_alarm a;
	int64_t now;

	td_alarm_init(&a, 100, 0);
	now = good(&a, 0, 300);
	for (int i = 0; i < 1000; i++) {
		for (int k = 0; k < TD_ALARM_LOSS - 1; k++)
			td_alarm_block(&a, true);
		now = good(&a, now, 1);
		assert_false(td_alarm_send_r(&a));
	}
	for (int k = 0; k < TD_ALARM_LOSS; k++)
		td_alarm_block(&a, true);
	assert_true(td_alarm_send_r(&a));
	now = good(&a, now, TD_ALARM_GOOD - 1);
	assert_true(td_alarm_send_r(&a));
	good(&a, now, 1);
	assert_false(td_alarm_send_r(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_in_los_and_ten_packets_clear_it),
		cmocka_unit_test(silence_of_the_set_length_is_los),
		cmocka_unit_test(bits_are_integrated_both_ways),
		cmocka_unit_test(los_says_more_than_the_others),
		cmocka_unit_test(only_loss_in_a_row_is_told_to_the_far_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
