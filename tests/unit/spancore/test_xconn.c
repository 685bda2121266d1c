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

#include "spanctl/core/xconn.h"

static void locked_it_is_exact_whatever_the_order_in_a_tick(void **state)
{
	struct td_xconn x = { .on = true };
	uint64_t from, block = 70000, end = 900000, first = 0;

	for (int i = 0; i < 5000; i++) {
		int late = (i * 7) % 3;	/* source's packet after ours */

		end = 900000 + i - late;
		assert_int_equal(td_xconn_step(&x, block + i, end, &from), 0);
		if (!i)
			first = from;
		assert_int_equal(from, first + i);
	}
	assert_int_equal(x.slips, 0);
}

static void a_stall_that_catches_up_is_no_slip(void **state)
{
	struct td_xconn x = { .on = true };
	uint64_t from, end = 5000;
	int dry = 0;

	for (int i = 0; i < 3000; i++) {
		/* every second a pause of 40 ms in the source */
		end = 5000 + i - (i % 1000 < 40 && i >= 1000 ? i % 1000 : 0);
		if (td_xconn_step(&x, 100 + i, end, &from))
			dry++;
		else
			assert_int_equal(from, 5000 - TD_XCONN_RESERVE + i);
	}
	assert_int_equal(dry, 2 * (40 - TD_XCONN_RESERVE));
	assert_int_equal(x.slips, 0);
}

static void a_source_that_ends_is_heard_no_more(void **state)
{
	struct td_xconn x = { .on = true };
	uint64_t from, last = 0;

	for (int i = 0; i < 1000; i++)
		assert_int_equal(td_xconn_step(&x, i, 5000 + i, &from), 0);
	for (int i = 0; i < 2000; i++)
		if (!td_xconn_step(&x, 1000 + i, 5999, &from)) {
			assert_true(from > last);
			last = from;
		}
	assert_int_equal(last, 5998);
	assert_int_equal(x.slips, 0);
	/* it begins again: put in the middle once */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(td_xconn_step(&x, 3000 + i, 6000 + i, &from),
				 0);
	assert_int_equal(x.slips, 1);
}

static void drift(int ppm, uint64_t slips)
{
	struct td_xconn x = { .on = true };
	uint64_t from, before = 0;
	int dry = 0;

	for (int64_t i = 0; i < 1000000; i++) {
		uint64_t end = (uint64_t)(5000 + i + i * ppm / 1000000);

		if (td_xconn_step(&x, (uint64_t)i, end, &from)) {
			dry++;
			continue;
		}
		assert_true(from < end && end - from < 64);
		before = from;
	}
	assert_true(before);
	assert_int_equal(dry, 0);
	assert_int_equal(x.slips, slips);
}

static void two_clocks_slip_now_and_then_and_never_run_dry(void **state)
{
	drift(0, 0);
	/* 100 blocks, by 7 (8 > 15) and by 5 (8 > 3) */
	drift(100, 14);
	drift(-100, 19);
}

static void a_jump_of_either_side_is_one_slip(void **state)
{
	struct td_xconn x = { .on = true };
	uint64_t from, end = 5000, block = 100;

	for (int i = 0; i < 3000; i++, end++, block++) {
		if (i == 1000)
			end += 65536;
		if (i == 2000)
			block += 65536;
		assert_int_equal(td_xconn_step(&x, block, end, &from), 0);
		assert_int_equal(from, end - TD_XCONN_RESERVE);
	}
	assert_int_equal(x.slips, 2);
}

static void a_source_that_has_not_begun_gives_nothing(void **state)
{
	struct td_xconn x = { .on = true };
	uint64_t from;

	assert_int_equal(td_xconn_step(&x, 100, 0, &from), -EAGAIN);
	assert_int_equal(x.slips, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			locked_it_is_exact_whatever_the_order_in_a_tick),
		cmocka_unit_test(a_stall_that_catches_up_is_no_slip),
		cmocka_unit_test(a_source_that_ends_is_heard_no_more),
		cmocka_unit_test(
			two_clocks_slip_now_and_then_and_never_run_dry),
		cmocka_unit_test(a_jump_of_either_side_is_one_slip),
		cmocka_unit_test(a_source_that_has_not_begun_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
