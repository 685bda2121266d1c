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

#include "spanctl/core/lease.h"

static const int64_t S = 1000000000LL;

static void off_until_leased_and_off_at_the_end_exactly(void **state)
{
	struct td_lease l = { 0 };

	assert_false(td_lease_held(&l, 0));
	assert_int_equal(td_lease_take(&l, 5, 10 * S, S), 0);
	assert_true(td_lease_held(&l, S));
	assert_true(td_lease_held(&l, 10 * S - 1));
	assert_false(td_lease_held(&l, 10 * S));
	assert_int_equal(l.lapsed, 1);
}

static void a_clock_read_earlier_does_not_bring_it_back(void **state)
{
	struct td_lease l = { 0 };

	assert_int_equal(td_lease_take(&l, 5, 10 * S, S), 0);
	assert_false(td_lease_held(&l, 11 * S));
	assert_false(td_lease_held(&l, 2 * S));
	assert_int_equal(td_lease_take(&l, 5, 20 * S, 2 * S), -ESTALE);
}

static void a_lapsed_epoch_is_not_renewed_even_unasked(void **state)
{
	struct td_lease l = { 0 };

	assert_int_equal(td_lease_take(&l, 5, 10 * S, S), 0);
	/* nobody looked while it ended */
	assert_int_equal(td_lease_take(&l, 5, 20 * S, 10 * S), -ESTALE);
	assert_int_equal(l.lapsed, 1);
	assert_int_equal(td_lease_take(&l, 4, 20 * S, 10 * S), -ESTALE);
	assert_int_equal(td_lease_take(&l, 6, 20 * S, 10 * S), 0);
	assert_true(td_lease_held(&l, 15 * S));
}

static void renewal_extends_and_never_shortens(void **state)
{
	struct td_lease l = { 0 };

	assert_int_equal(td_lease_take(&l, 5, 10 * S, S), 0);
	assert_int_equal(td_lease_take(&l, 5, 12 * S, 2 * S), 0);
	assert_int_equal(td_lease_take(&l, 5, 8 * S, 3 * S), 0);
	assert_true(td_lease_held(&l, 11 * S));
	/* late news takes nothing away from what is held */
	assert_int_equal(td_lease_take(&l, 5, 4 * S, 11 * S), -ESTALE);
	assert_true(td_lease_held(&l, 11 * S));
}

static void ended_is_over_for_it_and_all_before(void **state)
{
	struct td_lease l = { 0 };

	assert_int_equal(td_lease_take(&l, 5, 10 * S, S), 0);
	td_lease_end(&l, 4);
	assert_true(td_lease_held(&l, 2 * S));
	td_lease_end(&l, 5);
	assert_false(td_lease_held(&l, 2 * S));
	assert_int_equal(l.lapsed, 0);
	assert_int_equal(td_lease_take(&l, 5, 10 * S, 2 * S), -ESTALE);
	/* also one that was never held here */
	td_lease_end(&l, 9);
	assert_int_equal(td_lease_take(&l, 9, 10 * S, 2 * S), -ESTALE);
	assert_int_equal(td_lease_take(&l, 10, 10 * S, 2 * S), 0);
	td_lease_drop(&l);
	assert_false(td_lease_held(&l, 2 * S));
	assert_int_equal(td_lease_take(&l, 10, 10 * S, 2 * S), -ESTALE);
}

static void a_newer_epoch_ends_the_older(void **state)
{
	struct td_lease l = { 0 };

	assert_int_equal(td_lease_take(&l, 5, 10 * S, S), 0);
	assert_int_equal(td_lease_take(&l, 7, 11 * S, S), 0);
	assert_int_equal(l.epoch, 7);
	assert_int_equal(td_lease_take(&l, 5, 20 * S, 2 * S), -ESTALE);
	assert_int_equal(td_lease_take(&l, 6, 20 * S, 2 * S), -ESTALE);
	assert_true(td_lease_held(&l, 10 * S));
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct td_lease l = { 0 };

	assert_int_equal(td_lease_take(&l, 0, 10 * S, S), -EINVAL);
	assert_int_equal(td_lease_take(&l, 1, 62 * S, S), -EINVAL);
	assert_int_equal(td_lease_take(&l, 1, INT64_MAX, S), -EINVAL);
	assert_false(td_lease_held(&l, S));
	/* over before it came: its epoch is spent */
	assert_int_equal(td_lease_take(&l, 1, S, S), -ESTALE);
	assert_int_equal(td_lease_take(&l, 1, 2 * S, S), -ESTALE);
	assert_int_equal(td_lease_take(&l, 2, 2 * S, S), 0);
}

/* Whatever happens in whatever order: an epoch seen off after it was held is
 * never seen on again, and no block leaves at or after an end. */
static void no_epoch_ever_comes_back(void **state)
{
	uint32_t s = 1;

	for (int run = 0; run < 2000; run++) {
		struct td_lease l = { 0 };
		bool spent[32] = { 0 };
		int64_t now = S, max_end[32] = { 0 };

		for (int i = 0; i < 100; i++) {
			uint64_t e = s % 31 + 1, before = l.epoch;
			int64_t end;

			s = s * 1664525u + 1013904223u;
			end = now + (int64_t)(s >> 8 & 0x3ff) - 200;
			switch (s >> 28 & 3) {
			case 0:
				td_lease_end(&l, e % 4 ? 0 : e);
				break;
			case 1:
			case 2:
				if (!td_lease_take(&l, e, end, now) &&
				    end > max_end[e])
					max_end[e] = end;
				break;
			case 3:
				now += s >> 20 & 0xff;
				break;
			}
			if (td_lease_held(&l, now)) {
				assert_false(spent[l.epoch]);
				assert_true(now < max_end[l.epoch]);
			}
			if (before && before != l.epoch)
				spent[before] = true;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_until_leased_and_off_at_the_end_exactly),
		cmocka_unit_test(a_clock_read_earlier_does_not_bring_it_back),
		cmocka_unit_test(a_lapsed_epoch_is_not_renewed_even_unasked),
		cmocka_unit_test(renewal_extends_and_never_shortens),
		cmocka_unit_test(ended_is_over_for_it_and_all_before),
		cmocka_unit_test(a_newer_epoch_ends_the_older),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(no_epoch_ever_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
